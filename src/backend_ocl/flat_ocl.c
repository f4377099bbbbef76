/* What the kernels over all stored elements share. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/flat_ocl.h"

#include "cl/flat_ocl.cl.h"

gt_status gt__flat_ocl_prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "flat_ocl", gt__cl_source, "", gt__op_name(step->node->op));
}

gt_status gt__flat_ocl_run(struct gt_device *device, const struct gt_step *step)
{
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    size_t count = gt__extent_count(gt__view_extent(&step->in[0]));
    for (int32_t i = 0; i < step->node->n_in; i++) {
        gt__ocl_arg_view(&call, &step->in[i]);
    }
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_int(&call, (int32_t)count);
    return gt__ocl_launch_flat(&call, gt__ceil_div_z(count, 4));
}

bool gt__flat_ocl_plan(const struct gt_device *device, const struct gt_graph *g,
                       const struct gt_node *node, struct gt_plan *out)
{
    for (int32_t i = 0; i < node->n_in; i++) {
        out->in[i] = out->in[0];
        out->inplace |= 1u << i;
    }
    out->out[0] = out->in[0];
    double bytes = gt__ocl_stored_bytes(g, node, out);
    out->cost = gt__ocl_cost(device, 0, 1, (node->n_in + 1) * bytes, 1);
    return gt__ocl_fits(g, node, out);
}
