/* Parts of all blocks joined to the output. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 64 };

/* Copy plane k of a part behind what the writer has. */
static int copy_part(struct process *p, const struct process_part *part, int32_t k, float *rows)
{
    char path[PROCESS_PATH];
    gt_image_reader *reader = NULL;
    gt_image_limits limits;
    gt_page_info info = {0};
    size_t plane = (size_t)k;
    process_part_path(path, sizeof path, p, part);
    gt_image_limits_init(&limits);
    limits.max_expansion = 0; /* we wrote it: a blank part may shrink as far as it will */
    gt_status status = gt_image_reader_open(&reader, path, &limits);
    if (status == GT_OK) {
        status = gt_image_reader_page(&info, reader, plane);
    }
    if (status == GT_OK &&
        (info.width != p->infos[part->page].width || info.height != part->rows)) {
        fprintf(stderr,
                "greentea: %s is %d x %d, expected %d x %d; remove it and its block's mark\n", path,
                info.width, info.height, p->infos[part->page].width, part->rows);
        gt_image_reader_free(reader);
        return EXIT_INPUT;
    }
    int code = status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
    gt_image_writer *writer = p->output.writers[p->plan.folders ? k : 0];
    for (int32_t y = 0; y < part->rows && code == 0; y += ROWS) {
        int32_t n = part->rows - y < ROWS ? part->rows - y : ROWS;
        status = gt_image_reader_rows(reader, plane, y, n, rows);
        code = status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
        if (code == 0) {
            status = gt_image_writer_rows(writer, n, rows);
            code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
        }
    }
    gt_image_reader_free(reader);
    return code;
}

static int join_page(struct process *p, size_t page)
{
    struct process_part part;
    float *rows = malloc((size_t)ROWS * (size_t)p->infos[page].width * sizeof *rows);
    int code = 0;
    if (!rows) {
        fprintf(stderr, "greentea: no memory for %d rows\n", ROWS);
        return EXIT_DEVICE;
    }
    for (int32_t k = 0; k < p->plan.written && code == 0; k++) {
        for (long j = 0; j < process_bands(p, page) && code == 0; j++) {
            if (process_band(&part, p, page, j)) {
                code = copy_part(p, &part, k, rows);
            }
        }
        code = code ? code : tool_signal();
    }
    free(rows);
    return code;
}

static int join_file(struct process *p, const struct process_file *file)
{
    int code = process_open_output(p, file);
    for (size_t i = file->first; i < file->first + file->pages && code == 0; i++) {
        char counts[64];
        code = join_page(p, i);
        snprintf(counts, sizeof counts, "joining, page %zu/%zu", i + 1, p->pages);
        progress_show(&p->progress, (double)(i + 1) / (double)p->pages, counts, "", "",
                      i + 1 == p->pages);
    }
    if (code == 0) {
        gt_status status = output_finish(&p->output);
        code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
    }
    output_close(&p->output);
    return code;
}

/* How many blocks are not done; the first of them. */
static long missing_blocks(const struct process *p, long *first)
{
    char path[PROCESS_PATH];
    long missing = 0;
    for (long i = p->block.n - 1; i >= 0; i--) {
        process_done_path(path, sizeof path, p, i);
        if (!tool_exists(path)) {
            *first = i;
            missing++;
        }
    }
    return missing;
}

/* All that is ours, the parts last; what killed processes left, too. */
static void remove_parts(const struct process *p)
{
    char path[PROCESS_PATH];
    char folder[PROCESS_PATH];
    struct process_part part;
    for (long i = 0; i < p->block.n; i++) {
        process_done_path(path, sizeof path, p, i);
        unlink(path);
    }
    for (size_t page = 0; page < p->pages; page++) {
        for (long j = 0; j < process_bands(p, page); j++) {
            if (process_band(&part, p, page, j)) {
                process_part_path(path, sizeof path, p, &part);
                unlink(path);
            }
        }
    }
    process_parts_folder(folder, sizeof folder, p);
    DIR *entries = opendir(folder);
    for (struct dirent *e = NULL; entries && (e = readdir(entries));) {
        if (strstr(e->d_name, ".tmp-")) {
            unlinkat(dirfd(entries), e->d_name, 0);
        }
    }
    if (entries) {
        closedir(entries);
    }
    process_job_path(path, sizeof path, p);
    unlink(path);
    if (rmdir(folder) != 0 && errno != ENOENT) {
        fprintf(stderr, "the output is complete; %s is left: %s\n", folder, strerror(errno));
    }
}

/* Descriptor of the lock, on job.txt, that one process at a time holds; the system frees it if we
 * die. -1: it is held, or the parts are gone: somebody else joins. */
static int lock(const struct process *p)
{
    char path[PROCESS_PATH];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    process_job_path(path, sizeof path, p);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && fcntl(fd, F_SETLK, &whole) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int join_all(struct process *p)
{
    struct process_file file;
    int code = process_make_folders(p);
    for (size_t first = 0; code == 0 && process_next_file(&file, p, first);
         first = file.first + file.pages) {
        code = join_file(p, &file);
    }
    if (code == 0) {
        remove_parts(p);
    }
    return code;
}

/* What --dry-run says. */
static int tell_blocks(const struct process *p)
{
    long first = 0;
    long missing = missing_blocks(p, &first);
    printf("%ld of %ld blocks of %s are done", p->block.n - missing, p->block.n, p->flags->out);
    if (missing > 0) {
        printf(", the first missing one is %ld", first);
    }
    printf("\n");
    return EXIT_OK;
}

/* Join if all blocks are done. *again: the last of them was finished while we looked, by a process
 * that found our lock and left joining to us. */
static int join_once(bool *again, struct process *p, bool last)
{
    long first = 0;
    int code = 0;
    int fd = lock(p);
    *again = false;
    if (fd < 0) {
        return last ? 0 : tool_usage("another process is joining the parts of %s", p->flags->out);
    }
    long missing = missing_blocks(p, &first);
    if (missing == 0) {
        code = join_all(p);
    } else if (!last) {
        fprintf(stderr, "greentea: %ld of %ld blocks of %s are not done, the first is %ld\n",
                missing, p->block.n, p->flags->out, first);
        code = EXIT_INPUT;
    }
    close(fd);
    *again = last && missing > 0 && missing_blocks(p, &first) == 0;
    return code;
}

int process_merge(struct process *p)
{
    bool last = p->flags->block.block != NULL; /* we join only if ours was the last block */
    bool again = true;
    int code = last ? 0 : process_check_job(p, false);
    if (code == 0 && p->flags->dry_run) {
        return tell_blocks(p);
    }
    while (code == 0 && again) {
        code = join_once(&again, p, last);
    }
    return code;
}
