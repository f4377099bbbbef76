/* The networks on every OpenCL device against the CPU: scores, loss and all gradients.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/ocl_devices.h"
#include "../support/tiny.h"
#include "core/mem.h"
#include "core/random.h"
#include "models/model_internal.h"

static const struct net_case {
    const char *net;
    int32_t labels, channels, batch, h, w;
    double width;
    gt_skip skip;
} cases[] = {
    {"sw", 2, 3, 5, 1, 1, 0.1, GT_SKIP_FLOWING},  {"sk", 2, 1, 1, 9, 6, 0.1, GT_SKIP_FLOWING},
    {"u", 3, 3, 1, 20, 4, 0.1, GT_SKIP_FLOWING},  {"u", 2, 1, 2, 4, 20, 0.05, GT_SKIP_BLOCKED},
    {"usk", 2, 3, 1, 6, 6, 0.1, GT_SKIP_FLOWING}, {"usk9", 9, 3, 1, 4, 8, 0.1, GT_SKIP_FLOWING},
};

/* Everything that comes out of one run, one array after the other. */
struct result {
    float *scores, *gradients, loss;
    size_t n_scores, n_gradients;
};

static float *fill(size_t n, uint64_t stream, double low, double high, bool whole)
{
    float *x = NULL;
    struct gt_random r = gt__random_open(3, GT_STREAM_TEST, stream);
    tiny_ok(gt__alloc(&x, n, sizeof *x, "values"));
    for (size_t i = 0; i < n; i++) {
        double v = low + (high - low) * gt__random_f64(&r);
        x[i] = (float)(whole ? floor(v) : v);
    }
    return x;
}

/* A graph with loss and gradients. */
struct trial {
    gt_graph *graph;
    gt_value input, label, scores, loss, params[GT_MAX_TENSORS];
    gt_shape in, out;
};

static void build(struct trial *t, const gt_model *m, const struct net_case *c)
{
    gt_model_geometry geometry;
    gt_model_get_geometry(m, &geometry);
    t->in = (gt_shape){c->batch, c->channels, c->h + geometry.shrink, c->w + geometry.shrink};
    t->out = (gt_shape){c->batch, c->labels, c->h, c->w};
    tiny_ok(gt_graph_create(&t->graph));
    tiny_ok(gt_graph_input(&t->input, t->graph, t->in, "data"));
    tiny_ok(gt_graph_input(&t->label, t->graph, (gt_shape){c->batch, 1, c->h, c->w}, "label"));
    tiny_ok(gt_model_append(&t->scores, t->params, m, t->graph, t->input));
    assert_true(gt__shape_equal(gt_graph_shape(t->graph, t->scores), t->out));
    tiny_ok(gt_graph_softmax_loss(&t->loss, NULL, t->graph, t->scores, t->label, GT_NORMALIZE_VALID,
                                  1.0f));
    tiny_ok(gt_graph_gradient(t->graph, t->loss));
    tiny_ok(gt_graph_output(t->graph, t->scores));
    tiny_ok(gt_graph_output(t->graph, t->loss));
    for (size_t i = 0; i < gt_model_tensors(m); i++) {
        tiny_ok(gt_graph_output(t->graph, gt_graph_gradient_of(t->graph, t->params[i])));
    }
}

static void write_all(gt_program *program, const struct trial *t, gt_model *m)
{
    for (size_t i = 0; i < gt_model_tensors(m); i++) {
        float *data = NULL;
        tiny_ok(gt_model_tensor(NULL, NULL, &data, m, i));
        tiny_ok(gt_program_write(program, t->params[i], data));
    }
    size_t pixels = gt__count(gt_graph_shape(t->graph, t->label));
    float *x = fill(gt__count(t->in), 0, -1, 1, false);
    /* -1: ignored */
    float *y = fill(pixels, 1, pixels > 5 ? -1 : 0, t->out.c, true);
    tiny_ok(gt_program_write(program, t->input, x));
    tiny_ok(gt_program_write(program, t->label, y));
    gt__free(x);
    gt__free(y);
}

