/* Work cut among processes that share nothing but a file system. SPDX-License-Identifier:
 * BSD-2-Clause
 *
 * Beside the output OUT lies the folder OUT.parts with one file for every part, a mark for every
 * finished block, and job.txt, which says what the parts are parts of. A file appears under its
 * name when it is complete, so whatever was killed leaves nothing half done. */
#include "tool/process.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- how the work is cut ---- */

/* The first block of a page where there are more blocks than pages. */
static long first_block(const struct process *p, size_t page)
{
    uint64_t n = (uint64_t)p->block.n;
    return (long)(((uint64_t)page * n + p->pages - 1) / p->pages);
}

long process_bands(const struct process *p, size_t page)
{
    if ((uint64_t)p->block.n <= p->pages) {
        return 1;
    }
    return first_block(p, page + 1) - first_block(p, page);
}

bool process_band(struct process_part *out, const struct process *p, size_t page, long j)
{
    gt_model_geometry g;
    long n = process_bands(p, page);
    int32_t height = p->infos[page].height;
    gt_model_get_geometry(p->model, &g);
    /* bands start at multiples of the period, as tiles do */
    int64_t steps = (height - 1) / g.period + 1;
    int64_t first = steps * j / n * g.period;
    int64_t end = steps * (j + 1) / n * g.period;
    end = end < height ? end : height;
    *out = (struct process_part){page, (int32_t)first, (int32_t)(end - first)};
    return j < n && end > first;
}

bool process_part(struct process_part *out, const struct process *p, size_t k)
{
    uint64_t i = (uint64_t)p->block.index;
    uint64_t n = (uint64_t)p->block.n;
    size_t page = (size_t)(i * p->pages / n);
    if (n <= p->pages) {
        page += k;
        return page < (size_t)((i + 1) * p->pages / n) && process_band(out, p, page, 0);
    }
    return k == 0 && process_band(out, p, page, p->block.index - first_block(p, page));
}

/* ---- names ---- */

void process_parts_folder(char *path, size_t size, const struct process *p)
{
    size_t n = strlen(p->flags->out);
    while (n > 1 && p->flags->out[n - 1] == '/') {
        n--;
    }
    snprintf(path, size, "%.*s.parts", (int)n, p->flags->out);
}

static void inside(char *path, size_t size, const struct process *p, const char *name)
{
    process_parts_folder(path, size, p);
    size_t n = strlen(path);
    snprintf(path + n, size - n, "/%s", name);
}

void process_part_path(char *path, size_t size, const struct process *p,
                       const struct process_part *part)
{
    char name[64];
    snprintf(name, sizeof name, "page-%06zu-row-%07d.tif", part->page, part->first_row);
    inside(path, size, p, name);
}

void process_done_path(char *path, size_t size, const struct process *p, long block)
{
    char name[64];
    snprintf(name, sizeof name, "block-%06ld.done", block);
    inside(path, size, p, name);
}

void process_job_path(char *path, size_t size, const struct process *p)
{
    inside(path, size, p, "job.txt");
}

/* ---- the job ---- */

static int complain(const char *path)
{
    fprintf(stderr, "greentea: %s cannot be written: %s\n", path, strerror(errno));
    return EXIT_OUTPUT;
}

/* A file that appears complete; one that is there stays. */
static int write_once(const char *path, const char *text)
{
    char temporary[PROCESS_PATH + 32];
    size_t n = strlen(text);
    snprintf(temporary, sizeof temporary, "%s.tmp-XXXXXX", path);
    int fd = mkstemp(temporary);
    if (fd < 0) {
        return complain(path);
    }
    bool ok = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    if (ok && link(temporary, path) != 0 && errno != EEXIST) {
        ok = rename(temporary, path) == 0; /* a file system without links */
    }
    int code = ok ? 0 : complain(path);
    unlink(temporary);
    return code;
}

static void to_hex(char *hex, const unsigned char *hash)
{
    for (size_t i = 0; i < crypto_hash_sha256_BYTES; i++) {
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    }
}

static int hash_model(char *hex, const char *path)
{
    crypto_hash_sha256_state state;
    unsigned char hash[crypto_hash_sha256_BYTES];
    unsigned char bytes[16384];
    FILE *file = fopen(path, "rb");
    crypto_hash_sha256_init(&state);
    size_t n = 0;
    while (file && (n = fread(bytes, 1, sizeof bytes, file)) > 0) {
        crypto_hash_sha256_update(&state, bytes, n);
    }
    if (!file || ferror(file)) {
        fprintf(stderr, "greentea: %s cannot be read: %s\n", path, strerror(errno));
        if (file) {
            fclose(file);
        }
        return EXIT_INPUT;
    }
    fclose(file);
    crypto_hash_sha256_final(&state, hash);
    to_hex(hex, hash);
    return 0;
}

