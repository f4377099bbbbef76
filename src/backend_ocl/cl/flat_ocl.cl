/* Operations over all stored elements, so in any layout; zero tails stay zero. Four elements to a
 * work-item, neighbours on neighbouring fours. Outputs may be the memory of an input. The function
 * of an operation has its name. SPDX-License-Identifier: BSD-2-Clause */
#include "layout.clh"

/* y = x < 0 ? 0 : x (NaN stays NaN) */
kernel void relu_fwd(global const float *x, ulong x_at, global float *y, ulong y_at, int count)
{
    uint i = (uint)get_global_id(0);
    float4 v = gt_load4(x + x_at, i, (uint)count);
    gt_store4(y + y_at, i, (uint)count, v < 0.0f ? (float4)(0.0f) : v);
}

/* dx = y > 0 ? dy : 0 */
kernel void relu_bwd(global const float *dy, ulong dy_at, global const float *y, ulong y_at,
                     global float *dx, ulong dx_at, int count)
{
    uint i = (uint)get_global_id(0);
    float4 d = gt_load4(dy + dy_at, i, (uint)count);
    float4 v = gt_load4(y + y_at, i, (uint)count);
    gt_store4(dx + dx_at, i, (uint)count, v > 0.0f ? d : (float4)(0.0f));
}

/* y = a + b */
kernel void add(global const float *a, ulong a_at, global const float *b, ulong b_at,
                global float *y, ulong y_at, int count)
{
    uint i = (uint)get_global_id(0);
    float4 sum = gt_load4(a + a_at, i, (uint)count) + gt_load4(b + b_at, i, (uint)count);
    gt_store4(y + y_at, i, (uint)count, sum);
}
