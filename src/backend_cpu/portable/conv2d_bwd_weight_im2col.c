/* Weight gradient of the convolution through OpenBLAS, NCHW, any dilation; variants 0 to 3: phase
 * 1, 2, 4, 8.
 *
 * dw[o][k] = sum over pixels of dy[o][pixel] * col[k][pixel], k = (c, a, b). A chunk is (range of
 * bands of all fragments, slice of input channels) and sums into the range's copy of dw; the ranges
 * follow from shapes only and are then added in order. 1x1 kernels multiply x itself.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/conv2d_im2col.h"

enum { MAX_PARTIAL_BYTES = 24 << 20, MAX_RANGES = 32, REDUCE_FLOATS = 16384 };

struct weight_job {
    struct conv_geometry g;
    struct conv_grid grid; /* of dy */
    int32_t slice, slices; /* inputs of a chunk */
    size_t bands;          /* of all fragments */
    size_t ranges, range;  /* of bands */
    size_t slot, count;    /* floats of a column buffer, of dw */
    const float *x, *dy;
    float *dw, *partial, *columns;
};

static void weight_cut(struct weight_job *j, const struct conv_geometry *g)
{
    *j = (struct weight_job){.g = *g};
    column_flatten(&j->g);
    j->count = (size_t)g->cout * (size_t)g->cin * (size_t)g->kh * (size_t)g->kw;
    j->grid = conv_grid(j->g.ho, j->g.wo, column_pixels(g));
    j->bands = (size_t)g->n * (size_t)conv_grid_count(&j->grid);
    size_t most = MAX_PARTIAL_BYTES / sizeof(float) / j->count;
    size_t ranges = j->bands < MAX_RANGES ? j->bands : MAX_RANGES;
    ranges = ranges < most ? ranges : most;
    ranges = ranges > 1 ? ranges : 1;
    j->range = gt__ceil_div_z(j->bands, ranges);
    j->ranges = gt__ceil_div_z(j->bands, j->range);
    size_t pixels = (size_t)j->grid.rows * (size_t)j->grid.cols;
    int32_t parts = conv_min(g->cin, (int32_t)gt__ceil_div_z(COLUMN_CHUNKS, j->ranges));
    int32_t least = gt__ceil_div(64, g->kh * g->kw); /* fewer make a poor product */
    j->slice = conv_min(g->cin, conv_max(gt__ceil_div(g->cin, parts), least));
    if (!column_is_one(g)) {
        j->slice = column_channels(g, pixels, j->slice);
        j->slot = pixels * (size_t)j->slice * (size_t)g->kh * (size_t)g->kw;
        j->slot = gt__align_up(j->slot, GT_ALIGN / sizeof(float));
    }
    j->slices = gt__ceil_div(g->cin, j->slice);
}

/* Floats before the column buffers: copies of dw, none if there is one range. */
static size_t weight_partial(const struct weight_job *j)
{
    return j->ranges > 1 ? gt__align_up(j->count * j->ranges, GT_ALIGN / sizeof(float)) : 0;
}

