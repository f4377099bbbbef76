/* Training through the public interface, on made sections and tiny networks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <greentea/greentea.h>

enum { SIDE = 96, ITERATIONS = 9 };

static char folder[] = "/tmp/gt_test_train_XXXXXX";
static gt_dataset *data;

static void ok(gt_status status)
{
    if (status != GT_OK) {
        fail_msg("%s: %s", gt_status_name(status), gt_error_message());
    }
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_data(void **state)
{
    (void)state;
    gt_dataset_options o;
    if (!mkdtemp(folder)) {
        return -1;
    }
    gt_dataset_options_init(&o);
    ok(gt_dataset_create(&data, &o));
    for (uint32_t i = 0; i < 2; ++i) {
        gt_image *raw = NULL;
        gt_image *labels = NULL;
        ok(gt_synthetic_section(&raw, &labels, SIDE, SIDE + 8 * (int32_t)i, 7, i));
        gt_image_view r = gt_image_get_view(raw);
        gt_image_view l = gt_image_get_view(labels);
        ok(gt_dataset_add(data, &r, &l));
        gt_image_free(raw);
        gt_image_free(labels);
    }
    return 0;
}

static int remove_data(void **state)
{
    (void)state;
    gt_dataset_free(data);
    return rmdir(folder);
}

/* Device, model and trainer of one run. */
struct run {
    gt_device *device;
    gt_model *model;
    gt_trainer *trainer;
};

static void open_model(struct run *r, const char *net, int32_t threads)
{
    gt_device_options d;
    gt_model_options m;
    gt_device_options_init(&d);
    d.threads = threads;
    ok(gt_device_open(&r->device, "cpu", &d));
    gt_model_options_init(&m);
    m.net = net;
    m.channels = 1;
    m.labels = 2;
    m.width = 0.05;
    ok(gt_model_create(&r->model, &m));
    ok(gt_model_init_weights(r->model, GT_INIT_HE, 3));
}

static struct run open_run(const char *net, int32_t threads, const gt_train_options *o)
{
    struct run r = {0};
    open_model(&r, net, threads);
    ok(gt_trainer_create(&r.trainer, r.device, r.model, data, o));
    return r;
}

static void close_run(struct run *r)
{
    gt_trainer_free(r->trainer);
    gt_model_free(r->model);
    gt_device_free(r->device);
}

static gt_train_options options(int32_t patch)
{
    gt_train_options o;
    gt_train_options_init(&o);
    o.patch = patch;
    o.iterations = ITERATIONS;
    o.rate = 2e-3F;
    return o;
}

/* All weights in a row; the caller frees them. */
static float *weights(gt_model *model, size_t *count)
{
    float *all = malloc(gt_model_parameters(model) * sizeof *all);
    assert_non_null(all);
    *count = 0;
    for (size_t i = 0; i < gt_model_tensors(model); ++i) {
        gt_shape s;
        float *data_of = NULL;
        ok(gt_model_tensor(NULL, &s, &data_of, model, i));
        size_t n = (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
        memcpy(all + *count, data_of, n * sizeof *all);
        *count += n;
    }
    return all;
}

static void same_weights(gt_model *a, gt_model *b)
{
    size_t n = 0;
    size_t m = 0;
    float *x = weights(a, &n);
    float *y = weights(b, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n * sizeof *x);
    free(x);
    free(y);
}

/* ---- the loss falls ---- */

struct curve {
    double first, last;
};

static int note(const gt_train_progress *p, void *cookie)
{
    struct curve *c = cookie;
    assert_true(isfinite(p->loss) && p->gradient_norm > 0 && p->rate >= 0);
    assert_true(p->idle >= 0 && p->idle <= 1 && p->waited >= 0 && p->waited <= p->seconds);
    if (p->iteration <= 10) {
        c->first += p->loss;
    } else if (p->iteration > p->total - 10) {
        c->last += p->loss;
    }
    return 0;
}

static void falls(const char *net, gt_train_options o)
{
    struct curve c = {0};
    o.iterations = 80;
    struct run r = open_run(net, 2, &o);
    ok(gt_trainer_run(r.trainer, note, &c));
    if (!(c.last < 0.85 * c.first)) {
        fail_msg("%s: loss %g, then %g", net, c.first / 10, c.last / 10);
    }
    assert_int_equal(gt_model_iteration(r.model), 80);
    close_run(&r);
}

static void loss_falls(void **state)
{
    (void)state;
    gt_train_options o = options(20);
    falls("u", o);
    o = options(0); /* 96 is not asked for: too slow */
    o.patch = 24;
    o.solver = GT_SGD;
    o.momentum = 0.9F;
    o.rate = 0.02F;
    o.policy = GT_POLICY_INV;
    falls("usk", o);
}

/* ---- resuming ---- */

static int stop_at(const gt_train_progress *p, void *cookie)
{
    return p->iteration >= *(const uint64_t *)cookie;
}

static void resume_gives_the_same(gt_train_options o)
{
    static const uint64_t cuts[] = {1, 4, ITERATIONS - 1};
    struct run whole = open_run("u", 2, &o);
    ok(gt_trainer_run(whole.trainer, NULL, NULL));
    struct run r = open_run("u", 2, &o);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; ++i) {
        uint64_t cut = cuts[i];
        assert_int_equal(gt_trainer_run(r.trainer, stop_at, &cut), GT_ECANCELLED);
        ok(gt_trainer_save(r.trainer, path_of("cut")));
        close_run(&r);
        r = open_run("u", i == 1 ? 1 : 2, &o);
        ok(gt_trainer_resume(r.trainer, path_of("cut")));
        assert_int_equal(gt_model_iteration(r.model), cut);
    }
    ok(gt_trainer_run(r.trainer, NULL, NULL));
    same_weights(whole.model, r.model);
    assert_int_equal(gt_model_iteration(r.model), ITERATIONS);
    close_run(&r);
    close_run(&whole);
    assert_int_equal(remove(path_of("cut")), 0);
    assert_int_equal(remove(path_of("cut.prev")), 0);
}

