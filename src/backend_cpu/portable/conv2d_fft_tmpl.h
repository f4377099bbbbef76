/* Convolution in the frequency domain on channel blocks of 16, template for vectors of VW floats.
 * Included by the forward and the two gradients, which define VW.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tiles of L x L inputs give m x m outputs, m = L + 1 - k: the cyclic correlation of length L is the
 * plain one there (overlap-save). At every frequency the sum over channels is a complex matrix
 * product, done as three real ones: with a = V and b = U,
 * k1 = (ar + ai)*br, k2 = ar*(bi - br), k3 = ai*(br + bi), real part k1 - k3, imaginary k1 + k2.
 * `full`: the data gradient of images whose dx fits one tile: the cyclic convolution of length L is
 * the plain one, no tile overlaps.
 *
 * x [n][ceil(ci/16)][hi][wi][16], zeros beyond the true sizes; y likewise, zeros written
 * V [frequency][real | imaginary][block of 16 ci][tile][16]
 * U [panel][frequency][real | imaginary][ci][width], times 1/L^2
 * M [panel of the round][frequency][real | imaginary][tile][width]
 * Tiles are taken in passes, outputs in rounds of panels, so that V, U and M are bounded; neither
 * depends on threads. Packed: U of all panels is made once and kept, many times the weights (six
 * times for 10 x 10 at length 25); else the weights of a round are transformed when it begins.
 * Sources: Mathieu, Henaff, LeCun 2013, arXiv:1312.5851; Zlateski, Jia, Li,
 * Durand 2018, arXiv:1809.07851. */
#ifndef GT_BACKEND_CPU_CONV2D_FFT_TMPL_H
#define GT_BACKEND_CPU_CONV2D_FFT_TMPL_H

#include "backend_cpu/portable/conv2d_fft_plan.h"
#include "backend_cpu/portable/taps_tmpl.h"

/* ---- weights ---- */

/* Weights [Cout][Cin][k][k] to U. transposed: outputs are the Cin; turned: taps run backwards;
 * convolve: for the convolution, not the correlation. */
struct fft_weights {
    const float *w;
    bool transposed, turned, convolve;
};

struct fft_job {
    struct fft_grid grid;
    struct fft fft;
    struct fft_weights weights;
    const struct gt_device *device;
    const float *x, *bias; /* bias [co] or NULL */
    float *y, *v, *u, *m;
    int32_t h_true, w_true, phase; /* of y, all fragments together */
    bool relu;
    struct fft_plane v_plane, m_plane;
    int32_t t0, t1, panel0, panel1; /* the present pass and round */
    int32_t u_panel;                /* that U begins with */
    bool stream;                    /* U, where it exceeds the caches */
};

static inline float *fft_u(const struct fft_job *j, int32_t panel)
{
    return j->u + (size_t)(panel - j->u_panel) * fft_u_panel(&j->grid);
}

struct fft_pack_put {
    float *re, *im;
    size_t stride;
    float scale, scale_im;
    bool stream;
};
static inline void fft_pack_one(void *cookie, int32_t f, struct cv value)
{
    const struct fft_pack_put *p = cookie;
    panel_store(p->re + (size_t)f * p->stride, p->scale * value.re, p->stream);
    panel_store(p->im + (size_t)f * p->stride, p->scale_im * value.im, p->stream);
}

/* VW outputs from o of input c as a tile of k x k pixels of 16 lanes. */
static void fft_pack_taps(const struct fft_job *j, int32_t o, int32_t c, float *tile)
{
    const struct fft_grid *g = &j->grid;
    size_t taps = (size_t)g->k * (size_t)g->k;
    size_t kernel = j->weights.transposed ? (size_t)c * (size_t)g->co + (size_t)o
                                          : (size_t)o * (size_t)g->ci + (size_t)c;
    struct taps t = {.w = j->weights.w + kernel * taps,
                     .end = j->weights.w + (size_t)g->ci * (size_t)g->co * taps,
                     .stride = j->weights.transposed ? taps : (size_t)g->ci * taps,
                     .kernels = conv_max(0, conv_min(VW, g->co - o)),
                     .taps = (int32_t)taps};
    vf kernels[TAPS_ROOM(FFT_TAPS)];
    taps_read(&t, kernels);
    for (size_t i = 0; i < taps; i++) {
        *(vf *)(tile + i * 16) = kernels[j->weights.turned ? taps - 1 - i : i];
    }
}

enum { FFT_PACK_INPUTS = 4 }; /* of one chunk */

