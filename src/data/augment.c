/* The symmetries of the square. SPDX-License-Identifier: BSD-2-Clause */
#include "data/augment.h"

int32_t gt__symmetry_draw(struct gt_random *random, gt_augment mode)
{
    switch (mode) {
    case GT_AUGMENT_D4:
        return (int32_t)gt__random_below(random, GT_SYMMETRIES);
    case GT_AUGMENT_FLIPS:
        return (int32_t)gt__random_below(random, 4); /* no transposition */
    case GT_AUGMENT_AUTO:
    case GT_AUGMENT_NONE:
        break;
    }
    return 0;
}

struct gt_symmetry_map gt__symmetry_map(int32_t symmetry, int32_t side)
{
    /* Row i of the result is row r0 + r*i of the transposed source (or of the source itself). */
    int32_t r = symmetry & GT_SYMMETRY_ROWS ? -1 : 1;
    int32_t c = symmetry & GT_SYMMETRY_COLUMNS ? -1 : 1;
    int32_t r0 = r < 0 ? side - 1 : 0;
    int32_t c0 = c < 0 ? side - 1 : 0;
    if (symmetry & GT_SYMMETRY_TRANSPOSE) {
        return (struct gt_symmetry_map){c0, 0, c, r0, r, 0};
    }
    return (struct gt_symmetry_map){r0, r, 0, c0, 0, c};
}
