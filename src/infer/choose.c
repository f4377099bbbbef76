/* Choice of the tile size: the least work that fits the memory limit.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "infer/predictor.h"

#include <math.h>

#define MIB 1048576.0
/* Single-pixel patches of one batch (sw). */
#define PATCHES 64

struct search {
    const gt_predictor *p;
    int32_t width, height;  /* image */
    int32_t full_x, full_y; /* sizes that cover the image with one tile */
    size_t limit;
    struct gt_tile_choice best; /* best.x.count is 0 as long as nothing fits */
    double cost;
};

static int32_t min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

gt_shape gt__tile_input(const gt_predictor *p, int32_t width, int32_t height)
{
    int32_t shrink = p->geometry.shrink;
    if (p->patches) {
        return (gt_shape){width * height, p->channels, 1 + shrink, 1 + shrink};
    }
    return (gt_shape){1, p->channels, height + shrink, width + shrink};
}

gt_shape gt__tile_output(const gt_predictor *p, int32_t width, int32_t height)
{
    if (p->patches) {
        return (gt_shape){width * height, p->labels, 1, 1};
    }
    return (gt_shape){1, p->labels, height, width};
}

gt_status gt__tile_graph(struct gt_tile_graph *out, const gt_predictor *p, gt_value *params,
                         int32_t width, int32_t height)
{
    struct gt_tile_graph t = {NULL, GT_NO_VALUE, GT_NO_VALUE};
    gt_value scores = GT_NO_VALUE;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt_graph_create(&t.graph));
    GT_TRY_OUT(gt_graph_input(&t.input, t.graph, gt__tile_input(p, width, height), "input"));
    GT_TRY_OUT(gt_model_append(&scores, params, p->model, t.graph, t.input));
    GT_TRY_OUT(gt_graph_softmax(&t.prob, t.graph, scores));
    GT_TRY_OUT(gt_graph_output(t.graph, t.prob));
    *out = t;
    t.graph = NULL;
out:
    gt_graph_free(t.graph);
    return status;
}

gt_status gt__row_buffers(struct gt_row_buffers *out, const gt_predictor *p,
                          const struct gt_tile_axis *x, const struct gt_tile_axis *y)
{
    int32_t shrink = p->geometry.shrink;
    int64_t columns = (int64_t)(x->count - 1) * x->step + x->size + shrink;
    int64_t rows = (int64_t)(y->count - 1) * y->step + y->size + shrink;
    gt_shape band = {1, p->channels, y->size + shrink, (int32_t)columns};
    gt_shape result = {1, p->labels, min_i32(y->size, y->image), x->image};
    gt_shape chunk = {1, p->channels, GT_PREDICT_ROWS, x->image};
    struct gt_row_buffers b = {0};
    if (columns > INT32_MAX || rows > INT32_MAX || !gt__shape_count(&b.band, band) ||
        !gt__shape_count(&b.tile_in, gt__tile_input(p, x->size, y->size)) ||
        !gt__shape_count(&b.tile_out, gt__tile_output(p, x->size, y->size)) ||
        !gt__shape_count(&b.out, result) || !gt__shape_count(&b.read, chunk)) {
        return gt__fail(GT_ELIMIT, "an image of %d x %d pixels is too large", (int)x->image,
                        (int)y->image);
    }
    b.columns = (size_t)columns;
    *out = b;
    return GT_OK;
}

static bool row_bytes(size_t *out, const struct gt_row_buffers *b)
{
    size_t n = 0;
    return gt__add(&n, b->band, b->tile_in) && gt__add(&n, n, b->tile_out) &&
           gt__add(&n, n, b->out) && gt__add(&n, n, b->read) && gt__add(&n, n, b->columns) &&
           gt__mul(out, n, sizeof(float));
}

/* Bytes of a tile size: sets c->memory and c->peak (SIZE_MAX if it cannot be planned). */
static gt_status measure(struct search *s, struct gt_tile_choice *c)
{
    const gt_predictor *p = s->p;
    struct gt_row_buffers b = {0};
    struct gt_tile_graph t = {NULL, GT_NO_VALUE, GT_NO_VALUE};
    gt_program_options options;
    gt_status status = GT_OK;
    c->peak = SIZE_MAX;
    GT_TRY(gt__row_buffers(&b, p, &c->x, &c->y));
    if (!row_bytes(&c->rows, &b)) {
        return gt__fail(GT_ELIMIT, "an image of %d x %d pixels is too large", (int)s->width,
                        (int)s->height);
    }
    if (c->rows > s->limit) { /* no use in planning */
        c->peak = c->rows;
        return GT_OK;
    }
    gt_program_options_init(&options);
    options.deterministic = p->options.deterministic;
    GT_TRY_OUT(gt__tile_graph(&t, p, NULL, c->x.size, c->y.size));
    status = gt_program_plan(&c->memory, p->device, t.graph, &options);
    if (status == GT_ENOMEM && !p->options.untiled) {
        status = GT_OK; /* beyond what can be addressed */
        goto out;
    }
    if (status != GT_OK) {
        goto out;
    }
    size_t sum = 0;
    if (gt__add(&sum, c->memory.arena_bytes, c->memory.packed_bytes) &&
        gt__add(&sum, sum, c->memory.kept_bytes) && gt__add(&sum, sum, p->weights) &&
        gt__add(&sum, sum, c->rows)) {
        c->peak = sum;
    }
out:
    gt_graph_free(t.graph);
    return status;
}

/* Input pixels computed in all: the work, up to a factor that the tile size hardly changes. */
static double work(const struct search *s, const struct gt_tile_choice *c)
{
    double shrink = s->p->geometry.shrink;
    return (double)c->x.count * c->y.count * (c->x.size + shrink) * (c->y.size + shrink);
}

