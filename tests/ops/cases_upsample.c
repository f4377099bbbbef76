/* Cases of nearest doubling and of reorders, which only move values, and of the gradient of
 * doubling, which sums 4. SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <stdio.h>

static const struct {
    gt_shape s;
    bool bench;
} shapes[] = {
    {{1, 1, 1, 1}, false},   {{1, 3, 5, 7}, false},      {{1, 16, 4, 6}, false},
    {{2, 17, 3, 5}, false},  {{1, 48, 8, 8}, false},     {{2, 2, 9, 10}, false},
    {{3, 64, 2, 1}, false},  {{1, 20, 17, 19}, false},   {{1, 1, 33, 2}, false},
    {{1, 16, 40, 8}, false}, {{1, 17, 130, 140}, false}, {{1, 64, 128, 128}, true},
};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

static gt_value one_leaf(struct check_case *c, size_t i, int32_t factor)
{
    gt_shape s = shapes[i].s;
    s.h *= factor;
    s.w *= factor;
    snprintf(c->name, sizeof c->name, "n%d c%d %dx%d", s.n, s.c, s.h, s.w);
    c->bench = shapes[i].bench;
    return check_leaf(c, s, GT_ROLE_INPUT, CHECK_SIGNED);
}

static void build_fwd(struct check_case *c, size_t i)
{
    check_node(c, (struct gt_node){.op = c->op, .n_in = 1, .in = {one_leaf(c, i, 1)}});
}

static void build_bwd(struct check_case *c, size_t i)
{
    check_node(c, (struct gt_node){.op = c->op, .n_in = 1, .in = {one_leaf(c, i, 2)}});
    c->terms = 4;
}

/* Every shape once as f32; the index map of a pooling (u8) is reordered for three of them. */
static void build_reorder(struct check_case *c, size_t i)
{
    if (i < N_SHAPES) {
        build_fwd(c, i);
        return;
    }
    gt_value x = one_leaf(c, i - N_SHAPES + 3, 1);
    struct gt_node pool = check_node(
        c, (struct gt_node){.op = GT_OP_maxpool_fwd,
                            .n_in = 1,
                            .in = {x},
                            .attr = {.kernel_h = 3, .kernel_w = 3, .stride = 1, .dilation = 1}});
    snprintf(c->name, sizeof c->name, "index map %zu", i);
    check_node(c, (struct gt_node){.op = c->op, .n_in = 1, .in = {pool.out[1]}});
}

const struct check_family check_upsample_fwd = {GT_OP_upsample_fwd, N_SHAPES, build_fwd,
                                                check_bound_exact};
const struct check_family check_upsample_bwd = {GT_OP_upsample_bwd, N_SHAPES, build_bwd, NULL};
const struct check_family check_reorder = {GT_OP_reorder, N_SHAPES + 3, build_reorder,
                                           check_bound_exact};
