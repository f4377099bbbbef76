/* Bias, y[n][c][h][w] = x[n][c][h][w] + bias[c], x and y in one layout of block 1 or 16 and any
 * phase. Pad lanes and what lies beyond a fragment's true size become zero.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/chunk.h"

struct job {
    const float *x, *bias;
    float *y;
    gt_shape shape;
    int32_t p;
    struct gt_extent e;
    struct gt_rows rows;
};

/* w pixels of b lanes. */
static void add_row(float *y, const float *x, const float lanes[GT_BLOCK], int32_t w, int32_t b)
{
    if (b == GT_BLOCK) {
        for (ptrdiff_t j = 0; j < w; j++) {
            GT_INDEPENDENT
            for (ptrdiff_t l = 0; l < GT_BLOCK; l++) {
                y[j * GT_BLOCK + l] = x[j * GT_BLOCK + l] + lanes[l];
            }
        }
    } else {
        float bias = lanes[0];
        GT_INDEPENDENT
        for (ptrdiff_t j = 0; j < w; j++) {
            y[j] = x[j] + bias;
        }
    }
}

static void bias_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_row_span span = gt__row_span(&job->rows, chunk);
    int32_t b = job->e.b;
    int32_t p = job->p;
    int32_t image = (int32_t)(span.plane / (size_t)job->e.cb);
    int32_t c = (int32_t)(span.plane % (size_t)job->e.cb) * b;
    int32_t nh = gt__fragment_size(job->shape.h, p, image % (p * p) / p);
    int32_t nw = gt__fragment_size(job->shape.w, p, image % p);
    float lanes[GT_BLOCK] = {0};
    for (int32_t l = 0; l < b && c + l < job->shape.c; l++) {
        lanes[l] = job->bias[c + l];
    }
    size_t row = gt__extent_row(job->e);
    for (int32_t i = span.from; i < span.to; i++) {
        size_t at = span.plane * gt__extent_plane(job->e) + (size_t)i * row;
        float *y = job->y + at;
        int32_t w = i < nh ? nw : 0;
        size_t done = (size_t)w * (size_t)b;
        add_row(y, job->x + at, lanes, w, b);
        memset(y + done, 0, (row - done) * sizeof *y);
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct job job = {.x = gt__f32(&step->in[0]),
                      .bias = gt__f32(&step->in[1]),
                      .y = gt__f32(&step->out[0]),
                      .shape = step->in[0].shape,
                      .p = step->in[0].layout.phase,
                      .e = gt__view_extent(&step->in[0])};
    job.rows = gt__rows(gt__extent_planes(job.e), job.e.h, gt__extent_row(job.e));
    gt__pool_for(gt__cpu_pool(device), job.rows.chunks, bias_chunk, &job);
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    int32_t block = out->in[0].block;
    if (!gt__node_plain(node, GT_OP_bias_fwd) || (block != 0 && block != 1 && block != GT_BLOCK)) {
        return false;
    }
    out->out[0] = out->in[0];
    out->in[1] = GT_LAYOUT_NCHW;
    out->inplace = 1;
    double count = gt__stored(gt__in_shape(g, node, 0), out->in[0]);
    out->cost = gt__cpu_cost(device, count, 4e9, 8.0 * count);
    return true;
}

const struct gt_kernel gt__bias_fwd_planes = {
    .name = "bias_fwd_planes", .op = GT_OP_bias_fwd, .n_variants = 1, .plan = plan, .run = run};
