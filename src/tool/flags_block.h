/* Flags of work cut among processes. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FLAGS_BLOCK_H
#define GT_TOOL_FLAGS_BLOCK_H

#include "tool/tool.h"

struct block_flags {
    char *block;
    int merge;
};
/* clang-format off */
#define BLOCK_OPTIONS(f)                                                                           \
    {"block", 0, POPT_ARG_STRING, &(f).block, 0,                                                   \
     "compute block I (from 0) of N into a folder beside the output, OUT.parts; what is done "     \
     "there is skipped", "I/N"},                                                                   \
    {"merge", 0, POPT_ARG_NONE, &(f).merge, 0,                                                     \
     "join the parts of all blocks; with --block: if this was the last", NULL}
/* clang-format on */

struct block_choice {
    long index, n; /* n 0: no block */
};
/* 0 or EXIT_USAGE. */
int block_fill(struct block_choice *out, const struct block_flags *f);

#endif
