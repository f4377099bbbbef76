/* Squared norms and optimizer updates; updates write parameters and state in place.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "core/ops/op_common.h"

static gt_status sumsq_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                             enum gt_kind *kind)
{
    (void)g;
    (void)kind;
    node->n_out = 1;
    shape[0] = (gt_shape){1, 1, 1, 1};
    return GT_OK;
}

/* in[0], in[1] and the n_state inputs behind them agree; hyper and sumsq follow. */
static gt_status update_infer(const struct gt_graph *g, struct gt_node *node, int32_t n_state)
{
    gt_shape w = gt__value(g, node->in[0])->shape;
    for (int32_t i = 1; i < 2 + n_state; i++) {
        gt_shape s = gt__value(g, node->in[i])->shape;
        if (!gt__shape_equal(w, s)) {
            return gt__fail(GT_ESHAPE, "update of %s: input %d has another shape",
                            gt__value(g, node->in[0])->name, i);
        }
    }
    if (gt__count(gt__value(g, node->in[2 + n_state])->shape) != GT_HYPER_COUNT) {
        return gt__fail(GT_ESHAPE, "update: %d hyper-parameters are needed", GT_HYPER_COUNT);
    }
    node->n_out = 1 + n_state;
    node->out[0] = node->in[0];
    for (int32_t i = 0; i < n_state; i++) {
        node->out[1 + i] = node->in[2 + i];
    }
    return GT_OK;
}

static gt_status sgd_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                           enum gt_kind *kind)
{
    (void)shape;
    (void)kind;
    return update_infer(g, node, 1);
}

static gt_status adamw_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                             enum gt_kind *kind)
{
    (void)shape;
    (void)kind;
    return update_infer(g, node, 2);
}

static double sumsq_flops(const struct gt_graph *g, const struct gt_node *node)
{
    return 2.0 * gt__flops_in0(g, node);
}
static double sgd_flops(const struct gt_graph *g, const struct gt_node *node)
{
    return 6.0 * gt__flops_in0(g, node);
}
static double adamw_flops(const struct gt_graph *g, const struct gt_node *node)
{
    return 14.0 * gt__flops_in0(g, node);
}

const struct gt_op_info gt__op_sumsq = {"sumsq", sumsq_infer, NULL, sumsq_flops};
const struct gt_op_info gt__op_sgd_update = {"sgd_update", sgd_infer, NULL, sgd_flops};
const struct gt_op_info gt__op_adamw_update = {"adamw_update", adamw_infer, NULL, adamw_flops};
