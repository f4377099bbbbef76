/* Resuming where the newest file opens but its state is damaged, and what the next save keeps.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <greentea/greentea.h>

#include "../support/tiny.h"

static char folder[] = "/tmp/gt_test_resume_XXXXXX";
static gt_device *device;
static gt_dataset *data;

static const char *path_of(const char *name)
{
    static char path[4][256];
    static size_t next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

static int setup(void **state)
{
    (void)state;
    gt_dataset_options o;
    gt_image *raw = NULL;
    gt_image *labels = NULL;
    if (!mkdtemp(folder)) {
        return -1;
    }
    tiny_ok(gt_device_open(&device, "cpu", NULL));
    gt_dataset_options_init(&o);
    tiny_ok(gt_dataset_create(&data, &o));
    tiny_ok(gt_synthetic_section(&raw, &labels, 64, 64, 7, 0));
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
    char command[300];
    gt_dataset_free(data);
    gt_device_free(device);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

struct run {
    gt_model *model;
    gt_trainer *trainer;
};

static struct run open_run(const char *net, gt_solver solver)
{
    struct run r = {0};
    gt_train_options o;
    gt_train_options_init(&o);
    o.patch = 20;
    o.iterations = 9;
    o.batch = 1;
    o.solver = solver;
    r.model = tiny_new_model(net, 1, 2);
    tiny_ok(gt_trainer_create(&r.trainer, device, r.model, data, &o));
    return r;
}

static void close_run(struct run *r)
{
    gt_trainer_free(r->trainer);
    gt_model_free(r->model);
}

static void same_weights(gt_model *a, gt_model *b)
{
    for (size_t i = 0; i < gt_model_tensors(a); ++i) {
        gt_shape s;
        float *x = NULL;
        float *y = NULL;
        tiny_ok(gt_model_tensor(NULL, &s, &x, a, i));
        tiny_ok(gt_model_tensor(NULL, NULL, &y, b, i));
        size_t n = (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
        assert_memory_equal(x, y, n * sizeof *x);
    }
}

/* Replace `from` by `to`, as long, wherever it stands; the digest covers the tensors only. */
static void edit(const char *path, const char *from, const char *to)
{
    static char bytes[1 << 22];
    size_t n = strlen(from);
    size_t hits = 0;
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(strlen(to), n);
    size_t size = fread(bytes, 1, sizeof bytes, f);
    assert_true(size > n && size < sizeof bytes);
    for (size_t i = 0; i + n <= size; ++i) {
        if (memcmp(bytes + i, from, n) == 0) {
            memcpy(bytes + i, to, n);
            ++hits;
        }
    }
    assert_true(hits > 0);
    rewind(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* A trainer that has done two iterations, saved as m after the second, as m.prev after the first.
 * */
static struct run make_files(const char *net, gt_solver solver)
{
    struct run r = open_run(net, solver);
    for (int i = 0; i < 2; ++i) {
        tiny_ok(gt_trainer_step(NULL, r.trainer));
        tiny_ok(gt_trainer_save(r.trainer, path_of("m")));
    }
    return r;
}

static uint64_t iteration_of(const char *name)
{
    gt_model *m = NULL;
    tiny_ok(gt_model_load(&m, path_of(name)));
    uint64_t n = gt_model_iteration(m);
    gt_model_free(m);
    return n;
}

static const struct {
    const char *from, *to;
} damages[] = {
    {"\"greentea.counter\":\"2\"", "\"greentea.counter\":\"x\""},
    {"\"greentea.counter\"", "\"greentea.c_unter\""},
    {"\"greentea.key\"", "\"greentea.k_y\""},
    {"\"greentea.iteration\":\"2\"", "\"greentea.iteration\":\"-\""},
    {"\"greentea.iteration\"", "\"greentea.it_ration\""},
    {"\"optimizer.v.", "\"optimizer.x."},
    {"\"optimizer.m.", "\"optimizer.x."},
};

/* The state is wholly that of .prev: the run goes on to the same weights as without a break. */
static void damaged_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; ++i) {
        struct run whole = make_files("u", GT_ADAMW);
        struct run r = open_run("u", GT_ADAMW);
        tiny_ok(gt_trainer_step(NULL, r.trainer));
        edit(path_of("m"), damages[i].from, damages[i].to);
        tiny_ok(gt_trainer_resume(r.trainer, path_of("m")));
        assert_int_equal(gt_model_iteration(r.model), 1);
        tiny_ok(gt_trainer_run(r.trainer, NULL, NULL));
        tiny_ok(gt_trainer_run(whole.trainer, NULL, NULL));
        same_weights(whole.model, r.model);
        /* both damaged: the message is that of the newest, and nothing changes */
        edit(path_of("m.prev"), "\"greentea.key\"", "\"greentea.k_y\"");
        assert_int_equal(gt_trainer_resume(r.trainer, path_of("m")), GT_EFORMAT);
        assert_null(strstr(gt_error_message(), ".prev"));
        same_weights(whole.model, r.model);
        tiny_ok(gt_trainer_sync(r.trainer));
        same_weights(whole.model, r.model);
        assert_int_equal(gt_model_iteration(r.model), 9);
        close_run(&whole);
        close_run(&r);
        assert_int_equal(unlink(path_of("m")), 0);
        assert_int_equal(unlink(path_of("m.prev")), 0);
    }
}

