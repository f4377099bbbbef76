/* Layer timings: every layer once, with the operations and bytes of the network's table.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <greentea/benchmark.h>

/* USK at 512, full width: name, flops (2K - 1)*M*N, bytes; by hand from the published sizes. */
static const struct {
    const char *name;
    uint64_t flops, floats;
} usk[] = {{"conv1", (2 * 27 - 1) * 64ULL * 690 * 690, 64ULL * 690 * 690},
           {"conv2", (2 * 576 - 1) * 64ULL * 688 * 688, 64ULL * 688 * 688},
           {"pool1", 0, 64ULL * 344 * 344},
           {"conv3", (2 * 2304 - 1) * 128ULL * 339 * 339, 128ULL * 339 * 339},
           {"pool2", 0, 128ULL * 338 * 338},
           {"conv4", (2 * 2048 - 1) * 128ULL * 332 * 332, 128ULL * 332 * 332},
           {"pool3", 0, 128ULL * 330 * 330},
           {"conv5", (2 * 2048 - 1) * 128ULL * 318 * 318, 128ULL * 318 * 318},
           {"pool4", 0, 128ULL * 314 * 314},
           {"ip1", (2 * 8192 - 1) * 512ULL * 258 * 258, 512ULL * 258 * 258},
           {"ip2", (2 * 512 - 1) * 256ULL * 258 * 258, 256ULL * 258 * 258},
           {"upconv1", 0, 256ULL * 516 * 516},
           {"conv6", (2 * 256 - 1) * 128ULL * 516 * 516, 128ULL * 516 * 516},
           {"mergecrop1", 0, 192ULL * 516 * 516},
           {"conv7", (2 * 1728 - 1) * 128ULL * 514 * 514, 128ULL * 514 * 514},
           {"conv8", (2 * 1152 - 1) * 64ULL * 512 * 512, 64ULL * 512 * 512},
           {"ip3", (2 * 64 - 1) * 2ULL * 512 * 512, 2ULL * 512 * 512}};
enum { USK_LAYERS = sizeof usk / sizeof *usk };

static gt_benchmark_layers *run(const char *net, double width, int32_t output,
                                gt_benchmark_mode mode)
{
    gt_benchmark_layers *r = NULL;
    gt_device *device = NULL;
    gt_model *model = NULL;
    gt_model_options mo;
    gt_benchmark_options o;
    gt_model_options_init(&mo);
    mo.net = net;
    mo.width = width;
    mo.channels = 3;
    gt_benchmark_options_init(&o);
    o.mode = mode;
    o.output = output;
    o.runs = 1;
    o.warmup = 0;
    assert_int_equal(gt_device_open(&device, "cpu", NULL), GT_OK);
    assert_int_equal(gt_model_create(&model, &mo), GT_OK);
    assert_int_equal(gt_model_init_weights(model, GT_INIT_HE, 1), GT_OK);
    assert_int_equal(gt_benchmark_layers_run(&r, device, model, &o), GT_OK);
    gt_model_free(model);
    gt_device_free(device);
    return r;
}

/* The table's operations scale with the pixels of each layer, so a small size checks them all when
 * both are divided by their pixels; sums of products are those of the full width. */
static void check_usk(gt_benchmark_mode mode)
{
    gt_benchmark_layers *r = run("usk", 1.0, 2, mode);
    assert_int_equal(r->n_layers, USK_LAYERS + 1);
    for (size_t i = 0; i < USK_LAYERS; i++) {
        const gt_benchmark_layer *l = &r->layers[i];
        assert_string_equal(l->name, usk[i].name);
        uint64_t floats = l->bytes / sizeof(float);
        assert_true(l->flops * usk[i].floats == usk[i].flops * floats);
        assert_true(l->forward_ms > 0.0);
        assert_true(mode == GT_BENCHMARK_TRAIN ? l->backward_ms > 0.0 : l->backward_ms == 0.0);
    }
    assert_string_equal(r->layers[USK_LAYERS].name, mode == GT_BENCHMARK_TRAIN ? "loss" : "prob");
    assert_int_equal(r->data_bytes, 3 * 182 * 182 * sizeof(float));
    assert_int_equal(r->label_bytes, mode == GT_BENCHMARK_TRAIN ? 4 * sizeof(float) : 0);
    assert_true(r->forward_ms > 0.0);
    assert_true((r->backward_ms > 0.0) == (mode == GT_BENCHMARK_TRAIN));
    assert_true((r->update_ms > 0.0) == (mode == GT_BENCHMARK_TRAIN));
    gt_benchmark_layers_free(r);
}

