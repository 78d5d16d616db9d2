#include "CKernels.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CK_LANES 16
#define CK_INLINE inline __attribute__((always_inline))
#define CK_UNROLL _Pragma("clang loop unroll(full)")
// How far along the inner dimension a product is packed, and how many floats at once.
#define CK_DEPTH 128
#define CK_PACKED 32768
// Vectors never cross a call that is not inlined, so their ABI does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

static inline ck_int ck_round_up(ck_int n, ck_int to) { return (n + to - 1) / to * to; }

// One source, compiled once per instruction set. Swift has no per-function
// targets, and the default x86-64 build stops at SSE2. Our product wins where 24 sums of 16 lanes
// fit into registers; below that OpenBLAS's hand-scheduled tiles are faster.
#define LEVEL_NAME "baseline"
#define CK_PRODUCT_WINS 0
#define CK_TILE_ROWS 4
#define CK_TILE_VECTORS 1
#define K(name) baseline_##name
#include "level.h"
#undef K
#undef LEVEL_NAME
#undef CK_PRODUCT_WINS
#undef CK_TILE_ROWS
#undef CK_TILE_VECTORS

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LEVEL_NAME "avx2"
#define CK_PRODUCT_WINS 0
#define CK_TILE_ROWS 6
#define CK_TILE_VECTORS 1
#define K(name) avx2_##name
#include "level.h"
#undef K
#undef LEVEL_NAME
#undef CK_PRODUCT_WINS
#undef CK_TILE_ROWS
#undef CK_TILE_VECTORS
#pragma clang attribute pop

// Without the minimum width clang splits 64-byte vectors in two.
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"), min_vector_width(512))),    \
                             apply_to = function)
#define LEVEL_NAME "avx512"
#define CK_PRODUCT_WINS 1
#define CK_TILE_ROWS 12
#define CK_TILE_VECTORS 2
#define K(name) avx512_##name
#include "level.h"
#undef K
#undef LEVEL_NAME
#undef CK_PRODUCT_WINS
#undef CK_TILE_ROWS
#undef CK_TILE_VECTORS
#pragma clang attribute pop
#endif

ck_int ck_level_count(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return 3;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 2;
#endif
  return 1;
}

const ck_kernels *ck_level(ck_int index) {
#if defined(__x86_64__)
  if (index == 2) return &avx512_table;
  if (index == 1) return &avx2_table;
#endif
  return &baseline_table;
}

const ck_kernels *ck_best(void) {
  const char *wanted = getenv("ASSAY_KERNELS");
  for (ck_int level = 0; wanted && level < ck_level_count(); level++)
    if (strcmp(ck_level(level)->level, wanted) == 0) return ck_level(level);
  return ck_level(ck_level_count() - 1);
}

ck_int ck_attention_scratch(ck_int keys, ck_int head_width) {
  ck_int width = ck_round_up(head_width, CK_LANES), padded = ck_round_up(keys, 32);
  return 10 * padded * width + 2 * padded * padded;
}
