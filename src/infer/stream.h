/* A single tile of a streamed image. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_INFER_STREAM_H
#define GT_INFER_STREAM_H

#include "infer/predictor.h"

/* One of the tiles that cover an image. */
struct gt_tile_spot {
    struct gt_tile_axis x, y;
    int32_t tile_x, tile_y;
};

/* Fill `to` with the program's input for a tile: prepared, mirrored, in the plain orientation. */
gt_status gt__stream_tile(float *to, gt_predictor *p, const gt_row_source *source,
                          const struct gt_tile_spot *spot);

#endif
