/* Squared norm, out = acc + sum of g^2 (acc may be absent). Every chunk sums in 8 lanes of double;
 * the chunks' sums are added in order. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/chunk.h"

enum { LANES = 8 };

struct job {
    const float *g;
    double *sums; /* [chunks] */
    size_t count;
};

static void sum_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    const float *g = job->g + chunk * GT_CHUNK;
    size_t n = gt__flat_size(job->count, chunk);
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            lanes[l] += (double)g[i + l] * (double)g[i + l];
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        lanes[l] += (double)g[i + l] * (double)g[i + l];
    }
    double sum = 0.0;
    for (size_t l = 0; l < LANES; l++) {
        sum += lanes[l];
    }
    job->sums[chunk] = sum;
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct job job = {.g = gt__f32(&step->in[0]),
                      .sums = (double *)(void *)gt__f32(&step->scratch),
                      .count = gt__count(step->in[0].shape)};
    const float *acc = gt__f32(&step->in[1]);
    size_t chunks = gt__flat_chunks(job.count);
    gt__pool_for(gt__cpu_pool(device), chunks, sum_chunk, &job);
    double sum = acc ? (double)acc[0] : 0.0;
    for (size_t i = 0; i < chunks; i++) {
        sum += job.sums[i];
    }
    gt__f32(&step->out[0])[0] = (float)sum;
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    size_t count = gt__count(gt__in_shape(g, node, 0));
    if (!gt__node_plain(node, GT_OP_sumsq) ||
        !gt__mul(&out->scratch, gt__flat_chunks(count), sizeof(double))) {
        return false;
    }
    out->in[0] = out->in[1] = out->out[0] = GT_LAYOUT_NCHW;
    out->cost = gt__cpu_cost(device, 2.0 * (double)count, 4e9, 4.0 * (double)count);
    return true;
}

const struct gt_kernel gt__sumsq_flat = {
    .name = "sumsq_flat", .op = GT_OP_sumsq, .n_variants = 1, .plan = plan, .run = run};