static bool weight_plan(const struct gt_device *d, const struct gt_graph *g,
                        const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct conv_geometry c;
    struct weight_job j;
    if (!conv_geometry(&c, gt__value(g, node->in[0])->shape, gt__value(g, node->in[1])->shape,
                       &node->attr, 1 << variant) ||
        !column_fits(&c)) {
        return false;
    }
    weight_cut(&j, &c);
    gt_layout planar = {1, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = planar;
    out->in[1] = planar;
    out->out[0] = GT_LAYOUT_NCHW;
    out->flags = GT_PLAN_UNORDERED;
    size_t slots = j.slot ? column_slots(j.slot * sizeof(float)) : 0;
    out->scratch = (weight_partial(&j) + j.slot * slots) * sizeof(float);
    out->cost = column_cost(d, &c);
    return true;
}

static void weight_chunk(void *cookie, size_t chunk, int32_t slot)
{
    const struct weight_job *j = cookie;
    const struct conv_geometry *g = &j->g;
    int32_t c0 = (int32_t)(chunk % (size_t)j->slices) * j->slice;
    size_t range = chunk / (size_t)j->slices;
    int32_t n = conv_min(j->slice, g->cin - c0);
    int32_t taps = g->kh * g->kw;
    size_t x_plane = (size_t)g->hi * (size_t)g->wi;
    size_t y_plane = (size_t)g->ho * (size_t)g->wo;
    size_t rects = (size_t)conv_grid_count(&j->grid);
    float *dw = (j->partial ? j->partial + range * j->count : j->dw) + (size_t)c0 * (size_t)taps;
    size_t first = range * j->range;
    size_t end = first + j->range < j->bands ? first + j->range : j->bands;
    for (size_t i = first; i < end; i++) {
        struct conv_rect r = conv_rect(&j->grid, (int32_t)(i % rects));
        size_t image = i / rects;
        int pixels = (int)column_rect_pixels(r);
        size_t at = (size_t)r.r0 * (size_t)g->wo + (size_t)r.c0;
        const float *x = j->x + (image * (size_t)g->cin + (size_t)c0) * x_plane;
        const float *b = x + (size_t)r.r0 * (size_t)g->wi + (size_t)r.c0;
        int ldb = (int)x_plane;
        if (!column_is_one(g)) {
            float *col = j->columns + (size_t)slot * j->slot;
            column_fill(col, g, x, n, r);
            b = col;
            ldb = pixels;
        }
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, g->cout, n * taps, pixels, 1.0f,
                    j->dy + image * (size_t)g->cout * y_plane + at, (int)y_plane, b, ldb,
                    i == first ? 0.0f : 1.0f, dw, g->cin * taps);
    }
}

static void weight_reduce(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct weight_job *j = cookie;
    size_t first = chunk * REDUCE_FLOATS;
    size_t end = first + REDUCE_FLOATS < j->count ? first + REDUCE_FLOATS : j->count;
    memcpy(j->dw + first, j->partial + first, (end - first) * sizeof(float));
    for (size_t r = 1; r < j->ranges; r++) {
        const float *src = j->partial + r * j->count;
        for (size_t i = first; i < end; i++) {
            j->dw[i] += src[i];
        }
    }
}

static gt_status weight_run(struct gt_device *d, const struct gt_step *step)
{
    struct conv_geometry c;
    if (!conv_geometry(&c, step->in[0].shape, step->in[1].shape, &step->node->attr,
                       1 << step->variant)) {
        return gt__fail(GT_EINVAL, "conv2d_bwd_weight_im2col cannot run in phase %d",
                        step->in[0].layout.phase);
    }
    struct weight_job j;
    weight_cut(&j, &c);
    j.x = gt__f32(&step->in[0]);
    j.dy = gt__f32(&step->in[1]);
    j.dw = gt__f32(&step->out[0]);
    float *scratch = gt__f32(&step->scratch);
    j.partial = j.ranges > 1 ? scratch : NULL;
    j.columns = j.slot ? scratch + weight_partial(&j) : NULL;
    struct gt_pool *pool = gt__cpu_pool(d);
    column_for(pool, column_slots(j.slot * sizeof(float)), j.ranges * (size_t)j.slices,
               weight_chunk, &j);
    if (j.partial) {
        gt__pool_for(pool, gt__ceil_div_z(j.count, REDUCE_FLOATS), weight_reduce, &j);
    }
    return GT_OK;
}

const struct gt_kernel gt__conv2d_bwd_weight_im2col = {.name = "conv2d_bwd_weight_im2col",
                                                       .op = GT_OP_conv2d_bwd_weight,
                                                       .n_variants = COLUMN_VARIANTS,
                                                       .plan = weight_plan,
                                                       .run = weight_run};
