/* Max pooling, for any processor. SPDX-License-Identifier: BSD-2-Clause */
#define POOL_KERNEL gt__maxpool_fwd_blocked
#define POOL_NAME "maxpool_fwd_blocked"
#define POOL_ISA GT_ISA_BASE
#include "backend_cpu/portable/maxpool_fwd_blocked_tmpl.h"
