/* The same values in another layout; only the planner appends it. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "core/ops/op_common.h"

static gt_status infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                       enum gt_kind *kind)
{
    kind[0] = gt__value(g, node->in[0])->kind;
    return gt__infer_same(g, node, shape, kind);
}

const struct gt_op_info gt__op_reorder = {"reorder", infer, NULL, gt__flops_none};
