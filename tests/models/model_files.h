/* Files of models for tests: a folder, small models, bytes in and out.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TESTS_MODEL_FILES_H
#define GT_TESTS_MODEL_FILES_H

#include <inttypes.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/mem.h"
#include "core/random.h"
#include "models/model_file.h"

#define OK(call) assert_int_equal(call, GT_OK)
#define HAS(part) assert_non_null(strstr(gt_error_message(), part))

static char folder[] = "/tmp/gt_model_file_XXXXXX";

static inline const char *in_folder(const char *name)
{
    static char path[4][256];
    static size_t next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

static inline gt_model *make(const char *net, double width, uint64_t seed)
{
    gt_model_options o;
    gt_model_options_init(&o);
    o.net = net;
    o.width = width;
    o.channels = 1;
    gt_model *m = NULL;
    OK(gt_model_create(&m, &o));
    OK(gt_model_init_weights(m, GT_INIT_HE, seed));
    return m;
}

/* A file in memory. */
struct blob {
    uint8_t *data;
    size_t size;
};

static inline struct blob slurp(const char *path)
{
    struct blob b = {0};
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    b.size = (size_t)ftell(f);
    rewind(f);
    b.data = malloc(b.size + 1);
    assert_non_null(b.data);
    assert_int_equal(fread(b.data, 1, b.size, f), b.size);
    fclose(f);
    return b;
}

static inline void spit(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* A file of this header and so many zero bytes; `length` 0: the header's own. */
static inline void write_raw(const char *path, const char *header, uint64_t length, size_t zeros)
{
    const size_t n = strlen(header);
    uint8_t *data = calloc(1, 8 + n + zeros);
    assert_non_null(data);
    const uint64_t stated = length ? length : n;
    for (size_t i = 0; i < 8; i++) {
        data[i] = (uint8_t)(stated >> (8 * i));
    }
    memcpy(data + 8, header, n);
    spit(path, data, 8 + n + zeros);
    free(data);
}

static inline void same_weights(const gt_model *a, const gt_model *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->weights, b->weights, a->count * sizeof(float));
}

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#endif
