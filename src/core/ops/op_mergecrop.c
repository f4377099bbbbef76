/* MergeCrop: all channels of a, then all of b cropped to a's size. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "core/ops/op_common.h"

static gt_status fwd_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                           enum gt_kind *kind)
{
    (void)kind;
    gt_shape a = gt__value(g, node->in[0])->shape;
    gt_shape b = gt__value(g, node->in[1])->shape;
    if (a.n != b.n || b.h < a.h || b.w < a.w || a.c > INT32_MAX - b.c) {
        return gt__fail(GT_ESHAPE,
                        "mergecrop: batch %d, %d x %d cannot be cropped from batch %d, %d x %d",
                        a.n, a.h, a.w, b.n, b.h, b.w);
    }
    node->n_out = 1;
    shape[0] = (gt_shape){a.n, a.c + b.c, a.h, a.w};
    return GT_OK;
}

static gt_status fwd_gradient(struct gt_graph *g, size_t index, const gt_value *dout)
{
    struct gt_node fwd = g->nodes[index];
    for (int32_t i = 0; i < 2; i++) {
        if (!gt__value(g, fwd.in[i])->needs_gradient || !fwd.attr.backward[i]) {
            continue;
        }
        struct gt_node node = {.op = GT_OP_mergecrop_bwd, .n_in = 1, .in = {dout[0]}};
        node.attr = fwd.attr;
        node.attr.which = i;
        node.attr.shape = gt__value(g, fwd.in[i])->shape;
        GT_TRY(gt__graph_append(g, &node));
        GT_TRY(gt__grad_add(g, fwd.in[i], node.out[0]));
    }
    return GT_OK;
}

static gt_status bwd_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                           enum gt_kind *kind)
{
    (void)kind;
    gt_shape dy = gt__value(g, node->in[0])->shape;
    gt_shape x = node->attr.shape;
    if (x.n != dy.n || x.c >= dy.c || x.h < dy.h || x.w < dy.w) {
        return gt__fail(GT_ESHAPE, "mergecrop gradient: %d x %d x %d does not hold %d x %d x %d",
                        dy.c, dy.h, dy.w, x.c, x.h, x.w);
    }
    node->n_out = 1;
    shape[0] = x;
    return GT_OK;
}

const struct gt_op_info gt__op_mergecrop_fwd = {"mergecrop_fwd", fwd_infer, fwd_gradient,
                                                gt__flops_none};
const struct gt_op_info gt__op_mergecrop_bwd = {"mergecrop_bwd", bwd_infer, NULL, gt__flops_none};

gt_status gt_graph_mergecrop(gt_value *out, gt_graph *graph, gt_value a, gt_value b,
                             const gt_mergecrop_options *options)
{
    struct gt_node node = {.op = GT_OP_mergecrop_fwd, .n_in = 2, .in = {a, b}};
    if (a == GT_NO_VALUE || b == GT_NO_VALUE) {
        return gt__fail(GT_EINVAL, "mergecrop: two inputs are needed");
    }
    for (int32_t i = 0; i < 2; i++) {
        node.attr.forward[i] = options ? options->forward[i] != 0 : 1;
        node.attr.backward[i] = options ? options->backward[i] != 0 : 1;
    }
    GT_TRY(gt__graph_append(graph, &node));
    *out = node.out[0];
    return GT_OK;
}
