/* Cases of the convolution and its gradients. All are sums: L = Cin*kH*kW (forward), Cout*kH*kW
 * (data), N*Hout*Wout (weights). SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <stdio.h>

enum { NONE = 0, BIAS = GT_EPILOGUE_BIAS, RELU = GT_EPILOGUE_RELU };
#define BOTH (GT_EPILOGUE_BIAS | GT_EPILOGUE_RELU)

/* Sizes of the output; the input follows. */
struct conv_case {
    int32_t n, cin, cout, h, w, kh, kw, dilation;
    uint32_t epilogue;
    bool bench;
};

static const struct conv_case conv_cases[] = {
    /* channels that 16 does not divide, images of one pixel */
    {1, 1, 1, 1, 1, 1, 1, 1, NONE, false},
    {1, 1, 1, 5, 7, 3, 3, 1, NONE, false},
    {1, 2, 3, 6, 5, 3, 3, 1, BIAS, false},
    {1, 3, 16, 9, 11, 3, 3, 1, BOTH, false},
    {1, 3, 17, 7, 6, 3, 3, 1, RELU, false},
    {1, 16, 16, 8, 8, 3, 3, 1, BOTH, false},
    {1, 17, 2, 5, 9, 3, 3, 1, BIAS, false},
    {1, 16, 1, 3, 3, 2, 2, 1, NONE, false},
    {1, 48, 17, 7, 7, 3, 3, 1, BOTH, false},
    {1, 64, 48, 5, 6, 3, 3, 1, NONE, false},
    {1, 17, 64, 1, 1, 3, 3, 1, BOTH, false},
    {2, 3, 5, 4, 3, 3, 3, 1, BOTH, false},
    {2, 16, 32, 6, 7, 3, 3, 1, NONE, false},
    {3, 17, 17, 3, 4, 2, 3, 1, BIAS, false},
    /* kernels of one pixel, rectangular and large ones */
    {1, 64, 2, 13, 9, 1, 1, 1, BIAS, false},
    {2, 48, 16, 7, 5, 1, 1, 1, BOTH, false},
    {1, 1, 48, 31, 1, 1, 1, 1, RELU, false},
    {1, 3, 4, 6, 7, 1, 5, 1, NONE, false},
    {1, 3, 4, 6, 7, 5, 1, 1, BOTH, false},
    {1, 2, 3, 7, 9, 4, 4, 1, BIAS, false},
    {1, 16, 8, 5, 5, 6, 6, 1, BOTH, false},
    {1, 17, 3, 2, 3, 8, 8, 1, NONE, false},
    {1, 3, 16, 5, 4, 10, 10, 1, BOTH, false},
    {1, 5, 6, 1, 1, 10, 10, 1, BIAS, false},
    /* the least that kernels which split the sum take, for slow checkers */
    {1, 3, 4, 10, 1, 4, 4, 1, BIAS, false},
    {1, 1, 1, 2, 40, 7, 9, 1, NONE, false},
    /* dilation; sizes that the phase divides and sizes that it does not */
    {1, 3, 4, 8, 8, 3, 3, 2, BOTH, false},
    {1, 3, 4, 7, 9, 2, 2, 2, NONE, false},
    {1, 16, 17, 5, 6, 3, 3, 2, BIAS, false},
    {2, 16, 16, 8, 10, 4, 4, 2, BOTH, false},
    {1, 17, 3, 9, 7, 2, 2, 4, BOTH, false},
    {1, 16, 16, 11, 13, 3, 3, 4, NONE, false},
    {2, 3, 5, 5, 3, 4, 4, 4, RELU, false},
    {1, 16, 2, 17, 16, 2, 2, 8, BIAS, false},
    {1, 48, 16, 9, 10, 2, 3, 8, BOTH, false},
    {1, 3, 16, 3, 5, 10, 10, 8, BOTH, false},
    {1, 2, 3, 8, 9, 8, 8, 8, NONE, false},
    {1, 16, 4, 1, 1, 4, 4, 8, BOTH, false},
    {1, 2, 2, 7, 8, 3, 3, 3, BOTH, false},
    {1, 16, 3, 5, 4, 6, 6, 1, NONE, false},
    {1, 17, 16, 4, 4, 1, 1, 4, BIAS, false},
    /* wide enough for several tiles, chunks and bands */
    {1, 16, 16, 37, 45, 3, 3, 1, BOTH, false},
    {1, 3, 16, 64, 33, 3, 3, 1, BIAS, false},
    {2, 33, 40, 19, 21, 3, 3, 1, BOTH, false},
    {1, 64, 64, 16, 17, 3, 3, 1, NONE, false},
    {1, 16, 32, 33, 30, 4, 4, 4, BOTH, false},
    {1, 64, 48, 24, 23, 1, 1, 1, BOTH, false},
    /* tiles of transforms: some that reach beyond the image, several passes of them */
    {1, 16, 20, 30, 27, 5, 5, 1, BOTH, false},
    {1, 17, 33, 19, 22, 8, 8, 1, BIAS, false},
    {2, 20, 16, 33, 34, 6, 6, 2, BOTH, false},
    {1, 16, 16, 20, 21, 10, 10, 8, RELU, false},
    {1, 16, 18, 50, 49, 4, 4, 1, BOTH, false},
    {2, 12, 5, 110, 110, 5, 5, 1, NONE, false},
    {1, 20, 18, 13, 17, 2, 2, 1, BIAS, false},
    {1, 16, 17, 23, 20, 7, 7, 1, BOTH, false},
    {1, 13, 35, 17, 9, 9, 9, 1, RELU, false},
    {1, 12, 16, 3, 2, 13, 13, 2, BIAS, false},
    /* 64 tiles: planes that would lie whole pages apart; more than 128, and several panels, of which
     * one at a time fits: passes and rounds; more channels than one pass of a product takes */
    {1, 17, 33, 8, 8, 3, 3, 8, BOTH, false},
    {3, 12, 33, 8, 9, 5, 5, 8, BOTH, false},
    {3, 270, 33, 8, 8, 3, 3, 8, BIAS, false},
    /* rounds of an odd number of panels, each half a block where vectors are short */
    {100, 16, 96, 1, 1, 5, 5, 1, NONE, false},
    {1, 260, 17, 3, 4, 5, 5, 1, BOTH, false},
    {1, 18, 530, 5, 4, 3, 3, 1, RELU, false},
    /* 1x1: more channels than a task takes; several ranges of rows, rectangles that end with a
     * fragment */
    {2, 272, 144, 5, 7, 1, 1, 1, BOTH, false},
    {3, 20, 34, 20, 33, 1, 1, 1, BIAS, false},
    /* a result so large that it passes the caches by */
    {1, 2, 17, 263, 262, 1, 1, 1, BOTH, false},
    /* layers of the networks, some of them smaller */
    {1, 64, 64, 96, 96, 3, 3, 1, BOTH, true},
    {1, 3, 64, 160, 160, 3, 3, 1, BOTH, true},
    {1, 192, 256, 16, 16, 10, 10, 8, BOTH, true},
    {1, 512, 128, 48, 48, 1, 1, 1, BIAS, true},
};
enum { N_CONV = sizeof conv_cases / sizeof conv_cases[0] };

