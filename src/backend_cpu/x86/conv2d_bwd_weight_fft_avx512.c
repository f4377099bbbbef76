/* Weight gradient of the convolution in the frequency domain, AVX-512.
 * SPDX-License-Identifier: BSD-2-Clause */
#define VW 16
#define CONV_KERNEL gt__conv2d_bwd_weight_fft_avx512
#define CONV_NAME "conv2d_bwd_weight_fft_avx512"
#define CONV_ISA GT_ISA_AVX512
#define CONV_RATE 140e9
#include "backend_cpu/portable/conv2d_bwd_weight_fft_tmpl.h"
