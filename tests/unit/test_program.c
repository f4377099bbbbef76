/* Programs give the same results whatever the planner chooses: fusion, kernels, threads, tiles.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "program_rig.h"

#include <math.h>

#include "backend_cpu/cpu.h"

static const int32_t height = 38, width = 46;

struct result {
    float *values;
    size_t count;
    char *dump;
    bool used; /* the kernel asked about is among the steps */
};

static void result_free(struct result *r)
{
    free(r->values);
    gt_free(r->dump);
    *r = (struct result){0};
}

static bool uses(const gt_program *p, const struct gt_kernel *kernel)
{
    struct gt_step *steps = NULL;
    size_t n = gt__program_steps(p, &steps);
    for (size_t i = 0; i < n; i++) {
        if (steps[i].kernel == kernel) {
            return true;
        }
    }
    return false;
}

/* Two runs (training: two steps). The arena starts as NaN: nothing may be read before it is
 * written. */
static gt_status run(struct result *out, gt_device *device, enum rig_kind kind,
                     const gt_program_options *options, const struct gt_program_extra *extra)
{
    struct rig rig;
    gt_program *p = NULL;
    assert_int_equal(rig_build(&rig, kind, height, width), GT_OK);
    gt_status status = gt__program_create(&p, device, rig.graph, options, extra);
    if (status == GT_OK) {
        memset(p->arena->host, 0xff, p->arena->size);
        for (int i = 0; i < 2; i++) {
            if (i == 0) {
                assert_int_equal(rig_fill(&rig, p), GT_OK);
            } else { /* inputs do not outlive a run */
                assert_int_equal(rig_write(&rig, p, rig.input, 1, false), GT_OK);
                if (rig.label) {
                    static const float hyper[GT_HYPER_COUNT] = {0.05F, 0, 0.9F, 0.99F,
                                                                1e-3F, 0, 5,    50};
                    assert_int_equal(rig_write(&rig, p, rig.label, 1, true), GT_OK);
                    assert_int_equal(gt_program_write(p, rig.hyper, hyper), GT_OK);
                }
            }
            assert_int_equal(gt_program_run(p), GT_OK);
        }
        *out = (struct result){.used = extra && extra->force && uses(p, extra->force)};
        out->values = rig_read(&out->count, &rig, p);
        assert_int_equal(gt_program_dump(&out->dump, p), GT_OK);
    }
    gt_program_free(p);
    gt_graph_free(rig.graph);
    return status;
}

static void assert_near(const struct result *a, const struct result *b, double bound,
                        const char *what)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        double d = fabs((double)a->values[i] - (double)b->values[i]);
        if (!(d <= bound)) {
            fail_msg("%s: value %zu is %.9g, expected %.9g", what, i, (double)a->values[i],
                     (double)b->values[i]);
        }
    }
}

static void assert_same(const struct result *a, const struct result *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->values, b->values, a->count * sizeof(float));
}

/* All values are of order 1, sums have fewer than 1000 terms: 1000 * 6e-8 would be the worst case,
 * and two steps of training double it. */
static const double tolerance = 1e-4;

static void test_fusion(void **state)
{
    static const enum rig_kind kinds[] = {RIG_INFER, RIG_SGD, RIG_ADAMW};
    (void)state;
    gt_device *device = rig_device(2, GT_ISA_ALL);
    for (size_t i = 0; i < 3; i++) {
        struct gt_program_extra extra = {.force_variant = -1, .no_fuse = true};
        struct result fused;
        struct result plain;
        assert_int_equal(run(&fused, device, kinds[i], NULL, NULL), GT_OK);
        assert_int_equal(run(&plain, device, kinds[i], NULL, &extra), GT_OK);
        assert_near(&fused, &plain, tolerance, "fused");
        assert_non_null(strstr(fused.dump, "+bias +relu"));
        assert_null(strstr(fused.dump, "relu_fwd"));
        assert_null(strstr(fused.dump, "bias_fwd"));
        assert_null(strstr(plain.dump, "+bias"));
        assert_null(strstr(plain.dump, "+relu"));
        assert_non_null(strstr(plain.dump, "relu_fwd"));
        assert_non_null(strstr(plain.dump, "bias_fwd"));
        result_free(&fused);
        result_free(&plain);
    }
    gt_device_free(device);
}

