// Included by kernels.c once per instruction set; K(name) carries the level.

// Cody & Waite's range reduction and the Cephes polynomial: relative error
// below 1.2e-7 over the whole clamped range.
static CK_INLINE VEC K(vexp)(VEC x) {
  x = K(vmin)(K(vmax)(x, K(all)(-87.3f)), K(all)(88.3f));
  const float magic = 12582912.0f; // 1.5 * 2^23: its low bits count units
  VEC shifted = x * 1.44269504f + magic;
  VEC n = shifted - magic;
  VEC r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  VEC p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 0.5f;
  p = p * (r * r) + r + 1.0f;
  IVEC exponent = (IVEC)shifted << 23;
  return (VEC)((IVEC)p + exponent);
}

static void K(exponential)(const float *x, ck_int count, float *y) {
  ck_int i = 0;
  for (; i + CK_LANES <= count; i += CK_LANES) K(store)(y + i, K(vexp)(K(load)(x + i)));
  if (i < count) K(store_part)(y + i, K(vexp)(K(load_part)(x + i, count - i)), count - i);
}

// Lanes in float, blocks in double: a sum over a million entries keeps seven digits.
static double K(dot)(const float *x, const float *y, ck_int count) {
  double total = 0;
  for (ck_int start = 0; start < count; start += 1024) {
    ck_int end = start + 1024 < count ? start + 1024 : count, i = start;
    VEC sum = {};
    for (; i + CK_LANES <= end; i += CK_LANES) sum = K(load)(x + i) * K(load)(y + i) + sum;
    if (i < end) sum = K(load_part)(x + i, end - i) * K(load_part)(y + i, end - i) + sum;
    total += K(lane_sum)(sum);
  }
  return total;
}

static double K(sum_of_squares)(const float *x, ck_int count) { return K(dot)(x, x, count); }

static void K(add_scaled)(const float *x, float factor, ck_int count, float *y) {
  for (ck_int i = 0; i < count; i++) y[i] = x[i] * factor + y[i];
}

// MARK: norms, rotation, SwiGLU

static void K(rms_norm)(const float *x, const float *gain, float epsilon, ck_int rows,
                        ck_int width, float *y, float *reciprocals) {
  for (ck_int row = 0; row < rows; row++, x += width, y += width) {
    float mean = (float)(K(dot)(x, x, width) / (double)width);
    float r = 1.0f / sqrtf(mean + epsilon);
    reciprocals[row] = r;
    for (ck_int i = 0; i < width; i++) y[i] = x[i] * r * gain[i];
  }
}

// With h = x r:  dgain += dy h,  dx += r (dy gain - h mean(dy gain h)).
static void K(rms_norm_gradient)(const float *dy, const float *x, const float *gain,
                                 const float *reciprocals, ck_int rows, ck_int width, float *dx,
                                 float *dgain) {
  for (ck_int row = 0; row < rows; row++, x += width, dy += width, dx += width) {
    float r = reciprocals[row];
    VEC sum = {};
    ck_int i = 0;
    for (; i + CK_LANES <= width; i += CK_LANES) {
      VEC along = K(load)(dy + i) * K(load)(x + i) * r;
      K(store)(dgain + i, K(load)(dgain + i) + along);
      sum = along * K(load)(gain + i) + sum;
    }
    float inner = K(lane_sum)(sum);
    for (; i < width; i++) {
      float along = dy[i] * x[i] * r;
      dgain[i] += along;
      inner += along * gain[i];
    }
    inner = inner / (float)width * r;
    for (i = 0; i < width; i++) dx[i] += r * (dy[i] * gain[i] - x[i] * inner);
  }
}

