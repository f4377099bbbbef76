/* Writing TIFF that ImageJ reads: strips, one directory per page, its description on the first.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_tiff_write.h"
#include "image/image_tiff.h"
#include "image/imagej.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define STRIP_BYTES ((size_t)65536)

struct tiff_sink {
    struct gt_image_sink base;
    int fd;               /* the writer's */
    TIFF *tif;            /* owns a duplicate of fd */
    unsigned char *strip; /* [strip_rows][row_bytes] */
    int32_t strip_rows, filled;
    int32_t y; /* first row in strip */
    size_t page;
    float x_resolution, y_resolution; /* 0: unknown */
    int32_t resolution_unit;
    uint16_t *palette; /* [3][256], NULL if there is none */
    float low, high;   /* of all values written, for ImageJ's display range */
    bool any;
    char message[GT_TIFF_MESSAGE];
};

/* ImageJ keeps labels of slices in two private tags. */
static const TIFFFieldInfo imagej_fields[] = {
    {GT_IMAGEJ_TAG_COUNTS, TIFF_VARIABLE2, TIFF_VARIABLE2, TIFF_LONG, FIELD_CUSTOM, 1, 1,
     (char *)"IJMetadataByteCounts"},
    {GT_IMAGEJ_TAG_DATA, TIFF_VARIABLE2, TIFF_VARIABLE2, TIFF_BYTE, FIELD_CUSTOM, 1, 1,
     (char *)"IJMetadata"}};

static gt_status failed(const struct tiff_sink *s)
{
    if (errno != 0) {
        return gt__image_io_error(s->base.path, "cannot be written", errno);
    }
    return gt__fail(GT_EIO, "%s: page %zu: cannot be written%s%s", s->base.path, s->page + 1,
                    *s->message == '\0' ? "" : ": ", s->message);
}

/* Never two strips of up to 64 KiB: their lengths, of 16 bits, then lie in the directory itself, and
 * ImageJ 1.x takes them for a place in the file. */
static int32_t rows_of_strip(size_t row_bytes, int32_t height)
{
    size_t rows = STRIP_BYTES / row_bytes;
    rows = rows < 1 ? 1 : rows;
    bool two = rows < (size_t)height && (size_t)height <= 2 * rows && row_bytes <= STRIP_BYTES;
    return two || rows > (size_t)height ? height : (int32_t)rows;
}

/* Deflate may add a little to what it cannot compress; every strip has two numbers of 4 bytes. */
static bool may_pass_4gib(const struct tiff_sink *s)
{
    const gt_writer_options *o = &s->base.options;
    double page = (double)s->base.row_bytes * (double)o->height;
    double strips = (double)o->height / (double)s->strip_rows + 1;
    return (double)o->pages * (page * 1.001 + strips * 48 + 1024) > 4.2e9;
}

static gt_status open_libtiff(struct tiff_sink *s)
{
    TIFFOpenOptions *options = NULL;
    GT_TRY(gt__tiff_options(&options, s->message, UINT64_C(1) << 40));
    int fd = dup(s->fd);
    if (fd >= 0) {
        s->tif = TIFFFdOpenExt(fd, s->base.path, may_pass_4gib(s) ? "w8" : "w", options);
    }
    TIFFOpenOptionsFree(options);
    if (s->tif == NULL) {
        gt_status status = failed(s);
        if (fd >= 0) {
            (void)close(fd);
        }
        return status;
    }
    if (TIFFMergeFieldInfo(s->tif, imagej_fields, 2) != 0) {
        return failed(s);
    }
    return GT_OK;
}

static gt_status set_description(struct tiff_sink *s)
{
    struct gt_text text = {0};
    char *description = NULL;
    gt__imagej_description(&text, &s->base.options);
    GT_TRY(gt__text_take(&description, &text));
    bool ok = TIFFSetField(s->tif, TIFFTAG_IMAGEDESCRIPTION, description) == 1;
    gt__free(description);
    return ok ? GT_OK : failed(s);
}

