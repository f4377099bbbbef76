/* MALIS, the loss of connectivity. SPDX-License-Identifier: BSD-2-Clause */
#include "core/ops/op_common.h"

#include <math.h>

/* Kernels pack a pixel's index, the number of an edge and which end is less into 32 bits. */
#define MAX_PIXELS ((size_t)1 << 27)

static gt_status check_edges(const gt_malis_options *o)
{
    if (o->n_edges < 1 || o->n_edges > GT_MALIS_EDGES) {
        return gt__fail(GT_EINVAL, "malis: %d edges per pixel, expected 1 to %d", o->n_edges,
                        GT_MALIS_EDGES);
    }
    for (int32_t k = 0; k < o->n_edges; k++) {
        int32_t dy = o->edges[k][0];
        int32_t dx = o->edges[k][1];
        if ((dy == 0 && dx == 0) || dy < -GT_MALIS_REACH || dy > GT_MALIS_REACH ||
            dx < -GT_MALIS_REACH || dx > GT_MALIS_REACH) {
            return gt__fail(GT_EINVAL,
                            "malis: edge %d is (%d, %d), expected steps of -%d to %d that are not "
                            "both 0",
                            k, dy, dx, GT_MALIS_REACH, GT_MALIS_REACH);
        }
    }
    return GT_OK;
}

static gt_status check_options(const gt_malis_options *o, int32_t channels)
{
    if (o->form != GT_MALIS_SQUARED && o->form != GT_MALIS_HINGE) {
        return gt__fail(GT_EINVAL, "malis: unknown form %d", (int)o->form);
    }
    if (o->channel < 0 || o->channel >= channels) {
        return gt__fail(GT_EINVAL, "malis: channel %d of %d", o->channel, channels);
    }
    if (!isfinite(o->weight) || !isfinite(o->margin) || !isfinite(o->threshold)) {
        return gt__fail(GT_EINVAL, "malis: weight, margin or threshold is not a finite number");
    }
    return check_edges(o);
}

static gt_status infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                       enum gt_kind *kind)
{
    (void)kind;
    gt_shape s = gt__value(g, node->in[0])->shape;
    gt_shape l = gt__value(g, node->in[1])->shape;
    if (l.n != s.n || l.c != 1 || l.h != s.h || l.w != s.w) {
        return gt__fail(GT_ESHAPE, "malis: labels %d x %d x %d x %d, expected %d x 1 x %d x %d",
                        l.n, l.c, l.h, l.w, s.n, s.h, s.w);
    }
    if ((size_t)s.h * (size_t)s.w > MAX_PIXELS) {
        return gt__fail(GT_ESHAPE, "malis: %d x %d pixels, at most %zu are possible", s.h, s.w,
                        MAX_PIXELS);
    }
    GT_TRY(check_options(&node->attr.malis, s.c));
    node->n_out = 2;
    shape[0] = (gt_shape){1, 1, 1, 1};
    shape[1] = s;
    return GT_OK;
}

/* The pairs that an edge joins are known only while the tree grows, so the forward node computes
 * the gradient too. */
static gt_status gradient(struct gt_graph *g, size_t index, const gt_value *dout)
{
    struct gt_node fwd = g->nodes[index];
    if (dout[0] != GT_NO_VALUE || dout[1] != GT_NO_VALUE) {
        return gt__fail(GT_ENOTSUP,
                        "malis: nothing may be computed from the loss when differentiating");
    }
    return gt__grad_add(g, fwd.in[0], fwd.out[1]);
}

/* Sorting and joining of every edge, about 100 steps each. */
static double flops(const struct gt_graph *g, const struct gt_node *node)
{
    gt_shape s = gt__value(g, node->in[0])->shape;
    return 100.0 * (double)s.n * (double)s.h * (double)s.w * (double)node->attr.malis.n_edges;
}

const struct gt_op_info gt__op_malis = {"malis", infer, gradient, flops};

void gt_malis_options_init(gt_malis_options *options)
{
    *options = (gt_malis_options){.form = GT_MALIS_SQUARED,
                                  .weight = 1,
                                  .margin = 0.3f,
                                  .threshold = 0.5f,
                                  .channel = 1,
                                  .n_edges = 2,
                                  .edges = {{1, 0}, {0, 1}}};
}

gt_status gt_graph_malis_loss(gt_value *loss, gt_graph *graph, gt_value prob, gt_value label,
                              const gt_malis_options *options)
{
    struct gt_node node = {.op = GT_OP_malis, .n_in = 2, .in = {prob, label}};
    if (prob == GT_NO_VALUE || label == GT_NO_VALUE) {
        return gt__fail(GT_EINVAL, "malis: probabilities and labels are needed");
    }
    if (options) {
        node.attr.malis = *options;
    } else {
        gt_malis_options_init(&node.attr.malis);
    }
    GT_TRY(gt__graph_append(graph, &node));
    *loss = node.out[0];
    return GT_OK;
}
