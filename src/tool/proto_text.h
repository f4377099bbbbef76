/* The text form of protocol buffers: nested blocks of named values. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GT_TOOL_PROTO_TEXT_H
#define GT_TOOL_PROTO_TEXT_H

#include <stdbool.h>

/* "name: value" or "name { ... }". */
struct proto_field {
    char *name;
    char *text; /* the value, strings without quotes and escapes; NULL for a block */
    int line;
    bool used;                        /* somebody asked for it */
    struct proto_field *child, *next; /* the first inside a block; the next beside */
};

struct proto_file {
    const char *path;
    struct proto_field root; /* a block without a name */
};

/* Read a file of up to 1 MiB and 32 levels. 0 or an exit code, the reason printed with the line; in
 * either case proto_free() releases. */
int proto_load(struct proto_file *file, const char *path);
void proto_free(struct proto_file *file);

/* Number `index` of the fields of this name inside a block, NULL if there are fewer; a block of NULL
 * has none. All of the name count as used. */
struct proto_field *proto_find(struct proto_field *block, const char *name, int index);
/* The value that counts: of several, the last. NULL if there is none. */
const struct proto_field *proto_value(struct proto_field *block, const char *name);

#endif
