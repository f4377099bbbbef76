/* Weight gradient of the convolution after Winograd, vectors of 4 floats.
 * SPDX-License-Identifier: BSD-2-Clause */
#define VW 4
#define CONV_KERNEL gt__conv2d_bwd_weight_winograd
#define CONV_NAME "conv2d_bwd_weight_winograd"
#define CONV_ISA GT_ISA_BASE
#define CONV_RATE 27e9
#include "backend_cpu/portable/conv2d_bwd_weight_winograd_tmpl.h"
