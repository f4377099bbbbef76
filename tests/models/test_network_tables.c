/* The networks against the published tables: layers, sizes, options, initial weights.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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

static void check(const char *what, size_t index, double value, double expected, double bound)
{
    if (!(fabs(value - expected) <= bound)) {
        fail_msg("%s, index %zu: %.9g, expected %.9g, bound %.3g", what, index, value, expected,
                 bound);
    }
}

/* ---- tables ---- */

static void check_totals(const char *net, int32_t labels, int32_t output, uint64_t parameters,
                         uint64_t macs)
{
    gt_model *m = make(net, labels, 3, 1, GT_SKIP_FLOWING);
    gt_layer_info layers[GT_MAX_LAYERS];
    size_t n = 0;
    OK(gt_model_layers(layers, GT_MAX_LAYERS, &n, m, output));
    uint64_t sum_parameters = 0;
    uint64_t sum_macs = 0;
    for (size_t i = 0; i < n; i++) {
        sum_parameters += layers[i].parameters;
        sum_macs += layers[i].macs;
    }
    assert_true(gt_model_parameters(m) == parameters);
    assert_true(sum_parameters == parameters);
    assert_true(sum_macs == macs);
    assert_int_equal(layers[n - 1].out.h, output);
    assert_int_equal(layers[n - 1].out.c, m->options.labels);
    gt_model_free(m);
}

static void test_totals(void **state)
{
    (void)state;
    check_totals("sw", 0, 1, 20569858, 471057408);
    check_totals("sw", 9, 1, 20573449, 471057408 + 7 * 512);
    check_totals("sk", 0, 128, 20569858, 347319205776);
    check_totals("sk", 9, 64, 20573449, 90666583952);
    check_totals("u", 0, 388, 28942850, 150802709248);
    check_totals("u", 0, 196, 28942850, 51373964032);
    check_totals("u", 9, 388, 28943305, 150870152960);
    check_totals("usk", 0, 512, 5512578, 482003086080);
    check_totals("usk", 0, 256, 5512578, 135584836352);
    check_totals("usk9", 0, 512, 3019209, 151743310592);
    check_totals("usk9", 3, 512, 3018819, 151743310592 - 6ull * 64 * 512 * 512);
}

/* Rows of the published tables. */
static const struct row {
    const char *net, *layer, *op;
    int32_t kernel, stride, dilation, cin, cout, in, out, relu;
    uint64_t parameters, macs;
} rows[] = {
    {"sw", "conv2", "conv2d", 5, 1, 1, 48, 128, 48, 44, 1, 153728, 297369600},
    {"sw", "pool3", "maxpool", 2, 2, 1, 192, 192, 20, 10, 0, 0, 0},
    {"sw", "ip4", "conv2d", 10, 1, 1, 192, 1024, 10, 1, 1, 19661824, 19660800},
    {"sk", "conv1", "conv2d", 7, 1, 1, 3, 48, 229, 223, 1, 7104, 350887824},
    {"sk", "pool3", "maxpool", 2, 1, 4, 192, 192, 204, 200, 0, 0, 0},
    {"sk", "ip1", "conv2d", 10, 1, 8, 192, 1024, 200, 128, 1, 19661824, 322122547200},
    {"sk", "ip3", "conv2d", 1, 1, 1, 512, 2, 128, 128, 0, 1026, 16777216},
    {"u", "conv10", "conv2d", 3, 1, 1, 1024, 1024, 30, 28, 1, 9438208, 7398752256},
    {"u", "upconv1", "upsample", 2, 2, 1, 1024, 1024, 28, 56, 0, 0, 0},
    {"u", "conv11", "conv2d", 1, 1, 1, 1024, 512, 56, 56, 0, 524800, 1644167168},
    {"u", "mergecrop3", "mergecrop", 0, 0, 0, 128, 256, 200, 200, 0, 0, 0},
    {"u", "conv21", "conv2d", 3, 1, 1, 128, 64, 392, 390, 1, 73792, 11214028800},
    {"usk", "conv3", "conv2d", 6, 1, 1, 64, 128, 344, 339, 1, 295040, 33891581952},
    {"usk", "conv5", "conv2d", 4, 1, 4, 128, 128, 330, 318, 1, 262272, 26509049856},
    {"usk", "ip1", "conv2d", 8, 1, 8, 128, 512, 314, 258, 1, 4194816, 279189651456},
    {"usk", "mergecrop1", "mergecrop", 0, 0, 0, 128, 192, 516, 516, 0, 0, 0},
    {"usk", "conv6", "conv2d", 1, 1, 1, 256, 128, 516, 516, 0, 32896, 8724676608},
    {"usk9", "conv5", "conv2d", 5, 1, 1, 128, 128, 170, 166, 1, 409728, 11286937600},
    {"usk9", "conv7", "conv2d", 3, 1, 4, 128, 256, 159, 151, 1, 295168, 6724288512},
    {"usk9", "mergecrop1", "mergecrop", 0, 0, 0, 128, 256, 262, 262, 0, 0, 0},
    {"usk9", "ip3", "conv2d", 1, 1, 1, 64, 9, 512, 512, 0, 585, 150994944},
};

