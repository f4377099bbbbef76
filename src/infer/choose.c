/* Choice of the tile size: the least work with the fastest kernels that fits the memory limit; where
 * that takes several tiles, larger ones with slower kernels of less memory if they are faster by the
 * plans' estimates. SPDX-License-Identifier: BSD-2-Clause */
#include "infer/predictor.h"

#include "core/backend.h"
#include "core/ir.h"
#include "core/program.h"

#include <math.h>
#include <string.h>

#define MIB 1048576.0
/* Single-pixel patches of one batch (sw). */
#define PATCHES 64

struct search {
    const gt_predictor *p;
    struct gt_tile_line x, y;
    int32_t full_x, full_y;     /* sizes that cover the area with one tile */
    bool square;                /* tiles are turned, too */
    size_t limit;               /* of host memory */
    bool slim;                  /* kernels may be slower to fit */
    bool least;                 /* the least memory is wanted; what cannot be planned is an error */
    struct gt_tile_choice best; /* best.x.count is 0 as long as nothing fits */
    double work, seconds;       /* of the best */
};

static int32_t min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static size_t pixels(int32_t width, int32_t height)
{
    return (size_t)width * (size_t)height;
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
    gt__graph_name_value(t.graph, t.prob, "prob");
    GT_TRY_OUT(gt_graph_output(t.graph, t.prob));
    *out = t;
    t.graph = NULL;
out:
    gt_graph_free(t.graph);
    return status;
}

struct gt_tile_margin gt__tile_margin(const gt_predictor *p, const struct gt_tile_axis *a)
{
    struct gt_tile_margin m = {0, 0};
    if (p->options.orientations > 1) {
        int32_t before = a->lag + p->geometry.shrink - 2 * p->geometry.border;
        m.before = before > 0 ? before : 0;
        m.after = before < 0 ? -before : 0;
    }
    return m;
}

gt_status gt__row_buffers(struct gt_row_buffers *out, const gt_predictor *p,
                          const struct gt_tile_axis *x, const struct gt_tile_axis *y)
{
    int32_t shrink = p->geometry.shrink;
    struct gt_tile_margin mx = gt__tile_margin(p, x);
    struct gt_tile_margin my = gt__tile_margin(p, y);
    int64_t columns = (int64_t)(x->count - 1) * x->step + x->size + shrink + mx.before + mx.after;
    int64_t rows = (int64_t)(y->count - 1) * y->step + y->size + shrink + my.before + my.after;
    gt_shape band = {1, p->channels, y->size + shrink + my.before + my.after, (int32_t)columns};
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
    b.prepare = p->prepare;
    *out = b;
    return GT_OK;
}

static bool row_bytes(size_t *out, const struct gt_row_buffers *b, size_t lanes)
{
    size_t n = 0;
    return gt__add(&n, b->tile_in, b->tile_out) && gt__mul(&n, n, lanes) &&
           gt__add(&n, n, b->band) && gt__add(&n, n, b->out) && gt__add(&n, n, b->read) &&
           gt__add(&n, n, b->columns) && gt__mul(&n, n, sizeof(float)) &&
           gt__add(out, n, b->prepare);
}

gt_program_options gt__lane_options(const gt_predictor *p, const struct gt_lane *lane)
{
    gt_program_options options;
    gt_program_options_init(&options);
    options.deterministic = p->options.deterministic;
    options.precision = p->options.precision;
    options.ahead = lane->early;
    return options;
}

/* Bytes of a lane's own memory that its program may take. */
static size_t own_limit(const gt_predictor *p, const struct gt_lane *lane)
{
    uint64_t quarter = lane->device->info.memory_bytes / 4;
    const uint64_t most = (uint64_t)4 << 30;
    if (p->options.device_limit > 0) {
        return p->options.device_limit;
    }
    return quarter == 0 ? p->options.memory_limit : (size_t)(quarter < most ? quarter : most);
}

size_t gt__lane_limit(const gt_predictor *p, const struct gt_lane *lane)
{
    return lane->own_memory ? own_limit(p, lane) : p->options.memory_limit;
}

size_t gt__lane_share(const gt_predictor *p, const struct gt_lane *lane,
                      const struct gt_tile_choice *c)
{
    return c->slim ? lane->own_memory ? own_limit(p, lane) : c->share : 0;
}

