/* Options of distortion: defaults and checks. SPDX-License-Identifier: BSD-2-Clause */
#include "data/distort.h"

#include "core/error.h"
#include "data/elastic.h"

void gt_augment_options_init(gt_augment_options *options)
{
    *options = (gt_augment_options){.scale_low = 1, .scale_high = 1, .elastic_grid = 3};
}

/* false for NaN */
static bool in_range(float value, float low, float high)
{
    return value >= low && value <= high;
}

gt_status gt__augment_check(const gt_augment_options *o)
{
    const struct {
        const char *name;
        float value, most;
    } fields[] = {{"rotation", o->rotate, 180}, {"elastic displacement", o->elastic, 1000},
                  {"blur", o->blur, 5},         {"range of gamma", o->gamma, 1},
                  {"contrast", o->contrast, 1}, {"brightness", o->brightness, 2},
                  {"noise", o->noise, 2}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!in_range(fields[i].value, 0, fields[i].most)) {
            return gt__fail(GT_EINVAL, "%s of %g, expected 0 to %g", fields[i].name,
                            (double)fields[i].value, (double)fields[i].most);
        }
    }
    if (!in_range(o->scale_low, 0.25F, 4) || !in_range(o->scale_high, o->scale_low, 4)) {
        return gt__fail(GT_EINVAL, "scale of %g to %g, expected two factors from 0.25 to 4",
                        (double)o->scale_low, (double)o->scale_high);
    }
    if (o->elastic_grid < 2 || o->elastic_grid > GT_ELASTIC_NODES) {
        return gt__fail(GT_EINVAL, "elastic grid of %d nodes per side, expected 2 to %d",
                        (int)o->elastic_grid, GT_ELASTIC_NODES);
    }
    return GT_OK;
}

bool gt__augment_warps(const gt_augment_options *o)
{
    return o->rotate > 0 || o->scale_low < 1 || o->scale_high > 1 || o->elastic > 0;
}

bool gt__augment_tones(const gt_augment_options *o)
{
    return o->blur > 0 || o->gamma > 0 || o->contrast > 0 || o->brightness > 0 || o->noise > 0;
}
