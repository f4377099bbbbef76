/* The old Rand error: pairs of pixels, without thinning. SPDX-License-Identifier: BSD-2-Clause
 *
 * Pairs are n(n - 1)/2 here, not n^2 as in V_Rand. A pixel predicted 0 makes no pair. All counts
 * are kept twice as large. Source: Rand 1971, doi 10.2307/2284239; the F-score of the pairs as in
 * the first ISBI leaderboard, doi 10.3389/fnana.2015.00142. */
#include "eval/eval.h"

void gt__pairs_add(struct gt_pairs *pairs, const struct gt_sums *sums)
{
    double inside = sums->n - sums->zeros;
    pairs->both += sums->p2 - inside;
    pairs->truth += sums->t2 - sums->n;
    pairs->predicted += sums->s2 - inside;
}

double gt__pairs_f(const struct gt_pairs *pairs)
{
    double sum = pairs->truth + pairs->predicted;
    return sum > 0 ? 2 * pairs->both / sum : 1;
}
