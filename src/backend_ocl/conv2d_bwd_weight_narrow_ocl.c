/* Weight gradient of a convolution to at most 16 channels. SPDX-License-Identifier: BSD-2-Clause
 *
 * dw[o][c][a][b] = sum over n, i, j of x[n][c][i + a*d][j + b*d] * dy[n][o][i][j]
 * x channels last in phase p, which divides the dilation (or the kernel is 1x1), dy too or NCHW, dw
 * [o][c][kh][kw]. The matrix kernel pads the outputs and wants dy reordered; this one takes the
 * time of reading x once for each tap. Parts of the pixels are summed apart, then in order; how
 * many follows from sizes alone. Variants: see conv2d_narrow_ocl.h. */
#include "backend_ocl/conv2d_narrow_ocl.h"

#include <stdio.h>

#include "cl/conv2d_bwd_weight_narrow_ocl.cl.h"

enum {
    GROUP = 128,
    TILE = 128,  /* pixels */
    ACROSS = 32, /* most vectors of a group: 512 bytes of a pixel */
    PARTS = 1024,
    MIN_TILES = 2, /* of a part */
    MAX_PART_BYTES = 32 << 20,
    SUM_X = 8,
    SUM_Y = 16
};

/* By value: gt_weight_narrow of the device source. */
struct weight_narrow {
    cl_int n, c, taps, kw;
    cl_int rows, row_tiles;
    cl_int tiles, chunk;
    cl_int across, down;
    cl_int cp, x_image, x_row, d;
    cl_int p, h, w;
    cl_int y_image, y_row, y_pixel, y_lane;
};

/* Output channels that a work-item has. */
static int32_t outputs(int32_t c)
{
    return c <= 4 ? 4 : c <= 8 ? 8 : 16;
}

static size_t part_count(const struct weight_narrow *g)
{
    return (size_t)g->taps * (size_t)g->n * (size_t)g->cp;
}

/* Where dy lies. */
static void locate(struct weight_narrow *g, gt_shape dy, unsigned variant)
{
    bool plain = gt__layout_equal(narrow_layout(variant), GT_LAYOUT_NCHW);
    struct gt_extent e = gt__extent(dy, narrow_layout(variant));
    g->p = plain ? narrow_wide_layout(variant).phase : 1;
    g->h = e.h;
    g->w = e.w;
    g->y_image = e.cb * e.h * e.w * e.b;
    g->y_row = e.w * e.b;
    g->y_pixel = e.b;
    g->y_lane = plain ? e.h * e.w : 1;
}

static struct weight_narrow geometry(const struct gt_attr *attr, gt_shape x, gt_shape dy,
                                     unsigned variant)
{
    gt_layout wide = narrow_wide_layout(variant);
    struct gt_extent ex = gt__extent(x, wide);
    struct gt_extent ey = gt__extent(dy, wide);
    struct weight_narrow g = {.n = dy.c,
                              .c = x.c,
                              .taps = attr->kernel_h * attr->kernel_w,
                              .kw = attr->kernel_w,
                              .rows = ey.h,
                              .cp = ex.b,
                              .x_image = ex.h * ex.w * ex.b,
                              .x_row = ex.w * ex.b,
                              .d = attr->dilation / wide.phase};
    int32_t columns = ey.w;
    locate(&g, dy, variant);
    if (g.taps == 1 && g.p == 1) {
        /* No pixel needs to know its neighbours: an image is one long row. */
        columns *= g.rows;
        g.w *= g.h;
        g.rows = g.h = 1;
    }
    g.row_tiles = gt__ceil_div(columns, TILE);
    g.tiles = ey.n * g.rows * g.row_tiles;
    g.across = gt__ceil_div(g.cp / 4, gt__ceil_div(g.cp / 4, ACROSS));
    g.down = GROUP / g.across;
    size_t most = MAX_PART_BYTES / (part_count(&g) * sizeof(float));
    int32_t parts = most < 1 ? 1 : most < PARTS ? (int32_t)most : PARTS;
    int32_t each = gt__ceil_div(g.tiles, parts);
    g.chunk = each > MIN_TILES ? each : MIN_TILES;
    return g;
}

