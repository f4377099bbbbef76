/* Streaming: rows of the source into a band as high as a tile's input, tiles along the band, rows
 * out.
 *
 * The band holds preprocessed rows with mirrored columns: [channels][size + shrink + margins]
 * [columns]; its row r is row origin - border - margin + r of the mirrored image. Moving on by a
 * step keeps the other rows. SPDX-License-Identifier: BSD-2-Clause */
#include "infer/stream.h"

#include "infer/views.h"

#include "data/mirror.h"

#include <string.h>

struct stream {
    gt_predictor *p;
    struct gt_preparer *prepared;
    gt_row_source image; /* cropped and preprocessed */
    const gt_row_sink *sink;
    struct gt_tile_axis x, y;
    struct gt_row_buffers size;
    struct gt_tile_margin x_margin, y_margin;
    int32_t height;  /* rows of the band */
    int32_t y_first; /* output row where the present tiles begin */
    int32_t base;    /* output rows before are delivered, or not asked for */
    int32_t end;     /* output rows from here on are not asked for */
    int32_t origin;  /* of the band, in output rows */
    int32_t rows;    /* that the present row of tiles contributes */
    float *band, *out, *read;
    int32_t *columns;
    uint64_t done, total;
    bool again; /* GT_ENOMEM came from a device (or the row buffers): smaller tiles may do */
    const struct gt_lane *failed; /* which device */
};

static gt_status tell(void *cookie)
{
    const struct stream *s = cookie;
    const gt_predict_options *o = &s->p->options;
    if (o->progress && o->progress(s->done, s->total, o->cookie) != 0) {
        return gt__fail(GT_ECANCELLED, "stopped after %llu of %llu tiles",
                        (unsigned long long)s->done, (unsigned long long)s->total);
    }
    return GT_OK;
}

/* Tiles of the present choice, each in all orientations. */
static uint64_t views(const gt_predictor *p)
{
    return (uint64_t)p->choice.x.count * (uint64_t)p->choice.y.count *
           (uint64_t)p->options.orientations;
}

static int32_t min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static gt_status read_rows(struct stream *s, int32_t y, int32_t rows)
{
    return gt__preparer_rows(s->prepared, y, rows, s->read);
}

/* Row `row` of the rows just read (`rows` of them) becomes row r of the band. */
static void place(struct stream *s, int32_t r, int32_t row, int32_t rows)
{
    size_t width = (size_t)s->image.width;
    for (int32_t c = 0; c < s->p->channels; ++c) {
        int32_t from_c = s->image.channels == 1 ? 0 : c;
        const float *from = s->read + ((size_t)from_c * (size_t)rows + (size_t)row) * width;
        float *to = s->band + ((size_t)c * (size_t)s->height + (size_t)r) * s->size.columns;
        for (size_t i = 0; i < s->size.columns; ++i) {
            to[i] = from[s->columns[i]];
        }
    }
}

static void copy_row(struct stream *s, int32_t to, int32_t from)
{
    for (int32_t c = 0; c < s->p->channels; ++c) {
        float *plane = s->band + (size_t)c * (size_t)s->height * s->size.columns;
        memcpy(plane + (size_t)to * s->size.columns, plane + (size_t)from * s->size.columns,
               s->size.columns * sizeof *plane);
    }
}

/* Row of the image that row r of the band shows. */
static int32_t image_row(const struct stream *s, int32_t r)
{
    int32_t before = s->p->geometry.border + s->y_margin.before;
    return gt__mirror(s->origin - before + r, s->image.height);
}

/* Row of the band that shows row m of the image as itself. */
static int64_t band_row(const struct stream *s, int32_t m)
{
    return (int64_t)m - s->origin + s->p->geometry.border + s->y_margin.before;
}

/* Fill rows `first` and up of the band; those before are there already. Mirrored rows that the band
 * holds are copied, the rest is one forward run of reading (below the image it may go back). */
static gt_status fill_band(struct stream *s, int32_t first)
{
    int32_t low = INT32_MAX;
    int32_t high = -1;
    for (int32_t r = first; r < s->height; ++r) {
        int32_t m = image_row(s, r);
        int64_t at = band_row(s, m);
        if (at >= 0 && at < first) {
            copy_row(s, r, (int32_t)at);
        } else {
            low = m < low ? m : low;
            high = m > high ? m : high;
        }
    }
    for (int32_t y = low; y <= high; y += GT_PREDICT_ROWS) {
        int32_t rows = min_i32(GT_PREDICT_ROWS, high + 1 - y);
        GT_TRY(read_rows(s, y, rows));
        for (int32_t r = first; r < s->height; ++r) {
            int32_t m = image_row(s, r);
            if (m >= y && m < y + rows) {
                place(s, r, m - y, rows);
            }
        }
    }
    return GT_OK;
}

