/* Flags of the distortion of patches. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_augment.h"

#include <stdlib.h>

/* light keeps to grey values and gentle bending: nothing that a section does not show by itself.
 * full bends as Ronneberger et al. 2015 and turns by any angle (see augment_settle); its noise
 * makes up for what the interpolation of turned patches smooths away. */
static const gt_augment_options presets[] = {
    {.scale_low = 1, .scale_high = 1, .elastic_grid = 3},
    {.scale_low = 1,
     .scale_high = 1,
     .elastic = 5,
     .elastic_grid = 3,
     .gamma = 0.1F,
     .contrast = 0.1F,
     .brightness = 0.1F},
    {.rotate = 180,
     .scale_low = 0.9F,
     .scale_high = 1.1F,
     .elastic = 10,
     .elastic_grid = 3,
     .blur = 0.5F,
     .gamma = 0.2F,
     .contrast = 0.2F,
     .brightness = 0.15F,
     .noise = 0.1F},
};

static bool parse_scale(float *low, float *high, const char *text)
{
    char *end = NULL;
    *low = strtof(text, &end);
    if (end == text || *end != ',') {
        return false;
    }
    const char *second = end + 1;
    *high = strtof(second, &end);
    return end != second && *end == '\0';
}

int augment_fill(gt_train_options *o, const struct augment_flags *f)
{
    static const char *const names[] = {"none", "light", "full", NULL};
    gt_augment_options *d = &o->distort;
    int preset = 0;
    if (tool_choose(&preset, "distort", f->preset, names, 0)) {
        return EXIT_USAGE;
    }
    *d = presets[preset];
    if (f->scale && !parse_scale(&d->scale_low, &d->scale_high, f->scale)) {
        return tool_usage("--scale is '%s', expected two factors as 0.9,1.1", f->scale);
    }
    d->elastic_grid = f->grid;
    o->feeders = f->feeders;
    bool good = !tool_number(&d->rotate, "rotate", f->rotate) &&
                !tool_number(&d->elastic, "elastic", f->elastic) &&
                !tool_number(&d->blur, "blur", f->blur) &&
                !tool_number(&d->gamma, "gamma-range", f->gamma) &&
                !tool_number(&d->contrast, "contrast", f->contrast) &&
                !tool_number(&d->brightness, "brightness", f->brightness) &&
                !tool_number(&d->noise, "noise", f->noise);
    return good ? 0 : EXIT_USAGE;
}

void augment_settle(gt_train_options *o, const struct augment_flags *f, gt_dataset *dataset)
{
    int32_t labels = 0;
    if (!f->rotate && gt_dataset_labels(&labels, dataset) == GT_OK && labels > 2) {
        o->distort.rotate = 0;
    }
}
