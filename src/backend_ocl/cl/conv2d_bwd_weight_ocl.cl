/* Weight gradient of the convolution as a matrix product over pixels; d is the dilation within a
 * fragment, fragments are images:
 * dw[co][ci][a][b] = sum over n, i, j of x[n][ci][i + a*d][j + b*d] * dy[n][co][i][j]
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * M = (tap, ci), N = co, K = pixels. dy [pixel][np] always, np a multiple of 4. With THIN 0 x is
 * channels last with b lanes and row m of the product is tap*b + ci; with THIN 1 x is
 * [n][cin][h][w] and row m is ci*taps + tap. K is cut into `splits` ranges of `chunk`
 * pixels; range s sums into part[s][m][np], then weight_sum adds the ranges in order and writes dw.
 *
 * Both operands have pixels as rows, so tiles go to local memory as they are. */

#ifndef THIN
#define THIN 0
#endif
/* Rows and columns of the tile of a work-group. */
#ifndef BM
#define BM 64
#endif
#ifndef BN
#define BN 64
#endif
/* Rows and columns of a work-item, multiples of 4. */
#ifndef TM
#define TM 8
#endif
#ifndef TN
#define TN 8
#endif
/* Pixels of a step. */
#ifndef BK
#define BK 16
#endif

#define GROUP ((BM / TM) * (BN / TN))
/* Work-items of 32 neighbours lie LX x LY, so that they read few different vectors. */
#define TX (BN / TN)
#define LX (TX < 8 ? TX : 8)
#define LY (32 / LX)
/* Vectors between rows of a tile in local memory: x of THIN is stored down the columns, a further
 * vector keeps these in different banks. */
#define PITCH_X (BM / 4 + THIN)
#define PITCH_Y (BN / 4)

typedef struct {
    int cin, taps, kw; /* channels of x, taps of the kernel and in its row */
    int hi, wi, ho, wo; /* stored rows and columns of x and dy */
    int d, pixels;      /* dilation, pixels of dy */
    int m, np;          /* rows and columns of the product */
    int chunk;          /* pixels of a range */
    int x_image, x_channel, x_pixel, x_row; /* steps in x, in elements */
} gt_weight;

/* Where row m of the product begins in x. */
static inline int weight_row(const gt_weight *g, int m)
{
#if THIN
    int tap = m % g->taps;
    int ci = m / g->taps;
#else
    int tap = m / g->cin;
    int ci = m % g->cin;
#endif
    return ci * g->x_channel + tap / g->kw * g->d * g->x_row + tap % g->kw * g->d * g->x_pixel;
}

/* A pixel of dy on its way through the images: row, column, place of the pixel in x. */
typedef struct {
    int i, j, at;
} gt_walk;

static inline gt_walk walk_from(const gt_weight *g, int pixel)
{
    gt_walk p;
    int image = pixel / (g->ho * g->wo);
    int rest = pixel % (g->ho * g->wo);
    p.i = rest / g->wo;
    p.j = rest % g->wo;
    p.at = image * g->x_image + p.i * g->x_row + p.j * g->x_pixel;
    return p;
}

/* BK pixels on: `step` is what BK pixels are in images, rows and columns. */
static inline gt_walk walk_on(const gt_weight *g, int image, int row, int column, gt_walk p)
{
    p.i += row;
    p.j += column;
    p.at += image * g->x_image + row * g->x_row + column * g->x_pixel;
    if (p.j >= g->wo) {
        p.j -= g->wo;
        p.i++;
        p.at += g->x_row - g->wo * g->x_pixel;
    }
    if (p.i >= g->ho) {
        p.i -= g->ho;
        p.at += g->x_image - g->ho * g->x_row;
    }
    return p;
}

#define ROWS_X (GROUP / (BM / 4)) /* pixels of x that the group loads at once */
#define LOADS_X (BK / ROWS_X)
#define ROWS_Y (GROUP / (BN / 4))
#define LOADS_Y (BK / ROWS_Y)
#define ROWS_T (GROUP / BK) /* THIN: rows of the product that the group loads at once */
#define LOADS_T (BM / ROWS_T)