/* The tags of resolution and palette, on every page. */
static bool set_extras(struct tiff_sink *s)
{
    TIFF *t = s->tif;
    bool ok = true;
    if (s->x_resolution > 0) {
        int unit = s->resolution_unit > 0 ? s->resolution_unit : RESUNIT_NONE;
        ok = TIFFSetField(t, TIFFTAG_XRESOLUTION, (double)s->x_resolution) == 1 &&
             TIFFSetField(t, TIFFTAG_YRESOLUTION, (double)s->y_resolution) == 1 &&
             TIFFSetField(t, TIFFTAG_RESOLUTIONUNIT, unit) == 1;
    }
    if (s->palette != NULL) {
        ok = ok &&
             TIFFSetField(t, TIFFTAG_COLORMAP, s->palette, s->palette + 256, s->palette + 512) == 1;
    }
    return ok;
}

/* The tags of a page; ImageJ's on the first. */
static gt_status start_page(struct tiff_sink *s)
{
    const gt_writer_options *o = &s->base.options;
    TIFF *t = s->tif;
    bool is_float = o->type == GT_F32;
    /* Behind a plain page of an ImageJ file tifffile (Python) looks for the next ones without gaps,
     * unless a directory is in the way; there is none in the way of the last of two. */
    bool plain = is_float && o->pages != 2;
    int meaning = o->channels == 3     ? PHOTOMETRIC_RGB
                  : s->palette != NULL ? PHOTOMETRIC_PALETTE
                                       : PHOTOMETRIC_MINISBLACK;
    bool ok = TIFFSetField(t, TIFFTAG_IMAGEWIDTH, (uint32_t)o->width) == 1 &&
              TIFFSetField(t, TIFFTAG_IMAGELENGTH, (uint32_t)o->height) == 1 &&
              TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, (int)(8 * gt_type_size(o->type))) == 1 &&
              TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, (int)o->channels) == 1 &&
              TIFFSetField(t, TIFFTAG_SAMPLEFORMAT,
                           is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT) == 1 &&
              TIFFSetField(t, TIFFTAG_PHOTOMETRIC, meaning) == 1 && set_extras(s) &&
              TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == 1 &&
              TIFFSetField(t, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT) == 1 &&
              TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, (uint32_t)s->strip_rows) == 1 &&
              /* No predictor: ImageJ 1.x undoes it for LZW only and would show other values. */
              TIFFSetField(t, TIFFTAG_COMPRESSION,
                           plain ? COMPRESSION_NONE : COMPRESSION_ADOBE_DEFLATE) == 1;
    if (!ok) {
        return failed(s);
    }
    return s->page == 0 ? set_description(s) : GT_OK;
}

static gt_status set_labels(struct tiff_sink *s, const gt_writer_options *options)
{
    struct gt_imagej_labels labels;
    GT_TRY(gt__imagej_labels_make(&labels, options));
    bool ok = TIFFSetField(s->tif, GT_IMAGEJ_TAG_COUNTS, labels.n_counts, labels.counts) == 1 &&
              TIFFSetField(s->tif, GT_IMAGEJ_TAG_DATA, labels.n_data, labels.data) == 1;
    gt__imagej_labels_free(&labels);
    return ok ? GT_OK : failed(s);
}

/* Keep what is written again on every page: the caller's pointers last for this call only. */
static gt_status keep_extras(struct tiff_sink *s, const gt_writer_options *o)
{
    if (o->meta != NULL) {
        s->x_resolution = o->meta->x_resolution;
        s->y_resolution = o->meta->y_resolution;
        s->resolution_unit = o->meta->resolution_unit;
    }
    if (o->palette == NULL) {
        return GT_OK;
    }
    GT_TRY(gt__alloc(&s->palette, 3 * 256, sizeof *s->palette, "palette"));
    for (int32_t i = 0; i < o->palette_entries; ++i) {
        for (int32_t c = 0; c < 3; ++c) { /* 255 is 65535 in 16 bits */
            s->palette[c * 256 + i] = (uint16_t)(o->palette[3 * i + c] * 257);
        }
    }
    return GT_OK;
}

