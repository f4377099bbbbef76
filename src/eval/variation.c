/* Variation of information. SPDX-License-Identifier: BSD-2-Clause
 *
 * split = H(S given T) = H(S,T) - H(T), merge = H(T given S) = H(S,T) - H(S), in bits, over the
 * pixels with a truth label; predicted 0 is a segment as any other, as CREMI and scikit-image have
 * it. Source: Meila 2007, doi 10.1016/j.jmva.2006.11.013. */
#include "eval/eval.h"

#include <math.h>

/* Rounding must not make a conditional entropy negative. */
static double bits(double nats)
{
    return fmax(nats, 0) / log(2.0);
}

void gt__variation(gt_partition_scores *out, const struct gt_sums *sums)
{
    double s0_log = sums->zeros > 0 ? sums->zeros * log(sums->zeros) : 0;
    double p_log = sums->p_log + sums->p0_log;
    out->voi_split = bits((sums->t_log - p_log) / sums->n);
    out->voi_merge = bits((sums->s_log + s0_log - p_log) / sums->n);
}

void gt__partition_scores(gt_partition_scores *out, const struct gt_sums *sums)
{
    gt__rand_score(out, sums);
    gt__variation(out, sums);
    out->adapted_rand = gt__adapted_rand(sums);
    out->adapted_rand_cremi = gt__adapted_rand_cremi(sums);
    out->cremi = sqrt((out->voi_split + out->voi_merge) * out->adapted_rand_cremi);
}