/* Some inputs of one panel of the round. */
static void fft_pack_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct fft_job *j = cookie;
    const struct fft_grid *g = &j->grid;
    size_t groups = (size_t)gt__ceil_div(g->ci, FFT_PACK_INPUTS);
    int32_t panel = j->panel0 + (int32_t)(chunk / groups);
    int32_t c0 = (int32_t)(chunk % groups) * FFT_PACK_INPUTS;
    int32_t c1 = conv_min(g->ci, c0 + FFT_PACK_INPUTS);
    int32_t o = panel * PANEL;
    int32_t width = fft_width(g->co, panel);
    size_t plane = (size_t)g->ci * (size_t)width;
    struct fft_room *room = (struct fft_room *)(void *)gt__cpu_thread_scratch(j->device, thread);
    float *tile = (float *)(void *)(room + 1);
    float scale = 1.0f / (float)(g->length * g->length);
    for (int32_t c = c0; c < c1; c++) {
        for (int32_t l = 0; l < width; l += VW) {
            float *to = fft_u(j, panel) + (size_t)c * (size_t)width + (size_t)l;
            struct fft_pack_put put = {.re = to,
                                       .im = to + plane,
                                       .stride = fft_u_frequency(g, width),
                                       .scale = scale,
                                       .stream = j->stream,
                                       .scale_im = j->weights.convolve ? scale : -scale};
            fft_pack_taps(j, o + l, c, tile);
            fft_forward(&j->fft, room, tile, (size_t)g->k * 16, g->k, g->k, fft_pack_one, &put);
        }
    }
    if (j->stream) {
        gt__stream_end();
    }
}

/* ---- tiles in ---- */

struct fft_place {
    int32_t image, row, col;
};
static inline struct fft_place fft_place(const struct fft_grid *g, int32_t t)
{
    int32_t per_image = g->rows * g->cols;
    int32_t rest = t % per_image;
    return (struct fft_place){t / per_image, rest / g->cols * g->m, rest % g->cols * g->m};
}

/* Pixels [row][col] of a plane, h x w of them from (r0, c0), zeros outside: where they lie, or in
 * `tile` after copying. */
struct fft_pixels {
    const float *x;
    size_t row;
    int32_t rows, cols;
};
static struct fft_pixels fft_pixels(const float *plane, int32_t hi, int32_t wi, int32_t r0,
                                    int32_t c0, int32_t length, float *tile)
{
    struct fft_pixels p;
    if (r0 >= 0 && c0 >= 0) {
        p.x = plane + ((size_t)r0 * (size_t)wi + (size_t)c0) * 16;
        p.row = (size_t)wi * 16;
        p.rows = conv_max(0, conv_min(length, hi - r0));
        p.cols = conv_max(0, conv_min(length, wi - c0));
        return p;
    }
    size_t row = (size_t)length * 16;
    int32_t from = conv_max(0, -c0);
    int32_t to = conv_max(from, conv_min(length, wi - c0));
    memset(tile, 0, (size_t)length * row * sizeof(float));
    for (int32_t i = conv_max(0, -r0); i < length && r0 + i < hi; i++) {
        const float *src = plane + ((ptrdiff_t)(r0 + i) * wi + (c0 + from)) * 16;
        memcpy(tile + (size_t)i * row + (size_t)from * 16, src,
               (size_t)(to - from) * 16 * sizeof(float));
    }
    return (struct fft_pixels){tile, row, length, length};
}

/* Both planes of a spectrum. */
struct fft_planes_put {
    float *to;
    size_t frequency, plane;
};
static inline void fft_put_planes(void *cookie, int32_t f, struct cv v)
{
    const struct fft_planes_put *p = cookie;
    float *to = p->to + (size_t)f * p->frequency;
    *(vf *)to = v.re;
    *(vf *)(to + p->plane) = v.im;
}

/* One tile, all blocks. */
static void fft_input_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct fft_job *j = cookie;
    const struct fft_grid *g = &j->grid;
    int32_t blocks = gt__ceil_div(g->ci, 16);
    struct fft_room *room = (struct fft_room *)(void *)gt__cpu_thread_scratch(j->device, thread);
    float *tile = (float *)(void *)(room + 1);
    struct fft_place at = fft_place(g, j->t0 + (int32_t)chunk);
    size_t plane = (size_t)g->hi * (size_t)g->wi * 16;
    for (int32_t b = 0; b < blocks; b++) {
        const float *x = j->x + ((size_t)at.image * (size_t)blocks + (size_t)b) * plane;
        struct fft_pixels p =
            fft_pixels(x, g->hi, g->wi, at.row - g->pad, at.col - g->pad, g->length, tile);
        for (int32_t l = 0; l < 16; l += VW) {
            struct fft_planes_put put = {j->v + (size_t)b * j->v_plane.block + chunk * 16 +
                                             (size_t)l,
                                         j->v_plane.frequency, j->v_plane.plane};
            fft_forward(&j->fft, room, p.x + l, p.row, p.rows, p.cols, fft_put_planes, &put);
        }
    }
}

