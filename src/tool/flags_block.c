/* Flags of work cut among processes. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_block.h"

#include <errno.h>
#include <stdlib.h>

#define MOST_BLOCKS 1000000

/* A decimal number; *end is behind it. -1: none. */
static long number(const char *text, const char **end)
{
    char *stop = NULL;
    if (*text < '0' || *text > '9') {
        return -1;
    }
    errno = 0;
    long value = strtol(text, &stop, 10);
    *end = stop;
    return errno == 0 ? value : -1;
}

int block_fill(struct block_choice *out, const struct block_flags *f)
{
    const char *at = f->block;
    *out = (struct block_choice){0, 0};
    if (!f->block) {
        return 0;
    }
    out->index = number(at, &at);
    out->n = *at == '/' ? number(at + 1, &at) : -1;
    if (out->index < 0 || out->n < 1 || out->n > MOST_BLOCKS || out->index >= out->n || *at) {
        return tool_usage("--block is '%s', expected I/N with I from 0 to N - 1 and N up to %d",
                          f->block, MOST_BLOCKS);
    }
    return 0;
}
