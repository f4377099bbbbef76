/* Checked, aligned allocation, and texts that grow. SPDX-License-Identifier: BSD-2-Clause */
#include "core/mem.h"

#include "core/error.h"
#include "core/shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *default_allocate(void *cookie, size_t size, size_t alignment)
{
    (void)cookie;
    size_t padded = 0; /* aligned_alloc wants a multiple of the alignment */
    if (!gt__add(&padded, size, alignment - 1)) {
        return NULL;
    }
    return aligned_alloc(alignment, padded / alignment * alignment);
}

static void default_release(void *cookie, void *memory)
{
    (void)cookie;
    free(memory);
}

static const gt_allocator default_allocator = {default_allocate, default_release, NULL};
/* The only state of the process besides the BLAS thread count: set before everything else. */
static gt_allocator allocator = {default_allocate, default_release, NULL};

void gt_set_allocator(const gt_allocator *replacement)
{
    allocator = replacement ? *replacement : default_allocator;
}

void gt__free(void *memory)
{
    if (memory) {
        allocator.release(allocator.cookie, memory);
    }
}

void gt_free(void *memory)
{
    gt__free(memory);
}

gt_status gt__alloc_raw_impl(void **out, size_t count, size_t size, const char *what)
{
    *out = NULL;
    size_t bytes = 0;
    if (!gt__mul(&bytes, count, size)) {
        return gt__fail(GT_ENOMEM, "out of memory: %s: %zu times %zu bytes", what, count, size);
    }
    void *memory = allocator.allocate(allocator.cookie, bytes ? bytes : 1, GT_ALIGN);
    if (!memory) {
        return gt__fail(GT_ENOMEM, "out of memory: %s: %zu bytes", what, bytes);
    }
    *out = memory;
    return GT_OK;
}

gt_status gt__alloc_impl(void **out, size_t count, size_t size, const char *what)
{
    GT_TRY(gt__alloc_raw_impl(out, count, size, what));
    memset(*out, 0, count * size);
    return GT_OK;
}

gt_status gt__grow_impl(void **array, size_t *capacity, size_t wanted, size_t size,
                        const char *what)
{
    if (wanted <= *capacity && *array) {
        return GT_OK;
    }
    /* By halves: the sum of all copies stays proportional to the final size. */
    size_t larger = *capacity + *capacity / 2;
    if (larger < wanted) {
        larger = wanted;
    }
    void *memory = NULL;
    GT_TRY(gt__alloc_raw_impl(&memory, larger, size, what));
    size_t kept = *array ? *capacity * size : 0;
    if (kept > 0) {
        memcpy(memory, *array, kept);
    }
    memset((char *)memory + kept, 0, larger * size - kept);
    gt__free(*array);
    *array = memory;
    *capacity = larger;
    return GT_OK;
}

gt_status gt__strdup(char **out, const char *text)
{
    *out = NULL;
    size_t size = strlen(text) + 1;
    char *copy = NULL;
    GT_TRY(gt__alloc_raw(&copy, size, 1, "text"));
    memcpy(copy, text, size);
    *out = copy;
    return GT_OK;
}

void gt__text_add(struct gt_text *text, const char *format, ...)
{
    if (text->status != GT_OK) {
        return;
    }
    va_list args;
    va_start(args, format);
    int more = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (more < 0) {
        text->status = GT_EINVAL;
        return;
    }
    text->status =
        gt__grow(&text->data, &text->capacity, text->length + (size_t)more + 1, 1, "text");
    if (text->status != GT_OK) {
        return;
    }
    va_start(args, format);
    vsnprintf(text->data + text->length, (size_t)more + 1, format, args);
    va_end(args);
    text->length += (size_t)more;
}

gt_status gt__text_take(char **out, struct gt_text *text)
{
    *out = NULL;
    gt__text_add(text, "%s", "");
    gt_status status = text->status;
    if (status == GT_OK) {
        *out = text->data;
    } else {
        /* Said again: other calls may have failed since. */
        gt__fail(status, "text cut at %zu bytes: %s", text->length,
                 status == GT_ENOMEM ? "out of memory" : "unprintable argument");
        gt__free(text->data);
    }
    *text = (struct gt_text){0};
    return status;
}
