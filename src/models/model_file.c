/* Writing model files: safetensors, beside the old file and renamed.
 * SPDX-License-Identifier: BSD-2-Clause */
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

/* All that goes into a file. */
struct content {
    struct gt_file_tensor *tensors;
    size_t n_tensors;
    struct gt_checkpoint state;
    char *config, *header;
    size_t header_length;
    uint64_t total; /* bytes of the file */
};

static gt_status fail_io(const char *path, const char *what)
{
    char reason[128];
    if (strerror_r(errno, reason, sizeof reason) != 0) {
        snprintf(reason, sizeof reason, "error %d", errno);
    }
    return gt__fail(GT_EIO, "%s: cannot %s: %s", path, what, reason);
}

static gt_status list_tensors(struct content *c, const gt_model *model,
                              const struct gt_checkpoint *extra)
{
    const size_t more = extra ? extra->n_tensors : 0;
    GT_TRY(gt__alloc(&c->tensors, model->n_tensors + more, sizeof *c->tensors, "tensor list"));
    for (size_t i = 0; i < model->n_tensors; i++) {
        const struct gt_model_tensor *t = &model->tensors[i];
        c->tensors[i] = (struct gt_file_tensor){t->name, t->shape, t->dims, t->data};
    }
    if (more > 0) {
        memcpy(c->tensors + model->n_tensors, extra->tensors, more * sizeof *c->tensors);
    }
    c->n_tensors = model->n_tensors + more;
    return GT_OK;
}

static gt_status prepare(struct content *c, const gt_model *model,
                         const struct gt_checkpoint *extra)
{
    c->state =
        (struct gt_checkpoint){model->iteration, model->key, model->counter, NULL, NULL, NULL, 0};
    if (extra) {
        c->state = *extra;
    }
    GT_TRY(list_tensors(c, model, extra));
    GT_TRY(gt__config_write(&c->config, model, c->state.solver));
    struct gt_sha256 sha;
    GT_TRY(gt__sha256_begin(&sha));
    for (size_t i = 0; i < c->n_tensors; i++) {
        const size_t n = gt__count(c->tensors[i].shape);
        gt__sha256_floats(&sha, c->tensors[i].data, n);
        c->total += n * sizeof(float);
    }
    char digest[GT_SHA256_HEX];
    gt__sha256_end(digest, &sha);
    GT_TRY(gt__header_write(&c->header, &c->header_length, c->tensors, c->n_tensors, &c->state,
                            c->config, digest));
    c->total += 8 + c->header_length;
    return GT_OK;
}

static gt_status write_all(int fd, const void *data, size_t size, uint64_t *done, uint64_t total,
                           const char *path)
{
    const char *p = data;
    while (size > 0) {
        const ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            char what[64];
            snprintf(what, sizeof what, "write the last %" PRIu64 " of %" PRIu64 " bytes",
                     total - *done, total);
            return fail_io(path, what);
        }
        p += n;
        size -= (size_t)n;
        *done += (size_t)n;
    }
    return GT_OK;
}

static gt_status write_content(int fd, const struct content *c, const char *path)
{
    uint8_t bytes[GT_FLOAT_CHUNK * sizeof(float)];
    uint64_t done = 0;
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)c->header_length >> (8 * i));
    }
    GT_TRY(write_all(fd, bytes, 8, &done, c->total, path));
    GT_TRY(write_all(fd, c->header, c->header_length, &done, c->total, path));
    for (size_t i = 0; i < c->n_tensors; i++) {
        const float *data = c->tensors[i].data;
        size_t left = gt__count(c->tensors[i].shape);
        while (left > 0) {
            const size_t n = left < GT_FLOAT_CHUNK ? left : GT_FLOAT_CHUNK;
            gt__floats_to_bytes(bytes, data, n);
            GT_TRY(write_all(fd, bytes, n * sizeof(float), &done, c->total, path));
            data += n;
            left -= n;
        }
    }
    return GT_OK;
}

