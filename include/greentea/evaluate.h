/* Greentea: how good a result is, and made data to try things on. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GREENTEA_EVALUATE_H
#define GREENTEA_EVALUATE_H

#include <greentea/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- probabilities against true labels ----
 *
 * Notation: p_ij share of the pixels with truth segment i >= 1 (others do not count) and predicted
 * segment j; t_i = sum_j p_ij, s_j = sum_i p_ij; n of those pixels. */

#define GT_THRESHOLDS 11         /**< 0, 0.1 ... 0.9, 1 - 1e-12: foreground is value > threshold */
#define GT_WARPING_THRESHOLDS 10 /**< 0, 0.1 ... 0.9 */
#define GT_CALIBRATION_BINS 15

/** Scores that cost time, to be chosen with gt_evaluation_select(); the others are always there. */
typedef enum gt_metric {
    GT_METRIC_SEGMENTS = 1, /**< segments after thinning: V_Rand, V_Info, VOI, adapted Rand error */
    GT_METRIC_RAND = 2,     /**< Rand error of the old ISBI leaderboard, without thinning */
    GT_METRIC_WARPING = 4   /**< topology-preserving warping error */
} gt_metric;

/** Scores of a probability stack for one label (cell interior) against the truth. */
typedef struct gt_binary_scores {
    float
        threshold[GT_THRESHOLDS]; /**< 0, 0.1 ... 0.9, 1 - 1e-12: foreground is value > threshold */
    double v_rand[GT_THRESHOLDS]; /**< foreground-restricted Rand F-score after thinning */
    double v_rand_split[GT_THRESHOLDS]; /**< recall part: sum p_ij^2 / sum t_i^2 */
    double v_rand_merge[GT_THRESHOLDS]; /**< precision part: sum p_ij^2 / sum s_j^2 */
    double v_info[GT_THRESHOLDS];  /**< foreground-restricted information F-score after thinning */
    double pixel_f[GT_THRESHOLDS]; /**< F-score of the pixels, positive class: the label */
    double pixel_wrong[GT_THRESHOLDS]; /**< share of wrong pixels */
    int32_t best_v_rand, best_v_info,
        best_pixel;     /**< index of the best threshold of the whole stack */
    double pixel_error; /**< 1 - largest pixel_f */
    int32_t slices;     /**< slices that counted (those with foreground) */
} gt_binary_scores;

/**
 * How well two partitions of the same pixels agree. A predicted 0 is a segment of one pixel for
 * V_Rand, V_Info and both adapted Rand errors, and one segment as any other for VOI.
 */
typedef struct gt_partition_scores {
    double v_rand;             /**< sum p^2 / ((sum s^2 + sum t^2)/2); 0 to 1, higher is better */
    double v_rand_split;       /**< recall part: sum p^2 / sum t^2 */
    double v_rand_merge;       /**< precision part: sum p^2 / sum s^2 */
    double v_info;             /**< I(S;T) / ((H(S) + H(T))/2); 0 to 1, higher is better */
    double voi_split;          /**< H(S given T), bits: cells cut apart; 0 is perfect */
    double voi_merge;          /**< H(T given S), bits: cells run together */
    double adapted_rand;       /**< 1 - V_Rand: SNEMI3D, Fiji; singletons weigh 1/n^2 each */
    double adapted_rand_cremi; /**< as CREMI's Python: c singletons add c/(all pixels) to sums of
                                    squares of counts instead of c */
    double cremi;              /**< sqrt((voi_split + voi_merge) * adapted_rand_cremi) */
} gt_partition_scores;

/** The same for a probability stack: means over the slices with foreground. */
typedef struct gt_segment_scores {
    float threshold[GT_THRESHOLDS];
    gt_partition_scores at[GT_THRESHOLDS];
    int32_t best_v_rand, best_v_info, best_voi, best_adapted_rand, best_adapted_rand_cremi,
        best_cremi; /**< index of the best threshold of the whole stack; VOI: the least sum */
    int32_t slices;
} gt_segment_scores;

/** Rand error of the old leaderboard: pairs of the truth's pixels, counted over all slices. */
typedef struct gt_rand_error {
    double f[GT_THRESHOLDS]; /**< 2 TP/(2 TP + FP + FN), TP: pairs in one segment in both */
    int32_t best;
    double error; /**< 1 - f[best] */
} gt_rand_error;

/** Warping error: what is left of the difference, in shares of the slice's judged pixels. */
typedef struct gt_warping_error {
    double at[GT_WARPING_THRESHOLDS];          /**< mean over slices */
    double split_merge[GT_WARPING_THRESHOLDS]; /**< only pixels that split or merge objects: what
                                                    the old leaderboard lists */
    int32_t best, best_split_merge;
    double error;             /**< at[best] */
    double split_merge_error; /**< split_merge[best_split_merge] */
} gt_warping_error;

