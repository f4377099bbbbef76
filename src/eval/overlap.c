/* How segments of truth and prediction overlap. SPDX-License-Identifier: BSD-2-Clause */
#include "eval/eval.h"

#include <math.h>

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

static void add(double *squares, double *logs, double count)
{
    *squares += count * count;
    *logs += count * log(count);
}

/* The pixels of one truth segment by predicted label, added to the sums and to the columns. */
static void count_segment(struct gt_sums *out, const int32_t *order, int32_t n,
                          const int32_t *label, int32_t labels, int32_t *scratch)
{
    int32_t *cell = scratch;                   /* pixels of this segment by label */
    int32_t *column = scratch + labels + 1;    /* pixels of the truth by label */
    int32_t *met = scratch + 2 * (labels + 1); /* labels that occur here */
    int32_t n_met = 0;
    int32_t zeros = 0;
    for (int32_t k = 0; k < n; k++) {
        int32_t j = label[order[k]];
        if (j > 0 && cell[j]++ == 0) {
            met[n_met++] = j;
        }
        zeros += j == 0;
    }
    for (int32_t k = 0; k < n_met; k++) {
        int32_t j = met[k];
        add(&out->p2, &out->p_log, cell[j]);
        column[j] += cell[j];
        cell[j] = 0;
        met[k] = 0;
    }
    if (n > 0) {
        add(&out->t2, &out->t_log, n);
    }
    if (zeros > 0) {
        out->p0_log += zeros * log(zeros);
        out->zeros += zeros;
    }
}

void gt__overlap_count(struct gt_sums *out, const struct gt_truth *truth, double all,
                       const int32_t *label, int32_t labels, int32_t *scratch)
{
    *out = (struct gt_sums){.n = truth->n, .all = all};
    for (int32_t i = 0; i < truth->labels; i++) {
        int32_t from = truth->start[i];
        count_segment(out, truth->order + from, truth->start[i + 1] - from, label, labels, scratch);
    }
    int32_t *column = scratch + labels + 1;
    for (int32_t j = 1; j <= labels; j++) {
        if (column[j] > 0) {
            add(&out->s2, &out->s_log, column[j]);
            column[j] = 0;
        }
    }
}

/* Sums over runs of equal upper halves of the keys. */
static void add_runs(double *squares, double *logs, const struct gt_cell *cells, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint64_t row = cells[i].key >> 32;
        uint64_t count = 0;
        for (; i < n && cells[i].key >> 32 == row; i++) {
            count += cells[i].count;
        }
        add(squares, logs, (double)count);
    }
}

void gt__overlap_sums(struct gt_sums *out, double all, const struct gt_cell *cells, size_t n,
                      struct gt_cell *by_column)
{
    struct gt_sums s = {.all = all};
    size_t columns = 0;
    for (size_t i = 0; i < n; i++) {
        double count = (double)cells[i].count;
        uint64_t j = cells[i].key & UINT32_MAX;
        s.n += count;
        if (j == 0) {
            s.zeros += count;
            s.p0_log += count * log(count);
        } else {
            add(&s.p2, &s.p_log, count);
            by_column[columns++] = (struct gt_cell){j << 32 | cells[i].key >> 32, cells[i].count};
        }
    }
    gt__sort_cells(by_column, columns);
    add_runs(&s.t2, &s.t_log, cells, n);
    add_runs(&s.s2, &s.s_log, by_column, columns);
    *out = s;
}
