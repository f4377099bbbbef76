/* Transformed weights that are kept from run to run: they follow the weights, take the memory that
 * the plan names, and training pays for making them. SPDX-License-Identifier: BSD-2-Clause */
#include "program_rig.h"

#include <math.h>
#include <stdio.h>

enum { SIZE = 40 };

/* The same convolution with weights packed and not: lengths 16 and Winograd's 8 points, phase 1. */
static const struct form {
    const char *kernel;
    int32_t packed, plain;
} forms[] = {{"conv2d_fwd_fft", 20, 0}, {"conv2d_fwd_winograd", 17, 3}};
enum { FORMS = sizeof forms / sizeof *forms };

static const struct gt_kernel *find(const char *name)
{
    for (const struct gt_kernel *const *k = gt__backends[0]->kernels; *k; k++) {
        if (strcmp((*k)->name, name) == 0) {
            return *k;
        }
    }
    fail_msg("no kernel %s", name);
    return NULL;
}

static void build_inference(struct rig *r)
{
    *r = (struct rig){0};
    assert_int_equal(gt_graph_create(&r->graph), GT_OK);
    assert_int_equal(rig_wide(r, &r->output, SIZE, SIZE), GT_OK);
    assert_int_equal(gt_graph_output(r->graph, r->output), GT_OK);
}

static gt_program *create(gt_device *device, const struct rig *r, const char *kernel,
                          int32_t variant)
{
    gt_program *p = NULL;
    struct gt_program_extra extra = {.force = find(kernel), .force_variant = variant};
    assert_int_equal(gt__program_create(&p, device, r->graph, NULL, &extra), GT_OK);
    return p;
}

static float *run(const struct rig *r, gt_program *p)
{
    float *out = (float *)rig_calloc(rig_count(r, r->output), sizeof *out);
    assert_int_equal(rig_write(r, p, r->input, 1, false), GT_OK); /* runs may overwrite it */
    assert_int_equal(gt_program_run(p), GT_OK);
    assert_int_equal(gt_program_read(p, r->output, out), GT_OK);
    return out;
}

/* Both take the same sums in the same order, so the bits are the same. */
static void assert_same(const struct rig *r, float *a, float *b)
{
    assert_memory_equal(a, b, rig_count(r, r->output) * sizeof *a);
    free(b);
}

static void weights_are_followed(void **state)
{
    (void)state;
    gt_device *device = rig_device(2, GT_ISA_ALL);
    for (size_t f = 0; f < FORMS; f++) {
        struct rig r;
        build_inference(&r);
        gt_program *packed = create(device, &r, forms[f].kernel, forms[f].packed);
        gt_program *plain = create(device, &r, forms[f].kernel, forms[f].plain);
        gt_program_memory m;
        gt_program_get_memory(plain, &m);
        assert_int_equal(m.packed_bytes, 0);
        gt_program_get_memory(packed, &m);
        assert_true(m.packed_bytes > 0);
        assert_int_equal(rig_fill(&r, packed), GT_OK);
        assert_int_equal(rig_fill(&r, plain), GT_OK);
        float *first = run(&r, packed);
        assert_same(&r, first, run(&r, packed));
        assert_same(&r, first, run(&r, plain));
        assert_int_equal(rig_write(&r, packed, r.params[0], 0.7F, false), GT_OK);
        assert_int_equal(rig_write(&r, plain, r.params[0], 0.7F, false), GT_OK);
        float *second = run(&r, packed);
        assert_memory_not_equal(first, second, rig_count(&r, r.output) * sizeof *first);
        assert_same(&r, second, run(&r, plain));
        free(first);
        free(second);
        gt_program_free(packed);
        gt_program_free(plain);
        gt_graph_free(r.graph);
    }
    gt_device_free(device);
}

/* Plans of the forward convolutions, in order. */
static size_t forward_plans(struct gt_plan *out, const gt_program *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->graph->n_nodes; i++) {
        if (p->steps[i].kernel->op == GT_OP_conv2d_fwd) {
            out[n++] = p->plans[i];
        }
    }
    return n;
}

static void training_pays_for_packing(void **state)
{
    (void)state;
    gt_device *device = rig_device(2, GT_ISA_ALL);
    for (size_t f = 0; f < FORMS; f++) {
        for (int packed = 0; packed < 2; packed++) {
            int32_t variant = packed ? forms[f].packed : forms[f].plain;
            struct rig inference;
            struct rig training;
            struct gt_plan a[2];
            struct gt_plan b[2];
            build_inference(&inference);
            assert_int_equal(rig_build(&training, RIG_WIDE, SIZE, SIZE), GT_OK);
            gt_program *pa = create(device, &inference, forms[f].kernel, variant);
            gt_program *pb = create(device, &training, forms[f].kernel, variant);
            assert_int_equal(forward_plans(a, pa), 2);
            assert_int_equal(forward_plans(b, pb), 2);
            for (int i = 0; i < 2; i++) {
                assert_true(packed ? a[i].fill > 0 : a[i].fill == 0);
                assert_true(fabs(b[i].cost - a[i].cost - a[i].fill) <= 1e-12);
            }
            gt_program_free(pa);
            gt_program_free(pb);
            gt_graph_free(inference.graph);
            gt_graph_free(training.graph);
        }
    }
    gt_device_free(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(weights_are_followed),
                                       cmocka_unit_test(training_pays_for_packing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
