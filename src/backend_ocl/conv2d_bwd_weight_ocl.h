/* Weight gradients of convolutions as matrix products over pixels: what the two kernels share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_OCL_CONV2D_BWD_WEIGHT_OCL_H
#define GT_BACKEND_OCL_CONV2D_BWD_WEIGHT_OCL_H

#include "backend_ocl/ocl.h"

/* Last but few arguments of the device functions, by value: gt_weight of
 * cl/conv2d_bwd_weight_ocl.cl. */
struct gt_ocl_weight {
    cl_int cin, taps, kw;
    cl_int hi, wi, ho, wo;
    cl_int d, pixels;
    cl_int m, np;
    cl_int chunk;
    cl_int x_image, x_channel, x_pixel, x_row;
};

/* Tile of a work-group and of a work-item; bm 0: the functions for processors, a work-item to a
 * group. */
struct gt_weight_tile {
    int32_t bm, bn, tm, tn;
    double share; /* of the peak, where all units are busy */
};

enum { GT_WEIGHT_THIN_CHANNELS = 4 };

/* x and dy as the product sees them: with `thin` x is NCHW. False where a tensor in this phase
 * cannot be correlated fragment by fragment, or where x_row and the like exceed int. */
bool gt__weight_geometry(struct gt_ocl_weight *out, gt_shape x, gt_shape dy,
                         const struct gt_attr *attr, int32_t phase, bool thin);
/* Fill scratch and cost. */
bool gt__weight_plan(const struct gt_device *d, const struct gt_ocl_weight *w,
                     const struct gt_weight_tile *tile, struct gt_plan *out);
gt_status gt__weight_prepare(struct gt_device *d, struct gt_step *step,
                             const struct gt_weight_tile *tile, bool thin);
/* w from gt__weight_geometry. */
gt_status gt__weight_run(struct gt_device *d, const struct gt_step *step, struct gt_ocl_weight *w,
                         const struct gt_weight_tile *tile);

#endif
