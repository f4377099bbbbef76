/* A tensor in another layout: (b, p) to (b', p') for blocks 1, 16 and all channels, phases 1, 2, 4
 * and 8; f32 or u8. All tails and pad lanes are written as zero. SPDX-License-Identifier:
 * BSD-2-Clause
 *
 * Between NCHW and a block both sides are coalesced when squares are turned in local memory. With
 * few channels, between other layouts and where the phase changes, a work-item moves four channels
 * of a pixel. */
#include "backend_ocl/rows.h"

#include "cl/reorder_direct_ocl.cl.h"

/* As in the device source; groups of TILE x TILE_ROWS work-items. */
enum { TILE = 32, TILE_ROWS = 4, FEW_CHANNELS = 8 };
enum variant { DIRECT, TURN, VARIANTS };

static gt_status prepare(struct gt_device *device, struct gt_step *step)
{
    return gt__ocl_state(device, step, "reorder_direct_ocl", gt__cl_source,
                         step->in[0].layout.kind == GT_KIND_U8 ? "-DU8=1" : "",
                         step->variant == TURN ? "reorder_tile" : "reorder_direct");
}

static gt_status run_tile(struct gt_ocl_call *call, const struct gt_view *x,
                          const struct gt_view *y)
{
    struct gt_extent ex = gt__view_extent(x);
    struct gt_extent ey = gt__view_extent(y);
    int32_t channels = ex.cb * ex.b > ey.cb * ey.b ? ex.cb * ex.b : ey.cb * ey.b;
    size_t pixels = (size_t)ex.h * (size_t)ex.w;
    size_t global[3] = {gt__align_up(pixels, TILE),
                        (size_t)gt__ceil_div(channels, TILE) * TILE_ROWS, (size_t)ex.n};
    size_t local[3] = {TILE, TILE_ROWS, 1};
    return gt__ocl_launch(call, 3, global, local);
}

static gt_status run(struct gt_device *device, const struct gt_step *step)
{
    struct gt_ocl_call call = gt__ocl_call(device, gt__ocl_state_of(step)->functions[0]);
    gt__ocl_arg_view(&call, &step->in[0]);
    gt__ocl_arg_tensor(&call, &step->in[0]);
    gt__ocl_arg_view(&call, &step->out[0]);
    gt__ocl_arg_tensor(&call, &step->out[0]);
    if (step->variant == TURN) {
        return run_tile(&call, &step->in[0], &step->out[0]);
    }
    struct gt_extent e = gt__view_extent(&step->out[0]);
    bool wide = e.b % GT_LANES == 0;
    int32_t blocks = wide ? e.cb : gt__ceil_div(e.cb, GT_LANES);
    return gt__ocl_launch_rows(&call, gt__ocl_row(e), e.h, e.n * blocks);
}

static bool can(gt_layout l)
{
    return (l.block == 1 || l.block == GT_BLOCK || l.block == GT_BLOCK_ALL) &&
           (l.phase == 1 || l.phase == 2 || l.phase == 4 || l.phase == 8);
}

static bool can_turn(const struct gt_device *device, gt_shape shape, gt_layout from, gt_layout to)
{
    const struct gt_ocl_device *d = gt__ocl(device);
    return d->max_group >= (size_t)TILE * TILE_ROWS && d->max_across >= TILE_ROWS &&
           d->local_bytes >= TILE * (TILE + 1) * sizeof(float) && from.phase == to.phase &&
           (from.block == 1) != (to.block == 1) && gt__extent(shape, from).n <= GT_OCL_ROW_GROUPS &&
           gt__ceil_div(shape.c, TILE) <= GT_OCL_ROW_GROUPS;
}

/* How much more than its bytes a variant moves: rows of single channels, read or written with gaps,
 * are taken from memory in larger pieces. Caches of a processor make up for that. */
static double waste(const struct gt_device *device, unsigned variant, gt_shape shape,
                    gt_layout from, gt_layout to)
{
    bool few = shape.c <= FEW_CHANNELS;
    bool gaps = from.block != 1 && to.block != 1 ? false
                : from.phase != to.phase         ? true
                                                 : from.block != to.block && !few;
    if (variant == TURN) {
        return few || gt__ocl(device)->cpu ? 4.0 : 1.1;
    }
    return gaps ? 3.0 : 1.0;
}

/* The layouts are given: plan->in[0] and plan->out[0]. Variant 0 goes from any to any, 1 turns
 * squares. */
static bool plan(const struct gt_device *device, const struct gt_graph *g,
                 const struct gt_node *node, unsigned variant, struct gt_plan *out)
{
    gt_layout from = out->in[0];
    gt_layout to = out->out[0];
    if (!gt__node_plain(node, GT_OP_reorder) || !can(from) || !can(to) || from.kind != to.kind) {
        return false;
    }
    gt_shape shape = gt__in_shape(g, node, 0);
    if (variant == TURN && !can_turn(device, shape, from, to)) {
        return false;
    }
    double bytes =
        (gt__stored(shape, from) + gt__stored(shape, to)) * (double)gt__kind_size(from.kind);
    out->cost = gt__ocl_cost(device, 0, 1, waste(device, variant, shape, from, to) * bytes, 1);
    return gt__ocl_fits(g, node, out);
}

const struct gt_kernel gt__reorder_direct_ocl = {.name = "reorder_direct_ocl",
                                                 .op = GT_OP_reorder,
                                                 .n_variants = VARIANTS,
                                                 .plan = plan,
                                                 .prepare = prepare,
                                                 .run = run,
                                                 .release = gt__ocl_release};
