/* A configuration file as a list of keys and values, from libyaml's events.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tool/yaml_read.h"

#include "tool/tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_BYTES = 1 << 20, MAX_ENTRIES = 1000, MAX_KEY = 64 };

struct reader {
    struct yaml_file *file;
    const unsigned char *text;
    size_t size;
    yaml_parser_t parser;
    yaml_event_t event;
};

#define REFUSE(r, line, ...) refuse((r)->file->path, line, __VA_ARGS__)

static int refuse(const char *path, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int refuse(const char *path, int line, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return tool_usage("%s, line %d: %s", path, line, text);
}

static int line_of(const struct reader *r)
{
    return (int)r->event.start_mark.line + 1;
}

/* Errors of the encoding come with an offset only. */
static int explain(const struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    int line = (int)p->problem_mark.line + 1;
    if (p->error == YAML_MEMORY_ERROR) {
        fprintf(stderr, "greentea: no memory to read %s\n", r->file->path);
        return EXIT_DEVICE;
    }
    if (p->error == YAML_READER_ERROR) {
        line = 1;
        for (size_t i = 0; i < p->problem_offset && i < r->size; i++) {
            line += r->text[i] == '\n';
        }
    }
    return REFUSE(r, line, "%s%s%s", p->problem ? p->problem : "not YAML", p->context ? ", " : "",
                  p->context ? p->context : "");
}

/* What the simple files meant here do without. */
static int plain_only(const struct reader *r)
{
    const yaml_event_t *e = &r->event;
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    }
    if (anchor || e->type == YAML_ALIAS_EVENT) {
        return REFUSE(r, line_of(r), "anchors (&) and aliases (*) are not accepted");
    }
    if (tag) {
        return REFUSE(r, line_of(r), "tags (!) are not accepted");
    }
    return 0;
}

static int next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        memset(&r->event, 0, sizeof r->event);
        return explain(r);
    }
    return plain_only(r);
}

/* The text of a scalar event; it is the caller's. */
static int take_text(char **out, const struct reader *r)
{
    const char *text = (const char *)r->event.data.scalar.value;
    size_t n = r->event.data.scalar.length;
    if (memchr(text, 0, n)) {
        return REFUSE(r, line_of(r), "a value holds the character 0");
    }
    *out = strdup(text);
    if (!*out) {
        fprintf(stderr, "greentea: no memory to read %s\n", r->file->path);
        return EXIT_DEVICE;
    }
    return 0;
}

static bool is_null(const yaml_event_t *e)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           tool_choice((const char *)e->data.scalar.value, nulls) >= 0;
}

static int check_new(const struct reader *r, const char *key, size_t section)
{
    const struct yaml_file *f = r->file;
    if (f->n == MAX_ENTRIES) {
        return REFUSE(r, line_of(r), "more than %d keys", MAX_ENTRIES);
    }
    for (size_t i = 0; i < f->n; i++) {
        if (f->entries[i].section == section && strcmp(f->entries[i].key, key) == 0) {
            return REFUSE(r, line_of(r), "'%s' is given twice, first on line %d", key,
                          f->entries[i].line);
        }
    }
    return 0;
}

static int add_entry(struct reader *r, char *key, size_t section)
{
    struct yaml_file *f = r->file;
    if (f->n == f->capacity) {
        size_t wanted = f->capacity ? 2 * f->capacity : 32;
        struct yaml_entry *more = realloc(f->entries, wanted * sizeof *more);
        if (!more) {
            fprintf(stderr, "greentea: no memory to read %s\n", f->path);
            return EXIT_DEVICE;
        }
        f->entries = more;
        f->capacity = wanted;
    }
    f->entries[f->n++] =
        (struct yaml_entry){.kind = YAML_NULL, .line = line_of(r), .section = section, .key = key};
    return 0;
}

