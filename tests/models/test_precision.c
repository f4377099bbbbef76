/* Networks in bf16 against the same in fp32: it is used where it may be, its error stays within the
 * bound, and nothing of it is seen without being asked for. SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../support/tiny.h"
#include "core/mem.h"
#include "core/program_internal.h"
#include "core/random.h"
#include "models/model_internal.h"

#define OK(call) assert_int_equal(call, GT_OK)

/* A device that has only these instruction sets, and so many threads. */
static gt_device *open_cpu(uint32_t isa, int32_t threads)
{
    gt_device *device = NULL;
    gt_device_options o;
    gt_device_options_init(&o);
    o.threads = threads;
    o.isa = isa;
    OK(gt_device_open(&device, "cpu", &o));
    return device;
}

static bool has_bf16(const gt_device *device)
{
    gt_device_info info;
    gt_device_describe(device, &info);
    return info.bf16 != 0;
}

/* ---- whole networks ---- */

struct net_case {
    const char *net;
    double width;
    int32_t size; /* of the output */
};
static const struct net_case cases[] = {{"sk", 0.35, 16}, {"u", 0.27, 36}, {"usk", 0.3, 28}};

struct result {
    float *scores;
    size_t n;
    int32_t steps; /* of bf16 */
};

/* He's weights, data in [-1, 1]. */
static struct result run_net(gt_device *device, const struct net_case *c,
                             const gt_program_options *options)
{
    gt_model *m = NULL;
    gt_model_options mo;
    gt_model_geometry geometry;
    gt_graph *graph = NULL;
    gt_program *program = NULL;
    gt_value input, scores, params[GT_MAX_TENSORS];
    float *x = NULL;
    struct result r = {0};
    gt_model_options_init(&mo);
    mo.net = c->net;
    mo.width = c->width;
    OK(gt_model_create(&m, &mo));
    OK(gt_model_init_weights(m, GT_INIT_HE, 5));
    gt_model_get_geometry(m, &geometry);
    const gt_shape in = {1, 3, c->size + geometry.shrink, c->size + geometry.shrink};
    OK(gt_graph_create(&graph));
    OK(gt_graph_input(&input, graph, in, "data"));
    OK(gt_model_append(&scores, params, m, graph, input));
    OK(gt_graph_output(graph, scores));
    OK(gt_program_create(&program, device, graph, options));
    for (size_t i = 0; i < gt_model_tensors(m); i++) {
        float *data = NULL;
        OK(gt_model_tensor(NULL, NULL, &data, m, i));
        OK(gt_program_write(program, params[i], data));
    }
    struct gt_random random = gt__random_open(3, GT_STREAM_BENCHMARK, 0);
    OK(gt__alloc(&x, gt__count(in), sizeof *x, "input"));
    for (size_t i = 0; i < gt__count(in); i++) {
        x[i] = 2.0f * gt__random_f32(&random) - 1.0f;
    }
    OK(gt_program_write(program, input, x));
    OK(gt_program_run(program));
    r.n = gt__count(gt_graph_shape(graph, scores));
    OK(gt__alloc(&r.scores, r.n, sizeof *r.scores, "scores"));
    OK(gt_program_read(program, scores, r.scores));
    for (size_t i = 0; i < program->graph->n_nodes; i++) {
        r.steps += (program->plans[i].flags & GT_PLAN_BF16) != 0;
    }
    gt__free(x);
    gt_program_free(program);
    gt_graph_free(graph);
    gt_model_free(m);
    return r;
}

/* Largest difference over the largest score. */
static double distance(const struct result *a, const struct result *b)
{
    double most = 0;
    double largest = 0;
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        double x = (double)a->scores[i];
        double y = (double)b->scores[i];
        assert_true(isfinite(x) && isfinite(y));
        most = fmax(most, fabs(x - y));
        largest = fmax(largest, fabs(x));
    }
    return most / largest;
}

/* A layer in bf16 adds errors of 3e-3 of the usual size of its sums (check_prove.c), random ones, so
 * those of n layers add up to sqrt(n) as much; among thousands of scores the largest is 5 times the
 * usual. */
static double bound(int32_t steps)
{
    return 5 * 3e-3 * sqrt((double)steps);
}

