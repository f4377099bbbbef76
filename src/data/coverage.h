/* How often pixels lie in a patch. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_COVERAGE_H
#define GT_DATA_COVERAGE_H

#include "data/prior.h"

/* Row by row down a page. Uniform drawing: number of patches that hold the pixel, exactly, per axis
 * min(x + 1, W - x, P, W - P + 1). With a prior: sum of the gains of these patches. */
struct gt_coverage {
    const struct gt_prior *prior; /* NULL: uniform */
    const struct gt_page *page;
    int32_t patch, y;
    struct gt_band enter, leave; /* rows of patches that begin and end to hold row y */
    uint64_t *patches;           /* [W - P + 1] */
    double *columns;             /* [W - P + 1] sums over the rows of patches that hold row y */
};
gt_status gt__coverage_open(struct gt_coverage *c, const struct gt_page *page, int32_t patch,
                            const struct gt_prior *prior);
/* Weights of the next row of pixels, [W]. */
void gt__coverage_next(double *row, struct gt_coverage *c);
void gt__coverage_close(struct gt_coverage *c);

#endif
