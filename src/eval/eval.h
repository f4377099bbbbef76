/* Shared inside of the scores. SPDX-License-Identifier: BSD-2-Clause
 *
 * Label images are padded by one pixel on every side, so that the four neighbours of a pixel need
 * no bounds checks: pixel (y, x) lies at (y + 1)*stride + x + 1. */
#ifndef GT_EVAL_EVAL_H
#define GT_EVAL_EVAL_H

#include <greentea/evaluate.h>

/* Size of a padded image; count is at most INT32_MAX. */
struct gt_grid {
    int32_t width, height;
    int32_t stride, count; /* width + 2; (width + 2)*(height + 2) */
};

/* GT_ESHAPE  a size below 1, or more pixels than 32 bits can number. */
gt_status gt__grid(struct gt_grid *out, int32_t width, int32_t height);

static inline int32_t gt__grid_row(const struct gt_grid *g, int32_t y)
{
    return (y + 1) * g->stride + 1;
}

/* ---- components.c: number the 4-connected components of mask != 0 in raster order, from 1 ----
 * mask, label, queue  [count]; the padding of mask is 0; label receives 0 outside. Returns their
 * number. */
int32_t gt__components(int32_t *label, const uint8_t *mask, const struct gt_grid *grid,
                       int32_t *queue);

/* ---- watershed.c: flood the background of a binary image from its components ----
 * Buffers as above. label receives the basins from 1 and 0 for lines; the padding holds negative
 * values. Returns the number of basins, at least 1. */
int32_t gt__watershed(int32_t *label, const uint8_t *mask, const struct gt_grid *grid,
                      int32_t *queue);

/* ---- rand_thinned.c ---- */

/* The labelled pixels of a truth image, grouped by label. */
struct gt_truth {
    int32_t labels; /* 1 to labels */
    int32_t n;      /* pixels with a label */
    int32_t *order; /* [n] indices of the pixels, label by label */
    int32_t *start; /* [labels + 1] where label i + 1 begins in `order` */
};

/* label  [count], 0 and below: not part of the truth, else 1 to labels */
gt_status gt__truth_create(struct gt_truth *out, const int32_t *label, int32_t count,
                           int32_t labels);
void gt__truth_release(struct gt_truth *truth);

struct gt_rand_scores {
    double v_rand, split, merge, v_info;
};

/* Compare a segmentation with the truth (n at least 1).
 * label    [count] 0: a segment of its own for every such pixel; else 1 to labels
 * scratch  [3*(labels + 1)], zeros; left so */
void gt__rand_score(struct gt_rand_scores *out, const struct gt_truth *truth, const int32_t *label,
                    int32_t labels, int32_t *scratch);

/* ---- pixel_error.c ---- */

/* Pixels by truth and by the number of thresholds that the value exceeds (0 to GT_THRESHOLDS). */
struct gt_pixel_counts {
    uint64_t positive[GT_THRESHOLDS + 1], negative[GT_THRESHOLDS + 1];
};

/* Threshold number i, in double: i/10, the last one 1 - 1e-12. */
double gt__threshold(int32_t i);
/* Number of thresholds that the value exceeds. */
int32_t gt__thresholds_below(double value);
/* F-score of the positive class and share of wrong pixels at threshold i. */
void gt__pixel_score(double *f, double *wrong, const struct gt_pixel_counts *counts, int32_t i);

/* ---- confusion.c: count the argmax (the first of equals) of n pixels ----
 * counts  [labels][labels], truth first; truth [n], below 0: ignored; prob [labels][n] */
void gt__confusion_add(uint64_t *counts, int32_t labels, const int32_t *truth, const float *prob,
                       size_t n);

#endif
