/* The networks against golden values of an independent PyTorch
 * script (tests/golden/networks.py). SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/networks_golden.h"
#include "core/mem.h"
#include "models/model_internal.h"

#define OK(call) assert_int_equal(call, GT_OK)

static gt_model *make(const char *net, int32_t labels, int32_t channels, double width, gt_skip skip)
{
    gt_model_options o;
    gt_model_options_init(&o);
    o.net = net;
    o.labels = labels;
    o.channels = channels;
    o.width = width;
    o.skip = skip;
    gt_model *m = NULL;
    OK(gt_model_create(&m, &o));
    return m;
}

/* ---- golden values ---- */

/* The hash of networks.py. */
static uint32_t hash(uint32_t tensor, size_t index)
{
    uint32_t x = tensor * 0x01000193u + (uint32_t)index;
    x = (x ^ (x >> 16)) * 0x21f0aaadu;
    x = (x ^ (x >> 15)) * 0x735a2d97u;
    return x ^ (x >> 15);
}

static double uniform(uint32_t tensor, size_t index)
{
    return (double)(hash(tensor, index) >> 8) / 16777216.0 - 0.5;
}

static void fill_weights(gt_model *m)
{
    for (size_t i = 0; i < gt_model_tensors(m); i++) {
        gt_shape s;
        float *data = NULL;
        OK(gt_model_tensor(NULL, &s, &data, m, i));
        const double fan = (double)s.c * s.h * s.w;
        const double scale = i % 2 == 0 ? sqrt(24.0 / fan) : 0.5;
        for (size_t k = 0; k < gt__count(s); k++) {
            data[k] = (float)(uniform((uint32_t)i, k) * scale);
        }
    }
}

static float *make_input(gt_shape s)
{
    float *x = NULL;
    OK(gt__alloc(&x, gt__count(s), sizeof *x, "input"));
    for (size_t k = 0; k < gt__count(s); k++) {
        x[k] = (float)(uniform(1000, k) * 2);
    }
    return x;
}

static float *make_labels(size_t n, int32_t labels)
{
    float *y = NULL;
    OK(gt__alloc(&y, n, sizeof *y, "labels"));
    for (size_t k = 0; k < n && n > 1; k++) {
        const uint32_t v = hash(2000, k);
        y[k] = v % 7 == 0 ? -1.0f : (float)((v >> 3) % (uint32_t)labels);
    }
    return y;
}

/* A graph with loss and gradients, run once. */
struct trial {
    gt_graph *graph;
    gt_program *program;
    gt_value input, label, scores, loss, params[GT_MAX_TENSORS];
};

static void build_trial(struct trial *t, const gt_model *m, gt_shape in, gt_shape out)
{
    OK(gt_graph_create(&t->graph));
    OK(gt_graph_input(&t->input, t->graph, in, "data"));
    OK(gt_graph_input(&t->label, t->graph, (gt_shape){out.n, 1, out.h, out.w}, "label"));
    OK(gt_model_append(&t->scores, t->params, m, t->graph, t->input));
    assert_true(gt__shape_equal(gt_graph_shape(t->graph, t->scores), out));
    OK(gt_graph_softmax_loss(&t->loss, NULL, t->graph, t->scores, t->label, GT_NORMALIZE_VALID,
                             1.0f));
    OK(gt_graph_gradient(t->graph, t->loss));
    OK(gt_graph_output(t->graph, t->scores));
    OK(gt_graph_output(t->graph, t->loss));
    for (size_t i = 0; i < gt_model_tensors(m); i++) {
        OK(gt_graph_output(t->graph, gt_graph_gradient_of(t->graph, t->params[i])));
    }
}

static void free_trial(struct trial *t)
{
    gt_program_free(t->program);
    gt_graph_free(t->graph);
}

static void write_params(gt_program *program, const gt_value *params, gt_model *m)
{
    for (size_t i = 0; i < gt_model_tensors(m); i++) {
        float *data = NULL;
        OK(gt_model_tensor(NULL, NULL, &data, m, i));
        OK(gt_program_write(program, params[i], data));
    }
}

static void check(const char *what, size_t index, double value, double golden, double bound)
{
    if (!(fabs(value - golden) <= bound)) {
        fail_msg("%s, index %zu: %.9g, golden %.9g, bound %.3g", what, index, value, golden, bound);
    }
}

/* Scores: 1e-4 of the largest. Gradients agree to 1e-6 of the tensor's largest unless rounding
 * moves one of the maxima, or a ReLU, below the tensor's layer (seen: 0.5 % at conv1 of U-Net):
 * then to 1e-2, and such elements must be few; returns their number (beyond 1e-4). */
static size_t compare(struct trial *t, const gt_model *m, const struct golden_case *c, gt_shape out)
{
    float *scores = NULL;
    OK(gt__alloc(&scores, gt__count(out), sizeof *scores, "scores"));
    OK(gt_program_read(t->program, t->scores, scores));
    for (size_t i = 0; i < c->n_scores; i++) {
        const struct golden_score *g = &c->scores[i];
        check(c->net, g->index, scores[g->index], g->value, 1e-4 * c->largest);
    }
    gt__free(scores);
    size_t moved = 0;
    float loss = 0;
    OK(gt_program_read(t->program, t->loss, &loss));
    check("loss", 0, loss, c->loss, 1e-4 * c->loss);
    for (size_t i = 0; i < c->n_gradients; i++) {
        const struct golden_gradient *g = &c->gradients[i];
        float *d = NULL;
        OK(gt__alloc(&d, gt__count(m->tensors[g->tensor].shape), sizeof *d, "gradient"));
        OK(gt_program_read(t->program, gt_graph_gradient_of(t->graph, t->params[g->tensor]), d));
        check(m->tensors[g->tensor].name, g->index, d[g->index], g->value, 1e-2 * g->largest);
        moved += fabs(d[g->index] - g->value) > 1e-4 * g->largest;
        gt__free(d);
    }
    return moved;
}

