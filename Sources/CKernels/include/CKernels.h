// Elementwise and attention kernels, chosen at run time for the processor.
//
// All matrices are row-major `float`. A *stride* is the distance between the
// starts of two rows, in elements. Every kernel sums in a fixed order, so the
// same inputs give the same bytes at one level.
#pragma once
#include <stddef.h>

typedef long ck_int;

/// What one attention call works on. Queries are the last `queries` of `keys`
/// positions, so `keys - queries` earlier positions come from a cache.
typedef struct {
  ck_int queries, keys;
  ck_int heads, key_heads, head_width;
  ck_int query_stride, key_stride, output_stride;
  ck_int pattern_stride; // at least `keys`, a multiple of 32
  ck_int window; // keys that a query sees, its own included
  float scale;
  float cap; // c of c tanh(score / c); 0 for none
} ck_attention_shape;

/// What neurons do; GELU by the error function, or by its approximation with tanh.
typedef enum { CK_SILU, CK_GELU_TANH, CK_GELU, CK_RELU } ck_activation;

typedef struct {
  float learning_rate, beta1, beta2, epsilon, weight_decay;
  float correction1, correction2; // 1 - beta^step
  float gradient_scale;           // what clipping multiplies the gradient with
} ck_adamw_settings;

/// c = a b, or c += a b. `a` has `rows` rows and `b` has `depth`, unless they are transposed.
typedef struct {
  ck_int rows, columns, depth;
  ck_int a_stride, b_stride, c_stride;
  int transposes_a, transposes_b, accumulates;
} ck_product_shape;

typedef struct {
  const char *level;

  /// Whether `product` is faster than OpenBLAS's kernels for the same instruction set.
  int product_wins;
  void (*product)(const ck_product_shape *shape, const float *a, const float *b, float *c);

  void (*exponential)(const float *x, ck_int count, float *y);
  double (*sum_of_squares)(const float *x, ck_int count);
  double (*dot)(const float *x, const float *y, ck_int count);
  void (*add_scaled)(const float *x, float factor, ck_int count, float *y);

  /// The gain of an RMS norm is `offset + gain`.
  void (*rms_norm)(const float *x, const float *gain, float offset, float epsilon, ck_int rows,
                   ck_int width, float *y, float *reciprocals);
  void (*rms_norm_gradient)(const float *dy, const float *x, const float *gain, float offset,
                            const float *reciprocals, ck_int rows, ck_int width, float *dx,
                            float *dgain);
  void (*layer_norm)(const float *x, const float *gain, const float *bias, float epsilon,
                     ck_int rows, ck_int width, float *y, float *reciprocals);
  void (*layer_norm_gradient)(const float *dy, const float *x, const float *gain,
                              const float *reciprocals, ck_int rows, ck_int width, float *dx,
                              float *dgain, float *dbias);
  void (*rotate)(float *x, ck_int rows, ck_int heads, ck_int head_width, ck_int turned,
                 ck_int stride, const float *cosines, const float *sines, float direction);
  void (*activate)(ck_activation kind, int gated, const float *x, ck_int rows, ck_int width,
                   float *y);
  void (*activate_gradient)(ck_activation kind, int gated, const float *dy, float *x, ck_int rows,
                            ck_int width);
  void (*soft_cap)(float *x, ck_int count, float cap);
  void (*soft_cap_gradient)(float *dx, const float *y, ck_int count, float cap);

  void (*softmax)(float *x, ck_int rows, ck_int width, ck_int stride);
  void (*log_softmax)(float *x, ck_int rows, ck_int width, ck_int stride);
  double (*cross_entropy)(float *logits, ck_int rows, ck_int width, const int *targets,
                          const float *weights);
  double (*divergence)(float *logits, ck_int rows, ck_int width, const float *targets,
                       const float *weights);

  void (*attention)(const ck_attention_shape *shape, const float *q, const float *k,
                    const float *v, float *pattern, float *output, float *scratch);
  void (*attention_mix)(const ck_attention_shape *shape, const float *v, const float *pattern,
                        float *output, float *scratch);
  void (*attention_gradient)(const ck_attention_shape *shape, const float *q, const float *k,
                             const float *v, const float *pattern, const float *doutput,
                             float *dq, float *dk, float *dv, float *scratch);

  void (*adamw)(float *parameters, const float *gradient, float *mean, float *variance,
                ck_int count, const ck_adamw_settings *settings);
} ck_kernels;

/// The best table for this processor, or the one that ASSAY_KERNELS names, if the processor has it.
const ck_kernels *ck_best(void);

/// How many levels this processor has, and the table of each, the slowest first.
ck_int ck_level_count(void);
const ck_kernels *ck_level(ck_int index);

/// Floats of scratch that the attention kernels need for `keys` and `head_width`.
ck_int ck_attention_scratch(ck_int keys, ck_int head_width);
