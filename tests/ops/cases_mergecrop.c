/* Cases of MergeCrop and its gradient: values are only moved. SPDX-License-Identifier: BSD-2-Clause
 */
#include "check_op.h"

#include <stdio.h>

static const struct merge_case {
    gt_shape a, b;
    int32_t forward[2];
    bool bench;
} merge_cases[] = {
    {{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1}, false},
    {{1, 1, 2, 2}, {1, 1, 5, 5}, {1, 1}, false},
    {{1, 3, 4, 6}, {1, 2, 7, 11}, {1, 1}, false},
    {{1, 16, 6, 5}, {1, 16, 9, 8}, {1, 1}, false},
    {{1, 32, 8, 8}, {1, 16, 16, 16}, {1, 1}, false},
    {{1, 17, 5, 4}, {1, 3, 5, 9}, {1, 1}, false},
    {{1, 5, 4, 4}, {1, 48, 8, 7}, {1, 1}, false},
    {{2, 3, 6, 5}, {2, 4, 9, 6}, {1, 1}, false},
    {{2, 16, 4, 7}, {2, 32, 7, 10}, {1, 1}, false},
    {{2, 20, 8, 9}, {2, 12, 11, 16}, {1, 1}, false},
    {{1, 16, 1, 1}, {1, 17, 4, 3}, {1, 1}, false},
    {{1, 16, 6, 6}, {1, 16, 10, 10}, {0, 1}, false},
    {{1, 3, 6, 6}, {1, 5, 9, 10}, {1, 0}, false},
    {{2, 17, 3, 3}, {2, 16, 4, 6}, {0, 0}, false},
    {{1, 64, 20, 22}, {1, 48, 31, 29}, {1, 1}, false},
    /* results so large that they pass the caches by */
    {{1, 32, 332, 200}, {1, 30, 350, 210}, {1, 1}, false},
    {{1, 128, 96, 96}, {1, 64, 160, 160}, {1, 1}, true},
};
enum { N_MERGE = sizeof merge_cases / sizeof merge_cases[0] };

static void name_merge(struct check_case *c, const struct merge_case *k, const char *end)
{
    snprintf(c->name, sizeof c->name, "n%d a c%d %dx%d b c%d %dx%d forward %d %d%s", k->a.n, k->a.c,
             k->a.h, k->a.w, k->b.c, k->b.h, k->b.w, k->forward[0], k->forward[1], end);
    c->bench = k->bench;
}

/* Every case as it is, then with half of a, doubled: by a node of its own that the tested one takes
 * over, as the planner leaves it. */
static void build_fwd(struct check_case *c, size_t i)
{
    struct merge_case k = merge_cases[i % N_MERGE];
    bool doubled = i >= N_MERGE;
    gt_shape half = k.a;
    if (doubled) {
        half.h = k.a.h > 1 ? k.a.h / 2 : 1;
        half.w = k.a.w > 1 ? k.a.w / 2 : 1;
        k.a.h = 2 * half.h;
        k.a.w = 2 * half.w;
        k.b.h = k.b.h < k.a.h ? k.a.h : k.b.h;
        k.b.w = k.b.w < k.a.w ? k.a.w : k.b.w;
    }
    name_merge(c, &k, doubled ? ", a doubled" : "");
    gt_value a = check_leaf(c, half, GT_ROLE_INPUT, CHECK_SIGNED);
    gt_value b = check_leaf(c, k.b, GT_ROLE_INPUT, CHECK_SIGNED);
    struct gt_node node = {.op = GT_OP_upsample_fwd, .n_in = 1, .in = {a}};
    gt_value large = doubled ? check_node(c, node).out[0] : a;
    node = (struct gt_node){.op = c->op,
                            .n_in = 2,
                            .in = {large, b},
                            .attr = {.forward = {k.forward[0], k.forward[1]}, .backward = {1, 1}}};
    check_node(c, node);
    if (doubled) {
        struct gt_node *tested = &c->graph->nodes[c->graph->n_nodes - 1];
        tested->in[0] = a;
        tested->epilogue = GT_PROLOGUE_DOUBLE;
    }
}

/* The gradient of each input in turn. */
static void build_bwd(struct check_case *c, size_t i)
{
    const struct merge_case *k = &merge_cases[i / 2];
    int32_t which = (int32_t)(i % 2);
    name_merge(c, k, which ? ", of b" : ", of a");
    gt_value dy = check_leaf(c, (gt_shape){k->a.n, k->a.c + k->b.c, k->a.h, k->a.w}, GT_ROLE_INPUT,
                             CHECK_SIGNED);
    check_node(c, (struct gt_node){.op = c->op,
                                   .n_in = 1,
                                   .in = {dy},
                                   .attr = {.forward = {k->forward[0], k->forward[1]},
                                            .backward = {1, 1},
                                            .which = which,
                                            .shape = which ? k->b : k->a}});
}

const struct check_family check_mergecrop_fwd = {GT_OP_mergecrop_fwd, (size_t)2 * N_MERGE,
                                                 build_fwd, check_bound_exact};
const struct check_family check_mergecrop_bwd = {GT_OP_mergecrop_bwd, (size_t)2 * N_MERGE,
                                                 build_bwd, check_bound_exact};
