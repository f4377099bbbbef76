/* Writing a file under a temporary name, which becomes the wanted one when all is safely on disk.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/convert.h"
#include "image/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gt_image_writer {
    const struct gt_image_format *format;
    gt_writer_options options; /* its pointers are not kept: used while opening */
    char *path;                /* wanted */
    char *temporary;           /* beside it */
    bool made;                 /* the temporary file exists and is ours */
    char *folder;
    int fd;
    struct gt_image_sink *sink;
    unsigned char *row; /* [width][channels], type of the file */
    size_t page;
    int32_t y; /* next row */
    bool failed, finished;
};

void gt_writer_options_init(gt_writer_options *options)
{
    *options = (gt_writer_options){.type = GT_F32, .channels = 1, .pages = 1};
}

static gt_status check_options(const gt_writer_options *o)
{
    if (o->type != GT_U8 && o->type != GT_U16 && o->type != GT_F32) {
        return gt__fail(GT_EINVAL, "image files are written as u8, u16 or f32, not as type %d",
                        (int)o->type);
    }
    if (o->width < 1 || o->height < 1 || o->pages < 1) {
        return gt__fail(GT_EINVAL, "an image file of %d x %d pixels and %zu pages, at least 1 each",
                        o->width, o->height, o->pages);
    }
    if (o->channels != 1 && o->channels != 3) {
        return gt__fail(GT_EINVAL, "image files have 1 or 3 samples per pixel, not %d",
                        o->channels);
    }
    if (o->palette != NULL && (o->type != GT_U8 || o->channels != 1 || o->palette_entries < 1 ||
                               o->palette_entries > 256)) {
        return gt__fail(GT_EINVAL,
                        "a palette of %d entries for type %d with %d samples per pixel; palettes "
                        "have 1 to 256 entries and go with u8 and 1 sample",
                        o->palette_entries, (int)o->type, o->channels);
    }
    if (o->hyperstack_channels < 0 ||
        (o->hyperstack_channels > 1 && o->pages % (size_t)o->hyperstack_channels != 0)) {
        return gt__fail(GT_EINVAL, "%zu pages are not a hyperstack of %d channels", o->pages,
                        o->hyperstack_channels);
    }
    return GT_OK;
}

/* The wanted name must be free, or a file that may be replaced. */
static gt_status check_target(const char *path, int32_t overwrite)
{
    struct stat info;
    if (lstat(path, &info) != 0) {
        return errno == ENOENT ? GT_OK : gt__image_io_error(path, "cannot be written", errno);
    }
    if (S_ISDIR(info.st_mode)) {
        return gt__fail(GT_EINVAL, "%s: is a folder", path);
    }
    if (overwrite == 0) {
        return gt__fail(GT_EINVAL, "%s: exists already", path);
    }
    return GT_OK;
}