static struct result run(gt_device *device, const struct trial *t, gt_model *m, bool deterministic)
{
    struct result r = {.n_scores = gt__count(t->out)};
    gt_program *program = NULL;
    gt_program_options options;
    gt_program_options_init(&options);
    options.deterministic = deterministic;
    tiny_ok(gt_program_create(&program, device, t->graph, &options));
    write_all(program, t, m);
    tiny_ok(gt_program_run(program));
    tiny_ok(gt__alloc(&r.scores, r.n_scores, sizeof *r.scores, "scores"));
    for (size_t i = 0; i < gt_model_tensors(m); i++) {
        r.n_gradients += gt__count(m->tensors[i].shape);
    }
    tiny_ok(gt__alloc(&r.gradients, r.n_gradients, sizeof *r.gradients, "gradients"));
    tiny_ok(gt_program_read(program, t->scores, r.scores));
    tiny_ok(gt_program_read(program, t->loss, &r.loss));
    size_t at = 0;
    for (size_t i = 0; i < gt_model_tensors(m); i++) {
        tiny_ok(gt_program_read(program, gt_graph_gradient_of(t->graph, t->params[i]),
                                r.gradients + at));
        at += gt__count(m->tensors[i].shape);
    }
    gt_program_free(program);
    return r;
}

static void free_result(struct result *r)
{
    gt__free(r->scores);
    gt__free(r->gradients);
}

/* Elements that differ by more than 1e-4 of the largest of the tensor; none by more than `most` of
 * it. */
static size_t compare(const char *what, const float *x, const float *expected, size_t n,
                      double most)
{
    double largest = 0;
    size_t moved = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)expected[i]));
    }
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)x[i] - (double)expected[i]);
        moved += d > 1e-4 * largest;
        if (!(d <= most * largest)) {
            fail_msg("%s, element %zu: %.9g, on the CPU %.9g, largest %.9g", what, i, (double)x[i],
                     (double)expected[i], largest);
        }
    }
    return moved;
}

/* Scores and loss agree to 1e-4 (seen: 5e-6). Gradients too, unless rounding moves a maximum of a
 * pooling, or a ReLU, to another element: rare, and then to 1e-2. */
static void compare_results(const struct net_case *c, const gt_model *m, const struct result *r,
                            const struct result *expected)
{
    char what[128];
    compare(c->net, r->scores, expected->scores, r->n_scores, 1e-4);
    compare("loss", &r->loss, &expected->loss, 1, 1e-4);
    size_t moved = 0;
    size_t at = 0;
    for (size_t i = 0; i < gt_model_tensors(m); i++) {
        size_t n = gt__count(m->tensors[i].shape);
        snprintf(what, sizeof what, "%s, gradient of %s", c->net, m->tensors[i].name);
        moved += compare(what, r->gradients + at, expected->gradients + at, n, 1e-2);
        at += n;
    }
    if (moved * 20 > r->n_gradients) {
        fail_msg("%s: %zu of %zu gradients beyond 1e-4 of their tensor's largest", c->net, moved,
                 r->n_gradients);
    }
}

static void test_case(gt_device *cpu, gt_device *ocl, const struct net_case *c)
{
    gt_model_options o;
    gt_model *m = NULL;
    struct trial t = {0};
    gt_model_options_init(&o);
    o.net = c->net;
    o.labels = c->labels;
    o.channels = c->channels;
    o.width = c->width;
    o.skip = c->skip;
    tiny_ok(gt_model_create(&m, &o));
    tiny_ok(gt_model_init_weights(m, GT_INIT_HE, 5));
    build(&t, m, c);
    struct result expected = run(cpu, &t, m, true); /* direct kernels, as OpenCL's */
    struct result fast = run(ocl, &t, m, false);
    struct result again = run(ocl, &t, m, false);
    struct result fixed = run(ocl, &t, m, true);
    compare_results(c, m, &fast, &expected);
    compare_results(c, m, &fixed, &expected);
    assert_memory_equal(fast.scores, again.scores, fast.n_scores * sizeof *fast.scores);
    assert_memory_equal(fast.gradients, again.gradients, fast.n_gradients * sizeof *fast.gradients);
    free_result(&expected);
    free_result(&fast);
    free_result(&again);
    free_result(&fixed);
    gt_graph_free(t.graph);
    gt_model_free(m);
}

static void test_networks(void **state)
{
    (void)state;
    size_t index[OCL_MAX_DEVICES];
    size_t n = ocl_devices(index);
    gt_device *cpu = NULL;
    tiny_ok(gt_device_open(&cpu, "cpu", NULL));
    for (size_t d = 0; d < n; d++) {
        gt_device *ocl = ocl_open(index[d]);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            test_case(cpu, ocl, &cases[i]);
        }
        gt_device_free(ocl);
    }
    gt_device_free(cpu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_networks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
