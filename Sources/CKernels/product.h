// Matrix products; included by kernels.c once per instruction set, after vectors.h.
//
// A block of the right operand is packed in panels of CK_TILE_VECTORS vectors and stays in the
// second-level cache; a tile's sums stay in registers, and tiles follow each other along a row
// of the result, so that its lines are fetched in order. The left operand is read where it lies
// or, transposed, packed tile by tile. Each sum runs over the inner dimension in order.

#define CK_PANEL (CK_TILE_VECTORS * CK_LANES)

// Packs columns of b, which are rows of memory: packed[d][j] = b[j][d], zeros from `width` on.
static void K(pack_transposed)(const float *b, ck_int stride, ck_int depth, ck_int width,
                               float *packed) {
  for (ck_int j = 0; j < CK_PANEL; j += CK_LANES)
    K(transpose)(b + j * stride, stride, width - j, depth, packed + j, CK_PANEL);
}

static void K(pack)(const float *b, ck_int stride, ck_int depth, ck_int width, float *packed) {
  for (ck_int d = 0; d < depth; d++, b += stride, packed += CK_PANEL)
    for (ck_int j = 0; j < CK_PANEL; j += CK_LANES) {
      ck_int n = width - j;
      K(store)(packed + j, n >= CK_LANES ? K(load)(b + j) : K(load_part)(b + j, n > 0 ? n : 0));
    }
}

// Copies or adds a tile to a window that is narrower than the tile.
static void K(store_edge)(const float *tile, ck_int tile_stride, ck_int rows, ck_int width,
                          int accumulate, float *c, ck_int c_stride) {
  for (ck_int i = 0; i < rows; i++, tile += tile_stride, c += c_stride)
    for (ck_int j = 0; j < width; j++) c[j] = accumulate ? c[j] + tile[j] : tile[j];
}

// `rows` by `vectors` sums in registers; both are constants wherever this is inlined.
static CK_INLINE void
K(tile)(const float *a, ck_int a_row, ck_int a_step, const float *packed, ck_int depth, float *c,
        ck_int c_stride, ck_int width, int accumulate, const int rows, const int vectors) {
  VEC sum[CK_TILE_ROWS][CK_TILE_VECTORS] = {};
  for (ck_int d = 0; d < depth; d++, a += a_step, packed += CK_PANEL) {
    VEC b[CK_TILE_VECTORS];
    CK_UNROLL for (int v = 0; v < vectors; v++) b[v] = K(load)(packed + v * CK_LANES);
    CK_UNROLL for (int i = 0; i < rows; i++)
      CK_UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = b[v] * a[i * a_row] + sum[i][v];
  }
  if (width < vectors * CK_LANES) {
    float edge[CK_TILE_ROWS * CK_PANEL];
    CK_UNROLL for (int i = 0; i < rows; i++)
      CK_UNROLL for (int v = 0; v < vectors; v++)
        K(store)(edge + i * CK_PANEL + v * CK_LANES, sum[i][v]);
    return K(store_edge)(edge, CK_PANEL, rows, width, accumulate, c, c_stride);
  }
  CK_UNROLL for (int i = 0; i < rows; i++, c += c_stride)
    CK_UNROLL for (int v = 0; v < vectors; v++) {
      float *to = c + v * CK_LANES;
      K(store)(to, accumulate ? K(load)(to) + sum[i][v] : sum[i][v]);
    }
}

// Packs columns of a, which are rows of the product: packed[d][i] = a[d][i]. Read in place, each
// step would touch another line and, with strides of 4096 bytes, the same few lines of the cache.
static void K(pack_left)(const float *a, ck_int stride, ck_int depth, ck_int rows, float *packed) {
  for (ck_int d = 0; d < depth; d++, a += stride, packed += CK_TILE_ROWS)
    if (rows == CK_TILE_ROWS)
      memcpy(packed, a, sizeof(float) * CK_TILE_ROWS);
    else
      for (ck_int i = 0; i < rows; i++) packed[i] = a[i];
}

// A row of tiles, `rows` high.
static CK_INLINE void
K(tiles)(const float *a, ck_int a_row, ck_int a_step, const float *packed, ck_int columns,
         ck_int depth, float *c, ck_int c_stride, int accumulate, const int rows) {
  for (ck_int j = 0; j < columns; j += CK_PANEL, packed += depth * CK_PANEL) {
    ck_int width = columns - j < CK_PANEL ? columns - j : CK_PANEL;
    if (width > CK_LANES)
      K(tile)(a, a_row, a_step, packed, depth, c + j, c_stride, width, accumulate, rows,
              CK_TILE_VECTORS);
    else
      K(tile)(a, a_row, a_step, packed, depth, c + j, c_stride, width, accumulate, rows, 1);
  }
}

static void K(pack_right)(const ck_product_shape *p, const float *b, ck_int depth, ck_int columns,
                          float *packed) {
  for (ck_int j = 0; j < columns; j += CK_PANEL, packed += depth * CK_PANEL) {
    ck_int width = columns - j < CK_PANEL ? columns - j : CK_PANEL;
    if (p->transposes_b)
      K(pack_transposed)(b + j * p->b_stride, p->b_stride, depth, width, packed);
    else
      K(pack)(b + j, p->b_stride, depth, width, packed);
  }
}

// The columns of c whose right operand is packed.
static void K(block)(const ck_product_shape *p, const float *a, const float *packed, ck_int depth,
                     ck_int columns, int accumulate, float *c) {
  float left[CK_DEPTH * CK_TILE_ROWS] __attribute__((aligned(64)));
  ck_int i = 0;
#define CK_TILES(count)                                                                           \
  for (; i + count <= p->rows; i += count) {                                                      \
    float *to = c + i * p->c_stride;                                                              \
    if (p->transposes_a) {                                                                        \
      K(pack_left)(a + i, p->a_stride, depth, count, left);                                       \
      K(tiles)(left, 1, CK_TILE_ROWS, packed, columns, depth, to, p->c_stride, accumulate, count); \
    } else {                                                                                      \
      K(tiles)(a + i * p->a_stride, p->a_stride, 1, packed, columns, depth, to, p->c_stride,      \
               accumulate, count);                                                                \
    }                                                                                             \
  }
  CK_TILES(CK_TILE_ROWS)
  CK_TILES(4)
  CK_TILES(1)
#undef CK_TILES
}

static void K(product)(const ck_product_shape *p, const float *a, const float *b, float *c) {
  float packed[CK_PACKED] __attribute__((aligned(64)));
  for (ck_int d = 0; d < p->depth; d += CK_DEPTH) {
    ck_int depth = p->depth - d < CK_DEPTH ? p->depth - d : CK_DEPTH;
    ck_int limit = CK_PACKED / depth / CK_PANEL * CK_PANEL;
    for (ck_int j = 0; j < p->columns; j += limit) {
      ck_int columns = p->columns - j < limit ? p->columns - j : limit;
      K(pack_right)(p, b + (p->transposes_b ? j * p->b_stride + d : d * p->b_stride + j), depth,
                    columns, packed);
      K(block)(p, a + (p->transposes_a ? d * p->a_stride : d), packed, depth, columns,
               p->accumulates || d > 0, c + j);
    }
  }
}
