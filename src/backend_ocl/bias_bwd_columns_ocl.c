/* Gradient of a bias, dbias[c] = sum over n, h, w of dy[n][c][h][w]; dy channels last in any phase,
 * or plain. SPDX-License-Identifier: BSD-2-Clause
 *
 * Groups sum slabs of pixels into scratch memory, [slab][channel], then others sum those: the order
 * is fixed by the shape and the size of the groups. Tails of dy are zero, so all that is stored
 * counts. */
#include "backend_ocl/ocl.h"

#include "cl/bias_bwd_columns_ocl.cl.h"

enum {
    COLUMNS = 8,  /* of the device source */
    TERMS = 16,   /* of a work-item, at least */
    GROUPS = 1024 /* at most, or as many as there are columns of groups */
};

/* What is summed: `across` groups side by side, each `wide` vectors (or one channel), times `slabs`
 * of `slab` pixels. */
struct slabs {
    int32_t across, wide, pixels, slab, slabs, pitch;
};

static struct slabs slabs_of(const struct gt_device *device, struct gt_extent e)
{
    int32_t group = gt__ocl_sum_group(device, COLUMNS);
    int32_t columns = e.b == 1 ? e.cb : e.b / GT_LANES;
    struct slabs s = {.wide = 1, .pixels = e.b == 1 ? e.h * e.w : e.n * e.h * e.w};
    while (e.b > 1 && s.wide < columns && 2 * s.wide <= group && s.wide < 32) {
        s.wide *= 2;
    }
    int32_t down = group / s.wide;
    s.across = gt__ceil_div(columns, s.wide);
    s.pitch = e.cb * e.b;
    int32_t most = GROUPS > s.across ? GROUPS / s.across : 1;
    int32_t wanted = gt__ceil_div(s.pixels, down * TERMS);
    s.slab = gt__ceil_div(s.pixels, wanted < most ? wanted : most);
    s.slab = gt__ceil_div(s.slab, down) * down;
    s.slabs = gt__ceil_div(s.pixels, s.slab);
    return s;
}

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    struct gt_ocl_define group = gt__ocl_define_group(gt__ocl_sum_group(device, COLUMNS));
    return gt__ocl_state(device, step, "bias_bwd_columns_ocl", gt__cl_source, group.text,
                         step->in[0].layout.block == 1 ? "bias_bwd_planes bias_bwd_sum"
                                                       : "bias_bwd_pixels bias_bwd_sum");
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    const struct gt_ocl_state *state = gt__ocl_state_of(step);
    struct gt_extent e = gt__view_extent(&step->in[0]);
    struct slabs s = slabs_of(device, e);
    size_t local[2] = {(size_t)gt__ocl_sum_group(device, COLUMNS), 1};
    size_t global[2] = {(size_t)s.across * local[0], (size_t)s.slabs};
    struct gt_ocl_call call = gt__ocl_call(device, state->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->scratch);
    if (e.b == 1) {
        gt__ocl_arg_int(&call, e.n);
        gt__ocl_arg_int(&call, e.cb);
        gt__ocl_arg_int(&call, s.pixels);
        gt__ocl_arg_int(&call, s.slab);
    } else {
        gt__ocl_arg_int(&call, e.b / GT_LANES);
        gt__ocl_arg_int(&call, s.pixels);
        gt__ocl_arg_int(&call, s.slab);
        gt__ocl_arg_int(&call, s.wide);
    }
    GT_TRY(gt__ocl_launch(&call, 2, global, local));
    int32_t channels = step->in[0].shape.c;
    call = gt__ocl_call(device, state->functions[1]);
    gt__ocl_arg_view(&call, &step->scratch);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_int(&call, s.slabs);
    gt__ocl_arg_int(&call, s.pitch);
    gt__ocl_arg_int(&call, channels);
    global[0] = (size_t)gt__ceil_div(channels, COLUMNS) * local[0];
    return gt__ocl_launch(&call, 1, global, local);
}

/* Variant 0 is plain, variants 1 to 4 have all channels in one block, phase 1 to 8. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    if (!gt__node_plain(node, GT_OP_bias_bwd) || (variant > 0 && !gt__may_block(g, node->in[0])) ||
        gt__ocl(device)->max_group < COLUMNS) {
        return false;
    }
    out->in[0] = variant == 0 ? GT_LAYOUT_NCHW : gt__layout_f32(GT_BLOCK_ALL, 1 << (variant - 1));
    out->out[0] = GT_LAYOUT_NCHW;
    if (!gt__ocl_fits(g, node, out)) {
        return false;
    }
    struct slabs s = slabs_of(device, gt__extent(gt__in_shape(g, node, 0), out->in[0]));
    out->scratch = (size_t)s.slabs * (size_t)s.pitch * sizeof(float);
    out->cost = gt__ocl_cost(device, 0, 1, gt__ocl_stored_bytes(g, node, out), 2);
    return true;
}

const struct gt_kernel gt__bias_bwd_columns_ocl = {.name = "bias_bwd_columns_ocl",
                                                   .op = GT_OP_bias_bwd,
                                                   .n_variants = 5,
                                                   .plan = plan,
                                                   .prepare = prepare,
                                                   .run = run,
                                                   .release = gt__ocl_release};
