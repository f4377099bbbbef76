/* What the optimizer updates share. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/update_flat_ocl.h"

#include "cl/update_flat_ocl.cl.h"

gt_status gt__update_ocl_prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "update_flat_ocl", gt__cl_source, "",
                         gt__op_name(step->node->op));
}

gt_status gt__update_ocl_run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_node *node = step->node;
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    size_t count = gt__count(step->in[0].shape);
    for (int32_t i = 0; i < node->n_in; i++) {
        gt__ocl_arg_view(&call, &step->in[i]);
    }
    for (int32_t i = 0; i < node->n_out; i++) {
        gt__ocl_arg_view(&call, &step->out[i]);
    }
    gt__ocl_arg_float(&call, node->attr.rate_mult);
    gt__ocl_arg_float(&call, node->attr.decay_mult);
    gt__ocl_arg_int(&call, (int32_t)count);
    return gt__ocl_launch_flat(&call, gt__ceil_div_z(count, 4));
}

bool gt__update_ocl_plan(const struct gt_device *device, const struct gt_graph *g,
                         const struct gt_node *node, double flops, struct gt_plan *out)
{
    gt__node_planar(node, out);
    /* The outputs are written, they and the gradient read. */
    double count = (double)gt__count(gt__in_shape(g, node, 0));
    double bytes = (2 * node->n_out + 1) * count * sizeof(float);
    out->cost = gt__ocl_cost(device, flops * count, 0.5, bytes, 1);
    return gt__ocl_fits(g, node, out);
}
