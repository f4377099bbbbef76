/* Convolution through CLBlast at a size where it works with its temporary buffer, on devices opened
 * again and again. SPDX-License-Identifier: BSD-2-Clause */
#include "program_rig.h"

#include <math.h>
#include <stdio.h>

/* The kernel of this name on any backend; NULL in builds without it. */
static const struct gt_kernel *find_kernel(const char *name)
{
    for (size_t i = 0; gt__backends[i]; i++) {
        for (const struct gt_kernel *const *k = gt__backends[i]->kernels; *k; k++) {
            if (strcmp((*k)->name, name) == 0) {
                return *k;
            }
        }
    }
    return NULL;
}

/* 1x1 on 518 channels, bias and ReLU; the caller frees the result. */
static float *convolve(size_t *count, size_t *scratch, const struct gt_kernel *kernel,
                       const char *device_name)
{
    struct rig r = {0};
    gt_device *device = NULL;
    gt_program *p = NULL;
    gt_value y = GT_NO_VALUE;
    struct gt_program_extra extra = {.force = kernel, .force_variant = kernel ? 0 : -1};
    assert_int_equal(gt_device_open(&device, device_name, NULL), GT_OK);
    assert_int_equal(gt_graph_create(&r.graph), GT_OK);
    assert_int_equal(gt_graph_input(&r.input, r.graph, (gt_shape){1, 518, 65, 69}, "x"), GT_OK);
    assert_int_equal(rig_conv(&r, &y, r.input, 509, 1, 1, "conv"), GT_OK);
    assert_int_equal(gt_graph_relu(&r.output, r.graph, y), GT_OK);
    assert_int_equal(gt_graph_output(r.graph, r.output), GT_OK);
    assert_int_equal(gt__program_create(&p, device, r.graph, NULL, &extra), GT_OK);
    *scratch = 0;
    for (size_t i = 0; i < p->graph->n_nodes; i++) {
        *scratch += p->plans[i].scratch;
    }
    assert_int_equal(rig_write(&r, p, r.input, 1, false), GT_OK);
    for (int32_t i = 0; i < r.n_params; i++) {
        assert_int_equal(rig_write(&r, p, r.params[i], 1, false), GT_OK);
    }
    *count = rig_count(&r, r.output);
    float *out = (float *)rig_calloc(*count, sizeof *out);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig_write(&r, p, r.input, 1, false), GT_OK);
        assert_int_equal(gt_program_run(p), GT_OK);
        assert_int_equal(gt_program_read(p, r.output, out), GT_OK);
    }
    gt_program_free(p);
    gt_graph_free(r.graph);
    gt_device_free(device);
    return out;
}

static void test_against_cpu(void **state)
{
    (void)state;
    const struct gt_kernel *kernel = find_kernel("conv2d_fwd_clblast_ocl");
    size_t devices = 0;
    assert_int_equal(gt_device_count(&devices), GT_OK);
    if (!kernel || devices < 2) {
        skip();
    }
    size_t count = 0;
    size_t scratch = 0;
    float *expected = convolve(&count, &scratch, NULL, "cpu");
    for (size_t d = 1; d < devices; d++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", d);
        for (int again = 0; again < 2; again++) {
            float *got = convolve(&count, &scratch, kernel, name);
            assert_true(scratch > 0);
            for (size_t i = 0; i < count; i++) {
                /* 518 products of order 1 and the bias */
                if (!(fabsf(got[i] - expected[i]) <= 522 * 1.2e-7F * 519)) {
                    fail_msg("device %zu: value %zu is %.9g, expected %.9g", d, i, (double)got[i],
                             (double)expected[i]);
                }
            }
            free(got);
        }
    }
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_cpu)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