/* ---- products ---- */

/* ar + ai of one frequency. */
static inline void fft_sum_planes(float *sum, const float *v, size_t plane)
{
    for (size_t i = 0; i < plane; i += 16) {
        for (size_t l = 0; l < 16; l += VW) {
            *(vf *)(sum + i + l) = *(const vf *)(v + i + l) + *(const vf *)(v + plane + i + l);
        }
    }
}

/* b of the three products from one frequency of a panel of U. */
static inline void fft_three(float *b, const float *u, size_t plane)
{
    for (size_t i = 0; i < plane; i += VW) {
        vf r = *(const vf *)(u + i);
        vf s = *(const vf *)(u + plane + i);
        *(vf *)(b + i) = r;
        *(vf *)(b + plane + i) = s - r;
        *(vf *)(b + 2 * plane + i) = r + s;
    }
}

/* The part of the next panel's spectra that products of `rows` of all 3 * tiles rows fetch. */
static inline void fft_fetch(struct panel_call *call, const struct fft_job *j, int32_t panel,
                             size_t f, int32_t row, int32_t rows)
{
    size_t size = fft_u_frequency(&j->grid, fft_width(j->grid.co, panel));
    size_t all = 3 * (size_t)(j->t1 - j->t0);
    size_t from = size / 16 * (size_t)row / all * 16;
    call->next = fft_u(j, panel) + f * size + from;
    call->next_end = fft_u(j, panel) + f * size + size / 16 * (size_t)(row + rows) / all * 16;
}

/* One frequency: all panels of the round, all tiles of the pass. */
static void fft_product_chunk(void *cookie, size_t f, int32_t thread)
{
    const struct fft_job *j = cookie;
    const struct fft_grid *g = &j->grid;
    const float *v = j->v + f * j->v_plane.frequency;
    float *sum = gt__cpu_thread_scratch(j->device, thread);
    float *b = sum + j->v_plane.plane;
    float *c = b + 3 * (size_t)g->ci * PANEL;
    const float *a[3] = {sum, v, v + j->v_plane.plane};
    int32_t tiles = j->t1 - j->t0;
    fft_sum_planes(sum, v, j->v_plane.plane);
    for (int32_t panel = j->panel0; panel < j->panel1; panel++) {
        int32_t width = fft_width(g->co, panel);
        size_t plane = (size_t)g->ci * (size_t)width;
        size_t of_round = (size_t)(panel - j->panel0);
        float *m = j->m + of_round * j->m_plane.total + f * j->m_plane.frequency;
        fft_three(b, fft_u(j, panel) + f * fft_u_frequency(g, width), plane);
        for (int32_t t = 0; t < tiles; t += FFT_PRODUCT_ROWS) {
            int32_t rows = conv_min(FFT_PRODUCT_ROWS, tiles - t);
            size_t n = (size_t)rows * (size_t)width;
            for (size_t k = 0; k < 3; k++) {
                struct panel_call call = {.a = a[k] + (size_t)t * 16,
                                          .b = b + k * plane,
                                          .c = c + k * n,
                                          .a_block = j->v_plane.block,
                                          .first = true};
                if (g->packed && panel + 1 < j->panel1) {
                    fft_fetch(&call, j, panel + 1, f, t * 3 + (int32_t)k * rows, rows);
                }
                panel_product(call, rows, g->ci, width / VW);
            }
            float *to = m + (size_t)t * (size_t)width;
            for (size_t i = 0; i < n; i += VW) {
                vf k1 = *(const vf *)(c + i);
                *(vf *)(to + i) = k1 - *(const vf *)(c + 2 * n + i);
                *(vf *)(to + j->m_plane.plane + i) = k1 + *(const vf *)(c + n + i);
            }
        }
    }
}

/* ---- tiles out ---- */

