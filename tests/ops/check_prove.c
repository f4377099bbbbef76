/* Proves one kernel on one case: values against the oracle, zeros beyond the tensor, guard zones
 * and inputs untouched, the same bits again without packing, and on any number of threads.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_layout.h"

static void print_layouts(const char *what, const gt_layout *l, int32_t n)
{
    fprintf(stderr, " %s", what);
    for (int32_t i = 0; i < n; i++) {
        fprintf(stderr, " b%dp%d%s", l[i].block, l[i].phase, l[i].kind == GT_KIND_U8 ? "u8" : "");
    }
}

static bool report(const struct check_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool report(const struct check_job *job, const char *format, ...)
{
    const struct gt_node *node = check_tested(job->c);
    va_list args;
    fprintf(stderr, "FAIL %s, %d threads, %s variant %u, case %zu (%s),", job->where->name,
            job->device->threads, job->kernel->name, job->variant, job->c->index, job->c->name);
    print_layouts("in", job->layouts->in, node->n_in);
    print_layouts("out", job->layouts->out, node->n_out);
    if (job->inplace >= 0) {
        fprintf(stderr, " in place of input %d", job->inplace);
    }
    fprintf(stderr, ", seed %llu: ", (unsigned long long)job->c->seed);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    return false;
}

static bool near(double y, double ref, double bound)
{
    if (isnan(ref)) {
        return isnan(y);
    }
    return y == ref || fabs(y - ref) <= bound;
}

/* S of an element, from its bound: see check_bound_sum. */
static double sum_of(const struct check_case *c, double bound)
{
    return bound / ((c->terms + 4) * (double)FLT_EPSILON);
}

/* Rounding to bfloat16 changes a factor by 2^-8 of itself at most, a product by (1 + 2^-8)^2 - 1. */
static const double bf16_product = 0x1p-7 + 0x1p-16;

static bool is_bf16(const struct check_job *job)
{
    return (job->layouts->plan.flags & GT_PLAN_BF16) != 0;
}

/* What is allowed at element i: of transforms, which mix the elements of a tile, a multiple of the
 * largest bound. */
static double allowed(const struct check_job *job, int32_t out, double largest, size_t i)
{
    double growth = job->layouts->plan.growth;
    double bound = job->c->bound[out][i];
    if (is_bf16(job)) {
        return bound * (1 + bf16_product) + bf16_product * sum_of(job->c, bound);
    }
    return growth > 0 ? growth * largest : bound;
}

/* Into the bound of the worst case a coefficient that is wrong in its third digit fits: the errors of
 * all elements together must also stay below this share of sums of random signs, S / sqrt(L) each.
 * Measured: up to 2.2e-5 (Winograd), 1.8e-6 (Fourier). */
static const double usual_share = 1e-4;

/* Roundings to bfloat16 are as random as the signs. The share is 2.8e-3 then (measured, and half of
 * it where ReLU makes zeros), with weights cut off instead of rounded 4.4e-3; a sixtieth would be
 * fp32, and the kernel not what it says. Few elements may be lucky or unlucky. */
static const double usual_bf16 = 3.5e-3;
static const double least_bf16 = 5e-5;
enum { FEW_ELEMENTS = 100 };

struct squares {
    double error, sum;
};
static void add_squares(struct squares *q, const struct check_case *c, double error, double bound)
{
    double s = sum_of(c, bound);
    q->error += error * error;
    q->sum += s * s / c->terms;
}
static bool usual(const struct check_job *job, int32_t out, size_t n, const struct squares *q)
{
    double error = sqrt(q->error);
    bool bf16 = is_bf16(job);
    double most = (bf16 ? usual_bf16 : usual_share) * sqrt(q->sum);
    if (!bf16 && job->layouts->plan.growth <= 0) {
        return true;
    }
    if (bf16 && n < FEW_ELEMENTS) {
        return true;
    }
    if (error > most) {
        return report(job, "output %d: errors of %.3g together, above the usual %.3g", out, error,
                      most);
    }
    return !bf16 || error >= least_bf16 * sqrt(q->sum) ||
           report(job, "output %d: errors of %.3g together, nothing was rounded to bfloat16", out,
                  error);
}

