/* Predictors: a copy of the weights, the program of one tile size, and views as sources and sinks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "infer/predictor.h"

#include "image/convert.h"

#include <string.h>

void gt_predict_options_init(gt_predict_options *options)
{
    *options = (gt_predict_options){.memory_limit = (size_t)1 << 30};
}

/* Own copy of a model's network and weights (labels and file data are of no use here). */
static gt_status copy_model(gt_model **out, size_t *bytes, const gt_model *model)
{
    gt_model *copy = NULL;
    gt_model_options options;
    gt_status status = GT_OK;
    *bytes = 0;
    gt_model_get_options(model, &options);
    GT_TRY_OUT(gt_model_create(&copy, &options));
    for (size_t i = 0; i < gt_model_tensors(model); ++i) {
        gt_shape shape;
        float *from = NULL;
        float *to = NULL;
        /* asking changes nothing; the parameter is not const because the data it gives is not */
        GT_TRY_OUT(gt_model_tensor(NULL, &shape, &from, (gt_model *)(uintptr_t)model, i));
        GT_TRY_OUT(gt_model_tensor(NULL, NULL, &to, copy, i));
        memcpy(to, from, gt__count(shape) * sizeof *to);
        *bytes += gt__count(shape) * sizeof *to;
    }
    *out = copy;
    copy = NULL;
out:
    gt_model_free(copy);
    return status;
}

static gt_status check_options(const gt_predict_options *o, const gt_model *model,
                               const gt_model_geometry *g)
{
    if (o->tile < 0) {
        return gt__fail(GT_EINVAL, "tile is %d, expected 0 or a size in pixels", (int)o->tile);
    }
    if (o->tile > 0) {
        GT_TRY(gt_model_check_size(model, o->tile));
        if (o->tile < g->period) {
            return gt__fail(GT_ESHAPE,
                            "a tile of %d pixels is smaller than the network's period %d",
                            (int)o->tile, (int)g->period);
        }
    }
    return GT_OK;
}

static gt_status fill(gt_predictor *p, gt_device *device, const gt_model *model,
                      const gt_predict_options *options)
{
    gt_model_options m;
    struct gt_tile_choice least;
    p->device = device;
    if (options) {
        p->options = *options;
    } else {
        gt_predict_options_init(&p->options);
    }
    gt_model_get_geometry(model, &p->geometry);
    gt_model_get_options(model, &m);
    GT_TRY(check_options(&p->options, model, &p->geometry));
    p->channels = m.channels;
    p->labels = m.labels;
    if (p->geometry.step < 1) {
        p->patches = 1;
        p->geometry.step = 1;
    }
    GT_TRY(copy_model(&p->model, &p->weights, model));
    p->n_params = gt_model_tensors(model);
    GT_TRY(gt__alloc(&p->params, p->n_params, sizeof *p->params, "list of parameters"));
    /* An image as large as the smallest tile asks for the least. */
    int32_t side = p->options.tile > 0 ? p->options.tile : gt__tile_smallest(&p->geometry);
    return gt__tile_choose(&least, p, side, side);
}

gt_status gt_predictor_create(gt_predictor **out, gt_device *device, const gt_model *model,
                              const gt_predict_options *options)
{
    gt_predictor *p = NULL;
    gt_status status = GT_OK;
    if (!out || !device || !model) {
        return gt__fail(GT_EINVAL, "out, device or model is NULL");
    }
    GT_TRY_OUT(gt__alloc(&p, 1, sizeof *p, "predictor"));
    GT_TRY_OUT(fill(p, device, model, options));
    *out = p;
    p = NULL;
out:
    gt_predictor_free(p);
    return status;
}

void gt_predictor_free(gt_predictor *p)
{
    if (!p) {
        return;
    }
    gt_program_free(p->program);
    gt_model_free(p->model);
    gt__free(p->params);
    gt__free(p);
}

