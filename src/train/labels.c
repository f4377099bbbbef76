/* What training says about labels: options, frequencies, names in the model.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/trainer.h"

#include "core/backend.h"
#include "core/mem.h"
#include "data/dataset.h"

#include <stdio.h>
#include <string.h>

void gt__equalise_options_init(gt_equalise_options *o)
{
    *o = (gt_equalise_options){.border_boost = 1.0F, .border_width = 2};
    for (int32_t k = 0; k < GT_MAX_LABELS; k++) {
        o->label_boost[k] = 1.0F;
    }
}

gt_status gt__equalise_options_json(json_t *json, const gt_train_options *o)
{
    static const char *const names[] = {"none", "mask", "prior", "both"};
    int32_t n = GT_MAX_LABELS;
    int bad = json_object_set_new(json, "equalise", json_string(names[o->equalise]));
    if (o->equalise & GT_EQUALISE_MASK) {
        json_t *boosts = json_array();
        while (n > 0 && !(o->balance.label_boost[n - 1] < 1.0F) &&
               !(o->balance.label_boost[n - 1] > 1.0F)) {
            n--; /* 1, which is the default */
        }
        for (int32_t k = 0; k < n; k++) {
            bad |= json_array_append_new(boosts, json_real((double)o->balance.label_boost[k]));
        }
        bad |= json_object_set_new(json, "label_boost", boosts);
        bad |=
            json_object_set_new(json, "border_boost", json_real((double)o->balance.border_boost));
        bad |= json_object_set_new(json, "border_width", json_integer(o->balance.border_width));
    }
    return bad ? gt__fail(GT_ENOMEM, "no memory for options") : GT_OK;
}

/* Entry k of the shares. */
static gt_label_share share_of(const gt_trainer *t, int32_t k)
{
    const gt_dataset *d = t->dataset;
    gt_label_share s = {.grey = d->value[k],
                        .label = d->target[k],
                        .images = t->balance->images[k],
                        .drawn = t->balance->drawn[k],
                        .kept = t->balance->kept[k]};
    if (k < d->folders) {
        strcpy(s.name, d->names[k]);
    }
    return s;
}

size_t gt_trainer_label_shares(gt_label_share *out, size_t capacity, const gt_trainer *trainer)
{
    size_t n = (size_t)trainer->dataset->fine;
    for (size_t k = 0; k < n && k < capacity; k++) {
        out[k] = share_of(trainer, (int32_t)k);
    }
    return n;
}

void gt__labels_log(const gt_trainer *t)
{
    const gt_device_options *o = &t->device->options;
    for (int32_t k = 0; k < t->dataset->fine && o->log; k++) {
        char text[192];
        gt_label_share s = share_of(t, k);
        snprintf(text, sizeof text,
                 "label %d (%s, grey value %d): %.3f %% of the pixels, %.3f %% drawn, %.3f %% kept",
                 k, s.name, s.grey, 100.0 * s.images, 100.0 * s.drawn, 100.0 * s.kept);
        o->log(GT_LOG_INFO, text, o->cookie);
    }
}

/* Names of the sub-folders that became a label, with + between; "" when they are too long. */
static void join_names(char *out, size_t size, const gt_dataset *d, int32_t label)
{
    size_t used = 0;
    out[0] = '\0';
    for (int32_t k = 0; k < d->folders; k++) {
        if (d->target[k] != label || d->names[k][0] == '\0') {
            continue;
        }
        int n = snprintf(out + used, size - used, "%s%s", used > 0 ? "+" : "", d->names[k]);
        used += (size_t)n;
        if (used >= size) {
            out[0] = '\0';
            return;
        }
    }
}

/* Values of label images that consolidation made one label of. */
static gt_status note_greys(gt_model *model, const gt_dataset *d)
{
    gt_grey_label list[GT_MAX_LABELS];
    size_t n = 0;
    for (int32_t k = 0; k < d->fine; k++) {
        if (d->value[k] >= 0 && d->target[k] >= 0) {
            list[n++] = (gt_grey_label){d->value[k], d->target[k]};
        }
    }
    return gt_model_set_greys(model, list, d->options.consolidate.fine > 0 ? n : 0);
}

gt_status gt__labels_note(gt_model *model, gt_dataset *dataset)
{
    for (int32_t i = 0; i < dataset->labels; ++i) {
        gt_label_info info;
        char name[sizeof info.name];
        GT_TRY(gt_model_get_label(&info, model, i));
        int32_t grey = gt_dataset_grey(dataset, i);
        join_names(name, sizeof name, dataset, i);
        if ((grey >= 0 && grey != info.grey) || (name[0] && strcmp(name, info.name) != 0)) {
            info.grey = grey;
            memcpy(info.name, name[0] ? name : info.name, sizeof name);
            GT_TRY(gt_model_set_label(model, i, &info));
        }
    }
    return note_greys(model, dataset);
}
