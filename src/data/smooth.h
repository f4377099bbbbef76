/* Gaussian filter of rows. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_SMOOTH_H
#define GT_DATA_SMOOTH_H

#include <stddef.h>
#include <stdint.h>

#define GT_SMOOTH_RADIUS 150 /* of the widest filter */

struct gt_smooth {
    int32_t radius;
    float weight[GT_SMOOTH_RADIUS + 1]; /* at distance 0 to radius; both sides sum to 1 */
};

/* Pixels on each side that a filter of standard deviation sigma sees: 3 of them, rounded up. */
int32_t gt__smooth_radius(double sigma);

void gt__smooth_init(struct gt_smooth *filter, double sigma);

/* dst[x] for x in 0 to n - 1; the ends are mirrored with the edge pixel. padded: scratch of
 * n + 2*radius. */
void gt__smooth_row(const struct gt_smooth *filter, float *dst, const float *src, int32_t n,
                    float *padded);

/* dst[x] = sum over d of weight |d| times rows[radius + d][x], d from -radius to radius. */
void gt__smooth_columns(const struct gt_smooth *filter, float *dst, const float *const *rows,
                        int32_t n);

#endif
