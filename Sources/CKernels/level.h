// Included by kernels.c once per instruction set, in this order.

#include "vectors.h"

#include "product.h"

#include "elementwise.h"

#include "attention.h"

#include "table.h"

#undef VEC
#undef IVEC
#undef CK_PANEL
