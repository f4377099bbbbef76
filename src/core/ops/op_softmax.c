/* Softmax over channels, and softmax with cross-entropy. SPDX-License-Identifier: BSD-2-Clause */
#include "core/ops/op_common.h"

#include <math.h>

static gt_status softmax_gradient(struct gt_graph *g, size_t index, const gt_value *dout)
{
    struct gt_node fwd = g->nodes[index];
    struct gt_node node = {.op = GT_OP_softmax_bwd, .n_in = 2, .in = {dout[0], fwd.out[0]}};
    GT_TRY(gt__graph_append(g, &node));
    return gt__grad_add(g, fwd.in[0], node.out[0]);
}

static gt_status loss_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                            enum gt_kind *kind)
{
    (void)kind;
    gt_shape s = gt__value(g, node->in[0])->shape;
    gt_shape l = gt__value(g, node->in[1])->shape;
    if (l.n != s.n || l.c != 1 || l.h != s.h || l.w != s.w) {
        return gt__fail(GT_ESHAPE,
                        "softmax loss: labels %d x %d x %d x %d, expected %d x 1 x %d x %d", l.n,
                        l.c, l.h, l.w, s.n, s.h, s.w);
    }
    if (!isfinite(node->attr.weight)) {
        return gt__fail(GT_EINVAL, "softmax loss: the weight is not a finite number");
    }
    node->n_out = 3;
    shape[0] = (gt_shape){1, 1, 1, 1};
    shape[1] = s;
    shape[2] = (gt_shape){1, 1, 1, 1};
    return GT_OK;
}

/* The gradient of the loss node itself is 1; of prob and count none flows back. */
static gt_status loss_gradient(struct gt_graph *g, size_t index, const gt_value *dout)
{
    struct gt_node fwd = g->nodes[index];
    if (dout[0] != GT_NO_VALUE || dout[1] != GT_NO_VALUE) {
        return gt__fail(GT_ENOTSUP, "softmax loss: nothing may be computed from the loss or its "
                                    "probabilities when differentiating");
    }
    struct gt_node node = {
        .op = GT_OP_softmax_loss_bwd, .n_in = 3, .in = {fwd.out[1], fwd.in[1], fwd.out[2]}};
    node.attr = fwd.attr;
    GT_TRY(gt__graph_append(g, &node));
    return gt__grad_add(g, fwd.in[0], node.out[0]);
}

static double softmax_flops(const struct gt_graph *g, const struct gt_node *node)
{
    return 4.0 *
           gt__flops_in0(g, node); /* maximum, difference, sum, quotient; exp counts as one more */
}

const struct gt_op_info gt__op_softmax_fwd = {"softmax_fwd", gt__infer_same, softmax_gradient,
                                              softmax_flops};
const struct gt_op_info gt__op_softmax_bwd = {"softmax_bwd", gt__infer_pair, NULL, softmax_flops};
const struct gt_op_info gt__op_softmax_loss_fwd = {"softmax_loss_fwd", loss_infer, loss_gradient,
                                                   softmax_flops};
const struct gt_op_info gt__op_softmax_loss_bwd = {"softmax_loss_bwd", gt__infer_same, NULL,
                                                   gt__flops_in0};

gt_status gt_graph_softmax(gt_value *out, gt_graph *graph, gt_value x)
{
    struct gt_node node = {.op = GT_OP_softmax_fwd, .n_in = 1, .in = {x}};
    if (x == GT_NO_VALUE) {
        return gt__fail(GT_EINVAL, "softmax: an input is needed");
    }
    GT_TRY(gt__graph_append(graph, &node));
    *out = node.out[0];
    return GT_OK;
}

gt_status gt_graph_softmax_loss(gt_value *loss, gt_value *prob, gt_graph *graph, gt_value scores,
                                gt_value label, gt_normalize normalize, float weight)
{
    struct gt_node node = {.op = GT_OP_softmax_loss_fwd, .n_in = 2, .in = {scores, label}};
    if (scores == GT_NO_VALUE || label == GT_NO_VALUE) {
        return gt__fail(GT_EINVAL, "softmax loss: scores and labels are needed");
    }
    node.attr.normalize = normalize;
    node.attr.weight = weight;
    GT_TRY(gt__graph_append(graph, &node));
    *loss = node.out[0];
    if (prob) {
        *prob = node.out[1];
    }
    return GT_OK;
}
