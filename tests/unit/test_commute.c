/* 1x1 convolutions before the doubling: the same results, at low resolution.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "program_rig.h"

#include <math.h>

enum form { FORWARD, TRAINED, READ_TWICE, LATE_WEIGHTS };

/* conv 3x3 - relu - doubling - conv 1x1 (- relu); labels at full size. */
static void build(struct rig *r, enum form form, bool relu)
{
    gt_value y = GT_NO_VALUE;
    gt_value doubled = GT_NO_VALUE;
    *r = (struct rig){0};
    assert_int_equal(gt_graph_create(&r->graph), GT_OK);
    gt_graph *g = r->graph;
    assert_int_equal(gt_graph_input(&r->input, g, (gt_shape){2, 3, 9, 8}, "image"), GT_OK);
    assert_int_equal(rig_conv(r, &y, r->input, 12, 3, 1, "conv1"), GT_OK);
    assert_int_equal(gt_graph_relu(&y, g, y), GT_OK);
    assert_int_equal(gt_graph_upsample(&doubled, g, y), GT_OK);
    if (form == LATE_WEIGHTS) {
        gt_value w = GT_NO_VALUE;
        assert_int_equal(rig_param(r, &w, RIG_LABELS, 12, 1, 1, "conv2"), GT_OK);
        assert_int_equal(gt_graph_relu(&w, g, w), GT_OK);
        assert_int_equal(gt_graph_conv2d(&y, g, doubled, w, GT_NO_VALUE, 1), GT_OK);
    } else {
        assert_int_equal(rig_conv(r, &y, doubled, RIG_LABELS, 1, 1, "conv2"), GT_OK);
    }
    if (relu) {
        assert_int_equal(gt_graph_relu(&y, g, y), GT_OK);
    }
    r->output = y;
    if (form == READ_TWICE) {
        assert_int_equal(gt_graph_output(g, doubled), GT_OK);
    }
    if (form == TRAINED) {
        struct gt_update_values u = {0};
        gt_shape s = gt_graph_shape(g, y);
        assert_int_equal(gt_graph_input(&r->label, g, (gt_shape){s.n, 1, s.h, s.w}, "label"),
                         GT_OK);
        assert_int_equal(
            gt_graph_softmax_loss(&r->loss, &r->output, g, y, r->label, GT_NORMALIZE_VALID, 1),
            GT_OK);
        assert_int_equal(gt_graph_output(g, r->loss), GT_OK);
        assert_int_equal(gt_graph_gradient(g, r->loss), GT_OK);
        assert_int_equal(gt__graph_updates(&u, g, GT_UPDATE_SGD), GT_OK);
        r->hyper = u.hyper;
    }
    assert_int_equal(gt_graph_output(g, r->output), GT_OK);
}

/* Floating point operations of the steps that are convolutions. */
static double conv_flops(const gt_program *p)
{
    struct gt_step *steps = NULL;
    double flops = 0;
    size_t n = gt__program_steps(p, &steps);
    for (size_t i = 0; i < n; i++) {
        enum gt_op op = steps[i].node->op;
        if ((op == GT_OP_conv2d_fwd || op == GT_OP_conv2d_bwd_data ||
             op == GT_OP_conv2d_bwd_weight) &&
            steps[i].node->attr.kernel_h == 1) {
            flops += gt__ops[op]->flops(p->graph, steps[i].node);
        }
    }
    return flops;
}

static float *run(size_t *count, double *flops, enum form form, bool relu, bool fuse)
{
    struct gt_program_extra extra = {.force_variant = -1, .no_fuse = !fuse};
    struct rig r;
    gt_program *p = NULL;
    gt_device *device = rig_device(2, GT_ISA_ALL);
    build(&r, form, relu);
    assert_int_equal(gt__program_create(&p, device, r.graph, NULL, &extra), GT_OK);
    assert_int_equal(rig_fill(&r, p), GT_OK);
    assert_int_equal(gt_program_run(p), GT_OK);
    float *all = rig_read(count, &r, p);
    *flops = conv_flops(p);
    gt_program_free(p);
    gt_graph_free(r.graph);
    gt_device_free(device);
    return all;
}

/* ratio: operations of the 1x1 convolutions after the rewrite over those before. */
static void compare(enum form form, bool relu, double ratio)
{
    double flops[2];
    size_t count[2];
    float *plain = run(&count[0], &flops[0], form, relu, false);
    float *fused = run(&count[1], &flops[1], form, relu, true);
    assert_int_equal(count[0], count[1]);
    assert_true(flops[0] > 0);
    assert_true(fabs(flops[1] / flops[0] - ratio) < 1e-9);
    for (size_t i = 0; i < count[0]; i++) {
        if (!(fabsf(plain[i] - fused[i]) <= 2e-6F + 1e-5F * fabsf(plain[i]))) {
            fail_msg("element %zu: %.9g, at low resolution %.9g", i, (double)plain[i],
                     (double)fused[i]);
        }
    }
    free(plain);
    free(fused);
}

static void test_forward(void **state)
{
    (void)state;
    compare(FORWARD, false, 0.25);
    compare(FORWARD, true, 0.25);
}

static void test_training(void **state)
{
    (void)state;
    compare(TRAINED, false, 0.25);
    compare(TRAINED, true, 0.25);
}

static void test_read_twice(void **state)
{
    (void)state;
    compare(READ_TWICE, false, 1);
}

/* Weights that are computed behind the doubling are not there before it. */
static void test_late_weights(void **state)
{
    (void)state;
    compare(LATE_WEIGHTS, false, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_training),
        cmocka_unit_test(test_read_twice),
        cmocka_unit_test(test_late_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
