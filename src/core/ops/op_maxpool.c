/* Max pooling with stride and dilation, Caffe's size rule. SPDX-License-Identifier: BSD-2-Clause */
#include "core/ops/op_common.h"

/* ceil((in - extent)/stride) + 1; the last window may be clipped but starts inside. */
static int32_t pooled(int32_t in, const struct gt_attr *a)
{
    int32_t extent = (a->kernel_h - 1) * a->dilation + 1;
    return gt__ceil_div(in - extent, a->stride) + 1;
}

static gt_status fwd_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                           enum gt_kind *kind)
{
    gt_shape x = gt__value(g, node->in[0])->shape;
    const struct gt_attr *a = &node->attr;
    if (a->kernel_h < 1 || a->kernel_h > 15 || a->stride < 1 || a->stride > a->kernel_h * 64 ||
        a->dilation < 1 || a->dilation > 4096) {
        return gt__fail(
            GT_EINVAL,
            "pooling: kernel %d (1 to 15), stride %d (1 or more), dilation %d (1 to 4096)",
            a->kernel_h, a->stride, a->dilation);
    }
    int32_t extent = (a->kernel_h - 1) * a->dilation + 1;
    if (x.h < extent || x.w < extent) {
        return gt__fail(GT_ESHAPE,
                        "pooling: a window of %d pixels does not fit an input of %d x %d", extent,
                        x.h, x.w);
    }
    shape[0] = (gt_shape){x.n, x.c, pooled(x.h, a), pooled(x.w, a)};
    if ((shape[0].h - 1) * a->stride >= x.h || (shape[0].w - 1) * a->stride >= x.w) {
        return gt__fail(GT_ESHAPE, "pooling: stride %d leaves the last window outside %d x %d",
                        a->stride, x.h, x.w);
    }
    shape[1] = shape[0];
    kind[1] = GT_KIND_U8;
    node->n_out = 2;
    return GT_OK;
}

static gt_status fwd_gradient(struct gt_graph *g, size_t index, const gt_value *dout)
{
    struct gt_node fwd = g->nodes[index];
    struct gt_node node = {.op = GT_OP_maxpool_bwd, .n_in = 2, .in = {dout[0], fwd.out[1]}};
    node.attr = fwd.attr;
    node.attr.shape = gt__value(g, fwd.in[0])->shape;
    GT_TRY(gt__graph_append(g, &node));
    return gt__grad_add(g, fwd.in[0], node.out[0]);
}

static gt_status bwd_infer(const struct gt_graph *g, struct gt_node *node, gt_shape *shape,
                           enum gt_kind *kind)
{
    (void)kind;
    gt_shape dy = gt__value(g, node->in[0])->shape;
    gt_shape ix = gt__value(g, node->in[1])->shape;
    gt_shape x = node->attr.shape;
    if (!gt__shape_equal(dy, ix) || dy.n != x.n || dy.c != x.c ||
        pooled(x.h, &node->attr) != dy.h || pooled(x.w, &node->attr) != dy.w) {
        return gt__fail(GT_ESHAPE,
                        "pooling gradient: %d x %d does not belong to an input of %d x %d", dy.h,
                        dy.w, x.h, x.w);
    }
    node->n_out = 1;
    shape[0] = x;
    return GT_OK;
}

static double fwd_flops(const struct gt_graph *g, const struct gt_node *node)
{
    double window = (double)node->attr.kernel_h * node->attr.kernel_w;
    return window * (double)gt__count(gt__value(g, node->out[0])->shape);
}

const struct gt_op_info gt__op_maxpool_fwd = {"maxpool_fwd", fwd_infer, fwd_gradient, fwd_flops};
const struct gt_op_info gt__op_maxpool_bwd = {"maxpool_bwd", bwd_infer, NULL, gt__flops_in0};

gt_status gt_graph_maxpool(gt_value *out, gt_graph *graph, gt_value x, int32_t kernel,
                           int32_t stride, int32_t dilation)
{
    struct gt_node node = {.op = GT_OP_maxpool_fwd, .n_in = 1, .in = {x}};
    if (x == GT_NO_VALUE) {
        return gt__fail(GT_EINVAL, "pooling: an input is needed");
    }
    node.attr.kernel_h = node.attr.kernel_w = kernel;
    node.attr.stride = stride;
    node.attr.dilation = dilation;
    GT_TRY(gt__graph_append(graph, &node));
    *out = node.out[0];
    return GT_OK;
}
