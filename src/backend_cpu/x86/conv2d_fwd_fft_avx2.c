/* Forward convolution in the frequency domain, AVX2.
 * SPDX-License-Identifier: BSD-2-Clause */
#define VW 8
#define CONV_KERNEL gt__conv2d_fwd_fft_avx2
#define CONV_NAME "conv2d_fwd_fft_avx2"
#define CONV_ISA GT_ISA_AVX2
#define CONV_RATE 75e9
#include "backend_cpu/portable/conv2d_fwd_fft_tmpl.h"
