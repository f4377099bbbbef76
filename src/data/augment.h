/* The symmetries of the square. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_AUGMENT_H
#define GT_DATA_AUGMENT_H

#include <greentea/train.h>

#include "core/random.h"

/* Bits of a symmetry, 0 to 7: the source is transposed first, then its rows and columns are
 * reversed. */
enum { GT_SYMMETRY_ROWS = 1, GT_SYMMETRY_COLUMNS = 2, GT_SYMMETRY_TRANSPOSE = 4 };
#define GT_SYMMETRIES 8

/* Draw uniformly among the symmetries of a mode (AUTO is not a mode here: none). */
int32_t gt__symmetry_draw(struct gt_random *random, gt_augment mode);

/* Where a symmetry takes pixels from: y = y0 + yi*i + yj*j, x = x0 + xi*i + xj*j. */
struct gt_symmetry_map {
    int32_t y0, yi, yj;
    int32_t x0, xi, xj;
};
struct gt_symmetry_map gt__symmetry_map(int32_t symmetry, int32_t side);

#endif