static void check_row(const struct row *r)
{
    gt_model *m = make(r->net, 0, 3, 1, GT_SKIP_FLOWING);
    gt_model_geometry geometry;
    gt_model_get_geometry(m, &geometry);
    gt_layer_info layers[GT_MAX_LAYERS];
    size_t n = 0;
    OK(gt_model_layers(layers, GT_MAX_LAYERS, &n, m, geometry.canonical));
    size_t i = 0;
    while (i < n && strcmp(layers[i].name, r->layer) != 0) {
        i++;
    }
    assert_true(i < n);
    const gt_layer_info *l = &layers[i];
    assert_string_equal(l->op, r->op);
    assert_int_equal(l->kernel, r->kernel);
    assert_int_equal(l->stride, r->stride);
    assert_int_equal(l->dilation, r->dilation);
    assert_true(gt__shape_equal(l->in, (gt_shape){1, r->cin, r->in, r->in}));
    assert_true(gt__shape_equal(l->out, (gt_shape){1, r->cout, r->out, r->out}));
    assert_int_equal(l->relu, r->relu);
    assert_true(l->parameters == r->parameters && l->macs == r->macs);
    gt_model_free(m);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_row(&rows[i]);
    }
}

/* The graph counts what the table counts. */
static void test_graph_macs(void **state)
{
    (void)state;
    for (size_t i = 0; gt_model_net_name(i); i++) {
        gt_model *m = make(gt_model_net_name(i), 0, 3, 1, GT_SKIP_FLOWING);
        gt_model_geometry g;
        gt_model_get_geometry(m, &g);
        gt_layer_info layers[GT_MAX_LAYERS];
        size_t n = 0;
        uint64_t sum = 0;
        OK(gt_model_layers(layers, GT_MAX_LAYERS, &n, m, g.canonical));
        for (size_t k = 0; k < n; k++) {
            sum += layers[k].macs;
        }
        gt_graph *graph = NULL;
        gt_value input, scores;
        const int32_t size = g.canonical + g.shrink;
        OK(gt_graph_create(&graph));
        OK(gt_graph_input(&input, graph, (gt_shape){1, 3, size, size}, "data"));
        OK(gt_model_append(&scores, NULL, m, graph, input));
        assert_true(gt_graph_macs(graph) == sum);
        gt_graph_free(graph);
        gt_model_free(m);
    }
    assert_null(gt_model_net_name(5));
}

