/* The table of measured costs of a device. SPDX-License-Identifier: BSD-2-Clause
 *
 * A file is text: a line that names format and device, one line "<key> <nanoseconds>" for each
 * measurement in ascending order of keys, and a last line "end <lines> <hash of all before>". A
 * file that is not exactly so is ignored. */
#include "core/tune.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cache.h"

struct entry {
    char *key;
    double seconds;
};

struct gt_tune {
    struct entry *entries; /* ascending */
    size_t n, capacity;
};

enum { IDENTITY = 512, LINE = GT_TUNE_KEY + 64 };

static uint64_t hash_bytes(uint64_t hash, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)data[i]) * 0x100000001b3u; /* FNV-1a */
    }
    return hash;
}

uint64_t gt__hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text));
}

__attribute__((format(printf, 3, 4))) static void say(const struct gt_device *d, gt_log_level level,
                                                      const char *format, ...)
{
    char text[GT_CACHE_PATH + 128];
    va_list args;
    if (d->options.log) {
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        d->options.log(level, text, d->options.cookie);
    }
}

/* ---- keys ---- */

struct line {
    char *text;
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line->text + line->n, GT_TUNE_KEY - line->n, format, args);
    va_end(args);
    line->n += n > 0 ? (size_t)n : 0;
    line->n = line->n < GT_TUNE_KEY ? line->n : GT_TUNE_KEY - 1;
}

static void put_value(struct line *line, const struct gt_graph *g, gt_value v, gt_layout l)
{
    if (v == GT_NO_VALUE) {
        put(line, ",-");
        return;
    }
    gt_shape s = gt__value(g, v)->shape;
    put(line, ",%dx%dx%dx%d%sb%dp%d", s.n, s.c, s.h, s.w, l.kind == GT_KIND_U8 ? "u8" : "f",
        l.block, l.phase);
}

/* Attributes that are only numbers in the arithmetic (weights, rates) do not change the time. */
void gt__tune_key(char out[GT_TUNE_KEY], const struct gt_graph *g, const struct gt_node *node,
                  const struct gt_option *option)
{
    struct line line = {out, 0};
    const struct gt_attr *a = &node->attr;
    out[0] = '\0';
    put(&line, "%s:k%dx%ds%dd%dm%d%d%d%d%dn%de%u:", gt__ops[node->op]->name, a->kernel_h,
        a->kernel_w, a->stride, a->dilation, a->forward[0], a->forward[1], a->backward[0],
        a->backward[1], a->which, (int)a->normalize, (unsigned)node->epilogue);
    for (int32_t i = 0; i < node->n_in; i++) {
        put_value(&line, g, node->in[i], option->plan.in[i]);
    }
    put(&line, ">");
    for (int32_t i = 0; i < node->n_out; i++) {
        put_value(&line, g, node->out[i], option->plan.out[i]);
    }
    put(&line, " %s %u", option->kernel->name, option->variant);
}

/* ---- the table ---- */

