/* Patches drawn from a data set. SPDX-License-Identifier: BSD-2-Clause */
#include "data/sample.h"

#include <assert.h>
#include <string.h>

#include "core/error.h"
#include "core/random.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/distort.h"
#include "data/mirror.h"
#include "data/tone.h"
#include "data/warp.h"

gt_status gt__sample_check(gt_dataset *dataset, const struct gt_patch_spec *spec)
{
    GT_TRY(gt__dataset_ready(dataset));
    int32_t surplus = 2 * spec->border - spec->shrink;
    if (spec->patch < 1 || spec->border < 0 || spec->shrink < 0 || surplus < 0 || surplus > 1) {
        return gt__fail(GT_EINVAL, "no patch of %d pixels with a border of %d and %d more input",
                        spec->patch, spec->border, spec->shrink);
    }
    for (size_t i = 0; i < dataset->n_pages; i++) {
        const struct gt_page *page = &dataset->pages[i];
        if (spec->patch > page->width || spec->patch > page->height) {
            return gt__fail(GT_ESHAPE, "patches of %d x %d pixels do not fit image %zu of %d x %d",
                            spec->patch, spec->patch, i + 1, page->width, page->height);
        }
    }
    return GT_OK;
}

static uint64_t positions(const struct gt_page *page, int32_t patch)
{
    return (uint64_t)(page->width - patch + 1) * (uint64_t)(page->height - patch + 1);
}

static struct gt_place draw_place(const gt_dataset *d, const struct gt_patch_spec *spec,
                                  uint64_t key, uint64_t sample)
{
    struct gt_random random = gt__random_open(key, GT_STREAM_PATCH, sample);
    int32_t patch = spec->patch;
    uint64_t total = 0;
    if (spec->balance && spec->balance->prior) {
        return gt__prior_draw(spec->balance->prior, gt__random_f64(&random));
    }
    for (size_t i = 0; i < d->n_pages; i++) {
        total += positions(&d->pages[i], patch);
    }
    uint64_t id = gt__random_below(&random, total);
    const struct gt_page *page = d->pages;
    while (id >= positions(page, patch)) {
        id -= positions(page, patch);
        page++;
    }
    uint64_t columns = (uint64_t)(page->width - patch + 1);
    return (struct gt_place){page, (int32_t)(id / columns), (int32_t)(id % columns)};
}

/* One channel: the symmetry of the region of side patch + 2*border, of which the first `side` rows
 * and columns are kept. */
static void copy_raw(float *dst, const struct gt_place *at, const float *plane,
                     const struct gt_patch_spec *spec, int32_t symmetry)
{
    int32_t side = spec->patch + spec->shrink;
    struct gt_symmetry_map m = gt__symmetry_map(symmetry, spec->patch + 2 * spec->border);
    int32_t y0 = at->y - spec->border + m.y0;
    int32_t x0 = at->x - spec->border + m.x0;
    for (int32_t i = 0; i < side; i++) {
        for (int32_t j = 0; j < side; j++) {
            int32_t y = gt__mirror(y0 + m.yi * i + m.yj * j, at->page->height);
            int32_t x = gt__mirror(x0 + m.xi * i + m.xj * j, at->page->width);
            *dst++ = plane[(size_t)y * (size_t)at->page->width + (size_t)x];
        }
    }
}

static void copy_labels(float *dst, const gt_dataset *d, const struct gt_place *at, int32_t patch,
                        int32_t symmetry)
{
    struct gt_symmetry_map m = gt__symmetry_map(symmetry, patch);
    for (int32_t i = 0; i < patch; i++) {
        for (int32_t j = 0; j < patch; j++) {
            size_t y = (size_t)(at->y + m.y0 + m.yi * i + m.yj * j);
            size_t x = (size_t)(at->x + m.x0 + m.xi * i + m.xj * j);
            *dst++ = d->rank[at->page->grey[y * (size_t)at->page->width + x]];
        }
    }
}

