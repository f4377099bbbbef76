/* Forward convolution through OpenBLAS, NCHW, any dilation; variants 0 to 3: phase 1, 2, 4, 8.
 *
 * y[o][pixel] = epilogue(sum over k of w[o][k] * col[k][pixel]), k = (c, a, b); col holds a band of
 * pixels and as many channels as fit the buffer, further channels are added to y. 1x1 kernels
 * multiply x itself. A chunk is (fragment, band, slice of outputs).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/conv2d_im2col.h"

struct fwd_job {
    struct conv_geometry g;
    struct conv_grid grid;
    int32_t slice, slices; /* outputs of a chunk */
    int32_t channels;      /* of a column buffer */
    size_t slot;           /* floats */
    const float *x, *w, *bias;
    float *y, *columns;
    bool relu;
};

static void fwd_cut(struct fwd_job *j, const struct conv_geometry *g)
{
    *j = (struct fwd_job){.g = *g};
    column_flatten(&j->g);
    j->grid = conv_grid(j->g.ho, j->g.wo, column_pixels(g));
    size_t pixels = (size_t)j->grid.rows * (size_t)j->grid.cols;
    bool one = column_is_one(g);
    j->channels = one ? g->cin : column_channels(g, pixels, g->cin);
    j->slot = one ? 0 : pixels * (size_t)j->channels * (size_t)g->kh * (size_t)g->kw;
    j->slot = gt__align_up(j->slot, GT_ALIGN / sizeof(float));
    int64_t bands = (int64_t)g->n * conv_grid_count(&j->grid);
    int64_t parts = bands >= COLUMN_CHUNKS ? 1 : (COLUMN_CHUNKS + bands - 1) / bands;
    parts = conv_min((int32_t)parts, gt__ceil_div(g->cout, 64));
    j->slice = gt__ceil_div(g->cout, (int32_t)parts);
    j->slices = gt__ceil_div(g->cout, j->slice);
}

static bool fwd_plan(const struct gt_device *d, const struct gt_graph *g,
                     const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    struct conv_geometry c;
    struct fwd_job j;
    if (!conv_geometry(&c, gt__value(g, node->in[0])->shape, gt__value(g, node->out[0])->shape,
                       &node->attr, 1 << variant) ||
        !column_fits(&c)) {
        return false;
    }
    fwd_cut(&j, &c);
    gt_layout planar = {1, (int16_t)c.phase, GT_KIND_F32};
    out->in[0] = planar;
    out->in[1] = GT_LAYOUT_NCHW;
    out->in[2] = GT_LAYOUT_NCHW;
    out->out[0] = planar;
    out->flags = GT_PLAN_UNORDERED;
    out->scratch = j.slot ? j.slot * sizeof(float) * column_slots(j.slot * sizeof(float)) : 0;
    out->cost = column_cost(d, &c);
    return true;
}

static void fwd_epilogue(const struct fwd_job *j, float *y, size_t pixels, int32_t o)
{
    float bias = j->bias ? j->bias[o] : -0.0f; /* -0 changes no value */
    if (j->relu) {
        for (size_t i = 0; i < pixels; i++) {
            float v = y[i] + bias;
            y[i] = v < 0 ? 0 : v;
        }
    } else if (j->bias) {
        for (size_t i = 0; i < pixels; i++) {
            y[i] += bias;
        }
    }
}

static void fwd_multiply(const struct fwd_job *j, const float *x, float *y, float *col, int32_t o0,
                         int32_t n, struct conv_rect r)
{
    const struct conv_geometry *g = &j->g;
    int32_t taps = g->kh * g->kw;
    int32_t k = g->cin * taps;
    int32_t pixels = (int32_t)column_rect_pixels(r);
    size_t x_plane = (size_t)g->hi * (size_t)g->wi;
    for (int32_t c = 0; c < g->cin; c += j->channels) {
        int32_t m = conv_min(j->channels, g->cin - c);
        const float *b = x + (size_t)c * x_plane + (size_t)r.r0 * (size_t)g->wi + (size_t)r.c0;
        int32_t ldb = g->hi * g->wi;
        if (!column_is_one(g)) {
            column_fill(col, g, x + (size_t)c * x_plane, m, r);
            b = col;
            ldb = pixels;
        }
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, pixels, m * taps, 1.0f,
                    j->w + (size_t)o0 * (size_t)k + (size_t)c * (size_t)taps, k, b, ldb,
                    c == 0 ? 0.0f : 1.0f, y, g->ho * g->wo);
    }
}

static void fwd_chunk(void *cookie, size_t chunk, int32_t slot)
{
    const struct fwd_job *j = cookie;
    const struct conv_geometry *g = &j->g;
    int32_t o0 = (int32_t)(chunk % (size_t)j->slices) * j->slice;
    int32_t n = conv_min(j->slice, g->cout - o0);
    size_t rest = chunk / (size_t)j->slices;
    size_t rects = (size_t)conv_grid_count(&j->grid);
    struct conv_rect r = conv_rect(&j->grid, (int32_t)(rest % rects));
    size_t image = rest / rects;
    size_t y_plane = (size_t)g->ho * (size_t)g->wo;
    const float *x = j->x + image * (size_t)g->cin * (size_t)g->hi * (size_t)g->wi;
    float *y = j->y + (image * (size_t)g->cout + (size_t)o0) * y_plane;
    size_t first = (size_t)r.r0 * (size_t)g->wo + (size_t)r.c0;
    fwd_multiply(j, x, y + first, j->columns ? j->columns + (size_t)slot * j->slot : NULL, o0, n,
                 r);
    for (int32_t o = 0; o < n; o++) {
        fwd_epilogue(j, y + (size_t)o * y_plane + first, column_rect_pixels(r), o0 + o);
    }
}

static gt_status fwd_run(struct gt_device *d, const struct gt_step *step)
{
    struct conv_geometry c;
    if (!conv_geometry(&c, step->in[0].shape, step->out[0].shape, &step->node->attr,
                       1 << step->variant)) {
        return gt__fail(GT_EINVAL, "conv2d_fwd_im2col cannot run in phase %d",
                        step->in[0].layout.phase);
    }
    struct fwd_job j;
    fwd_cut(&j, &c);
    j.x = gt__f32(&step->in[0]);
    j.w = gt__f32(&step->in[1]);
    j.bias = step->node->epilogue & GT_EPILOGUE_BIAS ? gt__f32(&step->in[2]) : NULL;
    j.relu = (step->node->epilogue & GT_EPILOGUE_RELU) != 0;
    j.y = gt__f32(&step->out[0]);
    j.columns = j.slot ? gt__f32(&step->scratch) : NULL;
    struct gt_pool *pool = gt__cpu_pool(d);
    size_t chunks = (size_t)c.n * (size_t)conv_grid_count(&j.grid) * (size_t)j.slices;
    column_for(pool, column_slots(j.slot * sizeof(float)), chunks, fwd_chunk, &j);
    column_clear_tails(pool, j.y, step->out[0].shape, c.phase);
    return GT_OK;
}

const struct gt_kernel gt__conv2d_fwd_im2col = {.name = "conv2d_fwd_im2col",
                                                .op = GT_OP_conv2d_fwd,
                                                .n_variants = COLUMN_VARIANTS,
                                                .plan = fwd_plan,
                                                .run = fwd_run};
