/* Checked arithmetic on sizes. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_SHAPE_H
#define GT_CORE_SHAPE_H

#include <greentea/graph.h>
#include <stdbool.h>

/* *out = a*b or a+b; false on overflow. */
static inline bool gt__mul(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool gt__add(size_t *out, size_t a, size_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

/* n*c*h*w; false on overflow or if a dimension is below 1. */
static inline bool gt__shape_count(size_t *out, gt_shape s)
{
    if (s.n < 1 || s.c < 1 || s.h < 1 || s.w < 1) {
        return false;
    }
    size_t a = 0;
    return gt__mul(&a, (size_t)s.n, (size_t)s.c) && gt__mul(&a, a, (size_t)s.h) &&
           gt__mul(out, a, (size_t)s.w);
}

/* The same for shapes that were checked before (any value of a graph). */
static inline size_t gt__count(gt_shape s)
{
    return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

static inline bool gt__shape_equal(gt_shape a, gt_shape b)
{
    return a.n == b.n && a.c == b.c && a.h == b.h && a.w == b.w;
}

/* a/b rounded up, b > 0; a + b may exceed the type. */
static inline int32_t gt__ceil_div(int32_t a, int32_t b)
{
    return a / b + (a % b > 0);
}
static inline size_t gt__ceil_div_z(size_t a, size_t b)
{
    return a / b + (a % b > 0);
}
static inline size_t gt__align_up(size_t a, size_t to)
{
    return (a + to - 1) / to * to;
}

#endif