// Half-split rotary embedding: entry i turns with entry i + head_width / 2.
static void K(rotate)(float *x, ck_int rows, ck_int heads, ck_int head_width, ck_int stride,
                      const float *cosines, const float *sines, float direction) {
  ck_int half = head_width / 2;
  for (ck_int row = 0; row < rows; row++, x += stride, cosines += half, sines += half)
    for (ck_int head = 0; head < heads; head++) {
      float *restrict a = x + head * head_width, *restrict b = a + half;
      for (ck_int i = 0; i < half; i++) {
        float c = cosines[i], s = sines[i] * direction, first = a[i], second = b[i];
        a[i] = first * c - second * s;
        b[i] = second * c + first * s;
      }
    }
}

static CK_INLINE VEC K(sigmoid)(VEC x) { return 1.0f / (1.0f + K(vexp)(-x)); }

// A row holds the gate, then the up projection.
static void K(swiglu)(const float *gate_up, ck_int rows, ck_int width, float *y) {
  for (ck_int row = 0; row < rows; row++, gate_up += 2 * width, y += width) {
    const float *up = gate_up + width;
    ck_int i = 0;
    for (; i + CK_LANES <= width; i += CK_LANES) {
      VEC g = K(load)(gate_up + i);
      K(store)(y + i, g * K(sigmoid)(g) * K(load)(up + i));
    }
    if (i < width) {
      VEC g = K(load_part)(gate_up + i, width - i);
      K(store_part)(y + i, g * K(sigmoid)(g) * K(load_part)(up + i, width - i), width - i);
    }
  }
}

// Overwrites the gate and up projections with their gradients.
static void K(swiglu_gradient)(const float *dy, float *gate_up, ck_int rows, ck_int width) {
  for (ck_int row = 0; row < rows; row++, gate_up += 2 * width, dy += width) {
    for (ck_int i = 0; i < width; i += CK_LANES) {
      ck_int n = width - i < CK_LANES ? width - i : CK_LANES;
      float *gate = gate_up + i, *up = gate + width;
      int whole = n == CK_LANES;
      VEC g = whole ? K(load)(gate) : K(load_part)(gate, n);
      VEC u = whole ? K(load)(up) : K(load_part)(up, n);
      VEC d = whole ? K(load)(dy + i) : K(load_part)(dy + i, n);
      VEC s = K(sigmoid)(g);
      VEC dgate = d * u * (s * (1.0f + g * (1.0f - s))), dup = d * g * s;
      if (whole) {
        K(store)(gate, dgate);
        K(store)(up, dup);
      } else {
        K(store_part)(gate, dgate, n);
        K(store_part)(up, dup, n);
      }
    }
  }
}

// MARK: softmax and losses

// Replaces a row by exp(row - max) and returns their sum; the maximum goes to `maximum`.
static float K(exp_row)(float *x, ck_int width, float *maximum) {
  VEC top = K(all)(x[0]);
  ck_int i = 0;
  for (; i + CK_LANES <= width; i += CK_LANES) top = K(vmax)(top, K(load)(x + i));
  float m = K(lane_max)(top);
  for (; i < width; i++) m = x[i] > m ? x[i] : m;
  VEC sum = {};
  for (i = 0; i + CK_LANES <= width; i += CK_LANES) {
    VEC e = K(vexp)(K(load)(x + i) - m);
    K(store)(x + i, e);
    sum += e;
  }
  float total = K(lane_sum)(sum);
  if (i < width) {
    K(store_part)(x + i, K(vexp)(K(load_part)(x + i, width - i) - m), width - i);
    for (; i < width; i++) total += x[i];
  }
  *maximum = m;
  return total;
}

static void K(softmax)(float *x, ck_int rows, ck_int width, ck_int stride) {
  for (ck_int row = 0; row < rows; row++, x += stride) {
    float maximum, scale = 1.0f / K(exp_row)(x, width, &maximum);
    for (ck_int i = 0; i < width; i++) x[i] *= scale;
  }
}

