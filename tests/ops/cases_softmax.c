/* Cases of softmax and its gradient.
 * Forward: exp multiplies the rounding of its argument, at most range * FLT_EPSILON/2, and has an
 * error of a few units itself; the sum of C terms adds C roundings, the quotient one. So p is off
 * by at most (C + 8 + 2*range) * FLT_EPSILON * p, plus FLT_MIN where it underflows. Backward: the
 * sum of C terms, with S = p[c] * (|dp[c]| + sum over k of p[k]*|dp[k]|): the difference may
 * cancel. SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static const struct {
    gt_shape s;
    float range;
    bool bench;
} softmax_cases[] = {
    {{1, 2, 1, 1}, 1, false},    {{1, 1, 3, 4}, 5, false},    {{1, 2, 5, 7}, 3, false},
    {{2, 2, 9, 8}, 20, false},   {{1, 3, 4, 5}, 0, false},    {{1, 9, 11, 6}, 10, false},
    {{2, 16, 3, 5}, 4, false},   {{1, 17, 7, 7}, 200, false}, {{3, 48, 2, 3}, 8, false},
    {{1, 2, 40, 41}, 2, false},  {{1, 256, 2, 2}, 6, false},  {{1, 64, 33, 5}, 3, false},
    {{1, 2, 388, 388}, 3, true}, {{1, 9, 388, 388}, 3, true},
};
enum { N_SOFTMAX = sizeof softmax_cases / sizeof softmax_cases[0] };

double check_softmax_error(gt_shape s, const double *x, int32_t n, int32_t h, int32_t w)
{
    double low = INFINITY;
    double high = -INFINITY;
    for (int32_t c = 0; c < s.c; c++) {
        double v = x[gt__layout_index(s, GT_LAYOUT_NCHW, n, c, h, w)];
        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    /* Beyond 104 exp is 0 in float. */
    double range = high - low < 104 ? high - low : 104;
    return (s.c + 8 + 2 * range) * (double)FLT_EPSILON;
}

static gt_value scores(struct check_case *c, size_t i)
{
    gt_shape s = softmax_cases[i].s;
    double r = (double)softmax_cases[i].range;
    snprintf(c->name, sizeof c->name, "n%d c%d %dx%d range %g", s.n, s.c, s.h, s.w, r);
    c->bench = softmax_cases[i].bench;
    return check_leaf(c, s, GT_ROLE_INPUT,
                      (struct check_fill){.kind = CHECK_UNIFORM, .low = -r, .high = r});
}

static void build_fwd(struct check_case *c, size_t i)
{
    check_node(c, (struct gt_node){.op = c->op, .n_in = 1, .in = {scores(c, i)}});
}

static void bound_fwd(const struct check_case *c, int32_t out, double *bound)
{
    gt_shape s = check_shape_of(c, check_tested(c)->in[0]);
    const double *x = (const double *)c->in[0];
    const double *p = (const double *)c->ref[out];
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t h = 0; h < s.h; h++) {
            for (int32_t w = 0; w < s.w; w++) {
                double e = check_softmax_error(s, x, n, h, w);
                for (int32_t k = 0; k < s.c; k++) {
                    size_t at = gt__layout_index(s, GT_LAYOUT_NCHW, n, k, h, w);
                    bound[at] = e * p[at] + (double)FLT_MIN;
                }
            }
        }
    }
}

static void build_bwd(struct check_case *c, size_t i)
{
    gt_value x = scores(c, i);
    gt_value dp = check_leaf(c, softmax_cases[i].s, GT_ROLE_INPUT, CHECK_SIGNED);
    struct gt_node fwd =
        check_node(c, (struct gt_node){.op = GT_OP_softmax_fwd, .n_in = 1, .in = {x}});
    check_node(c, (struct gt_node){.op = c->op, .n_in = 2, .in = {dp, fwd.out[0]}});
}

static void bound_bwd(const struct check_case *c, int32_t out, double *bound)
{
    gt_shape s = check_shape_of(c, check_tested(c)->out[out]);
    const double *dp = (const double *)c->in[0];
    const double *p = (const double *)c->in[1];
    size_t plane = (size_t)s.h * (size_t)s.w;
    for (size_t i = 0; i < (size_t)s.n * plane; i++) {
        size_t at = i / plane * (size_t)s.c * plane + i % plane;
        double sum = 0;
        for (size_t k = 0; k < (size_t)s.c; k++) {
            sum += p[at + k * plane] * fabs(dp[at + k * plane]);
        }
        for (size_t k = 0; k < (size_t)s.c; k++) {
            size_t j = at + k * plane;
            bound[j] =
                (s.c + 4) * (double)FLT_EPSILON * p[j] * (fabs(dp[j]) + sum) + (double)FLT_MIN;
        }
    }
}

const struct check_family check_softmax_fwd = {GT_OP_softmax_fwd, N_SOFTMAX, build_fwd, bound_fwd};
const struct check_family check_softmax_bwd = {GT_OP_softmax_bwd, N_SOFTMAX, build_bwd, bound_bwd};