static void resume(void **state)
{
    (void)state;
    gt_train_options o = options(20);
    o.warmup = 3;
    resume_gives_the_same(o);
    o.solver = GT_SGD;
    o.rate = 0.01F;
    o.batch = 2;
    o.seed = 5;
    resume_gives_the_same(o);
}

static void damage(const char *path)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, -5, SEEK_END), 0);
    int c = fgetc(f);
    assert_int_equal(fseek(f, -5, SEEK_END), 0);
    assert_int_equal(fputc(c ^ 1, f), c ^ 1);
    assert_int_equal(fclose(f), 0);
}

static void resume_from_the_former(void **state)
{
    (void)state;
    gt_train_options o = options(20);
    struct run r = open_run("u", 2, &o);
    ok(gt_trainer_step(NULL, r.trainer));
    ok(gt_trainer_save(r.trainer, path_of("m")));
    ok(gt_trainer_step(NULL, r.trainer));
    ok(gt_trainer_save(r.trainer, path_of("m")));
    struct run s = open_run("u", 2, &o);
    ok(gt_trainer_resume(s.trainer, path_of("m")));
    assert_int_equal(gt_model_iteration(s.model), 2);
    damage(path_of("m"));
    ok(gt_trainer_resume(s.trainer, path_of("m")));
    assert_int_equal(gt_model_iteration(s.model), 1);
    damage(path_of("m.prev"));
    assert_int_equal(gt_trainer_resume(s.trainer, path_of("m")), GT_EFORMAT);
    assert_int_equal(gt_trainer_resume(s.trainer, path_of("none")), GT_EIO);
    close_run(&s);
    close_run(&r);
    assert_int_equal(remove(path_of("m")), 0);
    assert_int_equal(remove(path_of("m.prev")), 0);
}

static void resume_of_something_else(void **state)
{
    (void)state;
    gt_train_options o = options(20);
    struct run r = open_run("u", 2, &o);
    ok(gt_trainer_save(r.trainer, path_of("u")));
    struct run other = open_run("usk", 2, &o);
    assert_int_equal(gt_trainer_resume(other.trainer, path_of("u")), GT_ESHAPE);
    close_run(&other);
    o.solver = GT_SGD;
    other = open_run("u", 2, &o);
    assert_int_equal(gt_trainer_resume(other.trainer, path_of("u")), GT_EINVAL);
    ok(gt_model_save(other.model, path_of("weights")));
    assert_int_equal(gt_trainer_resume(other.trainer, path_of("weights")), GT_EINVAL);
    close_run(&other);
    close_run(&r);
    assert_int_equal(remove(path_of("u")), 0);
    assert_int_equal(remove(path_of("weights")), 0);
}

/* ---- the same bits for any number of threads ---- */

static void threads(void **state)
{
    (void)state;
    static const int32_t counts[] = {2, 3, 8};
    gt_train_options o = options(20);
    o.iterations = 4;
    o.batch = 3;
    o.feeders = 1;
    o.distort.rotate = 180;
    o.distort.elastic = 5;
    o.distort.blur = o.distort.gamma = o.distort.contrast = o.distort.noise = 0.5F;
    struct run one = open_run("u", 1, &o);
    ok(gt_trainer_run(one.trainer, NULL, NULL));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; ++i) {
        o.feeders = counts[i];
        struct run r = open_run("u", counts[i], &o);
        ok(gt_trainer_run(r.trainer, NULL, NULL));
        same_weights(one.model, r.model);
        close_run(&r);
    }
    close_run(&one);
}

/* ---- what goes wrong ---- */

static void not_a_number(void **state)
{
    (void)state;
    gt_train_options o = options(20);
    for (int last = 0; last < 2; ++last) {
        struct run r = {0};
        size_t n = 0;
        size_t m = 0;
        float *tensor = NULL;
        open_model(&r, "u", 2);
        size_t index = last ? gt_model_tensors(r.model) - 2 : 0;
        ok(gt_model_tensor(NULL, NULL, &tensor, r.model, index));
        tensor[1] = NAN;
        float *before = weights(r.model, &n);
        ok(gt_trainer_create(&r.trainer, r.device, r.model, data, &o));
        assert_int_equal(gt_trainer_run(r.trainer, NULL, NULL), GT_ENUMERIC);
        assert_non_null(strstr(gt_error_message(), "iteration 1"));
        float *after = weights(r.model, &m);
        assert_memory_equal(before, after, n * sizeof *before);
        assert_int_equal(gt_model_iteration(r.model), 0);
        free(before);
        free(after);
        close_run(&r);
    }
}