static void K(log_softmax)(float *x, ck_int rows, ck_int width, ck_int stride) {
  for (ck_int row = 0; row < rows; row++, x += stride) {
    float m = x[0];
    for (ck_int i = 1; i < width; i++) m = x[i] > m ? x[i] : m;
    float sum = 0;
    VEC lanes = {};
    ck_int i = 0;
    for (; i + CK_LANES <= width; i += CK_LANES) lanes += K(vexp)(K(load)(x + i) - m);
    if (i < width) {
      VEC last = K(vexp)(K(load_part)(x + i, width - i) - m);
      for (ck_int j = 0; j < width - i; j++) sum += last[j];
    }
    sum += K(lane_sum)(lanes);
    float shift = m + logf(sum);
    for (i = 0; i < width; i++) x[i] -= shift;
  }
}

// Returns sum_r weight_r (-log p_r[target_r]) and turns the logits into their gradient.
static double K(cross_entropy)(float *logits, ck_int rows, ck_int width, const int *targets,
                               const float *weights) {
  double loss = 0;
  for (ck_int row = 0; row < rows; row++, logits += width) {
    if (weights[row] == 0) {
      memset(logits, 0, sizeof(float) * (size_t)width);
      continue;
    }
    float chosen = logits[targets[row]], maximum;
    float sum = K(exp_row)(logits, width, &maximum);
    loss += (double)weights[row] * ((double)maximum + log((double)sum) - (double)chosen);
    float scale = weights[row] / sum;
    for (ck_int i = 0; i < width; i++) logits[i] *= scale;
    logits[targets[row]] -= weights[row];
  }
  return loss;
}

// Returns sum_r weight_r KL(target_r || softmax(logits_r)) and leaves the gradient.
static double K(divergence)(float *logits, ck_int rows, ck_int width, const float *targets,
                            const float *weights) {
  double loss = 0;
  for (ck_int row = 0; row < rows; row++, logits += width, targets += width) {
    double inner = 0;
    for (ck_int i = 0; i < width; i++)
      if (targets[i] > 0) inner += targets[i] * (log((double)targets[i]) - (double)logits[i]);
    float maximum, sum = K(exp_row)(logits, width, &maximum);
    loss += (double)weights[row] * (inner + (double)maximum + log((double)sum));
    float scale = weights[row] / sum;
    for (ck_int i = 0; i < width; i++) logits[i] = logits[i] * scale - weights[row] * targets[i];
  }
  return loss;
}

// MARK: attention

// Copies `rows` rows of `width` into rows of `padded`, zeros behind.
static void K(pad)(const float *x, ck_int stride, ck_int rows, ck_int width, ck_int padded,
                   float *y) {
  for (ck_int row = 0; row < rows; row++, x += stride, y += padded) {
    ck_int i = 0;
    for (; i + CK_LANES <= width; i += CK_LANES) K(store)(y + i, K(load)(x + i));
    for (; i < width; i++) y[i] = x[i];
    for (; i < padded; i++) y[i] = 0;
  }
}

static void K(unpad_add)(const float *x, ck_int rows, ck_int width, ck_int padded, float *y,
                         ck_int stride) {
  for (ck_int row = 0; row < rows; row++, x += padded, y += stride)
    for (ck_int i = 0; i < width; i++) y[i] += x[i];
}

static void K(transpose)(const float *x, ck_int stride, ck_int rows, ck_int width,
                         ck_int padded_rows, float *y) {
  for (ck_int first = 0; first < padded_rows; first += 16)
    for (ck_int i = 0; i < width; i++) {
      float *to = y + i * padded_rows + first;
      const float *from = x + first * stride + i;
      ck_int n = rows - first < 16 ? (rows > first ? rows - first : 0) : 16;
      for (ck_int j = 0; j < n; j++) to[j] = from[j * stride];
      for (ck_int j = n; j < 16; j++) to[j] = 0;
    }
}