/* Groups: columns, rows of tiles, ranges. Work-items: GROUP. x and dy begin at multiples of 4. */
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
weight_tile(global const float *restrict x, ulong x_at, global const float *restrict dy,
            ulong dy_at, global float *restrict part, ulong part_at, gt_weight g)
{
    local float4 xs[2][BK * PITCH_X];
    local float4 ys[2][BK * PITCH_Y];
    int id = (int)get_local_id(0);
    int tx = id % 32 % LX + id / 32 % (TX / LX) * LX;
    int ty = id % 32 / LX + id / 32 / (TX / LX) * LY;
    int m0 = (int)get_group_id(1) * BM;
    int n0 = (int)get_group_id(0) * BN;
    int from = (int)get_group_id(2) * g.chunk;
    int to = min(from + g.chunk, g.pixels);
    int step_image = BK / (g.ho * g.wo);
    int step_row = BK % (g.ho * g.wo) / g.wo;
    int step_column = BK % g.wo;
    x += x_at;
    dy += dy_at;

    int y_column = n0 / 4 + id % (BN / 4);
    int y_pixel = from + id / (BN / 4);
    bool y_in = y_column < g.np / 4;
    global const float4 *dy4 = (global const float4 *)dy + y_column;
    float4 y_next[LOADS_Y];
#if THIN
    int x_pixel = from + id % BK;
    int x_row0 = m0 + id / BK;
    int x_at_row[LOADS_T];
    gt_walk walk = walk_from(&g, x_pixel);
    float x_next[LOADS_T];
    #pragma unroll
    for (int r = 0; r < LOADS_T; r++) {
        x_at_row[r] = weight_row(&g, min(x_row0 + r * ROWS_T, g.m - 1));
    }
#else
    int x_row = m0 + id % (BM / 4) * 4;
    int x_pixel = from + id / (BM / 4);
    bool x_in = x_row < g.m;
    global const float *x_base = x + weight_row(&g, min(x_row, g.m - 4));
    gt_walk walk[LOADS_X];
    float4 x_next[LOADS_X];
    #pragma unroll
    for (int r = 0; r < LOADS_X; r++) {
        walk[r] = walk_from(&g, x_pixel + r * ROWS_X);
    }
#endif

    float4 sum[TM][TN / 4];
    #pragma unroll
    for (int r = 0; r < TM; r++) {
        #pragma unroll
        for (int c = 0; c < TN / 4; c++) {
            sum[r][c] = (float4)(0.0f);
        }
    }

    /* The load of step k0 + BK runs beside the sums of step k0; the walk is one step ahead. */
    int buffer = 0;
    for (int k0 = from - BK; k0 < to; k0 += BK) {
        bool more = k0 + BK < to;
        if (more) {
            #pragma unroll
            for (int r = 0; r < LOADS_Y; r++) {
                int pixel = y_pixel + r * ROWS_Y;
                y_next[r] = y_in && pixel < to ? dy4[pixel * (g.np / 4)] : (float4)(0.0f);
            }
            y_pixel += BK;
#if THIN
            #pragma unroll
            for (int r = 0; r < LOADS_T; r++) {
                x_next[r] = x_pixel < to ? x[walk.at + x_at_row[r]] : 0.0f;
            }
            walk = walk_on(&g, step_image, step_row, step_column, walk);
#else
            #pragma unroll
            for (int r = 0; r < LOADS_X; r++) {
                bool in = x_in && x_pixel + r * ROWS_X < to;
                x_next[r] = in ? *(global const float4 *)(x_base + walk[r].at) : (float4)(0.0f);
                walk[r] = walk_on(&g, step_image, step_row, step_column, walk[r]);
            }
#endif
            x_pixel += BK;
        }
        if (k0 >= from) {
            #pragma unroll
            for (int k = 0; k < BK; k++) {
                float4 a[TM / 4];
                float4 b[TN / 4];
                #pragma unroll
                for (int r = 0; r < TM / 4; r++) {
                    a[r] = xs[buffer][k * PITCH_X + ty + r * (BM / TM)];
                }
                #pragma unroll
                for (int c = 0; c < TN / 4; c++) {
                    b[c] = ys[buffer][k * PITCH_Y + tx + c * TX];
                }
                #pragma unroll
                for (int r = 0; r < TM / 4; r++) {
                    #pragma unroll
                    for (int c = 0; c < TN / 4; c++) {
                        sum[4 * r][c] += a[r].x * b[c];
                        sum[4 * r + 1][c] += a[r].y * b[c];
                        sum[4 * r + 2][c] += a[r].z * b[c];
                        sum[4 * r + 3][c] += a[r].w * b[c];
                    }
                }
            }
        }
        if (more) {
            buffer ^= 1;
            #pragma unroll
            for (int r = 0; r < LOADS_Y; r++) {
                ys[buffer][(id / (BN / 4) + r * ROWS_Y) * PITCH_Y + id % (BN / 4)] = y_next[r];
            }
#if THIN
            local float *column = (local float *)&xs[buffer][id % BK * PITCH_X] + id / BK;
            #pragma unroll
            for (int r = 0; r < LOADS_T; r++) {
                column[r * ROWS_T] = x_next[r];
            }
#else
            #pragma unroll
            for (int r = 0; r < LOADS_X; r++) {
                xs[buffer][(id / (BM / 4) + r * ROWS_X) * PITCH_X + id % (BM / 4)] = x_next[r];
            }
#endif
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    part += part_at + (ulong)get_group_id(2) * (ulong)g.m * (ulong)g.np;
    #pragma unroll
    for (int r = 0; r < TM; r++) {
        int m = m0 + 4 * (ty + r / 4 * (BM / TM)) + r % 4;
        #pragma unroll
        for (int c = 0; c < TN / 4; c++) {
            int n = n0 + 4 * (tx + c * TX);
            if (m < g.m && n < g.np) {
                *(global float4 *)(part + m * g.np + n) = sum[r][c];
            }
        }
    }
}

/* dw[co][q], q = ci*taps + tap: sums of the ranges, turned round in local memory. Groups: q / 32,
 * co / 32; work-items: 32 x 4. */
kernel __attribute__((reqd_work_group_size(32, 4, 1))) void
weight_sum(global const float *restrict part, ulong part_at, global float *restrict dw,
           ulong dw_at, gt_weight g, int qs, int cout, int splits)
{
    local float tile[32][33];
    int lx = (int)get_local_id(0);
    int ly = (int)get_local_id(1);
    int q0 = (int)get_group_id(0) * 32;
    int c0 = (int)get_group_id(1) * 32;
    ulong range = (ulong)g.m * (ulong)g.np;
    part += part_at;
    for (int r = ly; r < 32; r += 4) {
        int q = q0 + r;
        int m = THIN ? q : q % g.taps * g.cin + q / g.taps;
        float sum = 0.0f;
        if (q < qs && c0 + lx < cout) {
            global const float *p = part + m * g.np + c0 + lx;
            for (int s = 0; s < splits; s++) {
                sum += p[(ulong)s * range];
            }
        }
        tile[r][lx] = sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int r = ly; r < 32; r += 4) {
        if (c0 + r < cout && q0 + lx < qs) {
            dw[dw_at + (ulong)(c0 + r) * (ulong)qs + (ulong)(q0 + lx)] = tile[lx][r];
        }
    }
}

/* ---- processors: no local memory, a work-item has CPU_M rows x 16 columns in registers ---- */

#ifndef CPU_M
#define CPU_M 8
#endif

/* 16 columns of a pixel, of which `n` (a multiple of 4) exist. */
static inline float16 load16(global const float *p, int n)
{
    if (n >= 16) {
        return vload16(0, p);
    }
    float16 v = (float16)(0.0f);
    v.s0123 = vload4(0, p);
    if (n > 4) {
        v.s4567 = vload4(1, p);
    }
    if (n > 8) {
        v.s89ab = vload4(2, p);
    }
    return v;
}

static inline void store16(float16 v, global float *p, int n)
{
    if (n >= 16) {
        vstore16(v, 0, p);
        return;
    }
    vstore4(v.s0123, 0, p);
    if (n > 4) {
        vstore4(v.s4567, 1, p);
    }
    if (n > 8) {
        vstore4(v.s89ab, 2, p);
    }
}

/* Work-items: columns / 16, rows / CPU_M, ranges. */
kernel void weight_tile_cpu(global const float *restrict x, ulong x_at,
                            global const float *restrict dy, ulong dy_at,
                            global float *restrict part, ulong part_at, gt_weight g)
{
    int n0 = (int)get_global_id(0) * 16;
    int m0 = (int)get_global_id(1) * CPU_M;
    int from = (int)get_global_id(2) * g.chunk;
    int to = min(from + g.chunk, g.pixels);
    int n = min(16, g.np - n0);
    int at[CPU_M];
    float16 sum[CPU_M];
    #pragma unroll
    for (int r = 0; r < CPU_M; r++) {
        at[r] = weight_row(&g, min(m0 + r, g.m - 1));
        sum[r] = (float16)(0.0f);
    }
    gt_walk p = walk_from(&g, from);
    dy += dy_at + (ulong)n0;
    x += x_at;
    for (int k = from; k < to;) {
        /* The rest of a row of pixels. */
        int end = min(to, k + g.wo - p.j);
        global const float *xp = x + p.at;
        for (; k < end; k++) {
            float16 v = load16(dy + k * g.np, n);
            #pragma unroll
            for (int r = 0; r < CPU_M; r++) {
                sum[r] += xp[at[r]] * v;
            }
            xp += g.x_pixel;
        }
        if (k < to) {
            p = walk_from(&g, k);
        }
    }
    part += part_at + (ulong)get_global_id(2) * (ulong)g.m * (ulong)g.np;
    #pragma unroll
    for (int r = 0; r < CPU_M; r++) {
        if (m0 + r < g.m) {
            store16(sum[r], part + (m0 + r) * g.np + n0, n);
        }
    }
}

/* Work-items: q, co / 16. */
kernel void weight_sum_cpu(global const float *restrict part, ulong part_at,
                           global float *restrict dw, ulong dw_at, gt_weight g, int qs, int cout,
                           int splits)
{
    int q = (int)get_global_id(0);
    int c0 = (int)get_global_id(1) * 16;
    int m = THIN ? q : q % g.taps * g.cin + q / g.taps;
    global const float *p = part + part_at + (ulong)(m * g.np + c0);
    float16 sum = (float16)(0.0f);
    for (int s = 0; s < splits; s++) {
        sum += load16(p + (ulong)s * (ulong)g.m * (ulong)g.np, g.np - c0);
    }
    float lanes[16];
    vstore16(sum, 0, lanes);
    for (int c = 0; c < 16 && c0 + c < cout; c++) {
        dw[dw_at + (ulong)(c0 + c) * (ulong)qs + (ulong)q] = lanes[c];
    }
}
