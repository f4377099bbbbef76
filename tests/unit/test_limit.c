/* Plans under a memory limit: they keep to it, a larger limit never makes them slower, and what is
 * computed stays the same. SPDX-License-Identifier: BSD-2-Clause */
#include "program_rig.h"

#include <math.h>
#include <stdio.h>

static size_t total(const gt_program_memory *m)
{
    return m->arena_bytes + m->packed_bytes + m->kept_bytes;
}

static gt_status plan(gt_program_memory *m, gt_device *device, const struct rig *rig,
                      const gt_program_options *o)
{
    return gt_program_plan(m, device, rig->graph, o);
}

/* The least memory that the message of a plan without a chance names. */
static size_t least_of(gt_device *device, const struct rig *rig, gt_program_options o)
{
    size_t least = 0;
    size_t limit = 0;
    gt_program_memory m;
    o.memory_limit = 1;
    assert_int_equal(plan(&m, device, rig, &o), GT_ENOMEM);
    assert_int_equal(sscanf(gt_error_message(),
                            "the memory limit is %zu bytes, the smallest plan found takes %zu",
                            &limit, &least),
                     2);
    assert_int_equal(limit, 1);
    return least;
}

/* Limits from beyond what is wanted to just too little. Returns how many plans came up. */
static int limits(gt_device *device, const struct rig *rig, gt_program_options o)
{
    gt_program_memory free_plan;
    gt_program_memory m;
    int plans = 1;
    o.memory_limit = 0;
    assert_int_equal(plan(&free_plan, device, rig, &o), GT_OK);
    size_t most = total(&free_plan);
    size_t least = least_of(device, rig, o);
    double former = free_plan.seconds;
    assert_true(least <= most);
    for (int k = 8; k >= 0; k--) {
        gt_program *p = NULL;
        o.memory_limit = least + (most - least) / 8 * (size_t)k;
        o.memory_limit = k == 8 ? most : o.memory_limit;
        assert_int_equal(gt_program_create(&p, device, rig->graph, &o), GT_OK);
        gt_program_get_memory(p, &m);
        assert_true(total(&m) <= o.memory_limit);
        assert_true(m.seconds >= former * (1 - 1e-12));
        assert_true(k < 8 || (m.seconds == free_plan.seconds && total(&m) == most));
        assert_true(k > 0 || total(&m) == least);
        plans += m.seconds > former;
        former = m.seconds;
        gt_program_free(p);
    }
    o.memory_limit = least - 1;
    assert_int_equal(plan(&m, device, rig, &o), GT_ENOMEM);
    return plans;
}

static void test_limits(void **state)
{
    static const enum rig_kind kinds[] = {RIG_WIDE, RIG_INFER, RIG_SGD, RIG_ADAMW, RIG_MALIS};
    (void)state;
    gt_device *device = rig_device(2, GT_ISA_ALL);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (int32_t deterministic = 0; deterministic < 2; deterministic++) {
            struct rig rig;
            assert_int_equal(rig_build(&rig, kinds[k], 70, 76), GT_OK);
            int plans = limits(device, &rig, (gt_program_options){.deterministic = deterministic});
            assert_true(deterministic || k > 1 || plans > 2); /* of the first two */
            gt_graph_free(rig.graph);
        }
    }
    gt_device_free(device);
}

/* Threads change neither the plan nor what it takes. */
static void test_threads(void **state)
{
    (void)state;
    struct rig rig;
    gt_program_memory a;
    gt_program_memory b;
    gt_device *one = rig_device(1, GT_ISA_ALL);
    gt_device *three = rig_device(3, GT_ISA_ALL);
    assert_int_equal(rig_build(&rig, RIG_WIDE, 70, 70), GT_OK);
    gt_program_options o = {.memory_limit = least_of(one, &rig, (gt_program_options){0})};
    assert_int_equal(least_of(three, &rig, (gt_program_options){0}), o.memory_limit);
    assert_int_equal(plan(&a, one, &rig, &o), GT_OK);
    assert_int_equal(plan(&b, three, &rig, &o), GT_OK);
    assert_memory_equal(&a, &b, sizeof a);
    gt_graph_free(rig.graph);
    gt_device_free(one);
    gt_device_free(three);
}

static float *run(gt_device *device, const struct rig *rig, const gt_program_options *o)
{
    gt_program *p = NULL;
    float *out = (float *)rig_calloc(rig_count(rig, rig->output), sizeof *out);
    assert_int_equal(gt_program_create(&p, device, rig->graph, o), GT_OK);
    assert_int_equal(rig_fill(rig, p), GT_OK);
    assert_int_equal(gt_program_run(p), GT_OK);
    assert_int_equal(gt_program_read(p, rig->output, out), GT_OK);
    gt_program_free(p);
    return out;
}

/* Other kernels, the same answer: to rounding, and when deterministic bit for bit. */
static void test_results(void **state)
{
    (void)state;
    gt_device *device = rig_device(2, GT_ISA_ALL);
    for (int32_t deterministic = 0; deterministic < 2; deterministic++) {
        struct rig rig;
        gt_program_options o = {.deterministic = deterministic};
        assert_int_equal(rig_build(&rig, RIG_INFER, 70, 70), GT_OK);
        float *a = run(device, &rig, &o);
        o.memory_limit = least_of(device, &rig, o);
        float *b = run(device, &rig, &o);
        for (size_t i = 0; i < rig_count(&rig, rig.output); i++) {
            assert_true(fabsf(a[i] - b[i]) <= (deterministic ? 0.0f : 1e-5f));
        }
        free(a);
        free(b);
        gt_graph_free(rig.graph);
    }
    gt_device_free(device);
}

/* ---- failing allocations ---- */

struct counter {
    size_t calls, fail_at, live; /* the fail_at-th call fails, 0: none */
};

static void *count_allocate(void *cookie, size_t size, size_t alignment)
{
    struct counter *c = (struct counter *)cookie;
    void *memory = NULL;
    c->calls++;
    if (c->calls == c->fail_at || posix_memalign(&memory, alignment, size ? size : 1) != 0) {
        return NULL;
    }
    c->live++;
    return memory;
}

static void count_release(void *cookie, void *memory)
{
    struct counter *c = (struct counter *)cookie;
    c->live--;
    free(memory);
}

/* Wherever memory ends during the search, that is said and nothing is left behind. */
static void test_allocations(void **state)
{
    (void)state;
    struct counter c = {0};
    struct rig rig;
    const gt_allocator allocator = {count_allocate, count_release, &c};
    gt_program_memory m;
    gt_set_allocator(&allocator);
    gt_device *device = rig_device(1, GT_ISA_ALL);
    assert_int_equal(rig_build(&rig, RIG_WIDE, 30, 30), GT_OK);
    gt_program_options o = {.memory_limit = least_of(device, &rig, (gt_program_options){0})};
    size_t before = c.live;
    c.calls = 0;
    assert_int_equal(plan(&m, device, &rig, &o), GT_OK);
    size_t calls = c.calls;
    assert_true(calls > 100); /* many plans were laid out */
    for (size_t n = 1; n <= calls; n++) {
        c.calls = 0;
        c.fail_at = n;
        assert_int_equal(plan(&m, device, &rig, &o), GT_ENOMEM);
        assert_int_equal(c.live, before);
    }
    c.fail_at = 0;
    gt_graph_free(rig.graph);
    gt_device_free(device);
    assert_int_equal(c.live, 0);
    gt_set_allocator(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
