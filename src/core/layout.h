/* Where the elements of a value lie (style: channel block b, phase p, element kind).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Element (n,c,h,w) of a tensor with channel block b lies at
 * (((n*ceil(C/b) + c/b)*H + h)*W + w)*b + c%b; b = 1 is NCHW. In phase p the tensor is first cut
 * into its p*p fragments: element (n,c,h,w) becomes element
 * (n*p*p + (h%p)*p + w%p, c, h/p, w/p) of a tensor with batch n*p*p and H/p, W/p rounded up.
 * Lanes beyond C and pixels beyond the true H and W are zero in every tensor: the writer zeroes
 * them. */
#ifndef GT_CORE_LAYOUT_H
#define GT_CORE_LAYOUT_H

#include "core/shape.h"

enum gt_kind { GT_KIND_F32, GT_KIND_U8 };

typedef struct gt_layout {
    int16_t block; /* b; 0: GT_LAYOUT_ANY; GT_BLOCK_ALL */
    int16_t phase; /* p, a power of two */
    enum gt_kind kind;
} gt_layout;

/* The channel block of the blocked CPU kernels. */
#define GT_BLOCK 16
/* As block: all channels in one block, b = C rounded up to a multiple of GT_LANES (NHWC). */
#define GT_BLOCK_ALL (-1)
#define GT_LANES 4

#define GT_LAYOUT_NCHW ((gt_layout){1, 1, GT_KIND_F32})
#define GT_LAYOUT_ANY ((gt_layout){0, 0, GT_KIND_F32})

static inline size_t gt__kind_size(enum gt_kind kind)
{
    return kind == GT_KIND_U8 ? 1 : sizeof(float);
}
static inline bool gt__layout_is_any(gt_layout l)
{
    return l.block == 0;
}
static inline bool gt__layout_equal(gt_layout a, gt_layout b)
{
    return a.block == b.block && a.phase == b.phase && a.kind == b.kind;
}

/* b of a tensor with c channels. */
static inline int32_t gt__layout_block(gt_layout l, int32_t c)
{
    return l.block == GT_BLOCK_ALL ? gt__ceil_div(c, GT_LANES) * GT_LANES : l.block;
}

/* Dimensions as stored: n fragments-images, cb channel blocks, h, w; all of them hold b lanes. */
struct gt_extent {
    int32_t n, cb, h, w;
    int32_t b;
};
static inline struct gt_extent gt__extent(gt_shape s, gt_layout l)
{
    int32_t b = gt__layout_block(l, s.c);
    return (struct gt_extent){s.n * l.phase * l.phase, gt__ceil_div(s.c, b),
                              gt__ceil_div(s.h, l.phase), gt__ceil_div(s.w, l.phase), b};
}
static inline size_t gt__extent_count(struct gt_extent e)
{
    return (size_t)e.n * (size_t)e.cb * (size_t)e.h * (size_t)e.w * (size_t)e.b;
}

/* True height (or width) of fragment row i (0 to p - 1) of a tensor with height H: ceil((H -
 * i)/p), never below 0. */
static inline int32_t gt__fragment_size(int32_t size, int32_t phase, int32_t i)
{
    return size > i ? gt__ceil_div(size - i, phase) : 0;
}

/* Bytes of a tensor, tails included; false on overflow. */
bool gt__layout_bytes(size_t *out, gt_shape shape, gt_layout layout);

/* Index (in elements) of (n,c,h,w): for tests, references and reorders, not for inner loops. */
static inline size_t gt__layout_index(gt_shape s, gt_layout l, int32_t n, int32_t c, int32_t h,
                                      int32_t w)
{
    struct gt_extent e = gt__extent(s, l);
    int32_t p = l.phase;
    int32_t b = e.b;
    size_t image = (size_t)(n * p * p + (h % p) * p + w % p);
    return (((image * (size_t)e.cb + (size_t)(c / b)) * (size_t)e.h + (size_t)(h / p)) *
                (size_t)e.w +
            (size_t)(w / p)) *
               (size_t)b +
           (size_t)(c % b);
}

#endif
