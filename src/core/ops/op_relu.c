/* Rectifier. SPDX-License-Identifier: BSD-2-Clause */
#include "core/ops/op_common.h"

static gt_status fwd_gradient(struct gt_graph *g, size_t index, const gt_value *dout)
{
    struct gt_node fwd = g->nodes[index];
    struct gt_node node = {.op = GT_OP_relu_bwd, .n_in = 2, .in = {dout[0], fwd.out[0]}};
    GT_TRY(gt__graph_append(g, &node));
    return gt__grad_add(g, fwd.in[0], node.out[0]);
}

const struct gt_op_info gt__op_relu_fwd = {"relu_fwd", gt__infer_same, fwd_gradient, gt__flops_in0};
const struct gt_op_info gt__op_relu_bwd = {"relu_bwd", gt__infer_pair, NULL, gt__flops_in0};

gt_status gt_graph_relu(gt_value *out, gt_graph *graph, gt_value x)
{
    struct gt_node node = {.op = GT_OP_relu_fwd, .n_in = 1, .in = {x}};
    if (x == GT_NO_VALUE) {
        return gt__fail(GT_EINVAL, "relu: an input is needed");
    }
    GT_TRY(gt__graph_append(graph, &node));
    *out = node.out[0];
    return GT_OK;
}
