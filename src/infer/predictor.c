/* Predictors: a copy of the weights, the program of one tile size, and views as sources and sinks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "infer/predictor.h"

#include "core/backend.h"
#include "image/convert.h"

#include <stdio.h>
#include <string.h>

enum { MAX_LANES = 256 };

void gt_predict_options_init(gt_predict_options *options)
{
    *options = (gt_predict_options){.memory_limit = (size_t)1 << 30, .orientations = 1};
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
    if (o->orientations != 1 && o->orientations != 4 && o->orientations != 8) {
        return gt__fail(GT_EINVAL, "%d orientations, expected 1, 4 or 8", (int)o->orientations);
    }
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
        if (o->orientations > 1 && o->tile < 2 * g->period - 1) {
            return gt__fail(GT_ESHAPE,
                            "a tile of %d pixels is too small for %d orientations, the network's "
                            "period %d asks for %d",
                            (int)o->tile, (int)o->orientations, (int)g->period,
                            (int)gt__tile_smallest(g, true));
        }
    }
    return GT_OK;
}

static gt_status take_devices(gt_predictor *p, gt_device *const *devices, size_t n)
{
    if (n < 1 || n > MAX_LANES) {
        return gt__fail(GT_EINVAL, "%zu devices, expected 1 to %d", n, MAX_LANES);
    }
    GT_TRY(gt__alloc(&p->lanes, n, sizeof *p->lanes, "devices"));
    for (size_t i = 0; i < n; ++i) {
        struct gt_lane *lane = &p->lanes[i];
        for (size_t k = 0; k < i; ++k) {
            if (devices[k] == devices[i]) {
                return gt__fail(GT_EINVAL, "device %zu is device %zu again", i, k);
            }
        }
        if (!devices[i]) {
            return gt__fail(GT_EINVAL, "device %zu is NULL", i);
        }
        lane->device = devices[i];
        lane->own_memory = devices[i]->info.gpu != 0;
        /* The CPU's own backend, the first, is done when it returns. */
        lane->early = devices[i]->backend != gt__backends[0];
    }
    p->n_lanes = n;
    return GT_OK;
}

static gt_status fill(gt_predictor *p, const gt_model *model, const gt_predict_options *options)
{
    gt_model_options m;
    struct gt_tile_choice least;
    if (options) {
        p->options = *options;
    } else {
        gt_predict_options_init(&p->options);
    }
    gt_model_get_geometry(model, &p->geometry);
    gt_model_get_options(model, &m);
    GT_TRY(check_options(&p->options, model, &p->geometry));
    gt_model_get_preprocess(model, &p->preprocess);
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
    int32_t side = p->options.tile;
    if (side == 0) {
        side = gt__tile_smallest(&p->geometry, p->options.orientations > 1);
    }
    return gt__tile_choose(&least, p, &(struct gt_predict_area){side, side, side});
}

gt_status gt_predictor_create_on(gt_predictor **out, gt_device *const *devices, size_t n,
                                 const gt_model *model, const gt_predict_options *options)
{
    gt_predictor *p = NULL;
    gt_status status = GT_OK;
    if (!out || !devices || !model) {
        return gt__fail(GT_EINVAL, "out, devices or model is NULL");
    }
    GT_TRY_OUT(gt__alloc(&p, 1, sizeof *p, "predictor"));
    GT_TRY_OUT(take_devices(p, devices, n));
    GT_TRY_OUT(fill(p, model, options));
    *out = p;
    p = NULL;
out:
    gt_predictor_free(p);
    return status;
}

gt_status gt_predictor_create(gt_predictor **out, gt_device *device, const gt_model *model,
                              const gt_predict_options *options)
{
    return gt_predictor_create_on(out, &device, 1, model, options);
}

static void free_programs(gt_predictor *p)
{
    for (size_t i = 0; i < p->n_lanes; ++i) {
        gt_program_free(p->lanes[i].program);
        p->lanes[i].program = NULL;
    }
}

