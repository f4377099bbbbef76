/* Element-wise sum. SPDX-License-Identifier: BSD-2-Clause */
#include "core/ops/op_common.h"

static gt_status fwd_gradient(struct gt_graph *g, size_t index, const gt_value *dout)
{
    struct gt_node fwd = g->nodes[index];
    GT_TRY(gt__grad_add(g, fwd.in[0], dout[0]));
    return gt__grad_add(g, fwd.in[1], dout[0]);
}

const struct gt_op_info gt__op_add = {"add", gt__infer_pair, fwd_gradient, gt__flops_in0};

gt_status gt_graph_add(gt_value *out, gt_graph *graph, gt_value a, gt_value b)
{
    struct gt_node node = {.op = GT_OP_add, .n_in = 2, .in = {a, b}};
    if (a == GT_NO_VALUE || b == GT_NO_VALUE) {
        return gt__fail(GT_EINVAL, "add: two inputs are needed");
    }
    GT_TRY(gt__graph_append(graph, &node));
    *out = node.out[0];
    return GT_OK;
}
