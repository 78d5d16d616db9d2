// Elementwise kernels and reductions; included by kernels.c once per instruction set.

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

static void K(rms_norm)(const float *x, const float *gain, float offset, float epsilon,
                        ck_int rows, ck_int width, float *y, float *reciprocals) {
  for (ck_int row = 0; row < rows; row++, x += width, y += width) {
    float mean = (float)(K(dot)(x, x, width) / (double)width);
    float r = 1.0f / sqrtf(mean + epsilon);
    reciprocals[row] = r;
    for (ck_int i = 0; i < width; i++) y[i] = x[i] * r * (offset + gain[i]);
  }
}

// With h = x r and g = offset + gain:  dgain += dy h,  dx += r (dy g - h mean(dy g h)).
static void K(rms_norm_gradient)(const float *dy, const float *x, const float *gain, float offset,
                                 const float *reciprocals, ck_int rows, ck_int width, float *dx,
                                 float *dgain) {
  for (ck_int row = 0; row < rows; row++, x += width, dy += width, dx += width) {
    float r = reciprocals[row];
    VEC sum = {};
    ck_int i = 0;
    for (; i + CK_LANES <= width; i += CK_LANES) {
      VEC along = K(load)(dy + i) * K(load)(x + i) * r;
      K(store)(dgain + i, K(load)(dgain + i) + along);
      sum = along * (offset + K(load)(gain + i)) + sum;
    }
    float inner = K(lane_sum)(sum);
    for (; i < width; i++) {
      float along = dy[i] * x[i] * r;
      dgain[i] += along;
      inner += along * (offset + gain[i]);
    }
    inner = inner / (float)width * r;
    for (i = 0; i < width; i++) dx[i] += r * (dy[i] * (offset + gain[i]) - x[i] * inner);
  }
}

static float K(mean)(const float *x, ck_int width) {
  double sum = 0;
  for (ck_int i = 0; i < width; i++) sum += x[i];
  return (float)(sum / (double)width);
}

static void K(layer_norm)(const float *x, const float *gain, const float *bias, float epsilon,
                          ck_int rows, ck_int width, float *y, float *reciprocals) {
  for (ck_int row = 0; row < rows; row++, x += width, y += width) {
    float mean = K(mean)(x, width);
    for (ck_int i = 0; i < width; i++) y[i] = x[i] - mean;
    float r = 1.0f / sqrtf((float)(K(dot)(y, y, width) / (double)width) + epsilon);
    reciprocals[row] = r;
    for (ck_int i = 0; i < width; i++) y[i] = y[i] * r * gain[i] + bias[i];
  }
}

// With h = (x - mean) r and e = dy gain:
// dgain += dy h,  dbias += dy,  dx += r (e - mean(e) - h mean(e h)).
static void K(layer_norm_gradient)(const float *dy, const float *x, const float *gain,
                                   const float *reciprocals, ck_int rows, ck_int width, float *dx,
                                   float *dgain, float *dbias) {
  for (ck_int row = 0; row < rows; row++, x += width, dy += width, dx += width) {
    float mean = K(mean)(x, width), r = reciprocals[row];
    double sum = 0, inner = 0;
    for (ck_int i = 0; i < width; i++) {
      float h = (x[i] - mean) * r;
      dgain[i] += dy[i] * h;
      dbias[i] += dy[i];
      sum += dy[i] * gain[i];
      inner += dy[i] * gain[i] * h;
    }
    float shift = (float)(sum / (double)width), along = (float)(inner / (double)width);
    for (ck_int i = 0; i < width; i++)
      dx[i] += r * (dy[i] * gain[i] - shift - (x[i] - mean) * r * along);
  }
}

