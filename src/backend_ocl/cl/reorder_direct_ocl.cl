/* A tensor in another layout: blocks that are 1 or a multiple of 4, phases that are powers of two.
 * All tails and pad lanes of y are written as zero. SPDX-License-Identifier: BSD-2-Clause */
#include "layout.clh"

/* 1: elements are bytes instead of floats. */
#ifndef U8
#define U8 0
#endif
/* Side of the squares that reorder_tile turns: one row is a whole transaction of a GPU. */
#ifndef TILE
#define TILE 32
#endif

#if U8
typedef uchar T;
typedef uchar4 T4;
#else
typedef float T;
typedef float4 T4;
#endif

/* Any layout to any other. One work-item moves up to four channels of a stored pixel of y:
 * dimension 0 is the column (and in channels last which four), 1 the row, 2 fragment and channel
 * block (of y with b = 1: which four); see rows.h. */
kernel void reorder_direct(global const T *restrict x, ulong x_at, gt_tensor tx,
                           global T *restrict y, ulong y_at, gt_tensor ty)
{
    bool wide_x = tx.b % 4 == 0;
    bool wide_y = ty.b % 4 == 0;
    int lanes = wide_y ? ty.b / 4 : 1;
    int blocks = wide_y ? ty.cb : (ty.c + 3) / 4;
    int i = (int)get_global_id(0);
    if (i >= ty.ws * lanes) {
        return;
    }
    int column = i / lanes;
    int from_shift = 31 - clz(tx.p);
    int shift = 31 - clz(ty.p);
    int x_plane = tx.hs * tx.ws;
    int y_plane = ty.hs * ty.ws;
    x += x_at;
    y += y_at;
    int planes = ty.n * ty.p * ty.p * blocks;
    for (int plane = (int)get_global_id(2); plane < planes; plane += (int)get_global_size(2)) {
        int image = plane / blocks;
        int block = plane - image * blocks;
        int c = (block * lanes + i - column * lanes) * 4;
        int left = ty.c - c;
        int n = image >> (2 * shift);
        int w = (column << shift) + (image & (ty.p - 1));
        int source = (((n << from_shift) << from_shift) | (w & (tx.p - 1)));
        for (int row = (int)get_global_id(1); row < ty.hs; row += (int)get_global_size(1)) {
            int h = (row << shift) + ((image >> shift) & (ty.p - 1));
            T4 v = (T4)(0);
            if (h < ty.h && w < ty.w && left > 0) {
                int fragment = source | ((h & (tx.p - 1)) << from_shift);
                int pixel = (h >> from_shift) * tx.ws + (w >> from_shift);
                if (wide_x) {
                    int in = c / tx.b;
                    int from = (fragment * tx.cb + in) * x_plane + pixel;
                    v = *(global const T4 *)(x + from * tx.b + c - in * tx.b);
                } else {
                    global const T *from = x + (fragment * tx.c + c) * x_plane + pixel;
                    v.x = from[0];
                    v.y = left > 1 ? from[x_plane] : (T)0;
                    v.z = left > 2 ? from[2 * x_plane] : (T)0;
                    v.w = left > 3 ? from[3 * x_plane] : (T)0;
                }
            }
            if (wide_y) {
                ((global T4 *)y)[(plane * ty.hs + row) * ty.ws * lanes + i] = v;
            } else {
                global T *to = y + (image * ty.c + c) * y_plane + row * ty.ws + column;
                to[0] = v.x;
                if (left > 1) {
                    to[y_plane] = v.y;
                }
                if (left > 2) {
                    to[2 * y_plane] = v.z;
                }
                if (left > 3) {
                    to[3 * y_plane] = v.w;
                }
            }
        }
    }
}

/* Between b = 1 and another block, in the same phase: squares of TILE channels x TILE pixels are
 * turned in local memory, so that both sides are read and written in whole rows. Group dimensions
 * are pixels, channels and fragments. */
kernel void reorder_tile(global const T *restrict x, ulong x_at, gt_tensor tx,
                         global T *restrict y, ulong y_at, gt_tensor ty)
{
    /* one more column, so that neighbours in a column lie in different banks */
    local T tile[TILE][TILE + 1];
    int pixels = tx.hs * tx.ws;
    int image = (int)get_group_id(2);
    int pixel0 = (int)get_group_id(0) * TILE;
    int c0 = (int)get_group_id(1) * TILE;
    int u = (int)get_local_id(0);
    int rows = (int)get_local_size(1);
    x += x_at;
    y += y_at;
    for (int v = (int)get_local_id(1); v < TILE; v += rows) {
        int c = tx.b == 1 ? c0 + v : c0 + u;
        int pixel = tx.b == 1 ? pixel0 + u : pixel0 + v;
        T value = (T)0;
        if (c < tx.c && pixel < pixels) {
            int block = c / tx.b;
            int at = (image * tx.cb + block) * pixels + pixel;
            value = x[at * tx.b + c - block * tx.b];
        }
        tile[v][u] = value;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int v = (int)get_local_id(1); v < TILE; v += rows) {
        int c = ty.b == 1 ? c0 + v : c0 + u;
        int pixel = ty.b == 1 ? pixel0 + u : pixel0 + v;
        if (c < ty.cb * ty.b && pixel < pixels) {
            int block = c / ty.b;
            int at = (image * ty.cb + block) * pixels + pixel;
            y[at * ty.b + c - block * ty.b] = tile[u][v];
        }
    }
}
