/* Convolution: shapes, gradient, operation count. SPDX-License-Identifier: BSD-2-Clause */
#include "core/ir.h"

static gt_status fwd_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                           enum gt_kind *kind)
{
    (void)kind;
    gt_shape x = gt__value(g, node->in[0])->shape;
    gt_shape w = gt__value(g, node->in[1])->shape;
    int32_t d = node->attr.dilation;
    if (d < 1 || d > 4096) {
        return gt__fail(GT_EINVAL, "convolution: dilation %d, expected 1 to 4096", d);
    }
    if (x.c != w.c) {
        return gt__fail(GT_ESHAPE, "convolution: input has %d channels, the weights are for %d",
                        x.c, w.c);
    }
    int64_t h = (int64_t)x.h - (int64_t)(w.h - 1) * d;
    int64_t wd = (int64_t)x.w - (int64_t)(w.w - 1) * d;
    if (h < 1 || wd < 1) {
        return gt__fail(
            GT_ESHAPE,
            "convolution: kernel %d x %d with dilation %d does not fit an input of %d x %d", w.h,
            w.w, d, x.h, x.w);
    }
    node->attr.kernel_h = w.h;
    node->attr.kernel_w = w.w;
    node->attr.stride = 1;
    node->n_out = 1;
    shape[0] = (gt_shape){x.n, w.n, (int32_t)h, (int32_t)wd};
    return GT_OK;
}

static gt_status fwd_gradient(struct gt_graph *g, size_t index, const gt_value *dout)
{
    struct gt_node fwd = g->nodes[index];
    if (gt__value(g, fwd.in[1])->needs_gradient) {
        struct gt_node node = {
            .op = GT_OP_conv2d_bwd_weight, .n_in = 2, .in = {fwd.in[0], dout[0]}};
        node.attr = fwd.attr;
        node.attr.shape = gt__value(g, fwd.in[1])->shape;
        GT_TRY(gt__graph_append(g, &node));
        GT_TRY(gt__grad_add(g, fwd.in[1], node.out[0]));
    }
    if (gt__value(g, fwd.in[0])->needs_gradient) {
        struct gt_node node = {.op = GT_OP_conv2d_bwd_data, .n_in = 2, .in = {dout[0], fwd.in[1]}};
        node.attr = fwd.attr;
        GT_TRY(gt__graph_append(g, &node));
        GT_TRY(gt__grad_add(g, fwd.in[0], node.out[0]));
    }
    return GT_OK;
}

static gt_status data_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                            enum gt_kind *kind)
{
    (void)kind;
    gt_shape dy = gt__value(g, node->in[0])->shape;
    gt_shape w = gt__value(g, node->in[1])->shape;
    if (dy.c != w.n || node->attr.dilation < 1) {
        return gt__fail(GT_ESHAPE, "convolution gradient: %d output channels, the weights have %d",
                        dy.c, w.n);
    }
    node->attr.kernel_h = w.h;
    node->attr.kernel_w = w.w;
    node->attr.stride = 1;
    node->n_out = 1;
    shape[0] = (gt_shape){dy.n, w.c, dy.h + (w.h - 1) * node->attr.dilation,
                          dy.w + (w.w - 1) * node->attr.dilation};
    return GT_OK;
}

/* Kernel sizes follow from x, dy and the dilation except where dilation hides a remainder: attr
 * tells them. */
static gt_status weight_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                              enum gt_kind *kind)
{
    (void)kind;
    gt_shape x = gt__value(g, node->in[0])->shape;
    gt_shape dy = gt__value(g, node->in[1])->shape;
    const struct gt_attr *a = &node->attr;
    if (x.n != dy.n || x.h - (a->kernel_h - 1) * a->dilation != dy.h ||
        x.w - (a->kernel_w - 1) * a->dilation != dy.w) {
        return gt__fail(GT_ESHAPE,
                        "convolution gradient: %d x %d input and %d x %d output do not fit", x.h,
                        x.w, dy.h, dy.w);
    }
    node->n_out = 1;
    shape[0] = (gt_shape){dy.c, x.c, a->kernel_h, a->kernel_w};
    return GT_OK;
}

/* Forward, data and weight gradient count alike: one multiply-add per output, input channel and
 * tap. */
static double fwd_flops(const struct gt_graph *g, const struct gt_node *node)
{
    gt_shape y = gt__value(g, node->out[0])->shape;
    gt_shape w = gt__value(g, node->in[1])->shape;
    return 2.0 * (double)gt__count(y) * w.c * w.h * w.w;
}

static double data_flops(const struct gt_graph *g, const struct gt_node *node)
{
    gt_shape dy = gt__value(g, node->in[0])->shape;
    gt_shape w = gt__value(g, node->in[1])->shape;
    return 2.0 * (double)gt__count(dy) * w.c * w.h * w.w;
}

static double weight_flops(const struct gt_graph *g, const struct gt_node *node)
{
    gt_shape dy = gt__value(g, node->in[1])->shape;
    gt_shape x = gt__value(g, node->in[0])->shape;
    return 2.0 * (double)gt__count(dy) * x.c * node->attr.kernel_h * node->attr.kernel_w;
}

const struct gt_op_info gt__op_conv2d_fwd = {"conv2d_fwd", fwd_infer, fwd_gradient, fwd_flops};
const struct gt_op_info gt__op_conv2d_bwd_data = {"conv2d_bwd_data", data_infer, NULL, data_flops};
const struct gt_op_info gt__op_conv2d_bwd_weight = {"conv2d_bwd_weight", weight_infer, NULL,
                                                    weight_flops};

gt_status gt_graph_conv2d(gt_value *out, gt_graph *graph, gt_value x, gt_value weight,
                          gt_value bias, int32_t dilation)
{
    struct gt_node node = {.op = GT_OP_conv2d_fwd, .n_in = 2, .in = {x, weight}};
    if (x == GT_NO_VALUE || weight == GT_NO_VALUE) {
        return gt__fail(GT_EINVAL, "convolution: input and weights are needed");
    }
    node.attr.dilation = dilation;
    GT_TRY(gt__graph_append(graph, &node));
    gt_value y = node.out[0];
    if (bias != GT_NO_VALUE) {
        struct gt_node add = {.op = GT_OP_bias_fwd, .n_in = 2, .in = {y, bias}};
        GT_TRY(gt__graph_append(graph, &add));
        y = add.out[0];
    }
    *out = y;
    return GT_OK;
}
