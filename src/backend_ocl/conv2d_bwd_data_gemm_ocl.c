/* Data gradient of the convolution as an implicit matrix product: see conv2d_gemm.c.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/conv2d_gemm.h"

const struct gt_kernel gt__conv2d_bwd_data_gemm_ocl = {.name = "conv2d_bwd_data_gemm_ocl",
                                                       .op = GT_OP_conv2d_bwd_data,
                                                       .n_variants = GT_CONV_VARIANTS,
                                                       .plan = gt__conv2d_gemm_plan,
                                                       .prepare = gt__conv2d_gemm_prepare,
                                                       .run = gt__conv2d_gemm_run,
                                                       .release = gt__ocl_release};