gt_status gt__predictor_choose(gt_predictor *p, int32_t width, int32_t height)
{
    if (width < 1 || height < 1) {
        return gt__fail(GT_EINVAL, "an image of %d x %d pixels", (int)width, (int)height);
    }
    if (p->image_width != width || p->image_height != height) {
        GT_TRY(gt__tile_choose(&p->choice, p, width, height));
        p->image_width = width;
        p->image_height = height;
    }
    return GT_OK;
}

gt_status gt__predictor_program(gt_predictor *p)
{
    int32_t width = p->choice.x.size;
    int32_t height = p->choice.y.size;
    struct gt_tile_graph t = {NULL, GT_NO_VALUE, GT_NO_VALUE};
    gt_program *program = NULL;
    gt_program_options options;
    gt_status status = GT_OK;
    if (p->program && p->width == width && p->height == height) {
        return GT_OK;
    }
    gt_program_free(p->program); /* first: both together would pass the memory limit */
    p->program = NULL;
    gt_program_options_init(&options);
    options.deterministic = p->options.deterministic;
    GT_TRY_OUT(gt__tile_graph(&t, p, p->params, width, height));
    GT_TRY_OUT(gt_program_create(&program, p->device, t.graph, &options));
    for (size_t i = 0; i < p->n_params; ++i) {
        float *data = NULL;
        GT_TRY_OUT(gt_model_tensor(NULL, NULL, &data, p->model, i));
        GT_TRY_OUT(gt_program_write(program, p->params[i], data));
    }
    p->program = program;
    p->input = t.input;
    p->prob = t.prob;
    p->width = width;
    p->height = height;
    program = NULL;
out:
    gt_program_free(program);
    gt_graph_free(t.graph);
    return status;
}

gt_status gt_predictor_plan(gt_predict_plan *out, gt_predictor *p, int32_t width, int32_t height)
{
    if (!out || !p) {
        return gt__fail(GT_EINVAL, "out or predictor is NULL");
    }
    GT_TRY(gt__predictor_choose(p, width, height));
    const struct gt_tile_choice *c = &p->choice;
    *out = (gt_predict_plan){.tile_width = c->x.size,
                             .tile_height = c->y.size,
                             .tiles = (uint64_t)c->x.count * (uint64_t)c->y.count,
                             .peak_bytes = c->peak,
                             .arena_bytes = c->memory.arena_bytes};
    return GT_OK;
}

gt_status gt_predictor_dump(char **out, const gt_predictor *p)
{
    if (!out || !p) {
        return gt__fail(GT_EINVAL, "out or predictor is NULL");
    }
    return p->program ? gt_program_dump(out, p->program) : gt__strdup(out, "");
}

/* ---- images in memory ---- */

static gt_status read_view(void *cookie, int32_t y, int32_t rows, float *dst)
{
    gt__view_to_float(dst, cookie, y, rows);
    return GT_OK;
}

static gt_status write_view(void *cookie, int32_t y, int32_t rows, const float *src)
{
    gt__view_from_float(cookie, y, rows, src);
    return GT_OK;
}

gt_status gt_predictor_run(gt_image **out, gt_predictor *p, const gt_image_view *in)
{
    gt_image *image = NULL;
    gt_status status = GT_OK;
    if (!out || !p || !in) {
        return gt__fail(GT_EINVAL, "out, predictor or in is NULL");
    }
    GT_TRY(gt__view_check(in));
    gt_image_view from = *in;
    gt_row_source source = {in->width, in->height, in->channels, read_view, &from};
    GT_TRY_OUT(gt_image_create(&image, GT_F32, p->labels, in->height, in->width));
    gt_image_view to = gt_image_get_view(image);
    gt_row_sink sink = {write_view, &to};
    GT_TRY_OUT(gt_predictor_stream(p, &source, &sink));
    *out = image;
    image = NULL;
out:
    gt_image_free(image);
    return status;
}
