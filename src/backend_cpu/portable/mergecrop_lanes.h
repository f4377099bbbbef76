/* Channels moved between blocked tensors: what MergeCrop's two directions share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_PORTABLE_MERGECROP_LANES_H
#define GT_BACKEND_CPU_PORTABLE_MERGECROP_LANES_H

#include "backend_cpu/portable/chunk.h"
#include "backend_cpu/portable/stream.h"

/* A tensor of `cb` blocks of which channels from `channel` on are read at rows and columns from
 * (top, left) on. data NULL: zeros. */
struct lane_source {
    const float *data;
    struct gt_extent e;
    int32_t top, left;
    bool stream; /* what is made of it, where whole pixels of 16 lanes are copied */
};

/* Row i of block cb of image n, from column `left` on; NULL outside of the blocks. */
static inline const float *lane_row(const struct lane_source *s, int32_t n, int32_t cb, int32_t i)
{
    if (!s->data || cb < 0 || cb >= s->e.cb) {
        return NULL;
    }
    size_t plane = (size_t)n * (size_t)s->e.cb + (size_t)cb;
    return s->data + plane * gt__extent_plane(s->e) + (size_t)(i + s->top) * gt__extent_row(s->e) +
           (size_t)s->left * (size_t)s->e.b;
}

/* y[j][to + l] = x[j][from + l], l < count, for w pixels; x, a row of s, NULL gives zeros. */
static inline void lane_copy(float *restrict y, const float *restrict x,
                             const struct lane_source *s, int32_t w, int32_t to, int32_t from,
                             int32_t count)
{
    int32_t b = s->e.b;
    if (count == b && s->stream) {
        if (x) {
            gt__stream_copy(y, x, (size_t)w);
        } else {
            gt__stream_zero(y, (size_t)w);
        }
        return;
    }
    if (count == b) {
        size_t bytes = (size_t)w * (size_t)b * sizeof *y;
        if (x) {
            memcpy(y, x, bytes);
        } else {
            memset(y, 0, bytes);
        }
        return;
    }
    for (ptrdiff_t j = 0; j < w; j++) {
        for (int32_t l = 0; l < count; l++) {
            y[j * b + to + l] = x ? x[j * b + from + l] : 0.0f;
        }
    }
}

/* y[j][l] = x[j/2][l], l < count, for w pixels: lane_copy of the doubled row. */
static inline void lane_double(float *restrict y, const float *restrict x,
                               const struct lane_source *s, int32_t w, int32_t count)
{
    int32_t b = s->e.b;
    if (count == b && x && s->stream) {
        for (ptrdiff_t j = 0; j < w; j++) {
            gt__stream_16(y + j * GT_BLOCK, x + j / 2 * GT_BLOCK);
        }
        return;
    }
    if (count == GT_BLOCK && x) {
        for (ptrdiff_t j = 0; j < w; j++) {
            memcpy(y + j * GT_BLOCK, x + j / 2 * GT_BLOCK, GT_BLOCK * sizeof *y);
        }
        return;
    }
    for (ptrdiff_t j = 0; j < w; j++) {
        for (int32_t l = 0; l < count; l++) {
            y[j * b + l] = x ? x[j / 2 * b + l] : 0.0f;
        }
    }
}

/* A block of y whose lane 0 is channel `channel` (0 or more) of s: two neighbouring blocks of s
 * meet in it. Lanes to - 1 and below stay, all from `to` on are written: y lane to + l is channel +
 * l. */
static inline void lane_shift(float *y, const struct lane_source *s, int32_t n, int32_t i,
                              int32_t w, int32_t to, int32_t channel)
{
    int32_t b = s->e.b;
    int32_t cb = channel / b;
    int32_t from = channel % b;
    int32_t first = b - from < b - to ? b - from : b - to;
    lane_copy(y, lane_row(s, n, cb, i), s, w, to, from, first);
    if (to + first < b) {
        lane_copy(y, lane_row(s, n, cb + 1, i), s, w, to + first, 0, b - to - first);
    }
}

#endif
