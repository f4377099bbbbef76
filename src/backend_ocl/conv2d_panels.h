/* Convolution and its data gradient on processors: what the two kernels share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_OCL_CONV2D_PANELS_H
#define GT_BACKEND_OCL_CONV2D_PANELS_H

#include "backend_ocl/ocl.h"

/* Variant v: phase 2^v. */
enum { GT_PANELS_VARIANTS = 4 };

bool gt__conv2d_panels_plan(const struct gt_device *d, const struct gt_graph *g,
                            const struct gt_node *node, unsigned variant, struct gt_plan *out);
gt_status gt__conv2d_panels_prepare(struct gt_device *d, struct gt_step *step);
gt_status gt__conv2d_panels_run(struct gt_device *d, const struct gt_step *step);

#endif
