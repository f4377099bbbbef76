/* Gradient of a bias, dbias[c] = sum over n, h, w of dy[n][c][h][w]; dy in block 1 or 16 and any
 * phase, its tails zero, so that whole planes are summed. SPDX-License-Identifier: BSD-2-Clause
 *
 * A chunk sums rows of one plane in 16 lanes of float (at most GT_CHUNK/16 terms each, or a row);
 * the chunks' sums are added in order, in double. */
#include "backend_cpu/portable/chunk.h"

struct job {
    const float *dy;
    double *sums; /* [chunks][b] */
    struct gt_extent e;
    struct gt_rows rows;
};

static void sum_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_row_span span = gt__row_span(&job->rows, chunk);
    size_t row = gt__extent_row(job->e);
    const float *dy = job->dy + span.plane * gt__extent_plane(job->e) + (size_t)span.from * row;
    size_t n = (size_t)(span.to - span.from) * row;
    float lanes[GT_BLOCK] = {0};
    size_t i = 0;
    for (; i + GT_BLOCK <= n; i += GT_BLOCK) {
        for (size_t l = 0; l < GT_BLOCK; l++) {
            lanes[l] += dy[i + l];
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        lanes[l] += dy[i + l];
    }
    if (job->e.b == GT_BLOCK) {
        for (size_t l = 0; l < GT_BLOCK; l++) {
            job->sums[chunk * GT_BLOCK + l] = (double)lanes[l];
        }
        return;
    }
    double sum = 0.0;
    for (size_t l = 0; l < GT_BLOCK; l++) {
        sum += (double)lanes[l];
    }
    job->sums[chunk] = sum;
}

/* sums[image][cb][chunk of the plane][lane] */
static double reduce(const struct job *job, int32_t c)
{
    size_t b = (size_t)job->e.b;
    size_t cb = (size_t)c / b;
    size_t lane = (size_t)c % b;
    double sum = 0.0;
    for (size_t n = 0; n < (size_t)job->e.n; n++) {
        size_t first = (n * (size_t)job->e.cb + cb) * job->rows.per_plane;
        for (size_t k = first; k < first + job->rows.per_plane; k++) {
            sum += job->sums[k * b + lane];
        }
    }
    return sum;
}

static struct gt_rows chunks_of(struct gt_extent e)
{
    return gt__rows(gt__extent_planes(e), e.h, gt__extent_row(e));
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct job job = {.dy = gt__f32(&step->in[0]),
                      .sums = (double *)(void *)gt__f32(&step->scratch),
                      .e = gt__view_extent(&step->in[0])};
    float *dbias = gt__f32(&step->out[0]);
    job.rows = chunks_of(job.e);
    gt__pool_for(gt__cpu_pool(device), job.rows.chunks, sum_chunk, &job);
    for (int32_t c = 0; c < step->in[0].shape.c; c++) {
        dbias[c] = (float)reduce(&job, c);
    }
    return GT_OK;
}

/* Variant: bit 0 block 1 instead of 16, then log2 of the phase. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    int32_t block = variant & 1u ? 1 : GT_BLOCK;
    int32_t phase = 1 << (variant >> 1);
    if (!gt__node_plain(node, GT_OP_bias_bwd) ||
        ((block != 1 || phase != 1) && !gt__may_block(g, node->in[0]))) {
        return false;
    }
    gt_shape shape = gt__in_shape(g, node, 0);
    out->in[0] = gt__layout_f32(block, phase);
    out->out[0] = GT_LAYOUT_NCHW;
    struct gt_rows rows = chunks_of(gt__extent(shape, out->in[0]));
    if (!gt__mul(&out->scratch, rows.chunks, (size_t)block * sizeof(double))) {
        return false;
    }
    double count = gt__stored(shape, out->in[0]);
    out->cost = gt__cpu_cost(device, count, 4e9, 4.0 * count);
    return true;
}

const struct gt_kernel gt__bias_bwd_planes = {
    .name = "bias_bwd_planes", .op = GT_OP_bias_bwd, .n_variants = 8, .plan = plan, .run = run};