void gt_predictor_free(gt_predictor *p)
{
    if (!p) {
        return;
    }
    free_programs(p);
    gt_model_free(p->model);
    gt__free(p->lanes);
    gt__free(p->params);
    gt__free(p);
}

gt_status gt__predictor_choose(gt_predictor *p, const struct gt_predict_area *area)
{
    const struct gt_predict_area *last = &p->area;
    if (area->width < 1 || area->rows < 1) {
        return gt__fail(GT_EINVAL, "an image of %d x %d pixels", (int)area->width, (int)area->rows);
    }
    if (last->width != area->width || last->rows != area->rows || last->height != area->height) {
        GT_TRY(gt__tile_choose(&p->choice, p, area));
        p->area = *area;
    }
    return GT_OK;
}

gt_status gt__predictor_crop(gt_row_source *out, gt_predictor *p, const gt_row_source *source)
{
    gt_row_source image = *source;
    GT_TRY(gt_preprocess_size(&image.width, &image.height, &p->preprocess, source->width,
                              source->height));
    size_t prepare = gt__preparer_bytes(&p->preprocess, source->width, p->channels);
    if (prepare != p->prepare) {
        p->prepare = prepare;
        p->area.width = 0; /* the choice counted another */
    }
    *out = image;
    return GT_OK;
}

static gt_status make_program(struct gt_lane *lane, gt_predictor *p, const gt_graph *graph)
{
    gt_program_options options = gt__lane_options(p, lane);
    gt_program_memory memory;
    options.memory_limit = gt__lane_share(p, lane, &p->choice);
    GT_TRY(gt_program_create(&lane->program, lane->device, graph, &options));
    for (size_t i = 0; i < p->n_params; ++i) {
        float *data = NULL;
        GT_TRY(gt_model_tensor(NULL, NULL, &data, p->model, i));
        GT_TRY(gt_program_write(lane->program, p->params[i], data));
    }
    gt_program_get_memory(lane->program, &memory);
    lane->seconds = memory.seconds > 1e-9 ? memory.seconds : 1e-9;
    lane->measured = false;
    return GT_OK;
}

gt_status gt__predictor_programs(const struct gt_lane **failed, gt_predictor *p)
{
    int32_t width = p->choice.x.size;
    int32_t height = p->choice.y.size;
    struct gt_tile_graph t = {NULL, GT_NO_VALUE, GT_NO_VALUE};
    gt_status status = GT_OK;
    *failed = NULL;
    if (p->lanes[0].program && p->width == width && p->height == height &&
        p->slim == p->choice.slim && p->share == p->choice.share) {
        return GT_OK;
    }
    free_programs(p); /* first: old and new together would pass the memory limit */
    GT_TRY_OUT(gt__tile_graph(&t, p, p->params, width, height));
    for (size_t i = 0; i < p->n_lanes; ++i) {
        *failed = &p->lanes[i];
        GT_TRY_OUT(make_program(&p->lanes[i], p, t.graph));
    }
    *failed = NULL;
    p->input = t.input;
    p->prob = t.prob;
    p->width = width;
    p->height = height;
    p->slim = p->choice.slim;
    p->share = p->choice.share;
out:
    if (status != GT_OK) {
        free_programs(p);
    }
    gt_graph_free(t.graph);
    return status;
}

/* No tile fits: the words of the failure, with the device and the bytes of its program. */
static gt_status fail_memory(const gt_predictor *p, const struct gt_lane *failed, bool whole)
{
    const struct gt_tile_choice *c = &p->choice;
    if (!failed) {
        return GT_ENOMEM; /* the message says what was wanted */
    }
    return gt__fail(GT_ENOMEM, "%s has no memory for %s tile, %d x %d pixels, %zu bytes: %s",
                    failed->device->info.name, whole ? "the image as one" : "the smallest",
                    (int)c->x.size, (int)c->y.size, c->program, gt_error_message());
}

