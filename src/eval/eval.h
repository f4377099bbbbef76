/* Shared inside of the scores. SPDX-License-Identifier: BSD-2-Clause
 *
 * Label images are padded by one pixel on every side, so that the four neighbours of a pixel need
 * no bounds checks: pixel (y, x) lies at (y + 1)*stride + x + 1. */
#ifndef GT_EVAL_EVAL_H
#define GT_EVAL_EVAL_H

#include <greentea/evaluate.h>
#include <stdbool.h>

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

/* ---- overlap.c: how segments of truth and prediction overlap ---- */

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

/* Sums over c_ij, the pixels with truth label i >= 1 and predicted label j; t_i and s_j are its
 * sums over j and over i. log: sums of c ln c instead of c^2. */
struct gt_sums {
    double n;          /* pixels with a truth label */
    double all;        /* pixels of the images */
    double zeros;      /* of n, those with predicted label 0 */
    double p2, s2, t2; /* p and s over j >= 1, t over all j */
    double p_log, s_log, t_log;
    double p0_log; /* sum of c_i0 ln c_i0 */
};

/* Compare a segmentation with the truth (n at least 1).
 * all      pixels of the image
 * label    [count] predicted labels 0 to labels
 * scratch  [3*(labels + 1)], zeros; left so */
void gt__overlap_count(struct gt_sums *out, const struct gt_truth *truth, double all,
                       const int32_t *label, int32_t labels, int32_t *scratch);

/* The same sums from a table: n entries key = truth label * 2^32 + predicted label, ascending and
 * distinct, and the pixels of each. by_column [n] receives the entries by predicted label. */
struct gt_cell {
    uint64_t key, count;
};
void gt__overlap_sums(struct gt_sums *out, double all, const struct gt_cell *cells, size_t n,
                      struct gt_cell *by_column);

/* ---- scores of the sums (n at least 1), one file each ---- */

/* rand_thinned.c: v_rand, its parts and v_info */
void gt__rand_score(gt_partition_scores *out, const struct gt_sums *sums);
/* adapted_rand.c: 1 - F, predicted zeros as pairs of 1/n^2, or as CREMI weighs them */
double gt__adapted_rand(const struct gt_sums *sums);
double gt__adapted_rand_cremi(const struct gt_sums *sums);
/* variation.c: voi_split and voi_merge in bits; 0 is a segment as any other */
void gt__variation(gt_partition_scores *out, const struct gt_sums *sums);
/* All of them. */
void gt__partition_scores(gt_partition_scores *out, const struct gt_sums *sums);

/* rand_error.c: twice the pairs of pixels that are in one segment, in both, in the truth, in the
 * prediction */
struct gt_pairs {
    double both, truth, predicted;
};
void gt__pairs_add(struct gt_pairs *pairs, const struct gt_sums *sums);
/* F-score; 1 if there are no pairs at all. */
double gt__pairs_f(const struct gt_pairs *pairs);

/* ---- segmentation.c: the number of a segment at (x, y), -1 for all below 0 ----
 * `what` names the image in messages. GT_ENUMERIC  NaN; GT_EINVAL  not whole, or from 2^31 on */
gt_status gt__read_number(int64_t *out, const gt_image_view *view, int32_t x, int32_t y,
                          const char *what);

/* ---- sort.c: ascending, in place ----
 * scratch  [n] */
void gt__sort_u64(uint64_t *keys, uint64_t *scratch, size_t n);
void gt__sort_cells(struct gt_cell *cells, size_t n);

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

/* ---- warping.c ---- */

/* Buffers of the padded size, but `judged`: see below. */
struct gt_warping {
    uint8_t *source, *target; /* binary images; source is overwritten */
    uint8_t *state;           /* scratch; in the end 1 where they differ */
    int32_t *rank;            /* scratch */
    uint64_t *order, *heap;   /* scratch */
};

/* Is the middle of 3 x 3 pixels a simple point (foreground 4-, background 8-adjacent)?
 * mask  its 8 neighbours from the right anticlockwise: bit k is foreground */
bool gt__simple_point(uint32_t mask);

/* Pixels in which source and target still differ after the source was warped.
 * sure   [height][width] the larger, the earlier a pixel's turn; below 0: the pixel stays */
size_t gt__warp(const struct gt_warping *w, const struct gt_grid *grid, const float *sure);

/* warping_kinds.c: those of them that split or merge objects.
 * label  [count] the components of the warped source */
size_t gt__warp_split_merge(const struct gt_warping *w, const struct gt_grid *grid,
                            const int32_t *label);

/* ---- calibration.c ---- */
struct gt_reliability {
    uint64_t count[GT_CALIBRATION_BINS], hits[GT_CALIBRATION_BINS];
    double sum[GT_CALIBRATION_BINS]; /* of the probabilities */
};
void gt__reliability_add(struct gt_reliability *r, double probability, bool hit);
void gt__reliability_merge(struct gt_reliability *into, const struct gt_reliability *from);
void gt__calibration(gt_calibration *out, const struct gt_reliability *r);

/* ---- confusion.c: count the argmax (the first of equals) of n pixels, and how surely it is right
 * counts  [labels][labels], truth first; truth [n], below 0: ignored; prob [labels][n] */
void gt__confusion_add(uint64_t *counts, struct gt_reliability *top, int32_t labels,
                       const int32_t *truth, const float *prob, size_t n);
/* The same for 2 labels, prob [n] of one of them. */
void gt__confusion_add_two(uint64_t *counts, struct gt_reliability *top, int32_t label,
                           const int32_t *truth, const float *prob, size_t n);
void gt__label_scores(gt_label_scores *out, const uint64_t *counts, int32_t labels, int32_t label);
/* false: no label occurs. */
bool gt__mean_iou(double *out, const uint64_t *counts, int32_t labels);

#endif
