/* Configuration files: the keys are the options of popt's tables, so that a new flag is a new key
 * without a line here. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/config.h"

#include "tool/yaml_read.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Sections of a file; the subcommands that read one. */
static const char *const commands[] = {"train", "process", "evaluate", "benchmark", "tune", NULL};

bool config_has(const char *command)
{
    return tool_choice(command, commands) >= 0;
}

static unsigned type_of(const struct poptOption *o)
{
    return o->argInfo & POPT_ARG_MASK;
}

static bool at_end(const struct poptOption *o)
{
    return !o->longName && !o->shortName && !o->arg;
}

/* Option number *n of a table and those it includes; *n counts down on the way. */
static const struct poptOption *option_at(const struct poptOption *table, size_t *n)
{
    for (const struct poptOption *o = table; !at_end(o); o++) {
        if (type_of(o) == POPT_ARG_INCLUDE_TABLE) {
            const struct poptOption *found = option_at(o->arg, n);
            if (found) {
                return found;
            }
        } else if (o->longName && o->arg && (*n)-- == 0) {
            return o;
        }
    }
    return NULL;
}

static const struct poptOption *option_number(const struct poptOption *table, size_t n)
{
    return option_at(table, &n);
}

const struct poptOption *config_option(const struct poptOption *table, const char *key)
{
    const struct poptOption *o = NULL;
    for (size_t i = 0; (o = option_number(table, i)); i++) {
        if (strcmp(o->longName, key) == 0) {
            return o;
        }
    }
    return NULL;
}

/* ---- the nearest known key ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to change, insert, delete or swap with the next (optimal string alignment). */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 65 };
    size_t rows[3][MOST + 1];
    size_t n = strlen(b);
    if (n > MOST) {
        return SIZE_MAX / 2;
    }
    for (size_t j = 0; j <= n; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; a[i - 1]; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i + 2) % 3];
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t d = last[j - 1] + (a[i - 1] != b[j - 1]);
            d = least(d, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d = least(d, rows[(i + 1) % 3][j - 2] + 1);
            }
            now[j] = d;
        }
    }
    return rows[strlen(a) % 3][n];
}

/* Twice the distance, one less for the beginning of a word: "rat" is nearer to "rate" than to "raw".
 */
static void consider(const char **best, size_t *least_so_far, const char *key, const char *known)
{
    size_t d = 2 * distance(key, known);
    d -= d > 0 && strncmp(key, known, strlen(key)) == 0;
    if (d < *least_so_far) {
        *least_so_far = d;
        *best = known;
    }
}

/* ", did you mean 'rate'?" or "", if nothing is near. */
static void suggest(char *out, size_t size, const char *key, const struct poptOption *table)
{
    const char *best = NULL;
    size_t limit = 2 * (strlen(key) / 3 + 2) - 1;
    for (size_t i = 0; table && option_number(table, i); i++) {
        consider(&best, &limit, key, option_number(table, i)->longName);
    }
    for (size_t i = 0; !table && commands[i]; i++) {
        consider(&best, &limit, key, commands[i]);
    }
    if (best) {
        snprintf(out, size, ", did you mean '%s'?", best);
    } else {
        out[0] = '\0';
    }
}

/* ---- values ---- */

static int expected(const struct yaml_file *f, const struct yaml_entry *e, const char *what)
{
    return tool_usage("%s, line %d: %s is %s'%.80s', expected %s", f->path, e->line, e->key,
                      e->kind == YAML_LIST ? "a list, " : "", e->value, what);
}

static int set_integer(const struct poptOption *o, const struct yaml_file *f,
                       const struct yaml_entry *e)
{
    char *end = NULL;
    errno = 0;
    const unsigned type = type_of(o);
    const long long v = strtoll(e->value, &end, 10);
    if (end == e->value || *end != '\0') {
        return expected(f, e, "an integer");
    }
    const bool fits = errno == 0 && (type != POPT_ARG_INT || (v >= INT_MIN && v <= INT_MAX)) &&
                      (type != POPT_ARG_LONG || (v >= LONG_MIN && v <= LONG_MAX));
    if (!fits) {
        return expected(f, e, "a smaller number");
    }
    if (type == POPT_ARG_INT) {
        *(int *)o->arg = (int)v;
    } else if (type == POPT_ARG_LONG) {
        *(long *)o->arg = (long)v;
    } else {
        *(long long *)o->arg = v;
    }
    return 0;
}

static int set_real(const struct poptOption *o, const struct yaml_file *f,
                    const struct yaml_entry *e)
{
    char *end = NULL;
    const double v = strtod(e->value, &end);
    if (end == e->value || *end != '\0' || !isfinite(v)) {
        return expected(f, e, "a number");
    }
    if (type_of(o) == POPT_ARG_DOUBLE) {
        *(double *)o->arg = v;
        return 0;
    }
    const float single = strtof(e->value, NULL);
    if (!isfinite(single)) {
        return expected(f, e, "a smaller number");
    }
    *(float *)o->arg = single;
    return 0;
}

static int set_switch(const struct poptOption *o, const struct yaml_file *f,
                      const struct yaml_entry *e)
{
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};
    for (int i = 0; i < 6 && e->kind == YAML_VALUE; i++) {
        if (strcasecmp(e->value, words[i]) == 0) {
            *(int *)o->arg = i >= 3;
            return 0;
        }
    }
    return expected(f, e, "true or false");
}

