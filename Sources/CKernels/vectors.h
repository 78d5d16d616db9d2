// Vectors of 16 floats; included by kernels.c once per instruction set. K(name) carries the level.

typedef float K(vec) __attribute__((vector_size(64), aligned(4)));
typedef int K(ivec) __attribute__((vector_size(64), aligned(4)));
#define VEC K(vec)
#define IVEC K(ivec)

static CK_INLINE VEC K(load)(const float *p) { return *(const VEC *)p; }
static CK_INLINE void K(store)(float *p, VEC v) { *(VEC *)p = v; }
// A difference, because 0 + x is not x when x is -0, and clang would compute it.
static CK_INLINE VEC K(all)(float x) { return x - (VEC){}; }

static CK_INLINE VEC K(load_part)(const float *p, ck_int n) {
  VEC v = {};
  for (ck_int i = 0; i < n; i++) v[i] = p[i];
  return v;
}

static CK_INLINE void K(store_part)(float *p, VEC v, ck_int n) {
  for (ck_int i = 0; i < n; i++) p[i] = v[i];
}

// A fixed tree, so that the order of a sum never depends on the compiler.
static CK_INLINE float K(lane_sum)(VEC v) {
  float s[CK_LANES];
  K(store)(s, v);
  for (int half = CK_LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) s[i] += s[i + half];
  return s[0];
}

static CK_INLINE float K(lane_max)(VEC v) {
  float m = v[0];
  for (int i = 1; i < CK_LANES; i++) m = v[i] > m ? v[i] : m;
  return m;
}

static CK_INLINE VEC K(vmax)(VEC a, VEC b) { return __builtin_elementwise_max(a, b); }
static CK_INLINE VEC K(vmin)(VEC a, VEC b) { return __builtin_elementwise_min(a, b); }

// After four rounds of interleaving row i with row i + 8, 16 rows are transposed.
static CK_INLINE void K(transpose16)(VEC r[CK_LANES]) {
  for (int round = 0; round < 4; round++) {
    VEC t[CK_LANES];
    CK_UNROLL for (int i = 0; i < 8; i++) {
      t[2 * i] = __builtin_shufflevector(r[i], r[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21,
                                         6, 22, 7, 23);
      t[2 * i + 1] = __builtin_shufflevector(r[i], r[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28,
                                             13, 29, 14, 30, 15, 31);
    }
    CK_UNROLL for (int i = 0; i < CK_LANES; i++) r[i] = t[i];
  }
}

// y[d][j] = x[j][d] for 16 rows j and `width` columns d.
static CK_INLINE void
K(transpose_block)(const float *x, ck_int stride, const ck_int width, float *y, ck_int y_stride) {
  VEC r[CK_LANES];
  CK_UNROLL for (int j = 0; j < CK_LANES; j++) r[j] = K(load)(x + j * stride);
  K(transpose16)(r);
  CK_UNROLL for (int d = 0; d < CK_LANES; d++)
    if (d < width) K(store)(y + d * y_stride, r[d]);
}

// The same where there are fewer than 16 rows or columns; zeros stand for the missing rows.
static __attribute__((noinline)) void
K(transpose_edge)(const float *x, ck_int stride, ck_int rows, ck_int width, float *y,
                  ck_int y_stride) {
  float edge[CK_LANES * CK_LANES] = {};
  for (ck_int j = 0; j < rows; j++)
    if (width == CK_LANES)
      K(store)(edge + j * CK_LANES, K(load)(x + j * stride));
    else
      for (ck_int d = 0; d < width; d++) edge[j * CK_LANES + d] = x[j * stride + d];
  K(transpose_block)(edge, CK_LANES, width, y, y_stride);
}

static void K(transpose)(const float *x, ck_int stride, ck_int rows, ck_int width, float *y,
                         ck_int y_stride) {
  for (ck_int d = 0; d < width; d += CK_LANES, x += CK_LANES, y += CK_LANES * y_stride) {
    ck_int n = width - d < CK_LANES ? width - d : CK_LANES;
    if (rows >= CK_LANES && n == CK_LANES)
      K(transpose_block)(x, stride, CK_LANES, y, y_stride);
    else
      K(transpose_edge)(x, stride, rows < CK_LANES ? rows : CK_LANES, n, y, y_stride);
  }
}
