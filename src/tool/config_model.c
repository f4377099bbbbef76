/* The configuration of a training, kept in its model. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/config.h"

#include <stdlib.h>
#include <string.h>

/* Options without influence on what is learnt, so that equal trainings leave equal files whatever
 * the machine, the names of outputs and the way progress is shown. */
static const char *const unkept[] = {
    "out",     "resume",   "overwrite",    "snapshot", "device",  "threads",
    "feeders", "progress", "quiet",        "dump",     "dry-run", "filter-output",
    "report",  "log",      "log-interval", "patience", NULL};

static bool is_kept(const char *key)
{
    return tool_choice(key, unkept) < 0 && strncmp(key, "val-", 4) != 0;
}

/* Options that a continued training may change without a word. */
static const char *const free_to_change[] = {"iterations", "time-limit", NULL};

int config_keep(gt_model *model, const struct poptOption *table)
{
    const char *key = NULL;
    json_t *value = NULL;
    void *after = NULL;
    json_t *flags = config_json(table);
    json_object_foreach_safe(flags, after, key, value)
    {
        if (!is_kept(key)) {
            json_object_del(flags, key);
        }
    }
    json_t *note = flags ? json_pack("{s:s, s:o}", "version", gt_version(), "flags", flags) : NULL;
    char *text = note ? json_dumps(note, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(note);
    if (!text) {
        fprintf(stderr, "greentea: no memory to note the configuration\n");
        return EXIT_DEVICE;
    }
    gt_status status = gt_model_set_note(model, "train", text);
    free(text);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
}

json_t *config_kept(const gt_model *model)
{
    char *text = NULL;
    json_t *note = NULL;
    if (gt_model_note(&text, model, "train") == GT_OK && text) {
        note = json_loads(text, 0, NULL);
    }
    gt_free(text);
    if (!json_is_object(json_object_get(note, "flags"))) {
        json_decref(note);
        return NULL;
    }
    return note;
}

/* "the default" for a word that was not given. */
static void describe(char *out, size_t size, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    snprintf(out, size, "%.80s", !text || json_is_null(value) ? "the default" : text);
    free(text);
}

int config_compare(const gt_model *former, const struct poptOption *table, const char *path)
{
    const char *key = NULL;
    int code = 0;
    json_t *now = NULL;
    json_t *note = config_kept(former);
    json_t *flags = config_json(table);
    const json_t *before = json_object_get(note, "flags");
    json_object_foreach(flags, key, now)
    {
        char text[2][96];
        const json_t *then = json_object_get(before, key);
        if (!then || json_equal(then, now) || tool_choice(key, free_to_change) >= 0) {
            continue;
        }
        describe(text[0], sizeof text[0], then);
        describe(text[1], sizeof text[1], now);
        if (strcmp(key, "seed") == 0) {
            code = tool_usage("%s was trained with --seed %s; --resume goes on with its random "
                              "numbers and cannot take %s",
                              path, text[0], text[1]);
            continue;
        }
        fprintf(stderr, "greentea: warning: %s was trained with --%s %s, it goes on with %s\n",
                path, key, text[0], text[1]);
    }
    json_decref(flags);
    json_decref(note);
    return code;
}
