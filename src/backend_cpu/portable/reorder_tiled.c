/* A tensor in another layout: (b, p) to (b', p') for b, b' in {1, 16} and p, p' in {1, 2, 4, 8};
 * f32 or u8. All tails and pad lanes are written as zero. SPDX-License-Identifier: BSD-2-Clause
 *
 * The work is the rows of the destination, 16 channels at a time. Since the phases are powers of
 * two, the columns of a destination row are every (p'/p)-th column of one source row, or, where p >
 * p', come from p/p' source fragments in turn. */
#include "backend_cpu/portable/chunk.h"

struct job {
    const void *x;
    void *y;
    gt_shape shape;
    struct gt_extent ex, ey;
    int32_t p, q;   /* phases of source and destination */
    int32_t groups; /* of 16 channels */
    struct gt_rows rows;
};

/* A destination fragment (fi, fj) of image n: 16 channels from group*16 on. */
struct place {
    int32_t n, fi, fj, group, channels, nw;
};

static struct place place_of(const struct job *job, size_t plane)
{
    int32_t q = job->q;
    int32_t image = (int32_t)(plane / (size_t)job->groups);
    struct place at = {.n = image / (q * q),
                       .fi = image % (q * q) / q,
                       .fj = image % q,
                       .group = (int32_t)(plane % (size_t)job->groups)};
    int32_t left = job->shape.c - at.group * GT_BLOCK;
    at.channels = left < GT_BLOCK ? left : GT_BLOCK;
    at.nw = gt__fragment_size(job->shape.w, q, at.fj);
    return at;
}

/* n columns of up to 16 channels go from one row to another. Channels lie x_channel and y_channel
 * elements apart, columns x_column and y_column. */
struct reorder_row {
    ptrdiff_t x_channel, y_channel, x_column, y_column;
    int32_t n, channels;
};

#define T float
#define NAME(x) x##_f32
#include "backend_cpu/portable/reorder_tiled_rows.h"
#undef T
#undef NAME

#define T uint8_t
#define NAME(x) x##_u8
#include "backend_cpu/portable/reorder_tiled_rows.h"
#undef T
#undef NAME

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_view *x = &step->in[0];
    const struct gt_view *y = &step->out[0];
    struct job job = {.x = gt__u8(x),
                      .y = gt__u8(y),
                      .shape = x->shape,
                      .ex = gt__view_extent(x),
                      .ey = gt__view_extent(y),
                      .p = x->layout.phase,
                      .q = y->layout.phase,
                      .groups = gt__ceil_div(x->shape.c, GT_BLOCK)};
    job.rows =
        gt__rows((size_t)job.ey.n * (size_t)job.groups, job.ey.h, (size_t)job.ey.w * GT_BLOCK);
    gt__pool_for(gt__cpu_pool(device), job.rows.chunks,
                 x->layout.kind == GT_KIND_U8 ? reorder_chunk_u8 : reorder_chunk_f32, &job);
    return GT_OK;
}

static bool can(gt_layout l)
{
    return (l.block == 1 || l.block == GT_BLOCK) &&
           (l.phase == 1 || l.phase == 2 || l.phase == 4 || l.phase == 8);
}

/* The layouts are given: plan->in[0] and plan->out[0]. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    gt_layout from = out->in[0];
    gt_layout to = out->out[0];
    if (!gt__node_plain(node, GT_OP_reorder) || !can(from) || !can(to) || from.kind != to.kind) {
        return false;
    }
    gt_shape shape = gt__in_shape(g, node, 0);
    double read = gt__stored(shape, from);
    double written = gt__stored(shape, to);
    bool transposes = from.block != to.block || (from.block == 1 && from.phase != to.phase);
    out->cost = gt__cpu_cost(device, written, transposes ? 1.2e9 : 3e9,
                             (read + written) * (double)gt__kind_size(from.kind));
    return true;
}

const struct gt_kernel gt__reorder_tiled = {
    .name = "reorder_tiled", .op = GT_OP_reorder, .n_variants = 1, .plan = plan, .run = run};
