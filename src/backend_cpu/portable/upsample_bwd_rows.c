/* Gradient of nearest doubling, dx[n][c][i][j] = sum over a, b in {0, 1}, row-major, of
 * dy[n][c][2i + a][2j + b]; dy and dx in block 1 or 16, phase 1.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/chunk.h"

struct job {
    const float *dy;
    float *dx;
    struct gt_extent ex;
    struct gt_rows rows;
};

/* u and v: the two rows of dy. */
static void sum_row(float *restrict dx, const float *restrict u, const float *restrict v, int32_t w,
                    int32_t b)
{
    if (b == GT_BLOCK) {
        for (ptrdiff_t j = 0; j < w; j++) {
            const float *u2 = u + 2 * j * GT_BLOCK;
            const float *v2 = v + 2 * j * GT_BLOCK;
            for (ptrdiff_t l = 0; l < GT_BLOCK; l++) {
                dx[j * GT_BLOCK + l] = ((u2[l] + u2[l + GT_BLOCK]) + v2[l]) + v2[l + GT_BLOCK];
            }
        }
    } else {
        for (ptrdiff_t j = 0; j < w; j++) {
            dx[j] = ((u[2 * j] + u[2 * j + 1]) + v[2 * j]) + v[2 * j + 1];
        }
    }
}

static void sum_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_row_span span = gt__row_span(&job->rows, chunk);
    size_t row = gt__extent_row(job->ex);
    for (int32_t i = span.from; i < span.to; i++) {
        size_t at = span.plane * (size_t)job->ex.h + (size_t)i;
        const float *dy = job->dy + at * 4 * row;
        sum_row(job->dx + at * row, dy, dy + 2 * row, job->ex.w, job->ex.b);
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct job job = {.dy = gt__f32(&step->in[0]),
                      .dx = gt__f32(&step->out[0]),
                      .ex = gt__view_extent(&step->out[0])};
    job.rows = gt__rows(gt__extent_planes(job.ex), job.ex.h, 4 * gt__extent_row(job.ex));
    gt__pool_for(gt__cpu_pool(device), job.rows.chunks, sum_chunk, &job);
    return GT_OK;
}

/* Variant 0: block 16, 1: block 1. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    int32_t block = variant == 0 ? GT_BLOCK : 1;
    if (!gt__node_plain(node, GT_OP_upsample_bwd) ||
        (block != 1 && !gt__node_may_block(g, node, 1))) {
        return false;
    }
    out->in[0] = gt__layout_f32(block, 1);
    out->out[0] = gt__layout_f32(block, 1);
    double written = gt__stored(gt__out_shape(g, node, 0), out->out[0]);
    out->cost = gt__cpu_cost(device, 4.0 * written, 4e9, 20.0 * written);
    return true;
}

const struct gt_kernel gt__upsample_bwd_rows = {.name = "upsample_bwd_rows",
                                                .op = GT_OP_upsample_bwd,
                                                .n_variants = 2,
                                                .plan = plan,
                                                .run = run};
