/* Training on every OpenCL device: its losses follow the CPU's, and a second run gives the same
 * bits. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../support/ocl_devices.h"
#include "../support/tiny.h"

enum { SIDE = 64, ITERATIONS = 200, CLOSE = 50 };

static gt_dataset *data;

static int make_data(void **state)
{
    (void)state;
    gt_dataset_options o;
    gt_image *raw = NULL;
    gt_image *labels = NULL;
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

static int free_data(void **state)
{
    (void)state;
    gt_dataset_free(data);
    return 0;
}

/* What a training leaves. */
struct course {
    float loss[ITERATIONS];
    float *weights;
    size_t n;
};

static int note(const gt_train_progress *p, void *cookie)
{
    struct course *c = cookie;
    c->loss[p->iteration - 1] = p->loss;
    return 0;
}

static void copy_weights(struct course *c, gt_model *m)
{
    c->weights = malloc(gt_model_parameters(m) * sizeof *c->weights);
    assert_non_null(c->weights);
    c->n = 0;
    for (size_t i = 0; i < gt_model_tensors(m); ++i) {
        gt_shape s;
        float *w = NULL;
        tiny_ok(gt_model_tensor(NULL, &s, &w, m, i));
        size_t n = (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
        memcpy(c->weights + c->n, w, n * sizeof *w);
        c->n += n;
    }
}

static void train(struct course *c, gt_device *device, gt_solver solver)
{
    gt_model *model = tiny_new_model("u", 1, 2);
    gt_trainer *trainer = NULL;
    gt_train_options o;
    gt_train_options_init(&o);
    o.patch = 20;
    o.iterations = ITERATIONS;
    o.solver = solver;
    o.rate = solver == GT_SGD ? 1e-2F : 1e-3F;
    o.momentum = 0.9F;
    tiny_ok(gt_trainer_create(&trainer, device, model, data, &o));
    tiny_ok(gt_trainer_run(trainer, note, c));
    copy_weights(c, model);
    gt_trainer_free(trainer);
    gt_model_free(model);
}

/* Rounding differs, and every step builds on the last one: the courses drift apart slowly. */
static void follows(const struct course *c, const struct course *cpu)
{
    for (size_t i = 0; i < ITERATIONS; ++i) {
        double d = fabs((double)c->loss[i] - (double)cpu->loss[i]);
        double bound = i < CLOSE ? 1e-3 : 5e-2;
        if (!(d <= bound * fabs((double)cpu->loss[i]))) {
            fail_msg("iteration %zu: loss %.9g, on the CPU %.9g", i + 1, (double)c->loss[i],
                     (double)cpu->loss[i]);
        }
    }
}

static void on_all_devices(gt_solver solver)
{
    size_t index[OCL_MAX_DEVICES];
    size_t n = ocl_devices(index);
    gt_device *cpu = NULL;
    struct course expected = {0};
    tiny_ok(gt_device_open(&cpu, "cpu", NULL));
    train(&expected, cpu, solver);
    gt_device_free(cpu);
    for (size_t d = 0; d < n; ++d) {
        gt_device *device = ocl_open(index[d]);
        struct course first = {0};
        struct course second = {0};
        train(&first, device, solver);
        train(&second, device, solver);
        gt_device_free(device);
        follows(&first, &expected);
        assert_memory_equal(first.loss, second.loss, sizeof first.loss);
        assert_int_equal(first.n, second.n);
        assert_memory_equal(first.weights, second.weights, first.n * sizeof *first.weights);
        free(first.weights);
        free(second.weights);
    }
    free(expected.weights);
}

static void adamw(void **state)
{
    (void)state;
    on_all_devices(GT_ADAMW);
}

static void sgd(void **state)
{
    (void)state;
    on_all_devices(GT_SGD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(adamw), cmocka_unit_test(sgd)};
    return cmocka_run_group_tests(tests, make_data, free_data);
}
