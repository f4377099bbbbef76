/* Gradient of MergeCrop for input `which`: da[n][c] = dy[n][c]; db[n][c] = dy[n][Ca + c] inside of
 * the crop and zero around it; all zero where attr.backward is off. dy and dx in block 1 or 16,
 * phase 1. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/mergecrop_lanes.h"

struct job {
    struct lane_source dy;
    float *dx;
    int32_t c, channel; /* channels of dx; the first of them in dy */
    int32_t h, w;       /* of dy */
    int32_t top, left;
    struct gt_extent ex;
    struct gt_rows rows;
};

/* Lanes of the pixels that belong to other channels of dy. */
static void clear_lanes(float *dx, int32_t w, int32_t b, int32_t from)
{
    for (ptrdiff_t j = 0; j < w; j++) {
        for (int32_t l = from; l < b; l++) {
            dx[j * b + l] = 0.0f;
        }
    }
}

static void clear_pixels(const struct job *job, float *dx, int32_t n)
{
    if (job->dy.stream) {
        gt__stream_zero(dx, (size_t)n);
    } else {
        memset(dx, 0, (size_t)n * (size_t)job->ex.b * sizeof *dx);
    }
}

static void crop_row(const struct job *job, float *dx, int32_t n, int32_t cb, int32_t i)
{
    int32_t b = job->ex.b;
    if (i < job->top || i >= job->top + job->h) {
        clear_pixels(job, dx, job->ex.w);
        return;
    }
    float *inner = dx + (ptrdiff_t)job->left * b;
    int32_t right = job->ex.w - job->left - job->w;
    clear_pixels(job, dx, job->left);
    lane_shift(inner, &job->dy, n, i - job->top, job->w, 0, cb * b + job->channel);
    if (job->c - cb * b < b) {
        clear_lanes(inner, job->w, b, job->c - cb * b);
    }
    clear_pixels(job, inner + (ptrdiff_t)job->w * b, right);
}

static void crop_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_row_span span = gt__row_span(&job->rows, chunk);
    int32_t n = (int32_t)(span.plane / (size_t)job->ex.cb);
    int32_t cb = (int32_t)(span.plane % (size_t)job->ex.cb);
    for (int32_t i = span.from; i < span.to; i++) {
        float *dx =
            job->dx + span.plane * gt__extent_plane(job->ex) + (size_t)i * gt__extent_row(job->ex);
        crop_row(job, dx, n, cb, i);
    }
    if (job->dy.stream) {
        gt__stream_end();
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    gt_shape sy = step->in[0].shape;
    gt_shape sx = step->out[0].shape;
    bool second = step->node->attr.which == 1;
    bool flows = step->node->attr.backward[second] != 0;
    struct job job = {
        .dy = {.data = flows ? gt__f32(&step->in[0]) : NULL, .e = gt__view_extent(&step->in[0])},
        .dx = gt__f32(&step->out[0]),
        .c = sx.c,
        .channel = second ? sy.c - sx.c : 0,
        .h = sy.h,
        .w = sy.w,
        .top = (sx.h - sy.h) / 2,
        .left = (sx.w - sy.w) / 2,
        .ex = gt__view_extent(&step->out[0])};
    job.dy.stream = job.ex.b == GT_BLOCK && gt__stream_pays(job.dx, step->out[0].size);
    job.rows = gt__rows(gt__extent_planes(job.ex), job.ex.h, gt__extent_row(job.ex));
    gt__pool_for(gt__cpu_pool(device), job.rows.chunks, crop_chunk, &job);
    return GT_OK;
}

/* Variant 0: block 16, 1: block 1. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    int32_t block = variant == 0 ? GT_BLOCK : 1;
    if (!gt__node_plain(node, GT_OP_mergecrop_bwd) ||
        (block != 1 && !gt__node_may_block(g, node, 1))) {
        return false;
    }
    out->in[0] = out->out[0] = gt__layout_f32(block, 1);
    gt_shape sx = gt__out_shape(g, node, 0);
    double written = gt__stored(sx, out->out[0]);
    int32_t channel = node->attr.which == 1 ? gt__in_shape(g, node, 0).c - sx.c : 0;
    out->cost = gt__cpu_cost(device, written, channel % block != 0 ? 1e9 : 4e9, 8.0 * written);
    return true;
}

const struct gt_kernel gt__mergecrop_bwd_rows = {.name = "mergecrop_bwd_rows",
                                                 .op = GT_OP_mergecrop_bwd,
                                                 .n_variants = 2,
                                                 .plan = plan,
                                                 .run = run};
