/* Segmentations against segmentations. SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/shape.h"
#include "eval/eval.h"
#include "image/convert.h"

/* Cells of the table of overlaps, ascending by key. */
struct gt_overlap {
    struct gt_cell *cells;
    size_t n;
    double all; /* pixels of the images */
};

gt_status gt_overlap_create(gt_overlap **out)
{
    if (!out) {
        return gt__fail(GT_EINVAL, "no place for a table of overlaps");
    }
    return gt__alloc(out, 1, sizeof **out, "a table of overlaps");
}

void gt_overlap_free(gt_overlap *overlap)
{
    if (overlap) {
        gt__free(overlap->cells);
        gt__free(overlap);
    }
}

#define LOAD(T)                                                                                    \
    {                                                                                              \
        T value;                                                                                   \
        memcpy(&value, at, sizeof value);                                                          \
        return (double)value;                                                                      \
    }

/* Exact for every type: numbers of segments pass the integers that a float holds. */
static double load(const unsigned char *at, gt_type type)
{
    switch (type) {
    case GT_U8:
        return *at;
    case GT_I8:
        LOAD(int8_t)
    case GT_U16:
        LOAD(uint16_t)
    case GT_I16:
        LOAD(int16_t)
    case GT_U32:
        LOAD(uint32_t)
    case GT_I32:
        LOAD(int32_t)
    case GT_F32:
        LOAD(float)
    case GT_F64:
        break;
    }
    LOAD(double)
}

gt_status gt__read_number(int64_t *out, const gt_image_view *view, int32_t x, int32_t y,
                          const char *what)
{
    const unsigned char *at =
        (const unsigned char *)view->data + y * view->stride_y + x * view->stride_x;
    double v = load(at, view->type);
    if (isnan(v)) {
        return gt__fail(GT_ENUMERIC, "the %s is NaN at x %d, y %d", what, x, y);
    }
    if (v > INT32_MAX || (v > 0 && v > floor(v))) {
        return gt__fail(GT_EINVAL, "%s %.10g at x %d, y %d is not a whole number below 2^31", what,
                        v, x, y);
    }
    *out = v > 0 ? (int64_t)v : v < 0 ? -1 : 0;
    return GT_OK;
}

/* Keys of the pixels with a truth label; *n of them. */
static gt_status read_keys(uint64_t *keys, size_t *n, const gt_image_view *truth,
                           const gt_image_view *segmentation)
{
    size_t found = 0;
    for (int32_t y = 0; y < truth->height; y++) {
        for (int32_t x = 0; x < truth->width; x++) {
            int64_t i = 0;
            int64_t j = 0;
            GT_TRY(gt__read_number(&i, truth, x, y, "truth"));
            GT_TRY(gt__read_number(&j, segmentation, x, y, "segment"));
            if (j < 0) {
                return gt__fail(GT_EINVAL, "the number of a segment is below 0 at x %d, y %d", x,
                                y);
            }
            if (i > 0) {
                keys[found++] = (uint64_t)i << 32 | (uint64_t)j;
            }
        }
    }
    *n = found;
    return GT_OK;
}

/* Add runs of equal keys to the cells `old`, into `out`, which has room; returns the cells. */
static size_t join(struct gt_cell *out, const struct gt_cell *old, size_t n_old,
                   const uint64_t *keys, size_t n)
{
    size_t cells = 0;
    size_t k = 0;
    for (size_t i = 0; i < n || k < n_old;) {
        if (i == n || (k < n_old && old[k].key < keys[i])) {
            out[cells++] = old[k++];
            continue;
        }
        uint64_t key = keys[i];
        size_t from = i;
        while (i < n && keys[i] == key) {
            i++;
        }
        uint64_t before = k < n_old && old[k].key == key ? old[k++].count : 0;
        out[cells++] = (struct gt_cell){key, before + (i - from)};
    }
    return cells;
}

static size_t distinct(const uint64_t *keys, size_t n)
{
    size_t found = n > 0;
    for (size_t i = 1; i < n; i++) {
        found += keys[i] != keys[i - 1];
    }
    return found;
}

static gt_status check(const gt_image_view *truth, const gt_image_view *segmentation)
{
    GT_TRY(gt__view_check(truth));
    GT_TRY(gt__view_check(segmentation));
    if (truth->width != segmentation->width || truth->height != segmentation->height) {
        return gt__fail(GT_ESHAPE, "the truth is %d x %d pixels, the segmentation is %d x %d",
                        truth->width, truth->height, segmentation->width, segmentation->height);
    }
    if (truth->channels != 1 || segmentation->channels != 1) {
        return gt__fail(GT_ESHAPE, "the truth has %d channels, the segmentation has %d, expected 1",
                        truth->channels, segmentation->channels);
    }
    return GT_OK;
}