static void process(void **state)
{
    (void)state;
    check_usk(GT_BENCHMARK_PROCESS);
}

static void train(void **state)
{
    (void)state;
    check_usk(GT_BENCHMARK_TRAIN);
}

/* Reorders and updates count somewhere sensible in every network: no layer is left without time. */
static void all_networks(void **state)
{
    static const struct {
        const char *net;
        size_t layers; /* of the tables in the specification, and the softmax */
        int32_t output;
    } nets[] = {{"sw", 10, 1}, {"sk", 10, 1}, {"u", 36, 4}, {"usk9", 26, 4}};
    (void)state;
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++) {
        gt_benchmark_layers *r = run(nets[k].net, 0.05, nets[k].output, GT_BENCHMARK_TRAIN);
        assert_int_equal(r->n_layers, nets[k].layers);
        for (size_t i = 0; i < r->n_layers; i++) {
            assert_true(r->layers[i].forward_ms > 0.0 && r->layers[i].backward_ms >= 0.0);
            assert_true(r->layers[i].bytes > 0);
        }
        gt_benchmark_layers_free(r);
    }
}

static void bad_options(void **state)
{
    (void)state;
    gt_benchmark_layers *r = NULL;
    gt_device *device = NULL;
    gt_model *model = NULL;
    gt_model_options mo;
    gt_benchmark_options o;
    gt_model_options_init(&mo);
    mo.net = "u";
    mo.width = 0.05;
    gt_benchmark_options_init(&o);
    assert_int_equal(gt_device_open(&device, "cpu", NULL), GT_OK);
    assert_int_equal(gt_model_create(&model, &mo), GT_OK);
    o.runs = 0;
    assert_int_equal(gt_benchmark_layers_run(&r, device, model, &o), GT_EINVAL);
    o.runs = 1;
    o.output = 5;
    assert_int_equal(gt_benchmark_layers_run(&r, device, model, &o), GT_ESHAPE);
    assert_null(r);
    gt_benchmark_layers_free(NULL);
    gt_model_free(model);
    gt_device_free(device);
}

struct counter {
    uint64_t calls, total, stop; /* stop: at this many runs */
};

static int on_run(uint64_t done, uint64_t total, void *cookie)
{
    struct counter *c = cookie;
    assert_true(done == ++c->calls && total == c->total);
    return done == c->stop;
}

/* Whole networks: every run; layer by layer: all of them twice. */
static void progress(void **state)
{
    (void)state;
    gt_benchmark_result whole = {0};
    gt_benchmark_layers *r = NULL;
    gt_device *device = NULL;
    gt_model *model = NULL;
    gt_model_options mo;
    gt_benchmark_options o;
    struct counter c = {.total = 5};
    gt_model_options_init(&mo);
    mo.net = "usk";
    mo.width = 0.03;
    gt_benchmark_options_init(&o);
    o.output = 2;
    o.runs = 3;
    o.warmup = 2;
    o.progress = on_run;
    o.cookie = &c;
    assert_int_equal(gt_device_open(&device, "cpu", NULL), GT_OK);
    assert_int_equal(gt_model_create(&model, &mo), GT_OK);
    assert_int_equal(gt_benchmark_run(&whole, NULL, device, model, &o), GT_OK);
    assert_true(c.calls == 5 && whole.ms_min > 0.0);
    c = (struct counter){.total = 10};
    assert_int_equal(gt_benchmark_layers_run(&r, device, model, &o), GT_OK);
    assert_true(c.calls == 10);
    gt_benchmark_layers_free(r);
    r = NULL;
    c = (struct counter){.total = 10, .stop = 7};
    assert_int_equal(gt_benchmark_layers_run(&r, device, model, &o), GT_ECANCELLED);
    assert_string_equal(gt_error_message(), "the benchmark was stopped after 7 of 10 runs");
    assert_null(r);
    gt_model_free(model);
    gt_device_free(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process),     cmocka_unit_test(train),    cmocka_unit_test(all_networks),
        cmocka_unit_test(bad_options), cmocka_unit_test(progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
