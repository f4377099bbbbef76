/* Training with MALIS: parts and schedule of the loss, resuming across the change, labels that
 * masking leaves alone, threads, OpenCL devices, refusals. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/ocl_devices.h"
#include "../support/tiny.h"

enum { SIDE = 64, PATCH = 36, MOST = 30 };

static char file[] = "/tmp/gt_test_malis_XXXXXX";
static char previous[sizeof file + 5];
static gt_dataset *data;

static int setup(void **state)
{
    (void)state;
    gt_dataset_options o;
    gt_image *raw = NULL;
    gt_image *labels = NULL;
    int fd = mkstemp(file);
    if (fd < 0 || close(fd) != 0) {
        return -1;
    }
    snprintf(previous, sizeof previous, "%s.prev", file);
    gt_dataset_options_init(&o);
    tiny_ok(gt_dataset_create(&data, &o));
    tiny_ok(gt_synthetic_section(&raw, &labels, SIDE, SIDE, 7, 0));
    gt_image_view r = gt_image_get_view(raw);
    gt_image_view l = gt_image_get_view(labels);
    tiny_ok(gt_dataset_add(data, &r, &l));
    gt_image_free(raw);
    gt_image_free(labels);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gt_dataset_free(data);
    unlink(previous);
    return unlink(file);
}

static gt_device *open_cpu(int32_t threads)
{
    gt_device *device = NULL;
    gt_device_options o;
    gt_device_options_init(&o);
    o.threads = threads;
    tiny_ok(gt_device_open(&device, "cpu", &o));
    return device;
}

static gt_train_options options(gt_loss_kind kind, uint64_t after)
{
    gt_train_options o;
    gt_train_options_init(&o);
    o.patch = PATCH;
    o.batch = 2;
    o.iterations = MOST;
    o.warmup = 0;
    o.loss.kind = kind;
    o.loss.malis_after = after;
    return o;
}

/* What a training leaves. */
struct course {
    gt_train_progress steps[MOST];
    float *weights;
    size_t n;
};

static void copy_weights(struct course *c, gt_model *m)
{
    c->n = 0;
    c->weights = malloc(gt_model_parameters(m) * sizeof *c->weights);
    assert_non_null(c->weights);
    for (size_t i = 0; i < gt_model_tensors(m); ++i) {
        gt_shape s;
        float *w = NULL;
        tiny_ok(gt_model_tensor(NULL, &s, &w, m, i));
        size_t n = (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
        memcpy(c->weights + c->n, w, n * sizeof *w);
        c->n += n;
    }
}

/* `stop` above 0: save after so many steps and go on in a new trainer, from the file. */
static struct course train(gt_device *device, const gt_train_options *o, uint64_t stop)
{
    struct course c = {.weights = NULL};
    gt_model *model = tiny_new_model("u", 1, 2);
    gt_trainer *trainer = NULL;
    tiny_ok(gt_trainer_create(&trainer, device, model, data, o));
    for (uint64_t i = 0; i < o->iterations; ++i) {
        if (stop > 0 && i == stop) {
            tiny_ok(gt_trainer_save(trainer, file));
            gt_trainer_free(trainer);
            gt_model_free(model);
            model = tiny_new_model("u", 1, 2);
            tiny_ok(gt_trainer_create(&trainer, device, model, data, o));
            tiny_ok(gt_trainer_resume(trainer, file));
        }
        tiny_ok(gt_trainer_step(&c.steps[i], trainer));
    }
    tiny_ok(gt_trainer_sync(trainer));
    copy_weights(&c, model);
    gt_trainer_free(trainer);
    gt_model_free(model);
    return c;
}

static void assert_same(const struct course *a, const struct course *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->weights, b->weights, a->n * sizeof *a->weights);
}

