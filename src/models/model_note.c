/* Notes: what a program wants to find again in a model file, as JSON, by name. They are members of
 * "notes" in the configuration. SPDX-License-Identifier: BSD-2-Clause */
#include "core/error.h"
#include "core/mem.h"
#include "models/model_json.h"

#include <string.h>

/* MAX_CONFIG leaves room below GT_HEADER_LIMIT: the configuration is a string of the header, in which
 * quotes and backslashes count twice. */
enum { MAX_NAME = 63, MAX_NOTE = 1 << 20, MAX_CONFIG = 8 << 20 };

static gt_status check_name(const gt_model *model, const char *name)
{
    if (!model || !name || !*name || strlen(name) > MAX_NAME) {
        return gt__fail(GT_EINVAL, "a note needs a model and a name of 1 to %d bytes", MAX_NAME);
    }
    return GT_OK;
}

/* The value of a note; NULL removes it, and "notes" with the last one. */
static gt_status put(json_t *root, const char *name, json_t *value)
{
    json_t *notes = json_object_get(root, "notes");
    if (!value) {
        json_object_del(notes, name);
        if (notes && json_object_size(notes) == 0) {
            json_object_del(root, "notes");
        }
        return GT_OK;
    }
    if (!notes) {
        notes = json_object();
        if (json_object_set_new(root, "notes", notes) != 0) {
            return gt__fail(GT_ENOMEM, "no memory for the note \"%s\"", name);
        }
    }
    return json_object_set(notes, name, value) == 0
               ? GT_OK
               : gt__fail(GT_EINVAL, "the name of a note is not UTF-8");
}

gt_status gt_model_set_note(gt_model *model, const char *name, const char *json)
{
    GT_TRY(check_name(model, name));
    json_error_t error;
    json_t *value = NULL;
    if (json && strlen(json) > MAX_NOTE) {
        return gt__fail(GT_ELIMIT, "the note \"%s\" has %zu bytes; the limit is %d", name,
                        strlen(json), MAX_NOTE);
    }
    if (json) {
        value = json_loads(json, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        if (!value) {
            return gt__fail(GT_EINVAL, "the note \"%s\" is not JSON: %s at byte %d", name,
                            error.text, error.position);
        }
    }
    gt_status status = GT_OK;
    char *config = NULL;
    json_t *root = json_loads(model->config, JSON_REJECT_DUPLICATES, NULL);
    if (!root) {
        status = gt__fail(GT_ENOMEM, "no memory for the note \"%s\"", name);
        goto out;
    }
    GT_TRY_OUT(put(root, name, value));
    GT_TRY_OUT(gt__json_text(&config, root));
    if (value && strlen(config) > MAX_CONFIG) {
        status = gt__fail(GT_ELIMIT, "with the note \"%s\" all are %zu bytes; the limit is %d",
                          name, strlen(config), MAX_CONFIG);
        goto out;
    }
    gt__free(model->config);
    model->config = config;
    config = NULL;
out:
    gt__free(config);
    json_decref(root);
    json_decref(value);
    return status;
}

gt_status gt_model_note(char **out, const gt_model *model, const char *name)
{
    if (!out) {
        return gt__fail(GT_EINVAL, "no place for the note");
    }
    GT_TRY(check_name(model, name));
    char *text = NULL;
    json_t *root = json_loads(model->config, JSON_REJECT_DUPLICATES, NULL);
    if (!root) {
        return gt__fail(GT_ENOMEM, "no memory for the note \"%s\"", name);
    }
    const json_t *value = json_object_get(json_object_get(root, "notes"), name);
    gt_status status = value ? gt__json_text(&text, value) : GT_OK;
    json_decref(root);
    if (status == GT_OK) {
        *out = text;
    }
    return status;
}