gt_status gt__tiff_create(struct gt_image_sink **out, const char *path, int fd,
                          const gt_writer_options *options)
{
    gt_status status = GT_OK;
    struct tiff_sink *s = NULL;
    if (fd < 0) {
        return GT_OK; /* every checked option is possible */
    }
    GT_TRY(gt__alloc(&s, 1, sizeof *s, "TIFF writer"));
    s->base.path = path;
    s->base.options = *options;
    s->base.options.channel_names = NULL;
    s->base.row_bytes =
        (size_t)options->width * (size_t)options->channels * gt_type_size(options->type);
    s->base.options.palette = NULL;
    s->fd = fd;
    GT_TRY_OUT(keep_extras(s, options));
    s->strip_rows = rows_of_strip(s->base.row_bytes, options->height);
    GT_TRY_OUT(gt__alloc(&s->strip, (size_t)s->strip_rows, s->base.row_bytes, "strip of an image"));
    errno = 0;
    GT_TRY_OUT(open_libtiff(s));
    GT_TRY_OUT(start_page(s));
    s->base.options.meta = NULL;
    if (options->hyperstack_channels > 1 && options->channel_names != NULL) {
        GT_TRY_OUT(set_labels(s, options));
    }
    *out = &s->base;
    s = NULL;
out:
    gt__tiff_discard(s == NULL ? NULL : &s->base);
    return status;
}

static gt_status flush_strip(struct tiff_sink *s)
{
    tmsize_t bytes = (tmsize_t)((size_t)s->filled * s->base.row_bytes);
    uint32_t strip = (uint32_t)(s->y / s->strip_rows);
    if (TIFFWriteEncodedStrip(s->tif, strip, s->strip, bytes) != bytes) {
        return failed(s);
    }
    s->y += s->filled;
    s->filled = 0;
    if (s->y < s->base.options.height) {
        return GT_OK;
    }
    if (TIFFWriteDirectory(s->tif) != 1) {
        return failed(s);
    }
    s->y = 0;
    s->page += 1;
    return GT_OK;
}

static void note_range(struct tiff_sink *s, const float *values, size_t n)
{
    for (size_t i = 0; i < n; ++i) {
        if (isfinite(values[i])) {
            s->low = !s->any || values[i] < s->low ? values[i] : s->low;
            s->high = !s->any || values[i] > s->high ? values[i] : s->high;
            s->any = true;
        }
    }
}

gt_status gt__tiff_row(struct gt_image_sink *sink, const void *samples)
{
    struct tiff_sink *s = (struct tiff_sink *)sink;
    const gt_writer_options *o = &sink->options;
    errno = 0;
    if (s->page > 0 && s->y == 0 && s->filled == 0) {
        GT_TRY(start_page(s));
    }
    memcpy(s->strip + (size_t)s->filled * sink->row_bytes, samples, sink->row_bytes);
    s->filled += 1;
    if (o->type == GT_F32) {
        note_range(s, samples, (size_t)o->width * (size_t)o->channels);
    }
    if (s->filled == s->strip_rows || s->y + s->filled == o->height) {
        return flush_strip(s);
    }
    return GT_OK;
}

gt_status gt__tiff_complete(struct gt_image_sink *sink)
{
    struct tiff_sink *s = (struct tiff_sink *)sink;
    errno = 0;
    if (TIFFFlush(s->tif) != 1) {
        return failed(s);
    }
    s->message[0] = '\0';
    TIFFClose(s->tif);
    s->tif = NULL;
    if (*s->message != '\0') {
        return failed(s);
    }
    if (sink->options.type == GT_F32 && sink->options.channels == 1 && s->any) {
        return gt__imagej_set_range(s->fd, sink->path, s->low, s->high);
    }
    return GT_OK;
}

void gt__tiff_discard(struct gt_image_sink *sink)
{
    struct tiff_sink *s = (struct tiff_sink *)sink;
    if (s == NULL) {
        return;
    }
    if (s->tif != NULL) {
        TIFFClose(s->tif);
    }
    gt__free(s->palette);
    gt__free(s->strip);
    gt__free(s);
}