/* Bias, ReLU, zeros in lanes and pixels beyond, for VW lanes from `lane`. */
static void fft_store(const struct fft_job *j, struct fft_place at, int32_t lane, int32_t rows,
                      int32_t cols, const vf *out)
{
    const struct fft_grid *g = &j->grid;
    int32_t th = 0;
    int32_t tw = 0;
    vf bias;
    vi keep;
    conv_true_size(&th, &tw, j->h_true, j->w_true, j->phase, at.image);
    for (int32_t i = 0; i < VW; i++) {
        bool real = lane + i < g->co;
        keep[i] = real ? -1 : 0;
        bias[i] = real && j->bias ? j->bias[lane + i] : -0.0f;
    }
    size_t y_block = (size_t)g->ho * (size_t)g->wo * 16;
    float *y =
        j->y +
        ((size_t)at.image * (size_t)gt__ceil_div(g->co, 16) + (size_t)(lane / 16)) * y_block +
        (size_t)(lane % 16);
    for (int32_t r = 0; r < rows; r++) {
        float *to = y + ((size_t)(at.row + r) * (size_t)g->wo + (size_t)at.col) * 16;
        for (int32_t c = 0; c < cols; c++) {
            vf v = out[r * cols + c] + bias;
            vi mask = keep;
            if (j->relu) {
                mask &= ~(vi)(v < (vf){0});
            }
            bool real = at.row + r < th && at.col + c < tw;
            *(vf *)(to + (size_t)c * 16) = real ? (vf)((vi)v & mask) : (vf){0};
        }
    }
}

/* One tile of one panel of the round. */
static void fft_output_chunk(void *cookie, size_t chunk, int32_t thread)
{
    const struct fft_job *j = cookie;
    const struct fft_grid *g = &j->grid;
    size_t tiles = (size_t)(j->t1 - j->t0);
    size_t t = chunk % tiles;
    int32_t panel = j->panel0 + (int32_t)(chunk / tiles);
    int32_t width = fft_width(g->co, panel);
    struct fft_room *room = (struct fft_room *)(void *)gt__cpu_thread_scratch(j->device, thread);
    vf *out = (vf *)(void *)(room + 1);
    struct fft_place at = fft_place(g, j->t0 + (int32_t)t);
    int32_t rows = conv_min(g->m, g->ho - at.row);
    int32_t cols = conv_min(g->m, g->wo - at.col);
    for (int32_t l = 0; l < width; l += VW) {
        const float *m =
            j->m + (size_t)(panel - j->panel0) * j->m_plane.total + t * (size_t)width + (size_t)l;
        struct fft_spectrum s = {m, m + j->m_plane.plane, j->m_plane.frequency, (size_t)width};
        fft_inverse(&j->fft, room, &s, rows, cols, out);
        fft_store(j, at, panel * PANEL + l, rows, cols, out);
    }
}

/* Do spectra of so many panels exceed the caches? */
static inline bool fft_streams(const struct fft_job *j, int32_t panels)
{
    return gt__stream_pays(j->u, (size_t)panels * fft_u_panel(&j->grid) * sizeof(float) / 4);
}

/* All of U, into what is kept. */
static inline void fft_pack(struct fft_job *j)
{
    const struct fft_grid *g = &j->grid;
    size_t groups = (size_t)gt__ceil_div(g->ci, FFT_PACK_INPUTS);
    fft_open(&j->fft, g->length);
    j->panel0 = 0;
    j->panel1 = g->panels;
    j->stream = fft_streams(j, g->panels);
    gt__pool_for(gt__cpu_pool(j->device), (size_t)g->panels * groups, fft_pack_chunk, j);
}

static inline void fft_run(struct fft_job *j)
{
    const struct fft_grid *g = &j->grid;
    struct gt_pool *pool = gt__cpu_pool(j->device);
    size_t groups = (size_t)gt__ceil_div(g->ci, FFT_PACK_INPUTS);
    fft_open(&j->fft, g->length);
    j->v_plane = fft_v_plane(g);
    j->m_plane = fft_m_plane(g);
    j->m = j->v + j->v_plane.total;
    if (!g->packed) {
        j->u = j->m + (size_t)g->round * j->m_plane.total;
        j->stream = fft_streams(j, g->round);
    }
    for (j->t0 = 0; j->t0 < g->tiles; j->t0 = j->t1) {
        j->t1 = conv_min(g->tiles, j->t0 + g->pass);
        size_t tiles = (size_t)(j->t1 - j->t0);
        gt__pool_for(pool, tiles, fft_input_chunk, j);
        for (j->panel0 = 0; j->panel0 < g->panels; j->panel0 = j->panel1) {
            j->panel1 = conv_min(g->panels, j->panel0 + g->round);
            size_t panels = (size_t)(j->panel1 - j->panel0);
            if (!g->packed) {
                j->u_panel = j->panel0;
                gt__pool_for(pool, panels * groups, fft_pack_chunk, j);
            }
            gt__pool_for(pool, (size_t)g->count, fft_product_chunk, j);
            gt__pool_for(pool, panels * tiles, fft_output_chunk, j);
        }
    }
}

#endif