// s[t][j] = sum_d a[t][d] bt[d][j] for `count` (4 or 1) rows and keys below `limit`.
static CK_INLINE void
K(score_rows)(const float *a, ck_int a_stride, const float *bt, ck_int bt_stride, ck_int width,
              ck_int limit, float *s, ck_int s_stride, const int count) {
  for (ck_int j = 0; j < limit; j += 32) {
    VEC sum[4][2] = {};
    for (ck_int d = 0; d < width; d++) {
      VEC b0 = K(load)(bt + d * bt_stride + j), b1 = K(load)(bt + d * bt_stride + j + 16);
      for (int i = 0; i < count; i++) {
        float x = a[i * a_stride + d];
        sum[i][0] = b0 * x + sum[i][0];
        sum[i][1] = b1 * x + sum[i][1];
      }
    }
    for (int i = 0; i < count; i++) {
      K(store)(s + i * s_stride + j, sum[i][0]);
      K(store)(s + i * s_stride + j + 16, sum[i][1]);
    }
  }
}

static void K(scores)(const float *a, ck_int a_stride, const float *bt, ck_int bt_stride,
                      ck_int width, ck_int rows, ck_int offset, float *s, ck_int s_stride) {
  ck_int t = 0;
  for (; t + 4 <= rows; t += 4)
    K(score_rows)(a + t * a_stride, a_stride, bt, bt_stride, width, t + 4 + offset,
                  s + t * s_stride, s_stride, 4);
  for (; t < rows; t++)
    K(score_rows)(a + t * a_stride, a_stride, bt, bt_stride, width, t + 1 + offset,
                  s + t * s_stride, s_stride, 1);
}

// Row t keeps keys 0...t+offset; all later entries become zero.
static void K(causal_softmax)(float *s, ck_int rows, ck_int offset, ck_int stride, float scale) {
  for (ck_int t = 0; t < rows; t++, s += stride) {
    ck_int n = t + offset + 1, whole = n / CK_LANES * CK_LANES;
    VEC top = K(all)(-3.0e38f);
    for (ck_int i = 0; i < whole; i += CK_LANES) top = K(vmax)(top, K(load)(s + i));
    float m = K(lane_max)(top);
    for (ck_int i = whole; i < n; i++) m = s[i] > m ? s[i] : m;
    VEC sum = {};
    for (ck_int i = 0; i < whole; i += CK_LANES) {
      VEC e = K(vexp)((K(load)(s + i) - m) * scale);
      K(store)(s + i, e);
      sum += e;
    }
    if (whole < n) {
      IVEC lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
      VEC e = K(vexp)((K(load)(s + whole) - m) * scale);
      e = (VEC)((lane < (int)(n - whole)) & (IVEC)e);
      K(store)(s + whole, e);
      sum += e;
      whole += CK_LANES;
    }
    float r = 1.0f / K(lane_sum)(sum);
    for (ck_int i = 0; i < whole; i += CK_LANES) K(store)(s + i, K(load)(s + i) * r);
    for (ck_int i = whole; i < stride; i += CK_LANES) K(store)(s + i, K(all)(0));
  }
}

// y[t] = sum_{j <= t+offset} s[t][j] b[j], in tiles of 8 rows by 16 columns.
static CK_INLINE void
K(mix_rows)(const float *s, ck_int s_stride, const float *b, ck_int width, ck_int limit,
            float *y, const int count) {
  for (ck_int column = 0; column < width; column += CK_LANES) {
    VEC sum[8] = {};
    for (ck_int j = 0; j < limit; j++) {
      VEC value = K(load)(b + j * width + column);
      for (int i = 0; i < count; i++) sum[i] = value * s[i * s_stride + j] + sum[i];
    }
    for (int i = 0; i < count; i++) K(store)(y + i * width + column, sum[i]);
  }
}

static void K(mix)(const float *s, ck_int s_stride, const float *b, ck_int width, ck_int rows,
                   ck_int offset, float *y) {
  ck_int t = 0;
  for (; t + 8 <= rows; t += 8)
    K(mix_rows)(s + t * s_stride, s_stride, b, width, t + 8 + offset, y + t * width, 8);
  for (; t < rows; t++)
    K(mix_rows)(s + t * s_stride, s_stride, b, width, t + 1 + offset, y + t * width, 1);
}