/* The event of a key becomes a new entry, the last of the list. */
static int read_key(struct reader *r, size_t section)
{
    char *key = NULL;
    if (r->event.type != YAML_SCALAR_EVENT) {
        return REFUSE(r, line_of(r), "a key must be a word");
    }
    int code = take_text(&key, r);
    if (code) {
        return code;
    }
    if (*key == '\0' || strlen(key) > MAX_KEY) {
        code = REFUSE(r, line_of(r), "a key must have 1 to %d bytes, '%.20s' has %zu", MAX_KEY, key,
                      strlen(key));
    }
    for (char *c = key; *c; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    code = code ? code : check_new(r, key, section);
    code = code ? code : add_entry(r, key, section);
    if (code) {
        free(key);
    }
    return code;
}

/* Append ",text" or, to nothing, "text". */
static int join(char **value, char *text)
{
    if (!*value) {
        *value = text;
        return 0;
    }
    size_t n = strlen(*value) + strlen(text) + 2;
    char *all = malloc(n);
    if (all) {
        snprintf(all, n, "%s,%s", *value, text);
    }
    free(text);
    free(*value);
    *value = all;
    return all ? 0 : EXIT_DEVICE;
}

static int read_list(struct reader *r, size_t at)
{
    const int line = line_of(r);
    int n = 0;
    for (;; n++) {
        struct yaml_entry *e = &r->file->entries[at];
        char *text = NULL;
        int code = next(r);
        if (code) {
            return code;
        }
        if (r->event.type == YAML_SEQUENCE_END_EVENT) {
            e->kind = YAML_LIST;
            return n > 0 ? 0 : REFUSE(r, line, "the list of '%s' is empty", e->key);
        }
        if (r->event.type != YAML_SCALAR_EVENT || is_null(&r->event) || n == MAX_ENTRIES) {
            return REFUSE(r, line_of(r), "'%s' is a list; expected up to %d words or numbers in it",
                          e->key, MAX_ENTRIES);
        }
        code = take_text(&text, r);
        code = code ? code : join(&e->value, text);
        if (code) {
            return code;
        }
    }
}

static int read_mapping(struct reader *r, size_t section);

static int read_value(struct reader *r, size_t at)
{
    int code = next(r);
    if (code) {
        return code;
    }
    struct yaml_entry *e = &r->file->entries[at];
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        if (is_null(&r->event)) {
            return 0;
        }
        e->kind = YAML_VALUE;
        return take_text(&e->value, r);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(r, at);
    case YAML_MAPPING_START_EVENT:
        if (e->section) {
            return REFUSE(r, line_of(r), "'%s' has keys of its own; expected a value or a list",
                          e->key);
        }
        e->kind = YAML_SECTION;
        return read_mapping(r, at + 1);
    default:
        return REFUSE(r, line_of(r), "'%s' has no value", e->key);
    }
}

/* From behind the start of a mapping to its end; the depth is at most two. */
static int read_mapping(struct reader *r, size_t section)
{
    for (;;) {
        int code = next(r);
        if (code || r->event.type == YAML_MAPPING_END_EVENT) {
            return code;
        }
        code = read_key(r, section);
        code = code ? code : read_value(r, r->file->n - 1);
        if (code) {
            return code;
        }
    }
}

static int read_stream(struct reader *r)
{
    int code = next(r); /* the start of the stream */
    code = code ? code : next(r);
    if (code || r->event.type == YAML_STREAM_END_EVENT) {
        return code; /* nothing but comments */
    }
    code = next(r);
    if (code) {
        return code;
    }
    if (r->event.type == YAML_SCALAR_EVENT && is_null(&r->event)) {
        return 0; /* "---" alone */
    }
    if (r->event.type != YAML_MAPPING_START_EVENT) {
        return REFUSE(r, line_of(r), "expected lines 'key: value'");
    }
    code = read_mapping(r, 0);
    code = code ? code : next(r); /* the end of the document */
    code = code ? code : next(r);
    if (code == 0 && r->event.type != YAML_STREAM_END_EVENT) {
        code = REFUSE(r, line_of(r), "a second document begins; one is expected");
    }
    return code;
}

static int read_text(unsigned char *text, size_t *size, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f) {
        *size = fread(text, 1, MAX_BYTES + 1, f);
    }
    if (!f || ferror(f)) {
        fprintf(stderr, "greentea: %s cannot be read: %s\n", path, strerror(errno));
        if (f) {
            fclose(f);
        }
        return EXIT_INPUT;
    }
    fclose(f);
    if (*size > MAX_BYTES) {
        return tool_usage("%s has more than %d bytes: no configuration", path, MAX_BYTES);
    }
    return 0;
}

int yaml_load(struct yaml_file *file, const char *path)
{
    *file = (struct yaml_file){.path = path};
    struct reader r = {.file = file};
    unsigned char *text = malloc(MAX_BYTES + 1);
    if (!text || !yaml_parser_initialize(&r.parser)) {
        free(text);
        fprintf(stderr, "greentea: no memory to read %s\n", path);
        return EXIT_DEVICE;
    }
    int code = read_text(text, &r.size, path);
    if (code == 0) {
        r.text = text;
        yaml_parser_set_input_string(&r.parser, text, r.size);
        code = read_stream(&r);
    }
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    free(text);
    return code;
}

void yaml_free(struct yaml_file *file)
{
    for (size_t i = 0; i < file->n; i++) {
        free(file->entries[i].key);
        free(file->entries[i].value);
    }
    free(file->entries);
    *file = (struct yaml_file){.path = file->path};
}
