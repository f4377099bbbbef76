/* Foreground-restricted Rand and information F-scores. SPDX-License-Identifier: BSD-2-Clause
 *
 * p_ij  share of the truth's n pixels with truth label i >= 1 and predicted label j
 * t_i = sum_j p_ij, s_j = sum_i p_ij; a predicted 0 is a segment of one pixel: share 1/n each
 *     V_Rand = sum p^2 / ((sum s^2 + sum t^2)/2)        V_Info = I(S;T) / ((H(S) + H(T))/2)
 * Source: Arganda-Carreras et al. 2015, doi 10.3389/fnana.2015.00142, eq. 3 and 4 with a = 1/2. */
#include "eval/eval.h"

#include <math.h>

void gt__rand_score(gt_partition_scores *out, const struct gt_sums *sums)
{
    /* Counts of 1 have the square 1 and 1 ln 1 = 0. H = ln n - (1/n) sum c ln c. */
    double p = sums->p2 + sums->zeros;
    double s = sums->s2 + sums->zeros;
    double h_s = log(sums->n) - sums->s_log / sums->n;
    double h_t = log(sums->n) - sums->t_log / sums->n;
    double h_st = log(sums->n) - sums->p_log / sums->n;
    out->v_rand_split = p / sums->t2;
    out->v_rand_merge = p / s;
    out->v_rand = 2 * p / (s + sums->t2);
    /* Both one segment: they agree. The bound keeps rounding from deciding. */
    double shared = fmax(h_s + h_t - h_st, 0);
    out->v_info = h_s + h_t > 1e-12 ? 2 * shared / (h_s + h_t) : 1;
}
