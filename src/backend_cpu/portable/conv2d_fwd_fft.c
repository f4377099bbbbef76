/* Forward convolution in the frequency domain, vectors of 4 floats.
 * SPDX-License-Identifier: BSD-2-Clause */
#define VW 4
#define CONV_KERNEL gt__conv2d_fwd_fft
#define CONV_NAME "conv2d_fwd_fft"
#define CONV_ISA GT_ISA_BASE
#define CONV_RATE 32e9
#include "backend_cpu/portable/conv2d_fwd_fft_tmpl.h"
