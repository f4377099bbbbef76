/* Convolution and its data gradient for processors, channels last. SPDX-License-Identifier:
 * BSD-2-Clause
 *
 *     y[m][n] = epilogue(sum over taps t, channels c of x[pixel(m, t)][c] * weight[t][c][n])
 *
 * pixel(m, (a, b)) is (image, i + a*step, j + b*step), step negative for the gradient; outside of x
 * it counts as zero. x has cp lanes, y np lanes, both multiples of 4. Packed weights: panels of 16
 * channels, [panel][taps][cp][16], then cp zeros, which stand for the pixels outside.
 *
 * A work-item computes TILES times ROWS pixels of one panel, ROWS vectors of 16 in registers, and
 * needs no other: no local memory and no barriers, which processors only imitate. The panel's
 * weights stay in its cache. Sums run over taps, then channels. */

/* Pixels at a time: 8 vectors fill the 2 x 4 steps of a fused multiply-add under way. */
#ifndef ROWS
#define ROWS 8
#endif
/* Of a work-item. */
#ifndef TILES
#define TILES 8
#endif

typedef struct {
    int pixels, ho, wo; /* stored pixels of y; of an image, rows and columns */
    int hi, wi, cp;     /* stored rows, columns and lanes of x */
    int np, panels;     /* lanes of y; panels of 16 */
    int kh, kw, step;
    int n, h, w, p;     /* true channels, rows and columns of y; its phase */
    int epilogue;       /* 1: bias, 2: ReLU */
} gt_panels;

/* Stores one pixel; zeros beyond the true size and channels. */
static inline void store(gt_panels g, float16 v, int m, int n0, float16 bias, int16 beyond,
                         global float *restrict y)
{
    if (g.epilogue & 1) {
        v += bias;
    }
    if (g.epilogue & 2) {
        v = select(v, (float16)(0.0f), isless(v, (float16)(0.0f)));
    }
    v = select(v, (float16)(0.0f), beyond);
    if (g.p > 1) {
        int above = m / g.wo;
        int fragment = above / g.ho % (g.p * g.p);
        bool inside = above % g.ho * g.p + fragment / g.p < g.h &&
                      m % g.wo * g.p + fragment % g.p < g.w;
        v = inside ? v : (float16)(0.0f);
    }
    y += (ulong)m * (ulong)g.np + (ulong)n0;
    if (n0 + 16 <= g.np) {
        vstore16(v, 0, y);
        return;
    }
    vstore4(v.s0123, 0, y);
    if (n0 + 4 < g.np) {
        vstore4(v.s4567, 1, y);
    }
    if (n0 + 8 < g.np) {
        vstore4(v.s89ab, 2, y);
    }
}

kernel void conv2d_panels(global const float *restrict x, ulong x_at,
                          global const float *restrict weight, ulong weight_at,
                          global const float *restrict bias, ulong bias_at,
                          global float *restrict y, ulong y_at, gt_panels g)
{
    int panel = (int)get_global_id(1);
    int n0 = panel * 16;
    size_t size = (size_t)(g.kh * g.kw) * (size_t)g.cp * 16;
    global const float *zeros = weight + weight_at + (size_t)g.panels * size;
    x += x_at;
    weight += weight_at + (size_t)panel * size;
    float16 lane_bias = (float16)(0.0f);
    if (g.epilogue & 1) {
        float lanes[16];
        for (int i = 0; i < 16; i++) {
            lanes[i] = n0 + i < g.n ? bias[bias_at + (ulong)(n0 + i)] : 0.0f;
        }
        lane_bias = vload16(0, lanes);
    }
    int16 beyond =
        (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) >= (int16)(g.n - n0);
    int first = (int)get_global_id(0) * ROWS * TILES;
    int last = min(first + ROWS * TILES, g.pixels);
    for (int m0 = first; m0 < last; m0 += ROWS) {
        int at[ROWS], row[ROWS], column[ROWS];
        float16 acc[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            int m = min(m0 + r, g.pixels - 1);
            int above = m / g.wo;
            column[r] = m - above * g.wo;
            row[r] = above % g.ho;
            at[r] = ((above / g.ho * g.hi + row[r]) * g.wi + column[r]) * g.cp;
            acc[r] = (float16)(0.0f);
        }
        global const float *w = weight;
        for (int a = 0; a < g.kh; a++) {
            for (int b = 0; b < g.kw; b++) {
                global const float *from[ROWS];
                int shift = (a * g.wi + b) * g.step * g.cp;
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
                    int i = row[r] + a * g.step;
                    int j = column[r] + b * g.step;
                    bool inside = i >= 0 && i < g.hi && j >= 0 && j < g.wi;
                    from[r] = inside ? x + (at[r] + shift) : zeros;
                }
                for (int c = 0; c < g.cp; c++) {
                    float16 v = vload16(c, w);
#pragma unroll
                    for (int r = 0; r < ROWS; r++) {
                        acc[r] = fma((float16)(from[r][c]), v, acc[r]);
                    }
                }
                w += g.cp * 16;
            }
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            if (m0 + r < last) {
                store(g, acc[r], m0 + r, n0, lane_bias, beyond, y + y_at);
            }
        }
    }
}

/* Weight (n, c, tap) at n*at_n + c*at_c + tap, zeros beyond the true sizes: one work-item to a
 * vector of 16, the last cp/16 (rounded up) of them write the zeros. */
kernel void conv2d_panels_pack(global const float *restrict weight, ulong weight_at,
                               global float *restrict packed, ulong packed_at, int n_true,
                               int c_true, int at_n, int at_c, int taps, int cp, int panels)
{
    int i = (int)get_global_id(0);
    int c = i % cp;
    int tap = i / cp % taps;
    int n0 = i / (cp * taps) * 16;
    if (i >= panels * taps * cp + (cp + 15) / 16) {
        return;
    }
    packed += packed_at + (ulong)i * 16;
    for (int e = 0; e < 16; e++) {
        bool there = n0 < panels * 16 && n0 + e < n_true && c < c_true;
        packed[e] = there ? weight[weight_at + (ulong)((n0 + e) * at_n + c * at_c + tap)] : 0.0f;
    }
}
