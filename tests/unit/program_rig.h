/* Small networks as graphs, and programs of them run on the CPU: what the tests of programs share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TESTS_PROGRAM_RIG_H
#define GT_TESTS_PROGRAM_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/program_internal.h"
#include "core/random.h"

enum { RIG_PARAMS = 8, RIG_LABELS = 3 };

/* What a graph computes: outputs to read after a run. */
struct rig {
    gt_graph *graph;
    gt_value input, label, hyper;
    gt_value params[RIG_PARAMS];
    int32_t n_params;
    gt_value output; /* probabilities */
    gt_value loss;
};

enum rig_kind { RIG_INFER, RIG_SGD, RIG_ADAMW, RIG_SOFTMAX, RIG_MALIS, RIG_WIDE };

/* Stops at the first failure, so that tests of failing allocations can use it. */
static inline gt_status rig_param(struct rig *r, gt_value *out, int32_t n, int32_t c, int32_t h,
                                  int32_t w, const char *name)
{
    GT_TRY(gt_graph_param(out, r->graph, (gt_shape){n, c, h, w}, name, 1, 1));
    r->params[r->n_params++] = *out;
    return GT_OK;
}

static inline gt_status rig_conv(struct rig *r, gt_value *y, gt_value x, int32_t cout, int32_t k,
                                 int32_t dilation, const char *name)
{
    gt_value w = GT_NO_VALUE;
    gt_value b = GT_NO_VALUE;
    GT_TRY(rig_param(r, &w, cout, gt_graph_shape(r->graph, x).c, k, k, name));
    GT_TRY(rig_param(r, &b, 1, cout, 1, 1, name));
    return gt_graph_conv2d(y, r->graph, x, w, b, dilation);
}

/* conv 3x3 - relu - pooling - conv 2x2 dilation 2 - relu - doubling - MergeCrop with the first -
 * 1x1. h and w must be 6 plus a multiple of 2. */
static inline gt_status rig_network(struct rig *r, gt_value *out, int32_t h, int32_t w)
{
    gt_graph *g = r->graph;
    gt_value y = GT_NO_VALUE;
    gt_value skip = GT_NO_VALUE;
    GT_TRY(gt_graph_input(&r->input, g, (gt_shape){2, 3, h, w}, "image"));
    GT_TRY(rig_conv(r, &y, r->input, 20, 3, 1, "conv1"));
    GT_TRY(gt_graph_relu(&skip, g, y));
    GT_TRY(gt_graph_maxpool(&y, g, skip, 2, 2, 1));
    GT_TRY(rig_conv(r, &y, y, 32, 2, 2, "conv2"));
    GT_TRY(gt_graph_relu(&y, g, y));
    GT_TRY(gt_graph_upsample(&y, g, y));
    GT_TRY(gt_graph_mergecrop(&y, g, y, skip, NULL));
    return rig_conv(r, out, y, RIG_LABELS, 1, 1, "conv3");
}

/* Two convolutions as the kernels for many channels and large kernels take them: 5x5, no dilation. */
static inline gt_status rig_wide(struct rig *r, gt_value *out, int32_t h, int32_t w)
{
    gt_value y = GT_NO_VALUE;
    GT_TRY(gt_graph_input(&r->input, r->graph, (gt_shape){1, 16, h, w}, "image"));
    GT_TRY(rig_conv(r, &y, r->input, 20, 5, 1, "conv1"));
    GT_TRY(gt_graph_relu(&y, r->graph, y));
    return rig_conv(r, out, y, 16, 5, 1, "conv2");
}

/* softmax with its gradient, and an addition of gradients */
static inline gt_status rig_softmax(struct rig *r, int32_t h, int32_t w)
{
    gt_value x = GT_NO_VALUE;
    gt_value y = GT_NO_VALUE;
    GT_TRY(rig_param(r, &x, 1, RIG_LABELS, h, w, "scores"));
    GT_TRY(gt_graph_add(&y, r->graph, x, x));
    GT_TRY(gt_graph_softmax(&r->output, r->graph, y));
    GT_TRY(gt_graph_input(&r->input, r->graph, (gt_shape){1, RIG_LABELS, h, w}, "dp"));
    GT_TRY(gt__graph_backward(r->graph, r->output, r->input));
    r->loss = gt_graph_gradient_of(r->graph, x);
    GT_TRY(gt_graph_output(r->graph, r->loss));
    return gt_graph_output(r->graph, r->output);
}