static int32_t parts_of(const struct weight_narrow *g)
{
    return gt__ceil_div(g->tiles, g->chunk);
}

static gt_status prepare(struct gt_device *d, struct gt_step *step)
{
    char defines[32];
    snprintf(defines, sizeof defines, "-DOUTPUTS=%d", outputs(step->in[1].shape.c));
    return gt__ocl_state(d, step, "conv2d_bwd_weight_narrow_ocl", gt__cl_source, defines,
                         "weight_narrow weight_narrow_sum");
}

static gt_status run(struct gt_device *d, const struct gt_step *step)
{
    const struct gt_ocl_state *state = gt__ocl_state_of(step);
    struct weight_narrow g =
        geometry(&step->node->attr, step->in[0].shape, step->in[1].shape, step->variant);
    int32_t parts = parts_of(&g);
    struct gt_ocl_call call = gt__ocl_call(d, state->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->scratch);
    gt__ocl_arg(&call, &g, sizeof g);
    size_t local[3] = {GROUP, 1, 1};
    size_t global[3] = {(size_t)parts * GROUP, (size_t)gt__ceil_div(g.cp / 4, g.across),
                        (size_t)g.taps};
    GT_TRY(gt__ocl_launch(&call, 3, global, local));
    struct gt_ocl_call sum = gt__ocl_call(d, state->functions[1]);
    gt__ocl_arg_view(&sum, &step->scratch);
    gt__ocl_arg_view(&sum, &step->out[0]);
    gt__ocl_arg(&sum, &g, sizeof g);
    gt__ocl_arg_int(&sum, parts);
    size_t sum_local[2] = {SUM_X, SUM_Y};
    size_t sum_global[2] = {gt__align_up(part_count(&g), SUM_X), SUM_Y};
    return gt__ocl_launch(&sum, 2, sum_global, sum_local);
}

static bool plan(const struct gt_device *d, const struct gt_graph *graph,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    const struct gt_ocl_device *ocl = gt__ocl(d);
    gt_shape x = gt__in_shape(graph, node, 0);
    gt_shape dy = gt__in_shape(graph, node, 1);
    if (!gt__node_plain(node, GT_OP_conv2d_bwd_weight) || dy.c > GT_NARROW_CHANNELS ||
        !gt__may_block(graph, node->in[0]) || !gt__may_block(graph, node->in[1]) ||
        !narrow_phase_fits(&node->attr, narrow_wide_layout(variant).phase) ||
        ocl->max_group < GROUP) {
        return false;
    }
    out->in[0] = narrow_wide_layout(variant);
    out->in[1] = narrow_layout(variant);
    out->out[0] = GT_LAYOUT_NCHW;
    double elements = (double)x.c * dy.c * node->attr.kernel_h * node->attr.kernel_w;
    if (!gt__ocl_fits(graph, node, out) || elements > INT32_MAX / 4) {
        return false;
    }
    struct weight_narrow g = geometry(&node->attr, x, dy, variant);
    double stored = gt__stored(dy, out->in[0]) / gt__layout_block(out->in[0], dy.c);
    double flops = 2.0 * stored * g.taps * g.cp * outputs(g.n);
    out->scratch = (size_t)parts_of(&g) * part_count(&g) * sizeof(float);
    /* x comes from memory once, for further taps from the cache: about twice as fast. */
    double bytes = 4.0 * (0.5 * (g.taps + 1) * stored * g.cp + gt__stored(dy, out->in[1])) +
                   2.0 * (double)out->scratch;
    /* Processors have no local memory, and their barriers and copies are slow. */
    out->cost = gt__ocl_cost(d, flops, ocl->cpu ? 0.02 : 0.3, bytes, 2);
    return true;
}

const struct gt_kernel gt__conv2d_bwd_weight_narrow_ocl = {.name = "conv2d_bwd_weight_narrow_ocl",
                                                           .op = GT_OP_conv2d_bwd_weight,
                                                           .n_variants = GT_NARROW_LAYOUTS,
                                                           .plan = plan,
                                                           .prepare = prepare,
                                                           .run = run,
                                                           .release = gt__ocl_release};
