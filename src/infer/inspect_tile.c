/* All blobs of one tile. SPDX-License-Identifier: BSD-2-Clause */
#include "infer/stream.h"

#include "core/backend.h"
#include "core/inspect.h"

#include <string.h>

void gt_inspect_options_init(gt_inspect_options *options)
{
    *options = (gt_inspect_options){0};
}

struct inspection {
    gt_predictor *p;
    struct gt_tile_graph tile;
    gt_value *params;
    gt_program *program;
    size_t bytes; /* of the program that was planned last */
};

/* The graph of a tile of size x size pixels with all blobs as outputs, and what it takes. */
static gt_status plan(struct inspection *s, int32_t size)
{
    const struct gt_lane *lane = &s->p->lanes[0];
    gt_program_options options = gt__lane_options(s->p, lane);
    gt_program_memory m;
    gt_graph_free(s->tile.graph);
    s->tile.graph = NULL;
    GT_TRY(gt__tile_graph(&s->tile, s->p, s->params, size, size));
    GT_TRY(gt__inspect_mark(s->tile.graph));
    GT_TRY(gt_program_plan(&m, lane->device, s->tile.graph, &options));
    if (!gt__add(&s->bytes, m.arena_bytes, m.packed_bytes) ||
        !gt__add(&s->bytes, s->bytes, m.kept_bytes)) {
        s->bytes = SIZE_MAX;
    }
    return GT_OK;
}

/* The largest size up to the published one that the image and the limit allow, by halving. */
static gt_status choose(int32_t *out, struct inspection *s, const gt_row_source *image)
{
    const gt_model_geometry *g = &s->p->geometry;
    int32_t longer = image->width > image->height ? image->width : image->height;
    int32_t cover = gt__tile_at_least(g, longer);
    int32_t size = cover > 0 && cover < g->canonical ? cover : g->canonical;
    int32_t least = s->p->patches ? 1 : gt__tile_smallest(g, false);
    size_t limit = gt__lane_limit(s->p, &s->p->lanes[0]);
    size = s->p->patches ? 1 : size;
    for (;;) {
        GT_TRY(plan(s, size));
        if (s->bytes <= limit || s->p->options.untiled) {
            *out = size;
            return GT_OK;
        }
        if (size <= least) {
            return gt__fail(GT_ENOMEM,
                            "all blobs of the smallest tile want %zu bytes, the limit is %zu",
                            s->bytes, limit);
        }
        size = gt__tile_at_most(g, size / 2);
        size = size > least ? size : least;
    }
}

static gt_status check_spot(const struct gt_tile_spot *spot, const gt_row_source *image)
{
    if (spot->tile_x < 0 || spot->tile_x >= spot->x.count || spot->tile_y < 0 ||
        spot->tile_y >= spot->y.count) {
        return gt__fail(GT_EINVAL,
                        "tile %d,%d: the image of %d x %d pixels has %d x %d tiles of %d pixels",
                        (int)spot->tile_x, (int)spot->tile_y, (int)image->width, (int)image->height,
                        (int)spot->x.count, (int)spot->y.count, (int)spot->x.size);
    }
    return GT_OK;
}

static gt_status find_spot(struct gt_tile_spot *spot, struct inspection *s,
                           const gt_row_source *source, const gt_inspect_options *options)
{
    const gt_model_geometry *g = &s->p->geometry;
    gt_row_source image;
    int32_t size = options->tile;
    GT_TRY(gt__predictor_crop(&image, s->p, source));
    if (size > 0) {
        GT_TRY(gt_model_check_size(s->p->model, size));
        GT_TRY(plan(s, size));
    } else {
        GT_TRY(choose(&size, s, &image));
    }
    spot->x = gt__tile_axis(g, (struct gt_tile_line){image.width, 0}, size);
    spot->y = gt__tile_axis(g, (struct gt_tile_line){image.height, 0}, size);
    spot->tile_x = options->tile_x;
    spot->tile_y = options->tile_y;
    return check_spot(spot, &image);
}

static gt_status make_program(struct inspection *s)
{
    const struct gt_lane *lane = &s->p->lanes[0];
    gt_program_options options = gt__lane_options(s->p, lane);
    GT_TRY(gt_program_create(&s->program, lane->device, s->tile.graph, &options));
    for (size_t i = 0; i < s->p->n_params; ++i) {
        float *data = NULL;
        GT_TRY(gt_model_tensor(NULL, NULL, &data, s->p->model, i));
        GT_TRY(gt_program_write(s->program, s->params[i], data));
    }
    return GT_OK;
}

gt_status gt_predictor_inspect(gt_predictor *p, const gt_row_source *source,
                               const gt_inspect_options *options, gt_blob_fn fn, void *cookie)
{
    struct inspection s = {.p = p};
    gt_inspect_options o;
    struct gt_tile_spot spot;
    float *input = NULL;
    gt_status status = GT_OK;
    if (!p || !source || !source->read || !fn) {
        return gt__fail(GT_EINVAL, "predictor, source or a callback is NULL");
    }
    gt_inspect_options_init(&o);
    o = options ? *options : o;
    GT_TRY_OUT(gt__alloc(&s.params, p->n_params, sizeof *s.params, "list of parameters"));
    GT_TRY_OUT(find_spot(&spot, &s, source, &o));
    gt_shape shape = gt_graph_shape(s.tile.graph, s.tile.input);
    GT_TRY_OUT(gt__alloc_raw(&input, gt__count(shape), sizeof *input, "tile input"));
    GT_TRY_OUT(gt__stream_tile(input, p, source, &spot));
    GT_TRY_OUT(make_program(&s));
    GT_TRY_OUT(gt_program_write(s.program, s.tile.input, input));
    GT_TRY_OUT(gt_program_run(s.program));
    const gt_blob data = {"data", shape, input, NULL};
    GT_TRY_OUT(gt__inspect_call(&data, fn, cookie));
    GT_TRY_OUT(gt__inspect_show(s.program, s.tile.graph, fn, cookie));
out:
    gt_program_free(s.program);
    gt_graph_free(s.tile.graph);
    gt__free(s.params);
    gt__free(input);
    return status;
}
