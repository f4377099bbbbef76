/* An output file being written: labels or a map of them. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/process_output.h"

#include <stdlib.h>
#include <string.h>

void output_label_path(char *to, size_t size, const struct output_plan *plan, const char *path,
                       int32_t k)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash + 1 - path) : 0;
    int digits = plan->labels >= 100 ? 3 : plan->labels >= 10 ? 2 : 1;
    if (plan->folders) {
        snprintf(to, size, "%.*s%0*d/%s", folder, path, digits, (int)(plan->first + k),
                 path + folder);
    } else {
        snprintf(to, size, "%s", path);
    }
}

/* Channels of the input stay channels, those of the output lie within. */
static int32_t channels(const struct output_size *size, int32_t each)
{
    const gt_image_meta *m = size->meta;
    bool known =
        m && m->channels > 1 && (double)m->channels * m->slices * m->frames == (double)size->pages;
    return known && m->channels <= INT32_MAX / each ? each * m->channels : each;
}

static gt_status open_writer(struct output *o, const char *path, const struct output_size *size)
{
    const struct output_plan *plan = o->plan;
    const char *names[GT_MAX_LABELS];
    int32_t each = plan->folders ? 1 : plan->written;
    gt_writer_options w;
    gt_writer_options_init(&w);
    w.type = plan->type;
    w.width = size->width;
    w.height = size->height;
    w.pages = size->pages * (size_t)each;
    w.hyperstack_channels = channels(size, each);
    w.overwrite = size->overwrite;
    w.meta = size->meta;
    if (plan->coloured) {
        w.palette = plan->palette[0];
        w.palette_entries = plan->labels;
    }
    bool named = true;
    for (int32_t i = 0; i < each; i++) {
        names[i] = plan->names[plan->first + i];
        named = named && *names[i];
    }
    if (named && each > 1 && w.hyperstack_channels == each) {
        w.channel_names = names;
    }
    return gt_image_writer_open(&o->writers[o->n_writers], path, &w);
}

int output_open(struct output *o, const struct output_plan *plan, const char *path,
                const struct output_size *size)
{
    int32_t n = plan->folders ? plan->written : 1;
    o->plan = plan;
    o->width = size->width;
    o->height = size->height;
    snprintf(o->beside, sizeof o->beside, "%s", path);
    for (int32_t k = 0; k < n; k++) {
        char file[4200];
        output_label_path(file, sizeof file, plan, path, k);
        gt_status status = open_writer(o, file, size);
        if (status != GT_OK) {
            return tool_fail(status, ABOUT_OUTPUT);
        }
        o->n_writers++;
    }
    return 0;
}

static bool spooled(const struct output *o)
{
    return o->plan->written > 1 && !o->plan->folders;
}

bool output_begin(struct output *o)
{
    return !spooled(o) || spool_open(&o->spool, o->beside, o->width, o->height, o->plan->written);
}

static gt_status reserve(struct output *o, size_t n)
{
    if (n > o->row_capacity) {
        float *bigger = realloc(o->row, n * sizeof *bigger);
        if (!bigger) {
            fprintf(stderr, "greentea: no memory for %zu bytes of output rows\n",
                    n * sizeof *bigger);
            return GT_ENOMEM;
        }
        o->row = bigger;
        o->row_capacity = n;
    }
    return GT_OK;
}

/* The most probable label of n pixels, the first of equals; as the value that stands for it. */
static void map_labels(const struct output_plan *plan, float *to, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int32_t best = 0;
        for (int32_t k = 1; k < plan->labels; k++) {
            if (src[(size_t)k * n + i] > src[(size_t)best * n + i]) {
                best = k;
            }
        }
        to[i] = plan->grey[best];
    }
}

/* Rows in the type's scale are in o->row: hand on those of plane k. */
static gt_status put_plane(struct output *o, int32_t k, int32_t y, int32_t rows)
{
    if (spooled(o)) {
        return spool_write(&o->spool, k, y, rows, o->row) ? GT_OK : GT_EIO;
    }
    return gt_image_writer_rows(o->writers[k], rows, o->row);
}

gt_status output_rows(struct output *o, int32_t y, int32_t rows, const float *src)
{
    const struct output_plan *plan = o->plan;
    size_t n = (size_t)rows * (size_t)o->width;
    gt_status status = reserve(o, n);
    if (status == GT_OK && plan->kind != OUTPUT_PROBABILITY) {
        map_labels(plan, o->row, src, n);
        return put_plane(o, 0, y, rows);
    }
    for (int32_t k = 0; k < plan->written && status == GT_OK; k++) {
        const float *from = src + (size_t)(plan->first + k) * n;
        for (size_t i = 0; i < n; i++) {
            o->row[i] = from[i] * plan->scale;
        }
        status = put_plane(o, k, y, rows);
    }
    return status;
}

/* The labels of a page were spooled side by side; write them as pages, label fastest. */
gt_status output_end(struct output *o)
{
    enum { ROWS = 64 };
    if (!spooled(o)) {
        return GT_OK;
    }
    gt_status status = reserve(o, (size_t)ROWS * (size_t)o->width);
    for (int32_t k = 0; k < o->plan->written && status == GT_OK; k++) {
        for (int32_t y = 0; y < o->height && status == GT_OK; y += ROWS) {
            int32_t n = o->height - y < ROWS ? o->height - y : ROWS;
            status = spool_read(&o->spool, k, y, n, o->row)
                         ? gt_image_writer_rows(o->writers[0], n, o->row)
                         : GT_EIO;
        }
    }
    return status;
}

gt_status output_finish(struct output *o)
{
    gt_status status = GT_OK;
    for (int32_t k = 0; k < o->n_writers && status == GT_OK; k++) {
        status = gt_image_writer_finish(o->writers[k]);
    }
    return status;
}

void output_close(struct output *o)
{
    for (int32_t k = 0; k < o->n_writers; k++) {
        gt_image_writer_free(o->writers[k]);
    }
    spool_close(&o->spool);
    free(o->row);
    *o = (struct output){0};
}
