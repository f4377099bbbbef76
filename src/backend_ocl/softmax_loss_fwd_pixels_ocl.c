/* Softmax and cross-entropy, loss = weight/n * sum over pixels with a class y of -ln max(prob[y],
 * FLT_MIN), prob = softmax(scores), count = n: pixels with a class, at least 1, or the batch.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * scores [N][L][H][W], label [N][1][H][W]; scores and prob plain or all channels in one block.
 * Groups of work-items sum their pixels into scratch memory, then one group sums that: the order is
 * fixed by the shape and the size of the groups. prob and count are not written where nobody reads
 * them. */
#include "backend_ocl/softmax_pixels_ocl.h"

#include "cl/softmax_pixels_ocl.cl.h"

static size_t groups_of(const struct gt_device *device, gt_shape s)
{
    return gt__ceil_div_z(gt__pixels(s), (size_t)gt__ocl_sum_group(device, 1));
}

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    struct gt_ocl_define group = gt__ocl_define_group(gt__ocl_sum_group(device, 1));
    return gt__ocl_state(device, step, "softmax_pixels_ocl", gt__cl_source, group.text,
                         "softmax_loss_fwd softmax_loss_sum");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_attr *attr = &step->node->attr;
    const struct gt_ocl_state *state = gt__ocl_state_of(step);
    gt_shape shape = step->in[0].shape;
    size_t local = (size_t)gt__ocl_sum_group(device, 1);
    size_t groups = groups_of(device, shape);
    size_t global = groups * local;
    struct gt_ocl_call pixels = gt__ocl_call(device, state->functions[0]);
    gt__ocl_arg_view(&pixels, &step->in[0]);
    gt__ocl_arg_view(&pixels, &step->in[1]);
    gt__ocl_arg_view(&pixels, &step->out[1]);
    gt__ocl_arg_view(&pixels, &step->scratch);
    gt__ocl_arg_tensor(&pixels, &step->in[0]);
    GT_TRY(gt__ocl_launch(&pixels, 1, &global, &local));
    struct gt_ocl_call sum = gt__ocl_call(device, state->functions[1]);
    gt__ocl_arg_view(&sum, &step->scratch);
    gt__ocl_arg_view(&sum, &step->out[0]);
    gt__ocl_arg_view(&sum, &step->out[2]);
    gt__ocl_arg_int(&sum, (int32_t)groups);
    gt__ocl_arg_int(&sum, attr->normalize == GT_NORMALIZE_BATCH ? shape.n : 0);
    gt__ocl_arg_float(&sum, attr->weight);
    return gt__ocl_launch(&sum, 1, &local, &local);
}

static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    gt_layout layout;
    if (!gt__node_plain(node, GT_OP_softmax_loss_fwd) ||
        !gt__pixels_layout(&layout, g, node->in[0], variant)) {
        return false;
    }
    gt_shape shape = gt__in_shape(g, node, 0);
    out->in[0] = out->out[1] = layout;
    out->in[1] = out->out[0] = out->out[2] = GT_LAYOUT_NCHW;
    out->scratch = groups_of(device, shape) * (sizeof(cl_float) + sizeof(cl_int));
    double bytes = gt__ocl_stored_bytes(g, node, out);
    double label = (double)gt__pixels(shape) * sizeof(float);
    out->cost = gt__ocl_cost(device, 10 * bytes, 0.5, 2 * bytes + label, 2);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__softmax_loss_fwd_pixels_ocl = {.name = "softmax_loss_fwd_pixels_ocl",
                                                          .op = GT_OP_softmax_loss_fwd,
                                                          .n_variants = GT_PIXELS_VARIANTS,
                                                          .plan = plan,
                                                          .prepare = prepare,
                                                          .run = run,
                                                          .release = gt__ocl_release};
