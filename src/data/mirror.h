/* The mirrored border. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_MIRROR_H
#define GT_DATA_MIRROR_H

#include <stdint.h>

/* Index in 0 to n - 1 of the pixel that is seen at position i of a line of n >= 1 pixels mirrored
 * at both ends, edge pixel included (... c b a | a b c | c b a ...), repeatedly far outside. Any i.
 */
static inline int32_t gt__mirror(int64_t i, int32_t n)
{
    if (i >= 0 && i < n) {
        return (int32_t)i;
    }
    int64_t period = 2 * (int64_t)n;
    int64_t at = i % period;
    at = at < 0 ? at + period : at;
    return (int32_t)(at < n ? at : period - 1 - at);
}

#endif
