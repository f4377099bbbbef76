/* Convolution and its data gradient as implicit matrix products. SPDX-License-Identifier:
 * BSD-2-Clause
 *
 * Both are y = x * w over taps: the gradient takes dy for x, flipped weights with input and output
 * channels exchanged, and a border of zeros. Tensors are channels last in phase p, where p divides
 * the dilation (or the kernel is 1x1): then the stored fragments are a batch of dense images. */
#include "backend_ocl/conv2d_gemm.h"

#include <math.h>
#include <stdio.h>

#include "cl/conv2d_gemm_ocl.cl.h"

enum { STEP = 16, SPLIT_PARTS = 4 };
/* Work-items of a group that packs: the smaller one fits wherever a tile does. */
enum { PACK = 256, PACK_SMALL = 64 };

/* groups: that one compute unit holds at a time; share, alone: of the unit's rate, with all groups
 * and with one. */
static const struct tile {
    int32_t m, n, groups;
    double share, alone;
} tiles[GT_CONV_TILES] = {
    {64, 128, 3, 0.66, 0.70}, {128, 64, 3, 0.69, 0.85}, {64, 64, 6, 0.69, 0.85}};

static size_t group_of(const struct tile *tile)
{
    return (size_t)(tile->m * tile->n / 64);
}

/* Two steps of both factors; rows of the first are 4 longer. */
static size_t local_bytes(const struct tile *tile)
{
    return (size_t)(2 * STEP * (tile->m + 4 + tile->n)) * sizeof(float);
}

static int32_t pack_group(const struct gt_device *d)
{
    return gt__ocl(d)->max_group < PACK ? PACK_SMALL : PACK;
}

static bool is_gradient(const struct gt_node *node)
{
    return node->op == GT_OP_conv2d_bwd_data;
}

static int32_t phase_of(unsigned variant)
{
    return 1 << (variant / GT_CONV_TILES % GT_CONV_PHASES);
}

static int32_t split_of(unsigned variant)
{
    return variant / (GT_CONV_TILES * GT_CONV_PHASES) ? SPLIT_PARTS : 1;
}

static struct gt_ocl_conv geometry(const struct gt_attr *attr, gt_shape x, gt_shape y,
                                   bool gradient, unsigned variant)
{
    const struct tile *tile = &tiles[variant % GT_CONV_TILES];
    gt_layout l = gt__layout_f32(GT_BLOCK_ALL, phase_of(variant));
    struct gt_extent ex = gt__extent(x, l);
    struct gt_extent ey = gt__extent(y, l);
    bool one = attr->kernel_h == 1 && attr->kernel_w == 1;
    struct gt_ocl_conv g = {.pixels = ey.n * ey.h * ey.w,
                            .ho = ey.h,
                            .wo = ey.w,
                            .hi = ex.h,
                            .wi = ex.w,
                            .cp = ex.b,
                            .c16 = gt__ceil_div(x.c, STEP) * STEP,
                            .n_pad = gt__ceil_div(y.c, tile->n) * tile->n,
                            .np = ey.b,
                            .kh = attr->kernel_h,
                            .kw = attr->kernel_w,
                            .d = one ? 1 : attr->dilation / l.phase,
                            .n = y.c,
                            .h = y.h,
                            .w = y.w,
                            .p = l.phase,
                            .split = split_of(variant)};
    g.pad_h = gradient ? (g.kh - 1) * g.d : 0;
    g.pad_w = gradient ? (g.kw - 1) * g.d : 0;
    return g;
}

static size_t packed_bytes(const struct gt_ocl_conv *g)
{
    return (size_t)g->kh * (size_t)g->kw * (size_t)g->c16 * (size_t)g->n_pad * sizeof(float);
}

static size_t part_bytes(const struct gt_ocl_conv *g)
{
    return (size_t)g->pixels * (size_t)g->np * sizeof(float);
}

/* Seconds that a compute unit takes for `count` groups (a mean: it may be a fraction) of `group`
 * operations. A unit has four schedulers that share out groups by 32 work-items, so few groups
 * leave some idle: the fullest one decides, and one part alone does not hide its latencies. With more
 * groups than a unit holds, what is left at the end costs a quarter of a filling. Fits times
 * measured on an H200: over U-Net's layers (output 388) the choices are 1 %
 * slower than the best ones. */
static double unit_seconds(const struct gt_device *d, const struct tile *tile, double count,
                           double group)
{
    const struct gt_ocl_device *ocl = gt__ocl(d);
    double peak = tile->share * ocl->flops / ocl->units;
    double parts = tile->m * tile->n / (64.0 * 32.0); /* of a group: for 32 work-items each */
    if (count > tile->groups) {
        return (count + 0.25 * tile->groups) * group / peak;
    }
    double fullest = ceil(ceil(count) * parts / 4.0);
    return fullest * 4.0 / parts * group / (peak * (fullest < 2.0 ? tile->alone : 1.0));
}

/* Steps of a part; the rows of the kernel that lie on the border for a whole tile are left out. */
static double steps_of(const struct gt_ocl_conv *g)
{
    double rows = g->pad_h > 0 ? (double)g->hi / g->ho : 1;
    return ceil(rows * (g->c16 / STEP) * g->kh * g->kw / g->split);
}

