/* Which label was taken for which. SPDX-License-Identifier: BSD-2-Clause */
#include "eval/eval.h"

void gt__confusion_add(uint64_t *counts, int32_t labels, const int32_t *truth, const float *prob,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (truth[i] < 0) {
            continue;
        }
        int32_t best = 0;
        for (int32_t l = 1; l < labels; l++) {
            if (prob[(size_t)l * n + i] > prob[(size_t)best * n + i]) {
                best = l;
            }
        }
        counts[truth[i] * labels + best]++;
    }
}