/** How much probabilities can be believed: pixels by probability, bin b holds [b/15, (b+1)/15). */
typedef struct gt_calibration {
    uint64_t count[GT_CALIBRATION_BINS];     /**< pixels; the last bin includes 1 */
    double probability[GT_CALIBRATION_BINS]; /**< mean probability, 0 where no pixel is */
    double share[GT_CALIBRATION_BINS];       /**< share of pixels that have the label */
    double error; /**< expected calibration error: sum count/n * |probability - share| */
    double worst; /**< largest |probability - share| of a bin that holds pixels */
} gt_calibration;

/** One label in the confusion matrix. Ratios are 0 where there is nothing to divide by. */
typedef struct gt_label_scores {
    uint64_t truth, predicted, hits; /**< pixels */
    double recall;                   /**< hits / truth */
    double precision;                /**< hits / predicted */
    double f1;                       /**< 2 hits / (truth + predicted) */
    double iou;                      /**< hits / (truth + predicted - hits) */
} gt_label_scores;

/** Collects slices. */
typedef struct gt_evaluation gt_evaluation;

/**
 * Start an evaluation. GT_METRIC_SEGMENTS is chosen.
 * labels  number of labels; with 2 the probability of label 1 is judged
 * label   the label whose binary scores are computed (2 labels: 1)
 */
GT_API gt_status gt_evaluation_create(gt_evaluation **out, int32_t labels, int32_t label);

/**
 * Choose what is computed besides the cheap scores.
 * metrics  gt_metric values, combined with |; 0: none
 * GT_EINVAL  an unknown metric, or slices were added before
 */
GT_API gt_status gt_evaluation_select(gt_evaluation *evaluation, uint32_t metrics);

/**
 * Add one slice.
 * truth  one channel, label indices 0 to labels - 1; negative: ignored in recall and precision
 * prob   one channel: the probability of `label`; or `labels` channels
 * V_Rand and V_Info: foreground-restricted, after thinning the prediction by a watershed (truth
 * components of 4-connected pixels; prediction: flooding of the inverted binary image, 4-connected,
 * lines of label 0 that count as singletons), per slice, mean over slices.
 * GT_ESHAPE  sizes or channels; GT_EINVAL  a label out of range; GT_ENUMERIC  NaN
 * Source: Arganda-Carreras et al. 2015, doi 10.3389/fnana.2015.00142, eq. 3.
 */
GT_API gt_status gt_evaluation_add(gt_evaluation *evaluation, const gt_image_view *truth,
                                   const gt_image_view *prob);

/**
 * Add one slice whose pixels are labelled already: for the confusion matrix only.
 * predicted  one channel, label indices 0 to labels - 1 (an argmax)
 * Errors as above.
 */
GT_API gt_status gt_evaluation_add_labels(gt_evaluation *evaluation, const gt_image_view *truth,
                                          const gt_image_view *predicted);

/**
 * Add the slices of another evaluation, as if they had been added here: one evaluation per slice
 * gives the scores of slices, their sum those of the stack.
 * GT_EINVAL  labels, label or metrics differ
 */
GT_API gt_status gt_evaluation_merge(gt_evaluation *into, const gt_evaluation *from);

/**
 * Scores of the slices added so far. GT_EINVAL  none, or only labelled ones.
 * Without GT_METRIC_SEGMENTS V_Rand and V_Info are 0.
 */
GT_API gt_status gt_evaluation_scores(gt_binary_scores *out, const gt_evaluation *evaluation);

/**
 * Partition scores by threshold, of the thinned segmentations. GT_EINVAL  no slices, or not chosen.
 * Source: Meila 2007, doi 10.1016/j.jmva.2006.11.013 (VOI); cremi.org/metrics; as above.
 */
GT_API gt_status gt_evaluation_segments(gt_segment_scores *out, const gt_evaluation *evaluation);

/**
 * Rand error: truth and prediction are the 4-connected components of their foreground, no
 * thinning; predicted background is no segment. GT_EINVAL  no slices, or not chosen.
 * Source: Rand 1971, doi 10.2307/2284239, restricted to the foreground of the truth.
 */
GT_API gt_status gt_evaluation_rand(gt_rand_error *out, const gt_evaluation *evaluation);

/**
 * Warping error: the truth is changed towards the prediction pixel by pixel, where that leaves its
 * topology as it is (simple points; foreground 4-adjacent, background 8-adjacent, background
 * outside), in passes over the differing pixels, surest first (largest |probability - threshold|,
 * then by columns), until a pass changes nothing. Ignored pixels are background and stay. A pixel
 * that still differs merges objects if it is background between several, and splits one if
 * without it the rest is several (within 20 pixels); holes, objects that appear or vanish count
 * in `at` only.
 * GT_EINVAL  no slices, or not chosen
 * Source: Jain et al. 2010, doi 10.1109/CVPR.2010.5539950.
 */