static double seconds(const struct gt_device *d, const struct gt_ocl_conv *g,
                      const struct tile *tile)
{
    const struct gt_ocl_device *ocl = gt__ocl(d);
    double count = (double)gt__ceil_div(g->pixels, tile->m) * (g->n_pad / tile->n) * g->split;
    double group = 2.0 * tile->m * tile->n * STEP * (steps_of(g) + 2);
    double time = unit_seconds(d, tile, count / ocl->units, group) + 4e-6;
    /* Processors imitate barriers with memory: PoCL reaches a quarter of conv2d_panels.c. */
    time *= ocl->cpu ? 4 : 1;
    if (g->split > 1) {
        time += (2.0 * g->split + 1) * (double)part_bytes(g) /
                (1.6 * ocl->bandwidth); /* mostly from the cache */
    }
    return time;
}

bool gt__conv2d_gemm_plan(const struct gt_device *d, const struct gt_graph *graph,
                          const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    int32_t p = phase_of(variant);
    const struct tile *tile = &tiles[variant % GT_CONV_TILES];
    bool one = node->attr.kernel_h == 1 && node->attr.kernel_w == 1;
    gt_shape x = gt__in_shape(graph, node, 0);
    gt_shape y = gt__out_shape(graph, node, 0);
    if ((!one && node->attr.dilation % p != 0) || !gt__node_may_block(graph, node, 1) ||
        (is_gradient(node) && node->epilogue) || group_of(tile) > gt__ocl(d)->max_group ||
        local_bytes(tile) > gt__ocl(d)->local_bytes) {
        return false;
    }
    out->in[0] = gt__layout_f32(GT_BLOCK_ALL, p);
    out->in[1] = GT_LAYOUT_NCHW;
    out->in[2] = GT_LAYOUT_NCHW;
    out->out[0] = out->in[0];
    if (!gt__ocl_fits(graph, node, out)) {
        return false;
    }
    struct gt_ocl_conv g = geometry(&node->attr, x, y, is_gradient(node), variant);
    if (g.split > 1 && steps_of(&g) < SPLIT_PARTS) {
        return false;
    }
    out->packed = packed_bytes(&g);
    out->scratch = g.split > 1 ? (size_t)g.split * part_bytes(&g) : 0;
    out->flags = g.split > 1 ? GT_PLAN_UNORDERED : 0;
    out->cost = seconds(d, &g, tile);
    return out->packed / sizeof(float) <= INT32_MAX;
}

gt_status gt__conv2d_gemm_prepare(struct gt_device *d, struct gt_step *step)
{
    const struct tile *tile = &tiles[step->variant % GT_CONV_TILES];
    char defines[64];
    bool gradient = is_gradient(step->node);
    snprintf(defines, sizeof defines, "-DBM=%d -DBN=%d -DBORDER=%d%s", tile->m, tile->n, gradient,
             pack_group(d) == PACK_SMALL ? " -DPACK=64" : "");
    return gt__ocl_state(d, step, "conv2d_gemm_ocl", gt__cl_source, defines,
                         gradient ? "conv2d_gemm conv2d_gemm_sum conv2d_gemm_pack_flipped"
                                  : "conv2d_gemm conv2d_gemm_sum conv2d_gemm_pack");
}

static gt_status pack(struct gt_device *d, const struct gt_step *step, const struct gt_ocl_conv *g)
{
    struct gt_ocl_call call = gt__ocl_call(d, gt__ocl_state_of(step)->functions[2]);
    int32_t c = step->in[0].shape.c;
    int32_t taps = g->kh * g->kw;
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->packed);
    gt__ocl_arg_int(&call, g->n);
    gt__ocl_arg_int(&call, c);
    gt__ocl_arg_int(&call, taps);
    gt__ocl_arg_int(&call, g->c16);
    gt__ocl_arg_int(&call, g->n_pad);
    size_t rows = (size_t)taps * (size_t)g->c16;
    if (is_gradient(step->node)) {
        return gt__ocl_launch_flat(&call, rows * (size_t)g->n_pad);
    }
    size_t local[2] = {(size_t)pack_group(d), 1};
    size_t global[2] = {gt__ceil_div_z(rows, 32) * local[0], (size_t)g->n_pad / 32};
    return gt__ocl_launch(&call, 2, global, local);
}

static void bind(struct gt_ocl_call *call, const struct gt_step *step, const struct gt_view *to,
                 const struct gt_ocl_conv *g)
{
    gt__ocl_arg_view(call, &step->in[2]);
    gt__ocl_arg_view(call, to);
    gt__ocl_arg(call, g, sizeof *g);
}

gt_status gt__conv2d_gemm_run(struct gt_device *d, const struct gt_step *step)
{
    const struct gt_ocl_state *state = gt__ocl_state_of(step);
    const struct tile *tile = &tiles[step->variant % GT_CONV_TILES];
    struct gt_ocl_conv g = geometry(&step->node->attr, step->in[0].shape, step->out[0].shape,
                                    is_gradient(step->node), step->variant);
    g.epilogue = (cl_int)step->node->epilogue;
    if (step->pack) {
        GT_TRY(pack(d, step, &g));
    }
    struct gt_ocl_call call = gt__ocl_call(d, state->functions[0]);
    size_t tiles_m = (size_t)gt__ceil_div(g.pixels, tile->m);
    size_t local[2] = {group_of(tile), 1};
    size_t global[2] = {(size_t)(g.n_pad / tile->n) * tiles_m * local[0], (size_t)g.split};
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->packed);
    bind(&call, step, g.split > 1 ? &step->scratch : &step->out[0], &g);
    GT_TRY(gt__ocl_launch(&call, 2, global, local));
    if (g.split == 1) {
        return GT_OK;
    }
    call = gt__ocl_call(d, state->functions[1]);
    gt__ocl_arg_view(&call, &step->scratch);
    bind(&call, step, &step->out[0], &g);
    return gt__ocl_launch_flat(&call, (size_t)g.pixels * (size_t)(g.np / 4));
}
