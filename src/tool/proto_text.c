/* The text form of protocol buffers, without knowing its messages. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/proto_text.h"

#include "tool/tool.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 1 << 20, MAX_DEPTH = 32 };

/* A place in the text, which ends with a 0 that is no part of it. */
struct scanner {
    const char *path;
    const char *at, *end;
    int line;
};

static int complain(const struct scanner *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int complain(const struct scanner *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "greentea: %s, line %d: ", s->path, s->line);
    vfprintf(stderr, format, args);
    fputs("\n", stderr);
    va_end(args);
    return EXIT_INPUT;
}

static int no_memory(const struct scanner *s)
{
    fprintf(stderr, "greentea: no memory to read %s\n", s->path);
    return EXIT_DEVICE;
}

/* "'}'", "the end of the file": what stands where something else was expected. */
static const char *found(const struct scanner *s, char *buffer, size_t size)
{
    if (s->at == s->end) {
        return "the end of the file";
    }
    const unsigned char c = (unsigned char)*s->at;
    snprintf(buffer, size, isprint(c) ? "'%c'" : "byte %d", c);
    return buffer;
}

static int expected(const struct scanner *s, const char *what)
{
    char buffer[16];
    return complain(s, "expected %s, found %s", what, found(s, buffer, sizeof buffer));
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-' || c == '+';
}

/* To the next character that means something. */
static void skip(struct scanner *s)
{
    for (; s->at < s->end; s->at++) {
        if (*s->at == '#') {
            while (s->at < s->end && *s->at != '\n') {
                s->at++;
            }
            if (s->at == s->end) {
                return;
            }
        }
        if (!isspace((unsigned char)*s->at)) {
            return;
        }
        s->line += *s->at == '\n';
    }
}

static bool accept(struct scanner *s, char c)
{
    skip(s);
    if (s->at < s->end && *s->at == c) {
        s->at++;
        return true;
    }
    return false;
}

static int take_word(char **out, struct scanner *s, const char *what)
{
    skip(s);
    const char *begin = s->at;
    while (s->at < s->end && in_word(*s->at)) {
        s->at++;
    }
    if (s->at == begin) {
        return expected(s, what);
    }
    *out = strndup(begin, (size_t)(s->at - begin));
    return *out ? 0 : no_memory(s);
}

/* Behind a backslash: one character, or its number in up to three octal or two hexadecimal digits. */
static int take_escape(char *out, struct scanner *s)
{
    static const char letters[] = "abfnrtv";
    static const char meant[] = "\a\b\f\n\r\t\v";
    const char c = *s->at++;
    const char *letter = c ? strchr(letters, c) : NULL;
    unsigned value = 0;
    if (letter) {
        *out = meant[letter - letters];
        return 0;
    }
    if (c == 'x' || (c >= '0' && c <= '7')) {
        const char *begin = c == 'x' ? s->at : s->at - 1;
        char digits[4] = "";
        size_t most = c == 'x' ? 2 : 3;
        for (size_t i = 0; i < most && begin + i < s->end; i++) {
            if (c == 'x' ? !isxdigit((unsigned char)begin[i]) : begin[i] < '0' || begin[i] > '7') {
                break;
            }
            digits[i] = begin[i];
        }
        value = (unsigned)strtoul(digits, NULL, c == 'x' ? 16 : 8);
        s->at = begin + strlen(digits);
        if (value == 0 || value > 255) {
            return complain(s, "a string holds the character %u", value);
        }
        *out = (char)value;
        return 0;
    }
    if (!strchr("\\'\"?", c) || c == '\0') {
        return complain(s, "a backslash before byte %d means nothing", (unsigned char)c);
    }
    *out = c;
    return 0;
}

/* "..." or '...'; several in a row are one. */
static int take_string(char **out, struct scanner *s)
{
    size_t n = 0;
    char *text = malloc((size_t)(s->end - s->at) + 1);
    if (!text) {
        return no_memory(s);
    }
    int code = 0;
    while (code == 0 && s->at < s->end && (*s->at == '"' || *s->at == '\'')) {
        const char quote = *s->at++;
        while (code == 0 && s->at < s->end && *s->at != quote && *s->at != '\n') {
            if (*s->at == '\\' && s->at + 1 < s->end) {
                s->at++;
                code = take_escape(&text[n++], s);
            } else {
                text[n++] = *s->at++;
            }
        }
        if (code == 0 && (s->at == s->end || *s->at != quote)) {
            code = complain(s, "the string does not end on its line");
        }
        if (code == 0) {
            s->at++;
            skip(s);
        }
    }
    text[n] = '\0';
    if (code) {
        free(text);
        return code;
    }
    char *fitting = realloc(text, n + 1);
    *out = fitting ? fitting : text;
    return 0;
}

