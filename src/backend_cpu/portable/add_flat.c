/* Sum, y = a + b, over all stored elements, so in any layout. SPDX-License-Identifier: BSD-2-Clause
 */
#include "backend_cpu/portable/chunk.h"

struct job {
    const float *a, *b;
    float *y;
    size_t count;
};

static void add_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    const float *a = job->a + chunk * GT_CHUNK;
    const float *b = job->b + chunk * GT_CHUNK;
    float *y = job->y + chunk * GT_CHUNK;
    size_t n = gt__flat_size(job->count, chunk);
    GT_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        y[i] = a[i] + b[i];
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct job job = {.a = gt__f32(&step->in[0]),
                      .b = gt__f32(&step->in[1]),
                      .y = gt__f32(&step->out[0]),
                      .count = gt__extent_count(gt__view_extent(&step->in[0]))};
    gt__pool_for(gt__cpu_pool(device), gt__flat_chunks(job.count), add_chunk, &job);
    return GT_OK;
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    if (!gt__node_plain(node, GT_OP_add)) {
        return false;
    }
    out->out[0] = out->in[1] = out->in[0];
    out->inplace = 3;
    double count = gt__stored(gt__in_shape(g, node, 0), out->in[0]);
    out->cost = gt__cpu_cost(device, count, 4e9, 12.0 * count);
    return true;
}

const struct gt_kernel gt__add_flat = {
    .name = "add_flat", .op = GT_OP_add, .n_variants = 1, .plan = plan, .run = run};
