/* Doubling within MergeCrop: the same bits without the doubled map, and only where nobody else
 * reads it. SPDX-License-Identifier: BSD-2-Clause */
#include "program_rig.h"

#include <string.h>

enum form { FOLDED, WANTED, SECOND };

/* conv - doubling - MergeCrop with the input; SECOND: the input first, the doubled map cropped. */
static void build(struct rig *r, enum form form)
{
    gt_value y = GT_NO_VALUE;
    gt_value doubled = GT_NO_VALUE;
    *r = (struct rig){0};
    assert_int_equal(gt_graph_create(&r->graph), GT_OK);
    gt_graph *g = r->graph;
    int32_t small = form == SECOND ? 7 : 16;
    assert_int_equal(gt_graph_input(&r->input, g, (gt_shape){2, 3, small, 15}, "image"), GT_OK);
    gt_value skip = r->input;
    if (form == SECOND) {
        assert_int_equal(rig_conv(r, &skip, r->input, 5, 3, 1, "conv0"), GT_OK);
    }
    assert_int_equal(rig_conv(r, &y, r->input, 20, 3, form == SECOND ? 1 : 4, "conv1"), GT_OK);
    assert_int_equal(gt_graph_upsample(&doubled, g, y), GT_OK);
    gt_value a = form == SECOND ? skip : doubled;
    gt_value b = form == SECOND ? doubled : skip;
    assert_int_equal(gt_graph_mergecrop(&y, g, a, b, NULL), GT_OK);
    if (form == WANTED) {
        assert_int_equal(gt_graph_output(g, doubled), GT_OK);
    }
    r->output = y;
    assert_int_equal(gt_graph_output(g, r->output), GT_OK);
}

static size_t doublings(const gt_program *p)
{
    struct gt_step *steps = NULL;
    size_t found = 0;
    size_t n = gt__program_steps(p, &steps);
    for (size_t i = 0; i < n; i++) {
        found += steps[i].node->op == GT_OP_upsample_fwd;
    }
    return found;
}

static float *run(size_t *count, size_t *found, enum form form, bool every_layer)
{
    struct gt_program_extra extra = {.force_variant = -1, .every_layer = every_layer};
    struct rig r;
    gt_program *p = NULL;
    gt_device *device = rig_device(2, GT_ISA_ALL);
    build(&r, form);
    assert_int_equal(gt__program_create(&p, device, r.graph, NULL, &extra), GT_OK);
    assert_int_equal(rig_fill(&r, p), GT_OK);
    assert_int_equal(gt_program_run(p), GT_OK);
    float *all = rig_read(count, &r, p);
    *found = doublings(p);
    gt_program_free(p);
    gt_graph_free(r.graph);
    gt_device_free(device);
    return all;
}

static void compare(enum form form, size_t expected)
{
    size_t found[2];
    size_t count[2];
    float *apart = run(&count[0], &found[0], form, true);
    float *within = run(&count[1], &found[1], form, false);
    assert_int_equal(found[0], 1);
    assert_int_equal(found[1], expected);
    assert_int_equal(count[0], count[1]);
    assert_memory_equal(apart, within, count[0] * sizeof *apart);
    free(apart);
    free(within);
}

static void test_doubling(void **state)
{
    (void)state;
    compare(FOLDED, 0);
    compare(WANTED, 1);
    compare(SECOND, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_doubling)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
