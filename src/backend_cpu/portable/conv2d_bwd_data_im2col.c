/* Data gradient of the convolution through OpenBLAS, NCHW, any dilation; variants 0 to 3: phase 1,
 * 2, 4, 8.
 *
 * dcol[k][pixel] = sum over o of w[o][k] * dy[o][pixel], k = (c, a, b), added to dx[c][i + a*d][j +
 * b*d]. A chunk is (fragment, slice of input channels) and owns those planes of dx: it goes through
 * all bands of dy in order, so nothing is added twice or by two threads. 1x1 kernels write dx
 * itself, a chunk being (fragment, band). SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/conv2d_im2col.h"

struct data_job {
    struct conv_geometry g;
    struct conv_grid grid; /* of dy */
    int32_t slice, slices; /* inputs of a chunk */
    size_t slot;           /* floats */
    const float *dy, *w;
    float *dx, *columns;
};

static void data_cut(struct data_job *j, const struct conv_geometry *g)
{
    *j = (struct data_job){.g = *g, .slice = g->cin, .slices = 1};
    column_flatten(&j->g);
    if (column_is_one(g)) {
        j->grid = conv_grid(j->g.ho, j->g.wo, COLUMN_PIXELS);
        return;
    }
    int32_t parts = conv_min(g->cin, gt__ceil_div(COLUMN_CHUNKS, g->n));
    int32_t rows = gt__ceil_div(64, g->kh * g->kw); /* fewer make a poor product */
    j->slice = conv_max(gt__ceil_div(g->cin, parts), conv_min(g->cin, rows));
    j->grid = conv_grid(g->ho, g->wo, conv_min(COLUMN_PIXELS, column_pixels(g)));
    size_t pixels = (size_t)j->grid.rows * (size_t)j->grid.cols;
    j->slice = conv_min(j->slice, column_channels(g, pixels, g->cin));
    j->slices = gt__ceil_div(g->cin, j->slice);
    j->slot = pixels * (size_t)j->slice * (size_t)g->kh * (size_t)g->kw;
    j->slot = gt__align_up(j->slot, GT_ALIGN / sizeof(float));
}

static bool data_plan(const struct gt_device *d, const struct gt_graph *g,
                      const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct conv_geometry c;
    struct data_job j;
    if (!conv_geometry(&c, gt__value(g, node->out[0])->shape, gt__value(g, node->in[0])->shape,
                       &node->attr, 1 << variant) ||
        !column_fits(&c)) {
        return false;
    }
    data_cut(&j, &c);
    gt_layout planar = {1, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = planar;
    out->in[1] = GT_LAYOUT_NCHW;
    out->out[0] = planar;
    out->flags = GT_PLAN_UNORDERED;
    out->scratch = j.slot ? j.slot * sizeof(float) * column_slots(j.slot * sizeof(float)) : 0;
    out->cost = column_cost(d, &c);
    return true;
}

/* dx of a 1x1 kernel, one band. */
static void data_one(void *cookie, size_t chunk, int32_t slot)
{
    (void)slot;
    const struct data_job *j = cookie;
    const struct conv_geometry *g = &j->g;
    size_t rects = (size_t)conv_grid_count(&j->grid);
    struct conv_rect r = conv_rect(&j->grid, (int32_t)(chunk % rects));
    size_t image = chunk / rects;
    size_t plane = (size_t)g->ho * (size_t)g->wo;
    size_t first = (size_t)r.r0 * (size_t)g->wo + (size_t)r.c0;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, g->cin, (int)column_rect_pixels(r),
                g->cout, 1.0f, j->w, g->cin, j->dy + image * (size_t)g->cout * plane + first,
                (int)plane, 0.0f, j->dx + image * (size_t)g->cin * plane + first, (int)plane);
}

static void data_chunk(void *cookie, size_t chunk, int32_t slot)
{
    const struct data_job *j = cookie;
    const struct conv_geometry *g = &j->g;
    size_t image = chunk / (size_t)j->slices;
    int32_t c0 = (int32_t)(chunk % (size_t)j->slices) * j->slice;
    int32_t n = conv_min(j->slice, g->cin - c0);
    int32_t taps = g->kh * g->kw;
    size_t x_plane = (size_t)g->hi * (size_t)g->wi;
    size_t y_plane = (size_t)g->ho * (size_t)g->wo;
    float *dx = j->dx + (image * (size_t)g->cin + (size_t)c0) * x_plane;
    float *col = j->columns + (size_t)slot * j->slot;
    memset(dx, 0, (size_t)n * x_plane * sizeof(float));
    for (int32_t i = 0; i < conv_grid_count(&j->grid); i++) {
        struct conv_rect r = conv_rect(&j->grid, i);
        int pixels = (int)column_rect_pixels(r);
        const float *dy =
            j->dy + image * (size_t)g->cout * y_plane + (size_t)r.r0 * (size_t)g->wo + (size_t)r.c0;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n * taps, pixels, g->cout, 1.0f,
                    j->w + (size_t)c0 * (size_t)taps, g->cin * taps, dy, (int)y_plane, 0.0f, col,
                    pixels);
        column_add(dx, g, col, n, r);
    }
}

static gt_status data_run(struct gt_device *d, const struct gt_step *step)
{
    struct conv_geometry c;
    if (!conv_geometry(&c, step->out[0].shape, step->in[0].shape, &step->node->attr,
                       1 << step->variant)) {
        return gt__fail(GT_EINVAL, "conv2d_bwd_data_im2col cannot run in phase %d",
                        step->in[0].layout.phase);
    }
    struct data_job j;
    data_cut(&j, &c);
    j.dy = gt__f32(&step->in[0]);
    j.w = gt__f32(&step->in[1]);
    j.dx = gt__f32(&step->out[0]);
    struct gt_pool *pool = gt__cpu_pool(d);
    if (column_is_one(&c)) {
        column_for(pool, column_slots(0), (size_t)c.n * (size_t)conv_grid_count(&j.grid), data_one,
                   &j);
    } else {
        j.columns = gt__f32(&step->scratch);
        column_for(pool, column_slots(j.slot * sizeof(float)), (size_t)c.n * (size_t)j.slices,
                   data_chunk, &j);
    }
    column_clear_tails(pool, j.dx, step->out[0].shape, c.phase);
    return GT_OK;
}

const struct gt_kernel gt__conv2d_bwd_data_im2col = {.name = "conv2d_bwd_data_im2col",
                                                     .op = GT_OP_conv2d_bwd_data,
                                                     .n_variants = COLUMN_VARIANTS,
                                                     .plan = data_plan,
                                                     .run = data_run};
