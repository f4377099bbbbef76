/* The one-dimensional transforms of Winograd's convolution, template for vectors of VW floats: see
 * winograd_tmpl.h. ALPHA, m and r are constants wherever these are inlined.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_WINOGRAD_LINES_TMPL_H
#define GT_BACKEND_CPU_WINOGRAD_LINES_TMPL_H

#include "backend_cpu/portable/panel_tmpl.h"

#define MAX_ALPHA 8
#define MAX_POINTS (MAX_ALPHA * MAX_ALPHA)

#define WINO_INLINE static inline __attribute__((always_inline))

/* o = B'd: coefficients of the product of (x - p) over all points but one. */
WINO_INLINE void wino_in(const int ALPHA, vf *o, const vf *d)
{
    if (ALPHA == 6) {
        vf e1 = d[4] - 4.0f * d[2];
        vf o1 = d[3] - 4.0f * d[1];
        vf e2 = d[4] - d[2];
        vf o2 = 2.0f * (d[3] - d[1]);
        o[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
        o[1] = e1 + o1;
        o[2] = e1 - o1;
        o[3] = e2 + o2;
        o[4] = e2 - o2;
        o[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
    } else {
        vf e1 = d[6] - 4.25f * d[4] + d[2];
        vf o1 = d[5] - 4.25f * d[3] + d[1];
        vf e2 = d[6] - 1.25f * d[4] + 0.25f * d[2];
        vf o2 = 2.0f * d[5] - 2.5f * d[3] + 0.5f * d[1];
        vf e3 = d[6] - 5.0f * d[4] + 4.0f * d[2];
        vf o3 = 0.5f * d[5] - 2.5f * d[3] + 2.0f * d[1];
        o[0] = d[6] - d[0] + 5.25f * (d[2] - d[4]);
        o[1] = e1 + o1;
        o[2] = e1 - o1;
        o[3] = e2 + o2;
        o[4] = e2 - o2;
        o[5] = e3 + o3;
        o[6] = e3 - o3;
        o[7] = d[7] - d[1] + 5.25f * (d[3] - d[5]);
    }
}

/* o = A'd: sums of p^j over the points, and infinity in the last. */
WINO_INLINE void wino_out(const int ALPHA, const int m, vf *o, const vf *d)
{
    const int pairs = (ALPHA - 2) / 2;
    const float point[3] = {1.0f, 2.0f, 0.5f};
    vf sum[3];
    vf difference[3];
    float power[3] = {1.0f, 1.0f, 1.0f};
    PANEL_UNROLL for (int k = 0; k < pairs; k++)
    {
        sum[k] = d[2 * k + 1] + d[2 * k + 2];
        difference[k] = d[2 * k + 1] - d[2 * k + 2];
    }
    PANEL_UNROLL for (int j = 0; j < m; j++)
    {
        vf s = j == 0 ? d[0] : (vf){0};
        PANEL_UNROLL for (int k = 0; k < pairs; k++)
        {
            s += power[k] * (j % 2 ? difference[k] : sum[k]);
            power[k] *= point[k];
        }
        if (j == m - 1) {
            s += d[ALPHA - 1];
        }
        o[j] = s;
    }
}

/* o = Gd: values of the polynomial d at the points over the product of their distances. */
WINO_INLINE void wino_weight(const int ALPHA, const int r, vf *o, const vf *d)
{
    const float point[7] = {0, 1, -1, 2, -2, 0.5f, -0.5f};
    const float scale6[5] = {1.0f / 4, -1.0f / 6, -1.0f / 6, 1.0f / 24, 1.0f / 24};
    const float scale8[7] = {-1.0f,     -2.0f / 9,  -2.0f / 9, 1.0f / 90,
                             1.0f / 90, 32.0f / 45, 32.0f / 45};
    PANEL_UNROLL for (int i = 0; i < ALPHA - 1; i++)
    {
        vf s = d[r - 1];
        PANEL_UNROLL for (int j = r - 2; j >= 0; j--)
        {
            s = s * point[i] + d[j];
        }
        o[i] = s * (ALPHA == 6 ? scale6[i] : scale8[i]);
    }
    o[ALPHA - 1] = d[r - 1];
}

#endif