static void name_conv(struct check_case *c, const struct conv_case *k)
{
    snprintf(c->name, sizeof c->name, "n%d c%d>%d out %dx%d k%dx%d d%d%s%s", k->n, k->cin, k->cout,
             k->h, k->w, k->kh, k->kw, k->dilation,
             c->op == GT_OP_conv2d_fwd && k->epilogue & BIAS ? " bias" : "",
             c->op == GT_OP_conv2d_fwd && k->epilogue & RELU ? " relu" : "");
    c->bench = k->bench;
}

static gt_shape in_shape(const struct conv_case *k)
{
    return (gt_shape){k->n, k->cin, k->h + (k->kh - 1) * k->dilation,
                      k->w + (k->kw - 1) * k->dilation};
}

static struct gt_attr conv_attr(const struct conv_case *k)
{
    return (struct gt_attr){.kernel_h = k->kh,
                            .kernel_w = k->kw,
                            .stride = 1,
                            .dilation = k->dilation,
                            .shape = {k->cout, k->cin, k->kh, k->kw}};
}

static void build_fwd(struct check_case *c, size_t i)
{
    const struct conv_case *k = &conv_cases[i];
    name_conv(c, k);
    gt_value x = check_leaf(c, in_shape(k), GT_ROLE_INPUT, CHECK_SIGNED);
    gt_value w =
        check_leaf(c, (gt_shape){k->cout, k->cin, k->kh, k->kw}, GT_ROLE_PARAM, CHECK_SIGNED);
    gt_value bias = check_leaf(c, (gt_shape){1, k->cout, 1, 1}, GT_ROLE_PARAM, CHECK_SIGNED);
    check_node(c, (struct gt_node){.op = c->op, .n_in = 2, .in = {x, w}, .attr = conv_attr(k)});
    /* As the planner leaves it after folding. */
    struct gt_node *node = &c->graph->nodes[0];
    node->epilogue = k->epilogue;
    if (k->epilogue & BIAS) {
        node->in[node->n_in++] = bias;
    }
    c->terms = (double)k->cin * k->kh * k->kw + 1;
}

static void build_bwd_data(struct check_case *c, size_t i)
{
    const struct conv_case *k = &conv_cases[i];
    name_conv(c, k);
    gt_value dy = check_leaf(c, (gt_shape){k->n, k->cout, k->h, k->w}, GT_ROLE_INPUT, CHECK_SIGNED);
    gt_value w =
        check_leaf(c, (gt_shape){k->cout, k->cin, k->kh, k->kw}, GT_ROLE_PARAM, CHECK_SIGNED);
    check_node(c, (struct gt_node){.op = c->op, .n_in = 2, .in = {dy, w}, .attr = conv_attr(k)});
    c->terms = (double)k->cout * k->kh * k->kw;
}

static void build_bwd_weight(struct check_case *c, size_t i)
{
    const struct conv_case *k = &conv_cases[i];
    name_conv(c, k);
    gt_value x = check_leaf(c, in_shape(k), GT_ROLE_INPUT, CHECK_SIGNED);
    gt_value dy = check_leaf(c, (gt_shape){k->n, k->cout, k->h, k->w}, GT_ROLE_INPUT, CHECK_SIGNED);
    check_node(c, (struct gt_node){.op = c->op, .n_in = 2, .in = {x, dy}, .attr = conv_attr(k)});
    c->terms = (double)k->n * k->h * k->w;
}

const struct check_family check_conv2d_fwd = {GT_OP_conv2d_fwd, N_CONV, build_fwd, NULL};
const struct check_family check_conv2d_bwd_data = {GT_OP_conv2d_bwd_data, N_CONV, build_bwd_data,
                                                   NULL};
const struct check_family check_conv2d_bwd_weight = {GT_OP_conv2d_bwd_weight, N_CONV,
                                                     build_bwd_weight, NULL};
