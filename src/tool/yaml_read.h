/* A configuration file as a list of keys and values. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_YAML_READ_H
#define GT_TOOL_YAML_READ_H

#include <stddef.h>

enum yaml_kind { YAML_VALUE, YAML_NULL, YAML_LIST, YAML_SECTION };

/* "key: value", at the top of the file or in one of its sections. */
struct yaml_entry {
    enum yaml_kind kind;
    int line;
    size_t section; /* index of the section's entry plus 1; 0: at the top */
    char *key;      /* '_' is replaced by '-' */
    char *value;    /* of a list: its values with commas between; NULL for YAML_NULL, _SECTION */
};

struct yaml_file {
    const char *path;
    struct yaml_entry *entries;
    size_t n, capacity;
};

/* Read a file of at most two levels of mappings, whose values are words and lists of words. Aliases,
 * anchors, tags, keys given twice and files above 1 MiB are refused. 0 or an exit code, the reason
 * printed; in either case yaml_free() releases. */
int yaml_load(struct yaml_file *file, const char *path);
void yaml_free(struct yaml_file *file);

#endif