gt_status gt_overlap_add(gt_overlap *overlap, const gt_image_view *truth,
                         const gt_image_view *segmentation)
{
    if (!overlap) {
        return gt__fail(GT_EINVAL, "no table to add overlaps to");
    }
    GT_TRY(check(truth, segmentation));
    gt_status status = GT_OK;
    size_t pixels = (size_t)truth->width * (size_t)truth->height;
    size_t n = 0;
    uint64_t *keys = NULL;
    uint64_t *scratch = NULL;
    struct gt_cell *cells = NULL;
    GT_TRY_OUT(gt__alloc_raw(&keys, pixels, sizeof *keys, "overlaps of pixels"));
    GT_TRY_OUT(gt__alloc_raw(&scratch, pixels, sizeof *scratch, "overlaps of pixels"));
    GT_TRY_OUT(read_keys(keys, &n, truth, segmentation));
    gt__sort_u64(keys, scratch, n);
    GT_TRY_OUT(gt__alloc_raw(&cells, overlap->n + distinct(keys, n), sizeof *cells,
                             "a table of overlaps"));
    overlap->n = join(cells, overlap->cells, overlap->n, keys, n);
    overlap->all += (double)pixels;
    struct gt_cell *old = overlap->cells;
    overlap->cells = cells;
    cells = old;
out:
    gt__free(cells);
    gt__free(scratch);
    gt__free(keys);
    return status;
}

gt_status gt_overlap_scores(gt_partition_scores *out, const gt_overlap *overlap)
{
    if (!out || !overlap || overlap->n == 0) {
        return gt__fail(GT_EINVAL, "no pixel of the truth is in a segment");
    }
    struct gt_cell *by_column = NULL;
    GT_TRY(gt__alloc_raw(&by_column, overlap->n, sizeof *by_column, "a table of overlaps"));
    struct gt_sums sums;
    gt_partition_scores scores;
    gt__overlap_sums(&sums, overlap->all, overlap->cells, overlap->n, by_column);
    gt__partition_scores(&scores, &sums);
    gt__free(by_column);
    *out = scores;
    return GT_OK;
}

gt_status gt_image_components(gt_image **out, const gt_image_view *mask)
{
    GT_TRY(gt__view_check(mask));
    if (!out || mask->channels != 1) {
        return gt__fail(GT_ESHAPE, "a mask has %d channels, expected 1", mask->channels);
    }
    gt_status status = GT_OK;
    struct gt_grid g;
    uint8_t *binary = NULL;
    int32_t *label = NULL;
    int32_t *queue = NULL;
    gt_image *image = NULL;
    GT_TRY_OUT(gt__grid(&g, mask->width, mask->height));
    GT_TRY_OUT(gt__alloc(&binary, (size_t)g.count, sizeof *binary, "a binary image"));
    GT_TRY_OUT(gt__alloc(&label, (size_t)g.count, sizeof *label, "segments"));
    GT_TRY_OUT(gt__alloc(&queue, (size_t)g.count, sizeof *queue, "the queue of the flooding"));
    GT_TRY_OUT(gt_image_create(&image, GT_I32, 1, g.height, g.width));
    for (int32_t y = 0; y < g.height; y++) {
        for (int32_t x = 0; x < g.width; x++) {
            const unsigned char *at =
                (const unsigned char *)mask->data + y * mask->stride_y + x * mask->stride_x;
            double v = load(at, mask->type);
            if (isnan(v)) {
                status = gt__fail(GT_ENUMERIC, "the mask is NaN at x %d, y %d", x, y);
                goto out;
            }
            binary[gt__grid_row(&g, y) + x] = v > 0;
        }
    }
    gt__components(label, binary, &g, queue);
    int32_t *dst = gt_image_get_view(image).data;
    for (int32_t y = 0; y < g.height; y++) {
        memcpy(dst + (size_t)y * (size_t)g.width, label + gt__grid_row(&g, y),
               (size_t)g.width * sizeof *dst);
    }
    *out = image;
    image = NULL;
out:
    gt_image_free(image);
    gt__free(queue);
    gt__free(label);
    gt__free(binary);
    return status;
}
