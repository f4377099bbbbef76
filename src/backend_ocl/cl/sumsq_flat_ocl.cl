/* Squared norm, out = acc + sum of g^2 over `count` elements, in a fixed order.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "layout.clh"

/* Work-items of a group; a power of two. */
#ifndef GROUP
#define GROUP 128
#endif

/* The sum of all work-items' v, for the first of them. */
static inline float group_sum(local float *part, float v)
{
    int t = (int)get_local_id(0);
    part[t] = v;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_way = GROUP / 2; half_way > 0; half_way /= 2) {
        if (t < half_way) {
            part[t] += part[t + half_way];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    return part[0];
}

/* Each group sums the vectors that lie at its place in rows of all groups. */
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
sumsq(global const float *restrict g, ulong g_at, global float *restrict sums, ulong sums_at,
      int count)
{
    local float part[GROUP];
    float4 sum = (float4)(0.0f);
    uint vectors = ((uint)count + 3u) / 4u;
    g += g_at;
#pragma unroll 4
    for (uint i = (uint)get_global_id(0); i < vectors; i += (uint)get_global_size(0)) {
        float4 v = gt_load4(g, i, (uint)count);
        sum = fma(v, v, sum);
    }
    float all = group_sum(part, (sum.x + sum.y) + (sum.z + sum.w));
    if (get_local_id(0) == 0) {
        sums[sums_at + (ulong)get_group_id(0)] = all;
    }
}

/* One group; acc may be NULL. */
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
sumsq_sum(global const float *restrict sums, ulong sums_at, global const float *acc, ulong acc_at,
          global float *result, ulong result_at, int groups)
{
    local float part[GROUP];
    float sum = 0.0f;
    for (int i = (int)get_local_id(0); i < groups; i += GROUP) {
        sum += sums[sums_at + (ulong)i];
    }
    float all = group_sum(part, sum);
    if (get_local_id(0) == 0) {
        result[result_at] = acc ? acc[acc_at] + all : all;
    }
}
