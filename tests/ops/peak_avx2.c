/* Peak of multiply-adds, vectors of 8 floats. SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#define CHECK_NAME check_peak_avx2
#define CHECK_WIDTH 8
#include "check_peak.h"
