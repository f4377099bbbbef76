/* The rows of a page from crop to normalisation. SPDX-License-Identifier: BSD-2-Clause
 *
 * A page is read once per statistic and once for its values, in chunks of rows; nothing of it is
 * kept but tables and, when smoothing, the rows that the filter sees. */
#include "data/prepare.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/shape.h"
#include "data/clahe.h"
#include "data/mirror.h"
#include "data/smooth.h"
#include "image/convert.h"

struct gt_preparer {
    const gt_preprocess *options;
    gt_row_source page;
    int32_t width, height; /* of the crop */
    float *whole;          /* [channels][GT_PREPARE_ROWS][page.width], where columns are cropped */
    struct gt_clahe *clahe;
    bool equalise; /* the tables of CLAHE are ready */
    struct gt_value_map map;
    /* smoothing: */
    struct gt_smooth filter;
    float *rows;        /* [channels][GT_PREPARE_ROWS][width] */
    float *window;      /* [channels][capacity][width], smoothed along x: */
    int32_t first, end; /* rows first to end - 1 */
    int32_t capacity;
    float *padded; /* scratch of a row */
};

static bool smooths(const gt_preprocess *o)
{
    return o->smooth > 0.0;
}

size_t gt__preparer_bytes(const gt_preprocess *o, int32_t width, int32_t channels)
{
    size_t total = sizeof(struct gt_preparer) + gt__statistics_bytes(o);
    size_t row = 0;
    size_t bytes = 0;
    size_t rows = 0;
    bool crops = o->crop_width > 0 && o->crop_width < width;
    size_t reach = smooths(o) ? (size_t)gt__smooth_radius(o->smooth) : 0;
    rows += crops ? GT_PREPARE_ROWS : 0;
    rows += smooths(o) ? 2 * GT_PREPARE_ROWS + 2 * reach + 1 : 0;
    total += o->clahe > 0.0 ? gt__clahe_bytes(o->clahe_grid, channels) : 0;
    bool fits = gt__mul(&row, (size_t)width + 2 * reach, (size_t)channels * sizeof(float)) &&
                gt__mul(&bytes, row, rows) && gt__add(&total, total, bytes);
    return fits ? total : SIZE_MAX;
}

static gt_status allocate(float **out, const struct gt_preparer *p, int32_t rows, int32_t width)
{
    size_t n = 0;
    if (!gt__shape_count(&n, (gt_shape){1, p->page.channels, rows, width})) {
        n = SIZE_MAX;
    }
    return gt__alloc_raw(out, n, sizeof(float), "rows being preprocessed");
}

/* Where is the first pixel of the rows just read that is not finite? */
static gt_status check_finite(const struct gt_preparer *p, int32_t y, int32_t rows,
                              const float *values)
{
    size_t width = (size_t)p->width;
    size_t plane = (size_t)rows * width;
    size_t n = plane * (size_t)p->page.channels;
    size_t i = gt__find_not_finite(values, n);
    if (i == n) {
        return GT_OK;
    }
    return gt__fail(GT_ENUMERIC, "pixel x %zu, y %zu, channel %zu is %s",
                    i % width + (size_t)p->options->crop_x,
                    i % plane / width + (size_t)(p->options->crop_y + y), i / plane,
                    isnan(values[i]) ? "not a number" : "infinite");
}

/* Cropped rows as they are in the source. */
static gt_status read_rows(struct gt_preparer *p, int32_t y, int32_t rows, float *dst)
{
    const gt_row_source *from = &p->page;
    int32_t at = p->options->crop_y + y;
    if (!p->whole) {
        GT_TRY(from->read(from->cookie, at, rows, dst));
        return check_finite(p, y, rows, dst);
    }
    GT_TRY(from->read(from->cookie, at, rows, p->whole));
    size_t width = (size_t)p->width;
    size_t lines = (size_t)rows * (size_t)from->channels;
    for (size_t i = 0; i < lines; i++) {
        const float *line = p->whole + i * (size_t)from->width + p->options->crop_x;
        memcpy(dst + i * width, line, width * sizeof *dst);
    }
    return check_finite(p, y, rows, dst);
}

static gt_status equalised_rows(struct gt_preparer *p, int32_t y, int32_t rows, float *dst)
{
    GT_TRY(read_rows(p, y, rows, dst));
    for (int32_t c = 0; p->equalise && c < p->page.channels; c++) {
        for (int32_t i = 0; i < rows; i++) {
            gt__clahe_apply(p->clahe, c, y + i, dst);
            dst += p->width;
        }
    }
    return GT_OK;
}

