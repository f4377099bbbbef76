/* Greentea: random changes of training patches. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GREENTEA_AUGMENT_H
#define GREENTEA_AUGMENT_H

#include <greentea/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * How training patches are distorted, beyond the symmetries of gt_augment. Every patch draws its
 * own numbers from the seed and its number, whatever the threads. All zero (scales: 1): off.
 *
 * Rotation, scale and the elastic field are one map about the centre of the patch, applied to the
 * image (bilinear) and to its labels (nearest) alike; what lies outside of the image is mirrored.
 * The rest changes grey values only, in the order blur, gamma, contrast, brightness, noise. Values
 * are those of the normalised image, mostly in [-1, 1]; channels share all but the noise.
 * The elastic field as in Ronneberger et al. 2015, arXiv:1505.04597, section 3.1.
 */
typedef struct gt_augment_options {
    float rotate;     /**< degrees: the angle is uniform in +-rotate; 0 (default) to 180 (any) */
    float scale_low;  /**< magnification, its logarithm uniform between the two; */
    float scale_high; /**< 0.25 to 4, low <= high; default 1, 1 */
    float elastic;    /**< standard deviation of displacements in pixels, per axis, at the nodes of
                           a coarse grid over the input patch; between nodes cubic (Catmull-Rom).
                           0 (default) to 1000; where it would fold the image, it is reduced */
    int32_t elastic_grid; /**< nodes per side, 2 to 16; default 3 */
    float blur;           /**< Gaussian, sigma uniform in 0 to blur pixels; 0 (default) to 5 */
    float gamma;      /**< exponent of (v + 1)/2, its logarithm uniform in +-log(1 + gamma); values
                           outside of [-1, 1] are left; 0 (default) to 1 */
    float contrast;   /**< factor uniform in 1 - contrast to 1 + contrast; 0 (default) to 1 */
    float brightness; /**< added, uniform in +-brightness; 0 (default) to 2 */
    float noise;      /**< Gaussian noise, sigma uniform in 0 to noise; 0 (default) to 2 */
} gt_augment_options;

/** Write the defaults: nothing is distorted. */
GT_API void gt_augment_options_init(gt_augment_options *options);

#ifdef __cplusplus
}
#endif
#endif
