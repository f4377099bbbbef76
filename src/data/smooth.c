/* Gaussian filter: both axes add the same taps in the same order for every pixel, so results do not
 * depend on where a page is cut. SPDX-License-Identifier: BSD-2-Clause */
#include "data/smooth.h"

#include "data/mirror.h"

#include <math.h>

int32_t gt__smooth_radius(double sigma)
{
    int32_t radius = (int32_t)ceil(3.0 * sigma);
    return radius < GT_SMOOTH_RADIUS ? radius : GT_SMOOTH_RADIUS;
}

void gt__smooth_init(struct gt_smooth *filter, double sigma)
{
    double weight[GT_SMOOTH_RADIUS + 1];
    double sum = 0.0;
    filter->radius = gt__smooth_radius(sigma);
    for (int32_t d = 0; d <= filter->radius; d++) {
        weight[d] = exp(-0.5 * d * d / (sigma * sigma));
        sum += d == 0 ? weight[d] : 2.0 * weight[d];
    }
    for (int32_t d = 0; d <= filter->radius; d++) {
        filter->weight[d] = (float)(weight[d] / sum);
    }
}

void gt__smooth_row(const struct gt_smooth *filter, float *dst, const float *src, int32_t n,
                    float *padded)
{
    int32_t r = filter->radius;
    for (int32_t i = 0; i < n + 2 * r; i++) {
        padded[i] = src[gt__mirror(i - r, n)];
    }
    for (int32_t x = 0; x < n; x++) {
        dst[x] = padded[r + x] * filter->weight[0];
    }
    for (int32_t d = 1; d <= r; d++) {
        float w = filter->weight[d];
        for (int32_t x = 0; x < n; x++) {
            dst[x] += (padded[r + x - d] + padded[r + x + d]) * w;
        }
    }
}

void gt__smooth_columns(const struct gt_smooth *filter, float *dst, const float *const *rows,
                        int32_t n)
{
    int32_t r = filter->radius;
    for (int32_t x = 0; x < n; x++) {
        dst[x] = rows[r][x] * filter->weight[0];
    }
    for (int32_t d = 1; d <= r; d++) {
        float w = filter->weight[d];
        for (int32_t x = 0; x < n; x++) {
            dst[x] += (rows[r - d][x] + rows[r + d][x]) * w;
        }
    }
}
