/* Measured costs: the file, its damages, and what the planner makes of them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "program_rig.h"

#include <stdio.h>
#include <unistd.h>

#include <greentea/benchmark.h>

#include "core/cache.h"
#include "core/tune.h"
#include "../support/tiny.h"

static char folder[] = "/tmp/greentea-test-tune-XXXXXX";
static int warnings;

static void on_log(gt_log_level level, const char *message, void *cookie)
{
    (void)message;
    (void)cookie;
    warnings += level <= GT_LOG_WARN;
}

static gt_device *open_threads(int32_t threads)
{
    gt_device *device = NULL;
    gt_device_options options;
    gt_device_options_init(&options);
    options.threads = threads;
    options.log = on_log;
    assert_int_equal(gt_device_open(&device, "cpu", &options), GT_OK);
    return device;
}

static gt_device *open_device(void)
{
    return open_threads(1);
}

static void file_of(char path[GT_CACHE_PATH])
{
    gt_device *device = open_device();
    assert_true(gt__tune_path(path, device));
    gt_device_free(device);
}

/* Entries that a new device finds. */
static size_t count_loaded(void)
{
    gt_device *device = open_device();
    warnings = 0;
    assert_int_equal(gt__tune_load(device), GT_OK);
    size_t n = gt__tune_count(device);
    gt_device_free(device);
    return n;
}

static void write_three(void)
{
    gt_device *device = open_device();
    assert_int_equal(gt__tune_load(device), GT_OK);
    gt__tune_clear(device);
    assert_int_equal(gt__tune_add(device, "b:1 kernel 0", 2e-6), GT_OK);
    assert_int_equal(gt__tune_add(device, "c:1 kernel 0", 1.5), GT_OK);
    assert_int_equal(gt__tune_add(device, "a:1 kernel 1", 3e-9), GT_OK);
    assert_int_equal(gt__tune_add(device, "b:1 kernel 0", 4e-6), GT_OK);
    assert_int_equal(gt__tune_save(device), GT_OK);
    gt_device_free(device);
}

static void test_round_trip(void **state)
{
    (void)state;
    char path[GT_CACHE_PATH];
    file_of(path);
    assert_int_equal(count_loaded(), 0); /* the folder is missing */
    assert_int_equal(warnings, 0);
    write_three();
    assert_int_equal(count_loaded(), 3);
    assert_int_equal(warnings, 0);
    gt_device *device = open_device();
    assert_true(gt__tune_find(device, "a:1 kernel 1") < 0.0); /* not loaded yet */
    assert_int_equal(gt__tune_load(device), GT_OK);
    assert_float_equal(gt__tune_find(device, "a:1 kernel 1"), 3e-9, 1e-12);
    assert_float_equal(gt__tune_find(device, "b:1 kernel 0"), 4e-6, 2e-9);
    assert_float_equal(gt__tune_find(device, "c:1 kernel 0"), 1.5, 2e-9);
    assert_true(gt__tune_find(device, "b:1 kernel 1") < 0.0);
    gt_device_free(device);
}

static size_t read_all(char *out, size_t size, const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(out, 1, size, file);
    fclose(file);
    return n;
}

static void write_all(const char *path, const char *data, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    fclose(file);
}

/* Every cut and every changed byte is noticed, and a new table replaces the bad one. */
static void test_damage(void **state)
{
    (void)state;
    char path[GT_CACHE_PATH];
    char good[2048];
    char bad[2048];
    write_three();
    file_of(path);
    size_t n = read_all(good, sizeof good, path);
    assert_true(n > 100 && n < sizeof good);
    for (size_t cut = 0; cut < n; cut++) {
        write_all(path, good, cut);
        assert_int_equal(count_loaded(), 0);
        assert_int_equal(warnings, 1);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(bad, good, n);
        bad[i] = (char)(bad[i] ^ 1);
        write_all(path, bad, n);
        assert_int_equal(count_loaded(), 0);
        assert_int_equal(warnings, 1);
    }
    memcpy(bad, good, n);
    bad[n] = 'x';
    write_all(path, bad, n + 1);
    assert_int_equal(count_loaded(), 0);
    memset(bad, 'a', sizeof bad); /* a line that does not end */
    write_all(path, bad, sizeof bad);
    assert_int_equal(count_loaded(), 0);
    write_three();
    assert_int_equal(count_loaded(), 3);
    assert_int_equal(unlink(path), 0);
}

static void test_unwritable(void **state)
{
    (void)state;
    gt_device *device = open_device();
    assert_int_equal(gt__tune_load(device), GT_OK);
    setenv("XDG_CACHE_HOME", "/dev/null/x", 1);
    assert_int_equal(gt__tune_save(device), GT_EIO);
    assert_non_null(strstr(gt_error_message(), "/dev/null/x"));
    setenv("XDG_CACHE_HOME", folder, 1);
    gt_device_free(device);
}

/* One convolution, 40 x 40. */
static void one_conv(struct rig *r)
{
    *r = (struct rig){0};
    assert_int_equal(gt_graph_create(&r->graph), GT_OK);
    assert_int_equal(gt_graph_input(&r->input, r->graph, (gt_shape){1, 16, 40, 40}, "x"), GT_OK);
    assert_int_equal(rig_conv(r, &r->output, r->input, 16, 3, 1, "conv"), GT_OK);
    assert_int_equal(gt_graph_output(r->graph, r->output), GT_OK);
}

