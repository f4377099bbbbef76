/* Configurations as YAML text. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Is a word the same without quotes, for every reader of YAML? */
static bool is_plain(const char *text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n",   NULL};
    if (!isalpha((unsigned char)text[0]) && text[0] != '/') {
        return false;
    }
    char lower[8];
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr("_./+,-", text[i])) {
            return false;
        }
    }
    for (size_t i = 0; n < sizeof lower && i <= n; i++) {
        lower[i] = (char)tolower((unsigned char)text[i]);
    }
    return n >= sizeof lower || tool_choice(lower, words) < 0;
}

/* Bytes of a character that YAML refuses as it is (its text is UTF-8), 0 if it is fine. */
static size_t refused(unsigned *code, const unsigned char *c)
{
    if (*c < 32 || *c == 127) {
        *code = *c;
        return 1;
    }
    if (*c == 0xC2 && c[1] < 0xA0) { /* the upper control characters */
        *code = c[1];
        return 2;
    }
    if (*c == 0xEF && ((c[1] == 0xBB && c[2] == 0xBF) || (c[1] == 0xBF && c[2] >= 0xBE))) {
        *code = 0xF000u + (c[1] & 63u) * 64 + (c[2] & 63u); /* U+FEFF, U+FFFE, U+FFFF */
        return 3;
    }
    return 0;
}

void config_put_word(FILE *out, const char *text)
{
    if (is_plain(text)) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        unsigned code = 0;
        const size_t n = refused(&code, c);
        if (n > 0) {
            fprintf(out, "\\u%04X", code);
            c += n;
            continue;
        }
        if (*c == '"' || *c == '\\') {
            fputc('\\', out);
        }
        fputc(*c++, out);
    }
    fputc('"', out);
}

/* The fewest digits that are this number; with a point, without which some readers see a word. */
void config_put_real(FILE *out, double value)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    const char *e = strchr(text, 'e');
    if (strchr(text, '.')) {
        fputs(text, out);
    } else if (e) {
        fprintf(out, "%.*s.0%s", (int)(e - text), text, e);
    } else {
        fprintf(out, "%s.0", text);
    }
}

static void put_value(FILE *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        config_put_word(out, json_string_value(value));
        break;
    case JSON_INTEGER:
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        config_put_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        fputs(json_is_true(value) ? "true" : "false", out);
        break;
    default:
        fputs("null", out);
    }
}

/* What help says about an option, on one line. */
static void put_comment(FILE *out, const struct poptOption *table, const char *key)
{
    const struct poptOption *o = config_option(table, key);
    if (o && o->descrip) {
        fputs("  # ", out);
        for (const char *c = o->descrip; *c; c++) {
            fputc(*c == '\n' ? ' ' : *c, out);
        }
    }
}

void config_print(FILE *out, const char *section, const json_t *object,
                  const struct poptOption *table)
{
    const char *key = NULL;
    json_t *value = NULL;
    fprintf(out, "%s:\n", section);
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        fputs("  ", out);
        config_put_word(out, key); /* a model's file may hold anything */
        fputs(": ", out);
        put_value(out, value);
        if (table) {
            put_comment(out, table, key);
        }
        fputc('\n', out);
    }
}
