/* TIFF files: opening, finding the pages, ImageJ's description.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_tiff.h"
#include "image/image_tiff_write.h"
#include "image/imagej.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool match(const unsigned char *head, size_t n)
{
    return n >= 8 && (memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0 ||
                      memcmp(head, "II+\0", 4) == 0 || memcmp(head, "MM\0+", 4) == 0);
}

/* ---- libtiff's complaints ---- */

/* Keeps the first, which is the cause; returning 1 ends the treatment. */
__attribute__((format(printf, 4, 0))) static int
keep_message(TIFF *tif, void *user, const char *module, const char *format, va_list args)
{
    char *message = user;
    (void)tif;
    (void)module;
    if (*message == '\0') {
        (void)vsnprintf(message, GT_TIFF_MESSAGE, format, args);
        for (char *p = message; *p != '\0'; ++p) {
            *p = *p == '\n' ? ' ' : *p;
        }
    }
    return 1;
}

__attribute__((format(printf, 4, 0))) static int
ignore_message(TIFF *tif, void *user, const char *module, const char *format, va_list args)
{
    (void)tif;
    (void)user;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

gt_status gt__tiff_options(TIFFOpenOptions **out, char *message, uint64_t max_bytes)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) {
        return gt__fail(GT_ENOMEM, "no memory for the options of a TIFF file");
    }
    /* directories need their part even where the limit on pixels is small */
    uint64_t least = UINT64_C(1) << 20;
    uint64_t most = max_bytes > PTRDIFF_MAX ? PTRDIFF_MAX : max_bytes;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(most < least ? least : most));
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_message, message);
    TIFFOpenOptionsSetWarningHandlerExtR(options, ignore_message, NULL);
    *out = options;
    return GT_OK;
}

gt_status gt__tiff_fail(const struct gt_tiff *t, size_t page, const char *what)
{
    return gt__fail(GT_EFORMAT, "%s: page %zu: %s%s%s", t->base.path, page + 1, what,
                    *t->message == '\0' ? "" : ": ", t->message);
}

/* ---- the chain of directories ---- */

static uint64_t integer_at(const unsigned char *p, int n, bool big_endian)
{
    uint64_t value = 0;
    for (int i = 0; i < n; ++i) {
        value = value << 8 | p[big_endian ? i : n - 1 - i];
    }
    return value;
}

struct chain {
    const struct gt_tiff *t;
    bool big_endian;
    int count_bytes, entry_bytes, offset_bytes;
};

static gt_status chain_read(uint64_t *out, const struct chain *chain, uint64_t offset, int n)
{
    unsigned char bytes[8];
    const struct gt_tiff *t = chain->t;
    if (offset > t->base.bytes || t->base.bytes - offset < (uint64_t)n) {
        return gt__fail(GT_EFORMAT,
                        "%s: page %zu: its directory at byte %" PRIu64
                        " lies outside the file of %" PRIu64 " bytes",
                        t->base.path, t->n_offsets + 1, offset, t->base.bytes);
    }
    ssize_t got = pread(t->fd, bytes, (size_t)n, (off_t)offset);
    if (got != n) {
        return gt__image_io_error(t->base.path, "cannot be read", got < 0 ? errno : EIO);
    }
    *out = integer_at(bytes, n, chain->big_endian);
    return GT_OK;
}

static gt_status chain_start(struct chain *chain, uint64_t *first)
{
    uint64_t order = 0;
    uint64_t version = 0;
    GT_TRY(chain_read(&order, chain, 0, 1));
    chain->big_endian = order == 'M';
    GT_TRY(chain_read(&version, chain, 2, 2));
    bool big = version == 43;
    chain->count_bytes = big ? 8 : 2;
    chain->entry_bytes = big ? 20 : 12;
    chain->offset_bytes = big ? 8 : 4;
    return chain_read(first, chain, big ? 8 : 4, chain->offset_bytes);
}

