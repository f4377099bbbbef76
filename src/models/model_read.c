/* Reading model files: hostile until proved otherwise. SPDX-License-Identifier: BSD-2-Clause */
#include "models/model_file.h"

#include "core/error.h"
#include "core/mem.h"
#include "models/model_json.h"
#include "models/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gt_model_file {
    int fd;
    char *path;
    uint64_t data_start, data_size;
    json_t *root; /* owns names and metadata */
    struct gt_file_entry *entries;
    size_t n_entries;
};

static gt_status fail_errno(const char *path, const char *what)
{
    char reason[128];
    if (strerror_r(errno, reason, sizeof reason) != 0) {
        snprintf(reason, sizeof reason, "error %d", errno);
    }
    return gt__fail(GT_EIO, "%s: cannot %s: %s", path, what, reason);
}

static gt_status read_at(const struct gt_model_file *f, void *dst, size_t size, uint64_t offset)
{
    char *p = dst;
    while (size > 0) {
        const ssize_t n = pread(f->fd, p, size, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_errno(f->path, "read");
        }
        if (n == 0) {
            return gt__fail(GT_EIO, "%s: ends at byte %" PRIu64 " while it is read", f->path,
                            offset);
        }
        p += n;
        size -= (size_t)n;
        offset += (size_t)n;
    }
    return GT_OK;
}

static gt_status open_path(struct gt_model_file *f, const char *path, uint64_t *size)
{
    struct stat info;
    GT_TRY(gt__strdup(&f->path, path));
    f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (f->fd < 0) {
        return fail_errno(path, "open");
    }
    if (fstat(f->fd, &info) != 0) {
        return fail_errno(path, "examine");
    }
    if (!S_ISREG(info.st_mode)) {
        return gt__fail(GT_EIO, "%s: not a regular file", path);
    }
    *size = (uint64_t)info.st_size;
    return GT_OK;
}

/* The length is compared with the limit and the file before memory is taken. */
static gt_status read_header(struct gt_model_file *f, uint64_t size)
{
    uint8_t bytes[8];
    char *text = NULL;
    if (size < 8) {
        return gt__fail(GT_EFORMAT, "%s: not a safetensors file: %" PRIu64 " bytes", f->path, size);
    }
    GT_TRY(read_at(f, bytes, 8, 0));
    uint64_t length = 0;
    for (size_t i = 0; i < 8; i++) {
        length |= (uint64_t)bytes[i] << (8 * i);
    }
    if (length > GT_HEADER_LIMIT) {
        return gt__fail(GT_ELIMIT,
                        "%s: a header of %" PRIu64 " bytes is above the limit of %" PRIu64, f->path,
                        length, GT_HEADER_LIMIT);
    }
    if (length > size - 8) {
        return gt__fail(GT_EFORMAT,
                        "%s: the header should have %" PRIu64 " bytes, the file has %" PRIu64,
                        f->path, length, size);
    }
    f->data_start = 8 + length;
    f->data_size = size - f->data_start;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__alloc_raw(&text, length + 1, 1, "header of a model file"));
    GT_TRY_OUT(read_at(f, text, length, 8));
    GT_TRY_OUT(
        gt__header_read(&f->root, &f->entries, &f->n_entries, text, length, f->data_size, f->path));
out:
    gt__free(text);
    return status;
}

static gt_status check_format(const struct gt_model_file *f)
{
    uint64_t format = 0;
    if (!gt__model_file_meta(f, "greentea.format")) {
        return GT_OK; /* a plain safetensors file: weights can be taken from it */
    }
    GT_TRY(gt__model_file_number(&format, f, "greentea.format"));
    if (format != GT_MODEL_FORMAT) {
        return gt__fail(GT_EFORMAT, "%s: format %" PRIu64 "; this version reads format %d%s",
                        f->path, format, GT_MODEL_FORMAT,
                        format > GT_MODEL_FORMAT ? ", a newer one is needed" : "");
    }
    if (!gt__model_file_meta(f, "greentea.sha256")) {
        return gt__fail(GT_EFORMAT, "%s: the digest greentea.sha256 is missing", f->path);
    }
    return GT_OK;
}

