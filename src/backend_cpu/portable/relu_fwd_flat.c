/* ReLU, y = x < 0 ? 0 : x (NaN stays NaN), over all stored elements, so in any layout; zero tails
 * stay zero. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/flat.h"

static void relu_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    struct flat_job part = flat_part(cookie, chunk);
    GT_INDEPENDENT
    for (size_t i = 0; i < part.count; i++) {
        part.y[i] = part.a[i] < 0.0f ? 0.0f : part.a[i];
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    return flat_run(device, step, relu_chunk);
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    if (!gt__node_plain(node, GT_OP_relu_fwd)) {
        return false;
    }
    flat_plan(device, g, node, out);
    return true;
}

const struct gt_kernel gt__relu_fwd_flat = {
    .name = "relu_fwd_flat", .op = GT_OP_relu_fwd, .n_variants = 1, .plan = plan, .run = run};