gt_status gt__tiff_walk(struct gt_tiff *t)
{
    struct chain chain = {.t = t};
    uint64_t offset = 0;
    uint64_t mark = 0; /* Brent's cycle detection: an earlier offset, moved at powers of two */
    size_t next_mark = 1;
    GT_TRY(chain_start(&chain, &offset));
    while (offset != 0) {
        uint64_t entries = 0;
        if (offset == mark) {
            return gt__fail(GT_EFORMAT, "%s: its directories form a loop", t->base.path);
        }
        if (t->n_offsets >= t->base.limits.max_pages) {
            return gt__fail(GT_ELIMIT, "%s: more than %u pages", t->base.path,
                            t->base.limits.max_pages);
        }
        GT_TRY(gt__grow(&t->offsets, &t->offsets_capacity, t->n_offsets + 1, sizeof *t->offsets,
                        "offsets of pages"));
        GT_TRY(chain_read(&entries, &chain, offset, chain.count_bytes));
        if (entries == 0 || entries > 65535) {
            return gt__fail(GT_EFORMAT, "%s: page %zu: a directory of %" PRIu64 " entries",
                            t->base.path, t->n_offsets + 1, entries);
        }
        t->offsets[t->n_offsets++] = offset;
        if (t->n_offsets == next_mark) {
            mark = offset;
            next_mark *= 2;
        }
        offset += (uint64_t)chain.count_bytes + entries * (uint64_t)chain.entry_bytes;
        GT_TRY(chain_read(&offset, &chain, offset, chain.offset_bytes));
    }
    if (t->n_offsets == 0) {
        return gt__fail(GT_EFORMAT, "%s: a TIFF without pages", t->base.path);
    }
    return GT_OK;
}

/* ---- ImageJ's description ---- */

/* Value of "\nkey=", 0 if there is none. */
static long description_number(const char *description, const char *key)
{
    size_t n = strlen(key);
    for (const char *line = description; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) == 0 && line[n] == '=') {
            long value = strtol(line + n + 1, NULL, 10);
            return value < 0 ? 0 : value;
        }
    }
    return 0;
}

/* Text of "\nkey=" if it is short and printable; "" otherwise. */
static void description_text(char *out, size_t size, const char *description, const char *key)
{
    size_t n = strlen(key);
    *out = '\0';
    for (const char *line = description; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) == 0 && line[n] == '=') {
            size_t length = strcspn(line + n + 1, "\r\n");
            if (length < size && gt__imagej_text_is_safe(line + n + 1, length)) {
                memcpy(out, line + n + 1, length);
                out[length] = '\0';
            }
            return;
        }
    }
}

static void read_resolution(struct gt_tiff *t)
{
    gt_image_meta *m = &t->base.meta;
    uint16_t unit = 0;
    if (TIFFGetField(t->tif, TIFFTAG_XRESOLUTION, &m->x_resolution) != 1 ||
        TIFFGetField(t->tif, TIFFTAG_YRESOLUTION, &m->y_resolution) != 1 ||
        !(m->x_resolution > 0 && m->y_resolution > 0 && isfinite(m->x_resolution) &&
          isfinite(m->y_resolution))) {
        m->x_resolution = m->y_resolution = 0;
        return;
    }
    (void)TIFFGetFieldDefaulted(t->tif, TIFFTAG_RESOLUTIONUNIT, &unit);
    m->resolution_unit = unit >= 1 && unit <= 3 ? unit : 0;
}

/* ImageJ writes stacks above 4 GiB as one directory with the pixels of all images behind each
 * other. */
static bool holds_raw_stack(const struct gt_tiff *t, uint64_t images)
{
    const struct gt_tiff_page *p = &t->page;
    uint64_t bytes = 0;
    if (t->n_offsets != 1 || images < 2 || p->access != GT_TIFF_RAW || p->planes != 1 ||
        p->band_rows < (uint32_t)p->info.height ||
        __builtin_mul_overflow((uint64_t)p->row_bytes * (uint64_t)p->info.height, images, &bytes)) {
        return false;
    }
    uint64_t start = TIFFGetStrileOffset(t->tif, 0);
    return start != 0 && start <= t->base.bytes && bytes <= t->base.bytes - start;
}

