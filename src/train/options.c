/* Training options: defaults, what follows from network and data, checks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/trainer.h"

#include "core/mem.h"
#include "data/dataset.h"
#include "data/distort.h"
#include "train/schedule.h"

#include <jansson.h>
#include <stdlib.h>

#define PATCH 128   /* default: the largest legal size up to this */
#define SW_BATCH 32 /* default of the sliding window */
#define MAX_BATCH 65536
#define MAX_FEEDERS 64

void gt_train_options_init(gt_train_options *options)
{
    *options = (gt_train_options){.iterations = 10000,
                                  .solver = GT_ADAMW,
                                  .policy = GT_POLICY_COSINE,
                                  .rate = 1e-3F,
                                  .gamma = 1e-4F,
                                  .power = 0.75F,
                                  .step = 10000,
                                  .warmup = 100,
                                  .momentum = 0.99F,
                                  .beta1 = 0.9F,
                                  .beta2 = 0.999F,
                                  .epsilon = 1e-8F,
                                  .decay = 1e-4F,
                                  .clip = 1,
                                  .normalize = GT_NORMALIZE_VALID,
                                  .augment = GT_AUGMENT_AUTO,
                                  .seed = 1};
    gt__loss_options_init(&options->loss);
    gt_augment_options_init(&options->distort);
    gt__equalise_options_init(&options->balance);
}

static gt_status check_numbers(const gt_train_options *o)
{
    if (o->solver != GT_SGD && o->solver != GT_ADAMW) {
        return gt__fail(GT_EINVAL, "unknown solver %d", (int)o->solver);
    }
    if (!gt__in_range(o->momentum, 0, 1) || o->momentum >= 1) {
        return gt__fail(GT_EINVAL, "momentum %g, expected 0 to below 1", (double)o->momentum);
    }
    if (!gt__in_range(o->beta1, 0, 1) || o->beta1 >= 1 || !gt__in_range(o->beta2, 0, 1) ||
        o->beta2 >= 1) {
        return gt__fail(GT_EINVAL, "beta1 %g or beta2 %g, expected 0 to below 1", (double)o->beta1,
                        (double)o->beta2);
    }
    if (!gt__in_range(o->epsilon, 0, 1) || !gt__in_range(o->decay, 0, 1e6) ||
        !gt__in_range(o->clip, 0, 1e30)) {
        return gt__fail(GT_EINVAL,
                        "epsilon %g, decay %g or clip %g out of range: 0 to 1, 0 to "
                        "1e6, 0 to 1e30",
                        (double)o->epsilon, (double)o->decay, (double)o->clip);
    }
    if (!gt__in_range(o->time_limit, 0, 1e12)) {
        return gt__fail(GT_EINVAL, "time limit of %g seconds", o->time_limit);
    }
    if (!gt__in_range((double)o->normalize, GT_NORMALIZE_VALID, GT_NORMALIZE_BATCH) ||
        !gt__in_range((double)o->augment, GT_AUGMENT_AUTO, GT_AUGMENT_D4) ||
        !gt__in_range((double)o->equalise, GT_EQUALISE_NONE, GT_EQUALISE_BOTH)) {
        return gt__fail(GT_EINVAL, "unknown normalisation %d, augmentation %d or equalisation %d",
                        (int)o->normalize, (int)o->augment, (int)o->equalise);
    }
    if (!gt__in_range(o->feeders, 0, MAX_FEEDERS)) {
        return gt__fail(GT_EINVAL, "%d threads for patches, expected 0 to %d", (int)o->feeders,
                        MAX_FEEDERS);
    }
    GT_TRY(gt__augment_check(&o->distort));
    return gt__schedule_check(o);
}

static gt_status check_data(const gt_model_options *m, gt_dataset *dataset)
{
    int32_t labels = 0;
    if (gt_dataset_images(dataset) == 0) {
        return gt__fail(GT_EINVAL, "the data set is empty");
    }
    GT_TRY(gt_dataset_labels(&labels, dataset));
    if (labels != m->labels) {
        return gt__fail(GT_EINVAL, "the data has %d labels, the network %d", (int)labels,
                        (int)m->labels);
    }
    if (gt_dataset_channels(dataset) != m->channels) {
        return gt__fail(GT_EINVAL, "the images have %d channels, the network takes %d",
                        (int)gt_dataset_channels(dataset), (int)m->channels);
    }
    return GT_OK;
}

