/* ReLU over all stored elements, in any layout. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/ocl.h"

#include "cl/relu_fwd_flat_ocl.cl.h"

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "relu_fwd_flat_ocl", gt__cl_source, "", "relu_fwd");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    size_t count = gt__extent_count(gt__view_extent(&step->in[0]));
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_int(&call, (int32_t)count);
    return gt__ocl_launch_flat(&call, count);
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    if (!gt__node_plain(node, GT_OP_relu_fwd)) {
        return false;
    }
    out->out[0] = out->in[0];
    out->inplace = 1;
    out->cost = gt__ocl_cost(device, 0, 1, 2 * gt__ocl_stored_bytes(g, node, out), 1);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__relu_fwd_flat_ocl = {.name = "relu_fwd_flat_ocl",
                                                .op = GT_OP_relu_fwd,
                                                .n_variants = 1,
                                                .plan = plan,
                                                .prepare = prepare,
                                                .run = run,
                                                .release = gt__ocl_release};
