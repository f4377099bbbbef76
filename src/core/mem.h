/* Checked, aligned allocation through the hook of gt_set_allocator(). SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GT_CORE_MEM_H
#define GT_CORE_MEM_H

#include <greentea/status.h>

#define GT_ALIGN ((size_t)64)

/* count*size bytes, zeroed, aligned to GT_ALIGN. 0 bytes give a valid pointer. On failure (overflow
 * included) *out is NULL and the status GT_ENOMEM with a message that gives the bytes and `what`
 * ("weights of conv1"). `out` is the address of any object pointer: gt__alloc(&p, n, sizeof *p,
 * "..."). */
#define gt__alloc(out, count, size, what) gt__alloc_impl((void **)(void *)(out), count, size, what)
gt_status gt__alloc_impl(void **out, size_t count, size_t size, const char *what);

/* The same without zeroing, for large buffers. */
#define gt__alloc_raw(out, count, size, what)                                                      \
    gt__alloc_raw_impl((void **)(void *)(out), count, size, what)
gt_status gt__alloc_raw_impl(void **out, size_t count, size_t size, const char *what);

/* Grow an array kept as (pointer, capacity): after success *capacity >= wanted; contents kept, the
 * new part zeroed. */
#define gt__grow(array, capacity, wanted, size, what)                                              \
    gt__grow_impl((void **)(void *)(array), capacity, wanted, size, what)
gt_status gt__grow_impl(void **array, size_t *capacity, size_t wanted, size_t size,
                        const char *what);

gt_status gt__strdup(char **out, const char *text);

/* Release; NULL is accepted. */
void gt__free(void *memory);

/* Text that grows; starts as {0}; the first failure sticks and is reported by gt__text_take. */
struct gt_text {
    char *data;
    size_t length, capacity;
    gt_status status;
};
void gt__text_add(struct gt_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Hand the text over (a valid "" if nothing was added); on failure everything is released. */
gt_status gt__text_take(char **out, struct gt_text *text);

#endif