static gt_status check_digest(const struct gt_model_file *f)
{
    const char *stated = gt__model_file_meta(f, "greentea.sha256");
    if (!stated) {
        return GT_OK;
    }
    const size_t chunk = (size_t)1 << 18;
    uint8_t *bytes = NULL;
    gt_status status = GT_OK;
    struct gt_sha256 sha;
    GT_TRY_OUT(gt__alloc_raw(&bytes, chunk, 1, "reading a model file"));
    GT_TRY_OUT(gt__sha256_begin(&sha));
    for (uint64_t at = 0; at < f->data_size;) {
        const uint64_t left = f->data_size - at;
        const size_t n = left < chunk ? (size_t)left : chunk;
        GT_TRY_OUT(read_at(f, bytes, n, f->data_start + at));
        gt__sha256_bytes(&sha, bytes, n);
        at += n;
    }
    char digest[GT_SHA256_HEX];
    gt__sha256_end(digest, &sha);
    if (strcmp(digest, stated) != 0) {
        status = gt__fail(GT_EFORMAT, "%s: the data is damaged: SHA-256 %s, expected %.64s",
                          f->path, digest, stated);
    }
out:
    gt__free(bytes);
    return status;
}

gt_status gt__model_file_open(struct gt_model_file **out, const char *path)
{
    gt_status status = GT_OK;
    struct gt_model_file *f = NULL;
    uint64_t size = 0;
    GT_TRY(gt__alloc(&f, 1, sizeof *f, "model file"));
    f->fd = -1;
    GT_TRY_OUT(open_path(f, path, &size));
    GT_TRY_OUT(read_header(f, size));
    GT_TRY_OUT(check_format(f));
    GT_TRY_OUT(check_digest(f));
    *out = f;
    f = NULL;
out:
    gt__model_file_close(f);
    return status;
}

void gt__model_file_close(struct gt_model_file *file)
{
    if (file) {
        if (file->fd >= 0) {
            close(file->fd);
        }
        json_decref(file->root);
        gt__free(file->entries);
        gt__free(file->path);
        gt__free(file);
    }
}

const char *gt__model_file_path(const struct gt_model_file *file)
{
    return file->path;
}

const char *gt__model_file_meta(const struct gt_model_file *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->root, "__metadata__"), key));
}

gt_status gt__model_file_number(uint64_t *out, const struct gt_model_file *file, const char *key)
{
    const char *text = gt__model_file_meta(file, key);
    uint64_t value = 0;
    bool good = text && *text;
    for (const char *p = text; good && *p; p++) {
        good = *p >= '0' && *p <= '9' && !__builtin_mul_overflow(value, 10u, &value) &&
               !__builtin_add_overflow(value, (uint64_t)(*p - '0'), &value);
    }
    if (!good) {
        return gt__fail(GT_EFORMAT, "%s: %s is \"%.24s\", expected a number", file->path, key,
                        text ? text : "");
    }
    *out = value;
    return GT_OK;
}

static const struct gt_file_entry *find_entry(const struct gt_model_file *file, const char *name)
{
    for (size_t i = 0; i < file->n_entries; i++) {
        if (strcmp(file->entries[i].name, name) == 0) {
            return &file->entries[i];
        }
    }
    return NULL;
}

const char *gt__model_file_name(const struct gt_model_file *file, size_t index)
{
    return index < file->n_entries ? file->entries[index].name : NULL;
}

bool gt__model_file_has(const struct gt_model_file *file, const char *name)
{
    return find_entry(file, name) != NULL;
}

gt_status gt__model_file_expect(const struct gt_model_file *file, const char *name, gt_shape shape)
{
    const struct gt_file_entry *e = find_entry(file, name);
    if (!e) {
        return gt__fail(GT_ESHAPE, "%s: the tensor %s is missing", file->path, name);
    }
    const gt_shape s = e->shape;
    if (!gt__shape_equal(s, shape)) {
        return gt__fail(GT_ESHAPE,
                        "%s: %s has the shape %d x %d x %d x %d, expected %d x %d x %d x %d",
                        file->path, name, s.n, s.c, s.h, s.w, shape.n, shape.c, shape.h, shape.w);
    }
    return GT_OK;
}

gt_status gt__model_file_read(float *dst, const struct gt_model_file *file, const char *name,
                              gt_shape shape)
{
    GT_TRY(gt__model_file_expect(file, name, shape));
    uint64_t at = file->data_start + find_entry(file, name)->begin;
    uint8_t bytes[GT_FLOAT_CHUNK * sizeof(float)];
    for (size_t left = gt__count(shape); left > 0;) {
        const size_t n = left < GT_FLOAT_CHUNK ? left : GT_FLOAT_CHUNK;
        GT_TRY(read_at(file, bytes, n * sizeof(float), at));
        gt__bytes_to_floats(dst, bytes, n);
        dst += n;
        left -= n;
        at += n * sizeof(float);
    }
    return GT_OK;
}
