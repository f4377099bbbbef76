/* Scores of single pixels over thresholds. SPDX-License-Identifier: BSD-2-Clause */
#include "eval/eval.h"

double gt__threshold(int32_t i)
{
    return i < GT_THRESHOLDS - 1 ? i / 10.0 : 1 - 1e-12;
}

int32_t gt__thresholds_below(double value)
{
    int32_t n = 0;
    while (n < GT_THRESHOLDS && value > gt__threshold(n)) {
        n++;
    }
    return n;
}

void gt__pixel_score(double *f, double *wrong, const struct gt_pixel_counts *counts, int32_t i)
{
    double true_positive = 0;
    double false_negative = 0;
    double false_positive = 0;
    double all = 0;
    for (int32_t k = 0; k <= GT_THRESHOLDS; k++) {
        double positive = (double)counts->positive[k];
        double negative = (double)counts->negative[k];
        true_positive += k > i ? positive : 0;
        false_negative += k > i ? 0 : positive;
        false_positive += k > i ? negative : 0;
        all += positive + negative;
    }
    double sum = 2 * true_positive + false_positive + false_negative;
    *f = sum > 0 ? 2 * true_positive / sum : 1;
    *wrong = all > 0 ? (false_positive + false_negative) / all : 0;
}