// y[j] = sum_{t >= j-offset} s[t][j] b[t], in tiles of 8 keys by 16 columns.
static void K(mix_transposed)(const float *s, ck_int s_stride, const float *b, ck_int width,
                              ck_int rows, ck_int keys, float *y) {
  ck_int offset = keys - rows;
  for (ck_int j = 0; j < keys; j += 8)
    for (ck_int column = 0; column < width; column += CK_LANES) {
      VEC sum[8] = {};
      for (ck_int t = j > offset ? j - offset : 0; t < rows; t++) {
        VEC value = K(load)(b + t * width + column);
        const float *row = s + t * s_stride + j;
        for (int i = 0; i < 8; i++) sum[i] = value * row[i] + sum[i];
      }
      for (int i = 0; i < 8; i++) K(store)(y + (j + i) * width + column, sum[i]);
    }
}

// pattern: [heads, queries, pattern_stride].
static void K(attention_mix)(const ck_attention_shape *p, const float *v, const float *pattern,
                             float *output, float *scratch) {
  ck_int w = ck_round_up(p->head_width, CK_LANES), n = ck_round_up(p->keys, 32);
  ck_int group = p->heads / p->key_heads, offset = p->keys - p->queries;
  float *values = scratch, *mixed = values + n * w;
  for (ck_int head = 0; head < p->heads; head++) {
    if (head % group == 0)
      K(pad)(v + head / group * p->head_width, p->key_stride, p->keys, p->head_width, w, values);
    K(mix)(pattern + head * p->queries * p->pattern_stride, p->pattern_stride, values, w,
           p->queries, offset, mixed);
    for (ck_int t = 0; t < p->queries; t++)
      memcpy(output + t * p->output_stride + head * p->head_width, mixed + t * w,
             sizeof(float) * (size_t)p->head_width);
  }
}

static void K(attention)(const ck_attention_shape *p, const float *q, const float *k,
                         const float *v, float *pattern, float *output, float *scratch) {
  ck_int n = ck_round_up(p->keys, 32), group = p->heads / p->key_heads;
  ck_int offset = p->keys - p->queries;
  for (ck_int head = 0; head < p->heads; head++) {
    if (head % group == 0)
      K(transpose)(k + head / group * p->head_width, p->key_stride, p->keys, p->head_width, n,
                   scratch);
    float *s = pattern + head * p->queries * p->pattern_stride;
    K(scores)(q + head * p->head_width, p->query_stride, scratch, n, p->head_width, p->queries,
              offset, s, p->pattern_stride);
    K(causal_softmax)(s, p->queries, offset, p->pattern_stride, p->scale);
  }
  K(attention_mix)(p, v, pattern, output, scratch);
}

// dS = P (dP - rowsum(dP P)) scale; entries with P = 0 stay zero, so no mask is needed.
static void K(softmax_gradient)(float *ds, const float *pattern, ck_int rows, ck_int keys,
                                ck_int stride, float scale) {
  ck_int offset = keys - rows;
  for (ck_int t = 0; t < rows; t++, ds += stride, pattern += stride) {
    ck_int limit = ck_round_up(t + offset + 1, CK_LANES);
    VEC sum = {};
    for (ck_int i = 0; i < limit; i += CK_LANES)
      sum = K(load)(ds + i) * K(load)(pattern + i) + sum;
    float inner = K(lane_sum)(sum);
    for (ck_int i = 0; i < limit; i += CK_LANES)
      K(store)(ds + i, K(load)(pattern + i) * (K(load)(ds + i) - inner) * scale);
    for (ck_int i = limit; i < stride; i += CK_LANES) K(store)(ds + i, K(all)(0));
  }
}

