/* Operations that a device has no kernel for run on the CPU beside it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../support/fake.h"
#include "../support/ocl_devices.h"
#include "program_rig.h"

#include <math.h>

enum { HEIGHT = 14, WIDTH = 18, MAX_KERNELS = 256 };

struct result {
    float *values;
    size_t count;
    char *dump;
    gt_program_memory memory;
};

static void result_free(struct result *r)
{
    free(r->values);
    gt_free(r->dump);
}

/* Two steps, their inputs written for the next run before anything is read. */
static gt_status run(struct result *out, gt_device *device, enum rig_kind kind,
                     const struct gt_program_extra *extra)
{
    struct rig rig;
    gt_program *p = NULL;
    gt_program_options options = {.ahead = 1};
    assert_int_equal(rig_build(&rig, kind, HEIGHT, WIDTH), GT_OK);
    gt_status status = gt__program_create(&p, device, rig.graph, &options, extra);
    for (int i = 0; i < 2 && status == GT_OK; i++) {
        assert_int_equal(rig_fill(&rig, p), GT_OK);
        status = gt_program_run(p);
        assert_int_equal(rig_write(&rig, p, rig.input, 1, false), GT_OK);
    }
    if (status == GT_OK) {
        out->values = rig_read(&out->count, &rig, p);
        assert_int_equal(gt_program_dump(&out->dump, p), GT_OK);
        gt_program_get_memory(p, &out->memory);
    }
    gt_program_free(p);
    gt_graph_free(rig.graph);
    return status;
}

/* All values are of order 1, sums have fewer than 1000 terms. */
static void assert_near(const struct result *a, const struct result *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        double d = fabs((double)a->values[i] - (double)b->values[i]);
        if (!(d <= 1e-4)) {
            fail_msg("value %zu is %.9g, expected %.9g", i, (double)a->values[i],
                     (double)b->values[i]);
        }
    }
}

/* The CPU's kernels less those of one operation. */
static const struct gt_kernel *const *without(enum gt_op op)
{
    static const struct gt_kernel *left[MAX_KERNELS];
    size_t n = 0;
    for (const struct gt_kernel *const *k = gt__backends[0]->kernels; *k; k++) {
        if ((*k)->op != op) {
            left[n++] = *k;
        }
    }
    left[n] = NULL;
    return left;
}

/* A new backend starts with no kernels. */
static void test_no_kernels(void **state)
{
    static const enum rig_kind kinds[] = {RIG_INFER, RIG_SGD, RIG_ADAMW, RIG_SOFTMAX, RIG_MALIS};
    static const struct gt_kernel *const none[] = {NULL};
    (void)state;
    gt_device *cpu = rig_device(2, GT_ISA_ALL);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct fake f;
        struct result expected;
        struct result got;
        fake_open(&f);
        f.lag = true;
        f.backend.kernels = none;
        assert_int_equal(run(&expected, cpu, kinds[i], NULL), GT_OK);
        assert_int_equal(run(&got, f.device, kinds[i], NULL), GT_OK);
        assert_near(&got, &expected);
        result_free(&got);
        result_free(&expected);
        gt_device_free(f.device);
    }
    gt_device_free(cpu);
}

/* One operation missing: the same bits as where it is there, and the dump says where it ran. */
static void test_one_missing(void **state)
{
    struct fake f;
    struct result expected;
    struct result got;
    (void)state;
    gt_device *cpu = rig_device(2, GT_ISA_ALL);
    fake_open(&f);
    f.lag = true;
    f.backend.kernels = without(GT_OP_malis);
    assert_int_equal(run(&expected, cpu, RIG_MALIS, NULL), GT_OK);
    assert_int_equal(run(&got, f.device, RIG_MALIS, NULL), GT_OK);
    assert_int_equal(got.count, expected.count);
    assert_memory_equal(got.values, expected.values, got.count * sizeof(float));
    const char *where = strstr(got.dump, "on the CPU");
    assert_non_null(where);
    assert_null(strstr(where + 1, "on the CPU"));
    assert_null(strstr(expected.dump, "on the CPU"));
    assert_true(got.memory.host_bytes > 0);
    assert_int_equal(expected.memory.host_bytes, 0);
    result_free(&got);
    result_free(&expected);
    gt_device_free(f.device);
    gt_device_free(cpu);
}

static void test_forbidden(void **state)
{
    static const struct gt_program_extra extra = {.force_variant = -1, .no_fallback = true};
    struct fake f;
    struct result got;
    (void)state;
    fake_open(&f);
    f.lag = true;
    f.backend.kernels = without(GT_OP_malis);
    assert_int_equal(run(&got, f.device, RIG_MALIS, &extra), GT_ENOTSUP);
    assert_non_null(strstr(gt_error_message(), "operation malis"));
    assert_null(f.device->host);
    gt_device_free(f.device);
}

/* What goes wrong on the way to the CPU is told. */
static void test_read_fails(void **state)
{
    struct fake f;
    struct result got;
    (void)state;
    fake_open(&f);
    f.fail_read = 2;
    f.fail_reads = 1;
    f.status = GT_EDEVICE;
    f.backend.kernels = without(GT_OP_malis);
    assert_int_equal(run(&got, f.device, RIG_MALIS, NULL), GT_EDEVICE);
    gt_device_free(f.device);
}

static void test_opencl(void **state)
{
    size_t index[OCL_MAX_DEVICES];
    size_t n = ocl_devices(index);
    (void)state;
    gt_device *cpu = rig_device(2, GT_ISA_ALL);
    for (size_t i = 0; i < n; i++) {
        struct result expected;
        struct result got;
        gt_device *device = ocl_open(index[i]);
        assert_int_equal(run(&expected, cpu, RIG_MALIS, NULL), GT_OK);
        assert_int_equal(run(&got, device, RIG_MALIS, NULL), GT_OK);
        assert_near(&got, &expected);
        assert_non_null(strstr(got.dump, "malis_kruskal"));
        assert_non_null(strstr(got.dump, "on the CPU"));
        result_free(&got);
        result_free(&expected);
        gt_device_free(device);
    }
    gt_device_free(cpu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_kernels), cmocka_unit_test(test_one_missing),
        cmocka_unit_test(test_forbidden),  cmocka_unit_test(test_read_fails),
        cmocka_unit_test(test_opencl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
