/* Convolution to few output channels and its data gradient, channels last: both are bound by the
 * memory of the wide tensor. SPDX-License-Identifier: BSD-2-Clause
 *
 *     y[m][o]  = epilogue(sum over taps t, channels c of x[pixel(m, t)][c] * weight[t][c][o])
 *     dx[m][c] = sum over taps t, channels o of dy[pixel(m, t)][o] * weight[t][o][c]
 *
 * The wide tensor (x, dx) is channels last in phase p; the narrow one (y, dy) too, or plain NCHW:
 * strides say which. Sums run over taps, then channels, in the same order in all variants. */

/* Vectors of 4 output channels of the forward kernel. */
#ifndef NV
#define NV 1
#endif
/* 1: x goes through local memory, so that neighbours read neighbouring lanes (GPU). 0: every
 * work-item reads its own pixels (CPU). */
#ifndef STAGED
#define STAGED 1
#endif
/* Work-items, and pixels, of a staged group; channels of a step. Powers of two. */
#ifndef GROUP
#define GROUP 128
#endif
#ifndef STEP
#define STEP 32
#endif
/* Pixels of a work-item of the gradient. */
#ifndef PIXELS
#define PIXELS 4
#endif

typedef struct {
    int pixels;            /* stored pixels of the output */
    int ho, wo, p, h, w;   /* its stored rows and columns, its phase, its true size */
    int cp;                /* lanes of the wide tensor */
    int c, lanes;          /* true channels of the narrow tensor; those stored (NCHW: true ones) */
    int kh, kw;
    int plain;             /* 1: the narrow tensor is NCHW */
    int at_n, at_h, at_w, at_c; /* strides of the narrow tensor: image, row, column, channel */
    int hi, wi, d;         /* input: rows, columns and dilation, in the units of its pixels */
    int epilogue;          /* 1: bias, 2: ReLU */
} gt_narrow;

/* Stored pixel m of the output: image (a fragment, or with `plain` the whole image), row and column
 * in it, and whether it is a true pixel. */
static inline int4 place(gt_narrow g, int m)
{
    int row = m / g.wo;
    int j = m - row * g.wo;
    int image = row / g.ho;
    int i = row - image * g.ho;
    if (g.p == 1) {
        return (int4)(image, i, j, 1);
    }
    int n = image / (g.p * g.p);
    int fragment = image - n * g.p * g.p;
    int fi = fragment / g.p;
    int h = i * g.p + fi;
    int w = j * g.p + fragment - fi * g.p;
    int inside = h < g.h && w < g.w;
    return g.plain ? (int4)(n, h, w, inside) : (int4)(image, i, j, inside);
}

/* y of one pixel: lanes beyond c and pixels beyond the true size are zero, plain tensors have
 * neither. */
static inline void finish(gt_narrow g, const float4 *acc, int m, global const float *bias,
                          global float *y)
{
    int4 at = place(g, m);
    int to = at.x * g.at_n + at.y * g.at_h + at.z * g.at_w;
    if (g.plain && !at.w) {
        return;
    }
#pragma unroll
    for (int q = 0; q < NV; q++) {
        float v[4] = {acc[q].x, acc[q].y, acc[q].z, acc[q].w};
#pragma unroll
        for (int e = 0; e < 4; e++) {
            int o = q * 4 + e;
            if (o < g.lanes) {
                float sum = v[e];
                if ((g.epilogue & 1) && o < g.c) {
                    sum += bias[o];
                }
                if ((g.epilogue & 2) && sum < 0.0f) {
                    sum = 0.0f;
                }
                y[to + o * g.at_c] = o < g.c && at.w ? sum : 0.0f;
            }
        }
    }
}

#if STAGED

