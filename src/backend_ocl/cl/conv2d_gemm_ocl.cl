/* Convolution as an implicit matrix product, channels last. SPDX-License-Identifier: BSD-2-Clause
 *
 *     y[m][n] = epilogue(sum over taps t, channels c of x[pixel(m, t)][c] * weight[t][c][n])
 *
 * m runs over the stored pixels of y (image, i, j), pixel(m, (a, b)) is (image, i + a*d - pad,
 * j + b*d - pad); with BORDER, pixels outside of x count as zero. x has cp lanes, y np lanes, both
 * multiples of 4. Packed weights: [taps][c16][n_pad], c16 the channels rounded up to BK, zeros
 * beyond the true sizes.
 *
 * A group computes BM pixels times BN channels, a work-item TM x TN of them: two times four rows,
 * two times four columns, so that 32 neighbours read 4 x 8 vectors without bank conflicts. The next
 * BK channels are fetched into registers while the present ones are multiplied; one barrier for
 * each step. Sums run over taps, then channels, in one order for all tiles.
 * Source: Chetlur et al. 2014, arXiv:1410.0759 (implicit GEMM); Volkov 2010 (register tiles). */

/* Pixels and channels of a group; multiples of 32 and 64. */
#ifndef BM
#define BM 64
#endif
#ifndef BN
#define BN 128
#endif
/* Channels of a step; a multiple of 4. */
#ifndef BK
#define BK 16
#endif
/* 1: pixels outside of x are zeros (data gradient). */
#ifndef BORDER
#define BORDER 0
#endif

/* Work-items of a group that packs weights; a multiple of 32. */
#ifndef PACK
#define PACK 256
#endif

/* 1: the last step fetches its own data once more, which costs nothing and saves a branch. Measured
 * on an H200: 45.8 instead of 42.8 TFLOP/s with tiles of 64 x 128, but 41.4 instead of 43.4 with
 * 64 x 64. */
#ifndef EAGER
#define EAGER (BN >= 128)
#endif

#define TM 8
#define TN 8
#define THREADS (BM * BN / (TM * TN))
#define WARPS_M (BM / 32)
#define PITCH (BM + 4)
#define A_VECTORS (BM * BK / 4 / THREADS)
#define B_VECTORS (BN * BK / 4 / THREADS)
#define A_STEP (THREADS / (BK / 4))
#define B_STEP (THREADS / (BN / 4))

typedef struct {
    int pixels, ho, wo;   /* stored pixels of y; of an image, rows and columns */
    int hi, wi, cp;       /* stored rows, columns and lanes of x */
    int c16, n_pad, np;   /* rows of the weights for a tap, their columns; lanes of y */
    int kh, kw, d, pad_h, pad_w;
    int n, h, w, p;       /* true channels, rows and columns of y; its phase */
    int epilogue;         /* 1: bias, 2: ReLU */
    int split;            /* parts of the sum; 1: y is written, else partial sums */
} gt_conv;

/* Is stored pixel m a true one? Others are written as zero. */
static inline bool true_pixel(gt_conv g, int m)
{
    int j = m % g.wo;
    int i = m / g.wo % g.ho;
    int fragment = m / (g.wo * g.ho) % (g.p * g.p);
    return i * g.p + fragment / g.p < g.h && j * g.p + fragment % g.p < g.w;
}

/* Bias, ReLU and zeros for 4 channels from n on of pixel m. */
static inline float4 finish(gt_conv g, float4 v, int m, int n, global const float *bias)
{
    if (g.epilogue & 1) {
        v.x += n < g.n ? bias[n] : 0.0f;
        v.y += n + 1 < g.n ? bias[n + 1] : 0.0f;
        v.z += n + 2 < g.n ? bias[n + 2] : 0.0f;
        v.w += n + 3 < g.n ? bias[n + 3] : 0.0f;
    }
    if (g.epilogue & 2) {
        v = select(v, (float4)(0.0f), isless(v, (float4)(0.0f)));
    }
    return g.p == 1 || true_pixel(g, m) ? v : (float4)(0.0f);
}

kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void
conv2d_gemm(global const float *restrict x, ulong x_at, global const float *restrict weight,
            ulong weight_at, global const float *restrict bias, ulong bias_at,
            global float *restrict y, ulong y_at, gt_conv g)
{
    /* Without the alignment compilers split the vectors. */
    local float __attribute__((aligned(16))) as[2][BK][PITCH];
    local float __attribute__((aligned(16))) bs[2][BK][BN];
    int t = (int)get_local_id(0);
    /* Groups in one dimension: others may end at 65535. Those of one m0 are neighbours. */
    int columns = g.n_pad / BN;
    int m0 = (int)get_group_id(0) / columns * BM;
    int n0 = (int)get_group_id(0) % columns * BN;
    int part = (int)get_group_id(1);
    x += x_at;
    weight += weight_at;
    y += y_at;

    /* Rows of A that this work-item fetches: 4 channels each. */
    int a_row = t / (BK / 4);
    int a_k = t % (BK / 4) * 4;
    int a_turn = a_k & 8; /* rows 8 to 15 of a step lie crosswise, in other banks */
    int a_base[A_VECTORS];
#if BORDER
    int a_i[A_VECTORS], a_j[A_VECTORS];
#endif
    for (int v = 0; v < A_VECTORS; v++) {
        int m = min(m0 + a_row + v * A_STEP, g.pixels - 1);
        int j = m % g.wo - g.pad_w;
        int i = m / g.wo % g.ho - g.pad_h;
        a_base[v] = ((m / (g.wo * g.ho) * g.hi + i) * g.wi + j) * g.cp + a_k;
#if BORDER
        a_i[v] = i;
        a_j[v] = j;
#endif
    }
    int b_row = t / (BN / 4);
    int b_at = n0 + t % (BN / 4) * 4;
    int b_step = B_STEP * g.n_pad;

    /* Rows of the kernel that meet x somewhere in this tile; the others are all border. */
    int a_low = 0;
    int a_high = g.kh;
#if BORDER
    int m_last = min(m0 + BM, g.pixels) - 1;
    if (m0 / (g.wo * g.ho) == m_last / (g.wo * g.ho)) {
        int i_low = m0 / g.wo % g.ho - g.pad_h;
        int i_high = m_last / g.wo % g.ho - g.pad_h;
        a_low = max(0, (g.d - 1 - i_high) / g.d);
        a_high = min(g.kh, (g.hi - i_low + g.d - 1) / g.d);
    }
#endif

    /* The first step of this part, and the one behind its last. */
    int chunks = g.c16 / BK;
    int total = max(a_high - a_low, 0) * g.kw * chunks;
    int steps = (total + g.split - 1) / g.split;
    int step = part * steps;
    int last = min(step + steps, total);
    int tap = a_low * g.kw + step / chunks;
    int c = step % chunks * BK;
    int a = tap / g.kw;
    int b = tap % g.kw;
    b_at += (tap * g.c16 + c + b_row) * g.n_pad;

    int warp = t / 32;
    int m_lane = warp % WARPS_M * 32 + ((t & 1) | (t >> 3 & 2)) * 4;
    int n_lane = warp / WARPS_M * 64 + (t >> 1 & 7) * 4;

    float4 a_next[A_VECTORS], b_next[B_VECTORS];
    float acc[TM][TN];
    for (int i = 0; i < TM; i++) {
        for (int j = 0; j < TN; j++) {
            acc[i][j] = 0.0f;
        }
    }

#define FETCH()                                                                                    \
    {                                                                                              \
        int shift = (a * g.wi + b) * g.d * g.cp + c;                                               \
        bool lanes = c + a_k < g.cp;                                                               \
        for (int v = 0; v < A_VECTORS; v++) {                                                      \
            bool inside = lanes;                                                                   \
            INSIDE                                                                                 \
            a_next[v] = inside ? *(global const float4 *)(x + a_base[v] + shift) : (float4)(0.0f); \
        }                                                                                          \
        for (int v = 0; v < B_VECTORS; v++) {                                                      \
            b_next[v] = *(global const float4 *)(weight + b_at + v * b_step);                      \
        }                                                                                          \
    }
#define ADVANCE()                                                                                  \
    {                                                                                              \
        b_at += BK * g.n_pad;                                                                      \
        c += BK;                                                                                   \
        if (c == g.c16) {                                                                          \
            c = 0;                                                                                 \
            b++;                                                                                   \
            if (b == g.kw) {                                                                       \
                b = 0;                                                                             \
                a++;                                                                               \
            }                                                                                      \
        }                                                                                          \
    }
#if BORDER
#define INSIDE                                                                                     \
    int i = a_i[v] + a * g.d;                                                                      \
    int j = a_j[v] + b * g.d;                                                                      \
    inside = inside && (uint)i < (uint)g.hi && (uint)j < (uint)g.wi; /* not below 0 either */
#else
#define INSIDE
#endif
#define STORE(buffer)                                                                              \
    {                                                                                              \
        for (int v = 0; v < A_VECTORS; v++) {                                                      \
            int to = (a_row + v * A_STEP) ^ a_turn;                                                \
            as[buffer][a_k][to] = a_next[v].x;                                                     \
            as[buffer][a_k + 1][to] = a_next[v].y;                                                 \
            as[buffer][a_k + 2][to] = a_next[v].z;                                                 \
            as[buffer][a_k + 3][to] = a_next[v].w;                                                 \
        }                                                                                          \
        for (int v = 0; v < B_VECTORS; v++) {                                                      \
            *(local float4 *)&bs[buffer][b_row + v * B_STEP][t % (BN / 4) * 4] = b_next[v];        \
        }                                                                                          \
    }

    if (step < last) {
        FETCH();
        STORE(0);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    int buffer = 0;
    for (; step < last; step++) {
        bool more = step + 1 < last;
        if (more) {
            ADVANCE();
        }
        if (EAGER || more) {
            FETCH();
        }
#pragma unroll
        for (int k = 0; k < BK; k++) {
            float4 a0 = *(local const float4 *)&as[buffer][k][m_lane ^ (k & 8)];
            float4 a1 = *(local const float4 *)&as[buffer][k][(m_lane + 16) ^ (k & 8)];
            float4 b0 = *(local const float4 *)&bs[buffer][k][n_lane];
            float4 b1 = *(local const float4 *)&bs[buffer][k][n_lane + 32];
            float am[TM] = {a0.x, a0.y, a0.z, a0.w, a1.x, a1.y, a1.z, a1.w};
            float bn[TN] = {b0.x, b0.y, b0.z, b0.w, b1.x, b1.y, b1.z, b1.w};
#pragma unroll
            for (int i = 0; i < TM; i++) {
#pragma unroll
                for (int j = 0; j < TN; j++) {
                    acc[i][j] = fma(am[i], bn[j], acc[i][j]);
                }
            }
        }
        buffer ^= 1;
        if (EAGER || more) {
            STORE(buffer);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    if (g.split > 1) {
        y += (ulong)part * (ulong)g.pixels * (ulong)g.np;
    }
#pragma unroll
    for (int i = 0; i < TM; i++) {
        int m = m0 + m_lane + i % 4 + i / 4 * 16;
#pragma unroll
        for (int q = 0; q < 2; q++) {
            int n = n0 + n_lane + q * 32;
            if (m < g.pixels && n < g.np) {
                float4 v = (float4)(acc[i][q * 4], acc[i][q * 4 + 1], acc[i][q * 4 + 2],
                                    acc[i][q * 4 + 3]);
                if (g.split == 1) {
                    v = finish(g, v, m, n, bias + bias_at);
                }
                *(global float4 *)(y + (ulong)m * (ulong)g.np + n) = v;
            }
        }
    }
}

/* Adds the parts in order: one work-item for 4 channels of a pixel. */
kernel void conv2d_gemm_sum(global const float *restrict parts, ulong parts_at,
                            global const float *restrict bias, ulong bias_at,
                            global float *restrict y, ulong y_at, gt_conv g)
{
    int index = (int)get_global_id(0);
    int vectors = g.np / 4;
    int m = index / vectors;
    int n = index % vectors * 4;
    if (m < g.pixels) {
        ulong at = (ulong)m * (ulong)g.np + (ulong)n;
        float4 sum = *(global const float4 *)(parts + parts_at + at);
        for (int s = 1; s < g.split; s++) {
            at += (ulong)g.pixels * (ulong)g.np;
            sum += *(global const float4 *)(parts + parts_at + at);
        }
        at = (ulong)m * (ulong)g.np + (ulong)n;
        *(global float4 *)(y + y_at + at) = finish(g, sum, m, n, bias + bias_at);
    }
}

/* Weights [n][c][taps] to [taps][c16][n_pad]: 32 x 32 blocks of (n, c*taps + tap) by PACK
 * work-items, read and written in rows. */
kernel __attribute__((reqd_work_group_size(PACK, 1, 1))) void
conv2d_gemm_pack(global const float *restrict weight, ulong weight_at,
                 global float *restrict packed, ulong packed_at, int n_true, int c_true, int taps,
                 int c16, int n_pad)
{
    local float block[32][33];
    int r0 = (int)get_group_id(0) * 32;
    int n0 = (int)get_group_id(1) * 32;
    int x = (int)get_local_id(0) % 32;
    int y = (int)get_local_id(0) / 32;
    int rows = c_true * taps;
    for (int i = y; i < 32; i += PACK / 32) {
        bool there = n0 + i < n_true && r0 + x < rows;
        ulong from = weight_at + (ulong)(n0 + i) * (ulong)rows + (ulong)(r0 + x);
        block[i][x] = there ? weight[from] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = y; i < 32; i += PACK / 32) {
        int row = r0 + i;
        if (row < c16 * taps && n0 + x < n_pad) {
            ulong to = (ulong)(row % taps * c16 + row / taps) * (ulong)n_pad + (ulong)(n0 + x);
            packed[packed_at + to] = block[x][i];
        }
    }
}

/* The data gradient's: weights [c][n][taps] to [flipped tap][c16][n_pad], one element each. */
kernel void conv2d_gemm_pack_flipped(global const float *restrict weight, ulong weight_at,
                                     global float *restrict packed, ulong packed_at, int n_true,
                                     int c_true, int taps, int c16, int n_pad)
{
    int row = (int)get_global_id(0) / n_pad;
    int n = (int)get_global_id(0) % n_pad;
    int tap = row / c16;
    int c = row % c16;
    if (n < n_pad && tap < taps) {
        bool there = n < n_true && c < c_true;
        ulong from = ((ulong)c * (ulong)n_true + (ulong)n) * (ulong)taps + (ulong)(taps - 1 - tap);
        packed[packed_at + (ulong)row * (ulong)n_pad + (ulong)n] =
            there ? weight[weight_at + from] : 0.0f;
    }
}