/* Do two devices plan alike? */
static bool alike(const gt_device *a, const gt_device *b)
{
    return a->backend == b->backend && a->threads == b->threads &&
           a->options.isa == b->options.isa && strcmp(a->info.name, b->info.name) == 0;
}

/* Plan for lane i; its bytes are added where they count. Lanes alike are planned once, with the
 * first. */
static gt_status measure_lane(struct search *s, struct gt_tile_choice *c, size_t i,
                              const gt_graph *graph)
{
    const gt_predictor *p = s->p;
    const struct gt_lane *lane = &p->lanes[i];
    gt_program_options options = gt__lane_options(p, lane);
    gt_program_memory m;
    size_t bytes = 0;
    size_t all = 0;
    size_t n = 0;
    for (size_t k = 0; k < p->n_lanes; ++k) {
        if (alike(p->lanes[k].device, lane->device)) {
            if (k < i) {
                return GT_OK;
            }
            ++n;
        }
    }
    const struct gt_program_extra extra = {.force_variant = -1, .least = s->least};
    options.memory_limit = gt__lane_share(p, lane, c);
    GT_TRY(gt__program_plan(&m, lane->device, graph, &options, &extra));
    size_t most = lane->device->max_buffer;
    if (most > 0 && m.arena_bytes > most && !p->options.untiled) {
        return gt__fail(GT_ENOMEM, "a tile wants %zu bytes in one piece, %s gives at most %zu",
                        m.arena_bytes, lane->device->info.name, most);
    }
    if (!gt__add(&bytes, m.arena_bytes, m.packed_bytes) || !gt__add(&bytes, bytes, m.kept_bytes) ||
        !gt__mul(&all, bytes, n)) {
        return gt__fail(GT_ENOMEM, "a tile takes more memory than there are addresses");
    }
    if (i == 0) {
        c->memory = m;
    }
    c->program = bytes > c->program ? bytes : c->program;
    if (lane->own_memory) {
        size_t limit = p->options.untiled ? SIZE_MAX : own_limit(p, lane);
        size_t surplus = bytes > limit ? bytes - limit : 0;
        c->own_surplus = surplus > c->own_surplus ? surplus : c->own_surplus;
    } else if (!gt__add(&c->host, c->host, all)) {
        return gt__fail(GT_ENOMEM, "a tile takes more memory than there are addresses");
    }
    return GT_OK;
}

/* What each program in host memory may take beside the row buffers; 0: nothing. */
static size_t share_of(const struct search *s, size_t rows)
{
    size_t n = 0;
    for (size_t i = 0; i < s->p->n_lanes; ++i) {
        n += !s->p->lanes[i].own_memory;
    }
    return rows >= s->limit ? 0 : (s->limit - rows) / (n > 0 ? n : 1);
}

/* Bytes of a tile size: sets c->memory and c->host (SIZE_MAX if it cannot be planned). */
static gt_status measure(struct search *s, struct gt_tile_choice *c)
{
    const gt_predictor *p = s->p;
    struct gt_row_buffers b = {0};
    struct gt_tile_graph t = {NULL, GT_NO_VALUE, GT_NO_VALUE};
    gt_status status = GT_OK;
    GT_TRY(gt__row_buffers(&b, p, &c->x, &c->y));
    if (!row_bytes(&c->rows, &b, p->n_lanes) || !gt__add(&c->host, c->rows, p->weights)) {
        return gt__fail(GT_ELIMIT, "an image of %d x %d pixels is too large", (int)s->x.image,
                        (int)s->y.image);
    }
    c->slim = s->slim;
    c->share = s->slim ? share_of(s, c->host) : 0;
    if (c->host > s->limit || (c->slim && c->share == 0)) { /* no use in planning */
        c->host = SIZE_MAX;
        return GT_OK;
    }
    GT_TRY_OUT(gt__tile_graph(&t, p, NULL, c->x.size, c->y.size));
    for (size_t i = 0; i < p->n_lanes && status == GT_OK; ++i) {
        status = measure_lane(s, c, i, t.graph);
    }
    if ((status == GT_ENOMEM || status == GT_ENOTSUP) && !p->options.untiled && !s->least) {
        status = GT_OK; /* beyond what can be addressed by the host or by a kernel */
        c->host = SIZE_MAX;
    }
out:
    gt_graph_free(t.graph);
    return status;
}

