/* Flags of the precision that networks are computed in. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FLAGS_PRECISION_H
#define GT_TOOL_FLAGS_PRECISION_H

#include "tool/tool.h"

struct precision_flags {
    char *precision;
};
/* clang-format off */
#define PRECISION_OPTIONS(f)                                                                       \
    {"precision", 0, POPT_ARG_STRING, &(f).precision, 0,                                           \
     "fp32 (default), or bf16: factors of convolutions may be rounded to bfloat16 where the "      \
     "processor has AVX512-BF16 and that is faster", "P"}
/* clang-format on */

/* 0 or EXIT_USAGE. */
int precision_fill(gt_precision *out, const struct precision_flags *f);
/* Say on stderr which of the devices compute in fp32 though bf16 was asked for. */
void precision_announce(gt_precision precision, gt_device *const *devices, size_t n);

#endif