// Adds to dq, dk and dv.
static void K(attention_gradient)(const ck_attention_shape *p, const float *q, const float *k,
                                  const float *v, const float *pattern, const float *doutput,
                                  float *dq, float *dk, float *dv, float *scratch) {
  ck_int hw = p->head_width, w = ck_round_up(hw, CK_LANES), n = ck_round_up(p->keys, 32);
  ck_int group = p->heads / p->key_heads, offset = p->keys - p->queries, size = n * w;
  float *queries = scratch, *keys = queries + size, *vt = keys + size, *dout = vt + size;
  float *part = dout + size, *ds = part + size;
  for (ck_int head = 0; head < p->heads; head++) {
    ck_int source = head / group * hw;
    if (head % group == 0) {
      K(pad)(k + source, p->key_stride, p->keys, hw, w, keys);
      K(transpose)(v + source, p->key_stride, p->keys, hw, n, vt);
    }
    K(pad)(q + head * hw, p->query_stride, p->queries, hw, w, queries);
    K(pad)(doutput + head * hw, p->output_stride, p->queries, hw, w, dout);
    const float *s = pattern + head * p->queries * p->pattern_stride;
    K(mix_transposed)(s, p->pattern_stride, dout, w, p->queries, p->keys, part);
    K(unpad_add)(part, p->keys, hw, w, dv + source, p->key_stride);
    K(scores)(dout, w, vt, n, hw, p->queries, offset, ds, p->pattern_stride);
    K(softmax_gradient)(ds, s, p->queries, p->keys, p->pattern_stride, p->scale);
    K(mix)(ds, p->pattern_stride, keys, w, p->queries, offset, part);
    K(unpad_add)(part, p->queries, hw, w, dq + head * hw, p->query_stride);
    K(mix_transposed)(ds, p->pattern_stride, queries, w, p->queries, p->keys, part);
    K(unpad_add)(part, p->keys, hw, w, dk + source, p->key_stride);
  }
}

// MARK: optimiser

static CK_INLINE VEC K(vsqrt)(VEC x) { return __builtin_elementwise_sqrt(x); }

static void K(adamw)(float *parameters, const float *gradient, float *mean, float *variance,
                     ck_int count, const ck_adamw_settings *s) {
  float step = s->learning_rate / s->correction1, root = 1.0f / sqrtf(s->correction2);
  float keep = 1.0f - s->learning_rate * s->weight_decay;
  for (ck_int i = 0; i < count; i += CK_LANES) {
    ck_int n = count - i < CK_LANES ? count - i : CK_LANES;
    int whole = n == CK_LANES;
    VEC g = (whole ? K(load)(gradient + i) : K(load_part)(gradient + i, n)) * s->gradient_scale;
    VEC m = whole ? K(load)(mean + i) : K(load_part)(mean + i, n);
    VEC v = whole ? K(load)(variance + i) : K(load_part)(variance + i, n);
    VEC p = whole ? K(load)(parameters + i) : K(load_part)(parameters + i, n);
    m = m * s->beta1 + g * (1.0f - s->beta1);
    v = v * s->beta2 + g * g * (1.0f - s->beta2);
    p = p * keep - m * step / (K(vsqrt)(v) * root + s->epsilon);
    if (whole) {
      K(store)(mean + i, m);
      K(store)(variance + i, v);
      K(store)(parameters + i, p);
    } else {
      K(store_part)(mean + i, m, n);
      K(store_part)(variance + i, v, n);
      K(store_part)(parameters + i, p, n);
    }
  }
}

static const ck_kernels K(table) = {
    .level = LEVEL_NAME,
    .product_wins = CK_PRODUCT_WINS,
    .product = K(product),
    .exponential = K(exponential),
    .sum_of_squares = K(sum_of_squares),
    .dot = K(dot),
    .add_scaled = K(add_scaled),
    .rms_norm = K(rms_norm),
    .rms_norm_gradient = K(rms_norm_gradient),
    .rotate = K(rotate),
    .swiglu = K(swiglu),
    .swiglu_gradient = K(swiglu_gradient),
    .softmax = K(softmax),
    .log_softmax = K(log_softmax),
    .cross_entropy = K(cross_entropy),
    .divergence = K(divergence),
    .attention = K(attention),
    .attention_mix = K(attention_mix),
    .attention_gradient = K(attention_gradient),
    .adamw = K(adamw),
};