/* Move the band down to the given origin. */
static gt_status advance(struct stream *s, int32_t origin)
{
    int32_t by = origin - s->origin;
    int32_t kept = s->height - by;
    s->origin = origin;
    for (int32_t c = 0; c < s->p->channels; ++c) {
        float *plane = s->band + (size_t)c * (size_t)s->height * s->size.columns;
        memmove(plane, plane + (size_t)by * s->size.columns,
                (size_t)kept * s->size.columns * sizeof *plane);
    }
    return fill_band(s, kept);
}

static struct gt_view_io view_io(const struct stream *s)
{
    return (struct gt_view_io){.p = s->p,
                               .x = s->x,
                               .y = s->y,
                               .band = s->band,
                               .height = s->height,
                               .columns = s->size.columns,
                               .out = s->out,
                               .rows = s->rows,
                               .width = s->image.width};
}

static void gather_tile(void *cookie, float *to, struct gt_crew_view view)
{
    struct gt_view_io io = view_io(cookie);
    gt__view_gather(&io, to, view);
}

static void scatter_tile(void *cookie, const float *from, struct gt_crew_view view)
{
    struct gt_view_io io = view_io(cookie);
    gt__view_scatter(&io, from, view);
}

static gt_status tell_tile(void *cookie)
{
    struct stream *s = cookie;
    ++s->done;
    return tell(s);
}

static gt_status run_bands(struct stream *s, struct gt_crew *crew)
{
    s->origin = s->y_first;
    for (int32_t i = 0; i < s->y.count; ++i) {
        int32_t origin = s->y_first + gt__tile_origin(&s->y, i);
        uint64_t first = (uint64_t)i * (uint64_t)s->x.count;
        s->rows = gt__tile_pixels(&s->y, i);
        GT_TRY(i == 0 ? fill_band(s, 0) : advance(s, origin));
        gt_status status = gt__crew_run(&s->failed, crew, first, s->x.count);
        if (status != GT_OK) {
            s->again = status == GT_ENOMEM && s->failed;
            return status;
        }
        GT_TRY(s->sink->write(s->sink->cookie, origin, s->rows, s->out));
        s->base = origin + s->rows;
    }
    return GT_OK;
}

/* Tiles that lie like these, and the band they look at. */
static gt_status lay_out(struct stream *s, const struct gt_tile_axis *x,
                         const struct gt_tile_axis *y)
{
    s->x = *x;
    s->y = *y;
    s->x_margin = gt__tile_margin(s->p, x);
    s->y_margin = gt__tile_margin(s->p, y);
    s->height = y->size + s->p->geometry.shrink + s->y_margin.before + s->y_margin.after;
    return gt__row_buffers(&s->size, s->p, x, y);
}

static gt_status allocate_band(struct stream *s)
{
    const struct gt_row_buffers *b = &s->size;
    GT_TRY(gt__alloc_raw(&s->band, b->band, sizeof(float), "band of input rows"));
    GT_TRY(gt__alloc_raw(&s->columns, b->columns, sizeof(int32_t), "column map"));
    for (size_t i = 0; i < b->columns; ++i) {
        int32_t before = s->p->geometry.border + s->x_margin.before;
        s->columns[i] = gt__mirror((int32_t)i - before, s->image.width);
    }
    return GT_OK;
}

/* Buffers of the present tile size. */
static gt_status allocate(struct stream *s)
{
    const struct gt_row_buffers *b = &s->size;
    GT_TRY(allocate_band(s));
    GT_TRY(gt__alloc_raw(&s->out, b->out, sizeof(float), "output rows"));
    for (size_t i = 0; i < s->p->n_lanes; ++i) {
        struct gt_lane *lane = &s->p->lanes[i];
        GT_TRY(gt__alloc_raw(&lane->tile_in, b->tile_in, sizeof(float), "tile input"));
        GT_TRY(gt__alloc_raw(&lane->tile_out, b->tile_out, sizeof(float), "tile output"));
    }
    return GT_OK;
}

static void release(struct stream *s)
{
    for (size_t i = 0; i < s->p->n_lanes; ++i) {
        struct gt_lane *lane = &s->p->lanes[i];
        gt__free(lane->tile_in);
        gt__free(lane->tile_out);
        lane->tile_in = lane->tile_out = NULL;
    }
    gt__free(s->columns);
    gt__free(s->out);
    gt__free(s->band);
    s->columns = NULL;
    s->out = s->band = NULL;
}