/* ---- sizes and options ---- */

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *net;
        int32_t size;
        const char *message; /* NULL: legal */
    } cases[] = {
        {"u", 388, NULL},
        {"u", 4, NULL},
        {"u", 400, "U-Net output sizes are 4 modulo 16; nearest to 400: 388, 404"},
        {"u", 3, "U-Net output sizes are 4 modulo 16; nearest to 3: 4"},
        {"u", -2147483647, "U-Net output sizes are 4 modulo 16; nearest to -2147483647: 4"},
        {"usk", 2, NULL},
        {"usk", 513, "USK-Net output sizes are multiples of 2; nearest to 513: 512, 514"},
        {"usk9", 4, NULL},
        {"usk9", 6, "USK-Net (9 labels) output sizes are multiples of 4; nearest to 6: 4, 8"},
        {"sk", 1, NULL},
        {"sk", 777, NULL},
        {"sk", 0, "SK-Net output sizes are 1 or more; nearest to 0: 1"},
        {"sk", 2147483647, "output size 2147483647 is above the limit of 1073741824"},
        {"sw", 1, NULL},
        {"sw", 2, "SW has output size 1 only, not 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gt_model *m = make(cases[i].net, 0, 3, 0.02, GT_SKIP_FLOWING);
        const gt_status status = gt_model_check_size(m, cases[i].size);
        assert_int_equal(status, cases[i].message ? GT_ESHAPE : GT_OK);
        if (cases[i].message) {
            assert_string_equal(gt_error_message(), cases[i].message);
        }
        gt_model_free(m);
    }
}

/* Legal sizes and no others shrink exactly: 9 sizes each side of the canonical one. */
static void test_geometry(void **state)
{
    (void)state;
    static const gt_model_geometry expected[] = {{1, 1, 0, 101, 51, 1},
                                                 {128, 1, 1, 101, 51, 1},
                                                 {388, 4, 16, 184, 92, 16},
                                                 {512, 2, 2, 180, 90, 2},
                                                 {512, 4, 4, 180, 90, 4}};
    for (size_t i = 0; i < 5; i++) {
        gt_model *m = make(gt_model_net_name(i), 0, 1, 0.02, GT_SKIP_FLOWING);
        gt_model_geometry g;
        gt_model_get_geometry(m, &g);
        assert_memory_equal(&g, &expected[i], sizeof g);
        for (int32_t k = 0; k < 9; k++) {
            const int32_t output = g.minimum + k * g.step;
            gt_layer_info layers[GT_MAX_LAYERS];
            size_t n = 0;
            OK(gt_model_layers(layers, GT_MAX_LAYERS, &n, m, output));
            assert_int_equal(layers[n - 1].out.h, output);
        }
        gt_model_free(m);
    }
}

static void test_append_refuses(void **state)
{
    (void)state;
    gt_model *m = make("u", 0, 3, 0.02, GT_SKIP_FLOWING);
    gt_graph *graph = NULL;
    gt_value input, scores = 77;
    OK(gt_graph_create(&graph));
    OK(gt_graph_input(&input, graph, (gt_shape){1, 1, 188, 188}, "grey"));
    assert_int_equal(gt_model_append(&scores, NULL, m, graph, input), GT_ESHAPE);
    assert_string_equal(gt_error_message(), "the input has 1 channels, the model 3");
    OK(gt_graph_input(&input, graph, (gt_shape){1, 3, 188, 189}, "odd"));
    assert_int_equal(gt_model_append(&scores, NULL, m, graph, input), GT_ESHAPE);
    assert_int_equal(scores, 77);
    gt_graph_free(graph);
    gt_model_free(m);
}

