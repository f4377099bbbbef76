/* Smooth random displacements. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_ELASTIC_H
#define GT_DATA_ELASTIC_H

#include "core/random.h"

#define GT_ELASTIC_NODES 16                    /* most nodes per side */
#define GT_ELASTIC_SIDE (GT_ELASTIC_NODES + 2) /* with one beyond each end */

/* Displacements over a square of pixels: nodes on a grid whose corner nodes are the corner pixels,
 * between them the tensor product of Catmull-Rom splines (Keys' cubic convolution, a = -1/2), which
 * passes through the nodes. */
struct gt_elastic {
    int32_t nodes; /* per side; node [k] of an axis is at index k + 1 */
    float spacing; /* pixels between nodes */
    float y[GT_ELASTIC_SIDE][GT_ELASTIC_SIDE];
    float x[GT_ELASTIC_SIDE][GT_ELASTIC_SIDE];
};

/* Nodes drawn from a normal distribution of `sigma` pixels per axis, over a square of `side`
 * pixels. The field is made smaller where it would fold or tear the image. */
void gt__elastic_draw(struct gt_elastic *field, struct gt_random *random, int32_t nodes,
                      int32_t side, float sigma);

/* Displacements of pixels `first` to first + count - 1 of a row. */
void gt__elastic_row(float *dy, float *dx, const struct gt_elastic *field, int32_t row,
                     int32_t first, int32_t count);

#endif