/* Place of a key, or where it belongs. */
static size_t place(const struct gt_tune *t, const char *key, bool *found)
{
    size_t low = 0;
    size_t high = t->n;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(t->entries[middle].key, key);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

double gt__tune_find(const struct gt_device *d, const char *key)
{
    bool found = false;
    if (!d->tune || d->tune->n == 0) {
        return -1.0;
    }
    size_t at = place(d->tune, key, &found);
    return found ? d->tune->entries[at].seconds : -1.0;
}

gt_status gt__tune_add(struct gt_device *d, const char *key, double seconds)
{
    struct gt_tune *t = d->tune;
    char *copy = NULL;
    bool found = false;
    size_t at = place(t, key, &found);
    if (found) {
        t->entries[at].seconds = seconds;
        return GT_OK;
    }
    GT_TRY(gt__grow(&t->entries, &t->capacity, t->n + 1, sizeof *t->entries, "tuning table"));
    GT_TRY(gt__strdup(&copy, key));
    memmove(&t->entries[at + 1], &t->entries[at], (t->n - at) * sizeof *t->entries);
    t->entries[at] = (struct entry){copy, seconds};
    t->n++;
    return GT_OK;
}

void gt__tune_clear(struct gt_device *d)
{
    for (size_t i = 0; d->tune && i < d->tune->n; i++) {
        gt__free(d->tune->entries[i].key);
    }
    if (d->tune) {
        d->tune->n = 0;
    }
}

size_t gt__tune_count(const struct gt_device *d)
{
    return d->tune ? d->tune->n : 0;
}

void gt__tune_free(struct gt_device *d)
{
    gt__tune_clear(d);
    if (d->tune) {
        gt__free(d->tune->entries);
        gt__free(d->tune);
        d->tune = NULL;
    }
}

void gt__tune_cost(const struct gt_planner *p, const struct gt_node *node, struct gt_option *option)
{
    char key[GT_TUNE_KEY];
    if (gt__tune_count(p->device) == 0) {
        return;
    }
    gt__tune_key(key, p->graph, node, option);
    double seconds = gt__tune_find(p->device, key);
    if (seconds >= 0.0) {
        option->plan.cost = seconds;
    }
}

/* ---- the file ---- */

/* The number of threads is left out: plans, and so bits, must not depend on it. */
static void identity(char out[IDENTITY], const struct gt_device *d)
{
    uint64_t kernels = GT_HASH_START;
    for (const struct gt_kernel *const *k = d->backend->kernels; *k; k++) {
        char variants[16];
        snprintf(variants, sizeof variants, " %u ", (*k)->n_variants);
        kernels = gt__hash_text(gt__hash_text(kernels, (*k)->name), variants);
    }
    snprintf(out, IDENTITY, "greentea-tune 1 %s | %s | %s | %s | %016" PRIx64, d->info.name,
             d->info.driver, d->info.detail, gt_version(), kernels);
    for (char *c = out; *c; c++) {
        *c = (unsigned char)*c < ' ' ? ' ' : *c; /* one line */
    }
}

bool gt__tune_path(char *out, const struct gt_device *d)
{
    char who[IDENTITY];
    char name[64];
    identity(who, d);
    snprintf(name, sizeof name, "tune-%016" PRIx64 ".txt", gt__hash_text(GT_HASH_START, who));
    return gt__cache_path(out, name);
}

/* One "<key> <seconds>" line, newline included. The number is the last word. */
static bool take_line(double *seconds, char *line)
{
    size_t n = strlen(line);
    char *end = NULL;
    if (n == 0 || line[n - 1] != '\n') {
        return false;
    }
    line[n - 1] = '\0';
    char *blank = strrchr(line, ' ');
    if (!blank || blank == line) {
        return false;
    }
    uint64_t nanoseconds = strtoull(blank + 1, &end, 10); /* no locale in integers */
    *blank = '\0';
    *seconds = (double)nanoseconds * 1e-9;
    return end != blank + 1 && *end == '\0' && strlen(line) < GT_TUNE_KEY;
}

/* Is it whole and this device's? *damaged stays false only then. */
static gt_status read_table(struct gt_device *d, FILE *file, bool *damaged)
{
    char who[IDENTITY];
    char line[LINE];
    char end[LINE];
    identity(who, d);
    *damaged = true;
    if (!fgets(line, sizeof line, file) || strncmp(line, who, strlen(who)) != 0 ||
        strcmp(line + strlen(who), "\n") != 0) {
        return GT_OK;
    }
    uint64_t hash = gt__hash_text(GT_HASH_START, line);
    while (fgets(line, sizeof line, file)) {
        double seconds = 0.0;
        if (strncmp(line, "end ", 4) == 0) {
            snprintf(end, sizeof end, "end %zu %016" PRIx64 "\n", d->tune->n, hash);
            *damaged = strcmp(line, end) != 0 || fgetc(file) != EOF;
            return GT_OK;
        }
        hash = gt__hash_text(hash, line);
        if (!take_line(&seconds, line) ||
            (d->tune->n > 0 && strcmp(d->tune->entries[d->tune->n - 1].key, line) >= 0)) {
            return GT_OK;
        }
        GT_TRY(gt__tune_add(d, line, seconds));
    }
    return GT_OK;
}

gt_status gt__tune_load(struct gt_device *d)
{
    char path[GT_CACHE_PATH];
    bool damaged = false;
    if (d->tune) {
        return GT_OK;
    }
    GT_TRY(gt__alloc(&d->tune, 1, sizeof *d->tune, "tuning table"));
    FILE *file = gt__tune_path(path, d) ? fopen(path, "rb") : NULL;
    if (!file) {
        return GT_OK;
    }
    gt_status status = read_table(d, file, &damaged);
    fclose(file);
    if (status != GT_OK) {
        gt__tune_free(d);
        return status;
    }
    if (damaged) {
        gt__tune_clear(d);
        say(d, GT_LOG_WARN, "%s is damaged or of another device: ignored, tune again", path);
    } else {
        say(d, GT_LOG_INFO, "%zu measured costs from %s", d->tune->n, path);
    }
    return GT_OK;
}

gt_status gt__tune_save(struct gt_device *d)
{
    char path[GT_CACHE_PATH];
    char line[LINE];
    struct gt_cache_file f;
    if (!gt__tune_path(path, d)) {
        return gt__fail(GT_EIO, "no folder for the measurements: set XDG_CACHE_HOME or HOME");
    }
    if (!gt__cache_create(&f, path)) {
        return gt__fail(GT_EIO, "%s: cannot be written", path);
    }
    identity(line, d);
    strcat(line, "\n");
    uint64_t hash = gt__hash_text(GT_HASH_START, line);
    fputs(line, f.file);
    for (size_t i = 0; i < d->tune->n; i++) {
        const struct entry *e = &d->tune->entries[i];
        snprintf(line, sizeof line, "%s %.0f\n", e->key, ceil(e->seconds * 1e9));
        hash = gt__hash_text(hash, line);
        fputs(line, f.file);
    }
    fprintf(f.file, "end %zu %016" PRIx64 "\n", d->tune->n, hash);
    if (!gt__cache_commit(&f, true)) {
        return gt__fail(GT_EIO, "%s: cannot be written", path);
    }
    return GT_OK;
}
