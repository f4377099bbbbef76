/* A file, a multi-page file or a folder as a sequence of pages; one file is open at a time.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/format.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader_file {
    char *path;
    const char *name; /* inside path */
    size_t first;     /* page of the reader that is this file's page 0 */
    int32_t hyperstack;
};

struct gt_image_reader {
    gt_image_limits limits;
    struct reader_file *files;
    size_t n_files, capacity;
    size_t pages;
    int32_t hyperstack;
    bool indices;
    /* the open file */
    const struct gt_image_format *format;
    struct gt_image_file *open;
    size_t open_index;
};

static void close_file(gt_image_reader *reader)
{
    if (reader->open != NULL) {
        reader->format->close(reader->open);
        reader->open = NULL;
    }
}

/* Size, and the format by the first bytes. */
static gt_status identify(const struct gt_image_format **format, uint64_t *bytes, const char *path)
{
    unsigned char head[16] = {0};
    struct stat info;
    if (stat(path, &info) != 0) {
        return gt__image_io_error(path, "cannot be opened", errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return gt__fail(GT_EIO, "%s: neither a file nor a folder", path);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return gt__image_io_error(path, "cannot be opened", errno);
    }
    ssize_t n = pread(fd, head, sizeof head, 0);
    int error = errno;
    (void)close(fd);
    if (n < 0) {
        return gt__image_io_error(path, "cannot be read", error);
    }
    *bytes = (uint64_t)info.st_size;
    *format = gt__image_format_by_head(head, (size_t)n);
    if (*format == NULL) {
        return gt__fail(GT_EFORMAT, "%s: neither TIFF nor PNG (%llu bytes)", path,
                        (unsigned long long)info.st_size);
    }
    return GT_OK;
}

static gt_status open_file(gt_image_reader *reader, size_t index)
{
    if (reader->open != NULL && reader->open_index == index) {
        return GT_OK;
    }
    close_file(reader);
    struct gt_image_source source = {
        .path = reader->files[index].path, .limits = &reader->limits, .indices = reader->indices};
    const struct gt_image_format *format = NULL;
    GT_TRY(identify(&format, &source.bytes, source.path));
    GT_TRY(format->open(&reader->open, &source));
    reader->format = format;
    reader->open_index = index;
    return GT_OK;
}

static gt_status add_file(gt_image_reader *reader, const char *folder, const char *name)
{
    struct gt_text path = {0};
    GT_TRY(gt__grow(&reader->files, &reader->capacity, reader->n_files + 1, sizeof *reader->files,
                    "list of files"));
    struct reader_file *file = &reader->files[reader->n_files];
    gt__text_add(&path, "%s%s%s", folder, *folder == '\0' ? "" : "/", name);
    GT_TRY(gt__text_take(&file->path, &path));
    const char *slash = strrchr(file->path, '/');
    file->name = slash == NULL ? file->path : slash + 1;
    reader->n_files += 1;
    return GT_OK;
}

static int compare_names(const void *a, const void *b)
{
    const struct reader_file *x = a;
    const struct reader_file *y = b;
    return strcmp(x->name, y->name);
}

/* Images of a folder; what starts with a dot is the system's ("._a.tif"). */
static gt_status list_folder(gt_image_reader *reader, const char *path)
{
    gt_status status = GT_OK;
    const struct dirent *entry = NULL;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return gt__image_io_error(path, "cannot be opened", errno);
    }
    while (errno = 0, (entry = readdir(folder)) != NULL) {
        struct stat info;
        if (entry->d_name[0] == '.' || gt__image_format_by_name(entry->d_name) == NULL ||
            (fstatat(dirfd(folder), entry->d_name, &info, 0) == 0 && !S_ISREG(info.st_mode))) {
            continue;
        }
        if (reader->n_files >= reader->limits.max_pages) {
            status = gt__fail(GT_ELIMIT, "%s: more than %u pages", path, reader->limits.max_pages);
            goto out;
        }
        GT_TRY_OUT(add_file(reader, path, entry->d_name));
    }
    if (errno != 0) {
        status = gt__image_io_error(path, "cannot be read", errno);
    } else if (reader->n_files == 0) {
        status = gt__fail(GT_EFORMAT, "%s: the folder holds no .tif, .tiff or .png file", path);
    } else {
        qsort(reader->files, reader->n_files, sizeof *reader->files, compare_names);
    }
out:
    (void)closedir(folder);
    return status;
}

/* Open every file once to count its pages; its first page must be within the limits. */
static gt_status count_pages(gt_image_reader *reader, const char *path)
{
    gt_page_info info;
    for (size_t i = 0; i < reader->n_files; ++i) {
        struct reader_file *file = &reader->files[i];
        GT_TRY(open_file(reader, i));
        GT_TRY(reader->format->page(&info, reader->open, 0));
        file->first = reader->pages;
        file->hyperstack = reader->open->hyperstack;
        reader->pages += reader->open->pages;
        if (reader->pages > reader->limits.max_pages) {
            return gt__fail(GT_ELIMIT, "%s: more than %u pages", path, reader->limits.max_pages);
        }
    }
    reader->hyperstack = reader->files[0].hyperstack;
    for (size_t i = 1; i < reader->n_files; ++i) {
        if (reader->files[i].hyperstack != reader->hyperstack) {
            reader->hyperstack = 1;
        }
    }
    return GT_OK;
}

