/* Connected components. SPDX-License-Identifier: BSD-2-Clause */
#include "eval/eval.h"

#include "core/error.h"

gt_status gt__grid(struct gt_grid *out, int32_t width, int32_t height)
{
    if (width < 1 || height < 1) {
        return gt__fail(GT_ESHAPE, "an image of %d x %d pixels", width, height);
    }
    int64_t count = ((int64_t)width + 2) * ((int64_t)height + 2);
    if (count > INT32_MAX) {
        return gt__fail(GT_ESHAPE, "an image of %d x %d pixels is too large to be segmented", width,
                        height);
    }
    *out = (struct gt_grid){width, height, width + 2, (int32_t)count};
    return GT_OK;
}

/* Give the component that holds pixel p the number `id`. */
static void fill(int32_t *label, const uint8_t *mask, int32_t stride, int32_t *queue, int32_t p,
                 int32_t id)
{
    const int32_t step[4] = {-1, -stride, 1, stride};
    int32_t head = 0;
    int32_t tail = 0;
    label[p] = id;
    queue[tail++] = p;
    while (head < tail) {
        int32_t a = queue[head++];
        for (int32_t k = 0; k < 4; k++) {
            int32_t b = a + step[k];
            if (mask[b] && label[b] == 0) {
                label[b] = id;
                queue[tail++] = b;
            }
        }
    }
}

int32_t gt__components(int32_t *label, const uint8_t *mask, const struct gt_grid *grid,
                       int32_t *queue)
{
    int32_t found = 0;
    for (int32_t i = 0; i < grid->count; i++) {
        label[i] = 0;
    }
    for (int32_t y = 0; y < grid->height; y++) {
        int32_t row = gt__grid_row(grid, y);
        for (int32_t p = row; p < row + grid->width; p++) {
            if (mask[p] && label[p] == 0) {
                fill(label, mask, grid->stride, queue, p, ++found);
            }
        }
    }
    return found;
}
