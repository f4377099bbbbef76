/* Rotation, scale, symmetry and elastic displacement of a patch, as one map.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_WARP_H
#define GT_DATA_WARP_H

#include <greentea/augment.h>

#include "data/dataset.h"
#include "data/elastic.h"

#include <stdbool.h>

/* The patch pixel (i, j) shows the page at
 *     (y, x) + matrix * ((i, j) + displacement(i, j) - (centre, centre)),
 * all in pixels. The centre is that of the output, also where the input has a pixel more below and
 * right than above and left. */
struct gt_warp {
    float matrix[2][2];
    float centre;
    int32_t y, x; /* whole pixels of the point of the page that comes to lie in the centre, */
    float fy, fx; /* and what is missing to it */
    bool bent;    /* is there a displacement? */
    struct gt_elastic elastic;
};

/* The frame of a patch: sizes as in struct gt_patch_spec, (y, x) its first labelled pixel. */
struct gt_warp_frame {
    int32_t patch, border, shrink;
    int32_t y, x;
};

/* Angle, scale and displacements by the options, after the symmetry. */
void gt__warp_draw(struct gt_warp *warp, struct gt_random *random,
                   const gt_augment_options *options, const struct gt_warp_frame *frame,
                   int32_t symmetry);

/* A given map without displacement; angle in degrees, counter-clockwise as the patch is seen. */
void gt__warp_set(struct gt_warp *warp, const struct gt_warp_frame *frame, int32_t symmetry,
                  double angle, double scale);

/* All channels of the page's image, border mirrored, bilinear.
 * dst  [channels of the page][patch + shrink][patch + shrink] */
void gt__warp_raw(float *dst, const struct gt_warp *warp, const struct gt_warp_frame *frame,
                  const struct gt_page *page);

/* The labels: grey values of the nearest pixels through `rank` ([GT_GREYS]).
 * dst  [patch][patch] */
void gt__warp_labels(float *dst, const struct gt_warp *warp, const struct gt_warp_frame *frame,
                     const struct gt_page *page, const int16_t *rank);

#endif
