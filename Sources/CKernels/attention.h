// Attention; included by kernels.c once per instruction set, after elementwise.h.

// Rows of whole vectors, wherever they lie.
typedef struct {
  const float *start;
  ck_int stride;
} K(rows);

// The rows themselves if their width is one of whole vectors, else a copy of them, zeros behind.
static K(rows) K(pad)(const float *x, ck_int stride, ck_int rows, ck_int width, float *copy) {
  ck_int padded = ck_round_up(width, CK_LANES);
  if (padded == width) return (K(rows)){x, stride};
  float *y = copy;
  for (ck_int row = 0; row < rows; row++, x += stride, y += padded) {
    memcpy(y, x, sizeof(float) * (size_t)width);
    for (ck_int i = width; i < padded; i++) y[i] = 0;
  }
  return (K(rows)){copy, padded};
}

static void K(unpad_add)(const float *x, ck_int rows, ck_int width, ck_int padded, float *y,
                         ck_int stride) {
  for (ck_int row = 0; row < rows; row++, x += padded, y += stride)
    for (ck_int i = 0; i < width; i++) y[i] += x[i];
}

static void K(transpose_keys)(const float *x, ck_int stride, ck_int rows, ck_int width,
                              ck_int padded_rows, float *y) {
  for (ck_int first = 0; first < padded_rows; first += CK_LANES)
    K(transpose)(x + first * stride, stride, rows - first, width, y + first, padded_rows);
}