/* r->graph must be freed whatever comes back. */
static inline gt_status rig_build(struct rig *r, enum rig_kind kind, int32_t h, int32_t w)
{
    gt_value scores = GT_NO_VALUE;
    *r = (struct rig){0};
    GT_TRY(gt_graph_create(&r->graph));
    if (kind == RIG_SOFTMAX) {
        return rig_softmax(r, h, w);
    }
    GT_TRY((kind == RIG_WIDE ? rig_wide : rig_network)(r, &scores, h, w));
    if (kind == RIG_INFER) {
        GT_TRY(gt_graph_softmax(&r->output, r->graph, scores));
        return gt_graph_output(r->graph, r->output);
    }
    struct gt_update_values u = {0};
    gt_shape s = gt_graph_shape(r->graph, scores);
    GT_TRY(gt_graph_input(&r->label, r->graph, (gt_shape){s.n, 1, s.h, s.w}, "label"));
    if (kind == RIG_MALIS) {
        GT_TRY(gt_graph_softmax(&r->output, r->graph, scores));
        GT_TRY(gt_graph_malis_loss(&r->loss, r->graph, r->output, r->label, NULL));
    } else {
        GT_TRY(gt_graph_softmax_loss(&r->loss, &r->output, r->graph, scores, r->label,
                                     GT_NORMALIZE_VALID, 1));
    }
    GT_TRY(gt_graph_output(r->graph, r->loss));
    GT_TRY(gt_graph_output(r->graph, r->output));
    GT_TRY(gt_graph_gradient(r->graph, r->loss));
    GT_TRY(gt__graph_updates(&u, r->graph, kind == RIG_ADAMW ? GT_UPDATE_ADAMW : GT_UPDATE_SGD));
    r->hyper = u.hyper;
    return GT_OK;
}

static inline size_t rig_count(const struct rig *r, gt_value v)
{
    return gt__count(gt_graph_shape(r->graph, v));
}

static inline void *rig_calloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        abort();
    }
    return memory;
}

static inline gt_status rig_write(const struct rig *r, gt_program *p, gt_value v, float scale,
                                  bool labels)
{
    struct gt_random random = gt__random_open(3, GT_STREAM_TEST, (uint64_t)v);
    size_t n = rig_count(r, v);
    float *x = (float *)rig_calloc(n, sizeof *x);
    for (size_t i = 0; i < n; i++) {
        x[i] = labels ? (float)gt__random_below(&random, RIG_LABELS + 1) - 1
                      : scale * (2 * gt__random_f32(&random) - 1);
    }
    gt_status status = gt_program_write(p, v, x);
    free(x);
    return status;
}

/* Inputs and parameters at random, the same for every program of a kind. */
static inline gt_status rig_fill(const struct rig *r, gt_program *p)
{
    static const float hyper[GT_HYPER_COUNT] = {0.05F, 1e-3F, 0.9F, 0.99F, 1e-3F, 1, 10, 100};
    GT_TRY(rig_write(r, p, r->input, 1, false));
    for (int32_t i = 0; i < r->n_params; i++) {
        GT_TRY(rig_write(r, p, r->params[i], 0.3F, false));
    }
    if (r->label) {
        GT_TRY(rig_write(r, p, r->label, 1, true));
    }
    return r->hyper ? gt_program_write(p, r->hyper, hyper) : GT_OK;
}

/* Everything that can be read: probabilities, loss, parameters. The caller frees it. */
static inline float *rig_read(size_t *count, const struct rig *r, gt_program *p)
{
    size_t n = rig_count(r, r->output) + (r->loss ? rig_count(r, r->loss) : 0);
    for (int32_t i = 0; i < r->n_params; i++) {
        n += rig_count(r, r->params[i]);
    }
    float *all = (float *)rig_calloc(n, sizeof *all);
    float *at = all;
    assert_int_equal(gt_program_read(p, r->output, at), GT_OK);
    at += rig_count(r, r->output);
    if (r->loss) {
        assert_int_equal(gt_program_read(p, r->loss, at), GT_OK);
        at += rig_count(r, r->loss);
    }
    for (int32_t i = 0; i < r->n_params; i++) {
        assert_int_equal(gt_program_read(p, r->params[i], at), GT_OK);
        at += rig_count(r, r->params[i]);
    }
    *count = n;
    return all;
}

static inline gt_device *rig_device(int32_t threads, uint32_t isa)
{
    gt_device *device = NULL;
    gt_device_options options;
    gt_device_options_init(&options);
    options.threads = threads;
    options.isa = isa;
    assert_int_equal(gt_device_open(&device, "cpu", &options), GT_OK);
    return device;
}

#endif
