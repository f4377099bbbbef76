/* What the portable kernels share: work cut into chunks that depend on shapes only.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_BACKEND_CPU_PORTABLE_CHUNK_H
#define GT_BACKEND_CPU_PORTABLE_CHUNK_H

#include <assert.h>
#include <string.h>

#include "backend_cpu/cpu.h"
#include "core/node.h"

/* Elements of a chunk: 64 KiB of floats. */
#define GT_CHUNK ((size_t)16384)

/* The next loop has no dependence between its iterations, whatever pointers are equal (in place).
 */
#ifdef __clang__
#define GT_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define GT_INDEPENDENT _Pragma("GCC ivdep")
#endif

/* ---- elements in a row ---- */

static inline size_t gt__flat_chunks(size_t count)
{
    return gt__ceil_div_z(count, GT_CHUNK);
}
static inline size_t gt__flat_size(size_t count, size_t chunk)
{
    size_t left = count - chunk * GT_CHUNK;
    return left < GT_CHUNK ? left : GT_CHUNK;
}

/* ---- rows of planes; a plane is one (image, channel block) ---- */

struct gt_rows {
    size_t chunks, per_plane;
    int32_t rows, h;
};
struct gt_row_span {
    size_t plane;
    int32_t from, to;
};

/* `width`: elements that one row of the h rows of a plane costs. */
static inline struct gt_rows gt__rows(size_t planes, int32_t h, size_t width)
{
    size_t rows = width < GT_CHUNK ? GT_CHUNK / (width ? width : 1) : 1;
    if (rows > (size_t)h) {
        rows = (size_t)h;
    }
    size_t per_plane = gt__ceil_div_z((size_t)h, rows);
    return (struct gt_rows){planes * per_plane, per_plane, (int32_t)rows, h};
}
static inline struct gt_row_span gt__row_span(const struct gt_rows *rows, size_t chunk)
{
    size_t plane = chunk / rows->per_plane;
    int32_t from = (int32_t)(chunk - plane * rows->per_plane) * rows->rows;
    int32_t to = rows->h - from < rows->rows ? rows->h : from + rows->rows;
    return (struct gt_row_span){plane, from, to};
}

/* ---- extents ---- */

static inline size_t gt__extent_row(struct gt_extent e)
{
    return (size_t)e.w * (size_t)e.b;
}
static inline size_t gt__extent_plane(struct gt_extent e)
{
    return (size_t)e.h * gt__extent_row(e);
}
static inline size_t gt__extent_planes(struct gt_extent e)
{
    return (size_t)e.n * (size_t)e.cb;
}

#endif