/* Names and sizes of all pages. */
static void hash_images(char *hex, const struct process *p)
{
    crypto_hash_sha256_state state;
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < p->pages; i++) {
        char text[512];
        size_t in_file = 0;
        const char *name = gt_image_reader_file(p->reader, i, &in_file);
        int n = snprintf(text, sizeof text, "%.400s %zu %d %d\n", name, in_file, p->infos[i].width,
                         p->infos[i].height);
        crypto_hash_sha256_update(&state, (const unsigned char *)text, (unsigned long long)n);
    }
    crypto_hash_sha256_final(&state, hash);
    to_hex(hex, hash);
}

enum { JOB_SIZE = 1024 };

static int job_text(char *text, const struct process *p)
{
    char model[2 * crypto_hash_sha256_BYTES + 1];
    char images[sizeof model];
    int code = hash_model(model, p->flags->model);
    hash_images(images, p);
    snprintf(text, JOB_SIZE,
             "blocks %ld\nmodel %s\nimages %s\npages %zu\nmap %d\ntype %d\nfirst label %d\n"
             "labels %d\norientations %d\ndeterministic %d\nprecision %d\n",
             p->block.n, model, images, p->pages, (int)p->plan.kind, (int)p->plan.type,
             p->plan.first, p->plan.written, p->flags->orientations, p->flags->deterministic,
             (int)p->precision);
    return code;
}

/* The first line that differs. */
static int other_job(const char *path, char *theirs, char *ours)
{
    char *rest_a = NULL;
    char *rest_b = NULL;
    char *a = strtok_r(theirs, "\n", &rest_a);
    char *b = strtok_r(ours, "\n", &rest_b);
    while (a && b && strcmp(a, b) == 0) {
        a = strtok_r(NULL, "\n", &rest_a);
        b = strtok_r(NULL, "\n", &rest_b);
    }
    return tool_usage("%s belongs to another job: it says '%s', this one '%s'; remove that folder "
                      "or choose another --out",
                      path, a ? a : "", b ? b : "");
}

int process_check_job(struct process *p, bool make)
{
    char path[PROCESS_PATH];
    char ours[JOB_SIZE];
    char theirs[JOB_SIZE] = "";
    process_job_path(path, sizeof path, p);
    int code = 0;
    if (make) {
        code = job_text(ours, p);
        code = code ? code : write_once(path, ours);
    }
    FILE *file = code ? NULL : fopen(path, "rb");
    if (!file) {
        return code ? code
                    : tool_usage("%s is missing: no blocks were computed for this output", path);
    }
    size_t n = fread(theirs, 1, sizeof theirs - 1, file);
    theirs[n] = '\0';
    fclose(file);
    if (p->block.n == 0 && sscanf(theirs, "blocks %7ld", &p->block.n) != 1) {
        return tool_usage("%s is damaged: it does not begin with the number of blocks", path);
    }
    code = job_text(ours, p);
    return code == 0 && strcmp(ours, theirs) != 0 ? other_job(path, theirs, ours) : code;
}

/* ---- a block ---- */

static int compute_part(struct process *p, const struct process_part *part)
{
    char path[PROCESS_PATH];
    struct output_size size = {p->infos[part->page].width, part->rows, 1, 1, NULL};
    process_part_path(path, sizeof path, p, part);
    if (tool_exists(path)) {
        p->unit++;
        return 0;
    }
    int code = output_open(&p->output, &p->part_plan, path, &size);
    code = code ? code : process_page(p, part->page, part->first_row, part->rows);
    if (code == 0) {
        gt_status status = output_finish(&p->output);
        code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
    }
    output_close(&p->output);
    return code;
}

static int compute_parts(struct process *p)
{
    struct process_part part;
    int code = process_set_stack(p);
    p->part_plan = p->plan;
    p->part_plan.folders = false;
    p->part_plan.coloured = false;
    for (p->units = 0; process_part(&part, p, p->units);) {
        p->units++;
    }
    for (size_t k = 0; k < p->units && code == 0; k++) {
        (void)process_part(&part, p, k);
        code = compute_part(p, &part);
    }
    return code;
}

int process_block(struct process *p)
{
    char folder[PROCESS_PATH];
    char done[PROCESS_PATH];
    process_parts_folder(folder, sizeof folder, p);
    process_done_path(done, sizeof done, p, p->block.index);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "greentea: folder %s cannot be made: %s\n", folder, strerror(errno));
        return EXIT_OUTPUT;
    }
    int code = process_check_job(p, true);
    if (code == 0 && tool_exists(done)) {
        if (!p->flags->quiet) {
            fprintf(stderr, "block %ld of %ld is done already\n", p->block.index, p->block.n);
        }
    } else if (code == 0) {
        code = compute_parts(p);
        code = code ? code : write_once(done, "");
    }
    return code == 0 && p->flags->block.merge ? process_merge(p) : code;
}
