/* Cases of bias, ReLU and element-wise sum. SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <math.h>
#include <stdio.h>

static const struct {
    gt_shape s;
    bool bench;
} shapes[] = {
    {{1, 1, 1, 1}, false},    {{1, 3, 5, 7}, false},     {{1, 16, 1, 1}, false},
    {{1, 17, 4, 4}, false},   {{2, 2, 3, 5}, false},     {{2, 17, 9, 8}, false},
    {{1, 48, 16, 17}, false}, {{3, 64, 5, 11}, false},   {{1, 2, 65, 70}, false},
    {{1, 20, 40, 37}, false}, {{1, 64, 256, 256}, true},
};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

static gt_shape shape_case(struct check_case *c, size_t i)
{
    gt_shape s = shapes[i].s;
    snprintf(c->name, sizeof c->name, "n%d c%d %dx%d", s.n, s.c, s.h, s.w);
    c->bench = shapes[i].bench;
    return s;
}

/* L = 2: one addition of two terms. */
static void build_bias_fwd(struct check_case *c, size_t i)
{
    gt_shape s = shape_case(c, i);
    gt_value x = check_leaf(c, s, GT_ROLE_INPUT, CHECK_SIGNED);
    gt_value b = check_leaf(c, (gt_shape){1, s.c, 1, 1}, GT_ROLE_PARAM, CHECK_SIGNED);
    check_node(c, (struct gt_node){.op = c->op, .n_in = 2, .in = {x, b}});
    c->terms = 2;
}

static void build_bias_bwd(struct check_case *c, size_t i)
{
    gt_shape s = shape_case(c, i);
    gt_value dy = check_leaf(c, s, GT_ROLE_INPUT, CHECK_SIGNED);
    check_node(c, (struct gt_node){.op = c->op, .n_in = 1, .in = {dy}});
    c->terms = (double)s.n * s.h * s.w;
}

static void build_add(struct check_case *c, size_t i)
{
    gt_shape s = shape_case(c, i);
    gt_value a = check_leaf(c, s, GT_ROLE_INPUT, CHECK_SIGNED);
    gt_value b = check_leaf(c, s, GT_ROLE_INPUT, CHECK_SIGNED);
    check_node(c, (struct gt_node){.op = c->op, .n_in = 2, .in = {a, b}});
    c->terms = 2;
}

/* Both zeros, denormal, infinite and not a number: a NaN must stay one. */
static const float special[] = {0.0f,  -0.0f,    1e-42f, -1e-42f,   1.5f,
                                -1.5f, INFINITY, NAN,    -INFINITY, 3e38f};

/* Every other case has special values. */
static struct check_fill relu_fill(size_t i)
{
    return i % 2 == 0 ? CHECK_SIGNED
                      : (struct check_fill){.kind = CHECK_LIST,
                                            .list = special,
                                            .n_list = sizeof special / sizeof special[0]};
}

static void build_relu_fwd(struct check_case *c, size_t i)
{
    gt_value x = check_leaf(c, shape_case(c, i), GT_ROLE_INPUT, relu_fill(i));
    check_node(c, (struct gt_node){.op = c->op, .n_in = 1, .in = {x}});
}

/* y is an output of ReLU: many of its elements are exactly 0. */
static void build_relu_bwd(struct check_case *c, size_t i)
{
    gt_shape s = shape_case(c, i);
    gt_value x = check_leaf(c, s, GT_ROLE_INPUT, CHECK_SIGNED);
    gt_value dy = check_leaf(c, s, GT_ROLE_INPUT, CHECK_SIGNED);
    struct gt_node relu =
        check_node(c, (struct gt_node){.op = GT_OP_relu_fwd, .n_in = 1, .in = {x}});
    check_node(c, (struct gt_node){.op = c->op, .n_in = 2, .in = {dy, relu.out[0]}});
}

const struct check_family check_bias_fwd = {GT_OP_bias_fwd, N_SHAPES, build_bias_fwd, NULL};
const struct check_family check_bias_bwd = {GT_OP_bias_bwd, N_SHAPES, build_bias_bwd, NULL};
const struct check_family check_add = {GT_OP_add, N_SHAPES, build_add, NULL};
const struct check_family check_relu_fwd = {GT_OP_relu_fwd, N_SHAPES, build_relu_fwd,
                                            check_bound_exact};
const struct check_family check_relu_bwd = {GT_OP_relu_bwd, N_SHAPES, build_relu_bwd,
                                            check_bound_exact};
