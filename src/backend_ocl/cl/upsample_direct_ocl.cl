/* Nearest doubling and its gradient; small [N][C][H][W], large [N][C][2H][2W], the same channel
 * block, phase 1. Dimension 0 is column and channel, 1 the row of the small tensor, 2 image and
 * channel block; see rows.h. SPDX-License-Identifier: BSD-2-Clause */
#include "layout.clh"

/* Channels of a work-item: 4 where b is a multiple of 4, 1 where b is 1. */
#ifndef LANES
#define LANES 4
#endif

#if LANES == 4
typedef float4 vec;
#else
typedef float vec;
#endif

/* y[n][c][2i + a][2j + b] = x[n][c][i][j]. A work-item writes one column of two rows, so that
 * neighbours write neighbouring vectors. */
kernel void upsample_fwd(global const float *restrict x, ulong x_at, gt_tensor tx,
                         global float *restrict y, ulong y_at, gt_tensor ty)
{
    int lanes = ty.b / LANES;
    int size = ty.ws * lanes;
    int i = (int)get_global_id(0);
    if (i >= size) {
        return;
    }
    int column = i / lanes;
    int source = (column >> 1) * lanes + (i - column * lanes);
    global const vec *from = (global const vec *)(x + x_at) + source;
    global vec *to = (global vec *)(y + y_at) + i;
    int planes = tx.n * tx.cb;
    for (int plane = (int)get_global_id(2); plane < planes; plane += (int)get_global_size(2)) {
        for (int row = (int)get_global_id(1); row < tx.hs; row += (int)get_global_size(1)) {
            int at = plane * tx.hs + row;
            vec v = from[at * tx.ws * lanes];
            to[2 * at * size] = v;
            to[(2 * at + 1) * size] = v;
        }
    }
}

/* dx[n][c][i][j] = sum over a, b in {0, 1}, row-major, of dy[n][c][2i + a][2j + b]. */
kernel void upsample_bwd(global const float *restrict dy, ulong dy_at, gt_tensor ty,
                         global float *restrict dx, ulong dx_at, gt_tensor tx)
{
    int lanes = tx.b / LANES;
    int size = tx.ws * lanes;
    int i = (int)get_global_id(0);
    if (i >= size) {
        return;
    }
    int column = i / lanes;
    global const vec *from =
        (global const vec *)(dy + dy_at) + 2 * column * lanes + (i - column * lanes);
    global vec *to = (global vec *)(dx + dx_at) + i;
    int planes = tx.n * tx.cb;
    for (int plane = (int)get_global_id(2); plane < planes; plane += (int)get_global_size(2)) {
        for (int row = (int)get_global_id(1); row < tx.hs; row += (int)get_global_size(1)) {
            int at = plane * tx.hs + row;
            global const vec *u = from + 2 * at * ty.ws * lanes;
            global const vec *v = u + ty.ws * lanes;
            to[at * size] = ((u[0] + u[lanes]) + v[0]) + v[lanes];
        }
    }
}