/* What is whole but of another kind is refused, though there is a .prev that fits. */
static void something_else(void **state)
{
    (void)state;
    struct run first = make_files("u", GT_ADAMW);
    struct run r = open_run("u", GT_ADAMW);
    struct run sgd = open_run("u", GT_SGD);
    struct run usk = open_run("usk", GT_ADAMW);
    tiny_ok(gt_model_save(first.model, path_of("m")));
    assert_int_equal(gt_trainer_resume(r.trainer, path_of("m")), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "no state of training"));
    assert_int_equal(unlink(path_of("m")), 0);
    tiny_ok(gt_trainer_save(sgd.trainer, path_of("m")));
    assert_int_equal(gt_trainer_resume(r.trainer, path_of("m")), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "trained with sgd, not with adamw"));
    assert_int_equal(unlink(path_of("m")), 0);
    tiny_ok(gt_trainer_save(usk.trainer, path_of("m")));
    assert_int_equal(gt_trainer_resume(r.trainer, path_of("m")), GT_ESHAPE);
    assert_int_equal(gt_model_iteration(r.model), 0);
    assert_int_equal(iteration_of("m.prev"), 1);
    close_run(&first);
    close_run(&r);
    close_run(&sgd);
    close_run(&usk);
    assert_int_equal(unlink(path_of("m")), 0);
    assert_int_equal(unlink(path_of("m.prev")), 0);
}

/* The good .prev outlives the first save, whatever is saved elsewhere in between. */
static void next_save_after(void (*damage)(const char *path))
{
    struct run first = make_files("u", GT_ADAMW);
    struct run r = open_run("u", GT_ADAMW);
    damage(path_of("m"));
    tiny_ok(gt_trainer_resume(r.trainer, path_of("m")));
    for (int i = 0; i < 2; ++i) { /* other files keep their former ones */
        tiny_ok(gt_trainer_step(NULL, r.trainer));
        tiny_ok(gt_trainer_save(r.trainer, path_of("other")));
    }
    assert_int_equal(iteration_of("other.prev"), 2);
    tiny_ok(gt_trainer_save(r.trainer, path_of("./m"))); /* another name for the same */
    assert_int_equal(iteration_of("m"), 3);
    assert_int_equal(iteration_of("m.prev"), 1);
    struct run again = open_run("u", GT_ADAMW);
    tiny_ok(gt_trainer_resume(again.trainer, path_of("m.prev")));
    tiny_ok(gt_trainer_resume(again.trainer, path_of("m")));
    assert_int_equal(gt_model_iteration(again.model), 3);
    tiny_ok(gt_trainer_step(NULL, r.trainer));
    tiny_ok(gt_trainer_save(r.trainer, path_of("m"))); /* and from now on as always */
    assert_int_equal(iteration_of("m"), 4);
    assert_int_equal(iteration_of("m.prev"), 3);
    close_run(&first);
    close_run(&r);
    close_run(&again);
    static const char *const names[] = {"m", "m.prev", "other", "other.prev"};
    for (size_t i = 0; i < 4; ++i) {
        assert_int_equal(unlink(path_of(names[i])), 0);
    }
}

static void lose_counter(const char *path)
{
    edit(path, "\"greentea.counter\"", "\"greentea.c_unter\"");
}

static void lose_digest(const char *path)
{
    edit(path, "\"greentea.sha256\"", "\"greentea.sha_56\"");
}

static void cut(const char *path)
{
    assert_int_equal(truncate(path, 1000), 0);
}

static void next_save(void **state)
{
    (void)state;
    next_save_after(cut);
    next_save_after(lose_digest);
    next_save_after(lose_counter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_state),
        cmocka_unit_test(something_else),
        cmocka_unit_test(next_save),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
