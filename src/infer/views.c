/* A tile seen from up to eight sides. SPDX-License-Identifier: BSD-2-Clause
 *
 * Orientation k of a tile is what an untiled run on the image so turned would compute there: its
 * tiles start at multiples of the period counted from the turned image's origin. */
#include "infer/views.h"

#include <string.h>

/* A view of the band: columns x1 to x1 + width - 1, rows alike, in one of its orientations. */
struct look {
    size_t x, y;
    int32_t width, height;
    int32_t view; /* bits GT_VIEW_ */
};

static void gather(const struct gt_view_io *io, float *to, const struct look *l)
{
    bool flip_x = (l->view & GT_VIEW_FLIP_X) != 0;
    bool flip_y = (l->view & GT_VIEW_FLIP_Y) != 0;
    bool turn = (l->view & GT_VIEW_TRANSPOSE) != 0;
    ptrdiff_t step_x = turn ? l->height : 1; /* in the tile: of a column, of a row */
    ptrdiff_t step_y = turn ? 1 : l->width;
    for (int32_t c = 0; c < io->p->channels; ++c) {
        for (int32_t r = 0; r < l->height; ++r) {
            size_t row = l->y + (size_t)(flip_y ? l->height - 1 - r : r);
            const float *from =
                io->band + ((size_t)c * (size_t)io->height + row) * io->columns + l->x;
            float *at = to + r * step_y;
            if (!flip_x && !turn) {
                memcpy(at, from, (size_t)l->width * sizeof *at);
                continue;
            }
            for (int32_t i = 0; i < l->width; ++i) {
                at[i * step_x] = from[flip_x ? l->width - 1 - i : i];
            }
        }
        to += (size_t)l->width * (size_t)l->height;
    }
}

/* First pixel of the band that a view of a tile at output pixel `at` of the band looks at: plain
 * from `border` before the tile on, mirrored from shrink - border before the lagging tile. */
static size_t look_from(const gt_predictor *p, int32_t at, const struct gt_tile_axis *a,
                        bool mirrored)
{
    int32_t first = at + gt__tile_margin(p, a).before;
    if (mirrored) {
        first -= a->lag + p->geometry.shrink - 2 * p->geometry.border;
    }
    return (size_t)first;
}

void gt__view_gather(const struct gt_view_io *io, float *to, struct gt_crew_view view)
{
    const gt_predictor *p = io->p;
    gt_shape in = gt__tile_input(p, p->patches ? 1 : io->x.size, p->patches ? 1 : io->y.size);
    struct look all = {.width = in.w, .height = in.h, .view = view.orientation};
    all.x = look_from(p, gt__tile_origin(&io->x, view.tile), &io->x,
                      (view.orientation & GT_VIEW_FLIP_X) != 0);
    all.y = look_from(p, 0, &io->y, (view.orientation & GT_VIEW_FLIP_Y) != 0);
    if (!p->patches) {
        gather(io, to, &all);
        return;
    }
    for (int32_t dy = 0; dy < io->y.size; ++dy) {
        for (int32_t dx = 0; dx < io->x.size; ++dx) {
            struct look one = all;
            one.x += (size_t)dx;
            one.y += (size_t)dy;
            gather(io, to, &one);
            to += gt__count(in);
        }
    }
}

/* Where the answer for pixel (x, y) of what a tile contributes lies in the program's output. */
struct answer {
    size_t first;             /* of pixel (0, 0) */
    ptrdiff_t step_x, step_y; /* to the next pixel */
    size_t step_label;
};

/* sw's answers are [patch][label], each patch turned for itself. */
static struct answer find_answer(const struct gt_view_io *io, int32_t view)
{
    size_t width = (size_t)io->x.size;
    size_t height = (size_t)io->y.size;
    struct answer a = {0, 1, (ptrdiff_t)width, width * height};
    if (io->p->patches) {
        a.step_label = 1;
        a.step_x = io->p->labels;
        a.step_y = (ptrdiff_t)width * io->p->labels;
        return a;
    }
    if (view & GT_VIEW_TRANSPOSE) {
        a.step_x = (ptrdiff_t)height;
        a.step_y = 1;
    }
    if (view & GT_VIEW_FLIP_X) {
        a.first += (size_t)((io->x.size - 1 - io->x.lag) * a.step_x);
        a.step_x = -a.step_x;
    }
    if (view & GT_VIEW_FLIP_Y) {
        a.first += (size_t)((io->y.size - 1 - io->y.lag) * a.step_y);
        a.step_y = -a.step_y;
    }
    return a;
}

/* A row of answers becomes (first orientation) or is added to the mean. */
static void put_row(const struct gt_view_io *io, float *to, const float *from, ptrdiff_t step,
                    struct gt_crew_view view)
{
    int32_t pixels = gt__tile_pixels(&io->x, view.tile);
    float weight = 1.0F / (float)io->p->options.orientations; /* a power of two: exact */
    if (io->p->options.orientations == 1 && step == 1) {
        memcpy(to, from, (size_t)pixels * sizeof *to);
    } else if (view.orientation == 0) {
        for (int32_t i = 0; i < pixels; ++i) {
            to[i] = from[i * step] * weight;
        }
    } else {
        for (int32_t i = 0; i < pixels; ++i) {
            to[i] += from[i * step] * weight;
        }
    }
}

/* Bring what a view of a tile contributes into the output rows. */
void gt__view_scatter(const struct gt_view_io *io, const float *tile_out, struct gt_crew_view view)
{
    struct answer a = find_answer(io, view.orientation);
    size_t x = (size_t)gt__tile_origin(&io->x, view.tile);
    for (int32_t k = 0; k < io->p->labels; ++k) {
        const float *from = tile_out + (size_t)k * a.step_label + a.first;
        for (int32_t r = 0; r < io->rows; ++r) {
            size_t row = (size_t)k * (size_t)io->rows + (size_t)r;
            put_row(io, io->out + row * (size_t)io->width + x, from + r * a.step_y, a.step_x, view);
        }
    }
}
