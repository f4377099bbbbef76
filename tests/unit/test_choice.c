/* Kernels of a training, kept in its checkpoint. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/choice.h"
#include "core/tune.h"
#include "train/trainer.h"
#include "../support/tiny.h"

static char folder[] = "/tmp/greentea-test-choice-XXXXXX";
static char warning[512];
static int warnings;

static void on_log(gt_log_level level, const char *message, void *cookie)
{
    (void)cookie;
    if (level <= GT_LOG_WARN) {
        warnings++;
        snprintf(warning, sizeof warning, "%s", message);
    }
}

static gt_device *open_device(int32_t threads)
{
    gt_device *device = NULL;
    gt_device_options options;
    gt_device_options_init(&options);
    options.threads = threads;
    options.log = on_log;
    tiny_ok(gt_device_open(&device, "cpu", &options));
    return device;
}

/* ---- allocations that fail ---- */

static atomic_size_t calls;
static size_t fail_at; /* 0: none */

static void *allocate(void *cookie, size_t size, size_t alignment)
{
    (void)cookie;
    if (atomic_fetch_add(&calls, 1) + 1 == fail_at) {
        return NULL;
    }
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *cookie, void *memory)
{
    (void)cookie;
    free(memory);
}

/* ---- the text ---- */

/* The text of a plan that followed another, or was made by cost; *differs as in choice.h. */
static char *plan(const char **differs, gt_device *device, const gt_graph *graph,
                  const char *follow)
{
    char *choice = NULL;
    gt_program_memory memory;
    const struct gt_program_extra extra = {.follow = follow, .differs = differs, .choice = &choice};
    tiny_ok(gt__program_plan(&memory, device, graph, NULL, &extra));
    assert_non_null(choice);
    return choice;
}

static gt_value conv(gt_graph *graph, gt_value x)
{
    gt_value w = GT_NO_VALUE;
    gt_value b = GT_NO_VALUE;
    gt_value y = GT_NO_VALUE;
    tiny_ok(gt_graph_param(&w, graph, (gt_shape){16, 16, 3, 3}, "weight", 1, 1));
    tiny_ok(gt_graph_param(&b, graph, (gt_shape){1, 16, 1, 1}, "bias", 1, 1));
    tiny_ok(gt_graph_conv2d(&y, graph, x, w, b, 1));
    return y;
}

static gt_graph *make_graph(int32_t size)
{
    gt_graph *graph = NULL;
    gt_value x = GT_NO_VALUE;
    tiny_ok(gt_graph_create(&graph));
    tiny_ok(gt_graph_input(&x, graph, (gt_shape){1, 16, size, size}, "x"));
    tiny_ok(gt_graph_output(graph, conv(graph, conv(graph, x))));
    return graph;
}

/* Make every way but the slowest, by the model, slow in the table of measurements. */
static void turn(gt_device *device, const gt_graph *graph)
{
    struct gt_planner p = {.device = device};
    struct gt_choice c = {0};
    char key[GT_TUNE_KEY];
    tiny_ok(gt__tune_load(device));
    tiny_ok(gt__graph_clone(&p.graph, graph));
    tiny_ok(gt__prune(p.graph));
    tiny_ok(gt__fuse(&p));
    tiny_ok(gt__commute(p.graph));
    tiny_ok(gt__place(&p, device));
    tiny_ok(gt__select(&c, &p));
    for (size_t i = 0; i < p.graph->n_nodes; i++) {
        bool fresh = true;
        for (size_t o = c.first[i + 1]; o-- > c.first[i];) {
            bool wins = fresh && c.options[o].kernel != c.options[c.chosen[i]].kernel;
            gt__tune_key(key, p.graph, &p.graph->nodes[i], &c.options[o]);
            tiny_ok(gt__tune_add(device, key, wins ? 1e-9 : 1.0));
            fresh = fresh && !wins;
        }
    }
    gt__choice_free(&c);
    gt_graph_free(p.graph);
}

static void test_followed(void **state)
{
    (void)state;
    const char *differs = NULL;
    gt_graph *graph = make_graph(40);
    gt_device *device = open_device(1);
    char *first = plan(&differs, device, graph, NULL);
    assert_null(differs);
    turn(device, graph);
    char *turned = plan(&differs, device, graph, NULL);
    assert_string_not_equal(first, turned);
    char *again = plan(&differs, device, graph, first);
    assert_null(differs);
    assert_string_equal(again, first);
    gt_device *two = open_device(2);
    char *threads = plan(&differs, two, graph, turned);
    assert_null(differs);
    assert_string_equal(threads, turned);
    char *fresh = plan(&differs, two, graph, NULL);
    assert_string_equal(fresh, first);
    gt_device_free(two);
    gt_device_free(device);
    gt_graph_free(graph);
    char *texts[] = {first, turned, again, threads, fresh};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        gt__free(texts[i]);
    }
}

