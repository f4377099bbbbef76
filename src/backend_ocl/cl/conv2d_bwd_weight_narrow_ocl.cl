/* Weight gradient of a convolution to few channels, x channels last. SPDX-License-Identifier:
 * BSD-2-Clause
 *
 *     dw[o][c][t] = sum over pixels m of x[pixel(m, t)][c] * dy[m][o]
 *
 * Pixels lie in rows, rows are cut into tiles of TILE pixels, and a part is a range of tiles. A
 * group takes a part, a tap and `across` vectors of 4 channels: neighbours have neighbouring
 * vectors of a pixel, `down` such rows of neighbours take turns with the pixels of a tile, and each
 * work-item keeps 4 channels times all outputs in registers. The time is that of reading x once for
 * each tap. A second function adds the parts. All sums run in an order that sizes alone fix. */

/* Output channels, of which `n` exist: 4, 8 or 16. */
#ifndef OUTPUTS
#define OUTPUTS 4
#endif
/* Work-items of a group. */
#ifndef GROUP
#define GROUP 128
#endif
/* Pixels of a tile. */
#ifndef TILE
#define TILE 128
#endif
/* Pixels of which a work-item loads x before it multiplies. */
#ifndef AHEAD
#define AHEAD 4
#endif
/* Elements and parallel sums of a group that adds parts: SUM_X * SUM_Y work-items. */
#ifndef SUM_X
#define SUM_X 8
#endif
#ifndef SUM_Y
#define SUM_Y 16
#endif

typedef struct {
    int n, c, taps, kw;            /* outputs, inputs, taps of the kernel and of its row */
    int rows, row_tiles;           /* rows of an image (or fragment) of x's phase, tiles of a row */
    int tiles, chunk;              /* all tiles, those of a part */
    int across, down;              /* vectors and pixels of a group */
    int cp, x_image, x_row, d;     /* x: lanes, steps to images and rows; dilation */
    int p, h, w;                   /* dy, if plain: phase of x, true rows and columns; else 1 and
                                      what is stored */
    int y_image, y_row, y_pixel, y_lane; /* its steps */
} gt_weight_narrow;

/* Groups: parts, across, taps. part[part][tap][o][cp]. */
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
weight_narrow(global const float *restrict x, ulong x_at, global const float *restrict dy,
              ulong dy_at, global float *restrict part, ulong part_at, gt_weight_narrow g)
{
    local float4 sums[GROUP];
    int t = (int)get_local_id(0);
    int lane = (int)get_group_id(1) * g.across + t % g.across;
    int first = t / g.across;
    int tap = (int)get_group_id(2);
    bool works = first < g.down && lane < g.cp / 4;
    x += x_at + (ulong)((tap / g.kw * g.x_row + tap % g.kw * g.cp) * g.d + (works ? lane : 0) * 4);
    dy += dy_at;

    float4 acc[OUTPUTS];
    int column[OUTPUTS];
#pragma unroll
    for (int o = 0; o < OUTPUTS; o++) {
        acc[o] = (float4)(0.0f);
        column[o] = min(o, g.n - 1) * g.y_lane;
    }
    int from = (int)get_group_id(0) * g.chunk;
    int to = works ? min(from + g.chunk, g.tiles) : from;
    for (int tile = from; tile < to; tile++) {
        int row = tile / g.row_tiles;
        int j = tile % g.row_tiles * TILE;
        int image = row / g.rows;
        int i = row % g.rows;
        int fragment = image % (g.p * g.p);
        int h = i * g.p + fragment / g.p;
        int w = fragment % g.p;
        int end = h < g.h ? min(j + TILE, (g.w - w + g.p - 1) / g.p) : 0;
        global const float *xs = x + image * g.x_image + i * g.x_row;
        global const float *ys =
            dy + image / (g.p * g.p) * g.y_image + h * g.y_row + w * g.y_pixel;
        for (j += first; j < end; j += AHEAD * g.down) {
            float4 v[AHEAD];
#pragma unroll
            for (int u = 0; u < AHEAD; u++) {
                int at = j + u * g.down;
                v[u] = at < end ? *(global const float4 *)(xs + at * g.cp) : (float4)(0.0f);
            }
#pragma unroll
            for (int u = 0; u < AHEAD; u++) {
                int at = j + u * g.down;
                if (at < end) {
                    global const float *y = ys + at * g.p * g.y_pixel;
#pragma unroll
                    for (int o = 0; o < OUTPUTS; o++) {
                        acc[o] = fma((float4)(y[column[o]]), v[u], acc[o]);
                    }
                }
            }
        }
    }

    part += part_at + ((ulong)get_group_id(0) * (ulong)g.taps + (ulong)tap) * (ulong)(g.n * g.cp);
#pragma unroll
    for (int o = 0; o < OUTPUTS; o++) {
        barrier(CLK_LOCAL_MEM_FENCE);
        sums[t] = acc[o];
        barrier(CLK_LOCAL_MEM_FENCE);
        if (o < g.n && works && first == 0) {
            float4 sum = sums[t];
            for (int s = 1; s < g.down; s++) {
                sum += sums[s * g.across + t];
            }
            *(global float4 *)(part + o * g.cp + lane * 4) = sum;
        }
    }
}

/* Groups: elements / SUM_X; work-items: SUM_X elements of [tap][o][cp] x SUM_Y, each of which adds
 * every SUM_Y-th part. */
kernel __attribute__((reqd_work_group_size(SUM_X, SUM_Y, 1))) void
weight_narrow_sum(global const float *restrict part, ulong part_at, global float *restrict dw,
                  ulong dw_at, gt_weight_narrow g, int parts)
{
    local float sums[SUM_Y][SUM_X];
    int lx = (int)get_local_id(0);
    int ly = (int)get_local_id(1);
    int e = (int)get_global_id(0);
    int count = g.taps * g.n * g.cp;
    float sum = 0.0f;
    if (e < count) {
        global const float *from = part + part_at + (ulong)e;
#pragma unroll 4
        for (int s = ly; s < parts; s += SUM_Y) {
            sum += from[(ulong)s * (ulong)count];
        }
    }
    sums[ly][lx] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    int c = e % g.cp;
    if (ly == 0 && e < count && c < g.c) {
        for (int s = 1; s < SUM_Y; s++) {
            sum += sums[s][lx];
        }
        int o = e / g.cp % g.n;
        dw[dw_at + (ulong)((o * g.c + c) * g.taps + e / (g.cp * g.n))] = sum;
    }
}
