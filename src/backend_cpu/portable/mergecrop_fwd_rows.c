/* MergeCrop, y[n][c] = a[n][c] for c < Ca, else the centre of b[n][c - Ca], cropped to the size of
 * a with offsets floor((b - a)/2); a switched-off input counts as zero. All in block 1 or 16,
 * phase 1. SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows are copied whole where a block of y is a block of a or b. Where Ca is no multiple of the
 * block, the lanes of b shift: a block of y is then put together from two. With
 * GT_PROLOGUE_DOUBLE, a is doubled on the way: a[n][c][i/2][j/2]. */
#include "backend_cpu/portable/mergecrop_lanes.h"

struct job {
    struct lane_source a, b;
    float *y;
    int32_t ca;
    bool doubled; /* a */
    struct gt_extent ey;
    struct gt_rows rows;
};

static void merge_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_row_span span = gt__row_span(&job->rows, chunk);
    int32_t n = (int32_t)(span.plane / (size_t)job->ey.cb);
    int32_t cb = (int32_t)(span.plane % (size_t)job->ey.cb);
    int32_t block = job->ey.b;
    int32_t first = cb * block;
    int32_t from_a = job->ca - first;
    from_a = from_a < 0 ? 0 : from_a > block ? block : from_a;
    for (int32_t i = span.from; i < span.to; i++) {
        float *y =
            job->y + span.plane * gt__extent_plane(job->ey) + (size_t)i * gt__extent_row(job->ey);
        if (from_a > 0 && job->doubled) {
            lane_double(y, lane_row(&job->a, n, cb, i / 2), &job->a, job->ey.w, from_a);
        } else if (from_a > 0) {
            lane_copy(y, lane_row(&job->a, n, cb, i), &job->a, job->ey.w, 0, 0, from_a);
        }
        if (from_a < block) {
            lane_shift(y, &job->b, n, i, job->ey.w, from_a, first + from_a - job->ca);
        }
    }
    if (job->a.stream) {
        gt__stream_end();
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    gt_shape sb = step->in[1].shape;
    gt_shape sy = step->out[0].shape;
    struct job job = {.a = {.data = attr->forward[0] ? gt__f32(&step->in[0]) : NULL,
                            .e = gt__view_extent(&step->in[0])},
                      .b = {.data = attr->forward[1] ? gt__f32(&step->in[1]) : NULL,
                            .e = gt__view_extent(&step->in[1]),
                            .top = (sb.h - sy.h) / 2,
                            .left = (sb.w - sy.w) / 2},
                      .y = gt__f32(&step->out[0]),
                      .ca = step->in[0].shape.c,
                      .doubled = (step->node->epilogue & GT_PROLOGUE_DOUBLE) != 0,
                      .ey = gt__view_extent(&step->out[0])};
    job.a.stream = job.b.stream = job.ey.b == GT_BLOCK && gt__stream_pays(job.y, step->out[0].size);
    job.rows = gt__rows(gt__extent_planes(job.ey), job.ey.h, gt__extent_row(job.ey));
    gt__pool_for(gt__cpu_pool(device), job.rows.chunks, merge_chunk, &job);
    return GT_OK;
}

/* Variant 0: block 16, 1: block 1. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    int32_t block = variant == 0 ? GT_BLOCK : 1;
    if (node->op != GT_OP_mergecrop_fwd || (node->epilogue & ~(uint32_t)GT_PROLOGUE_DOUBLE) ||
        (block != 1 && !gt__node_may_block(g, node, 2))) {
        return false;
    }
    out->in[0] = out->in[1] = out->out[0] = gt__layout_f32(block, 1);
    double written = gt__stored(gt__out_shape(g, node, 0), out->out[0]);
    bool shifts = gt__in_shape(g, node, 0).c % block != 0;
    out->cost = gt__cpu_cost(device, written, shifts ? 1e9 : 4e9, 8.0 * written);
    return true;
}

const struct gt_kernel gt__mergecrop_fwd_rows = {.name = "mergecrop_fwd_rows",
                                                 .op = GT_OP_mergecrop_fwd,
                                                 .n_variants = 2,
                                                 .plan = plan,
                                                 .run = run};