static gt_status make_names(gt_image_writer *writer, const char *path)
{
    struct gt_text folder = {0};
    const char *slash = strrchr(path, '/');
    GT_TRY(gt__strdup(&writer->path, path));
    if (slash == NULL) {
        gt__text_add(&folder, ".");
    } else {
        gt__text_add(&folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    }
    return gt__text_take(&writer->folder, &folder);
}

/* Name number k, beside the wanted one. */
static gt_status name_temporary(gt_image_writer *writer, int k)
{
    struct gt_text text = {0};
    gt__text_add(&text, "%s.tmp-%ld", writer->path, (long)getpid());
    if (k > 0) {
        gt__text_add(&text, ".%d", k);
    }
    gt__free(writer->temporary);
    writer->temporary = NULL;
    return gt__text_take(&writer->temporary, &text);
}

/* A killed process of the same number (containers start at 1 again) may have left its file, or one
 * on another machine may be at work: then another name. */
static gt_status open_temporary(gt_image_writer *writer)
{
    enum { NAMES = 100 };
    for (int k = 0; k < NAMES && writer->fd < 0; ++k) {
        GT_TRY(name_temporary(writer, k));
        writer->fd = open(writer->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (writer->fd < 0 && errno != EEXIST) {
            break;
        }
    }
    if (writer->fd < 0) {
        return gt__image_io_error(errno == EEXIST ? writer->temporary : writer->path,
                                  "cannot be written", errno);
    }
    writer->made = true;
    return GT_OK;
}

gt_status gt_image_writer_open(gt_image_writer **out, const char *path,
                               const gt_writer_options *options)
{
    gt_status status = GT_OK;
    gt_image_writer *writer = NULL;
    if (out == NULL || path == NULL || *path == '\0' || options == NULL) {
        return gt__fail(GT_EINVAL, "no path or options to write an image");
    }
    const struct gt_image_format *format = gt__image_format_by_name(path);
    if (format == NULL) {
        return gt__fail(GT_EINVAL, "%s: the name must end in .tif, .tiff or .png", path);
    }
    GT_TRY(check_options(options));
    GT_TRY(format->create(NULL, path, -1, options));
    GT_TRY(check_target(path, options->overwrite));
    GT_TRY(gt__alloc(&writer, 1, sizeof *writer, "image writer"));
    writer->format = format;
    writer->options = *options;
    writer->options.channel_names = NULL;
    writer->options.palette = NULL;
    writer->options.meta = NULL;
    writer->fd = -1;
    GT_TRY_OUT(gt__alloc(&writer->row, (size_t)options->width * (size_t)options->channels,
                         gt_type_size(options->type), "row of an image"));
    GT_TRY_OUT(make_names(writer, path));
    GT_TRY_OUT(open_temporary(writer));
    GT_TRY_OUT(format->create(&writer->sink, writer->path, writer->fd, options));
    *out = writer;
    writer = NULL;
out:
    gt_image_writer_free(writer);
    return status;
}

/* Convert row i of src [channels][rows][width] and hand it to the format. */
static gt_status write_row(gt_image_writer *writer, int32_t rows, const float *src, int32_t i)
{
    const gt_writer_options *o = &writer->options;
    size_t size = gt_type_size(o->type);
    size_t width = (size_t)o->width;
    for (int32_t c = 0; c < o->channels; ++c) {
        gt__samples_from_float(writer->row + (size_t)c * size,
                               (ptrdiff_t)(size * (size_t)o->channels), o->type,
                               src + ((size_t)c * (size_t)rows + (size_t)i) * width, width);
    }
    GT_TRY(writer->format->row(writer->sink, writer->row));
    writer->y += 1;
    if (writer->y == o->height) {
        writer->y = 0;
        writer->page += 1;
    }
    return GT_OK;
}

gt_status gt_image_writer_rows(gt_image_writer *writer, int32_t rows, const float *src)
{
    const gt_writer_options *o = &writer->options;
    if (writer->failed || writer->finished) {
        return gt__fail(writer->failed ? GT_EIO : GT_EINVAL, "%s: %s", writer->path,
                        writer->failed ? "writing failed before" : "is finished already");
    }
    if (rows < 1 || writer->page >= o->pages || rows > o->height - writer->y) {
        return gt__fail(GT_EINVAL, "%s: %d rows for page %zu of %zu, where %d are missing",
                        writer->path, rows, writer->page, o->pages,
                        writer->page >= o->pages ? 0 : o->height - writer->y);
    }
    for (int32_t i = 0; i < rows; ++i) {
        gt_status status = write_row(writer, rows, src, i);
        if (status != GT_OK) {
            writer->failed = true;
            return status;
        }
    }
    return GT_OK;
}

/* Make the name durable; file systems that cannot sync a folder say EINVAL. */
static gt_status sync_folder(const gt_image_writer *writer)
{
    int fd = open(writer->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno == EACCES ? GT_OK
                               : gt__image_io_error(writer->folder, "cannot be opened", errno);
    }
    int error = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return error == 0 || error == EINVAL || error == ENOTSUP
               ? GT_OK
               : gt__image_io_error(writer->folder, "cannot be brought to disk", error);
}

/* Temporary name to wanted name. A hard link never replaces a file that appeared meanwhile. */
static gt_status publish(gt_image_writer *writer)
{
    if (writer->options.overwrite == 0) {
        if (link(writer->temporary, writer->path) == 0) {
            (void)unlink(writer->temporary);
            return GT_OK;
        }
        if (errno == EEXIST) {
            return gt__fail(GT_EINVAL, "%s: exists already", writer->path);
        }
        if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS && errno != EMLINK) {
            return gt__image_io_error(writer->path, "cannot be written", errno);
        }
        GT_TRY(check_target(writer->path, 0)); /* no links here: as near as it gets */
    }
    if (rename(writer->temporary, writer->path) != 0) {
        return gt__image_io_error(writer->path, "cannot be written", errno);
    }
    return GT_OK;
}

static gt_status finish(gt_image_writer *writer)
{
    GT_TRY(writer->format->complete(writer->sink));
    if (fsync(writer->fd) != 0) {
        return gt__image_io_error(writer->path, "cannot be written", errno);
    }
    int fd = writer->fd;
    writer->fd = -1;
    if (close(fd) != 0) {
        return gt__image_io_error(writer->path, "cannot be written", errno);
    }
    GT_TRY(publish(writer));
    writer->made = false;
    return sync_folder(writer);
}

gt_status gt_image_writer_finish(gt_image_writer *writer)
{
    const gt_writer_options *o = &writer->options;
    if (writer->failed || writer->finished) {
        return gt__fail(writer->failed ? GT_EIO : GT_EINVAL, "%s: %s", writer->path,
                        writer->failed ? "writing failed before" : "is finished already");
    }
    if (writer->page < o->pages) {
        return gt__fail(GT_EINVAL, "%s: page %zu of %zu has %d of its %d rows", writer->path,
                        writer->page, o->pages, writer->y, o->height);
    }
    gt_status status = finish(writer);
    writer->failed = status != GT_OK;
    writer->finished = status == GT_OK;
    return status;
}

void gt_image_writer_free(gt_image_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    writer->format->discard(writer->sink);
    if (writer->fd >= 0) {
        (void)close(writer->fd);
    }
    if (writer->made) {
        (void)unlink(writer->temporary);
    }
    gt__free(writer->temporary);
    gt__free(writer->path);
    gt__free(writer->folder);
    gt__free(writer->row);
    gt__free(writer);
}