static gt_status read_description(struct gt_tiff *t)
{
    const char *description = NULL;
    gt_image_meta *m = &t->base.meta;
    read_resolution(t);
    if (TIFFGetField(t->tif, TIFFTAG_IMAGEDESCRIPTION, &description) != 1 || description == NULL ||
        strncmp(description, "ImageJ=", 7) != 0) {
        return GT_OK;
    }
    uint64_t images = (uint64_t)description_number(description, "images");
    uint64_t channels = (uint64_t)description_number(description, "channels");
    uint64_t frames = (uint64_t)description_number(description, "frames");
    if (holds_raw_stack(t, images)) {
        if (images > t->base.limits.max_pages) {
            return gt__fail(GT_ELIMIT, "%s: more than %u pages", t->base.path,
                            t->base.limits.max_pages);
        }
        t->raw_stack = true;
        t->base.pages = (size_t)images;
    }
    description_text(m->unit, sizeof m->unit, description, "unit");
    description_text(m->spacing, sizeof m->spacing, description, "spacing");
    description_text(m->frame_interval, sizeof m->frame_interval, description, "finterval");
    m->frames = frames <= INT32_MAX ? (int32_t)frames : 0;
    if (channels > 1 && channels <= INT32_MAX && t->base.pages % channels == 0) {
        t->base.hyperstack = (int32_t)channels;
    }
    return GT_OK;
}

/* ---- the format ---- */

static void close_tiff(struct gt_image_file *file)
{
    struct gt_tiff *t = (struct gt_tiff *)file;
    if (t == NULL) {
        return;
    }
    if (t->tif != NULL) {
        TIFFClose(t->tif);
    } else if (t->fd >= 0) {
        (void)close(t->fd);
    }
    gt__free(t->offsets);
    gt__free(t->lut);
    gt__free(t->band);
    gt__free(t->tile);
    gt__free(t->row);
    gt__free(t->unpacked);
    gt__free(t);
}

static gt_status open_tiff(struct gt_image_file **out, const struct gt_image_source *source)
{
    gt_status status = GT_OK;
    TIFFOpenOptions *options = NULL;
    struct gt_tiff *t = NULL;
    GT_TRY(gt__alloc(&t, 1, sizeof *t, "TIFF file"));
    t->base = (struct gt_image_file){.path = source->path,
                                     .limits = *source->limits,
                                     .bytes = source->bytes,
                                     .hyperstack = 1,
                                     .indices = source->indices};
    t->fd = open(source->path, O_RDONLY | O_CLOEXEC);
    if (t->fd < 0) {
        status = gt__image_io_error(source->path, "cannot be opened", errno);
        goto out;
    }
    GT_TRY_OUT(gt__tiff_walk(t));
    t->base.pages = t->n_offsets;
    GT_TRY_OUT(gt__tiff_options(&options, t->message, t->base.limits.max_decode_bytes));
    /* m: no memory map, which would end the process if the file shrinks; h: no directory yet;
     * c: strips as they are */
    t->tif = TIFFFdOpenExt(t->fd, source->path, "rmhc", options);
    if (t->tif == NULL) {
        status = gt__tiff_fail(t, 0, "cannot be read");
        goto out;
    }
    GT_TRY_OUT(gt__tiff_select(t, 0));
    GT_TRY_OUT(read_description(t));
    *out = &t->base;
    t = NULL;
out:
    if (options != NULL) {
        TIFFOpenOptionsFree(options);
    }
    close_tiff(t == NULL ? NULL : &t->base);
    return status;
}

static gt_status page_of_tiff(gt_page_info *out, struct gt_image_file *file, size_t page)
{
    struct gt_tiff *t = (struct gt_tiff *)file;
    GT_TRY(gt__tiff_select(t, page));
    *out = t->page.info;
    return GT_OK;
}

static gt_status rows_of_tiff(struct gt_image_file *file, size_t page, int32_t y, int32_t rows,
                              float *dst)
{
    struct gt_tiff *t = (struct gt_tiff *)file;
    GT_TRY(gt__tiff_select(t, page));
    return gt__tiff_rows(t, y, rows, dst);
}

const struct gt_image_format gt__image_tiff = {.name = "TIFF",
                                               .endings = {".tif", ".tiff", NULL},
                                               .match = match,
                                               .open = open_tiff,
                                               .page = page_of_tiff,
                                               .rows = rows_of_tiff,
                                               .close = close_tiff,
                                               .create = gt__tiff_create,
                                               .row = gt__tiff_row,
                                               .complete = gt__tiff_complete,
                                               .discard = gt__tiff_discard};
