/* Sum, y = a + b, over all stored elements, so in any layout. SPDX-License-Identifier: BSD-2-Clause
 */
#include "backend_cpu/portable/flat.h"

static void add_chunk(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    struct flat_job part = flat_part(cookie, chunk);
    GT_INDEPENDENT
    for (size_t i = 0; i < part.count; i++) {
        part.y[i] = part.a[i] + part.b[i];
    }
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    return flat_run(device, step, add_chunk);
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    if (!gt__node_plain(node, GT_OP_add)) {
        return false;
    }
    flat_plan(device, g, node, out);
    return true;
}

const struct gt_kernel gt__add_flat = {
    .name = "add_flat", .op = GT_OP_add, .n_variants = 1, .plan = plan, .run = run};