// Half-split rotary embedding of the first `turned` entries of each head: entry i turns with
// entry i + turned / 2.
static void K(rotate)(float *x, ck_int rows, ck_int heads, ck_int head_width, ck_int turned,
                      ck_int stride, const float *cosines, const float *sines, float direction) {
  ck_int half = turned / 2;
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

// Abramowitz & Stegun 7.1.26 in x / sqrt(2): the normal distribution up to x within 1e-7; `bell` is
// exp(-x^2 / 2).
static CK_INLINE VEC K(normal_cdf)(VEC x, VEC bell) {
  VEC size = K(vmax)(x, -x) * 0.70710678f;
  VEC t = 1.0f / (1.0f + size * 0.3275911f);
  VEC p = t * 1.061405429f - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  VEC tail = p * t * bell * 0.5f;
  IVEC isNegative = x < K(all)(0);
  return (VEC)((isNegative & (IVEC)tail) | (~isNegative & (IVEC)(1.0f - tail)));
}

// Every activation is x times a factor: f(x) = x a(x). Returns a(x); `slope` becomes f'(x).
static CK_INLINE VEC K(activation)(const ck_activation kind, VEC x, VEC *slope) {
  if (kind == CK_SILU) {
    VEC s = K(sigmoid)(x);
    *slope = s * (1.0f + x * (1.0f - s));
    return s;
  }
  if (kind == CK_GELU_TANH) { // (1 + tanh u) / 2 is the sigmoid of 2u
    VEC square = x * x;
    VEC s = K(sigmoid)(x * (1.59576912f + 0.0713548163f * square));
    *slope = s + x * s * (1.0f - s) * (1.59576912f + 0.214064449f * square);
    return s;
  }
  if (kind == CK_GELU) {
    VEC bell = K(vexp)(x * x * -0.5f), below = K(normal_cdf)(x, bell);
    *slope = below + x * bell * 0.398942280f;
    return below;
  }
  VEC one = (VEC)((x > K(all)(0)) & (IVEC)K(all)(1));
  *slope = one;
  return one;
}

static CK_INLINE VEC K(load_some)(const float *p, ck_int n) {
  return n == CK_LANES ? K(load)(p) : K(load_part)(p, n);
}

static CK_INLINE void K(store_some)(float *p, VEC v, ck_int n) {
  if (n == CK_LANES)
    K(store)(p, v);
  else
    K(store_part)(p, v, n);
}

// A row holds what is activated and, where it is gated, then what that multiplies.
static CK_INLINE void K(activate_rows)(const ck_activation kind, const int gated, const float *x,
                                       ck_int rows, ck_int width, float *y) {
  for (ck_int row = 0; row < rows; row++, x += (1 + gated) * width, y += width)
    for (ck_int i = 0; i < width; i += CK_LANES) {
      ck_int n = width - i < CK_LANES ? width - i : CK_LANES;
      VEC g = K(load_some)(x + i, n), slope, value = g * K(activation)(kind, g, &slope);
      if (gated) value *= K(load_some)(x + width + i, n);
      K(store_some)(y + i, value, n);
    }
}

// Overwrites what was read with its gradient.
static CK_INLINE void K(activate_rows_gradient)(const ck_activation kind, const int gated,
                                                const float *dy, float *x, ck_int rows,
                                                ck_int width) {
  for (ck_int row = 0; row < rows; row++, x += (1 + gated) * width, dy += width)
    for (ck_int i = 0; i < width; i += CK_LANES) {
      ck_int n = width - i < CK_LANES ? width - i : CK_LANES;
      float *gate = x + i, *up = gate + width;
      VEC g = K(load_some)(gate, n), d = K(load_some)(dy + i, n);
      VEC slope, factor = K(activation)(kind, g, &slope);
      VEC change = d;
      if (gated) {
        change = d * K(load_some)(up, n);
        K(store_some)(up, d * g * factor, n);
      }
      K(store_some)(gate, change * slope, n);
    }
}

// One loop an activation, so that none is chosen within it.
#define CK_EACH_ACTIVATION(call)                                                                   \
  switch (kind) {                                                                                  \
  case CK_SILU: call(CK_SILU); break;                                                              \
  case CK_GELU_TANH: call(CK_GELU_TANH); break;                                                    \
  case CK_GELU: call(CK_GELU); break;                                                              \
  case CK_RELU: call(CK_RELU); break;                                                              \
  }

static void K(activate)(ck_activation kind, int gated, const float *x, ck_int rows, ck_int width,
                        float *y) {
#define CK_CALL(kind)                                                                              \
  gated ? K(activate_rows)(kind, 1, x, rows, width, y) : K(activate_rows)(kind, 0, x, rows, width, y)
  CK_EACH_ACTIVATION(CK_CALL)
#undef CK_CALL
}

static void K(activate_gradient)(ck_activation kind, int gated, const float *dy, float *x,
                                 ck_int rows, ck_int width) {
#define CK_CALL(kind)                                                                              \
  gated ? K(activate_rows_gradient)(kind, 1, dy, x, rows, width)                                   \
        : K(activate_rows_gradient)(kind, 0, dy, x, rows, width)
  CK_EACH_ACTIVATION(CK_CALL)
#undef CK_CALL
}
#undef CK_EACH_ACTIVATION

// Cephes: a polynomial below 0.625, where 1 - 2 / (1 + exp 2x) would cancel.
static CK_INLINE VEC K(vtanh)(VEC x) {
  VEC z = x * x;
  VEC p = z * -5.70498872745e-3f + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  VEC small = p * z * x + x, large = 1.0f - 2.0f / (1.0f + K(vexp)(x + x));
  IVEC isSmall = z < K(all)(0.390625f);
  return (VEC)((isSmall & (IVEC)small) | (~isSmall & (IVEC)large));
}

// x = cap tanh(x / cap).
static void K(soft_cap)(float *x, ck_int count, float cap) {
  for (ck_int i = 0; i < count; i += CK_LANES) {
    ck_int n = count - i < CK_LANES ? count - i : CK_LANES;
    K(store_some)(x + i, K(vtanh)(K(load_some)(x + i, n) / cap) * cap, n);
  }
}

// dx *= 1 - (y / cap)^2, with y what was capped.
static void K(soft_cap_gradient)(float *dx, const float *y, ck_int count, float cap) {
  for (ck_int i = 0; i < count; i += CK_LANES) {
    ck_int n = count - i < CK_LANES ? count - i : CK_LANES;
    VEC t = K(load_some)(y + i, n) / cap;
    K(store_some)(dx + i, K(load_some)(dx + i, n) * (1.0f - t * t), n);
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
