/* Watershed of a binary image by flooding. SPDX-License-Identifier: BSD-2-Clause
 *
 * Two levels: the foreground's components are the basins of the lower, the background is flooded
 * from them through one first-in first-out queue, filled in raster order; neighbours in the order
 * left, up, right, down. A pixel taken from the queue becomes label l  if exactly one label l
 * occurs among its 4 neighbours, a line   if several do, or none but a line. Source: Soille and
 * Vincent 1990, doi 10.1117/12.24211. The later algorithm of the same authors (1991) also keeps
 * distances; the scores follow Fiji, which uses the first one. */
#include "eval/eval.h"

enum { LINE = 0, DRY = -1, QUEUED = -2, OUTSIDE = -3 };

/* Mark what is background as dry and the padding as outside. */
static void prepare(int32_t *label, const struct gt_grid *g)
{
    for (int32_t y = 0; y < g->height; y++) {
        int32_t row = gt__grid_row(g, y);
        for (int32_t p = row; p < row + g->width; p++) {
            label[p] = label[p] > 0 ? label[p] : DRY;
        }
        label[row - 1] = OUTSIDE;
        label[row + g->width] = OUTSIDE;
    }
    for (int32_t x = 0; x < g->stride; x++) {
        label[x] = OUTSIDE;
        label[g->count - 1 - x] = OUTSIDE;
    }
}

/* Queue the dry pixels that touch a basin; returns their number. */
static int32_t seed(int32_t *label, const struct gt_grid *g, int32_t *queue)
{
    int32_t n = 0;
    for (int32_t y = 0; y < g->height; y++) {
        int32_t row = gt__grid_row(g, y);
        for (int32_t p = row; p < row + g->width; p++) {
            if (label[p] == DRY && (label[p - 1] > 0 || label[p - g->stride] > 0 ||
                                    label[p + 1] > 0 || label[p + g->stride] > 0)) {
                label[p] = QUEUED;
                queue[n++] = p;
            }
        }
    }
    return n;
}

int32_t gt__watershed(int32_t *label, const uint8_t *mask, const struct gt_grid *grid,
                      int32_t *queue)
{
    int32_t basins = gt__components(label, mask, grid, queue);
    prepare(label, grid);
    if (basins == 0) {
        /* A flat image is one minimum. */
        for (int32_t i = 0; i < grid->count; i++) {
            label[i] = label[i] == DRY ? 1 : label[i];
        }
        return 1;
    }
    const int32_t step[4] = {-1, -grid->stride, 1, grid->stride};
    int32_t tail = seed(label, grid, queue);
    for (int32_t head = 0; head < tail; head++) {
        int32_t p = queue[head];
        int32_t found = LINE;
        for (int32_t k = 0; k < 4; k++) {
            int32_t q = p + step[k];
            int32_t at = label[q];
            if (at > 0) {
                /* -1 remembers that basins met here */
                found = found == LINE || found == at ? at : -1;
            } else if (at == DRY) {
                label[q] = QUEUED;
                queue[tail++] = q;
            }
        }
        label[p] = found > 0 ? found : LINE;
    }
    return basins;
}
