/* Typed values of an old configuration, and lines of the new one. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/config.h"
#include "tool/import.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Is this field of the solver's file? Then errors name that. */
static const char *path_of(const struct import *im, const struct proto_field *block)
{
    return block == &im->solver.root ? im->solver.path : im->file.path;
}

static void wrong(struct import *im, const struct proto_field *block, const struct proto_field *f,
                  const char *expected)
{
    if (im->code == 0) {
        im->code = EXIT_INPUT;
        fprintf(stderr, "greentea: %s, line %d: %s is %s%.80s%s, expected %s\n", path_of(im, block),
                f->line, f->name, f->text ? "'" : "", f->text ? f->text : "a block",
                f->text ? "'" : "", expected);
    }
}

bool import_integer(struct import *im, long long *out, struct proto_field *block, const char *name)
{
    const struct proto_field *f = proto_value(block, name);
    if (!f) {
        return false;
    }
    char *end = NULL;
    errno = 0;
    const long long value = f->text ? strtoll(f->text, &end, 0) : 0;
    if (!f->text || end == f->text || *end != '\0' || errno != 0 || value < 0) {
        wrong(im, block, f, "an integer of 0 or more");
        return false;
    }
    *out = value;
    return true;
}

bool import_real(struct import *im, double *out, struct proto_field *block, const char *name)
{
    const struct proto_field *f = proto_value(block, name);
    if (!f) {
        return false;
    }
    char *end = NULL;
    const double value = f->text ? strtod(f->text, &end) : 0.0;
    if (f->text && end != f->text && (*end == 'f' || *end == 'F')) {
        end++; /* as in C */
    }
    if (!f->text || end == f->text || *end != '\0' || !isfinite(value)) {
        wrong(im, block, f, "a number");
        return false;
    }
    *out = value;
    return true;
}

bool import_switch(struct import *im, struct proto_field *block, const char *name)
{
    static const char *const words[] = {"false", "False", "f", "0", "true", "True", "t", "1", NULL};
    const struct proto_field *f = proto_value(block, name);
    if (!f) {
        return false;
    }
    const int i = f->text ? tool_choice(f->text, words) : -1;
    if (i < 0) {
        wrong(im, block, f, "true or false");
    }
    return i >= 4;
}

const char *import_text(struct import *im, struct proto_field *block, const char *name)
{
    const struct proto_field *f = proto_value(block, name);
    json_t *utf8 = f && f->text ? json_string(f->text) : NULL;
    if (f && !utf8) {
        wrong(im, block, f, "a text in UTF-8");
        return NULL;
    }
    json_decref(utf8);
    return f ? f->text : NULL;
}

struct proto_field *import_block(struct proto_field *block, const char *name)
{
    return proto_find(block, name, 0);
}

void import_put_text(struct import *im, const char *key, const char *value)
{
    fprintf(im->out, "  %s: ", key);
    config_put_word(im->out, value);
    fputc('\n', im->out);
}

void import_put_integer(struct import *im, const char *key, long long value)
{
    fprintf(im->out, "  %s: %lld\n", key, value);
}

void import_put_real(struct import *im, const char *key, double value)
{
    fprintf(im->out, "  %s: ", key);
    config_put_real(im->out, value);
    fputc('\n', im->out);
}

/* Values of the old file may be part of a note; what could end the line must not. */
void import_note(struct import *im, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++) {
        *c = (unsigned char)*c < 32 || (unsigned char)*c > 126 ? '?' : *c;
    }
    fprintf(im->out, "  # %s\n", text);
}

void import_note_rest(struct import *im, const struct proto_field *block, const char *prefix)
{
    for (const struct proto_field *f = block->child; f; f = f->next) {
        char name[256];
        snprintf(name, sizeof name, "%.120s%s%.120s", prefix, *prefix ? "." : "", f->name);
        if (!f->used) {
            import_note(im, "%s (line %d): not known, left out", name, f->line);
        } else if (!f->text) {
            import_note_rest(im, f, name);
        }
    }
}