static float *window_row(const struct gt_preparer *p, int32_t c, int32_t y)
{
    size_t line = (size_t)c * (size_t)p->capacity + (size_t)(y - p->first);
    return p->window + line * (size_t)p->width;
}

/* Bring rows from to to - 1 into the window; those that it holds are kept, so that going forward
 * reads every row once. */
static gt_status fill_window(struct gt_preparer *p, int32_t from, int32_t to)
{
    size_t width = (size_t)p->width;
    if (from < p->first || from > p->end) {
        p->first = p->end = from;
    }
    for (int32_t c = 0; c < p->page.channels && from > p->first; c++) {
        memmove(window_row(p, c, p->first), window_row(p, c, from),
                (size_t)(p->end - from) * width * sizeof(float));
    }
    p->first = from;
    while (p->end < to) {
        int32_t n = to - p->end < GT_PREPARE_ROWS ? to - p->end : GT_PREPARE_ROWS;
        GT_TRY(equalised_rows(p, p->end, n, p->rows));
        for (int32_t c = 0; c < p->page.channels; c++) {
            for (int32_t i = 0; i < n; i++) {
                const float *row = p->rows + ((size_t)c * (size_t)n + (size_t)i) * width;
                gt__smooth_row(&p->filter, window_row(p, c, p->end + i), row, p->width, p->padded);
            }
        }
        p->end += n;
    }
    return GT_OK;
}

static gt_status smoothed_rows(struct gt_preparer *p, int32_t y, int32_t rows, float *dst)
{
    int32_t r = p->filter.radius;
    const float *taps[2 * GT_SMOOTH_RADIUS + 1];
    int32_t from = y > r ? y - r : 0;
    int32_t to = p->height - y - rows > r ? y + rows + r : p->height;
    GT_TRY(fill_window(p, from, to));
    for (int32_t c = 0; c < p->page.channels; c++) {
        for (int32_t i = 0; i < rows; i++) {
            for (int32_t d = -r; d <= r; d++) {
                taps[r + d] = window_row(p, c, gt__mirror(y + i + d, p->height));
            }
            gt__smooth_columns(&p->filter, dst, taps, p->width);
            dst += p->width;
        }
    }
    return GT_OK;
}

/* Everything but the normalisation. */
static gt_status values(struct gt_preparer *p, int32_t y, int32_t rows, float *dst)
{
    return smooths(p->options) ? smoothed_rows(p, y, rows, dst) : equalised_rows(p, y, rows, dst);
}

gt_status gt__preparer_rows(struct gt_preparer *p, int32_t y, int32_t rows, float *dst)
{
    GT_TRY(values(p, y, rows, dst));
    gt__value_map(dst, (size_t)rows * (size_t)p->width * (size_t)p->page.channels, &p->map);
    return GT_OK;
}

/* ---- what must be known first ---- */

/* Where rows come from and where they go. */
typedef gt_status (*get_fn)(struct gt_preparer *p, int32_t y, int32_t rows, float *dst);
typedef void (*row_fn)(void *cookie, int32_t c, int32_t y, const float *row);

/* One round: every row of the page, all channels of a row one after the other. */
static gt_status each_row(struct gt_preparer *p, float *chunk, get_fn get, row_fn take,
                          void *cookie)
{
    for (int32_t y = 0; y < p->height; y += GT_PREPARE_ROWS) {
        int32_t n = p->height - y < GT_PREPARE_ROWS ? p->height - y : GT_PREPARE_ROWS;
        GT_TRY(get(p, y, n, chunk));
        for (int32_t i = 0; i < n; i++) {
            for (int32_t c = 0; c < p->page.channels; c++) {
                size_t line = (size_t)c * (size_t)n + (size_t)i;
                take(cookie, c, y + i, chunk + line * (size_t)p->width);
            }
        }
    }
    return GT_OK;
}

static void range_row(void *cookie, int32_t c, int32_t y, const float *row)
{
    (void)c;
    (void)y;
    gt__clahe_range(cookie, row);
}

static void count_row(void *cookie, int32_t c, int32_t y, const float *row)
{
    gt__clahe_count(cookie, c, y, row);
}

struct tally {
    struct gt_statistics *statistics;
    size_t width;
};

static void tally_row(void *cookie, int32_t c, int32_t y, const float *row)
{
    (void)c;
    (void)y;
    const struct tally *t = cookie;
    gt__statistics_row(t->statistics, row, t->width);
}

