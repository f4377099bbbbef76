/* Where tiles lie. SPDX-License-Identifier: BSD-2-Clause
 *
 * Along each axis tiles start at 0, step, 2*step ...; a tile computes `size` output pixels (legal
 * for the network), of which it contributes `step` (the last one: the rest of the image). The step
 * is the largest multiple of the period not above the size, so that every pixel keeps its position
 * modulo the period and the answer does not depend on the tiles.
 *
 * Where mirrored views are averaged, their tiles start at multiples of the period too, counted from
 * the other end of the image: a mirrored tile lies `lag` pixels before the plain one, so a tile
 * contributes at most size - lag pixels. */
#ifndef GT_INFER_TILE_H
#define GT_INFER_TILE_H

#include "core/shape.h"

#include <greentea/model.h>

struct gt_tile_axis {
    int32_t image; /* pixels along the axis that are to be tiled */
    int32_t size;  /* output pixels that a tile computes */
    int32_t step;  /* between origins; image if there is one tile */
    int32_t count; /* tiles; 0: the size cannot tile the image (below the period) */
    int32_t lag;   /* of mirrored tiles, below the period */
};

/* Is `size` a legal output size? */
bool gt__tile_legal(const gt_model_geometry *g, int32_t size);
/* Smallest legal size of at least (largest of at most) `wanted`; 0 if there is none. */
int32_t gt__tile_at_least(const gt_model_geometry *g, int32_t wanted);
int32_t gt__tile_at_most(const gt_model_geometry *g, int32_t wanted);

/* What is tiled along an axis. */
struct gt_tile_line {
    int32_t image;    /* pixels, from a multiple of the period on */
    int32_t mirrored; /* those from there to the end of the image, whose mirrored view is averaged
                         too; 0: it is not */
};

/* Smallest legal size with which any image can be tiled, mirrored or not. */
int32_t gt__tile_smallest(const gt_model_geometry *g, bool mirrored);
/* Lay tiles of a legal size over a line. */
struct gt_tile_axis gt__tile_axis(const gt_model_geometry *g, struct gt_tile_line line,
                                  int32_t size);
/* The smallest legal size that covers a line with at most `count` tiles; 0 if there is none. */
int32_t gt__tile_for_count(const gt_model_geometry *g, struct gt_tile_line line, int32_t count);

/* Origin of tile i, and the pixels it contributes. */
static inline int32_t gt__tile_origin(const struct gt_tile_axis *a, int32_t i)
{
    return i * a->step;
}
static inline int32_t gt__tile_pixels(const struct gt_tile_axis *a, int32_t i)
{
    return i + 1 < a->count ? a->step : a->image - i * a->step;
}

#endif
