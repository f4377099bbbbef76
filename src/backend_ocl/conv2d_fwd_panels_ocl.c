/* Convolution on processors: see conv2d_panels.c.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/conv2d_panels.h"

const struct gt_kernel gt__conv2d_fwd_panels_ocl = {.name = "conv2d_fwd_panels_ocl",
                                                    .op = GT_OP_conv2d_fwd,
                                                    .n_variants = GT_PANELS_VARIANTS,
                                                    .plan = gt__conv2d_panels_plan,
                                                    .prepare = gt__conv2d_panels_prepare,
                                                    .run = gt__conv2d_panels_run,
                                                    .release = gt__ocl_release};
