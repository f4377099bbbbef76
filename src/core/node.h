/* What kernels of all backends ask of the node they plan. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_NODE_H
#define GT_CORE_NODE_H

#include "core/backend.h"

/* For kernels that take no epilogue. */
static inline bool gt__node_plain(const struct gt_node *node, enum gt_op op)
{
    return node->op == op && node->epilogue == 0;
}
static inline gt_shape gt__in_shape(const struct gt_graph *g, const struct gt_node *node, int32_t i)
{
    return gt__value(g, node->in[i])->shape;
}
static inline gt_shape gt__out_shape(const struct gt_graph *g, const struct gt_node *node,
                                     int32_t i)
{
    return gt__value(g, node->out[i])->shape;
}
/* May the planner give value v another layout than NCHW? Parameters, state and single elements
 * stay. */
static inline bool gt__may_block(const struct gt_graph *g, gt_value v)
{
    const struct gt_value_info *info = gt__value(g, v);
    return info->role != GT_ROLE_PARAM && info->role != GT_ROLE_STATE && gt__count(info->shape) > 1;
}
/* The same for the first n inputs and output 0 of a node. */
static inline bool gt__node_may_block(const struct gt_graph *g, const struct gt_node *node,
                                      int32_t n)
{
    bool may = gt__may_block(g, node->out[0]);
    for (int32_t i = 0; i < n; i++) {
        may = may && gt__may_block(g, node->in[i]);
    }
    return may;
}
/* Elements stored; a layout of block 0 counts as NCHW. */
static inline double gt__stored(gt_shape shape, gt_layout layout)
{
    struct gt_extent e = gt__extent(shape, layout.block ? layout : GT_LAYOUT_NCHW);
    return (double)e.n * e.cb * e.h * e.w * e.b;
}
static inline gt_layout gt__layout_f32(int32_t block, int32_t phase)
{
    return (gt_layout){(int16_t)block, (int16_t)phase, GT_KIND_F32};
}

/* All inputs and outputs NCHW. */
static inline void gt__node_planar(const struct gt_node *node, struct gt_plan *out)
{
    for (int32_t i = 0; i < node->n_in; i++) {
        out->in[i] = GT_LAYOUT_NCHW;
    }
    for (int32_t i = 0; i < node->n_out; i++) {
        out->out[i] = GT_LAYOUT_NCHW;
    }
}

/* Pooling and its gradient: layouts of the large tensor (x, dx), the small one (y, dy) and the
 * index. */
struct gt_maxpool_layouts {
    gt_layout large, small, index;
};

/* Variants of all kernels for pooling: bit 0 NCHW instead of `block`, bit 1 doubles the phase from
 * the large tensor to the small one, then log2 of the large one's phase. False where the node cannot
 * have them. */
enum { GT_MAXPOOL_VARIANTS = 16 };
static inline bool gt__maxpool_layouts(struct gt_maxpool_layouts *out, const struct gt_graph *g,
                                       const struct gt_node *node, unsigned variant, int32_t block)
{
    const struct gt_attr *a = &node->attr;
    int32_t b = variant & 1u ? 1 : block;
    int32_t p = 1 << (variant >> 2);
    int32_t q = variant & 2u ? 2 * p : p;
    if (node->epilogue != 0 || q > 8 || a->dilation % p != 0 || (a->stride != 1 && q != 1) ||
        ((b != 1 || q != 1) && !gt__node_may_block(g, node, 1))) {
        return false;
    }
    *out = (struct gt_maxpool_layouts){.large = gt__layout_f32(b, p),
                                       .small = gt__layout_f32(b, q),
                                       .index = {(int16_t)b, (int16_t)q, GT_KIND_U8}};
    return true;
}

static inline struct gt_extent gt__view_extent(const struct gt_view *v)
{
    return gt__extent(v->shape, v->layout);
}

#endif
