/* Nearest doubling: the frozen upconvolution. SPDX-License-Identifier: BSD-2-Clause */
#include "core/ops/op_common.h"

static gt_status fwd_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                           enum gt_kind *kind)
{
    (void)kind;
    gt_shape x = gt__value(g, node->in[0])->shape;
    if (x.h > INT32_MAX / 2 || x.w > INT32_MAX / 2) {
        return gt__fail(GT_ESHAPE, "doubling: %d x %d is too large", x.h, x.w);
    }
    node->n_out = 1;
    shape[0] = (gt_shape){x.n, x.c, 2 * x.h, 2 * x.w};
    return GT_OK;
}

static gt_status fwd_gradient(struct gt_graph *g, size_t index, const gt_value *dout)
{
    gt_value x = g->nodes[index].in[0];
    struct gt_node node = {.op = GT_OP_upsample_bwd, .n_in = 1, .in = {dout[0]}};
    GT_TRY(gt__graph_append(g, &node));
    return gt__grad_add(g, x, node.out[0]);
}

static gt_status bwd_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                           enum gt_kind *kind)
{
    (void)kind;
    gt_shape dy = gt__value(g, node->in[0])->shape;
    if (dy.h % 2 != 0 || dy.w % 2 != 0) {
        return gt__fail(GT_ESHAPE, "doubling gradient: %d x %d is not even", dy.h, dy.w);
    }
    node->n_out = 1;
    shape[0] = (gt_shape){dy.n, dy.c, dy.h / 2, dy.w / 2};
    return GT_OK;
}

const struct gt_op_info gt__op_upsample_fwd = {"upsample_fwd", fwd_infer, fwd_gradient,
                                               gt__flops_none};
const struct gt_op_info gt__op_upsample_bwd = {"upsample_bwd", bwd_infer, NULL, gt__flops_in0};

gt_status gt_graph_upsample(gt_value *out, gt_graph *graph, gt_value x)
{
    struct gt_node node = {.op = GT_OP_upsample_fwd, .n_in = 1, .in = {x}};
    if (x == GT_NO_VALUE) {
        return gt__fail(GT_EINVAL, "doubling: an input is needed");
    }
    GT_TRY(gt__graph_append(graph, &node));
    *out = node.out[0];
    return GT_OK;
}
