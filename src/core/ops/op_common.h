/* Shape rules that several operations share. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_OPS_OP_COMMON_H
#define GT_CORE_OPS_OP_COMMON_H

#include "core/ir.h"

/* One operation per element of input 0. */
static inline double gt__flops_in0(const struct gt_graph *g, const struct gt_node *node)
{
    return (double)gt__count(gt__value(g, node->in[0])->shape);
}

/* No arithmetic worth counting. */
static inline double gt__flops_none(const struct gt_graph *g, const struct gt_node *node)
{
    (void)g;
    (void)node;
    return 0.0;
}

/* One output of the shape of input 0. */
static inline gt_status gt__infer_same(const struct gt_graph *g, struct gt_node *node,
                                       gt_shape *shape, enum gt_kind *kind)
{
    (void)kind;
    node->n_out = 1;
    shape[0] = gt__value(g, node->in[0])->shape;
    return GT_OK;
}

/* The same; inputs 0 and 1 must agree. */
static inline gt_status gt__infer_pair(const struct gt_graph *g, struct gt_node *node,
                                       gt_shape *shape, enum gt_kind *kind)
{
    gt_shape a = gt__value(g, node->in[0])->shape;
    gt_shape b = gt__value(g, node->in[1])->shape;
    if (!gt__shape_equal(a, b)) {
        return gt__fail(GT_ESHAPE, "%s: shapes %d x %d x %d x %d and %d x %d x %d x %d differ",
                        gt__ops[node->op]->name, a.n, a.c, a.h, a.w, b.n, b.c, b.h, b.w);
    }
    return gt__infer_same(g, node, shape, kind);
}

#endif