/* The loss is the sum of its parts, which follow the weights; training lowers it. */
static void test_parts(void **state)
{
    static const gt_malis_form forms[] = {GT_MALIS_SQUARED, GT_MALIS_HINGE};
    (void)state;
    gt_device *device = open_cpu(2);
    for (int k = 0; k < 2; ++k) {
        gt_train_options o = options(GT_LOSS_SOFTMAX_MALIS, 0);
        o.loss.malis_form = forms[k];
        o.rate = 1e-2F;
        struct course c = train(device, &o, 0);
        float first = 0;
        float last = 0;
        for (size_t i = 0; i < MOST; ++i) {
            const gt_train_progress *p = &c.steps[i];
            assert_true(p->loss_softmax > 0 && p->loss_malis > 0);
            assert_true(p->loss == p->loss_softmax + p->loss_malis);
            first += i < 8 ? p->loss : 0;
            last += i >= MOST - 8 ? p->loss : 0;
        }
        assert_true(last < first);
        o.iterations = 1;
        o.loss.softmax_weight = 0.5F;
        o.loss.malis_weight = 4;
        struct course w = train(device, &o, 0);
        assert_true(w.steps[0].loss_softmax == 0.5F * c.steps[0].loss_softmax);
        assert_true(w.steps[0].loss_malis == 4 * c.steps[0].loss_malis);
        free(w.weights);
        free(c.weights);
    }
    gt_device_free(device);
}

/* Before the change all is as without MALIS, after it MALIS counts; resuming before, at and after
 * the change gives the same bits. */
static void test_schedule(void **state)
{
    static const gt_loss_kind kinds[] = {GT_LOSS_MALIS, GT_LOSS_SOFTMAX_MALIS};
    static const uint64_t stops[] = {3, 5, 6};
    (void)state;
    gt_device *device = open_cpu(2);
    for (size_t k = 0; k < 2; ++k) {
        gt_train_options o = options(kinds[k], 5);
        o.iterations = 9;
        o.solver = k == 0 ? GT_SGD : GT_ADAMW;
        struct course whole = train(device, &o, 0);
        gt_train_options plain = options(GT_LOSS_SOFTMAX, 0);
        plain.iterations = 9;
        plain.solver = o.solver;
        struct course softmax = train(device, &plain, 0);
        for (size_t i = 0; i < 9; ++i) {
            bool late = i >= 5;
            assert_true((whole.steps[i].loss_malis > 0) == late);
            assert_true((whole.steps[i].loss_softmax > 0) ==
                        (!late || kinds[k] == GT_LOSS_SOFTMAX_MALIS));
            assert_true(late || whole.steps[i].loss == softmax.steps[i].loss);
        }
        assert_true(memcmp(whole.weights, softmax.weights, whole.n * sizeof(float)) != 0);
        for (size_t s = 0; s < sizeof stops / sizeof stops[0]; ++s) {
            struct course parts = train(device, &o, stops[s]);
            assert_same(&parts, &whole);
            free(parts.weights);
        }
        free(softmax.weights);
        free(whole.weights);
    }
    gt_device_free(device);
}

/* Pixels that equalisation masks are ignored by softmax and stay part of the graph of MALIS. */
static void test_masked(void **state)
{
    (void)state;
    gt_device *device = open_cpu(1);
    gt_train_options o = options(GT_LOSS_SOFTMAX_MALIS, 0);
    o.iterations = 1;
    struct course plain = train(device, &o, 0);
    o.equalise = GT_EQUALISE_MASK;
    struct course masked = train(device, &o, 0);
    assert_true(masked.steps[0].loss_malis == plain.steps[0].loss_malis);
    assert_true(masked.steps[0].loss_softmax != plain.steps[0].loss_softmax);
    free(plain.weights);
    free(masked.weights);
    gt_device_free(device);
}

static void test_threads(void **state)
{
    static const int32_t threads[] = {1, 2, 3, 8};
    struct course c[4];
    (void)state;
    gt_train_options o = options(GT_LOSS_SOFTMAX_MALIS, 2);
    o.iterations = 5;
    o.batch = 3;
    for (size_t k = 0; k < 4; ++k) {
        gt_device *device = open_cpu(threads[k]);
        c[k] = train(device, &o, 0);
        assert_same(&c[k], &c[0]);
        gt_device_free(device);
    }
    for (size_t k = 0; k < 4; ++k) {
        free(c[k].weights);
    }
}

