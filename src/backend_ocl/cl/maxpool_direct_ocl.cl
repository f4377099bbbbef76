/* Max pooling and its gradient. x [N][C][H][W] in phase p, y and index [N][C][P][Q] in phase q, all
 * in the same channel block; k x k taps, stride s, dilation d, a multiple of p; s = 1 unless p and
 * q are 1. p and q are powers of two.
 *
 * One work-item makes LANES channels of a stored pixel: dimension 0 is column and channel, 1 the
 * row, 2 fragment and channel block; see rows.h. SPDX-License-Identifier: BSD-2-Clause */
#include "layout.clh"

/* Channels of a work-item: 4 where b is a multiple of 4, 1 where b is 1. */
#ifndef LANES
#define LANES 4
#endif

#if LANES == 4
typedef float4 vec;
typedef int4 ivec;
typedef uchar4 bytes;
#define TO_INT convert_int4
#define TO_BYTES convert_uchar4
#else
typedef float vec;
typedef int ivec;
typedef uchar bytes;
#define TO_INT convert_int
#define TO_BYTES convert_uchar
#endif

/* A plane: image, channel block, fragment (fi, fj) of phase 2^shift. */
typedef struct {
    int n, block, fi, fj, shift;
} place;

static inline int shift_of(int p)
{
    return 31 - clz(p);
}

static inline place place_of(gt_tensor t, int plane)
{
    place at;
    int image = plane / t.cb;
    at.shift = shift_of(t.p);
    at.block = plane - image * t.cb;
    at.n = image >> (2 * at.shift);
    at.fi = (image >> at.shift) & (t.p - 1);
    at.fj = image & (t.p - 1);
    return at;
}

/* Index in vectors of pixel (h, w) of an image and channel block. */
static inline int pixel_at(gt_tensor t, int shift, int n, int block, int h, int w)
{
    int image = (((n << shift) | (h & (t.p - 1))) << shift) | (w & (t.p - 1));
    int row = (image * t.cb + block) * t.hs + (h >> shift);
    return (row * t.ws + (w >> shift)) * (t.b / LANES);
}

/* Maximum of the window that starts at x, and the code a*k + b of its first place. Taps lie
 * (right, down) apart; those further than (room_w, room_h) pixels from the first are outside: row
 * or column 0 is read again in their place, which changes nothing since it is not larger than what
 * was seen. */
static inline vec window_max(ivec *code, global const vec *x, int right, int down, int room_w,
                             int room_h, int d, int k)
{
    vec best = x[0];
    ivec at = (ivec)(0);
    for (int a = 0; a < k; a++) {
        int row = a * d <= room_h ? a * down : 0;
        for (int b = 0; b < k; b++) {
            vec v = x[row + (b * d <= room_w ? b * right : 0)];
            ivec more = v > best;
            at = select(at, (ivec)(a * k + b), more);
            best = select(best, v, more);
        }
    }
    *code = at;
    return best;
}

/* y[n][c][i][j] = max over a, b < k of x[n][c][i*s + a*d][j*s + b*d], clipped windows at the lower
 * and right border; the first maximum in row-major order wins, and a NaN in the first tap. index
 * may be NULL. */