static size_t run_case(gt_device *device, const struct golden_case *c, int32_t deterministic)
{
    gt_model *m = make(c->net, c->labels, c->channels, c->width,
                       c->blocked ? GT_SKIP_BLOCKED : GT_SKIP_FLOWING);
    gt_model_geometry geometry;
    gt_model_get_geometry(m, &geometry);
    const gt_shape in = {1, c->channels, c->h + geometry.shrink, c->w + geometry.shrink};
    const gt_shape out = {1, c->labels, c->h, c->w};
    fill_weights(m);
    struct trial t = {0};
    gt_program_options options;
    gt_program_options_init(&options);
    options.deterministic = deterministic;
    build_trial(&t, m, in, out);
    OK(gt_program_create(&t.program, device, t.graph, &options));
    write_params(t.program, t.params, m);
    float *x = make_input(in);
    float *y = make_labels((size_t)c->h * (size_t)c->w, c->labels);
    OK(gt_program_write(t.program, t.input, x));
    OK(gt_program_write(t.program, t.label, y));
    OK(gt_program_run(t.program));
    const size_t moved = compare(&t, m, c, out);
    gt__free(x);
    gt__free(y);
    free_trial(&t);
    gt_model_free(m);
    return moved;
}

/* Direct kernels alone, and whatever the planner takes. */
static void check_golden(gt_device *device, int32_t deterministic)
{
    size_t moved = 0;
    size_t checked = 0;
    for (size_t i = 0; i < sizeof golden_cases / sizeof *golden_cases; i++) {
        moved += run_case(device, &golden_cases[i], deterministic);
        checked += golden_cases[i].n_gradients;
    }
    assert_true(moved * 20 <= checked);
}

static void test_golden(void **state)
{
    check_golden(*state, 1);
    check_golden(*state, 0);
}

/* ---- SW = SK ---- */

/* Scores of a model for a batch of inputs; the caller frees them. */
static float *run_scores(gt_device *device, gt_model *m, gt_shape in, const float *x)
{
    gt_graph *graph = NULL;
    gt_program *program = NULL;
    gt_value input, scores, params[GT_MAX_TENSORS];
    OK(gt_graph_create(&graph));
    OK(gt_graph_input(&input, graph, in, "data"));
    OK(gt_model_append(&scores, params, m, graph, input));
    OK(gt_graph_output(graph, scores));
    const gt_shape out = gt_graph_shape(graph, scores);
    OK(gt_program_create(&program, device, graph, NULL));
    write_params(program, params, m);
    OK(gt_program_write(program, input, x));
    OK(gt_program_run(program));
    float *y = NULL;
    OK(gt__alloc(&y, gt__count(out), sizeof *y, "scores"));
    OK(gt_program_read(program, scores, y));
    gt_program_free(program);
    gt_graph_free(graph);
    return y;
}

/* Every position of a 7 x 6 output: one batch of patches through SW. */
static void test_sw_is_sk(void **state)
{
    enum { H = 7, W = 6, P = 102 };
    gt_model *sk = make("sk", 2, 1, 0.1, GT_SKIP_FLOWING);
    gt_model *sw = make("sw", 2, 1, 0.1, GT_SKIP_FLOWING);
    assert_int_equal(sk->count, sw->count);
    fill_weights(sk);
    memcpy(sw->weights, sk->weights, sk->count * sizeof(float));
    const gt_shape whole = {1, 1, H + P - 1, W + P - 1};
    const gt_shape patches = {H * W, 1, P, P};
    float *x = make_input(whole);
    float *p = NULL;
    OK(gt__alloc(&p, gt__count(patches), sizeof *p, "patches"));
    for (size_t i = 0; i < H * W; i++) {
        for (size_t r = 0; r < P; r++) {
            memcpy(p + (i * P + r) * P, x + (i / W + r) * (W + P - 1) + i % W, P * sizeof *p);
        }
    }
    float *dense = run_scores(*state, sk, whole, x);
    float *single = run_scores(*state, sw, patches, p);
    for (size_t i = 0; i < H * W; i++) {
        for (size_t l = 0; l < 2; l++) {
            check("SW against SK", i, single[i * 2 + l], dense[l * H * W + i], 1e-4);
        }
    }
    gt__free(x);
    gt__free(p);
    gt__free(dense);
    gt__free(single);
    gt_model_free(sk);
    gt_model_free(sw);
}

/* A batch gives what its images give one by one. */
static void test_batch(void **state)
{
    gt_model *m = make("usk9", 0, 3, 0.05, GT_SKIP_FLOWING);
    fill_weights(m);
    const gt_shape two = {2, 3, 184, 188};
    const gt_shape one = {1, 3, 184, 188};
    float *x = make_input(two);
    float *both = run_scores(*state, m, two, x);
    for (size_t i = 0; i < 2; i++) {
        float *alone = run_scores(*state, m, one, x + i * gt__count(one));
        for (size_t k = 0; k < 9 * 4 * 8; k++) {
            check("batch", k, both[i * 9 * 4 * 8 + k], alone[k], 1e-4);
        }
        gt__free(alone);
    }
    gt__free(x);
    gt__free(both);
    gt_model_free(m);
}

static int open_cpu(void **state)
{
    gt_device *device = NULL;
    gt_device_options o;
    gt_device_options_init(&o);
    o.threads = 2;
    if (gt_device_open(&device, "cpu", &o) != GT_OK) {
        return -1;
    }
    *state = device;
    return 0;
}

static int close_cpu(void **state)
{
    gt_device_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_sw_is_sk),
        cmocka_unit_test(test_batch),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
