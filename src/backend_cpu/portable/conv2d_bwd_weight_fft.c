/* Weight gradient of the convolution in the frequency domain, vectors of 4 floats.
 * SPDX-License-Identifier: BSD-2-Clause */
#define VW 4
#define CONV_KERNEL gt__conv2d_bwd_weight_fft
#define CONV_NAME "conv2d_bwd_weight_fft"
#define CONV_ISA GT_ISA_BASE
#define CONV_RATE 27e9
#include "backend_cpu/portable/conv2d_bwd_weight_fft_tmpl.h"