static void test_options(void **state)
{
    (void)state;
    gt_model_options o;
    gt_model_options_init(&o);
    assert_string_equal(o.net, "u");
    gt_model *m = NULL;
    const struct {
        const char *net;
        int32_t labels, channels;
        double width;
        int skip;
    } bad[] = {{"v", 0, 3, 1, 0},  {NULL, 0, 3, 1, 0},  {"u", 1, 3, 1, 0}, {"u", 257, 3, 1, 0},
               {"u", -1, 3, 1, 0}, {"u", 2, 2, 1, 0},   {"u", 2, 3, 0, 0}, {"u", 2, 3, -1, 0},
               {"u", 2, 3, 9, 0},  {"u", 2, 3, NAN, 0}, {"u", 2, 3, 1, 2}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o = (gt_model_options){bad[i].net, bad[i].labels, bad[i].channels, bad[i].width,
                               (gt_skip)bad[i].skip};
        assert_int_equal(gt_model_create(&m, &o), GT_EINVAL);
        assert_null(m);
    }
    m = make("usk9", 0, 1, 0.004, GT_SKIP_BLOCKED);
    gt_model_get_options(m, &o);
    assert_int_equal(o.labels, 9);
    assert_int_equal(o.skip, GT_SKIP_BLOCKED);
    gt_shape s;
    OK(gt_model_tensor(NULL, &s, NULL, m, 0));
    assert_true(gt__shape_equal(s, (gt_shape){1, 1, 3, 3})); /* round(0.256) is 0: 1 channel */
    OK(gt_model_tensor(NULL, &s, NULL, m, gt_model_tensors(m) - 2));
    assert_int_equal(s.n, 9);
    assert_int_equal(gt_model_tensor(NULL, &s, NULL, m, gt_model_tensors(m)), GT_EINVAL);
    gt_model_free(m);
}

/* ---- initial weights ---- */

/* Mean within 5 standard errors of 0, variance within 5 of the wanted (its error is sqrt(2/n)). */
static void check_init(gt_model *m, gt_init init)
{
    for (size_t i = 0; i < gt_model_tensors(m); i++) {
        gt_shape s;
        float *data = NULL;
        OK(gt_model_tensor(NULL, &s, &data, m, i));
        const double fan = (double)s.c * s.h * s.w;
        const double wanted =
            init == GT_INIT_HE ? sqrt(2 / fan) : m->net->layers[m->tensors[i].layer].sigma;
        const double n = (double)gt__count(s);
        double sum = 0;
        double squares = 0;
        for (size_t k = 0; k < gt__count(s); k++) {
            sum += data[k];
            squares += (double)data[k] * data[k];
        }
        if (i % 2 == 1) {
            assert_true(squares == 0);
        } else {
            check(m->tensors[i].name, 0, sum / n, 0, 5 * wanted / sqrt(n));
            check(m->tensors[i].name, 1, squares / n / (wanted * wanted), 1, 5 * sqrt(2 / n));
        }
    }
}

static void test_init(void **state)
{
    (void)state;
    gt_model *a = make("u", 0, 3, 0.25, GT_SKIP_FLOWING);
    gt_model *b = make("u", 0, 3, 0.25, GT_SKIP_FLOWING);
    OK(gt_model_init_weights(a, GT_INIT_HE, 7));
    check_init(a, GT_INIT_HE);
    OK(gt_model_init_weights(b, GT_INIT_HE, 8));
    assert_memory_not_equal(a->weights, b->weights, a->count * sizeof(float));
    OK(gt_model_init_weights(b, GT_INIT_HE, 7));
    assert_memory_equal(a->weights, b->weights, a->count * sizeof(float));
    OK(gt_model_init_weights(b, GT_INIT_PAPER, 7));
    check_init(b, GT_INIT_PAPER);
    assert_int_equal(gt_model_init_weights(b, (gt_init)9, 7), GT_EINVAL);
    gt_model_free(a);
    gt_model_free(b);
    gt_model *sw = make("sw", 0, 3, 0.5, GT_SKIP_FLOWING);
    OK(gt_model_init_weights(sw, GT_INIT_PAPER, 1));
    check_init(sw, GT_INIT_PAPER);
    assert_true(gt__init_sigma(sw, 6, GT_INIT_PAPER) == 0.005);
    gt_model_free(sw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals),     cmocka_unit_test(test_rows),
        cmocka_unit_test(test_graph_macs), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_geometry),   cmocka_unit_test(test_append_refuses),
        cmocka_unit_test(test_options),    cmocka_unit_test(test_init),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
