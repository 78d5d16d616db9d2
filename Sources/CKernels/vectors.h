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
