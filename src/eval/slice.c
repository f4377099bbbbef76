/* One slice while it is judged. SPDX-License-Identifier: BSD-2-Clause */
#include "eval/slice.h"

#include <math.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/shape.h"
#include "image/convert.h"

void gt__slice_release(struct gt_slice *s)
{
    gt__free(s->truth);
    gt__free(s->prob);
    gt__free(s->above);
    gt__free(s->mask);
    gt__free(s->label);
    gt__free(s->queue);
    gt__free(s->scratch);
    gt__free(s->sure);
    gt__free(s->warping.source);
    gt__free(s->warping.target);
    gt__free(s->warping.state);
    gt__free(s->warping.rank);
    gt__free(s->warping.order);
    gt__free(s->warping.heap);
}

static gt_status create_warping(struct gt_slice *s)
{
    struct gt_warping *w = &s->warping;
    size_t count = (size_t)s->grid.count;
    GT_TRY(gt__alloc(&s->sure, s->n, sizeof *s->sure, "distances from a threshold"));
    GT_TRY(gt__alloc(&w->source, count, sizeof *w->source, "a binary image"));
    GT_TRY(gt__alloc(&w->target, count, sizeof *w->target, "a binary image"));
    GT_TRY(gt__alloc(&w->state, count, sizeof *w->state, "states of pixels"));
    GT_TRY(gt__alloc(&w->rank, count, sizeof *w->rank, "ranks of pixels"));
    GT_TRY(gt__alloc(&w->order, count, sizeof *w->order, "the order of pixels"));
    return gt__alloc(&w->heap, count, sizeof *w->heap, "a heap of pixels");
}

gt_status gt__slice_create(struct gt_slice *out, const gt_image_view *truth, int32_t channels,
                           uint32_t metrics)
{
    gt_status status = GT_OK;
    struct gt_slice s = {.channels = channels};
    GT_TRY_OUT(gt__grid(&s.grid, truth->width, truth->height));
    s.n = (size_t)truth->width * (size_t)truth->height;
    size_t count = (size_t)s.grid.count;
    size_t planes = 0;
    if (!gt__mul(&planes, s.n, (size_t)channels)) {
        planes = SIZE_MAX;
    }
    GT_TRY_OUT(gt__alloc(&s.truth, s.n, sizeof *s.truth, "the truth"));
    GT_TRY_OUT(gt__alloc(&s.prob, planes, sizeof *s.prob, "the probabilities"));
    GT_TRY_OUT(gt__alloc(&s.above, s.n, sizeof *s.above, "thresholds of pixels"));
    if (metrics) {
        GT_TRY_OUT(gt__alloc(&s.mask, count, sizeof *s.mask, "a binary image"));
        GT_TRY_OUT(gt__alloc(&s.label, count, sizeof *s.label, "segments"));
        GT_TRY_OUT(gt__alloc(&s.queue, count, sizeof *s.queue, "the queue of the flooding"));
        GT_TRY_OUT(gt__alloc(&s.scratch, 3 * (count + 1), sizeof *s.scratch, "pixels of segments"));
    }
    if (metrics & GT_METRIC_WARPING) {
        GT_TRY_OUT(create_warping(&s));
    }
    *out = s;
    s = (struct gt_slice){0};
out:
    gt__slice_release(&s);
    return status;
}

gt_status gt__read_labels(int32_t *dst, float *scratch, const gt_image_view *view, int32_t labels,
                          const char *what)
{
    size_t n = (size_t)view->width * (size_t)view->height;
    gt__view_to_float(scratch, view, 0, view->height);
    for (size_t i = 0; i < n; i++) {
        float v = scratch[i];
        size_t x = i % (size_t)view->width;
        size_t y = i / (size_t)view->width;
        if (isnan(v)) {
            return gt__fail(GT_ENUMERIC, "the %s is NaN at x %zu, y %zu", what, x, y);
        }
        if (v >= (float)labels || (v >= 0 && v > floorf(v))) {
            return gt__fail(GT_EINVAL, "%s %g at x %zu, y %zu is not a label from 0 to %d", what,
                            (double)v, x, y, labels - 1);
        }
        dst[i] = v < 0 ? -1 : (int32_t)v;
    }
    return GT_OK;
}

/* What a stored 1 stands for: integer types span their whole range. */
static double full_scale(gt_type type)
{
    switch (type) {
    case GT_U8:
        return UINT8_MAX;
    case GT_U16:
        return UINT16_MAX;
    case GT_U32:
        return UINT32_MAX;
    case GT_I8:
        return INT8_MAX;
    case GT_I16:
        return INT16_MAX;
    case GT_I32:
        return INT32_MAX;
    case GT_F32:
    case GT_F64:
        break;
    }
    return 1;
}

gt_status gt__slice_read_prob(struct gt_slice *s, const gt_image_view *view, int32_t judged)
{
    double scale = full_scale(view->type);
    gt__view_to_float(s->prob, view, 0, view->height);
    for (size_t k = 0; k < s->n * (size_t)view->channels; k++) {
        double v = (double)s->prob[k] / scale;
        size_t i = k % s->n;
        if (!isfinite(v) || v < -1e-3 || v > 1 + 1e-3) {
            return gt__fail(isfinite(v) ? GT_EINVAL : GT_ENUMERIC,
                            "probability %g at x %zu, y %zu is not from 0 to 1", v,
                            i % (size_t)view->width, i / (size_t)view->width);
        }
        s->prob[k] = (float)v;
        if (k / s->n == (size_t)judged) {
            s->above[i] = (uint8_t)gt__thresholds_below(v);
        }
    }
    return GT_OK;
}

void gt__slice_mask_truth(uint8_t *mask, const struct gt_slice *s, int32_t label)
{
    size_t i = 0;
    for (int32_t y = 0; y < s->grid.height; y++) {
        uint8_t *row = mask + gt__grid_row(&s->grid, y);
        for (int32_t x = 0; x < s->grid.width; x++, i++) {
            row[x] = s->truth[i] == label;
        }
    }
}

void gt__slice_mask_above(uint8_t *mask, const struct gt_slice *s, int32_t threshold)
{
    size_t i = 0;
    for (int32_t y = 0; y < s->grid.height; y++) {
        uint8_t *row = mask + gt__grid_row(&s->grid, y);
        for (int32_t x = 0; x < s->grid.width; x++, i++) {
            row[x] = s->above[i] > threshold;
        }
    }
}