/* Elements equal to the oracle's; everything else in the buffer zero. `image` is used up. */
static bool compare(const struct check_job *job, int32_t out, const struct gt_view *view,
                    uint8_t *image)
{
    gt_shape s = view->shape;
    gt_layout l = view->layout;
    size_t i = 0;
    double largest = 0;
    struct squares sums = {0};
    for (; i < gt__count(s); i++) {
        largest = fmax(largest, job->c->bound[out][i]);
    }
    i = 0;
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t c = 0; c < s.c; c++) {
            for (int32_t h = 0; h < s.h; h++) {
                for (int32_t w = 0; w < s.w; w++, i++) {
                    size_t at = gt__layout_index(s, l, n, c, h, w) * gt__kind_size(l.kind);
                    float f = 0;
                    double y = (double)image[at];
                    double ref = 0;
                    if (l.kind == GT_KIND_U8) {
                        ref = (double)((const uint8_t *)job->c->ref[out])[i];
                        image[at] = 0;
                    } else {
                        memcpy(&f, image + at, sizeof f);
                        memset(image + at, 0, sizeof f);
                        y = (double)f;
                        ref = ((const double *)job->c->ref[out])[i];
                    }
                    add_squares(&sums, job->c, y - ref, job->c->bound[out][i]);
                    if (!near(y, ref, allowed(job, out, largest, i))) {
                        return report(job,
                                      "output %d at (%d,%d,%d,%d): %.9g, expected %.17g, "
                                      "difference %.3g above the bound %.3g",
                                      out, n, c, h, w, y, ref, fabs(y - ref),
                                      allowed(job, out, largest, i));
                    }
                }
            }
        }
    }
    if (!usual(job, out, gt__count(s), &sums)) {
        return false;
    }
    for (i = 0; i < view->size; i++) {
        if (image[i] != 0) {
            return report(job, "output %d: byte %zu beyond the tensor is not zero (0x%02x)", out, i,
                          image[i]);
        }
    }
    return true;
}

static gt_status read_back(const struct check_job *job, const struct check_memory *m, uint8_t **out)
{
    uint8_t *copy = (uint8_t *)check_calloc(m->total, 1);
    *out = copy;
    return job->device->backend->read(job->device, m->buffer, 0, copy, m->total);
}

/* The guards before and behind a buffer, all that is read of scratch and packed weights, which are
 * large. */
static bool check_guards(const struct check_job *job, const struct check_memory *m,
                         const char *what, int32_t number)
{
    size_t at[2] = {0, CHECK_GUARD + m->bytes};
    size_t bytes[2] = {CHECK_GUARD, m->total - at[1]};
    for (int side = 0; side < 2; side++) {
        uint8_t part[CHECK_GUARD + GT_ALIGN];
        assert_true(bytes[side] <= sizeof part);
        if (bytes[side] == 0) {
            continue;
        }
        if (job->device->backend->read(job->device, m->buffer, at[side], part, bytes[side]) !=
            GT_OK) {
            return report(job, "%s", gt_error_message());
        }
        if (!check_guard_intact(part, at[side], bytes[side])) {
            return report(job, "wrote outside of %s %d", what, number);
        }
    }
    return true;
}

/* Guards of one buffer; with `keep` the contents too must be what was written. */
static bool check_buffer(const struct check_job *job, const struct check_memory *m, bool keep,
                         const char *what, int32_t number)
{
    uint8_t *now = NULL;
    bool ok = true;
    if (!m->buffer || m->shared) {
        return true;
    }
    if (!check_guards(job, m, what, number)) {
        return false;
    }
    if (!keep) {
        return true;
    }
    if (read_back(job, m, &now) != GT_OK) {
        ok = report(job, "%s", gt_error_message());
    } else if (memcmp(now, m->image, m->total) != 0) {
        ok = report(job, "changed %s %d", what, number);
    }
    free(now);
    return ok;
}

static bool check_surroundings(const struct check_job *job, const struct check_bound_job *b)
{
    bool ok = true;
    for (int32_t i = 0; i < GT_MAX_IN; i++) {
        bool written = false;
        for (int32_t o = 0; o < GT_MAX_OUT; o++) {
            written |= b->out[o].shared && b->out[o].buffer == b->in[i].buffer;
        }
        ok = ok && check_buffer(job, &b->in[i], !written, "input", i);
    }
    for (int32_t o = 0; o < GT_MAX_OUT; o++) {
        ok = ok && check_buffer(job, &b->out[o], false, "output", o);
    }
    return ok && check_buffer(job, &b->scratch, false, "scratch", 0) &&
           check_buffer(job, &b->packed, false, "packed weights", 0);
}