/* The expected result of a kind: references only. */
static struct result reference(gt_device *device, enum rig_kind kind)
{
    struct result out;
    struct gt_program_extra extra = {.force_variant = -1, .no_fuse = true};
    assert_int_equal(run(&out, device, kind, NULL, &extra), GT_OK);
    return out;
}

/* One kernel on everything that has its op; fused (bias) or not, because some ops vanish by fusion.
 */
static size_t force(gt_device *device, const struct gt_kernel *kernel, int32_t variant,
                    enum rig_kind kind, const struct result *expected)
{
    size_t used = 0;
    for (int fuse = 0; fuse < 2; fuse++) {
        struct gt_program_extra extra = {
            .force = kernel, .force_variant = variant, .no_fuse = !fuse};
        struct result got;
        gt_status status = run(&got, device, kind, NULL, &extra);
        if (status != GT_OK) {
            assert_int_equal(status, GT_ENOTSUP);
            continue;
        }
        used += got.used;
        assert_near(&got, expected, tolerance, kernel->name);
        result_free(&got);
    }
    return used;
}

/* May this processor lack what the kernel needs? Its suffix tells. */
static bool needs_more(const struct gt_kernel *kernel)
{
    uint32_t isa = gt__cpuid_isa();
    return (strstr(kernel->name, "_avx2") && !(isa & GT_ISA_AVX2)) ||
           (strstr(kernel->name, "_avx512") && !(isa & GT_ISA_AVX512));
}

static void test_forced(void **state)
{
    static const enum rig_kind kinds[] = {RIG_SGD,   RIG_ADAMW, RIG_SOFTMAX,
                                          RIG_INFER, RIG_MALIS, RIG_WIDE};
    enum { N_KINDS = sizeof kinds / sizeof kinds[0] };
    (void)state;
    struct result expected[N_KINDS];
    gt_device *device = rig_device(2, GT_ISA_ALL);
    for (size_t i = 0; i < N_KINDS; i++) {
        expected[i] = reference(device, kinds[i]);
    }
    for (const struct gt_kernel *const *k = device->backend->kernels; *k; k++) {
        size_t used = 0;
        for (size_t i = 0; i < N_KINDS; i++) {
            used += force(device, *k, -1, kinds[i], &expected[i]);
            for (unsigned v = 0; v < (*k)->n_variants && i == 0; v++) {
                force(device, *k, (int32_t)v, kinds[i], &expected[i]);
            }
        }
        /* Programs of fp32, not even by force. */
        if (strstr((*k)->name, "bf16")) {
            assert_int_equal(used, 0);
            continue;
        }
        /* A reorder is only there if the other choices call for one. */
        if (used == 0 && !needs_more(*k) && (*k)->op != GT_OP_reorder) {
            fail_msg("%s ran in no program", (*k)->name);
        }
    }
    for (size_t i = 0; i < N_KINDS; i++) {
        result_free(&expected[i]);
    }
    gt_device_free(device);
}

