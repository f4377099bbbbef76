/* From the band of input rows to a tile in one of its orientations, and from its answer to the mean
 * in the output rows. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_INFER_VIEWS_H
#define GT_INFER_VIEWS_H

#include "infer/crew.h"

/* A row of tiles of a stream. */
struct gt_view_io {
    const gt_predictor *p;
    struct gt_tile_axis x, y;
    const float *band; /* [channels][height][columns], margins included */
    int32_t height;
    size_t columns;
    float *out; /* [labels][rows][width] */
    int32_t rows, width;
};

/* Input of the program for a view. */
void gt__view_gather(const struct gt_view_io *io, float *to, struct gt_crew_view view);

/* Put (first orientation) or add the program's answer for a view into the mean. */
void gt__view_scatter(const struct gt_view_io *io, const float *tile_out, struct gt_crew_view view);

#endif
