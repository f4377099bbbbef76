/* Forward convolution in channel blocks of 16, vectors of 4 floats.
 * SPDX-License-Identifier: BSD-2-Clause */
#define VW 4
#define CONV_KERNEL gt__conv2d_fwd_blocked
#define CONV_NAME "conv2d_fwd_blocked"
#define CONV_ISA GT_ISA_BASE
#define CONV_RATE 23e9
#include "backend_cpu/portable/conv2d_fwd_blocked_tmpl.h"
