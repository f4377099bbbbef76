/* Foreground-restricted Rand and information F-scores. SPDX-License-Identifier: BSD-2-Clause
 *
 * p_ij  share of the truth's n pixels with truth label i >= 1 and predicted label j
 * t_i = sum_j p_ij, s_j = sum_i p_ij; a predicted 0 is a segment of one pixel: share 1/n each
 *     V_Rand = sum p^2 / ((sum s^2 + sum t^2)/2)        V_Info = I(S;T) / ((H(S) + H(T))/2)
 * Source: Arganda-Carreras et al. 2015, doi 10.3389/fnana.2015.00142, eq. 3 and 4 with a = 1/2. */
#include "eval/eval.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"

gt_status gt__truth_create(struct gt_truth *out, const int32_t *label, int32_t count,
                           int32_t labels)
{
    gt_status status = GT_OK;
    struct gt_truth t = {.labels = labels};
    for (int32_t i = 0; i < count; i++) {
        t.n += label[i] > 0;
    }
    GT_TRY_OUT(gt__alloc(&t.order, (size_t)t.n, sizeof *t.order, "pixels of the truth"));
    GT_TRY_OUT(gt__alloc(&t.start, (size_t)labels + 2, sizeof *t.start, "segments of the truth"));
    /* Counting sort: start[l + 1] first counts label l, then says where it goes on. */
    for (int32_t i = 0; i < count; i++) {
        if (label[i] > 0) {
            t.start[label[i] + 1]++;
        }
    }
    for (int32_t l = 1; l <= labels; l++) {
        t.start[l + 1] += t.start[l];
    }
    for (int32_t i = 0; i < count; i++) {
        if (label[i] > 0) {
            t.order[t.start[label[i]]++] = i;
        }
    }
    *out = t;
    t = (struct gt_truth){0};
out:
    gt__truth_release(&t);
    return status;
}

void gt__truth_release(struct gt_truth *truth)
{
    gt__free(truth->order);
    gt__free(truth->start);
    *truth = (struct gt_truth){0};
}

/* Sums of squares and of x ln x over counts. */
struct sums {
    double squares, entropy;
};

static void add(struct sums *s, double count)
{
    s->squares += count * count;
    s->entropy += count * log(count);
}

/* H = ln n - (1/n) sum c ln c for counts c that sum to n */
static double entropy(const struct sums *s, double n)
{
    return log(n) - s->entropy / n;
}

void gt__rand_score(struct gt_rand_scores *out, const struct gt_truth *truth, const int32_t *label,
                    int32_t labels, int32_t *scratch)
{
    int32_t *cell = scratch;                   /* pixels of the truth segment at hand by label */
    int32_t *column = scratch + labels + 1;    /* pixels of the truth by label */
    int32_t *met = scratch + 2 * (labels + 1); /* labels that occur in the truth segment */
    struct sums p = {0};
    struct sums s = {0};
    struct sums t = {0};
    double single = 0;
    for (int32_t i = 0; i < truth->labels; i++) {
        int32_t n_met = 0;
        for (int32_t k = truth->start[i]; k < truth->start[i + 1]; k++) {
            int32_t j = label[truth->order[k]];
            if (j > 0 && cell[j]++ == 0) {
                met[n_met++] = j;
            }
            single += j == 0;
        }
        for (int32_t k = 0; k < n_met; k++) {
            int32_t j = met[k];
            add(&p, cell[j]);
            column[j] += cell[j];
            cell[j] = 0;
            met[k] = 0;
        }
        if (truth->start[i + 1] > truth->start[i]) {
            add(&t, truth->start[i + 1] - truth->start[i]);
        }
    }
    for (int32_t j = 1; j <= labels; j++) {
        if (column[j] > 0) {
            add(&s, column[j]);
            column[j] = 0;
        }
    }
    p.squares += single; /* counts of 1, whose x ln x is 0 */
    s.squares += single;
    double n = truth->n;
    double h_s = entropy(&s, n);
    double h_t = entropy(&t, n);
    double h_st = entropy(&p, n);
    out->split = p.squares / t.squares;
    out->merge = p.squares / s.squares;
    out->v_rand = 2 * p.squares / (s.squares + t.squares);
    /* Both one segment: they agree. The bound keeps rounding from deciding. */
    double shared = fmax(h_s + h_t - h_st, 0);
    out->v_info = h_s + h_t > 1e-12 ? 2 * shared / (h_s + h_t) : 1;
}
