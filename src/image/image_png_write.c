/* Writing PNG, row by row. SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_png.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct png_sink {
    struct gt_image_sink base;
    struct gt_png_state state;
    FILE *stream; /* owns a duplicate of the writer's fd */
    const void *row;
    png_color palette[256]; /* complete, so that every value has an entry */
};

static void on_write(png_structp png, png_bytep from, size_t n)
{
    struct png_sink *s = png_get_io_ptr(png);
    errno = 0;
    if (fwrite(from, 1, n, s->stream) != n) {
        s->state.status = GT_EIO;
        s->state.error = errno;
        png_error(png, "cannot be written");
    }
}

static void on_flush(png_structp png)
{
    (void)png; /* once, at the end */
}

static void step_write_header(void *argument)
{
    struct png_sink *s = argument;
    const gt_writer_options *o = &s->base.options;
    png_structp png = s->state.png;
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_write_fn(png, s, on_write, on_flush);
    png_set_IHDR(png, s->state.info, (png_uint_32)o->width, (png_uint_32)o->height,
                 o->type == GT_U16 ? 16 : 8,
                 o->channels == 3     ? PNG_COLOR_TYPE_RGB
                 : o->palette != NULL ? PNG_COLOR_TYPE_PALETTE
                                      : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (o->palette != NULL) {
        png_set_PLTE(png, s->state.info, s->palette, 256);
    }
    png_write_info(png, s->state.info);
    if (o->type == GT_U16 && gt__png_little_endian()) {
        png_set_swap(png);
    }
}

static void step_write_row(void *argument)
{
    struct png_sink *s = argument;
    png_write_row(s->state.png, s->row);
}

static void step_write_end(void *argument)
{
    struct png_sink *s = argument;
    png_write_end(s->state.png, s->state.info);
}

void gt__png_discard(struct gt_image_sink *sink)
{
    struct png_sink *s = (struct png_sink *)sink;
    if (s == NULL) {
        return;
    }
    if (s->state.png != NULL) {
        png_destroy_write_struct(&s->state.png, &s->state.info);
    }
    if (s->stream != NULL) {
        (void)fclose(s->stream);
    }
    gt__free(s);
}

static gt_status check_png_options(const char *path, const gt_writer_options *o)
{
    if (o->type == GT_F32) {
        return gt__fail(GT_EINVAL, "%s: PNG holds u8 or u16, not f32", path);
    }
    if (o->pages != 1) {
        return gt__fail(GT_EINVAL, "%s: PNG holds one page, not %zu", path, o->pages);
    }
    return GT_OK;
}

static gt_status open_stream(struct png_sink *s, int fd)
{
    int copy = dup(fd);
    s->stream = copy < 0 ? NULL : fdopen(copy, "wb");
    if (s->stream == NULL) {
        gt_status status = gt__image_io_error(s->base.path, "cannot be written", errno);
        if (copy >= 0) {
            (void)close(copy);
        }
        return status;
    }
    return GT_OK;
}

gt_status gt__png_create(struct gt_image_sink **out, const char *path, int fd,
                         const gt_writer_options *options)
{
    gt_status status = GT_OK;
    struct png_sink *s = NULL;
    GT_TRY(check_png_options(path, options));
    if (fd < 0) {
        return GT_OK;
    }
    GT_TRY(gt__alloc(&s, 1, sizeof *s, "PNG writer"));
    s->base.path = path;
    s->base.options = *options;
    s->base.options.channel_names = NULL;
    s->base.options.meta = NULL;
    for (int32_t i = 0; i < options->palette_entries && options->palette != NULL; ++i) {
        const unsigned char *entry = options->palette + 3 * i;
        s->palette[i] = (png_color){entry[0], entry[1], entry[2]};
    }
    s->state.path = path;
    GT_TRY_OUT(open_stream(s, fd));
    s->state.png =
        png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &s->state, gt__png_error, gt__png_warning,
                                  &s->state, gt__png_alloc, gt__png_free);
    if (s->state.png != NULL) {
        s->state.info = png_create_info_struct(s->state.png);
    }
    if (s->state.info == NULL) {
        status = gt__fail(GT_ENOMEM, "%s: no memory to write a PNG", path);
        goto out;
    }
    GT_TRY_OUT(gt__png_guard(&s->state, step_write_header, s));
    s->base.options.palette = NULL;
    *out = &s->base;
    s = NULL;
out:
    gt__png_discard(s == NULL ? NULL : &s->base);
    return status;
}

gt_status gt__png_row(struct gt_image_sink *sink, const void *samples)
{
    struct png_sink *s = (struct png_sink *)sink;
    s->row = samples;
    return gt__png_guard(&s->state, step_write_row, s);
}

gt_status gt__png_complete(struct gt_image_sink *sink)
{
    struct png_sink *s = (struct png_sink *)sink;
    GT_TRY(gt__png_guard(&s->state, step_write_end, s));
    errno = 0;
    if (fflush(s->stream) != 0) {
        return gt__image_io_error(sink->path, "cannot be written", errno);
    }
    return GT_OK;
}
