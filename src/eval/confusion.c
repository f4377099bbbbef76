/* Which label was taken for which. SPDX-License-Identifier: BSD-2-Clause */
#include "eval/eval.h"

void gt__confusion_add(uint64_t *counts, struct gt_reliability *top, int32_t labels,
                       const int32_t *truth, const float *prob, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (truth[i] < 0) {
            continue;
        }
        int32_t best = 0;
        for (int32_t l = 1; l < labels; l++) {
            if (prob[(size_t)l * n + i] > prob[(size_t)best * n + i]) {
                best = l;
            }
        }
        counts[truth[i] * labels + best]++;
        gt__reliability_add(top, (double)prob[(size_t)best * n + i], best == truth[i]);
    }
}

void gt__confusion_add_two(uint64_t *counts, struct gt_reliability *top, int32_t label,
                           const int32_t *truth, const float *prob, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (truth[i] < 0) {
            continue;
        }
        double p = (double)prob[i];
        int32_t best = (label == 1 ? p > 0.5 : p < 0.5) ? 1 : 0;
        counts[truth[i] * 2 + best]++;
        gt__reliability_add(top, p > 0.5 ? p : 1 - p, best == truth[i]);
    }
}

static double ratio(uint64_t a, uint64_t b)
{
    return b > 0 ? (double)a / (double)b : 0;
}

void gt__label_scores(gt_label_scores *out, const uint64_t *counts, int32_t labels, int32_t label)
{
    gt_label_scores s = {.hits = counts[label * labels + label]};
    for (int32_t k = 0; k < labels; k++) {
        s.truth += counts[label * labels + k];
        s.predicted += counts[k * labels + label];
    }
    s.recall = ratio(s.hits, s.truth);
    s.precision = ratio(s.hits, s.predicted);
    s.f1 = ratio(2 * s.hits, s.truth + s.predicted);
    s.iou = ratio(s.hits, s.truth + s.predicted - s.hits);
    *out = s;
}

bool gt__mean_iou(double *out, const uint64_t *counts, int32_t labels)
{
    double sum = 0;
    int32_t n = 0;
    for (int32_t k = 0; k < labels; k++) {
        gt_label_scores s;
        gt__label_scores(&s, counts, labels, k);
        sum += s.iou;
        n += s.truth + s.predicted > 0;
    }
    if (n > 0) {
        *out = sum / n;
    }
    return n > 0;
}
