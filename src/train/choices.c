/* The kernels of a training's programs, as checkpoints keep them: a resumed training takes them
 * again, whatever was measured in between. SPDX-License-Identifier: BSD-2-Clause */
#include "core/backend.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>

gt_status gt__choices_json(char **out, const gt_trainer *t)
{
    json_t *root = json_object();
    int bad = !root;
    for (size_t kind = 0; kind < GT_LOSS_KINDS; kind++) {
        if (t->plans[kind].choice) {
            bad |=
                json_object_set_new(root, gt__loss_names[kind], json_string(t->plans[kind].choice));
        }
    }
    char *text = bad ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (!text) {
        return gt__fail(GT_ENOMEM, "no memory for the names of kernels");
    }
    gt_status status = gt__strdup(out, text);
    free(text);
    return status;
}

/* What is no JSON counts as a text that names nothing. */
gt_status gt__choices_read(struct gt_choices *out, const char *json)
{
    struct gt_choices c = {.of = {NULL}};
    gt_status status = GT_OK;
    json_t *root = json ? json_loads(json, JSON_REJECT_DUPLICATES, NULL) : NULL;
    for (size_t kind = 0; json && kind < GT_LOSS_KINDS; kind++) {
        const char *text = json_string_value(json_object_get(root, gt__loss_names[kind]));
        if (text || !root) {
            GT_TRY_OUT(gt__strdup(&c.of[kind], text ? text : ""));
        }
    }
    *out = c;
    c = (struct gt_choices){.of = {NULL}};
out:
    gt__choices_free(&c);
    json_decref(root);
    return status;
}

void gt__choices_free(struct gt_choices *c)
{
    for (size_t kind = 0; kind < GT_LOSS_KINDS; kind++) {
        gt__free(c->of[kind]);
    }
}

void gt__choices_warn(const gt_trainer *t, const char *differs)
{
    const gt_device_options *o = &t->device->options;
    char text[256];
    if (differs && o->log) {
        snprintf(text, sizeof text,
                 "kernels are chosen anew, for the checkpoint is of %s: the last bits may differ "
                 "from those of an uninterrupted training",
                 differs);
        o->log(GT_LOG_WARN, text, o->cookie);
    }
}