kernel void maxpool_fwd(global const float *restrict x, ulong x_at, gt_tensor tx,
                        global float *restrict y, ulong y_at, gt_tensor ty,
                        global uchar *restrict index, ulong index_at, int k, int s, int d)
{
    int lanes = ty.b / LANES;
    int i = (int)get_global_id(0);
    if (i >= ty.ws * lanes) {
        return;
    }
    int column = i / lanes;
    int shift = shift_of(tx.p);
    int right = (d >> shift) * lanes;
    int down = right * tx.ws;
    global const vec *from = (global const vec *)(x + x_at) + (i - column * lanes);
    global vec *to = (global vec *)(y + y_at);
    int planes = ty.n * ty.p * ty.p * ty.cb;
    for (int plane = (int)get_global_id(2); plane < planes; plane += (int)get_global_size(2)) {
        place at = place_of(ty, plane);
        int w = (column << at.shift) + at.fj;
        for (int row = (int)get_global_id(1); row < ty.hs; row += (int)get_global_size(1)) {
            int h = (row << at.shift) + at.fi;
            int out = (plane * ty.hs + row) * ty.ws * lanes + i;
            vec best = (vec)(0.0f);
            ivec code = (ivec)(0);
            if (h < ty.h && w < ty.w) {
                global const vec *first =
                    from + pixel_at(tx, shift, at.n, at.block, h * s, w * s);
                int room_w = tx.w - 1 - w * s;
                int room_h = tx.h - 1 - h * s;
                /* a constant 2 lets the compiler start all four loads at once */
                best = k == 2 ? window_max(&code, first, right, down, room_w, room_h, d, 2)
                              : window_max(&code, first, right, down, room_w, room_h, d, k);
            }
            to[out] = best;
            if (index) {
                ((global bytes *)(index + index_at))[out] = TO_BYTES(code);
            }
        }
    }
}

/* Sum of dy over the windows that chose pixel (h, w). Taps from the last to the first are windows
 * in row-major order. */
static inline vec windows_sum(global const vec *dy, global const bytes *index, gt_tensor ty,
                              int shift, int n, int block, int h, int w, int k, int s, int d)
{
    vec sum = (vec)(0.0f);
    for (int a = k - 1; a >= 0; a--) {
        int i = (h - a * d) / s;
        if (h < a * d || i * s != h - a * d || i >= ty.h) {
            continue;
        }
        for (int b = k - 1; b >= 0; b--) {
            int j = (w - b * d) / s;
            if (w >= b * d && j * s == w - b * d && j < ty.w) {
                int from = pixel_at(ty, shift, n, block, i, j);
                ivec chosen = TO_INT(index[from]) == (ivec)(a * k + b);
                sum += select((vec)(0.0f), dy[from], chosen);
            }
        }
    }
    return sum;
}

/* dx[n][c][h][w] = sum over the windows (i, j) whose maximum was (h, w) of dy[n][c][i][j]. */
kernel void maxpool_bwd(global const float *restrict dy, ulong dy_at, gt_tensor ty,
                        global const uchar *restrict index, ulong index_at,
                        global float *restrict dx, ulong dx_at, gt_tensor tx, int k, int s, int d)
{
    int lanes = tx.b / LANES;
    int i = (int)get_global_id(0);
    if (i >= tx.ws * lanes) {
        return;
    }
    int column = i / lanes;
    int shift = shift_of(ty.p);
    global const vec *from = (global const vec *)(dy + dy_at) + (i - column * lanes);
    global const bytes *codes = (global const bytes *)(index + index_at) + (i - column * lanes);
    global vec *to = (global vec *)(dx + dx_at);
    int planes = tx.n * tx.p * tx.p * tx.cb;
    for (int plane = (int)get_global_id(2); plane < planes; plane += (int)get_global_size(2)) {
        place at = place_of(tx, plane);
        int w = (column << at.shift) + at.fj;
        for (int row = (int)get_global_id(1); row < tx.hs; row += (int)get_global_size(1)) {
            int h = (row << at.shift) + at.fi;
            vec sum = (vec)(0.0f);
            if (h < tx.h && w < tx.w) {
                /* the networks' windows: constants remove the loops and the divisions */
                if (k == 2 && s == 2) {
                    sum = windows_sum(from, codes, ty, 0, at.n, at.block, h, w, 2, 2, d);
                } else if (k == 2 && s == 1) {
                    sum = windows_sum(from, codes, ty, shift, at.n, at.block, h, w, 2, 1, d);
                } else {
                    sum = windows_sum(from, codes, ty, shift, at.n, at.block, h, w, k, s, d);
                }
            }
            to[(plane * tx.hs + row) * tx.ws * lanes + i] = sum;
        }
    }
}
