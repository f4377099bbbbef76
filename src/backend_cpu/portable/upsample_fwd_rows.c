/* Nearest doubling, y[n][c][2i + a][2j + b] = x[n][c][i][j], a, b in {0, 1}; x and y in block 1 or
 * 16, phase 1. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/chunk.h"
#include "backend_cpu/portable/stream.h"

struct job {
    const float *x;
    float *y;
    struct gt_extent ex;
    struct gt_rows rows;
    bool stream; /* y, in block 16 */
};

static void double_row(float *restrict y, const float *restrict x, int32_t w, int32_t b)
{
    if (b == GT_BLOCK) {
        for (ptrdiff_t j = 0; j < w; j++) {
            memcpy(y + 2 * j * GT_BLOCK, x + j * GT_BLOCK, GT_BLOCK * sizeof *x);
            memcpy(y + (2 * j + 1) * GT_BLOCK, x + j * GT_BLOCK, GT_BLOCK * sizeof *x);
        }
    } else {
        for (ptrdiff_t j = 0; j < w; j++) {
            y[2 * j] = x[j];
            y[2 * j + 1] = x[j];
        }
    }
}

/* Both rows of y, in block 16. */
static void stream_rows(float *y, const float *x, int32_t w)
{
    float *below = y + (ptrdiff_t)2 * w * GT_BLOCK;
    for (ptrdiff_t j = 0; j < w; j++) {
        gt__stream_16(y + 2 * j * GT_BLOCK, x + j * GT_BLOCK);
        gt__stream_16(y + (2 * j + 1) * GT_BLOCK, x + j * GT_BLOCK);
    }
    for (ptrdiff_t j = 0; j < w; j++) {
        gt__stream_16(below + 2 * j * GT_BLOCK, x + j * GT_BLOCK);
        gt__stream_16(below + (2 * j + 1) * GT_BLOCK, x + j * GT_BLOCK);
    }
}

static void double_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_row_span span = gt__row_span(&job->rows, chunk);
    size_t row = gt__extent_row(job->ex);
    for (int32_t i = span.from; i < span.to; i++) {
        size_t at = span.plane * (size_t)job->ex.h + (size_t)i;
        float *y = job->y + at * 4 * row;
        if (job->stream) {
            stream_rows(y, job->x + at * row, job->ex.w);
        } else {
            double_row(y, job->x + at * row, job->ex.w, job->ex.b);
            memcpy(y + 2 * row, y, 2 * row * sizeof *y);
        }
    }
    if (job->stream) {
        gt__stream_end();
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct job job = {.x = gt__f32(&step->in[0]),
                      .y = gt__f32(&step->out[0]),
                      .ex = gt__view_extent(&step->in[0])};
    job.stream = job.ex.b == GT_BLOCK && gt__stream_pays(job.y, step->out[0].size);
    job.rows = gt__rows(gt__extent_planes(job.ex), job.ex.h, 4 * gt__extent_row(job.ex));
    gt__pool_for(gt__cpu_pool(device), job.rows.chunks, double_chunk, &job);
    return GT_OK;
}

/* Variant 0: block 16, 1: block 1. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    int32_t block = variant == 0 ? GT_BLOCK : 1;
    if (!gt__node_plain(node, GT_OP_upsample_fwd) ||
        (block != 1 && !gt__node_may_block(g, node, 1))) {
        return false;
    }
    out->in[0] = gt__layout_f32(block, 1);
    out->out[0] = gt__layout_f32(block, 1);
    double read = gt__stored(gt__in_shape(g, node, 0), out->in[0]);
    out->cost = gt__cpu_cost(device, 4.0 * read, 4e9, 20.0 * read);
    return true;
}

const struct gt_kernel gt__upsample_fwd_rows = {.name = "upsample_fwd_rows",
                                                .op = GT_OP_upsample_fwd,
                                                .n_variants = 2,
                                                .plan = plan,
                                                .run = run};