/* Compare with the oracle (`first` empty) or with the bits of the first run, kept in `first`. */
static bool check_outputs(const struct check_job *job, const struct check_bound_job *b,
                          uint8_t **first, const char *what)
{
    for (int32_t o = 0; o < GT_MAX_OUT; o++) {
        uint8_t *now = NULL;
        bool ok = true;
        if (!b->out[o].buffer) {
            continue;
        }
        if (read_back(job, &b->out[o], &now) != GT_OK) {
            ok = report(job, "%s", gt_error_message());
        } else if (!first[o]) {
            first[o] = (uint8_t *)check_calloc(b->out[o].total, 1);
            memcpy(first[o], now, b->out[o].total);
            ok = compare(job, o, &b->step.out[o], now + CHECK_GUARD);
        } else if (memcmp(first[o], now, b->out[o].total) != 0) {
            ok = report(job, "output %d has other bits %s", o, what);
        }
        free(now);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool prove_job(const struct check_job *job, uint8_t **first, const char *what)
{
    struct check_bound_job b = {0};
    bool ok = true;
    if (check_bind(&b, job) != GT_OK || check_submit(&b, job) != GT_OK) {
        ok = report(job, "%s", gt_error_message());
        goto out;
    }
    ok = check_outputs(job, &b, first, what) && check_surroundings(job, &b);
    b.step.pack = false;
    if (job->device != job->where->open[0] || (check_tight && !b.packed.buffer)) {
        goto out; /* the same work again, for any number of threads: see check_prove */
    }
    if (ok && (check_reset(&b, job) != GT_OK || check_submit(&b, job) != GT_OK)) {
        ok = report(job, "%s", gt_error_message());
    }
    ok = ok && check_outputs(job, &b, first, "when run again without packing") &&
         check_surroundings(job, &b);
out:
    check_unbind(&b, job);
    return ok;
}

static void free_images(uint8_t **images)
{
    for (int32_t o = 0; o < GT_MAX_OUT; o++) {
        free(images[o]);
        images[o] = NULL;
    }
}

/* Outputs that exist for differentiation and have no memory when nobody reads them. */
static uint32_t droppable(enum gt_op op)
{
    return op == GT_OP_maxpool_fwd ? 2 : op == GT_OP_softmax_loss_fwd ? 6 : 0;
}

bool check_prove(const struct check_device *where, const struct gt_kernel *kernel, unsigned variant,
                 const struct check_case *c, const struct check_layouts *layouts)
{
    struct check_job job = {.where = where,
                            .device = where->open[0],
                            .kernel = kernel,
                            .variant = variant,
                            .c = c,
                            .layouts = layouts,
                            .inplace = -1};
    uint8_t *first[GT_MAX_OUT] = {NULL};
    if (layouts->plan.growth > 0 && !(layouts->plan.flags & GT_PLAN_UNORDERED)) {
        return report(&job, "a transform whose sums do not depend on where a tile lies");
    }
    bool ok = prove_job(&job, first, "");
    for (size_t t = 1; ok && t < CHECK_THREADS && where->open[t]; t++) {
        job.device = where->open[t];
        ok = prove_job(&job, first, "than with the first number of threads");
    }
    free_images(first);
    job.device = where->open[0];
    for (int32_t i = 0; ok && i < GT_MAX_IN; i++) {
        bool already = check_tested(c)->in[i] == check_tested(c)->out[0];
        if (layouts->plan.inplace & 1u << i && !already) {
            job.inplace = i;
            ok = prove_job(&job, first, "");
            free_images(first);
        }
    }
    job.inplace = -1;
    for (uint32_t absent = 2; ok && absent < 8; absent += 2) {
        if (absent & droppable(c->op) && !(absent & ~droppable(c->op))) {
            job.absent = absent;
            ok = prove_job(&job, first, "");
            free_images(first);
        }
    }
    return ok;
}