gt_status gt_image_reader_open(gt_image_reader **out, const char *path,
                               const gt_image_limits *limits)
{
    gt_status status = GT_OK;
    gt_image_reader *reader = NULL;
    struct stat info;
    if (out == NULL || path == NULL || *path == '\0') {
        return gt__fail(GT_EINVAL, "no path to read images from");
    }
    if (stat(path, &info) != 0) {
        return gt__image_io_error(path, "cannot be opened", errno);
    }
    GT_TRY(gt__alloc(&reader, 1, sizeof *reader, "image reader"));
    gt_image_limits_init(&reader->limits);
    if (limits != NULL) {
        reader->limits = *limits;
    }
    if (S_ISDIR(info.st_mode)) {
        GT_TRY_OUT(list_folder(reader, path));
    } else {
        GT_TRY_OUT(add_file(reader, "", path));
    }
    GT_TRY_OUT(count_pages(reader, path));
    *out = reader;
    reader = NULL;
out:
    gt_image_reader_free(reader);
    return status;
}

size_t gt_image_reader_pages(const gt_image_reader *reader)
{
    return reader->pages;
}

int32_t gt_image_reader_hyperstack_channels(const gt_image_reader *reader)
{
    return reader->hyperstack;
}

/* Index of the file that holds a valid page: the last whose first page is not behind it. */
static size_t file_of(const gt_image_reader *reader, size_t page)
{
    size_t low = 0;
    size_t high = reader->n_files;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (reader->files[middle].first <= page) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Open the file of a page; *page becomes the page in it. */
static gt_status seek_page(gt_image_reader *reader, size_t *page)
{
    if (*page >= reader->pages) {
        return gt__fail(GT_EINVAL, "page %zu of %zu", *page, reader->pages);
    }
    size_t index = file_of(reader, *page);
    GT_TRY(open_file(reader, index));
    *page -= reader->files[index].first;
    if (*page >= reader->open->pages) {
        return gt__fail(GT_EFORMAT, "%s: the file has changed while it was read",
                        reader->files[index].path);
    }
    return GT_OK;
}

gt_status gt_image_reader_page(gt_page_info *out, gt_image_reader *reader, size_t page)
{
    GT_TRY(seek_page(reader, &page));
    return reader->format->page(out, reader->open, page);
}

gt_status gt_image_reader_meta(gt_image_meta *out, gt_image_reader *reader, size_t page)
{
    if (out == NULL || reader == NULL) {
        return gt__fail(GT_EINVAL, "out or reader is NULL");
    }
    GT_TRY(seek_page(reader, &page));
    const struct gt_image_file *file = reader->open;
    *out = file->meta;
    out->channels = file->hyperstack;
    size_t rest = file->pages / (size_t)file->hyperstack;
    size_t frames = out->frames > 0 ? (size_t)out->frames : 1;
    if (rest % frames != 0) {
        frames = 1;
    }
    out->frames = (int32_t)frames;
    out->slices = (int32_t)(rest / frames);
    return GT_OK;
}

void gt_image_reader_keep_indices(gt_image_reader *reader)
{
    close_file(reader); /* what is open knows its page by its colours */
    reader->indices = true;
}

const char *gt_image_reader_file(const gt_image_reader *reader, size_t page, size_t *page_in_file)
{
    const struct reader_file *file =
        &reader->files[file_of(reader, page < reader->pages ? page : reader->pages - 1)];
    if (page_in_file != NULL) {
        *page_in_file = page - file->first;
    }
    return file->name;
}

gt_status gt_image_reader_rows(gt_image_reader *reader, size_t page, int32_t y, int32_t rows,
                               float *dst)
{
    gt_page_info info;
    size_t inner = page;
    GT_TRY(seek_page(reader, &inner));
    GT_TRY(reader->format->page(&info, reader->open, inner));
    if (y < 0 || rows < 1 || rows > info.height || y > info.height - rows) {
        return gt__fail(GT_EINVAL, "%d rows from row %d of page %zu, which has %d", rows, y, page,
                        info.height);
    }
    return reader->format->rows(reader->open, inner, y, rows, dst);
}

gt_status gt_image_reader_load(gt_image **out, gt_image_reader *reader, size_t page)
{
    gt_page_info info;
    gt_image *image = NULL;
    GT_TRY(gt_image_reader_page(&info, reader, page));
    GT_TRY(gt_image_create(&image, GT_F32, info.channels, info.height, info.width));
    gt_status status =
        gt_image_reader_rows(reader, page, 0, info.height, gt_image_get_view(image).data);
    if (status != GT_OK) {
        gt_image_free(image);
        return status;
    }
    *out = image;
    return GT_OK;
}

void gt_image_reader_free(gt_image_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    close_file(reader);
    for (size_t i = 0; i < reader->n_files; ++i) {
        gt__free(reader->files[i].path);
    }
    gt__free(reader->files);
    gt__free(reader);
}
