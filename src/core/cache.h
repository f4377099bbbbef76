/* Files that only save time: where they lie, and how they are replaced.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_CACHE_H
#define GT_CORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { GT_CACHE_PATH = 1024 };

/* $XDG_CACHE_HOME/greentea/<name>, or $HOME/.cache/greentea/<name>; false if neither is set or the
 * path is too long. */
bool gt__cache_path(char out[GT_CACHE_PATH], const char *name);

/* A file beside `path`, folders made as needed; NULL if that fails. */
struct gt_cache_file {
    FILE *file;
    const char *path; /* the caller's */
    char beside[GT_CACHE_PATH + 16];
};
bool gt__cache_create(struct gt_cache_file *out, const char *path);
/* Close, and rename to `path` if ok and everything was written; else remove. Did it work? */
bool gt__cache_commit(struct gt_cache_file *f, bool ok);

#endif
