/* Convolution of a plain image of at most 4 channels (first layers), with bias and ReLU.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * y[n][co][i][j] = epilogue(sum over ci, a, b of x[n][ci][i + a*d][j + b*d] * w[co][ci][a][b])
 * x NCHW, w [cout][cin][kh][kw], y {GT_BLOCK_ALL, 1}. Writing y bounds it: a work-item makes
 * 4 pixels x 8 channels (16 on a processor) from packed weights that stay in the cache. */
#include "backend_ocl/ocl.h"

#include <stdio.h>

#include "cl/conv2d_fwd_thin_ocl.cl.h"

enum { CHANNELS = 4, PIXELS = 4 };

/* By value: gt_thin of the device source. */
struct thin {
    cl_int cin, kh, kw, d;
    cl_int hi, wi, ho, wo;
    cl_int pixels, cout, np;
    cl_int bias, relu;
};

/* Defines TC, CX and the size of groups. */
struct tile {
    int32_t vectors, across;
    size_t group;
};

static struct tile tile_of(const struct gt_device *d)
{
    struct tile t = gt__ocl(d)->cpu ? (struct tile){4, 1, 16} : (struct tile){2, 8, 128};
    if (t.group > gt__ocl(d)->max_group) {
        t.group = (size_t)t.across;
    }
    return t;
}

static struct thin geometry(gt_shape x, gt_shape y, const struct gt_node *node)
{
    return (struct thin){.cin = x.c,
                         .kh = node->attr.kernel_h,
                         .kw = node->attr.kernel_w,
                         .d = node->attr.dilation,
                         .hi = x.h,
                         .wi = x.w,
                         .ho = y.h,
                         .wo = y.w,
                         .pixels = y.n * y.h * y.w,
                         .cout = y.c,
                         .np = gt__layout_block(gt__layout_f32(GT_BLOCK_ALL, 1), y.c),
                         .bias = (node->epilogue & GT_EPILOGUE_BIAS) != 0,
                         .relu = (node->epilogue & GT_EPILOGUE_RELU) != 0};
}

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    char defines[32];
    struct tile t = tile_of(device);
    snprintf(defines, sizeof defines, "-DTC=%d -DCX=%d", t.vectors, t.across);
    return gt__ocl_state(device, step, "conv2d_fwd_thin_ocl", gt__cl_source, defines,
                         "thin_fwd thin_pack");
}

static gt_status pack(struct gt_device *device, const struct gt_step *step, const struct thin *g)
{
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[1]);
    int32_t rows = g->cin * g->kh * g->kw;
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->packed);
    gt__ocl_arg_int(&call, rows);
    gt__ocl_arg_int(&call, g->cout);
    gt__ocl_arg_int(&call, g->np);
    return gt__ocl_launch_flat(&call, (size_t)rows * (size_t)g->np);
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct thin g = geometry(step->in[0].shape, step->out[0].shape, step->node);
    struct tile t = tile_of(device);
    if (step->pack) {
        GT_TRY(pack(device, step, &g));
    }
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->packed);
    gt__ocl_arg_view(&call, &step->in[2]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg(&call, &g, sizeof g);
    size_t items = (size_t)gt__ceil_div(g.pixels, PIXELS) * (size_t)t.across;
    size_t global[2] = {gt__align_up(items, t.group),
                        (size_t)gt__ceil_div(g.np / 4, t.across * t.vectors)};
    size_t local[2] = {t.group, 1};
    return gt__ocl_launch(&call, 2, global, local);
}

static bool plan(const struct gt_device *device, const struct gt_graph *graph,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    gt_shape x = gt__in_shape(graph, node, 0);
    if (x.c > CHANNELS || !gt__may_block(graph, node->out[0])) {
        return false;
    }
    out->in[0] = out->in[1] = out->in[2] = GT_LAYOUT_NCHW;
    out->out[0] = gt__layout_f32(GT_BLOCK_ALL, 1);
    struct thin g = geometry(x, gt__out_shape(graph, node, 0), node);
    struct tile t = tile_of(device);
    double terms = (double)g.cin * g.kh * g.kw;
    double columns =
        (double)gt__ceil_div(g.np / 4, t.across * t.vectors) * t.across * t.vectors * 4;
    double bytes = sizeof(float) * (double)g.pixels * (g.np + g.cin);
    out->packed = (size_t)(terms * g.np) * sizeof(float);
    out->cost = gt__ocl_cost(device, 2 * terms * columns * g.pixels, 0.4, bytes, 1);
    return gt__ocl_fits(graph, node, out) && terms * g.np <= (double)INT32_MAX;
}

const struct gt_kernel gt__conv2d_fwd_thin_ocl = {.name = "conv2d_fwd_thin_ocl",
                                                  .op = GT_OP_conv2d_fwd,
                                                  .n_variants = 1,
                                                  .plan = plan,
                                                  .prepare = prepare,
                                                  .run = run,
                                                  .release = gt__ocl_release};