/* What does not match is said, and the plan is that by cost. */
static void refused(gt_device *device, const gt_graph *graph, const char *follow, const char *why)
{
    const char *differs = NULL;
    char *own = plan(&differs, device, graph, NULL);
    char *got = plan(&differs, device, graph, follow);
    assert_non_null(differs);
    assert_string_equal(differs, why);
    assert_string_equal(got, own);
    gt__free(got);
    gt__free(own);
}

static void test_refused(void **state)
{
    (void)state;
    const char *differs = NULL;
    gt_graph *graph = make_graph(40);
    gt_graph *larger = make_graph(48);
    gt_device *device = open_device(1);
    char *good = plan(&differs, device, graph, NULL);
    char *bad = NULL;
    tiny_ok(gt__strdup(&bad, good));
    size_t n = strlen(good);
    bad[0] = 'x';
    refused(device, graph, bad, "another device");
    refused(device, graph, "", "another device");
    refused(device, larger, good, "other sizes or another loss");
    for (size_t cut = n - 1; cut > n / 2; cut--) {
        memcpy(bad, good, cut);
        bad[cut] = '\0';
        refused(device, graph, bad, "other kernels");
    }
    memcpy(bad, good, n);
    *strstr(bad, "conv2d_fwd") = 'k'; /* a kernel that there is no more */
    bad[n] = '\0';
    refused(device, graph, bad, "other kernels");
    gt__free(bad);
    gt__free(good);
    gt_device_free(device);
    gt_graph_free(larger);
    gt_graph_free(graph);
}

/* ---- training ---- */

struct run {
    gt_dataset *data;
    gt_device *device;
    gt_model *model;
    gt_trainer *trainer;
};

static void add_image(gt_dataset *data)
{
    gt_image *raw = NULL;
    gt_image *labels = NULL;
    tiny_ok(gt_synthetic_section(&raw, &labels, 64, 64, 7, 0));
    gt_image_view r = gt_image_get_view(raw);
    gt_image_view l = gt_image_get_view(labels);
    tiny_ok(gt_dataset_add(data, &r, &l));
    gt_image_free(raw);
    gt_image_free(labels);
}

/* Softmax for four iterations, then with MALIS: two programs. */
static struct run open_run(int32_t threads, int32_t patch)
{
    struct run r;
    gt_dataset_options d;
    gt_train_options o;
    gt_dataset_options_init(&d);
    tiny_ok(gt_dataset_create(&r.data, &d));
    add_image(r.data);
    gt_train_options_init(&o);
    o.patch = patch;
    o.iterations = 6;
    o.batch = 1;
    o.loss.kind = GT_LOSS_SOFTMAX_MALIS;
    o.loss.malis_after = 4;
    r.device = open_device(threads);
    r.model = tiny_new_model("usk", 1, 2);
    tiny_ok(gt_trainer_create(&r.trainer, r.device, r.model, r.data, &o));
    return r;
}

static void close_run(struct run *r)
{
    gt_trainer_free(r->trainer);
    gt_model_free(r->model);
    gt_device_free(r->device);
    gt_dataset_free(r->data);
}

static void steps(struct run *r, int n)
{
    for (int i = 0; i < n; i++) {
        tiny_ok(gt_trainer_step(NULL, r->trainer));
    }
    tiny_ok(gt_trainer_sync(r->trainer));
}

