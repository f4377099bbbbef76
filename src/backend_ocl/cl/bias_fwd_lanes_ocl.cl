/* Bias, y[n][c][h][w] = x[n][c][h][w] + bias[c], x and y in one layout, which may be any; what lies
 * beyond the true shape becomes zero. x and y may be the same memory.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "layout.clh"

/* One element to a work-item. */
kernel void bias_fwd(global const float *x, ulong x_at, global const float *bias, ulong bias_at,
                     global float *y, ulong y_at, gt_tensor t)
{
    int i = (int)get_global_id(0);
    if (i < gt_stored(t)) {
        int4 e = gt_element(t, i);
        y[y_at + (ulong)i] = gt_true(t, e) ? x[x_at + (ulong)i] + bias[bias_at + (ulong)e.y] : 0.0f;
    }
}

/* Four lanes of a pixel to a work-item: blocks are multiples of 4, tensors begin at a multiple of 4
 * elements. */
kernel void bias_fwd4(global const float *x, ulong x_at, global const float *bias, ulong bias_at,
                      global float *y, ulong y_at, gt_tensor t)
{
    int i = (int)get_global_id(0);
    if (i < gt_stored(t) / 4) {
        int4 e = gt_element(t, 4 * i);
        bool pixel = e.z < t.h && e.w < t.w;
        int lanes = pixel ? t.c - e.y : 0;
        bias += bias_at;
        float4 v = ((global const float4 *)(x + x_at))[i];
        v.x = lanes > 0 ? v.x + bias[e.y] : 0.0f;
        v.y = lanes > 1 ? v.y + bias[e.y + 1] : 0.0f;
        v.z = lanes > 2 ? v.z + bias[e.y + 2] : 0.0f;
        v.w = lanes > 3 ? v.w + bias[e.y + 3] : 0.0f;
        ((global float4 *)(y + y_at))[i] = v;
    }
}
