/* Flags of preprocessing, and its description in words. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_preprocess.h"

#include <stdarg.h>

static const char *const kinds[] = {"minmax", "meanvar", "percentile", "none", NULL};
static const char *const scopes[] = {"image", "stack", NULL};

int preprocess_fill(gt_preprocess *o, const struct preprocess_flags *f)
{
    int kind = 0;
    int scope = 0;
    char rest = '\0';
    if (tool_choose(&kind, "norm", f->norm, kinds, GT_NORMALISE_MINMAX) ||
        tool_choose(&scope, "norm-scope", f->scope, scopes, GT_SCOPE_IMAGE)) {
        return EXIT_USAGE;
    }
    gt_preprocess_init(o);
    o->normalise = (gt_normalise)kind;
    o->scope = (gt_scope)scope;
    o->low = f->low;
    o->high = f->high;
    o->clahe = f->clahe;
    o->clahe_grid = f->grid;
    o->smooth = f->smooth;
    if (f->crop && sscanf(f->crop, "%9d,%9d,%9d,%9d%c", &o->crop_x, &o->crop_y, &o->crop_width,
                          &o->crop_height, &rest) != 4) {
        return tool_usage("--crop is '%s', expected x, y, width and height as 10,20,300,400",
                          f->crop);
    }
    gt_status status = gt_preprocess_check(o);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
}

/* ---- in words ---- */

static void add(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(char *text, size_t size, const char *format, ...)
{
    size_t used = 0;
    while (used + 1 < size && text[used] != '\0') {
        used++;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

const char *preprocess_words(char *text, size_t size, const gt_preprocess *o)
{
    const char *of = o->scope == GT_SCOPE_STACK ? "the stack" : "each image";
    text[0] = '\0';
    if (o->crop_width > 0) {
        add(text, size, "crop %d x %d pixels at x %d, y %d, ", o->crop_width, o->crop_height,
            o->crop_x, o->crop_y);
    }
    if (o->clahe > 0.0) {
        add(text, size, "CLAHE %g on %d x %d tiles, ", o->clahe, o->clahe_grid, o->clahe_grid);
    }
    if (o->smooth > 0.0) {
        add(text, size, "Gaussian filter of %g pixels, ", o->smooth);
    }
    switch (o->normalise) {
    case GT_NORMALISE_MINMAX:
        add(text, size, "minimum and maximum of %s to [-1, 1]", of);
        break;
    case GT_NORMALISE_MEANVAR:
        add(text, size, "mean and variance of %s to 0 and 1", of);
        break;
    case GT_NORMALISE_PERCENTILE:
        add(text, size, "percentiles %g and %g of %s to [-1, 1]", o->low, o->high, of);
        break;
    case GT_NORMALISE_NONE:
        add(text, size, "values as they are");
        break;
    }
    return text;
}

/* ---- the pages of a reader ---- */

struct pages {
    gt_image_reader *reader;
    size_t page;
    struct progress *progress;
};

static gt_status read_rows(void *cookie, int32_t y, int32_t rows, float *dst)
{
    const struct pages *at = cookie;
    return gt_image_reader_rows(at->reader, at->page, y, rows, dst);
}

/* Nothing is labelled yet, so the share stays where it is. */
static void show_page(const struct pages *at)
{
    char counts[96];
    snprintf(counts, sizeof counts, "scale of the stack, page %zu/%zu", at->page + 1,
             gt_image_reader_pages(at->reader));
    progress_show(at->progress, 0.0, counts, "", "", false);
}

/* Long stacks take a while: a signal ends that too. */
static gt_status find_page(void *cookie, size_t page, gt_row_source *out)
{
    struct pages *at = cookie;
    gt_page_info info;
    gt_status status = gt_image_reader_page(&info, at->reader, page);
    if (status != GT_OK || tool_signal()) {
        return status != GT_OK ? status : GT_ECANCELLED;
    }
    at->page = page;
    if (at->progress) {
        show_page(at);
    }
    *out = (gt_row_source){info.width, info.height, info.channels, read_rows, at};
    return GT_OK;
}

int preprocess_share(gt_predictor *predictor, gt_image_reader *reader, struct progress *progress)
{
    struct pages at = {reader, 0, progress};
    const gt_page_source stack = {gt_image_reader_pages(reader), find_page, &at};
    gt_status status = gt_predictor_set_stack(predictor, &stack);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
}
