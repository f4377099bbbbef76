/* Greentea: how good a result is, and made data to try things on. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GREENTEA_EVALUATE_H
#define GREENTEA_EVALUATE_H

#include <greentea/image.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GT_THRESHOLDS 11

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

/** Collects slices. */
typedef struct gt_evaluation gt_evaluation;

/**
 * Start an evaluation.
 * labels  number of labels; with 2 the probability of label 1 is judged
 * label   the label whose binary scores are computed (2 labels: 1)
 */
GT_API gt_status gt_evaluation_create(gt_evaluation **out, int32_t labels, int32_t label);

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

/** Scores of the slices added so far. GT_EINVAL  none. */
GT_API gt_status gt_evaluation_scores(gt_binary_scores *out, const gt_evaluation *evaluation);

/**
 * Confusion of the argmax: counts[truth*labels + predicted], labels*labels entries (only where
 * multi-channel probabilities were added; zeros otherwise). The array lives as long as the
 * evaluation.
 */
GT_API const uint64_t *gt_evaluation_confusion(const gt_evaluation *evaluation);

/** Release. NULL is accepted. */
GT_API void gt_evaluation_free(gt_evaluation *evaluation);

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