/* Blocked convolution alone: the input has to be reordered, and the output to be read. */
static void test_reorders(void **state)
{
    (void)state;
    gt_device *device = rig_device(1, GT_ISA_ALL);
    const struct gt_kernel *blocked = NULL;
    for (const struct gt_kernel *const *k = device->backend->kernels; *k; k++) {
        blocked = strcmp((*k)->name, "conv2d_fwd_blocked") == 0 ? *k : blocked;
    }
    assert_non_null(blocked);
    struct gt_program_extra extra = {.force = blocked, .force_variant = -1};
    struct result got;
    struct result expected = reference(device, RIG_INFER);
    assert_int_equal(run(&got, device, RIG_INFER, NULL, &extra), GT_OK);
    assert_non_null(strstr(got.dump, "reorder"));
    assert_non_null(strstr(got.dump, "b16p1"));
    assert_near(&got, &expected, tolerance, "blocked");
    result_free(&got);
    result_free(&expected);
    gt_device_free(device);
}

static void test_threads(void **state)
{
    static const int32_t threads[] = {1, 2, 3, 8};
    static const uint32_t masks[] = {GT_ISA_ALL, GT_ISA_AVX2, GT_ISA_BASE};
    (void)state;
    for (size_t m = 0; m < 3; m++) {
        struct gt_program_extra extra = {.force_variant = -1};
        struct result first = {0};
        for (size_t t = 0; t < 4; t++) {
            struct result got;
            gt_program_options options = {.deterministic = 1};
            gt_device *device = rig_device(threads[t], masks[m]);
            assert_int_equal(run(&got, device, RIG_SGD, &options, &extra), GT_OK);
            gt_device_free(device);
            if (t == 0) {
                first = got;
            } else {
                assert_same(&got, &first);
                result_free(&got);
            }
        }
        result_free(&first);
    }
}

/* ---- deterministic: no sum depends on the tile ---- */

struct plain_net {
    gt_graph *graph;
    gt_value x, w[3], y;
};

/* conv 3x3 - relu - conv 3x3 dilation 2 - relu - conv 1x1 - softmax: 6 pixels are lost. */
static struct plain_net plain_net(int32_t h, int32_t w)
{
    static const int32_t channels[] = {3, 18, 16, 2};
    static const int32_t kernel[] = {3, 3, 1};
    struct plain_net net = {0};
    assert_int_equal(gt_graph_create(&net.graph), GT_OK);
    assert_int_equal(gt_graph_input(&net.x, net.graph, (gt_shape){1, 3, h, w}, "x"), GT_OK);
    gt_value y = net.x;
    for (size_t i = 0; i < 3; i++) {
        gt_shape s = {channels[i + 1], channels[i], kernel[i], kernel[i]};
        assert_int_equal(gt_graph_param(&net.w[i], net.graph, s, "w", 1, 1), GT_OK);
        assert_int_equal(gt_graph_conv2d(&y, net.graph, y, net.w[i], GT_NO_VALUE, i == 1 ? 2 : 1),
                         GT_OK);
        if (i < 2) {
            assert_int_equal(gt_graph_relu(&y, net.graph, y), GT_OK);
        }
    }
    assert_int_equal(gt_graph_softmax(&net.y, net.graph, y), GT_OK);
    assert_int_equal(gt_graph_output(net.graph, net.y), GT_OK);
    return net;
}

/* Classify the window of `image` [3][full_h][full_w] at (top, left); steps' kernels are appended to
 * names. */