gt_status gt__predictor_shrink(gt_predictor *p, const struct gt_lane *failed,
                               const struct gt_predict_area *area)
{
    const struct gt_tile_axis x = p->choice.x;
    const struct gt_tile_axis y = p->choice.y;
    const gt_device *device = failed ? failed->device : p->lanes[0].device;
    size_t tried = (size_t)x.size * (size_t)y.size;
    size_t least = gt__tile_least(p, area);
    char why[256] = "";
    free_programs(p);
    if (p->options.untiled || tried <= least) {
        return fail_memory(p, failed, p->options.untiled);
    }
    snprintf(why, sizeof why, "%s", gt_error_message());
    p->most_pixels = tried / 2 > least ? tried / 2 : least;
    p->area.width = 0; /* the choice is not good any more */
    GT_TRY(gt__predictor_choose(p, area));
    if (device->options.log) {
        char text[512];
        snprintf(text, sizeof text,
                 "no memory for tiles of %d x %d pixels, going on with %d x %d: %s", (int)x.size,
                 (int)y.size, (int)p->choice.x.size, (int)p->choice.y.size, why);
        device->options.log(GT_LOG_WARN, text, device->options.cookie);
    }
    return GT_OK;
}

gt_status gt_predictor_set_stack(gt_predictor *p, const gt_page_source *stack)
{
    if (!p || (stack && (stack->pages < 1 || !stack->page))) {
        return gt__fail(GT_EINVAL, "predictor is NULL or the stack has no pages");
    }
    p->has_stack = false;
    if (stack && p->preprocess.scope == GT_SCOPE_STACK) {
        GT_TRY(gt__stack_map(&p->stack, &p->preprocess, stack));
        p->has_stack = true;
    }
    return GT_OK;
}

gt_status gt_predictor_plan(gt_predict_plan *out, gt_predictor *p, int32_t width, int32_t height)
{
    if (!out || !p) {
        return gt__fail(GT_EINVAL, "out or predictor is NULL");
    }
    gt_row_source image = {width, height, p->channels, NULL, NULL};
    GT_TRY(gt__predictor_crop(&image, p, &image));
    const struct gt_predict_area area = {image.width, image.height, image.height};
    GT_TRY(gt__predictor_choose(p, &area));
    const struct gt_tile_choice *c = &p->choice;
    *out = (gt_predict_plan){.tile_width = c->x.size,
                             .tile_height = c->y.size,
                             .tiles = (uint64_t)c->x.count * (uint64_t)c->y.count,
                             .peak_bytes = c->host > c->program ? c->host : c->program,
                             .arena_bytes = c->memory.arena_bytes};
    return GT_OK;
}

gt_status gt_predictor_dump(char **out, const gt_predictor *p)
{
    if (!out || !p) {
        return gt__fail(GT_EINVAL, "out or predictor is NULL");
    }
    struct gt_text text = {0};
    for (size_t i = 0; i < p->n_lanes && p->lanes[i].program; ++i) {
        char *one = NULL;
        GT_TRY(gt_program_dump(&one, p->lanes[i].program));
        if (p->n_lanes > 1) {
            gt__text_add(&text, "device %zu: %s\n", i, p->lanes[i].device->info.name);
        }
        gt__text_add(&text, "%s", one);
        gt__free(one);
    }
    return gt__text_take(out, &text);
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
    int32_t width = 0;
    int32_t height = 0;
    GT_TRY_OUT(gt_preprocess_size(&width, &height, &p->preprocess, in->width, in->height));
    GT_TRY_OUT(gt_image_create(&image, GT_F32, p->labels, height, width));
    gt_image_view to = gt_image_get_view(image);
    gt_row_sink sink = {write_view, &to};
    GT_TRY_OUT(gt_predictor_stream(p, &source, &sink));
    *out = image;
    image = NULL;
out:
    gt_image_free(image);
    return status;
}
