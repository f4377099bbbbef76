/* Cases of softmax with cross-entropy, with ignored positions.
 * Probabilities: as softmax. Loss: a relative error e of p is an error e of ln p, and the sum of M
 * positions adds (M + 4) * FLT_EPSILON times the sum of |ln p|. Backward: two terms, S = |weight|/n
 * * (p + 1). SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

enum labels { LABELS_ALL, LABELS_SOME_IGNORED, LABELS_NONE, LABELS_FRACTIONS };

static const struct loss_case {
    gt_shape s;
    float range, weight;
    gt_normalize normalize;
    enum labels labels;
    bool bench;
} loss_cases[] = {
    {{1, 2, 1, 1}, 1, 1, GT_NORMALIZE_VALID, LABELS_ALL, false},
    {{1, 2, 1, 1}, 1, 1, GT_NORMALIZE_VALID, LABELS_NONE, false},
    {{1, 2, 5, 7}, 3, 1, GT_NORMALIZE_VALID, LABELS_SOME_IGNORED, false},
    {{2, 3, 9, 8}, 3, 0.5F, GT_NORMALIZE_VALID, LABELS_SOME_IGNORED, false},
    {{2, 3, 9, 8}, 3, 2, GT_NORMALIZE_BATCH, LABELS_SOME_IGNORED, false},
    {{3, 9, 6, 5}, 10, 1, GT_NORMALIZE_BATCH, LABELS_ALL, false},
    {{2, 2, 4, 5}, 3, 1, GT_NORMALIZE_VALID, LABELS_NONE, false},
    {{2, 2, 4, 5}, 3, 3, GT_NORMALIZE_BATCH, LABELS_NONE, false},
    {{1, 3, 6, 7}, 2, 1, GT_NORMALIZE_VALID, LABELS_FRACTIONS, false},
    {{1, 17, 5, 9}, 150, 1, GT_NORMALIZE_VALID, LABELS_SOME_IGNORED, false},
    {{1, 2, 70, 65}, 4, 1, GT_NORMALIZE_VALID, LABELS_SOME_IGNORED, false},
    {{1, 48, 8, 9}, 5, 0.25F, GT_NORMALIZE_VALID, LABELS_ALL, false},
    {{2, 16, 16, 16}, 5, -1, GT_NORMALIZE_VALID, LABELS_SOME_IGNORED, false},
    {{1, 1, 3, 3}, 1, 1, GT_NORMALIZE_VALID, LABELS_ALL, false},
    {{1, 2, 388, 388}, 3, 1, GT_NORMALIZE_VALID, LABELS_ALL, true},
};
enum { N_LOSS = sizeof loss_cases / sizeof loss_cases[0] };

static const float none[] = {-1.0F};
static const float fractions[] = {0.9F, 1.5F, -0.25F, 2.0F, 1.0F, -3.0F};

static struct check_fill label_fill(const struct loss_case *k)
{
    switch (k->labels) {
    case LABELS_NONE:
        return (struct check_fill){.kind = CHECK_LIST, .list = none, .n_list = 1};
    case LABELS_FRACTIONS:
        return (struct check_fill){.kind = CHECK_LIST, .list = fractions, .n_list = 6};
    default:
        return (struct check_fill){
            .kind = CHECK_INTEGERS, .low = k->labels == LABELS_ALL ? 0 : -1, .high = k->s.c - 1};
    }
}

static struct gt_node loss_node(struct check_case *c, size_t i)
{
    static const char *const words[] = {"all", "some ignored", "none", "fractions"};
    const struct loss_case *k = &loss_cases[i];
    double r = (double)k->range;
    snprintf(c->name, sizeof c->name, "n%d c%d %dx%d range %g weight %g by %s, labels: %s", k->s.n,
             k->s.c, k->s.h, k->s.w, r, (double)k->weight,
             k->normalize == GT_NORMALIZE_VALID ? "valid" : "batch", words[k->labels]);
    c->bench = k->bench;
    gt_value x = check_leaf(c, k->s, GT_ROLE_INPUT,
                            (struct check_fill){.kind = CHECK_UNIFORM, .low = -r, .high = r});
    gt_value label =
        check_leaf(c, (gt_shape){k->s.n, 1, k->s.h, k->s.w}, GT_ROLE_INPUT, label_fill(k));
    return check_node(c,
                      (struct gt_node){.op = GT_OP_softmax_loss_fwd,
                                       .n_in = 2,
                                       .in = {x, label},
                                       .attr = {.normalize = k->normalize, .weight = k->weight}});
}

static void build_fwd(struct check_case *c, size_t i)
{
    loss_node(c, i);
}

static double loss_bound(const struct check_case *c, gt_shape s)
{
    const double *x = (const double *)c->in[0];
    const double *label = (const double *)c->in[1];
    const double *p = (const double *)c->ref[1];
    double terms = 4;
    double errors = 0;
    double sum = 0;
    size_t i = 0;
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t h = 0; h < s.h; h++) {
            for (int32_t w = 0; w < s.w; w++, i++) {
                if (label[i] < 0) {
                    continue;
                }
                size_t at = gt__layout_index(s, GT_LAYOUT_NCHW, n, (int32_t)label[i], h, w);
                errors += check_softmax_error(s, x, n, h, w);
                sum += fabs(log(fmax(p[at], (double)FLT_MIN)));
                terms++;
            }
        }
    }
    double scale = fabs((double)check_tested(c)->attr.weight) / ((const double *)c->ref[2])[0];
    return scale * (errors + terms * (double)FLT_EPSILON * sum);
}

static void bound_fwd(const struct check_case *c, int32_t out, double *bound)
{
    gt_shape s = check_shape_of(c, check_tested(c)->in[0]);
    if (out == 0) {
        bound[0] = loss_bound(c, s);
        return;
    }
    if (out == 2) {
        bound[0] = 0;
        return;
    }
    const double *p = (const double *)c->ref[1];
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t h = 0; h < s.h; h++) {
            for (int32_t w = 0; w < s.w; w++) {
                double e = check_softmax_error(s, (const double *)c->in[0], n, h, w);
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
    struct gt_node fwd = loss_node(c, i);
    check_node(c, (struct gt_node){.op = c->op,
                                   .n_in = 3,
                                   .in = {fwd.out[1], fwd.in[1], fwd.out[2]},
                                   .attr = fwd.attr});
}

/* Ignored positions are exactly 0. */
static void bound_bwd(const struct check_case *c, int32_t out, double *bound)
{
    gt_shape s = check_shape_of(c, check_tested(c)->out[out]);
    const double *p = (const double *)c->in[0];
    const double *label = (const double *)c->in[1];
    size_t plane = (size_t)s.h * (size_t)s.w;
    double scale = fabs((double)check_tested(c)->attr.weight) / ((const double *)c->in[2])[0];
    for (size_t i = 0; i < gt__count(s); i++) {
        double y = label[i / ((size_t)s.c * plane) * plane + i % plane];
        bound[i] = y < 0 ? 0 : (2 + 4) * (double)FLT_EPSILON * scale * (p[i] + 1);
    }
}

const struct check_family check_softmax_loss_fwd = {GT_OP_softmax_loss_fwd, N_LOSS, build_fwd,
                                                    bound_fwd};
const struct check_family check_softmax_loss_bwd = {GT_OP_softmax_loss_bwd, N_LOSS, build_bwd,
                                                    bound_bwd};