static int32_t smallest_side(const gt_dataset *dataset)
{
    int32_t side = INT32_MAX;
    for (size_t i = 0; i < dataset->n_pages; ++i) {
        const struct gt_page *page = &dataset->pages[i];
        side = page->width < side ? page->width : side;
        side = page->height < side ? page->height : side;
    }
    return side;
}

/* A patch that is legal for the network and not larger than any image (side: the smallest of all).
 */
static gt_status choose_patch(gt_train_options *o, const gt_model *model,
                              const gt_model_geometry *g, int32_t side)
{
    if (o->patch < 0) {
        return gt__fail(GT_EINVAL, "patch is %d, expected 0 or a size in pixels", (int)o->patch);
    }
    if (o->patch == 0) {
        int32_t most = side < PATCH ? side : PATCH;
        o->patch = g->minimum;
        if (g->step > 0 && most > g->minimum) {
            o->patch += (most - g->minimum) / g->step * g->step;
        }
    }
    GT_TRY(gt_model_check_size(model, o->patch));
    if (o->patch > side) {
        return gt__fail(GT_ESHAPE, "a patch of %d pixels is larger than the smallest image side %d",
                        (int)o->patch, (int)side);
    }
    return GT_OK;
}

gt_status gt__train_options_complete(gt_train_options *o, const gt_model *model,
                                     gt_dataset *dataset)
{
    gt_model_options m;
    gt_model_geometry g;
    gt_model_get_options(model, &m);
    gt_model_get_geometry(model, &g);
    GT_TRY(check_numbers(o));
    GT_TRY(check_data(&m, dataset));
    GT_TRY(choose_patch(o, model, &g, smallest_side(dataset)));
    if (o->batch == 0) {
        o->batch = g.step > 0 ? 1 : SW_BATCH;
    }
    if (o->batch < 1 || o->batch > MAX_BATCH) {
        return gt__fail(GT_EINVAL, "batch is %d, expected 1 to %d", (int)o->batch, MAX_BATCH);
    }
    if (o->augment == GT_AUGMENT_AUTO) {
        o->augment = m.labels == 2 ? GT_AUGMENT_D4 : GT_AUGMENT_NONE;
    }
    return gt__loss_check(o, m.labels);
}

static json_t *distort_json(const gt_augment_options *d)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:i, s:f, s:f, s:f, s:f, s:f}", "rotate",
                     (double)d->rotate, "scale_low", (double)d->scale_low, "scale_high",
                     (double)d->scale_high, "elastic", (double)d->elastic, "elastic_grid",
                     (int)d->elastic_grid, "blur", (double)d->blur, "gamma", (double)d->gamma,
                     "contrast", (double)d->contrast, "brightness", (double)d->brightness, "noise",
                     (double)d->noise);
}

/* Through jansson, because printf writes decimals as the host's locale wants them. */
gt_status gt__train_options_json(char **out, const gt_train_options *o)
{
    static const char *const policies[] = {"fixed", "inv", "step", "poly", "cosine"};
    static const char *const augments[] = {"auto", "none", "flips", "d4"};
    bool adam = o->solver == GT_ADAMW;
    json_t *json = json_pack(
        "{s:s, s:i, s:i, s:I, s:s, s:f, s:f, s:f, s:I, s:I, s:f, s:f, s:f, s:s, s:s}", "name",
        adam ? "adamw" : "sgd", "patch", (int)o->patch, "batch", (int)o->batch, "iterations",
        (json_int_t)o->iterations, "policy", policies[o->policy], "rate", (double)o->rate, "gamma",
        (double)o->gamma, "power", (double)o->power, "step", (json_int_t)o->step, "warmup",
        (json_int_t)o->warmup, adam ? "beta1" : "momentum", (double)(adam ? o->beta1 : o->momentum),
        "decay", (double)o->decay, "clip", (double)o->clip, "normalize",
        o->normalize == GT_NORMALIZE_VALID ? "valid" : "batch", "augment", augments[o->augment]);
    bool good = json && json_object_set_new(json, "distort", distort_json(&o->distort)) == 0 &&
                gt__equalise_options_json(json, o) == GT_OK &&
                gt__loss_json(json, &o->loss) == GT_OK;
    if (adam) {
        good = good && !json_object_set_new(json, "beta2", json_real((double)o->beta2)) &&
               !json_object_set_new(json, "epsilon", json_real((double)o->epsilon));
    }
    char *text = good ? json_dumps(json, JSON_REAL_PRECISION(9)) : NULL;
    gt_status status = text ? gt__strdup(out, text) : gt__fail(GT_ENOMEM, "no memory for options");
    free(text);
    json_decref(json);
    return status;
}
