/* Peak of multiply-adds, vectors of 16 floats. SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#define CHECK_NAME check_peak_avx512
#define CHECK_WIDTH 16
#include "check_peak.h"
