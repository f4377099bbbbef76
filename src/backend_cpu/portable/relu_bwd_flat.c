/* Gradient of ReLU from its output, dx = y > 0 ? dy : 0, over all stored elements, so in any
 * layout. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/portable/flat.h"

static void relu_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    struct flat_job part = flat_part(cookie, chunk);
    GT_INDEPENDENT
    for (size_t i = 0; i < part.count; i++) {
        float d = part.a[i];
        part.y[i] = part.b[i] > 0.0f ? d : 0.0f;
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
    if (!gt__node_plain(node, GT_OP_relu_bwd)) {
        return false;
    }
    flat_plan(device, g, node, out);
    return true;
}

const struct gt_kernel gt__relu_bwd_flat = {
    .name = "relu_bwd_flat", .op = GT_OP_relu_bwd, .n_variants = 1, .plan = plan, .run = run};
