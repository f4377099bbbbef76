/* Convolution and its data gradient as implicit matrix products: what the two kernels share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_OCL_CONV2D_GEMM_H
#define GT_BACKEND_OCL_CONV2D_GEMM_H

#include "backend_ocl/ocl.h"

/* The last argument of the device functions, by value: gt_conv of cl/conv2d_gemm_ocl.cl. */
struct gt_ocl_conv {
    cl_int pixels, ho, wo;
    cl_int hi, wi, cp;
    cl_int c16, n_pad, np;
    cl_int kh, kw, d, pad_h, pad_w;
    cl_int n, h, w, p;
    cl_int epilogue;
    cl_int split;
};

/* Variants: tile, then phase, then split. */
enum { GT_CONV_TILES = 3, GT_CONV_PHASES = 4, GT_CONV_SPLITS = 2 };
enum { GT_CONV_VARIANTS = GT_CONV_TILES * GT_CONV_PHASES * GT_CONV_SPLITS };

bool gt__conv2d_gemm_plan(const struct gt_device *d, const struct gt_graph *g,
                          const struct gt_node *node, unsigned variant, struct gt_plan *out);
gt_status gt__conv2d_gemm_prepare(struct gt_device *d, struct gt_step *step);
gt_status gt__conv2d_gemm_run(struct gt_device *d, const struct gt_step *step);

#endif
