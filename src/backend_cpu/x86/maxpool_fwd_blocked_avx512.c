/* Max pooling, AVX-512. SPDX-License-Identifier: BSD-2-Clause */
#define POOL_KERNEL gt__maxpool_fwd_blocked_avx512
#define POOL_NAME "maxpool_fwd_blocked_avx512"
#define POOL_ISA GT_ISA_AVX512
#include "backend_cpu/portable/maxpool_fwd_blocked_tmpl.h"