/* Time, up to a factor that the tile size hardly changes: input pixels that the busiest device
 * computes, if devices share every row of tiles evenly. */
static double work(const struct search *s, const struct gt_tile_choice *c)
{
    double shrink = s->p->geometry.shrink;
    int32_t columns = gt__ceil_div(c->x.count, (int32_t)s->p->n_lanes);
    return (double)columns * c->y.count * (c->x.size + shrink) * (c->y.size + shrink);
}

/* Estimated time, several devices counted as the first. */
static double seconds(const struct search *s, const struct gt_tile_choice *c)
{
    int32_t columns = gt__ceil_div(c->x.count, (int32_t)s->p->n_lanes);
    return (double)columns * c->y.count * c->memory.seconds;
}

static bool better(const struct search *s, const struct gt_tile_choice *c)
{
    if (s->best.x.count == 0) {
        return true;
    }
    /* Among fast plans work tells more: costs that were measured for some sizes only do not
     * compare with estimates. */
    return s->slim ? seconds(s, c) < s->seconds : work(s, c) < s->work;
}

static struct gt_tile_choice lay(const struct search *s, int32_t size_x, int32_t size_y)
{
    struct gt_tile_choice c = {0};
    c.x = gt__tile_axis(&s->p->geometry, s->x, size_x);
    c.y = gt__tile_axis(&s->p->geometry, s->y, size_y);
    return c;
}

/* Measure one size; it becomes the best if it fits and is better. */
static gt_status offer(struct search *s, int32_t size_x, int32_t size_y, bool *fits)
{
    struct gt_tile_choice c = lay(s, size_x, size_y);
    *fits = false;
    if (size_x < 1 || size_y < 1 || c.x.count < 1 || c.y.count < 1) {
        return GT_OK;
    }
    if (s->p->most_pixels > 0 && pixels(size_x, size_y) > s->p->most_pixels) {
        return GT_OK;
    }
    GT_TRY(measure(s, &c));
    *fits = c.host <= s->limit && c.own_surplus == 0;
    if (*fits && better(s, &c)) {
        s->work = work(s, &c);
        s->seconds = seconds(s, &c);
        s->best = c;
    }
    return GT_OK;
}

/* Square tiles up to the largest that fits: the one that means the least work. */
static gt_status refine_square(struct search *s)
{
    const gt_model_geometry *g = &s->p->geometry;
    int32_t best = 0;
    double least = s->work;
    bool fits = false;
    for (int32_t size = g->minimum; size < s->best.x.size; size += g->step) {
        struct gt_tile_choice c = lay(s, size, size);
        if (c.x.count > 0 && c.y.count > 0 && work(s, &c) < least) {
            least = work(s, &c);
            best = size;
        }
    }
    return offer(s, best, best, &fits);
}