// s[t][j] = sum_d a[t][d] bt[d][j] for `count` (4 or 1) rows and keys below `limit`.
static CK_INLINE void
K(score_rows)(const float *a, ck_int a_stride, const float *bt, ck_int bt_stride, ck_int width,
              ck_int limit, float *s, ck_int s_stride, const int count) {
  for (ck_int j = 0; j < limit; j += 32) {
    VEC sum[4][2] = {};
    for (ck_int d = 0; d < width; d++) {
      VEC b0 = K(load)(bt + d * bt_stride + j), b1 = K(load)(bt + d * bt_stride + j + 16);
      CK_UNROLL for (int i = 0; i < count; i++) {
        float x = a[i * a_stride + d];
        sum[i][0] = b0 * x + sum[i][0];
        sum[i][1] = b1 * x + sum[i][1];
      }
    }
    CK_UNROLL for (int i = 0; i < count; i++) {
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

// Row t keeps the last `window` of keys 0...t+offset; all others become zero.
static void K(causal_softmax)(float *s, ck_int rows, ck_int offset, ck_int window, ck_int stride,
                              float scale) {
  for (ck_int t = 0; t < rows; t++, s += stride) {
    ck_int n = t + offset + 1, whole = n / CK_LANES * CK_LANES;
    ck_int unseen = n > window ? n - window : 0;
    // No maximum, and no part of the sum; set to zero below, as an exponential never is.
    for (ck_int i = 0; i < unseen; i++) s[i] = -3.0e38f;
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
    for (ck_int i = 0; i < unseen; i++) s[i] = 0;
  }
}

// y[t] = sum_{j <= t+offset} s[t][j] b[j], in tiles of 8 rows by 16 columns.
static CK_INLINE void
K(mix_rows)(const float *s, ck_int s_stride, K(rows) b, ck_int width, ck_int limit, float *y,
            ck_int y_stride, const int count) {
  for (ck_int column = 0; column < width; column += CK_LANES) {
    VEC sum[8] = {};
    for (ck_int j = 0; j < limit; j++) {
      VEC value = K(load)(b.start + j * b.stride + column);
      CK_UNROLL for (int i = 0; i < count; i++) sum[i] = value * s[i * s_stride + j] + sum[i];
    }
    CK_UNROLL for (int i = 0; i < count; i++) K(store)(y + i * y_stride + column, sum[i]);
  }
}

static void K(mix)(const float *s, ck_int s_stride, K(rows) b, ck_int width, ck_int rows,
                   ck_int offset, float *y, ck_int y_stride) {
  ck_int t = 0;
  for (; t + 8 <= rows; t += 8)
    K(mix_rows)(s + t * s_stride, s_stride, b, width, t + 8 + offset, y + t * y_stride, y_stride,
                8);
  for (; t < rows; t++)
    K(mix_rows)(s + t * s_stride, s_stride, b, width, t + 1 + offset, y + t * y_stride, y_stride,
                1);
}

// y[j] = sum_{t >= j-offset} s[t][j] b[t], in tiles of 8 keys by 16 columns.
static void K(mix_transposed)(const float *s, ck_int s_stride, K(rows) b, ck_int width,
                              ck_int rows, ck_int keys, float *y) {
  ck_int offset = keys - rows;
  for (ck_int j = 0; j < keys; j += 8)
    for (ck_int column = 0; column < width; column += CK_LANES) {
      VEC sum[8] = {};
      for (ck_int t = j > offset ? j - offset : 0; t < rows; t++) {
        VEC value = K(load)(b.start + t * b.stride + column);
        const float *row = s + t * s_stride + j;
        CK_UNROLL for (int i = 0; i < 8; i++) sum[i] = value * row[i] + sum[i];
      }
      CK_UNROLL for (int i = 0; i < 8; i++) K(store)(y + (j + i) * width + column, sum[i]);
    }
}

// s = cap tanh(s scale / cap), of all keys that a row sees; they then are no longer to be scaled.
static void K(cap_scores)(float *s, ck_int rows, ck_int offset, ck_int stride, float scale,
                          float cap) {
  for (ck_int t = 0; t < rows; t++, s += stride)
    for (ck_int i = 0; i < t + offset + 1; i += CK_LANES)
      K(store)(s + i, K(vtanh)(K(load)(s + i) * (scale / cap)) * cap);
}

// pattern: [heads, queries, pattern_stride].
static void K(attention_mix)(const ck_attention_shape *p, const float *v, const float *pattern,
                             float *output, float *scratch) {
  ck_int w = ck_round_up(p->head_width, CK_LANES), n = ck_round_up(p->keys, 32);
  ck_int group = p->heads / p->key_heads, offset = p->keys - p->queries;
  float *copy = scratch, *mixed = copy + n * w;
  K(rows) values = {};
  for (ck_int head = 0; head < p->heads; head++) {
    const float *s = pattern + head * p->queries * p->pattern_stride;
    float *to = output + head * p->head_width;
    if (head % group == 0)
      values = K(pad)(v + head / group * p->head_width, p->key_stride, p->keys, p->head_width, copy);
    if (p->head_width == w) {
      K(mix)(s, p->pattern_stride, values, w, p->queries, offset, to, p->output_stride);
      continue;
    }
    K(mix)(s, p->pattern_stride, values, w, p->queries, offset, mixed, w);
    for (ck_int t = 0; t < p->queries; t++)
      memcpy(to + t * p->output_stride, mixed + t * w, sizeof(float) * (size_t)p->head_width);
  }
}

static void K(attention)(const ck_attention_shape *p, const float *q, const float *k,
                         const float *v, float *pattern, float *output, float *scratch) {
  ck_int n = ck_round_up(p->keys, 32), group = p->heads / p->key_heads;
  ck_int offset = p->keys - p->queries;
  for (ck_int head = 0; head < p->heads; head++) {
    if (head % group == 0)
      K(transpose_keys)(k + head / group * p->head_width, p->key_stride, p->keys, p->head_width,
                        n, scratch);
    float *s = pattern + head * p->queries * p->pattern_stride;
    K(scores)(q + head * p->head_width, p->query_stride, scratch, n, p->head_width, p->queries,
              offset, s, p->pattern_stride);
    if (p->cap > 0)
      K(cap_scores)(s, p->queries, offset, p->pattern_stride, p->scale, p->cap);
    K(causal_softmax)(s, p->queries, offset, p->window, p->pattern_stride,
                      p->cap > 0 ? 1 : p->scale);
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

// ds *= 1 - tanh^2 of each score, by which it was capped; the scores are computed once more.
static void K(cap_gradient)(const ck_attention_shape *p, K(rows) queries, const float *kt,
                            ck_int offset, float *s, float *ds) {
  ck_int n = ck_round_up(p->keys, 32), stride = p->pattern_stride;
  K(scores)(queries.start, queries.stride, kt, n, p->head_width, p->queries, offset, s, stride);
  for (ck_int t = 0; t < p->queries; t++, s += stride, ds += stride)
    for (ck_int i = 0; i < t + offset + 1; i += CK_LANES) {
      VEC y = K(vtanh)(K(load)(s + i) * (p->scale / p->cap));
      K(store)(ds + i, K(load)(ds + i) * (1.0f - y * y));
    }
}

// Adds to dq, dk and dv.
static void K(attention_gradient)(const ck_attention_shape *p, const float *q, const float *k,
                                  const float *v, const float *pattern, const float *doutput,
                                  float *dq, float *dk, float *dv, float *scratch) {
  ck_int hw = p->head_width, w = ck_round_up(hw, CK_LANES), n = ck_round_up(p->keys, 32);
  ck_int group = p->heads / p->key_heads, offset = p->keys - p->queries, size = n * w;
  float *query_copy = scratch, *key_copy = query_copy + size, *vt = key_copy + size;
  float *output_copy = vt + size, *part = output_copy + size, *ds = part + size;
  float *kt = ds + n * n, *scores = kt + size;
  K(rows) keys = {};
  for (ck_int head = 0; head < p->heads; head++) {
    ck_int source = head / group * hw;
    if (head % group == 0) {
      keys = K(pad)(k + source, p->key_stride, p->keys, hw, key_copy);
      K(transpose_keys)(v + source, p->key_stride, p->keys, hw, n, vt);
      if (p->cap > 0) K(transpose_keys)(k + source, p->key_stride, p->keys, hw, n, kt);
    }
    K(rows) queries = K(pad)(q + head * hw, p->query_stride, p->queries, hw, query_copy);
    K(rows) dout = K(pad)(doutput + head * hw, p->output_stride, p->queries, hw, output_copy);
    const float *s = pattern + head * p->queries * p->pattern_stride;
    K(mix_transposed)(s, p->pattern_stride, dout, w, p->queries, p->keys, part);
    K(unpad_add)(part, p->keys, hw, w, dv + source, p->key_stride);
    K(scores)(dout.start, dout.stride, vt, n, hw, p->queries, offset, ds, p->pattern_stride);
    K(softmax_gradient)(ds, s, p->queries, p->keys, p->pattern_stride, p->scale);
    if (p->cap > 0) K(cap_gradient)(p, queries, kt, offset, scores, ds);
    K(mix)(ds, p->pattern_stride, keys, w, p->queries, offset, part, w);
    K(unpad_add)(part, p->queries, hw, w, dq + head * hw, p->query_stride);
    K(mix_transposed)(ds, p->pattern_stride, queries, w, p->queries, p->keys, part);
    K(unpad_add)(part, p->keys, hw, w, dk + source, p->key_stride);
  }
}
