/* Peak of multiply-adds, vectors of 4 floats. SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#define CHECK_NAME check_peak_base
#define CHECK_WIDTH 4
#include "check_peak.h"