static void copy(float *raw, float *labels, const gt_dataset *d, const struct gt_place *at,
                 const struct gt_patch_spec *spec, int32_t symmetry)
{
    size_t side = (size_t)(spec->patch + spec->shrink);
    size_t pixels = (size_t)at->page->width * (size_t)at->page->height;
    for (int32_t c = 0; c < at->page->channels; c++) {
        copy_raw(raw + (size_t)c * side * side, at, at->page->raw + (size_t)c * pixels, spec,
                 symmetry);
    }
    copy_labels(labels, d, at, spec->patch, symmetry);
}

static void warp(float *raw, float *labels, const gt_dataset *d, const struct gt_place *at,
                 const struct gt_patch_spec *spec, int32_t symmetry, struct gt_random *random)
{
    struct gt_warp map;
    struct gt_warp_frame frame = {spec->patch, spec->border, spec->shrink, at->y, at->x};
    gt__warp_draw(&map, random, spec->distort, &frame, symmetry);
    gt__warp_raw(raw, &map, &frame, at->page);
    gt__warp_labels(labels, &map, &frame, at->page, d->rank);
}

static void change_tone(float *raw, const struct gt_patch_spec *spec, int32_t channels,
                        uint64_t key, uint64_t sample)
{
    int32_t side = spec->patch + spec->shrink;
    struct gt_random random = gt__random_open(key, GT_STREAM_TONE, sample);
    struct gt_tone tone = gt__tone_draw(&random, spec->distort);
    for (int32_t c = 0; c < channels; c++) {
        gt__tone_apply(raw + (size_t)c * (size_t)side * (size_t)side, side, &tone, &random);
    }
}

/* A grey page is seen in all channels. */
static void replicate(float *raw, int32_t side, int32_t from, int32_t channels)
{
    size_t pixels = (size_t)side * (size_t)side;
    for (int32_t c = from; c < channels; c++) {
        memcpy(raw + (size_t)c * pixels, raw, pixels * sizeof *raw);
    }
}

void gt__sample_draw(struct gt_patch *out, const gt_dataset *dataset,
                     const struct gt_patch_spec *spec, uint64_t key, uint64_t sample)
{
    float *raw = out->raw;
    float *labels = out->labels;
    size_t pixels = (size_t)spec->patch * (size_t)spec->patch;
    assert(dataset->ready);
    struct gt_place at = draw_place(dataset, spec, key, sample);
    gt_augment mode = spec->augment;
    if (mode == GT_AUGMENT_AUTO) {
        /* More labels may depend on the direction (membranes by orientation). */
        mode = dataset->labels == 2 ? GT_AUGMENT_D4 : GT_AUGMENT_NONE;
    }
    struct gt_random random = gt__random_open(key, GT_STREAM_AUGMENT, sample);
    int32_t symmetry = gt__symmetry_draw(&random, mode);
    if (spec->distort && gt__augment_warps(spec->distort)) {
        random = gt__random_open(key, GT_STREAM_WARP, sample);
        warp(raw, labels, dataset, &at, spec, symmetry, &random);
    } else {
        copy(raw, labels, dataset, &at, spec, symmetry);
    }
    if (spec->distort && gt__augment_tones(spec->distort)) {
        change_tone(raw, spec, at.page->channels, key, sample);
    }
    replicate(raw, spec->patch + spec->shrink, at.page->channels, dataset->channels);
    if (out->truth) {
        memcpy(out->truth, labels, pixels * sizeof *labels);
        gt__consolidate(out->truth, pixels, dataset);
    }
    if (spec->balance) {
        gt__balance_mask(labels, spec->balance, spec->patch, key, sample);
    }
    gt__consolidate(labels, pixels, dataset);
}

void gt__sample_patch(const gt_dataset *dataset, const struct gt_patch_spec *spec, uint64_t key,
                      uint64_t sample, float *raw, float *labels)
{
    gt__sample_draw(&(struct gt_patch){raw, labels, NULL}, dataset, spec, key, sample);
}