static float *classify(gt_device *device, const float *image, int32_t full_h, int32_t full_w,
                       int32_t top, int32_t left, int32_t h, int32_t w)
{
    struct plain_net net = plain_net(h, w);
    gt_program *p = NULL;
    gt_program_options options = {.deterministic = 1};
    struct gt_step *steps = NULL;
    assert_int_equal(gt_program_create(&p, device, net.graph, &options), GT_OK);
    size_t n = gt__program_steps(p, &steps);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(p->plans[i].flags & GT_PLAN_UNORDERED, 0);
    }
    float *x = (float *)rig_calloc((size_t)(3 * h * w), sizeof *x);
    for (int32_t i = 0; i < 3 * h; i++) {
        const float *row = image + ((i / h) * full_h + top + i % h) * full_w + left;
        memcpy(x + i * w, row, (size_t)w * sizeof *x);
    }
    assert_int_equal(gt_program_write(p, net.x, x), GT_OK);
    for (size_t i = 0; i < 3; i++) {
        struct gt_random r = gt__random_open(9, GT_STREAM_TEST, i);
        size_t count = gt__count(gt_graph_shape(net.graph, net.w[i]));
        float *weights = (float *)rig_calloc(count, sizeof *weights);
        for (size_t k = 0; k < count; k++) {
            weights[k] = gt__random_f32(&r) - 0.5F;
        }
        assert_int_equal(gt_program_write(p, net.w[i], weights), GT_OK);
        free(weights);
    }
    assert_int_equal(gt_program_run(p), GT_OK);
    float *y = (float *)rig_calloc((size_t)(2 * (h - 6) * (w - 6)), sizeof *y);
    assert_int_equal(gt_program_read(p, net.y, y), GT_OK);
    free(x);
    gt_program_free(p);
    gt_graph_free(net.graph);
    return y;
}

static void test_deterministic(void **state)
{
    enum { H = 48, W = 61 };
    static const int32_t windows[][4] = {
        {0, 0, 20, 20}, {5, 7, 13, 33}, {17, 1, 31, 60}, {41, 54, 7, 7}, {3, 0, 45, 8}};
    (void)state;
    gt_device *device = rig_device(2, GT_ISA_ALL);
    struct gt_random r = gt__random_open(4, GT_STREAM_TEST, 0);
    float *image = (float *)rig_calloc((size_t)3 * H * W, sizeof *image);
    for (size_t i = 0; i < (size_t)3 * H * W; i++) {
        image[i] = 2 * gt__random_f32(&r) - 1;
    }
    float *whole = classify(device, image, H, W, 0, 0, H, W);
    for (size_t k = 0; k < sizeof windows / sizeof windows[0]; k++) {
        const int32_t *t = windows[k];
        float *part = classify(device, image, H, W, t[0], t[1], t[2], t[3]);
        for (int32_t i = 0; i < 2 * (t[2] - 6); i++) {
            int32_t row = (i / (t[2] - 6)) * (H - 6) + t[0] + i % (t[2] - 6);
            assert_memory_equal(part + i * (t[3] - 6), whole + row * (W - 6) + t[1],
                                (size_t)(t[3] - 6) * sizeof(float));
        }
        free(part);
    }
    free(whole);
    free(image);
    gt_device_free(device);
}

static void test_misuse(void **state)
{
    (void)state;
    struct rig rig;
    gt_program *p = NULL;
    float x[4] = {0};
    gt_device *device = rig_device(1, GT_ISA_ALL);
    assert_int_equal(rig_build(&rig, RIG_INFER, 14, 14), GT_OK);
    assert_int_equal(gt_program_create(&p, device, rig.graph, NULL), GT_OK);
    assert_int_equal(gt_program_write(p, rig.output, x), GT_EINVAL);
    assert_int_equal(gt_program_write(p, GT_NO_VALUE, x), GT_EINVAL);
    assert_int_equal(gt_program_write(p, 1000, x), GT_EINVAL);
    assert_int_equal(gt_program_read(p, rig.input, x), GT_EINVAL);
    assert_int_equal(gt_program_read(p, -3, x), GT_EINVAL);
    assert_int_equal(gt__program_read_kept(p, rig.output, x), GT_EINVAL);
    /* parameters start as zeros */
    float weight[540];
    assert_int_equal(gt_program_read(p, rig.params[0], weight), GT_OK);
    for (size_t i = 0; i < 540; i++) {
        assert_true(weight[i] == 0);
    }
    gt_program_free(p);
    gt_program_free(NULL);
    gt_graph_free(rig.graph);
    gt_device_free(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fusion),        cmocka_unit_test(test_forced),
        cmocka_unit_test(test_reorders),      cmocka_unit_test(test_threads),
        cmocka_unit_test(test_deterministic), cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
