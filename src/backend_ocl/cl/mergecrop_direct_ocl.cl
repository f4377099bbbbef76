/* MergeCrop and its gradient, channels last (LANES 4) or NCHW (LANES 1), phase 1.
 * a [N][A][H][W], b [N][B][H2][W2], y [N][A + B][H][W]; the crop of b starts at (top, left).
 *
 * One work-item makes LANES channels of a pixel: dimension 0 is column and channel, 1 the row, 2
 * image and channel block; see rows.h. Four channels move as one vector where both sides have them
 * aligned, else one by one. SPDX-License-Identifier: BSD-2-Clause */
#include "layout.clh"

/* Channels of a work-item: 4 in channels last, 1 in NCHW. */
#ifndef LANES
#define LANES 4
#endif

#if LANES == 4
typedef float4 vec;
#else
typedef float vec;
#endif

/* Index of channel c of a pixel: all channels are in one block, or each in its own. */
static inline int channel_at(gt_tensor t, int n, int c, int h, int w)
{
#if LANES == 4
    return ((n * t.hs + h) * t.ws + w) * t.b + c;
#else
    return ((n * t.cb + c) * t.hs + h) * t.ws + w;
#endif
}

/* Channel c of y at pixel (h, w) of image n. */
static inline float merged(global const float *a, gt_tensor ta, global const float *b,
                           gt_tensor tb, int n, int c, int h, int w, int top, int left)
{
    if (c < ta.c) {
        return a ? a[channel_at(ta, n, c, h, w)] : 0.0f;
    }
    bool inside = b && c - ta.c < tb.c;
    return inside ? b[channel_at(tb, n, c - ta.c, h + top, w + left)] : 0.0f;
}

/* y[n][c][h][w] = a[n][c][h][w] for c < A, else b[n][c - A][h + top][w + left]; zero for an input
 * that `forward` (bit 0: a, bit 1: b) switches off. */
kernel void mergecrop_fwd(global const float *restrict a, ulong a_at, gt_tensor ta,
                          global const float *restrict b, ulong b_at, gt_tensor tb,
                          global float *restrict y, ulong y_at, gt_tensor ty, int top, int left,
                          int forward)
{
    int lanes = ty.b / LANES;
    int i = (int)get_global_id(0);
    if (i >= ty.ws * lanes) {
        return;
    }
    int w = i / lanes;
    int lane = (i - w * lanes) * LANES;
    a = forward & 1 ? a + a_at : 0;
    b = forward & 2 ? b + b_at : 0;
    global vec *to = (global vec *)(y + y_at);
    int planes = ty.n * ty.cb;
    for (int plane = (int)get_global_id(2); plane < planes; plane += (int)get_global_size(2)) {
        int n = plane / ty.cb;
        int c = (plane - n * ty.cb) * ty.b + lane;
        for (int h = (int)get_global_id(1); h < ty.hs; h += (int)get_global_size(1)) {
            vec v = (vec)(0.0f);
            if (c + LANES <= ta.c) {
                if (a) {
                    v = *(global const vec *)(a + channel_at(ta, n, c, h, w));
                }
            } else if (c >= ta.c && ta.c % LANES == 0) {
                if (b) {
                    v = *(global const vec *)(b + channel_at(tb, n, c - ta.c, h + top, w + left));
                }
            } else {
#if LANES == 4
                v = (vec)(merged(a, ta, b, tb, n, c, h, w, top, left),
                          merged(a, ta, b, tb, n, c + 1, h, w, top, left),
                          merged(a, ta, b, tb, n, c + 2, h, w, top, left),
                          merged(a, ta, b, tb, n, c + 3, h, w, top, left));
#endif
            }
            to[(plane * ty.hs + h) * ty.ws * lanes + i] = v;
        }
    }
}

/* dx[n][c][h][w] = dy[n][first + c][h - top][w - left] inside of the crop, zero around it; all zero
 * unless `backward`. */
kernel void mergecrop_bwd(global const float *restrict dy, ulong dy_at, gt_tensor ty,
                          global float *restrict dx, ulong dx_at, gt_tensor tx, int first, int top,
                          int left, int backward)
{
    int lanes = tx.b / LANES;
    int i = (int)get_global_id(0);
    if (i >= tx.ws * lanes) {
        return;
    }
    int w = i / lanes;
    int lane = (i - w * lanes) * LANES;
    bool inside_w = backward && w >= left && w < left + ty.w;
    global vec *to = (global vec *)(dx + dx_at);
    dy += dy_at;
    int planes = tx.n * tx.cb;
    for (int plane = (int)get_global_id(2); plane < planes; plane += (int)get_global_size(2)) {
        int n = plane / tx.cb;
        int c = (plane - n * tx.cb) * tx.b + lane;
        for (int h = (int)get_global_id(1); h < tx.hs; h += (int)get_global_size(1)) {
            vec v = (vec)(0.0f);
            if (inside_w && h >= top && h < top + ty.h) {
                global const float *from =
                    dy + channel_at(ty, n, first + c, h - top, w - left);
                if (c + LANES <= tx.c && first % LANES == 0) {
                    v = *(global const vec *)from;
                } else {
#if LANES == 4
                    v.x = from[0];
                    v.y = c + 1 < tx.c ? from[1] : 0.0f;
                    v.z = c + 2 < tx.c ? from[2] : 0.0f;
                    v.w = c + 3 < tx.c ? from[3] : 0.0f;
#endif
                }
            }
            to[(plane * tx.hs + h) * tx.ws * lanes + i] = v;
        }
    }
}
