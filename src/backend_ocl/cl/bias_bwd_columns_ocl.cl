/* Gradient of a bias, dbias[c] = sum over n, h, w of dy[n][c][h][w]: sums of slabs, then the sum of
 * those, all in a fixed order. Tails of dy are zero, so that all stored pixels count.
 * SPDX-License-Identifier: BSD-2-Clause */

/* Work-items of a group; a power of two, at least 8. */
#ifndef GROUP
#define GROUP 128
#endif
/* Channels of a group in the second step: neighbours read this many floats in a row. */
#ifndef COLUMNS
#define COLUMNS 8
#endif

/* Channels last: `vectors` of 4 channels for each of `pixels`. A group sums `slab` pixels of `wide`
 * vectors (a power of two, at most GROUP), neighbours in a row. sums[slab][vectors * 4]. */
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
bias_bwd_pixels(global const float *restrict dy, ulong dy_at, global float *restrict sums,
                ulong sums_at, int vectors, int pixels, int slab, int wide)
{
    local float4 part[GROUP];
    int t = (int)get_local_id(0);
    int column = (int)get_group_id(0) * wide + t % wide;
    int from = (int)get_group_id(1) * slab;
    int to = min(from + slab, pixels);
    float4 sum = (float4)(0.0f);
    if (column < vectors) {
        global const float4 *row = (global const float4 *)(dy + dy_at) + column;
#pragma unroll 4
        for (int i = from + t / wide; i < to; i += GROUP / wide) {
            sum += row[(ulong)i * (ulong)vectors];
        }
    }
    part[t] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_way = GROUP / 2; half_way >= wide; half_way /= 2) {
        if (t < half_way) {
            part[t] += part[t + half_way];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (t < wide && column < vectors) {
        ((global float4 *)(sums + sums_at))[(int)get_group_id(1) * vectors + column] = part[t];
    }
}

/* Plain: a group sums `slab` elements of the plane of its channel in all images. sums[slab][c]. */
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
bias_bwd_planes(global const float *restrict dy, ulong dy_at, global float *restrict sums,
                ulong sums_at, int images, int channels, int plane, int slab)
{
    local float part[GROUP];
    int t = (int)get_local_id(0);
    int c = (int)get_group_id(0);
    int from = (int)get_group_id(1) * slab;
    int to = min(from + slab, plane);
    float sum = 0.0f;
    for (int n = 0; n < images; n++) {
        global const float *row = dy + dy_at + (ulong)(n * channels + c) * (ulong)plane;
#pragma unroll 4
        for (int i = from + t; i < to; i += GROUP) {
            sum += row[i];
        }
    }
    part[t] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_way = GROUP / 2; half_way > 0; half_way /= 2) {
        if (t < half_way) {
            part[t] += part[t + half_way];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (t == 0) {
        sums[sums_at + (ulong)((int)get_group_id(1) * channels + c)] = part[0];
    }
}

/* dbias[c] = sum of sums[slab][c], rows of `pitch`. */
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
bias_bwd_sum(global const float *restrict sums, ulong sums_at, global float *restrict dbias,
             ulong dbias_at, int slabs, int pitch, int channels)
{
    local float part[GROUP];
    int t = (int)get_local_id(0);
    int c = (int)get_group_id(0) * COLUMNS + t % COLUMNS;
    float sum = 0.0f;
    if (c < channels) {
        global const float *column = sums + sums_at + c;
#pragma unroll 4
        for (int i = t / COLUMNS; i < slabs; i += GROUP / COLUMNS) {
            sum += column[i * pitch];
        }
    }
    part[t] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_way = GROUP / 2; half_way >= COLUMNS; half_way /= 2) {
        if (t < half_way) {
            part[t] += part[t + half_way];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (t < COLUMNS && c < channels) {
        dbias[dbias_at + (ulong)c] = part[t];
    }
}
