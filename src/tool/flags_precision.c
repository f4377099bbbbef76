/* Flags of the precision that networks are computed in. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_precision.h"

int precision_fill(gt_precision *out, const struct precision_flags *f)
{
    static const char *const names[] = {"fp32", "bf16", NULL};
    int choice = 0;
    int code = tool_choose(&choice, "precision", f->precision, names, 0);
    *out = choice == 1 ? GT_PRECISION_BF16 : GT_PRECISION_F32;
    return code;
}

void precision_announce(gt_precision precision, gt_device *const *devices, size_t n)
{
    bool begun = false;
    for (size_t i = 0; i < n && precision == GT_PRECISION_BF16; i++) {
        gt_device_info info;
        gt_device_describe(devices[i], &info);
        if (!info.bf16) {
            fprintf(stderr, "%s%s",
                    begun ? ", " : "greentea: no bf16, computing in fp32 instead on ", info.name);
            begun = true;
        }
    }
    if (begun) {
        fputs("\n", stderr);
    }
}
