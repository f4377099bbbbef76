/* Tiny networks and images for tests of the predictor. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TESTS_TINY_H
#define GT_TESTS_TINY_H

#include <greentea/greentea.h>

/* Fail the test with the message unless status is GT_OK. */
void tiny_ok(gt_status status);

/* A network of width 0.03 with He weights. */
gt_model *tiny_new_model(const char *net, int32_t channels, int32_t labels);
/* Blobs and noise: integers 0 to 255 as GT_F32. */
gt_image *tiny_new_image(int32_t channels, int32_t width, int32_t height);

/* The samples of a GT_F32 image. */
const float *tiny_floats(const gt_image *image, size_t *count);
/* Greatest difference of two images of one size; NaN if there is one. */
double tiny_difference(const gt_image *a, const gt_image *b);
/* All in [0, 1] and of sum 1. */
void tiny_check_probabilities(const gt_image *image);

/* With a predictor of its own. options NULL: the defaults. */
gt_image *tiny_predict(gt_device *device, const gt_model *model, const gt_predict_options *options,
                       const gt_image_view *in);

#endif