/* Label the rows from base on with tiles of the present choice. */
static gt_status run_rest(struct stream *s)
{
    const struct gt_crew_job job = {gather_tile, scatter_tile, tell_tile, s};
    struct gt_crew *crew = NULL;
    gt_status status = GT_OK;
    s->y_first = s->base;
    s->total = s->done + views(s->p);
    s->failed = NULL;
    s->again = true;
    GT_TRY_OUT(lay_out(s, &s->p->choice.x, &s->p->choice.y));
    GT_TRY_OUT(allocate(s));
    GT_TRY_OUT(gt__predictor_programs(&s->failed, s->p));
    s->again = false;
    GT_TRY_OUT(gt__crew_open(&crew, s->p, &job));
    GT_TRY_OUT(run_bands(s, crew));
out:
    gt__crew_close(crew);
    release(s);
    return status;
}

static gt_status check_source(const gt_predictor *p, const gt_row_source *source)
{
    if (source->channels != p->channels && !(source->channels == 1 && p->channels == 3)) {
        return gt__fail(GT_ESHAPE, "the image has %d channels, the model takes %d%s",
                        (int)source->channels, (int)p->channels, p->channels == 3 ? " or 1" : "");
    }
    return GT_OK;
}

gt_status gt__stream_tile(float *to, gt_predictor *p, const gt_row_source *source,
                          const struct gt_tile_spot *spot)
{
    struct stream s = {.p = p};
    gt_status status = GT_OK;
    GT_TRY(check_source(p, source));
    GT_TRY(gt__predictor_crop(&s.image, p, source));
    GT_TRY(lay_out(&s, &spot->x, &spot->y));
    GT_TRY_OUT(
        gt__preparer_open(&s.prepared, &p->preprocess, source, p->has_stack ? &p->stack : NULL));
    GT_TRY_OUT(gt__alloc_raw(&s.read, s.size.read, sizeof(float), "rows being read"));
    GT_TRY_OUT(allocate_band(&s));
    s.origin = gt__tile_origin(&s.y, spot->tile_y);
    GT_TRY_OUT(fill_band(&s, 0));
    gather_tile(&s, to, (struct gt_crew_view){spot->tile_x, 0});
out:
    release(&s);
    gt__free(s.read);
    gt__preparer_close(s.prepared);
    return status;
}

gt_status gt_predictor_stream(gt_predictor *p, const gt_row_source *source, const gt_row_sink *sink)
{
    gt_row_source image;
    if (!p || !source) {
        return gt__fail(GT_EINVAL, "predictor or source is NULL");
    }
    GT_TRY(gt__predictor_crop(&image, p, source));
    return gt_predictor_stream_rows(p, source, sink, 0, image.height);
}

static gt_status check_rows(const gt_predictor *p, const gt_row_source *source, int32_t first,
                            int32_t rows)
{
    int32_t period = p->geometry.period;
    if (first < 0 || rows < 1 || first > source->height - rows) {
        return gt__fail(GT_EINVAL, "%d rows from row %d of an image of %d rows", (int)rows,
                        (int)first, (int)source->height);
    }
    if (first % period != 0) {
        return gt__fail(GT_EINVAL, "rows from row %d: not a multiple of the network's period %d",
                        (int)first, (int)period);
    }
    return GT_OK;
}

/* What is still to be labelled. */
static struct gt_predict_area area_left(const struct stream *s)
{
    return (struct gt_predict_area){s->image.width, s->end - s->base, s->image.height - s->base};
}

gt_status gt_predictor_stream_rows(gt_predictor *p, const gt_row_source *source,
                                   const gt_row_sink *sink, int32_t first, int32_t rows)
{
    struct stream s = {0};
    gt_status status = GT_OK;
    if (!p || !source || !sink || !source->read || !sink->write) {
        return gt__fail(GT_EINVAL, "predictor, source, sink or a callback is NULL");
    }
    GT_TRY(check_source(p, source));
    GT_TRY(gt__predictor_crop(&s.image, p, source));
    GT_TRY(check_rows(p, &s.image, first, rows));
    s.p = p;
    s.sink = sink;
    s.base = first;
    s.end = first + rows;
    struct gt_predict_area area = area_left(&s);
    GT_TRY(gt__predictor_choose(p, &area));
    s.total = views(p);
    GT_TRY_OUT(gt__row_buffers(&s.size, p, &p->choice.x, &p->choice.y));
    GT_TRY_OUT(tell(&s));
    GT_TRY_OUT(
        gt__preparer_open(&s.prepared, &p->preprocess, source, p->has_stack ? &p->stack : NULL));
    GT_TRY_OUT(gt__alloc_raw(&s.read, s.size.read, sizeof(float), "rows being read"));
    status = run_rest(&s);
    while (status == GT_ENOMEM && s.again) {
        /* Rows delivered are a multiple of the step, so of the period: what follows stays the same.
         */
        area = area_left(&s);
        GT_TRY_OUT(gt__predictor_shrink(p, s.failed, &area));
        status = run_rest(&s);
    }
out:
    gt__free(s.read);
    gt__preparer_close(s.prepared);
    return status;
}
