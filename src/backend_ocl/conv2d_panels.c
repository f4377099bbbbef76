/* Convolution and its data gradient on processors that OpenCL drives.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * fwd:      y[n][o][i][j]  = sum over a, b, c of x[n][c][i + a*d][j + b*d] * weight[o][c][a][b],
 *           then bias and ReLU
 * bwd_data: dx[n][c][h][w] = sum over a, b, o of dy[n][o][h - a*d][w - b*d] * weight[o][c][a][b]
 * Both are one device function: the gradient steps backwards and exchanges the channels of the
 * weights. Tensors are channels last in phase p, where p divides the dilation (or the kernel is
 * 1x1). Packed weights: [panel of 16][taps][lanes of x][16], then a row of zeros. */
#include "backend_ocl/conv2d_panels.h"

#include "cl/conv2d_panels_ocl.cl.h"

enum { PANEL = 16, PIXELS = 64 /* of a work-item */ };

/* The last argument of the device function, by value: gt_panels of cl/conv2d_panels_ocl.cl. */
struct panels {
    cl_int pixels, ho, wo;
    cl_int hi, wi, cp;
    cl_int np, panels;
    cl_int kh, kw, step;
    cl_int n, h, w, p;
    cl_int epilogue;
};

static bool is_gradient(const struct gt_node *node)
{
    return node->op == GT_OP_conv2d_bwd_data;
}

static bool is_one(const struct gt_attr *attr)
{
    return attr->kernel_h == 1 && attr->kernel_w == 1;
}

static struct panels geometry(const struct gt_node *node, gt_shape x, gt_shape y, unsigned variant)
{
    const struct gt_attr *attr = &node->attr;
    gt_layout l = gt__layout_f32(GT_BLOCK_ALL, 1 << variant);
    struct gt_extent ex = gt__extent(x, l);
    struct gt_extent ey = gt__extent(y, l);
    int32_t d = is_one(attr) ? 1 : attr->dilation / l.phase;
    return (struct panels){.pixels = ey.n * ey.h * ey.w,
                           .ho = ey.h,
                           .wo = ey.w,
                           .hi = ex.h,
                           .wi = ex.w,
                           .cp = ex.b,
                           .np = ey.b,
                           .panels = gt__ceil_div(y.c, PANEL),
                           .kh = attr->kernel_h,
                           .kw = attr->kernel_w,
                           .step = is_gradient(node) ? -d : d,
                           .n = y.c,
                           .h = y.h,
                           .w = y.w,
                           .p = l.phase,
                           .epilogue = (cl_int)node->epilogue};
}

/* Vectors of 16, zeros included. */
static size_t packed_vectors(const struct panels *g)
{
    return (size_t)g->panels * (size_t)(g->kh * g->kw) * (size_t)g->cp +
           (size_t)gt__ceil_div(g->cp, PANEL);
}

bool gt__conv2d_panels_plan(const struct gt_device *d, const struct gt_graph *graph,
                            const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    gt_shape x = gt__in_shape(graph, node, 0);
    gt_shape y = gt__out_shape(graph, node, 0);
    if (!gt__ocl(d)->cpu || !gt__node_may_block(graph, node, 1) ||
        (!is_one(&node->attr) && node->attr.dilation % (1 << variant) != 0) ||
        (is_gradient(node) && node->epilogue)) {
        return false;
    }
    out->in[0] = gt__layout_f32(GT_BLOCK_ALL, 1 << variant);
    out->in[1] = GT_LAYOUT_NCHW;
    out->in[2] = GT_LAYOUT_NCHW;
    out->out[0] = out->in[0];
    if (!gt__ocl_fits(graph, node, out)) {
        return false;
    }
    struct panels g = geometry(node, x, y, variant);
    double flops = 2.0 * g.pixels * g.panels * PANEL * (double)g.cp * g.kh * g.kw;
    double bytes = 4.0 * (g.pixels * (double)(g.cp + g.np) + PANEL * (double)packed_vectors(&g));
    out->packed = packed_vectors(&g) * PANEL * sizeof(float);
    out->cost = gt__ocl_cost(d, flops, 0.7, bytes, 1);
    return packed_vectors(&g) <= INT32_MAX / PANEL;
}

gt_status gt__conv2d_panels_prepare(struct gt_device *d, struct gt_step *step)
{
    return gt__ocl_state(d, step, "conv2d_panels_ocl", gt__cl_source, "",
                         "conv2d_panels conv2d_panels_pack");
}

static gt_status pack(struct gt_device *d, const struct gt_step *step, const struct panels *g)
{
    struct gt_ocl_call call = gt__ocl_call(d, gt__ocl_state_of(step)->functions[1]);
    int32_t taps = g->kh * g->kw;
    int32_t c = step->in[0].shape.c;
    bool gradient = is_gradient(step->node);
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->packed);
    gt__ocl_arg_int(&call, g->n);
    gt__ocl_arg_int(&call, c);
    gt__ocl_arg_int(&call, gradient ? taps : c * taps);
    gt__ocl_arg_int(&call, gradient ? g->n * taps : taps);
    gt__ocl_arg_int(&call, taps);
    gt__ocl_arg_int(&call, g->cp);
    gt__ocl_arg_int(&call, g->panels);
    return gt__ocl_launch_flat(&call, packed_vectors(g));
}

gt_status gt__conv2d_panels_run(struct gt_device *d, const struct gt_step *step)
{
    struct panels g = geometry(step->node, step->in[0].shape, step->out[0].shape, step->variant);
    if (step->pack) {
        GT_TRY(pack(d, step, &g));
    }
    struct gt_ocl_call call = gt__ocl_call(d, gt__ocl_state_of(step)->functions[0]);
    size_t local[2] = {1, 1};
    size_t global[2] = {(size_t)gt__ceil_div(g.pixels, PIXELS), (size_t)g.panels};
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->packed);
    gt__ocl_arg_view(&call, &step->in[2]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg(&call, &g, sizeof g);
    return gt__ocl_launch(&call, 2, global, local);
}
