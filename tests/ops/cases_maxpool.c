/* Cases of max pooling and its gradient. Forward only chooses: values and index map are exact.
 * Backward sums at most ceil(kernel/gcd)^2 <= kernel^2 terms. SPDX-License-Identifier: BSD-2-Clause
 */
#include "check_op.h"

#include <stdio.h>

static const struct pool_case {
    gt_shape x;
    int32_t kernel, stride, dilation;
    bool ties, bench;
} pool_cases[] = {
    {{1, 1, 1, 1}, 1, 1, 1, false, false},
    {{1, 1, 2, 2}, 2, 2, 1, false, false},
    {{1, 3, 8, 6}, 2, 2, 1, false, false},
    {{1, 3, 8, 6}, 2, 2, 1, true, false},
    {{1, 17, 10, 12}, 2, 2, 1, true, false},
    {{2, 16, 6, 8}, 2, 2, 1, false, false},
    {{1, 48, 14, 14}, 2, 2, 1, false, false},
    {{2, 20, 34, 38}, 2, 2, 1, true, false},
    /* the last window is clipped */
    {{1, 2, 5, 7}, 2, 2, 1, false, false},
    {{1, 17, 9, 4}, 2, 2, 1, true, false},
    {{1, 3, 8, 9}, 3, 2, 1, true, false},
    {{1, 16, 11, 10}, 3, 3, 1, false, false},
    {{2, 2, 7, 6}, 4, 3, 1, false, false},
    /* windows overlap; stride 1 with dilation is the pooling of SK */
    {{1, 3, 7, 9}, 3, 1, 1, true, false},
    {{1, 3, 9, 8}, 2, 1, 1, false, false},
    {{1, 17, 9, 11}, 2, 1, 2, true, false},
    {{2, 16, 12, 10}, 2, 1, 2, false, false},
    {{1, 16, 13, 16}, 2, 1, 4, true, false},
    {{1, 20, 17, 19}, 2, 1, 8, false, false},
    {{1, 3, 12, 13}, 3, 1, 4, true, false},
    {{1, 2, 15, 16}, 15, 1, 1, true, false},
    {{1, 2, 31, 30}, 15, 2, 2, false, false},
    {{1, 3, 11, 12}, 2, 2, 2, true, false},
    {{1, 16, 10, 15}, 3, 2, 3, false, false},
    {{1, 1, 40, 3}, 2, 1, 1, true, false},
    /* gaps between windows */
    {{1, 4, 8, 11}, 2, 3, 1, false, false},
    /* results so large that they pass the caches by */
    {{1, 16, 362, 364}, 2, 2, 1, true, false},
    {{1, 17, 262, 263}, 2, 1, 2, true, false},
    {{1, 64, 200, 200}, 2, 2, 1, false, true},
    {{1, 64, 200, 200}, 2, 1, 2, false, true},
};
enum { N_POOL = sizeof pool_cases / sizeof pool_cases[0] };

static struct gt_node pool_node(struct check_case *c, size_t i)
{
    const struct pool_case *k = &pool_cases[i];
    snprintf(c->name, sizeof c->name, "n%d c%d in %dx%d k%d s%d d%d%s", k->x.n, k->x.c, k->x.h,
             k->x.w, k->kernel, k->stride, k->dilation, k->ties ? " ties" : "");
    c->bench = k->bench;
    struct check_fill ties = {.kind = CHECK_INTEGERS, .low = -1, .high = 1};
    gt_value x = check_leaf(c, k->x, GT_ROLE_INPUT, k->ties ? ties : CHECK_SIGNED);
    return check_node(c, (struct gt_node){.op = GT_OP_maxpool_fwd,
                                          .n_in = 1,
                                          .in = {x},
                                          .attr = {.kernel_h = k->kernel,
                                                   .kernel_w = k->kernel,
                                                   .stride = k->stride,
                                                   .dilation = k->dilation}});
}

static void build_fwd(struct check_case *c, size_t i)
{
    pool_node(c, i);
}

static void build_bwd(struct check_case *c, size_t i)
{
    struct gt_node pool = pool_node(c, i);
    gt_value dy = check_leaf(c, check_shape_of(c, pool.out[0]), GT_ROLE_INPUT, CHECK_SIGNED);
    struct gt_node node = {.op = c->op, .n_in = 2, .in = {dy, pool.out[1]}, .attr = pool.attr};
    node.attr.shape = pool_cases[i].x;
    check_node(c, node);
    c->terms = (double)pool_cases[i].kernel * pool_cases[i].kernel;
}

const struct check_family check_maxpool_fwd = {GT_OP_maxpool_fwd, N_POOL, build_fwd,
                                               check_bound_exact};
const struct check_family check_maxpool_bwd = {GT_OP_maxpool_bwd, N_POOL, build_bwd, NULL};
