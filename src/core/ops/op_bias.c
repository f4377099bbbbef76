/* Bias per channel. SPDX-License-Identifier: BSD-2-Clause */
#include "core/ir.h"
#include "core/ops/op_common.h"

static gt_status fwd_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                           enum gt_kind *kind)
{
    (void)kind;
    gt_shape x = gt__value(g, node->in[0])->shape;
    gt_shape b = gt__value(g, node->in[1])->shape;
    if (b.n != 1 || b.c != x.c || b.h != 1 || b.w != 1) {
        return gt__fail(GT_ESHAPE, "bias: %d x %d x %d x %d, expected 1 x %d x 1 x 1", b.n, b.c,
                        b.h, b.w, x.c);
    }
    node->n_out = 1;
    shape[0] = x;
    return GT_OK;
}

static gt_status fwd_gradient(struct gt_graph *g, size_t index, const gt_value *dout)
{
    struct gt_node fwd = g->nodes[index];
    if (gt__value(g, fwd.in[1])->needs_gradient) {
        struct gt_node node = {.op = GT_OP_bias_bwd, .n_in = 1, .in = {dout[0]}};
        GT_TRY(gt__graph_append(g, &node));
        GT_TRY(gt__grad_add(g, fwd.in[1], node.out[0]));
    }
    return gt__grad_add(g, fwd.in[0], dout[0]);
}

static gt_status bwd_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                           enum gt_kind *kind)
{
    (void)kind;
    node->n_out = 1;
    shape[0] = (gt_shape){1, gt__value(g, node->in[0])->shape.c, 1, 1};
    return GT_OK;
}

const struct gt_op_info gt__op_bias_fwd = {"bias_fwd", fwd_infer, fwd_gradient, gt__flops_in0};
const struct gt_op_info gt__op_bias_bwd = {"bias_bwd", bwd_infer, NULL, gt__flops_in0};