static int take_value(char **out, struct scanner *s)
{
    skip(s);
    if (s->at < s->end && (*s->at == '"' || *s->at == '\'')) {
        return take_string(out, s);
    }
    return take_word(out, s, "a value");
}

static struct proto_field *new_field(struct proto_field ***tail, const char *name, int line)
{
    struct proto_field *f = calloc(1, sizeof *f);
    if (!f || !(f->name = strdup(name))) {
        free(f);
        return NULL;
    }
    f->line = line;
    **tail = f;
    *tail = &f->next;
    return f;
}

static int read_fields(struct proto_field *block, struct scanner *s, char close, int depth);

/* A value, a block, or a list of them: one field each. */
static int read_after_name(struct proto_field ***tail, const char *name, struct scanner *s,
                           int depth)
{
    const int line = s->line;
    const bool colon = accept(s, ':');
    const bool list = colon && accept(s, '[');
    if (list && accept(s, ']')) {
        return 0;
    }
    do {
        struct proto_field *f = new_field(tail, name, line);
        if (!f) {
            return no_memory(s);
        }
        const char close = accept(s, '{') ? '}' : accept(s, '<') ? '>' : '\0';
        int code = 0;
        if (close) {
            code = read_fields(f, s, close, depth + 1);
        } else {
            code = colon ? take_value(&f->text, s) : expected(s, "':' or '{'");
        }
        if (code) {
            return code;
        }
    } while (list && accept(s, ','));
    return !list || accept(s, ']') ? 0 : expected(s, "',' or ']'");
}

/* Fields up to the closing bracket; 0: to the end of the file. */
static int read_fields(struct proto_field *block, struct scanner *s, char close, int depth)
{
    struct proto_field **tail = &block->child;
    if (depth > MAX_DEPTH) {
        return complain(s, "more than %d blocks in one another", MAX_DEPTH);
    }
    for (;;) {
        skip(s);
        if (s->at == s->end) {
            return close ? complain(s, "the block of line %d does not end", block->line) : 0;
        }
        if (close && accept(s, close)) {
            return 0;
        }
        char *name = NULL;
        int code = take_word(&name, s, close ? "a name or the end of the block" : "a name");
        code = code ? code : read_after_name(&tail, name, s, depth);
        free(name);
        if (code) {
            return code;
        }
        if (!accept(s, ',')) {
            accept(s, ';');
        }
    }
}

int proto_load(struct proto_file *file, const char *path)
{
    *file = (struct proto_file){.path = path};
    struct scanner s = {.path = path, .line = 1};
    char *text = calloc(1, MAX_BYTES + 2);
    FILE *f = text ? fopen(path, "rb") : NULL;
    size_t size = f ? fread(text, 1, MAX_BYTES + 1, f) : 0;
    int code = 0;
    if (!text) {
        code = no_memory(&s);
    } else if (!f || ferror(f)) {
        fprintf(stderr, "greentea: %s cannot be read: %s\n", path, strerror(errno));
        code = EXIT_INPUT;
    } else if (size > MAX_BYTES) {
        fprintf(stderr, "greentea: %s has more than %d bytes: no configuration\n", path, MAX_BYTES);
        code = EXIT_INPUT;
    } else {
        s.at = text;
        s.end = text + size;
        code = read_fields(&file->root, &s, '\0', 0);
    }
    if (f) {
        fclose(f);
    }
    free(text);
    return code;
}

static void free_fields(struct proto_field *f)
{
    while (f) {
        struct proto_field *next = f->next;
        free_fields(f->child);
        free(f->name);
        free(f->text);
        free(f);
        f = next;
    }
}

void proto_free(struct proto_file *file)
{
    free_fields(file->root.child);
    file->root.child = NULL;
}

struct proto_field *proto_find(struct proto_field *block, const char *name, int index)
{
    struct proto_field *result = NULL;
    for (struct proto_field *f = block ? block->child : NULL; f; f = f->next) {
        if (strcmp(f->name, name) == 0) {
            f->used = true;
            result = index-- == 0 ? f : result;
        }
    }
    return result;
}

const struct proto_field *proto_value(struct proto_field *block, const char *name)
{
    const struct proto_field *last = NULL;
    for (struct proto_field *f = block ? block->child : NULL; f; f = f->next) {
        if (strcmp(f->name, name) == 0) {
            f->used = true;
            last = f;
        }
    }
    return last;
}