/* Measure one size; it becomes the best if it fits and means less work. */
static gt_status offer(struct search *s, int32_t size_x, int32_t size_y, bool *fits)
{
    struct gt_tile_choice c = {0};
    c.x = gt__tile_axis(&s->p->geometry, s->width, size_x);
    c.y = gt__tile_axis(&s->p->geometry, s->height, size_y);
    *fits = false;
    if (size_x < 1 || size_y < 1 || c.x.count < 1 || c.y.count < 1) {
        return GT_OK;
    }
    GT_TRY(measure(s, &c));
    *fits = c.peak <= s->limit;
    if (*fits && (s->best.x.count == 0 || work(s, &c) < s->cost)) {
        s->cost = work(s, &c);
        s->best = c;
    }
    return GT_OK;
}

/* Largest square tile that fits (an axis never gets more than covers the image), by bisection. */
static gt_status search_square(struct search *s)
{
    const gt_model_geometry *g = &s->p->geometry;
    int32_t smallest = gt__tile_smallest(g);
    int32_t low = 0; /* index of sizes: fits */
    int32_t high =
        gt__ceil_div((s->full_x > s->full_y ? s->full_x : s->full_y) - smallest, g->step);
    bool fits = false;
    high = high > 0 ? high : 0;
    GT_TRY(offer(s, s->full_x, s->full_y, &fits));
    if (fits) {
        return GT_OK;
    }
    GT_TRY(offer(s, min_i32(smallest, s->full_x), min_i32(smallest, s->full_y), &fits));
    if (!fits) {
        return GT_OK;
    }
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        int32_t size = smallest + middle * g->step;
        GT_TRY(offer(s, min_i32(size, s->full_x), min_i32(size, s->full_y), &fits));
        if (fits) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return GT_OK;
}

/* Around the best: sizes that cover the image with as many tiles and no surplus, and with one
 * column more or fewer and as few rows as fit. */
static gt_status refine(struct search *s)
{
    const gt_model_geometry *g = &s->p->geometry;
    int32_t nx = s->best.x.count;
    int32_t ny = s->best.y.count;
    for (int32_t dx = 0; dx < 3; ++dx) {
        int32_t columns = dx == 2 ? nx - 1 : nx + dx;
        int32_t size_x = columns > 0 ? gt__tile_for_count(g, s->width, columns) : 0;
        bool fits = true;
        for (int32_t rows = ny + 2; size_x > 0 && rows > 0 && fits; --rows) {
            int32_t size_y = gt__tile_for_count(g, s->height, rows);
            struct gt_tile_choice c = {0};
            c.x = gt__tile_axis(g, s->width, size_x);
            c.y = gt__tile_axis(g, s->height, size_y);
            if (size_y > 0 && work(s, &c) < s->cost) {
                GT_TRY(offer(s, size_x, size_y, &fits));
            }
        }
    }
    return GT_OK;
}

/* sw: as many patches at a time as fit. */
static gt_status search_patches(struct search *s)
{
    bool fits = false;
    for (int32_t n = PATCHES; n > 0 && !fits; n /= 2) {
        int32_t size_x = min_i32(s->width, n < 8 ? n : 8);
        GT_TRY(offer(s, size_x, min_i32(s->height, n / size_x), &fits));
    }
    return GT_OK;
}

static gt_status search_all(struct search *s)
{
    const gt_predict_options *o = &s->p->options;
    bool fits = false;
    if (s->p->patches) {
        return search_patches(s);
    }
    if (o->untiled) {
        return offer(s, s->full_x, s->full_y, &fits);
    }
    if (o->tile > 0) {
        return offer(s, min_i32(o->tile, s->full_x), min_i32(o->tile, s->full_y), &fits);
    }
    GT_TRY(search_square(s));
    return s->best.x.count > 0 ? refine(s) : GT_OK;
}

/* The error for a limit that nothing fits, with what the smallest size takes in all. */
static gt_status fail_limit(struct search *s)
{
    const gt_predict_options *o = &s->p->options;
    const size_t limit = s->limit;
    int32_t side = s->p->patches ? 1 : gt__tile_smallest(&s->p->geometry);
    struct gt_tile_choice c = {0};
    side = o->tile > 0 && !s->p->patches ? o->tile : side;
    c.x = gt__tile_axis(&s->p->geometry, s->width, min_i32(side, s->full_x));
    c.y = gt__tile_axis(&s->p->geometry, s->height, min_i32(side, s->full_y));
    s->limit = SIZE_MAX; /* or measure() stops at the row buffers */
    GT_TRY(measure(s, &c));
    return gt__fail(GT_ENOMEM,
                    "%s tile wants %.1f MiB (%zu bytes), the memory limit is %.1f MiB (%zu bytes)",
                    o->tile > 0 ? "the" : "the smallest", (double)c.peak / MIB, c.peak,
                    (double)limit / MIB, limit);
}

gt_status gt__tile_choose(struct gt_tile_choice *out, const gt_predictor *p, int32_t width,
                          int32_t height)
{
    struct search s = {0};
    s.p = p;
    s.width = width;
    s.height = height;
    s.limit = p->options.untiled ? SIZE_MAX : p->options.memory_limit;
    s.full_x = gt__tile_at_least(&p->geometry, width);
    s.full_y = gt__tile_at_least(&p->geometry, height);
    s.cost = INFINITY;
    if (s.full_x < 1 || s.full_y < 1) {
        return gt__fail(GT_ELIMIT, "an image of %d x %d pixels is too large", (int)width,
                        (int)height);
    }
    GT_TRY(search_all(&s));
    if (s.best.x.count == 0) {
        return fail_limit(&s);
    }
    *out = s.best;
    return GT_OK;
}