/* The new file, complete and on the disk. A stale one of the same process number is replaced. */
static gt_status write_beside(const char *temporary, const struct content *c, const char *path)
{
    unlink(temporary);
    const int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return fail_io(temporary, "create");
    }
    gt_status status = write_content(fd, c, path);
    if (status == GT_OK && fsync(fd) != 0) {
        status = fail_io(path, "bring to the disk");
    }
    if (close(fd) != 0 && status == GT_OK) {
        status = fail_io(path, "close");
    }
    return status;
}

/* Folders and devices are not ours to replace or to move. */
static gt_status check_target(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        return gt__fail(GT_EINVAL, "%s is not a regular file", path);
    }
    return GT_OK;
}

/* Did link() fail because there are no hard links here, or no more of them? */
static bool no_links(int error)
{
    return error == EPERM || error == ENOTSUP || error == ENOSYS || error == EMLINK ||
           error == EOPNOTSUPP;
}

/* A second name for the old file, moved over `path`.prev. Where there are no hard links it is
 * renamed: then for an instant only `path`.prev exists, which resuming accepts. */
static gt_status keep_former(const char *path, const char *previous, const char *temporary)
{
    unlink(temporary);
    if (link(path, temporary) != 0) {
        if (errno == ENOENT) {
            return GT_OK;
        }
        if (!no_links(errno) || rename(path, previous) != 0) {
            return fail_io(previous, "keep the former file");
        }
        return GT_OK;
    }
    gt_status status = GT_OK;
    if (rename(temporary, previous) != 0) {
        status = fail_io(previous, "keep the former file");
    }
    unlink(temporary); /* renaming between two names of one file leaves both */
    return status;
}

/* Names live on the disk only when the folder does. Some file systems cannot do that. */
static gt_status sync_folder(const char *path)
{
    char *folder = NULL;
    GT_TRY(gt__strdup(&folder, path));
    char *slash = strrchr(folder, '/');
    if (slash) {
        slash[slash == folder] = 0;
    }
    gt_status status = GT_OK;
    const int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP) {
            status = fail_io(folder, "bring the folder to the disk");
        }
        close(fd);
    }
    gt__free(folder);
    return status;
}

static gt_status append_name(char **out, const char *path, const char *suffix, bool pid)
{
    struct gt_text text = {0};
    gt__text_add(&text, "%s%s", path, suffix);
    if (pid) {
        gt__text_add(&text, ".tmp-%ld", (long)getpid());
    }
    return gt__text_take(out, &text);
}

gt_status gt__model_file_write(const gt_model *model, const char *path,
                               const struct gt_checkpoint *extra, bool keep_prev)
{
    gt_status status = GT_OK;
    struct content content = {0};
    char *temporary = NULL;
    char *previous = NULL;
    char *previous_temporary = NULL;
    bool written = false;
    GT_TRY_OUT(check_target(path));
    GT_TRY_OUT(append_name(&temporary, path, "", true));
    GT_TRY_OUT(append_name(&previous, path, ".prev", false));
    GT_TRY_OUT(append_name(&previous_temporary, path, ".prev", true));
    GT_TRY_OUT(prepare(&content, model, extra));
    written = true;
    GT_TRY_OUT(write_beside(temporary, &content, path));
    if (keep_prev) {
        GT_TRY_OUT(keep_former(path, previous, previous_temporary));
    }
    if (rename(temporary, path) != 0) {
        status = fail_io(path, "replace");
        goto out;
    }
    written = false;
    GT_TRY_OUT(sync_folder(path));
out:
    if (written) {
        unlink(temporary);
    }
    gt__free(previous_temporary);
    gt__free(previous);
    gt__free(temporary);
    gt__free(content.header);
    gt__free(content.config);
    gt__free(content.tensors);
    return status;
}

gt_status gt_model_save(const gt_model *model, const char *path)
{
    if (!model || !path || !*path) {
        return gt__fail(GT_EINVAL, "saving needs a model and a path");
    }
    return gt__model_file_write(model, path, NULL, false);
}