/* Which kernel and variant runs the convolution? */
static struct gt_option conv_of(gt_device *device, const struct rig *r, int32_t deterministic)
{
    gt_program *p = NULL;
    struct gt_step *steps = NULL;
    struct gt_option found = {0};
    gt_program_options options = {.deterministic = deterministic};
    assert_int_equal(gt_program_create(&p, device, r->graph, &options), GT_OK);
    size_t n = gt__program_steps(p, &steps);
    for (size_t i = 0; i < n; i++) {
        if (steps[i].node->op == GT_OP_conv2d_fwd) {
            found = (struct gt_option){
                .kernel = steps[i].kernel, .variant = steps[i].variant, .plan = p->plans[i]};
        }
    }
    gt_program_free(p);
    assert_non_null(found.kernel);
    return found;
}

/* A measurement that says the chosen way is slow and another fast turns the choice. */
static void test_cost_replaced(void **state)
{
    (void)state;
    struct rig r;
    gt_device *device = open_device();
    struct gt_planner p = {.device = device};
    struct gt_choice c = {0};
    char key[GT_TUNE_KEY];
    one_conv(&r);
    struct gt_option before = conv_of(device, &r, 0);
    struct gt_option fixed = conv_of(device, &r, 1);
    assert_int_equal(gt__graph_clone(&p.graph, r.graph), GT_OK);
    assert_int_equal(gt__fuse(&p), GT_OK);
    assert_int_equal(gt__select(&c, &p), GT_OK);
    assert_int_equal(p.graph->n_nodes, 1);
    size_t other = 0;
    while (other < c.n_options && (c.options[other].kernel == before.kernel ||
                                   gt__kernel_is_reference(c.options[other].kernel))) {
        other++;
    }
    assert_true(other < c.n_options);
    for (size_t i = 0; i < c.n_options; i++) {
        gt__tune_key(key, p.graph, &p.graph->nodes[0], &c.options[i]);
        assert_int_equal(gt__tune_add(device, key, i == other ? 1e-7 : 10.0), GT_OK);
    }
    struct gt_option after = conv_of(device, &r, 0);
    assert_ptr_equal(after.kernel, c.options[other].kernel);
    assert_int_equal(after.variant, c.options[other].variant);
    assert_float_equal(after.plan.cost, 1e-7, 1e-12);
    struct gt_option still = conv_of(device, &r, 1);
    assert_ptr_equal(still.kernel, fixed.kernel);
    assert_int_equal(still.variant, fixed.variant);
    assert_float_equal(still.plan.cost, fixed.plan.cost, 0.0);
    gt__choice_free(&c);
    gt_graph_free(p.graph);
    gt_graph_free(r.graph);
    gt_device_free(device);
}

/* All numbers of threads share the measurements, or bits would depend on threads. */
static void test_threads(void **state)
{
    (void)state;
    char one[GT_CACHE_PATH];
    char three[GT_CACHE_PATH];
    write_three();
    gt_device *device = open_threads(3);
    file_of(one);
    assert_true(gt__tune_path(three, device));
    assert_string_equal(one, three);
    assert_int_equal(gt__tune_load(device), GT_OK);
    assert_int_equal(gt__tune_count(device), 3);
    gt_device_free(device);
    assert_int_equal(unlink(one), 0);
}

static int stop_at(const char *operation, int32_t done, int32_t total, void *cookie)
{
    const int32_t *limit = (const int32_t *)cookie;
    assert_non_null(operation);
    assert_true(done >= 1 && done <= total);
    return done == *limit;
}

/* Measuring a network: stopped, continued, known. */
static void test_network(void **state)
{
    (void)state;
    gt_model *model = tiny_new_model("usk", 1, 2);
    gt_device *device = open_device();
    gt_model_geometry geometry;
    gt_tune_options options;
    gt_tune_result r = {0};
    int32_t limit = 3;
    char *dump = NULL;
    gt_model_get_geometry(model, &geometry);
    gt_tune_options_init(&options);
    options.output = geometry.minimum;
    options.dry_run = 1;
    tiny_ok(gt_tune_run(&r, NULL, device, model, &options));
    assert_int_equal(r.measured, 0);
    assert_true(r.operations > 10 && r.options > r.operations);
    int32_t all = r.options;
    options.dry_run = 0;
    options.progress = stop_at;
    options.cookie = &limit;
    assert_int_equal(gt_tune_run(&r, NULL, device, model, &options), GT_ECANCELLED);
    size_t part = count_loaded();
    assert_true(part > 0 && part < (size_t)all);
    limit = 0;
    tiny_ok(gt_tune_run(&r, &dump, device, model, &options));
    assert_int_equal(r.measured, all - (int32_t)part);
    assert_int_equal(r.failed, 0);
    assert_true(r.ms_before > 0.0 && r.ms_after > 0.0);
    assert_non_null(strstr(dump, "conv2d_fwd"));
    gt_free(dump);
    assert_int_equal(count_loaded(), all);
    tiny_ok(gt_tune_run(&r, NULL, device, model, &options));
    assert_int_equal(r.measured, 0);
    assert_int_equal(r.changed, 0);
    options.batch = 0;
    assert_int_equal(gt_tune_run(&r, NULL, device, model, &options), GT_EINVAL);
    gt_device_free(device);
    gt_model_free(model);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) && setenv("XDG_CACHE_HOME", folder, 1) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char path[GT_CACHE_PATH];
    file_of(path);
    unlink(path);
    *strrchr(path, '/') = '\0';
    return rmdir(path) == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_unwritable), cmocka_unit_test(test_cost_replaced),
        cmocka_unit_test(test_threads),    cmocka_unit_test(test_network),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
