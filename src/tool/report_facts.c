/* With what a training ran, as tables of a report. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/report.h"

#include "tool/svg.h"

#include <string.h>

static void scalar(FILE *out, const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        html_text(out, json_string_value(v));
        break;
    case JSON_INTEGER:
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        break;
    case JSON_REAL:
        fprintf(out, "%.6g", json_real_value(v));
        break;
    case JSON_TRUE:
        fputs("yes", out);
        break;
    case JSON_FALSE:
        fputs("no", out);
        break;
    case JSON_NULL:
        fputs("&ndash;", out);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
}

static void list(FILE *out, const json_t *v)
{
    for (size_t i = 0; i < json_array_size(v); i++) {
        fputs(i ? ", " : "", out);
        scalar(out, json_array_get(v, i));
    }
}

static bool all_scalar(const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (json_is_array(json_array_get(array, i)) || json_is_object(json_array_get(array, i))) {
            return false;
        }
    }
    return true;
}

/* Members as rows; those of nested objects follow with the outer name before theirs. What is not set
 * is left out; lists of objects and notes have tables of their own. */
static void rows(FILE *out, const char *before, const json_t *object, int depth)
{
    const char *key = NULL;
    json_t *v = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, key, v)
    {
        char name[128];
        snprintf(name, sizeof name, "%s%s%.60s", before, *before ? " " : "", key);
        for (char *c = name; *c; c++) {
            *c = *c == '_' ? ' ' : *c;
        }
        if (json_is_null(v) || (depth == 0 && strcmp(key, "notes") == 0)) {
            continue;
        }
        if (json_is_object(v)) {
            if (depth < 4) {
                rows(out, name, v, depth + 1);
            }
            continue;
        }
        if (json_is_array(v) && (json_array_size(v) == 0 || !all_scalar(v))) {
            continue;
        }
        fputs("<tr><th scope=\"row\">", out);
        html_text(out, name);
        fputs("</th><td>", out);
        if (json_is_array(v)) {
            list(out, v);
        } else {
            scalar(out, v);
        }
        fputs("</td></tr>\n", out);
    }
}

static void table(FILE *out, const char *title, const json_t *object)
{
    if (json_object_size(object) == 0) {
        return;
    }
    fprintf(out, "<section><h3>%s</h3>\n<div class=\"wide\"><table><tbody>\n", title);
    rows(out, "", object, 0);
    fputs("</tbody></table></div></section>\n", out);
}

static void file_row(FILE *out, const json_t *f)
{
    fputs("<tr><th scope=\"row\">", out);
    html_text(out, json_text(f, "role"));
    fputs("</th><td>", out);
    html_text(out, json_text(f, "path"));
    fputs("</td><td class=\"n\">", out);
    if (json_object_get(f, "pages")) {
        fprintf(out, "%.0f &times; (%.0f &times; %.0f)", json_number(f, "pages", 0.0),
                json_number(f, "width", 0.0), json_number(f, "height", 0.0));
    }
    fputs("</td><td class=\"n\">", out);
    if (json_object_get(f, "bytes")) {
        html_count(out, json_number(f, "bytes", 0.0));
    }
    fputs("</td><td><code>", out);
    html_text(out, json_text(f, "sha256"));
    fputs("</code></td></tr>\n", out);
}

static void file_rows(FILE *out, const json_t *files)
{
    for (size_t i = 0; i < json_array_size(files); i++) {
        file_row(out, json_array_get(files, i));
    }
}

static void command_line(FILE *out, const json_t *words)
{
    fputs("<h3>Command</h3>\n<p class=\"command\"><code>", out);
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        bool plain = word && *word && !strpbrk(word, " \t\n'\"\\$&|;<>()*?[]#~`!");
        /* a flag is not broken at its hyphens */
        fputs(i ? " <span>" : "<span>", out);
        fputs(plain ? "" : "'", out);
        html_text(out, word ? word : "");
        fputs(plain ? "</span>" : "'</span>", out);
    }
    fputs("</code></p>\n", out);
}

void report_facts(const struct report_page *p)
{
    FILE *out = p->out;
    const json_t *start = p->h->start;
    fputs("<h2>Files</h2>\n<div class=\"wide\"><table><thead><tr><th></th><th>path</th>"
          "<th class=\"n\">pages</th><th class=\"n\">bytes</th><th>SHA-256</th></tr></thead>"
          "<tbody>\n",
          out);
    file_rows(out, json_object_get(start, "data"));
    file_rows(out, json_object_get(p->h->end, "files"));
    fputs("</tbody></table></div>\n<h2>Environment and configuration</h2>\n", out);
    command_line(out, json_object_get(start, "command"));
    fputs("<div class=\"two\">\n", out);
    table(out, "Environment", json_object_get(start, "environment"));
    table(out, "Run", json_object_get(start, "run"));
    const json_t *config = json_object_get(start, "config");
    const json_t *note = json_object_get(json_object_get(config, "notes"), "train");
    table(out, "Configuration kept in the model", config);
    table(out, "Flags", json_object_get(note, "flags"));
    fputs("</div>\n", out);
}