GT_API gt_status gt_evaluation_warping(gt_warping_error *out, const gt_evaluation *evaluation);

/**
 * Calibration of the judged label's probability. GT_EINVAL  no slices
 * Source: Guo et al. 2017, arXiv:1706.04599, section 2, for the probability of one label instead
 * of the largest.
 */
GT_API gt_status gt_evaluation_calibration(gt_calibration *out, const gt_evaluation *evaluation);

/**
 * Calibration of the largest probability: `share` is the share of pixels whose label it is of.
 * Known where the confusion is. GT_EINVAL  no slices, or none that tell it
 * Source: Guo et al. 2017, arXiv:1706.04599, eq. 3.
 */
GT_API gt_status gt_evaluation_top_calibration(gt_calibration *out,
                                               const gt_evaluation *evaluation);

/**
 * Confusion of the argmax: counts[truth*labels + predicted], labels*labels entries. From
 * multi-channel probabilities, from labelled slices and, with 2 labels, from one channel (the
 * other label has the rest; label 0 wins ties); zeros otherwise. The array lives as long as the
 * evaluation.
 */
GT_API const uint64_t *gt_evaluation_confusion(const gt_evaluation *evaluation);

/** Recall, precision, F1 and IoU of one label. GT_EINVAL  no such label, or no slices */
GT_API gt_status gt_evaluation_label(gt_label_scores *out, const gt_evaluation *evaluation,
                                     int32_t label);

/** Mean IoU over the labels that occur in truth or prediction. GT_EINVAL  no pixel was counted */
GT_API gt_status gt_evaluation_mean_iou(double *out, const gt_evaluation *evaluation);

/** Release. NULL is accepted. */
GT_API void gt_evaluation_free(gt_evaluation *evaluation);

/* ---- segmentations against segmentations ---- */

/** Counts which segments of two partitions overlap, over one image or all slices of a volume. */
typedef struct gt_overlap gt_overlap;

/** Start counting. */
GT_API gt_status gt_overlap_create(gt_overlap **out);

/**
 * Add one image; equal numbers in later images are the same segment.
 * truth         one channel, whole numbers below 2^31; 0 and below: not judged
 * segmentation  one channel of the same size, whole numbers from 0 below 2^31; 0: no segment
 * GT_ESHAPE  sizes or channels; GT_EINVAL  not such a number; GT_ENUMERIC  NaN; GT_ENOMEM
 */
GT_API gt_status gt_overlap_add(gt_overlap *overlap, const gt_image_view *truth,
                                const gt_image_view *segmentation);

/** Scores of all that was added. GT_EINVAL  no pixel of the truth is in a segment */
GT_API gt_status gt_overlap_scores(gt_partition_scores *out, const gt_overlap *overlap);

/** Release. NULL is accepted. */
GT_API void gt_overlap_free(gt_overlap *overlap);

/**
 * Number the 4-connected components of the pixels above 0, from 1 in raster order.
 * out  receives a new GT_I32 image of the same size, 0 elsewhere; the caller owns it
 * GT_ESHAPE  more than one channel, or 2^31 pixels; GT_ENUMERIC  NaN
 */
GT_API gt_status gt_image_components(gt_image **out, const gt_image_view *mask);

/**
 * Leave out the truth near borders: label 0 wherever a pixel with a 4-neighbour of another label
 * is at most `radius` pixels away, so that the drawn place of borders does not count.
 * out     receives a new GT_I32 image of the same size; the caller owns it
 * labels  one channel, numbers as in gt_overlap_add(); below 0 becomes 0
 * radius  0 (border pixels only) to 1000
 * GT_EINVAL  the radius, or not such a number; GT_ESHAPE  channels; GT_ENUMERIC  NaN
 * Source: CREMI's evaluation, cremi.org/metrics.
 */
GT_API gt_status gt_image_mask_borders(gt_image **out, const gt_image_view *labels, double radius);

/**
 * Make one EM-like section with exact labels: cells as a jittered Voronoi tessellation with curved
 * dark membranes, organelles, noise, blur and shading.
 * raw    receives [1][height][width] GT_U8; labels receives the same size, 0 membrane, 255 interior
 * seed, section  the same pair gives the same bits
 */
GT_API gt_status gt_synthetic_section(gt_image **raw, gt_image **labels, int32_t width,
                                      int32_t height, uint64_t seed, uint32_t section);

#ifdef __cplusplus
}
#endif
#endif
