/* Cases of the squared norm (a sum) and of the optimizer updates.
 * With S taken on absolute values before any difference: SGD has at most 6 roundings in a row, so
 * |v - ref| <= 10 * FLT_EPSILON * (|mu v| + r*(|s g| + |e w|)), w that plus |w|. AdamW's m and v
 * likewise; its step is m*c1 / (sqrt(v*c2) + eps): the error of m with that of the root, half the
 * relative one of v, and few roundings more: 16 * FLT_EPSILON * S(m)*c1 / (sqrt(v*c2) + eps).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static const struct {
    gt_shape s;
    bool acc, bench;
} sumsq_cases[] = {
    {{1, 1, 1, 1}, false, false},    {{1, 1, 1, 1}, true, false},    {{16, 3, 3, 3}, true, false},
    {{1, 17, 1, 1}, false, false},   {{17, 16, 5, 5}, true, false},  {{64, 48, 3, 3}, true, false},
    {{2, 64, 10, 10}, false, false}, {{1024, 64, 3, 3}, true, true},
};
enum { N_SUMSQ = sizeof sumsq_cases / sizeof sumsq_cases[0] };

static void build_sumsq(struct check_case *c, size_t i)
{
    gt_shape s = sumsq_cases[i].s;
    snprintf(c->name, sizeof c->name, "%dx%dx%dx%d%s", s.n, s.c, s.h, s.w,
             sumsq_cases[i].acc ? " added" : "");
    c->bench = sumsq_cases[i].bench;
    gt_value g = check_leaf(c, s, GT_ROLE_INPUT, CHECK_SIGNED);
    gt_value acc = GT_NO_VALUE;
    if (sumsq_cases[i].acc) {
        struct check_fill fill = {.kind = CHECK_UNIFORM, .low = 1, .high = 4};
        acc = check_leaf(c, (gt_shape){1, 1, 1, 1}, GT_ROLE_INPUT, fill);
    }
    check_node(c, (struct gt_node){.op = c->op, .n_in = 2, .in = {g, acc}});
    c->terms = (double)gt__count(s) + 1;
}

/* rate, decay, momentum or beta1, beta2, epsilon, clip, correct1, correct2 */
static const struct update_case {
    gt_shape s;
    float hyper[GT_HYPER_COUNT];
    float sumsq;
    float rate_mult, decay_mult;
    bool bench;
} update_cases[] = {
    {{1, 1, 1, 1}, {0.1F, 0, 0, 0, 1e-8F, 0, 1, 1}, 1, 1, 1, false},
    {{16, 3, 3, 3}, {1e-2F, 5e-4F, 0.9F, 0.999F, 1e-8F, 0, 10, 1000}, 4, 1, 1, false},
    {{1, 17, 1, 1}, {1e-3F, 5e-4F, 0.99F, 0.99F, 1e-8F, 0, 2, 50}, 4, 2, 0, false},
    {{17, 16, 5, 5}, {1e-2F, 1e-2F, 0.5F, 0.9F, 1e-6F, 1, 1.5F, 5}, 100, 1, 1, false},
    {{64, 48, 3, 3}, {1e-3F, 1e-4F, 0.9F, 0.999F, 1e-8F, 1, 1, 1}, 0.25F, 1, 1, false},
    {{2, 3, 7, 11}, {1e-3F, 1e-4F, 0.9F, 0.999F, 1e-8F, 0.5F, 1, 1}, 0, 1, 1, false},
    {{2, 64, 10, 10}, {1e-3F, 0, 0.99F, 0.999F, 1e-3F, 3, 1.1F, 2}, 1e30F, 0.5F, 2, false},
    /* a gradient that is not finite: everything stays */
    {{3, 5, 3, 3}, {1e-2F, 1e-2F, 0.9F, 0.99F, 1e-8F, 0, 1, 1}, INFINITY, 1, 1, false},
    {{3, 5, 3, 3}, {1e-2F, 1e-2F, 0.9F, 0.99F, 1e-8F, 1, 1, 1}, NAN, 1, 1, false},
    {{1024, 64, 3, 3}, {1e-3F, 1e-4F, 0.9F, 0.999F, 1e-8F, 1, 1, 1}, 100, 1, 1, true},
};
enum { N_UPDATE = sizeof update_cases / sizeof update_cases[0] };