/* A work-item computes all channels of one pixel; its group brings STEP channels of GROUP pixels
 * and their weights into local memory, one lane more to a row so that banks differ. */
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
conv2d_narrow(global const float *restrict x, ulong x_at, global const float *restrict weight,
              ulong weight_at, global const float *restrict bias, ulong bias_at,
              global float *restrict y, ulong y_at, gt_narrow g)
{
    local float xs[GROUP][STEP + 1];
    local float4 ws[STEP * NV];
    int t = (int)get_local_id(0);
    int m0 = (int)get_group_id(0) * GROUP;
    x += x_at;
    weight += weight_at;
    /* Rows that this work-item brings: a vector of 4 lanes each. */
    int k = t % (STEP / 4) * 4;
    int row = t / (STEP / 4);
    int from[STEP / 4];
#pragma unroll
    for (int v = 0; v < STEP / 4; v++) {
        int m = min(m0 + row + v * (GROUP * 4 / STEP), g.pixels - 1);
        if (g.kh * g.kw > 1) { /* else x has the same pixels: no slow divisions */
            int above = m / g.wo;
            int image = above / g.ho;
            m = (image * g.hi + above - image * g.ho) * g.wi + m - above * g.wo;
        }
        from[v] = m * g.cp + k;
    }
    float4 acc[NV];
#pragma unroll
    for (int q = 0; q < NV; q++) {
        acc[q] = (float4)(0.0f);
    }
    for (int tap = 0; tap < g.kh * g.kw; tap++) {
        int shift = (tap / g.kw * g.wi + tap % g.kw) * g.d * g.cp;
        for (int c = 0; c < g.cp; c += STEP) {
            int count = min(STEP, g.cp - c);
            if (k < count) {
#pragma unroll
                for (int v = 0; v < STEP / 4; v++) {
                    float4 lanes = *(global const float4 *)(x + from[v] + shift + c);
                    local float *to = &xs[row + v * (GROUP * 4 / STEP)][k];
                    to[0] = lanes.x;
                    to[1] = lanes.y;
                    to[2] = lanes.z;
                    to[3] = lanes.w;
                }
            }
            for (int i = t; i < count * NV; i += GROUP) {
                ws[i] = *(global const float4 *)(weight + ((tap * g.cp + c) * NV + i) * 4);
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int i = 0; i < count; i += 4) {
#pragma unroll
                for (int e = 0; e < 4; e++) {
                    float4 lane = (float4)(xs[t][i + e]);
#pragma unroll
                    for (int q = 0; q < NV; q++) {
                        acc[q] = fma(lane, ws[(i + e) * NV + q], acc[q]);
                    }
                }
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }
    if (m0 + t < g.pixels) {
        finish(g, acc, m0 + t, bias + bias_at, y + y_at);
    }
}

#else

/* A work-item computes all channels of one pixel from its own lanes. */
kernel void conv2d_narrow(global const float *restrict x, ulong x_at,
                          global const float *restrict weight, ulong weight_at,
                          global const float *restrict bias, ulong bias_at,
                          global float *restrict y, ulong y_at, gt_narrow g)
{
    int m = (int)get_global_id(0);
    if (m >= g.pixels) {
        return;
    }
    int above = m / g.wo;
    int image = above / g.ho;
    x += x_at + (ulong)(((image * g.hi + above - image * g.ho) * g.wi + m - above * g.wo) * g.cp);
    global const float4 *w = (global const float4 *)(weight + weight_at);
    float4 acc[NV];
#pragma unroll
    for (int q = 0; q < NV; q++) {
        acc[q] = (float4)(0.0f);
    }
    for (int tap = 0; tap < g.kh * g.kw; tap++) {
        global const float *from = x + (tap / g.kw * g.wi + tap % g.kw) * g.d * g.cp;
        for (int c = 0; c < g.cp; c++) {
#pragma unroll
            for (int q = 0; q < NV; q++) {
                acc[q] = fma((float4)(from[c]), w[q], acc[q]);
            }
            w += NV;
        }
    }
    finish(g, acc, m, bias + bias_at, y + y_at);
}

#endif

/* Weights [c][cin][taps] to [taps][cp][NV*4], zeros beyond the true sizes. */
kernel void conv2d_narrow_pack(global const float *restrict weight, ulong weight_at,
                               global float *restrict packed, ulong packed_at, int c, int cin,
                               int taps, int cp)
{
    int i = (int)get_global_id(0);
    int o = i % (NV * 4);
    int row = i / (NV * 4);
    int lane = row % cp;
    int tap = row / cp;
    if (tap < taps) {
        bool there = o < c && lane < cin;
        packed[packed_at + (ulong)i] =
            there ? weight[weight_at + (ulong)((o * cin + lane) * taps + tap)] : 0.0f;
    }
}

/* 4 channels of dy (zero beyond the last) from an index on. */
static inline float4 channels(gt_narrow g, global const float *dy, int at, int o)
{
    if (!g.plain) {
        return *(global const float4 *)(dy + at + o);
    }
    at += o * g.at_c;
    return (float4)(dy[at], o + 1 < g.c ? dy[at + g.at_c] : 0.0f,
                    o + 2 < g.c ? dy[at + 2 * g.at_c] : 0.0f,
                    o + 3 < g.c ? dy[at + 3 * g.at_c] : 0.0f);
}

/* A work-item computes 4 channels of PIXELS pixels; its neighbours the next channels, so all of
 * them read the same dy. */
kernel void conv2d_narrow_data(global const float *restrict dy, ulong dy_at,
                               global const float *restrict weight, ulong weight_at,
                               global float *restrict dx, ulong dx_at, gt_narrow g)
{
    int index = (int)get_global_id(0);
    int vectors = g.cp / 4;
    int m0 = index / vectors * PIXELS;
    int c = (index - index / vectors * vectors) * 4;
    if (m0 >= g.pixels) {
        return;
    }
    dy += dy_at;
    weight += weight_at + (ulong)c;
    int from[PIXELS], row[PIXELS], column[PIXELS];
    bool inside[PIXELS];
    float4 acc[PIXELS];
#pragma unroll
    for (int r = 0; r < PIXELS; r++) {
        int4 at = place(g, min(m0 + r, g.pixels - 1));
        from[r] = at.x * g.at_n + at.y * g.at_h + at.z * g.at_w;
        row[r] = at.y;
        column[r] = at.z;
        inside[r] = at.w != 0;
        acc[r] = (float4)(0.0f);
    }
    int lanes = (g.c + 3) / 4 * 4;
    for (int a = 0; a < g.kh; a++) {
        for (int b = 0; b < g.kw; b++) {
            int back = (a * g.at_h + b * g.at_w) * g.d;
            for (int o = 0; o < lanes; o += 4) {
                float4 w0 = *(global const float4 *)weight;
                float4 w1 = *(global const float4 *)(weight + g.cp);
                float4 w2 = *(global const float4 *)(weight + 2 * g.cp);
                float4 w3 = *(global const float4 *)(weight + 3 * g.cp);
                weight += 4 * g.cp;
#pragma unroll
                for (int r = 0; r < PIXELS; r++) {
                    int i = row[r] - a * g.d;
                    int j = column[r] - b * g.d;
                    if (inside[r] && i >= 0 && i < g.hi && j >= 0 && j < g.wi) {
                        float4 v = channels(g, dy, from[r] - back, o);
                        acc[r] = fma((float4)(v.x), w0, acc[r]);
                        acc[r] = fma((float4)(v.y), w1, acc[r]);
                        acc[r] = fma((float4)(v.z), w2, acc[r]);
                        acc[r] = fma((float4)(v.w), w3, acc[r]);
                    }
                }
            }
        }
    }
#pragma unroll
    for (int r = 0; r < PIXELS; r++) {
        if (m0 + r < g.pixels) {
            *(global float4 *)(dx + dx_at + (ulong)(m0 + r) * (ulong)g.cp + (ulong)c) = acc[r];
        }
    }
}

/* Weights [c][cin][taps] to [taps][c rounded up to 4][cp], zeros beyond the true sizes. */
kernel void conv2d_narrow_pack_data(global const float *restrict weight, ulong weight_at,
                                    global float *restrict packed, ulong packed_at, int c, int cin,
                                    int taps, int cp)
{
    int i = (int)get_global_id(0);
    int lane = i % cp;
    int row = i / cp;
    int o = row % ((c + 3) / 4 * 4);
    int tap = row / ((c + 3) / 4 * 4);
    if (tap < taps) {
        bool there = o < c && lane < cin;
        packed[packed_at + (ulong)i] =
            there ? weight[weight_at + (ulong)((o * cin + lane) * taps + tap)] : 0.0f;
    }
}