static bool same_weights(const struct run *a, const struct run *b)
{
    bool same = true;
    for (size_t i = 0; i < gt_model_tensors(a->model); ++i) {
        gt_shape s;
        float *x = NULL;
        float *y = NULL;
        tiny_ok(gt_model_tensor(NULL, &s, &x, a->model, i));
        tiny_ok(gt_model_tensor(NULL, NULL, &y, b->model, i));
        same = same && memcmp(x, y, gt__count(s) * sizeof *x) == 0;
    }
    return same;
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A tuning file under which other kernels win than in `r`. */
static void write_tuning(const struct run *r)
{
    turn(r->device, r->trainer->phase.graph);
    tiny_ok(gt__tune_save(r->device));
}

static void remove_tuning(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s/greentea'", folder);
    assert_int_equal(system(command), 0);
}

/* What a training without a stop gives, and what one gives that goes on after `resume_at`. */
static void check_resume(const struct run *whole, int resume_at, int32_t threads)
{
    struct run other = open_run(threads, 36);
    assert_true(strcmp(other.trainer->plans[GT_LOSS_SOFTMAX].choice,
                       whole->trainer->plans[GT_LOSS_SOFTMAX].choice) != 0);
    warnings = 0;
    tiny_ok(gt_trainer_resume(other.trainer, path_of(resume_at == 3 ? "three" : "five")));
    assert_int_equal(warnings, 0);
    steps(&other, 6 - resume_at);
    assert_true(same_weights(whole, &other));
    assert_string_equal(other.trainer->plans[GT_LOSS_SOFTMAX_MALIS].choice,
                        whole->trainer->plans[GT_LOSS_SOFTMAX_MALIS].choice);
    gt_program_memory m;
    gt_program_memory n;
    gt_trainer_get_memory(whole->trainer, &m);
    gt_trainer_get_memory(other.trainer, &n);
    assert_int_equal(m.arena_bytes, n.arena_bytes);
    assert_int_equal(m.packed_bytes, n.packed_bytes);
    close_run(&other);
}

/* A change of kernels that fails, at any of its allocations, leaves a trainer that can be used. */
static void check_failing(const struct run *whole)
{
    struct run other = open_run(1, 36);
    gt_status status = GT_ENOMEM;
    size_t n = 0;
    while (status == GT_ENOMEM) {
        atomic_store(&calls, 0);
        fail_at = ++n;
        status = gt_trainer_resume(other.trainer, path_of("three"));
    }
    fail_at = 0;
    assert_int_equal(status, GT_OK);
    assert_true(n > 100);
    steps(&other, 3);
    assert_true(same_weights(whole, &other));
    close_run(&other);
}

/* A tuning file appears between the parts of a training. */
static void test_resumed(void **state)
{
    (void)state;
    struct run whole = open_run(1, 36);
    steps(&whole, 3);
    tiny_ok(gt_trainer_save(whole.trainer, path_of("three")));
    steps(&whole, 2);
    tiny_ok(gt_trainer_save(whole.trainer, path_of("five")));
    steps(&whole, 1);
    write_tuning(&whole);
    struct run anew = open_run(1, 36); /* the file does change bits */
    steps(&anew, 6);
    assert_false(same_weights(&whole, &anew));
    check_resume(&whole, 3, 1);
    check_resume(&whole, 5, 2);
    check_failing(&whole);
    tiny_ok(gt_trainer_save(anew.trainer, path_of("five"))); /* and one vanishes */
    remove_tuning();
    struct run back = open_run(1, 36);
    tiny_ok(gt_trainer_resume(back.trainer, path_of("five")));
    assert_string_equal(back.trainer->plans[GT_LOSS_SOFTMAX_MALIS].choice,
                        anew.trainer->plans[GT_LOSS_SOFTMAX_MALIS].choice);
    close_run(&back);
    close_run(&anew);
    close_run(&whole);
}

/* Other patches: other kernels may be better, and the log says that once. */
static void test_other_patch(void **state)
{
    (void)state;
    struct run first = open_run(1, 36);
    steps(&first, 1);
    tiny_ok(gt_trainer_save(first.trainer, path_of("one")));
    struct run second = open_run(1, 44);
    warnings = 0;
    tiny_ok(gt_trainer_resume(second.trainer, path_of("one")));
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(warning, "of other sizes"));
    steps(&second, 1);
    close_run(&second);
    close_run(&first);
}

/* Without the entry (files of before), and with one that names nothing. */
static void test_read(void **state)
{
    (void)state;
    struct gt_choices c;
    tiny_ok(gt__choices_read(&c, NULL));
    assert_null(c.of[GT_LOSS_SOFTMAX]);
    tiny_ok(gt__choices_read(&c, "{\"malis\":\"cpu\",\"softmax\":3,\"other\":\"x\"}"));
    assert_null(c.of[GT_LOSS_SOFTMAX]);
    assert_string_equal(c.of[GT_LOSS_MALIS], "cpu");
    gt__choices_free(&c);
    tiny_ok(gt__choices_read(&c, "{\"malis\":"));
    assert_string_equal(c.of[GT_LOSS_MALIS], "");
    gt__choices_free(&c);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) && setenv("XDG_CACHE_HOME", folder, 1) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_followed), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_resumed),  cmocka_unit_test(test_other_patch),
        cmocka_unit_test(test_read),
    };
    const gt_allocator failing = {allocate, release, NULL};
    gt_set_allocator(&failing);
    int bad = cmocka_run_group_tests(tests, setup, teardown);
    gt_set_allocator(NULL);
    return bad;
}