static int set_option(const struct poptOption *o, const struct yaml_file *f,
                      const struct yaml_entry *e)
{
    if (e->kind == YAML_NULL) {
        return 0; /* the default stays */
    }
    if (e->kind == YAML_LIST && type_of(o) != POPT_ARG_STRING) {
        return expected(f, e, "one value");
    }
    switch (type_of(o)) {
    case POPT_ARG_STRING: {
        char *copy = strdup(e->value); /* lives to the end, like popt's own */
        if (!copy) {
            fprintf(stderr, "greentea: no memory to read %s\n", f->path);
            return EXIT_DEVICE;
        }
        *(char **)o->arg = copy;
        return 0;
    }
    case POPT_ARG_INT:
    case POPT_ARG_LONG:
    case POPT_ARG_LONGLONG:
        return set_integer(o, f, e);
    case POPT_ARG_FLOAT:
    case POPT_ARG_DOUBLE:
        return set_real(o, f, e);
    case POPT_ARG_NONE:
        return set_switch(o, f, e);
    default:
        return tool_usage("%s, line %d: %s can be given on the command line only", f->path, e->line,
                          e->key);
    }
}

/* ---- a whole file ---- */

static int unknown(const struct yaml_file *f, const struct yaml_entry *e, const char *command,
                   const struct poptOption *table)
{
    char hint[128];
    suggest(hint, sizeof hint, e->key, table);
    if (!table) {
        return tool_usage("%s, line %d: unknown section '%s'%s", f->path, e->line, e->key, hint);
    }
    return tool_usage("%s, line %d: unknown key '%s' for greentea %s%s", f->path, e->line, e->key,
                      command, hint);
}

/* The keys of one section; 0: those at the top. */
static int apply_section(const struct yaml_file *f, size_t section, const char *command,
                         const struct poptOption *table)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct yaml_entry *e = &f->entries[i];
        if (e->section != section || e->kind == YAML_SECTION) {
            continue;
        }
        if (section == 0 && e->kind == YAML_NULL && config_has(e->key)) {
            continue; /* a section without keys */
        }
        const struct poptOption *o = config_option(table, e->key);
        int code = o ? set_option(o, f, e) : unknown(f, e, command, table);
        if (code) {
            return code;
        }
    }
    return 0;
}

int config_apply(const char *path, const char *command, const struct poptOption *table)
{
    struct yaml_file f;
    size_t own = 0;
    int code = yaml_load(&f, path);
    for (size_t i = 0; i < f.n && code == 0; i++) {
        const struct yaml_entry *e = &f.entries[i];
        if (e->kind == YAML_SECTION && !config_has(e->key)) {
            code = unknown(&f, e, command, NULL);
        } else if (e->kind == YAML_SECTION && strcmp(e->key, command) == 0) {
            own = i + 1;
        }
    }
    code = code ? code : apply_section(&f, 0, command, table);
    if (code == 0 && own) {
        code = apply_section(&f, own, command, table);
    }
    yaml_free(&f);
    return code;
}

int config_check_finite(const struct poptOption *table)
{
    const struct poptOption *o = NULL;
    for (size_t i = 0; (o = option_number(table, i)); i++) {
        const double value = type_of(o) == POPT_ARG_FLOAT    ? (double)*(float *)o->arg
                             : type_of(o) == POPT_ARG_DOUBLE ? *(double *)o->arg
                                                             : 0.0;
        if (!isfinite(value)) {
            return tool_usage("--%s is %g, expected a number", o->longName, value);
        }
    }
    return 0;
}

/* ---- from the options back ---- */

/* The decimal number with the fewest digits that is this float. */
static double shortest(float value)
{
    char text[32];
    for (int digits = 1; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) {
            return strtod(text, NULL);
        }
    }
    return (double)value;
}

/* JSON and YAML hold UTF-8 only, file names anything. */
static json_t *word_json(const struct poptOption *o)
{
    const char *word = *(char **)o->arg;
    json_t *value = word ? json_string(word) : json_null();
    if (value) {
        return value;
    }
    char *copy = strdup(word);
    for (char *c = copy; copy && *c; c++) {
        *c = (unsigned char)*c < 128 ? *c : '?';
    }
    if (copy) {
        fprintf(stderr, "greentea: warning: --%s is not UTF-8 and is noted as '%s'\n", o->longName,
                copy);
        value = json_string(copy);
    }
    free(copy);
    return value;
}

static json_t *value_json(const struct poptOption *o)
{
    switch (type_of(o)) {
    case POPT_ARG_STRING:
        return word_json(o);
    case POPT_ARG_INT:
        return json_integer(*(int *)o->arg);
    case POPT_ARG_LONG:
        return json_integer(*(long *)o->arg);
    case POPT_ARG_LONGLONG:
        return json_integer(*(long long *)o->arg);
    case POPT_ARG_FLOAT:
        return json_real(shortest(*(float *)o->arg));
    case POPT_ARG_DOUBLE:
        return json_real(*(double *)o->arg);
    case POPT_ARG_NONE:
        return json_boolean(*(int *)o->arg != 0);
    default:
        return json_null();
    }
}

json_t *config_json(const struct poptOption *table)
{
    json_t *object = json_object();
    const struct poptOption *o = NULL;
    for (size_t i = 0; (o = option_number(table, i)); i++) {
        json_t *value = value_json(o);
        if (!value || json_object_set_new(object, o->longName, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}
