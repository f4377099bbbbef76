/* How much probabilities can be believed. SPDX-License-Identifier: BSD-2-Clause
 *
 * Bins of equal width; expected calibration error = sum over bins of
 * count/n * |mean probability - share of hits|. Source: Guo et al. 2017, arXiv:1706.04599, eq. 3.
 */
#include "eval/eval.h"

#include <math.h>

void gt__reliability_add(struct gt_reliability *r, double probability, bool hit)
{
    double at = probability * GT_CALIBRATION_BINS;
    int32_t b = at < 0 ? 0 : at < GT_CALIBRATION_BINS ? (int32_t)at : GT_CALIBRATION_BINS - 1;
    r->count[b]++;
    r->hits[b] += hit;
    r->sum[b] += probability;
}

void gt__reliability_merge(struct gt_reliability *into, const struct gt_reliability *from)
{
    for (int32_t b = 0; b < GT_CALIBRATION_BINS; b++) {
        into->count[b] += from->count[b];
        into->hits[b] += from->hits[b];
        into->sum[b] += from->sum[b];
    }
}

void gt__calibration(gt_calibration *out, const struct gt_reliability *r)
{
    gt_calibration c = {.error = 0};
    double n = 0;
    for (int32_t b = 0; b < GT_CALIBRATION_BINS; b++) {
        double count = (double)r->count[b];
        n += count;
        c.count[b] = r->count[b];
        if (count > 0) {
            c.probability[b] = r->sum[b] / count;
            c.share[b] = (double)r->hits[b] / count;
            double gap = fabs(c.probability[b] - c.share[b]);
            c.worst = fmax(c.worst, gap);
            c.error += count * gap;
        }
    }
    c.error = n > 0 ? c.error / n : 0;
    *out = c;
}
