/* Geometry of tiles along one axis. SPDX-License-Identifier: BSD-2-Clause */
#include "infer/tile.h"

bool gt__tile_legal(const gt_model_geometry *g, int32_t size)
{
    if (size < g->minimum) {
        return false;
    }
    return g->step > 0 ? (size - g->minimum) % g->step == 0 : size == g->minimum;
}

int32_t gt__tile_at_least(const gt_model_geometry *g, int32_t wanted)
{
    if (wanted <= g->minimum) {
        return g->minimum;
    }
    if (g->step < 1) {
        return 0;
    }
    int64_t k = ((int64_t)wanted - g->minimum + g->step - 1) / g->step;
    int64_t size = g->minimum + k * g->step;
    return size + g->shrink <= INT32_MAX ? (int32_t)size : 0;
}

int32_t gt__tile_at_most(const gt_model_geometry *g, int32_t wanted)
{
    if (wanted < g->minimum) {
        return 0;
    }
    if (g->step < 1) {
        return g->minimum;
    }
    return g->minimum + (wanted - g->minimum) / g->step * g->step;
}

int32_t gt__tile_smallest(const gt_model_geometry *g, bool mirrored)
{
    return gt__tile_at_least(g, mirrored ? 2 * g->period - 1 : g->period);
}

struct gt_tile_axis gt__tile_axis(const gt_model_geometry *g, struct gt_tile_line line,
                                  int32_t size)
{
    struct gt_tile_axis a = {line.image, size, line.image, 1, 0};
    if (line.mirrored > 0) {
        int32_t lag = (size - line.mirrored) % g->period;
        a.lag = lag < 0 ? lag + g->period : lag;
    }
    int32_t most = size - a.lag;
    if (line.image > most) {
        a.step = most / g->period * g->period;
        a.count = a.step > 0 ? (line.image - most - 1) / a.step + 2 : 0;
    }
    return a;
}

int32_t gt__tile_for_count(const gt_model_geometry *g, struct gt_tile_line line, int32_t count)
{
    /* (count - 1)*step + size - lag >= image with step <= size: no smaller size can do, and steps
     * of the period above it lose less than two periods, so few sizes are tried. */
    count = count < 1 ? 1 : count;
    int32_t size = gt__tile_at_least(g, (int32_t)(((int64_t)line.image + count - 1) / count));
    while (size > 0) {
        struct gt_tile_axis a = gt__tile_axis(g, line, size);
        if (a.count > 0 && a.count <= count) {
            return size;
        }
        size = gt__tile_at_least(g, size + 1);
    }
    return 0;
}