/* CLAHE looks at the page before any filter. */
static gt_status open_clahe(struct gt_preparer *p, float *chunk)
{
    const gt_preprocess *o = p->options;
    struct gt_clahe_options c = {p->width, p->height, p->page.channels, o->clahe, o->clahe_grid};
    GT_TRY(gt__clahe_create(&p->clahe, &c));
    GT_TRY(each_row(p, chunk, read_rows, range_row, p->clahe));
    GT_TRY(each_row(p, chunk, read_rows, count_row, p->clahe));
    gt__clahe_tables(p->clahe);
    p->equalise = true;
    return GT_OK;
}

static gt_status open_smooth(struct gt_preparer *p)
{
    gt__smooth_init(&p->filter, p->options->smooth);
    p->capacity = GT_PREPARE_ROWS + 2 * p->filter.radius;
    GT_TRY(allocate(&p->rows, p, GT_PREPARE_ROWS, p->width));
    GT_TRY(allocate(&p->window, p, p->capacity, p->width));
    size_t padded = (size_t)p->width + 2 * (size_t)p->filter.radius;
    return gt__alloc_raw(&p->padded, padded, sizeof(float), "a row being smoothed");
}

/* A page up to its normalisation. chunk: receives memory for GT_PREPARE_ROWS rows */
static gt_status begin(struct gt_preparer **out, float **chunk, const gt_preprocess *options,
                       const gt_row_source *page)
{
    struct gt_preparer *p = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc(&p, 1, sizeof *p, "preprocessing of an image"));
    p->options = options;
    p->page = *page;
    p->map = (struct gt_value_map){0.0F, 1.0F, 0.0F, false};
    GT_TRY_OUT(gt_preprocess_size(&p->width, &p->height, options, page->width, page->height));
    if (p->width < page->width) {
        GT_TRY_OUT(allocate(&p->whole, p, GT_PREPARE_ROWS, page->width));
    }
    GT_TRY_OUT(allocate(chunk, p, GT_PREPARE_ROWS, p->width));
    if (options->clahe > 0.0) {
        GT_TRY_OUT(open_clahe(p, *chunk));
    }
    if (smooths(options)) {
        GT_TRY_OUT(open_smooth(p));
    }
    *out = p;
    p = NULL;
out:
    gt__preparer_close(p);
    return status;
}

static gt_status page_map(struct gt_preparer *p, float *chunk)
{
    struct tally t = {NULL, (size_t)p->width};
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__statistics_create(&t.statistics, p->options));
    while (gt__statistics_wanted(t.statistics)) {
        GT_TRY_OUT(each_row(p, chunk, values, tally_row, &t));
        GT_TRY_OUT(gt__statistics_end_round(t.statistics));
    }
    status = gt__statistics_map(&p->map, t.statistics);
out:
    gt__statistics_free(t.statistics);
    return status;
}

gt_status gt__preparer_open(struct gt_preparer **out, const gt_preprocess *options,
                            const gt_row_source *page, const struct gt_value_map *map)
{
    struct gt_preparer *p = NULL;
    float *chunk = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(begin(&p, &chunk, options, page));
    if (map) {
        p->map = *map;
    } else {
        GT_TRY_OUT(page_map(p, chunk));
    }
    *out = p;
    p = NULL;
out:
    gt__free(chunk);
    gt__preparer_close(p);
    return status;
}

void gt__preparer_close(struct gt_preparer *p)
{
    if (p) {
        gt__clahe_free(p->clahe);
        gt__free(p->padded);
        gt__free(p->window);
        gt__free(p->rows);
        gt__free(p->whole);
        gt__free(p);
    }
}

/* One round over a page of a stack. */
static gt_status tally_page(struct gt_statistics *s, const gt_preprocess *options,
                            const gt_row_source *page)
{
    struct gt_preparer *p = NULL;
    float *chunk = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(begin(&p, &chunk, options, page));
    struct tally t = {s, (size_t)p->width};
    status = each_row(p, chunk, values, tally_row, &t);
out:
    gt__free(chunk);
    gt__preparer_close(p);
    return status;
}

gt_status gt__stack_map(struct gt_value_map *out, const gt_preprocess *options,
                        const gt_page_source *stack)
{
    struct gt_statistics *s = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__statistics_create(&s, options));
    while (gt__statistics_wanted(s)) {
        for (size_t i = 0; i < stack->pages; i++) {
            gt_row_source page = {0};
            GT_TRY_OUT(stack->page(stack->cookie, i, &page));
            status = tally_page(s, options, &page);
            if (status == GT_ENUMERIC || status == GT_ESHAPE) {
                gt__fail_prefix(status, "page %zu: ", i + 1);
            }
            GT_TRY_OUT(status);
        }
        GT_TRY_OUT(gt__statistics_end_round(s));
    }
    status = gt__statistics_map(out, s);
out:
    gt__statistics_free(s);
    return status;
}
