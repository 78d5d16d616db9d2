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