static void build_update(struct check_case *c, size_t i)
{
    const struct update_case *k = &update_cases[i];
    bool adamw = c->op == GT_OP_adamw_update;
    struct check_fill square = {.kind = CHECK_UNIFORM, .low = 0, .high = 0.5};
    struct check_fill hyper = {.kind = CHECK_LIST, .list = k->hyper, .n_list = GT_HYPER_COUNT};
    struct check_fill sumsq = {.kind = CHECK_LIST, .list = &k->sumsq, .n_list = 1};
    snprintf(c->name, sizeof c->name, "%dx%dx%dx%d clip %g sumsq %g mult %g %g", k->s.n, k->s.c,
             k->s.h, k->s.w, (double)k->hyper[GT_HYPER_CLIP], (double)k->sumsq,
             (double)k->rate_mult, (double)k->decay_mult);
    c->bench = k->bench;
    gt_value w = check_leaf(c, k->s, GT_ROLE_PARAM, CHECK_SIGNED);
    gt_value dw = check_leaf(c, k->s, GT_ROLE_INPUT, CHECK_SIGNED);
    gt_value m = check_leaf(c, k->s, GT_ROLE_STATE, CHECK_SIGNED);
    gt_value v = adamw ? check_leaf(c, k->s, GT_ROLE_STATE, square) : GT_NO_VALUE;
    gt_value h = check_leaf(c, (gt_shape){1, 1, 1, GT_HYPER_COUNT}, GT_ROLE_INPUT, hyper);
    gt_value s = check_leaf(c, (gt_shape){1, 1, 1, 1}, GT_ROLE_INPUT, sumsq);
    struct gt_node node = {.op = c->op,
                           .n_in = adamw ? 6 : 5,
                           .in = {w, dw, m, adamw ? v : h, adamw ? h : s, adamw ? s : GT_NO_VALUE},
                           .attr = {.rate_mult = k->rate_mult, .decay_mult = k->decay_mult}};
    check_node(c, node);
}

struct update {
    const double *w, *dw, *m, *v, *hyper;
    double scale, rate, decay;
    bool frozen; /* nothing may change */
};

static struct update inputs(const struct check_case *c)
{
    int32_t adamw = c->op == GT_OP_adamw_update;
    const struct gt_node *node = check_tested(c);
    const double *hyper = (const double *)c->in[3 + adamw];
    double sumsq = ((const double *)c->in[4 + adamw])[0];
    double clip = hyper[GT_HYPER_CLIP];
    return (struct update){.w = (const double *)c->in[0],
                           .dw = (const double *)c->in[1],
                           .m = (const double *)c->in[2],
                           .v = (const double *)c->in[3],
                           .hyper = hyper,
                           .scale = clip > 0 && sumsq > 0 ? fmin(1, clip / sqrt(sumsq)) : 1,
                           .rate = hyper[GT_HYPER_RATE] * (double)node->attr.rate_mult,
                           .decay = hyper[GT_HYPER_DECAY] * (double)node->attr.decay_mult,
                           .frozen = !isfinite(sumsq)};
}

static void bound_sgd(const struct check_case *c, int32_t out, double *bound)
{
    struct update u = inputs(c);
    for (size_t i = 0; i < gt__count(check_shape_of(c, check_tested(c)->out[out])); i++) {
        double g = fabs(u.scale * u.dw[i]) + fabs(u.decay * u.w[i]);
        double s = u.hyper[GT_HYPER_MOMENTUM] * fabs(u.m[i]) + u.rate * g;
        bound[i] = u.frozen ? 0 : 10 * (double)FLT_EPSILON * (s + (out == 0 ? fabs(u.w[i]) : 0));
    }
}

static void bound_adamw(const struct check_case *c, int32_t out, double *bound)
{
    struct update u = inputs(c);
    const double *v_new = (const double *)c->ref[2];
    double beta1 = u.hyper[GT_HYPER_MOMENTUM];
    double beta2 = u.hyper[GT_HYPER_BETA2];
    for (size_t i = 0; i < gt__count(check_shape_of(c, check_tested(c)->out[out])); i++) {
        double g = fabs(u.scale * u.dw[i]);
        double m = beta1 * fabs(u.m[i]) + (1 - beta1) * g;
        double v = beta2 * fabs(u.v[i]) + (1 - beta2) * g * g;
        double root = sqrt(v_new[i] * u.hyper[GT_HYPER_CORRECT2]) + u.hyper[GT_HYPER_EPSILON];
        double step = u.rate * (m * u.hyper[GT_HYPER_CORRECT1] / root + u.decay * fabs(u.w[i]));
        double s[] = {fabs(u.w[i]) + 1.6 * step, m, v};
        bound[i] = u.frozen ? 0 : 10 * (double)FLT_EPSILON * s[out];
    }
}

const struct check_family check_sumsq = {GT_OP_sumsq, N_SUMSQ, build_sumsq, NULL};
const struct check_family check_sgd_update = {GT_OP_sgd_update, N_UPDATE, build_update, bound_sgd};
const struct check_family check_adamw_update = {GT_OP_adamw_update, N_UPDATE, build_update,
                                                bound_adamw};