/* Largest square tile that fits (an axis never gets more than covers the image), by bisection. */
static gt_status search_square(struct search *s)
{
    const gt_model_geometry *g = &s->p->geometry;
    int32_t smallest = gt__tile_smallest(g, s->x.mirrored > 0);
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
 * column more or fewer, or as many as keep all devices busy, and as few rows as fit. */
static gt_status refine(struct search *s)
{
    const gt_model_geometry *g = &s->p->geometry;
    int32_t nx = s->best.x.count;
    int32_t ny = s->best.y.count;
    int32_t n = (int32_t)s->p->n_lanes;
    int32_t even = gt__ceil_div(nx, n) * n;
    const int32_t columns[] = {nx, nx + 1, nx - 1, even, even + n};
    for (int32_t k = 0; k < (n > 1 ? 5 : 3); ++k) {
        int32_t size_x = columns[k] > 0 ? gt__tile_for_count(g, s->x, columns[k]) : 0;
        bool fits = true;
        for (int32_t rows = ny + 2; size_x > 0 && rows > 0 && fits; --rows) {
            int32_t size_y = gt__tile_for_count(g, s->y, rows);
            struct gt_tile_choice c = lay(s, size_x, size_y);
            if (size_y > 0 && work(s, &c) < s->work) {
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
        int32_t size_x = min_i32(s->x.image, n < 8 ? n : 8);
        GT_TRY(offer(s, size_x, min_i32(s->y.image, n / size_x), &fits));
    }
    return GT_OK;
}

static gt_status search_sizes(struct search *s)
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
        s->full_x = min_i32(o->tile, s->full_x);
        s->full_y = min_i32(o->tile, s->full_y);
        size_t most = s->p->most_pixels;
        if (most == 0 || pixels(s->full_x, s->full_y) <= most) {
            return offer(s, s->full_x, s->full_y, &fits);
        }
    }
    GT_TRY(search_square(s));
    if (s->best.x.count == 0) {
        return GT_OK;
    }
    return s->square ? refine_square(s) : refine(s);
}

static gt_status search_all(struct search *s)
{
    GT_TRY(search_sizes(s));
    if (s->p->options.untiled || (s->best.x.count == 1 && s->best.y.count == 1)) {
        return GT_OK;
    }
    s->slim = true;
    s->seconds *= 0.97; /* estimates say nothing about less */
    return search_sizes(s);
}

/* The error for a limit that nothing fits, with what the smallest size takes in all. */
static gt_status fail_limit(struct search *s)
{
    const gt_predict_options *o = &s->p->options;
    const size_t limit = s->limit;
    int32_t side = s->p->patches ? 1 : gt__tile_smallest(&s->p->geometry, s->x.mirrored > 0);
    side = o->tile > 0 && !s->p->patches ? o->tile : side;
    struct gt_tile_choice c = lay(s, min_i32(side, s->full_x), min_i32(side, s->full_y));
    s->limit = SIZE_MAX; /* or measure() stops at the row buffers */
    s->slim = false;
    s->least = true;
    GT_TRY(measure(s, &c));
    const char *which = o->tile > 0 ? "the" : "the smallest";
    if (c.own_surplus > 0 && c.host <= limit) {
        size_t own = c.program - c.own_surplus;
        return gt__fail(GT_ENOMEM,
                        "%s tile wants %.1f MiB (%zu bytes) of a device, the limit is %.1f MiB "
                        "(%zu bytes)",
                        which, (double)c.program / MIB, c.program, (double)own / MIB, own);
    }
    return gt__fail(GT_ENOMEM,
                    "%s tile wants %.1f MiB (%zu bytes), the memory limit is %.1f MiB (%zu bytes)",
                    which, (double)c.host / MIB, c.host, (double)limit / MIB, limit);
}

/* What to search for: the lines of an area and the sizes that cover it; 0: there is none. */
static struct search start(const gt_predictor *p, const struct gt_predict_area *area)
{
    struct search s = {.p = p, .work = INFINITY, .seconds = INFINITY};
    bool mirrored = p->options.orientations > 1;
    s.x = (struct gt_tile_line){area->width, mirrored ? area->width : 0};
    s.y = (struct gt_tile_line){area->rows, mirrored ? area->height : 0};
    s.full_x = gt__tile_for_count(&p->geometry, s.x, 1);
    s.full_y = gt__tile_for_count(&p->geometry, s.y, 1);
    s.square = p->options.orientations == 8 && !p->patches;
    if (s.square && s.full_x > 0 && s.full_y > 0) {
        s.full_x = s.full_y = s.full_x > s.full_y ? s.full_x : s.full_y;
    }
    return s;
}

size_t gt__tile_least(const gt_predictor *p, const struct gt_predict_area *area)
{
    struct search s = start(p, area);
    int32_t smallest = gt__tile_smallest(&p->geometry, s.x.mirrored > 0);
    if (p->patches) {
        return 1;
    }
    return pixels(min_i32(smallest, s.full_x), min_i32(smallest, s.full_y));
}

gt_status gt__tile_choose(struct gt_tile_choice *out, const gt_predictor *p,
                          const struct gt_predict_area *area)
{
    struct search s = start(p, area);
    s.limit = p->options.untiled ? SIZE_MAX : p->options.memory_limit;
    if (s.full_x < 1 || s.full_y < 1) {
        return gt__fail(GT_ELIMIT, "an image of %d x %d pixels is too large", (int)area->width,
                        (int)area->rows);
    }
    GT_TRY(search_all(&s));
    if (s.best.x.count == 0) {
        return fail_limit(&s);
    }
    *out = s.best;
    return GT_OK;
}
