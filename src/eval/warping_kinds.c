/* What kind of error is left after warping. SPDX-License-Identifier: BSD-2-Clause
 *
 * A pixel that differs is a merger if it is background and several objects are among its 8
 * neighbours; a split if it is foreground and several objects are, or would be, were it background.
 * Of an object only what lies within 20 pixels is looked at then. Source: the leaderboard of the
 * ISBI 2012 challenge counts these only; definition as in Fiji's Trainable Segmentation. */
#include "eval/eval.h"

enum { RADIUS = 20, SIDE = 2 * RADIUS + 1, STRIDE = SIDE + 2, COUNT = STRIDE * STRIDE };

/* Are there two different labels around? */
static bool several(const int32_t *label, int32_t stride)
{
    const int32_t step[8] = {1,  1 - stride, -stride, -1 - stride,
                             -1, stride - 1, stride,  stride + 1};
    int32_t first = 0;
    for (int32_t k = 0; k < 8; k++) {
        int32_t l = label[step[k]];
        if (l > 0 && first > 0 && l != first) {
            return true;
        }
        first = l > 0 ? l : first;
    }
    return false;
}

/* Does foreground begin twice on the way around? Else nothing can come apart. */
static bool begins_twice(const uint8_t *image, int32_t stride)
{
    const int32_t step[8] = {1,  1 - stride, -stride, -1 - stride,
                             -1, stride - 1, stride,  stride + 1};
    int32_t n = 0;
    for (int32_t k = 0; k < 8; k++) {
        n += image[step[k]] > image[step[(k + 7) % 8]];
    }
    return n > 1;
}

/* Is the foreground around (x, y) several components without that pixel? */
static bool splits(const uint8_t *image, const struct gt_grid *g, int32_t x, int32_t y)
{
    const struct gt_grid window = {SIDE, SIDE, STRIDE, COUNT};
    uint8_t mask[COUNT] = {0};
    int32_t label[COUNT];
    int32_t queue[COUNT];
    for (int32_t j = -RADIUS; j <= RADIUS; j++) {
        for (int32_t i = -RADIUS; i <= RADIUS && y + j >= 0 && y + j < g->height; i++) {
            if (x + i >= 0 && x + i < g->width) {
                mask[gt__grid_row(&window, j + RADIUS) + i + RADIUS] =
                    image[gt__grid_row(g, y + j) + x + i];
            }
        }
    }
    int32_t middle = gt__grid_row(&window, RADIUS) + RADIUS;
    mask[middle] = 0;
    gt__components(label, mask, &window, queue);
    return several(label + middle, STRIDE);
}

size_t gt__warp_split_merge(const struct gt_warping *w, const struct gt_grid *grid,
                            const int32_t *label)
{
    size_t n = 0;
    for (int32_t y = 0; y < grid->height; y++) {
        for (int32_t x = 0; x < grid->width; x++) {
            int32_t p = gt__grid_row(grid, y) + x;
            if (w->state[p] && several(label + p, grid->stride)) {
                n++;
            } else if (w->state[p] && w->source[p] && begins_twice(w->source + p, grid->stride)) {
                n += splits(w->source, grid, x, y);
            }
        }
    }
    return n;
}
