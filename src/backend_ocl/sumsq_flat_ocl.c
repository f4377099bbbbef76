/* Squared norm, out = acc + sum of g^2 (acc may be absent); all plain.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Groups of work-items sum into scratch memory, then one group sums that: the order is fixed by the
 * size of g and of the groups. */
#include "backend_ocl/ocl.h"

#include "cl/sumsq_flat_ocl.cl.h"

enum { TERMS = 8, GROUPS = 512 }; /* vectors of a work-item, at least; groups, at most */

static size_t groups_of(const struct gt_device *device, size_t count)
{
    size_t wanted = gt__ceil_div_z(count, (size_t)gt__ocl_sum_group(device, 1) * 4 * TERMS);
    return wanted < GROUPS ? wanted : GROUPS;
}

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    struct gt_ocl_define group = gt__ocl_define_group(gt__ocl_sum_group(device, 1));
    return gt__ocl_state(device, step, "sumsq_flat_ocl", gt__cl_source, group.text,
                         "sumsq sumsq_sum");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_ocl_state *state = gt__ocl_state_of(step);
    size_t count = gt__extent_count(gt__view_extent(&step->in[0]));
    size_t groups = groups_of(device, count);
    size_t local = (size_t)gt__ocl_sum_group(device, 1);
    size_t global = groups * local;
    struct gt_ocl_call call = gt__ocl_call(device, state->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->scratch);
    gt__ocl_arg_int(&call, (int32_t)count);
    GT_TRY(gt__ocl_launch(&call, 1, &global, &local));
    call = gt__ocl_call(device, state->functions[1]);
    gt__ocl_arg_view(&call, &step->scratch);
    gt__ocl_arg_view(&call, &step->in[1]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_int(&call, (int32_t)groups);
    return gt__ocl_launch(&call, 1, &local, &local);
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    (void)variant;
    if (!gt__node_plain(node, GT_OP_sumsq)) {
        return false;
    }
    out->in[0] = out->in[1] = out->out[0] = GT_LAYOUT_NCHW;
    double bytes = gt__ocl_stored_bytes(g, node, out);
    out->scratch = groups_of(device, (size_t)(bytes / sizeof(float))) * sizeof(float);
    out->cost = gt__ocl_cost(device, 0, 1, bytes, 2);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__sumsq_flat_ocl = {.name = "sumsq_flat_ocl",
                                             .op = GT_OP_sumsq,
                                             .n_variants = 1,
                                             .plan = plan,
                                             .prepare = prepare,
                                             .run = run,
                                             .release = gt__ocl_release};