/* MALIS runs on the CPU beside the device. Losses follow the CPU's: rounding differs, and where two
 * affinities nearly tie, another pixel gets the gradient. A second run gives the same bits. */
static void test_opencl(void **state)
{
    size_t index[OCL_MAX_DEVICES];
    size_t n = ocl_devices(index);
    (void)state;
    gt_device *cpu = open_cpu(2);
    gt_train_options o = options(GT_LOSS_SOFTMAX_MALIS, 10);
    o.equalise = GT_EQUALISE_MASK;
    struct course expected = train(cpu, &o, 0);
    gt_device_free(cpu);
    for (size_t d = 0; d < n; ++d) {
        gt_device *device = ocl_open(index[d]);
        struct course got = train(device, &o, 0);
        struct course again = train(device, &o, 15);
        for (size_t i = 0; i < MOST; ++i) {
            double a = (double)got.steps[i].loss;
            double b = (double)expected.steps[i].loss;
            if (!(fabs(a - b) <= (i < 12 ? 1e-3 : 2e-2) * b)) {
                fail_msg("iteration %zu: loss %.9g, on the CPU %.9g", i + 1, a, b);
            }
        }
        assert_same(&got, &again);
        free(got.weights);
        free(again.weights);
        gt_device_free(device);
    }
    free(expected.weights);
}

static void refuse(const gt_train_options *o, const char *net, int32_t labels, const char *part)
{
    gt_trainer *trainer = NULL;
    gt_model *model = tiny_new_model(net, 1, labels);
    gt_device *device = open_cpu(1);
    assert_int_equal(gt_trainer_create(&trainer, device, model, data, o), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), part));
    assert_null(trainer);
    gt_device_free(device);
    gt_model_free(model);
}

static void test_refusals(void **state)
{
    (void)state;
    gt_train_options o = options(GT_LOSS_SOFTMAX, 7);
    refuse(&o, "u", 2, "after 7 iterations");
    o = options(GT_LOSS_MALIS, 0);
    o.loss.malis_weight = NAN;
    refuse(&o, "u", 2, "MALIS weight nan");
    o = options(GT_LOSS_MALIS, 0);
    o.loss.softmax_weight = 0;
    refuse(&o, "u", 2, "softmax weight 0");
    o = options((gt_loss_kind)3, 0);
    refuse(&o, "u", 2, "unknown loss 3");
    o = options(GT_LOSS_MALIS, 0);
    o.patch = 0;
    refuse(&o, "sw", 2, "not of 1");
}

/* Three labels: MALIS knows background and objects only. */
static void test_three_labels(void **state)
{
    enum { N = SIDE * SIDE };
    static float raw[N];
    static uint8_t labels[N];
    gt_dataset_options d;
    gt_dataset *two = data;
    (void)state;
    for (size_t i = 0; i < N; ++i) {
        raw[i] = (float)(i % 17);
        labels[i] = (uint8_t)(i % 3);
    }
    gt_image_view r = {raw, GT_F32, SIDE, SIDE, 1, sizeof *raw, SIDE * sizeof *raw, sizeof raw};
    gt_image_view l = {labels, GT_U8, SIDE, SIDE, 1, 1, SIDE, N};
    gt_dataset_options_init(&d);
    tiny_ok(gt_dataset_create(&data, &d));
    tiny_ok(gt_dataset_add(data, &r, &l));
    gt_train_options o = options(GT_LOSS_MALIS, 100);
    refuse(&o, "u", 3, "the network has 3");
    gt_dataset_free(data);
    data = two;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_masked),       cmocka_unit_test(test_threads),
        cmocka_unit_test(test_opencl),       cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_three_labels),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
