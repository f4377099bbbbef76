/* Which patches are drawn how often. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_PRIOR_H
#define GT_DATA_PRIOR_H

#include "data/dataset.h"

/* Where a patch lies. */
struct gt_place {
    const struct gt_page *page;
    int32_t y, x; /* its first labelled pixel */
};

/* Importance sampling of patches by their labels: patch p with c_k(p) pixels of fine label k is
 * drawn with a probability proportional to w(p) = sum_k (c_k(p)/P^2) / f[k]. That is a sum over
 * pixels of a gain that depends on the pixel's label alone, so w of all patches of a row follows
 * from the labels of P rows; only sums of rows of patches are kept, and the row that is drawn is
 * computed anew. Gains are integers, so that sums that slide along do not drift.
 * Source: Tschopp 2015, arXiv:1509.03371; with f over exact patch counts. Labels that do not occur
 * take part in nothing (the original divided by their f of 0). */
struct gt_prior {
    const gt_dataset *dataset;
    int32_t patch;
    uint64_t gain[1 + GT_MAX_LABELS]; /* of fine label k at 1 + k; [0] is 0: ignored */
    double unit;                      /* w(p) = unit * sum of gains */
    double *rows;                     /* [n_rows] running sum over rows of patches, page by page */
    size_t n_rows;
};

/* frequency  [fine labels of the data set] f; 0: does not occur. The data set must outlive the
 * prior. GT_EINVAL  no pixel has a label */
gt_status gt__prior_create(struct gt_prior **out, const gt_dataset *dataset, int32_t patch,
                           const double *frequency);

/* The patch at u in [0, 1) of the whole weight. Reads 2 P rows of a page; allocates nothing. */
struct gt_place gt__prior_draw(const struct gt_prior *prior, double u);

void gt__prior_free(struct gt_prior *prior);

/* Sums of gains along columns over P rows, moving down a page. */
struct gt_band {
    const struct gt_prior *prior;
    const struct gt_page *page;
    int32_t y;
    uint64_t *columns; /* [width] */
};
gt_status gt__band_open(struct gt_band *band, const struct gt_prior *prior,
                        const struct gt_page *page);
/* Sums of gains of the row of patches at y, [width - P + 1]; then y goes down by one. */
void gt__band_next(uint64_t *patches, struct gt_band *band);
void gt__band_close(struct gt_band *band);

#endif