static void cancelled(void **state)
{
    (void)state;
    gt_train_options o = options(20);
    uint64_t cut = 2;
    struct run r = open_run("u", 2, &o);
    assert_int_equal(gt_trainer_run(r.trainer, stop_at, &cut), GT_ECANCELLED);
    assert_int_equal(gt_model_iteration(r.model), 2);
    ok(gt_trainer_run(r.trainer, NULL, NULL)); /* goes on as if nothing had been */
    struct run whole = open_run("u", 2, &o);
    ok(gt_trainer_run(whole.trainer, NULL, NULL));
    same_weights(whole.model, r.model);
    close_run(&whole);
    close_run(&r);
}

static void time_limit(void **state)
{
    (void)state;
    gt_train_options o = options(20);
    gt_train_progress p = {0};
    o.time_limit = 1e-9;
    struct run r = open_run("u", 2, &o);
    ok(gt_trainer_run(r.trainer, NULL, NULL));
    assert_int_equal(gt_model_iteration(r.model), 0);
    ok(gt_trainer_step(&p, r.trainer));
    assert_true(p.iteration == 1 && p.rate < 1e-9F); /* the cosine has run out */
    close_run(&r);
}

static void refused(gt_train_options o, gt_status want, const char *words)
{
    struct run r = {0};
    open_model(&r, "u", 2);
    assert_int_equal(gt_trainer_create(&r.trainer, r.device, r.model, data, &o), want);
    assert_null(r.trainer);
    if (!strstr(gt_error_message(), words)) {
        fail_msg("\"%s\" does not say \"%s\"", gt_error_message(), words);
    }
    close_run(&r);
}

static void wrong_options(void **state)
{
    (void)state;
    gt_train_options o = options(30);
    refused(o, GT_ESHAPE, "4 modulo 16; nearest to 30: 20, 36");
    o.patch = 100;
    refused(o, GT_ESHAPE, "96");
    o = options(20);
    o.batch = -1;
    refused(o, GT_EINVAL, "batch");
    o = options(20);
    o.beta2 = 1;
    refused(o, GT_EINVAL, "beta2");
    o = options(20);
    o.clip = NAN;
    refused(o, GT_EINVAL, "clip");
    o = options(20);
    o.distort.rotate = NAN;
    refused(o, GT_EINVAL, "rotation");
    o = options(20);
    o.feeders = 65;
    refused(o, GT_EINVAL, "65 threads for patches");
}

static void wrong_data(void **state)
{
    (void)state;
    gt_train_options o = options(20);
    struct run r = {0};
    open_model(&r, "u", 2);
    gt_model_free(r.model);
    r.model = NULL;
    gt_model_options m;
    gt_model_options_init(&m);
    m.width = 0.05;
    m.channels = 1;
    m.labels = 3;
    ok(gt_model_create(&r.model, &m));
    assert_int_equal(gt_trainer_create(&r.trainer, r.device, r.model, data, &o), GT_EINVAL);
    gt_model_free(r.model);
    r.model = NULL;
    m.labels = 2;
    m.channels = 3;
    ok(gt_model_create(&r.model, &m));
    assert_int_equal(gt_trainer_create(&r.trainer, r.device, r.model, data, &o), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "channels"));
    close_run(&r);
}

/* ---- the model learns what the labels looked like; sw trains, too ---- */

static void labels_and_defaults(void **state)
{
    (void)state;
    gt_train_options o = options(0);
    gt_label_info info;
    gt_program_memory memory;
    gt_train_progress p;
    char *dump = NULL;
    o.iterations = 2;
    struct run r = open_run("sw", 2, &o);
    ok(gt_model_get_label(&info, r.model, 1));
    assert_int_equal(info.grey, 255);
    gt_trainer_get_memory(r.trainer, &memory);
    assert_true(memory.arena_bytes > 0 && memory.kept_bytes >= 12 * gt_model_parameters(r.model));
    ok(gt_trainer_step(&p, r.trainer));
    assert_true(p.iteration == 1 && p.total == 2 && p.seconds >= 0);
    ok(gt_trainer_dump(&dump, r.trainer));
    assert_non_null(strstr(dump, "conv2d_fwd"));
    gt_free(dump);
    assert_non_null(strstr(gt_model_config(r.model), "\"batch\""));
    close_run(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_falls),
        cmocka_unit_test(resume),
        cmocka_unit_test(resume_from_the_former),
        cmocka_unit_test(resume_of_something_else),
        cmocka_unit_test(threads),
        cmocka_unit_test(not_a_number),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(time_limit),
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(wrong_data),
        cmocka_unit_test(labels_and_defaults),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
