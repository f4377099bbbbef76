/* Convolution of a plain image of few channels to channels last, with bias and ReLU:
 * y[n][co][i][j] = epilogue(sum over ci, a, b of x[n][ci][i + a*d][j + b*d] * w[co][ci][a][b])
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * x [n][cin][hi][wi], y [n][ho][wo][np], np a multiple of 4, lanes beyond cout zero. Weights are
 * packed as [q][np], q = (ci, a, b). A work-item has TP pixels x TC vectors of 4 channels in
 * registers; CX neighbours share their pixels and write neighbouring vectors. */

/* Vectors of a work-item, CX vectors apart; work-items to a pixel; pixels of a work-item. */
#ifndef TC
#define TC 2
#endif
#ifndef CX
#define CX 8
#endif
#ifndef TP
#define TP 4
#endif

typedef struct {
    int cin, kh, kw, d;
    int hi, wi, ho, wo;
    int pixels, cout, np;
    int bias, relu;
} gt_thin;

/* packed[q][co] = w[co][q], zero from cout to np; a work-item to an element. */
kernel void thin_pack(global const float *restrict w, ulong w_at, global float *restrict packed,
                      ulong packed_at, int qs, int cout, int np)
{
    int i = (int)get_global_id(0);
    if (i < qs * np) {
        int co = i % np;
        packed[packed_at + (ulong)i] = co < cout ? w[w_at + (ulong)(co * qs + i / np)] : 0.0f;
    }
}

static inline float4 epilogue(float4 v, const gt_thin *g, global const float *bias, int co)
{
    int4 lane = (int4)(co) + (int4)(0, 1, 2, 3);
    if (g->bias) {
        v.x += lane.x < g->cout ? bias[lane.x] : 0.0f;
        v.y += lane.y < g->cout ? bias[lane.y] : 0.0f;
        v.z += lane.z < g->cout ? bias[lane.z] : 0.0f;
        v.w += lane.w < g->cout ? bias[lane.w] : 0.0f;
    }
    if (g->relu) {
        v = select(v, (float4)(0.0f), v < (float4)(0.0f));
    }
    return select((float4)(0.0f), v, lane < (int4)(g->cout));
}

/* Work-items: pixels / TP times CX, then np / (4*CX*TC). Tensors begin at multiples of 4. */
kernel void thin_fwd(global const float *restrict x, ulong x_at, global const float *restrict w,
                     ulong w_at, global const float *restrict bias, ulong bias_at,
                     global float *restrict y, ulong y_at, gt_thin g)
{
    int pixel = (int)get_global_id(0) / CX * TP;
    int first = (int)get_global_id(1) * CX * TC + (int)get_global_id(0) % CX;
    int vectors = g.np / 4;
    global const float4 *w4 = (global const float4 *)(w + w_at);
    global const float *from[TP];
    int column[TC];
    float4 sum[TP][TC];
    #pragma unroll
    for (int p = 0; p < TP; p++) {
        int at = min(pixel + p, g.pixels - 1);
        int image = at / (g.ho * g.wo);
        int row = at / g.wo % g.ho;
        from[p] = x + x_at + (image * g.cin * g.hi + row) * g.wi + at % g.wo;
        #pragma unroll
        for (int c = 0; c < TC; c++) {
            sum[p][c] = (float4)(0.0f);
        }
    }
    #pragma unroll
    for (int c = 0; c < TC; c++) {
        column[c] = min(first + c * CX, vectors - 1);
    }
    for (int ci = 0; ci < g.cin; ci++) {
        for (int a = 0; a < g.kh; a++) {
            int at = (ci * g.hi + a * g.d) * g.wi;
            for (int b = 0; b < g.kw; b++, at += g.d) {
                float4 v[TC];
                #pragma unroll
                for (int c = 0; c < TC; c++) {
                    v[c] = w4[column[c]];
                }
                #pragma unroll
                for (int p = 0; p < TP; p++) {
                    float value = from[p][at];
                    #pragma unroll
                    for (int c = 0; c < TC; c++) {
                        sum[p][c] += value * v[c];
                    }
                }
                w4 += vectors;
            }
        }
    }
    #pragma unroll
    for (int p = 0; p < TP; p++) {
        #pragma unroll
        for (int c = 0; c < TC; c++) {
            int vector = first + c * CX;
            if (pixel + p < g.pixels && vector < vectors) {
                ((global float4 *)(y + y_at))[(pixel + p) * vectors + vector] =
                    epilogue(sum[p][c], &g, bias + bias_at, 4 * vector);
            }
        }
    }
}
