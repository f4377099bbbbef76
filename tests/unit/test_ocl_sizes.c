/* Tensors at the limit of what OpenCL kernels index: planned as they are, or refused (else they
 * would run on the CPU). Nothing is allocated. SPDX-License-Identifier: BSD-2-Clause */
#include "program_rig.h"

#include "../support/ocl_devices.h"

/* Bytes of the arena for the gradient of a bias over one row of `width` pixels. */
static gt_status plan(size_t *bytes, gt_device *device, int32_t width)
{
    struct rig r = {0};
    gt_value x = GT_NO_VALUE;
    gt_value y = GT_NO_VALUE;
    struct gt_program *program = NULL;
    const struct gt_program_extra extra = {.force_variant = -1, .no_fallback = true};
    assert_int_equal(gt_graph_create(&r.graph), GT_OK);
    assert_int_equal(gt_graph_input(&x, r.graph, (gt_shape){1, 1, 1, width}, "x"), GT_OK);
    assert_int_equal(gt_graph_input(&r.input, r.graph, (gt_shape){1, 1, 1, width}, "dy"), GT_OK);
    assert_int_equal(rig_conv(&r, &y, x, 1, 1, 1, "conv"), GT_OK);
    assert_int_equal(gt__graph_backward(r.graph, y, r.input), GT_OK);
    gt_value db = gt_graph_gradient_of(r.graph, r.params[1]);
    assert_int_equal(gt_graph_output(r.graph, db), GT_OK);
    assert_int_equal(gt__alloc(&program, 1, sizeof *program, "program"), GT_OK);
    program->device = device;
    gt_status status = gt__program_layout(program, r.graph, NULL, &extra);
    *bytes = program->memory.arena_bytes;
    gt_program_free(program);
    gt_graph_free(r.graph);
    return status;
}

static void test_bias_gradient(void **state)
{
    (void)state;
    size_t index[OCL_MAX_DEVICES];
    size_t n = ocl_devices(index);
    for (size_t i = 0; i < n; i++) {
        size_t bytes = 0;
        size_t width = (size_t)INT32_MAX - (1u << 23);
        gt_device *device = ocl_open(index[i]);
        assert_int_equal(plan(&bytes, device, (int32_t)width), GT_OK);
        assert_true(bytes >= width * sizeof(float) && bytes < width * sizeof(float) + (1u << 24));
        assert_int_equal(plan(&bytes, device, INT32_MAX - 647), GT_ENOTSUP);
        gt_device_free(device);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bias_gradient)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