static void networks(int32_t deterministic)
{
    gt_device *device = open_cpu(GT_ISA_ALL, 2);
    gt_program_options plain = {.deterministic = deterministic};
    gt_program_options half = plain;
    half.precision = GT_PRECISION_BF16;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct net_case *c = &cases[i];
        struct result a = run_net(device, c, &plain);
        struct result b = run_net(device, c, &half);
        double d = distance(&a, &b);
        print_message("%s: %d layers in bf16, %.3g of the largest score apart\n", c->net, b.steps,
                      d);
        assert_int_equal(a.steps, 0);
        if (has_bf16(device)) {
            assert_true(b.steps > 0);
            assert_in_range((uintmax_t)(d * 1e9), 1000, (uintmax_t)(bound(b.steps) * 1e9));
        } else {
            assert_int_equal(b.steps, 0);
            assert_memory_equal(a.scores, b.scores, a.n * sizeof *a.scores);
        }
        gt__free(a.scores);
        gt__free(b.scores);
    }
    gt_device_free(device);
}

static void test_networks(void **state)
{
    (void)state;
    networks(0);
}

static void test_networks_deterministic(void **state)
{
    (void)state;
    networks(1);
}

/* Another number of threads, the same bits. */
static void test_threads(void **state)
{
    (void)state;
    gt_program_options options = {.precision = GT_PRECISION_BF16};
    struct result first = {0};
    for (int32_t threads = 1; threads < 4; threads++) {
        gt_device *device = open_cpu(GT_ISA_ALL, threads);
        struct result r = run_net(device, &cases[2], &options);
        if (threads == 1) {
            first = r;
        } else {
            assert_memory_equal(first.scores, r.scores, r.n * sizeof *r.scores);
            gt__free(r.scores);
        }
        gt_device_free(device);
    }
    gt__free(first.scores);
}

/* Without the instructions bf16 is fp32, and the device says that it has none. */
static void test_masked(void **state)
{
    (void)state;
    gt_device *device = open_cpu(GT_ISA_ALL & ~GT_ISA_AVX512_BF16, 2);
    gt_program_options plain = {0};
    gt_program_options half = {.precision = GT_PRECISION_BF16};
    assert_false(has_bf16(device));
    struct result a = run_net(device, &cases[0], &plain);
    struct result b = run_net(device, &cases[0], &half);
    assert_int_equal(b.steps, 0);
    assert_memory_equal(a.scores, b.scores, a.n * sizeof *a.scores);
    gt__free(a.scores);
    gt__free(b.scores);
    gt_device_free(device);
}

/* ---- one layer ---- */

/* A 1x1 convolution of 16 channels to 64; the caller frees the result. */
static float *run_layer(gt_device *device, int32_t rows, int32_t cols, size_t *n)
{
    gt_graph *graph = NULL;
    gt_program *program = NULL;
    gt_value x, w, y;
    const gt_shape in = {1, 16, rows, cols};
    const gt_shape of_w = {64, 16, 1, 1};
    gt_program_options options = {.precision = GT_PRECISION_BF16, .deterministic = 1};
    float *data = NULL;
    float *out = NULL;
    OK(gt_graph_create(&graph));
    OK(gt_graph_input(&x, graph, in, "x"));
    OK(gt_graph_param(&w, graph, of_w, "w", 1, 1));
    OK(gt_graph_conv2d(&y, graph, x, w, GT_NO_VALUE, 1));
    OK(gt_graph_output(graph, y));
    OK(gt_program_create(&program, device, graph, &options));
    OK(gt__alloc(&data, gt__count(in), sizeof *data, "input"));
    for (size_t i = 0; i < gt__count(of_w); i++) {
        data[i] = (float)((i * 7919) % 1000) * 1e-3f;
    }
    OK(gt_program_write(program, w, data));
    for (int32_t c = 0; c < 16; c++) {
        for (int32_t i = 0; i < rows * cols; i++) { /* a pixel is the same in any size */
            data[c * rows * cols + i] = (float)((i * 31 + c * 101) % 997) * 1e-3f;
        }
    }
    OK(gt_program_write(program, x, data));
    OK(gt_program_run(program));
    *n = gt__count(gt_graph_shape(graph, y));
    OK(gt__alloc(&out, *n, sizeof *out, "output"));
    OK(gt_program_read(program, y, out));
    gt__free(data);
    gt_program_free(program);
    gt_graph_free(graph);
    return out;
}

