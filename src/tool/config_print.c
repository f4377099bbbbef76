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

static void print_word(const char *text)
{
    if (is_plain(text)) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            printf("\\%c", *c);
        } else if (*c < 32 || *c == 127) {
            printf("\\x%02X", *c);
        } else {
            putchar(*c);
        }
    }
    putchar('"');
}

/* The fewest digits that are this number; with a point, without which some readers see a word. */
static void print_real(double value)
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
        fputs(text, stdout);
    } else if (e) {
        printf("%.*s.0%s", (int)(e - text), text, e);
    } else {
        printf("%s.0", text);
    }
}

static void print_value(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        print_word(json_string_value(value));
        break;
    case JSON_INTEGER:
        printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        print_real(json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        fputs(json_is_true(value) ? "true" : "false", stdout);
        break;
    default:
        fputs("null", stdout);
    }
}

/* What help says about an option, on one line. */
static void print_comment(const struct poptOption *table, const char *key)
{
    const struct poptOption *o = config_option(table, key);
    if (o && o->descrip) {
        fputs("  # ", stdout);
        for (const char *c = o->descrip; *c; c++) {
            putchar(*c == '\n' ? ' ' : *c);
        }
    }
}

void config_print(const char *section, const json_t *object, const struct poptOption *table)
{
    const char *key = NULL;
    json_t *value = NULL;
    printf("%s:\n", section);
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        printf("  %s: ", key);
        print_value(value);
        if (table) {
            print_comment(table, key);
        }
        putchar('\n');
    }
}
