/* Cases of MALIS. Kernels sum in double, so outputs are right but for the last rounding to float:
 * a relative error of FLT_EPSILON, and for what cancels in double sums of up to 1e4 terms, whose
 * absolute values add to at most 2*|weight|, 1e4 * DBL_EPSILON * 2 * |weight|.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* Affinities that tie at 0, at 1 and between; a grid of objects; what ends objects. */
static const float ties[] = {0.5F, 1, 0.25F, 0.5F, 0, 1, 0.75F, 0.5F, 0.25F, 1, 0};
static const float grid[] = {1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 0};
static const float instances[] = {3, 3, 7, 7, 7, 0, 2, 2.5F, -1, 9, 9, 9};
static const float zero[] = {0};
static const float one[] = {1};
static const float ignored[] = {-1};

enum labels {
    LABELS_MIXED,
    LABELS_BINARY,
    LABELS_GRID,
    LABELS_INSTANCES,
    LABELS_0,
    LABELS_1,
    LABELS_NONE
};
enum edges { EDGES_DEFAULT, EDGES_DIAGONAL, EDGES_FAR };

static const struct malis_case {
    gt_shape s;
    enum labels labels;
    bool ties;
    gt_malis_form form;
    float weight;
    int32_t channel;
    enum edges edges;
    bool bench;
} malis_cases[] = {
    {{1, 2, 1, 1}, LABELS_1, false, GT_MALIS_SQUARED, 1, 1, EDGES_DEFAULT, false},
    {{1, 2, 1, 9}, LABELS_GRID, false, GT_MALIS_SQUARED, 1, 1, EDGES_DEFAULT, false},
    {{1, 2, 9, 1}, LABELS_GRID, true, GT_MALIS_HINGE, 1, 1, EDGES_DEFAULT, false},
    {{1, 2, 7, 6}, LABELS_MIXED, false, GT_MALIS_SQUARED, 1, 1, EDGES_DEFAULT, false},
    {{1, 2, 7, 6}, LABELS_MIXED, true, GT_MALIS_SQUARED, 1, 1, EDGES_DEFAULT, false},
    {{3, 2, 8, 9}, LABELS_BINARY, false, GT_MALIS_HINGE, 0.5F, 1, EDGES_DEFAULT, false},
    {{2, 2, 8, 9}, LABELS_BINARY, true, GT_MALIS_SQUARED, -2, 0, EDGES_DEFAULT, false},
    {{2, 3, 11, 13}, LABELS_INSTANCES, false, GT_MALIS_SQUARED, 1, 2, EDGES_DEFAULT, false},
    {{1, 2, 12, 13}, LABELS_GRID, false, GT_MALIS_SQUARED, 1, 1, EDGES_DIAGONAL, false},
    {{2, 2, 12, 13}, LABELS_MIXED, true, GT_MALIS_HINGE, 1, 1, EDGES_FAR, false},
    {{1, 2, 6, 7}, LABELS_0, false, GT_MALIS_SQUARED, 1, 1, EDGES_DEFAULT, false},
    {{1, 2, 6, 7}, LABELS_1, false, GT_MALIS_SQUARED, 1, 1, EDGES_DEFAULT, false},
    {{2, 2, 6, 7}, LABELS_NONE, false, GT_MALIS_SQUARED, 1, 1, EDGES_DEFAULT, false},
    {{1, 2, 33, 31}, LABELS_GRID, false, GT_MALIS_SQUARED, 1, 1, EDGES_DEFAULT, false},
    {{1, 2, 33, 31}, LABELS_GRID, true, GT_MALIS_SQUARED, 1, 1, EDGES_DEFAULT, false},
    {{1, 2, 512, 512}, LABELS_GRID, false, GT_MALIS_SQUARED, 1, 1, EDGES_DEFAULT, true},
};
enum { N_MALIS = sizeof malis_cases / sizeof malis_cases[0] };

static struct check_fill list(const float *values, size_t n)
{
    return (struct check_fill){.kind = CHECK_LIST, .list = values, .n_list = n};
}

static struct check_fill label_fill(enum labels labels)
{
    switch (labels) {
    case LABELS_GRID:
        return list(grid, sizeof grid / sizeof grid[0]);
    case LABELS_INSTANCES:
        return list(instances, sizeof instances / sizeof instances[0]);
    case LABELS_0:
        return list(zero, 1);
    case LABELS_1:
        return list(one, 1);
    case LABELS_NONE:
        return list(ignored, 1);
    default:
        return (struct check_fill){
            .kind = CHECK_INTEGERS, .low = labels == LABELS_MIXED ? -1 : 0, .high = 1};
    }
}

static void set_edges(gt_malis_options *o, enum edges edges)
{
    static const int32_t steps[2][4][2] = {{{1, 0}, {0, 1}, {1, 1}, {1, -1}},
                                           {{-1, 0}, {0, 1}, {-3, 2}, {0, 50}}};
    for (int32_t k = 0; edges != EDGES_DEFAULT && k < 4; k++) {
        o->n_edges = 4;
        o->edges[k][0] = steps[edges - 1][k][0];
        o->edges[k][1] = steps[edges - 1][k][1];
    }
}

static void build(struct check_case *c, size_t i)
{
    static const char *const words[] = {"mixed", "binary", "grid", "instances", "0", "1", "none"};
    const struct malis_case *k = &malis_cases[i];
    gt_malis_options o;
    gt_malis_options_init(&o);
    o.form = k->form;
    o.weight = k->weight;
    o.channel = k->channel;
    set_edges(&o, k->edges);
    snprintf(c->name, sizeof c->name, "n%d c%d %dx%d %s labels %s%s weight %g edges %d", k->s.n,
             k->s.c, k->s.h, k->s.w, k->form == GT_MALIS_HINGE ? "hinge" : "squared",
             words[k->labels], k->ties ? ", ties," : "", (double)k->weight, o.n_edges);
    c->bench = k->bench;
    struct check_fill uniform = {.kind = CHECK_UNIFORM, .low = 0, .high = 1};
    gt_value prob = check_leaf(c, k->s, GT_ROLE_INPUT,
                               k->ties ? list(ties, sizeof ties / sizeof ties[0]) : uniform);
    gt_value label =
        check_leaf(c, (gt_shape){k->s.n, 1, k->s.h, k->s.w}, GT_ROLE_INPUT, label_fill(k->labels));
    check_node(c, (struct gt_node){
                      .op = GT_OP_malis, .n_in = 2, .in = {prob, label}, .attr = {.malis = o}});
}

static void bound(const struct check_case *c, int32_t out, double *bound)
{
    const double *ref = (const double *)c->ref[out];
    double sums = 2 * fabs((double)check_tested(c)->attr.malis.weight);
    for (size_t i = 0; i < gt__count(check_shape_of(c, check_tested(c)->out[out])); i++) {
        bound[i] = (double)FLT_EPSILON * fabs(ref[i]) + 1e4 * DBL_EPSILON * sums;
    }
}

const struct check_family check_malis = {GT_OP_malis, N_MALIS, build, bound};