/* Results of 9 MB pass the caches by, those of a tenth do not: the same bits. */
static void test_large(void **state)
{
    enum { ROWS = 200, FEW = 20, COLS = 184 };
    (void)state;
    gt_device *device = open_cpu(GT_ISA_ALL, 2);
    size_t n = 0;
    size_t few = 0;
    float *large = run_layer(device, ROWS, COLS, &n);
    float *small = run_layer(device, FEW, COLS, &few);
    assert_int_equal(n, (size_t)64 * ROWS * COLS);
    assert_int_equal(few, (size_t)64 * FEW * COLS);
    for (size_t c = 0; c < 64; c++) {
        assert_memory_equal(large + c * ROWS * COLS, small + c * FEW * COLS,
                            sizeof *large * FEW * COLS);
    }
    assert_true(large[n - 1] > 0);
    gt__free(large);
    gt__free(small);
    gt_device_free(device);
}

/* ---- tiles ---- */

/* Deterministic kernels of bf16 too give the same bits for any tiles. */
static void test_tiles(void **state)
{
    (void)state;
    gt_device *device = open_cpu(GT_ISA_ALL, 2);
    gt_model *model = NULL;
    gt_model_options mo;
    gt_predict_options o;
    gt_model_options_init(&mo);
    mo.net = "usk";
    mo.channels = 1;
    mo.width = 0.3;
    OK(gt_model_create(&model, &mo));
    OK(gt_model_init_weights(model, GT_INIT_HE, 5));
    gt_image *in = tiny_new_image(1, 61, 43);
    gt_image_view v = gt_image_get_view(in);
    gt_predict_options_init(&o);
    o.deterministic = 1;
    o.untiled = 1;
    gt_image *plain = tiny_predict(device, model, &o, &v);
    o.precision = GT_PRECISION_BF16;
    gt_image *whole = tiny_predict(device, model, &o, &v);
    o.untiled = 0;
    o.tile = 26;
    gt_image *tiled = tiny_predict(device, model, &o, &v);
    assert_true(tiny_difference(whole, tiled) <= 0);
    double d = tiny_difference(whole, plain);
    assert_true(has_bf16(device) ? d > 1e-6 && d < 2e-2 : d <= 0);
    gt_image_free(in);
    gt_image_free(plain);
    gt_image_free(whole);
    gt_image_free(tiled);
    gt_model_free(model);
    gt_device_free(device);
}

/* ---- options ---- */

static void test_misuse(void **state)
{
    (void)state;
    gt_device *device = open_cpu(GT_ISA_BASE, 1);
    gt_model *model = tiny_new_model("u", 1, 2);
    gt_benchmark_options o;
    gt_tune_options to;
    gt_benchmark_result r;
    gt_tune_result tr;
    gt_benchmark_options_init(&o);
    o.mode = GT_BENCHMARK_TRAIN;
    o.output = 4;
    o.precision = GT_PRECISION_BF16;
    assert_int_equal(gt_benchmark_run(&r, NULL, device, model, &o), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "fp32 only"));
    o.mode = GT_BENCHMARK_PROCESS;
    o.precision = (gt_precision)7;
    assert_int_equal(gt_benchmark_run(&r, NULL, device, model, &o), GT_EINVAL);
    assert_string_equal(gt_error_message(), "unknown precision 7");
    gt_tune_options_init(&to);
    to.mode = GT_BENCHMARK_TRAIN;
    to.precision = GT_PRECISION_BF16;
    assert_int_equal(gt_tune_run(&tr, NULL, device, model, &to), GT_EINVAL);
    gt_model_free(model);
    gt_device_free(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks), cmocka_unit_test(test_networks_deterministic),
        cmocka_unit_test(test_threads),  cmocka_unit_test(test_masked),
        cmocka_unit_test(test_tiles),    cmocka_unit_test(test_large),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
