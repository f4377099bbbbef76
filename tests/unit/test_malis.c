/* MALIS: worked examples, every pair's maximin affinity by brute force, refusals.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/program.h"
#include "core/random.h"

#include "../golden/malis_golden.h"

extern const struct gt_kernel gt__malis_kruskal, gt__malis_ref;
static const struct gt_kernel *const kernels[] = {&gt__malis_kruskal, &gt__malis_ref};

enum { MOST = 64 };

static void must(gt_status status)
{
    if (status != GT_OK) {
        fail_msg("%s", gt_error_message());
    }
}

/* Loss and its gradient (all channels) of given probabilities. */
static void evaluate(float *loss, float *gradient, const struct gt_kernel *kernel, gt_shape s,
                     const float *prob, const float *label, const gt_malis_options *options)
{
    struct gt_program_extra extra = {.force = kernel, .force_variant = -1};
    gt_device *device = NULL;
    gt_graph *graph = NULL;
    gt_program *program = NULL;
    gt_value values[3] = {GT_NO_VALUE};
    must(gt_device_open(&device, "cpu", NULL));
    must(gt_graph_create(&graph));
    must(gt_graph_param(&values[0], graph, s, "prob", 1, 1));
    must(gt_graph_input(&values[1], graph, (gt_shape){s.n, 1, s.h, s.w}, "label"));
    must(gt_graph_malis_loss(&values[2], graph, values[0], values[1], options));
    must(gt_graph_gradient(graph, values[2]));
    must(gt_graph_output(graph, values[2]));
    must(gt_graph_output(graph, gt_graph_gradient_of(graph, values[0])));
    must(gt__program_create(&program, device, graph, NULL, &extra));
    must(gt_program_write(program, values[0], prob));
    must(gt_program_write(program, values[1], label));
    must(gt_program_run(program));
    must(gt_program_read(program, values[2], loss));
    must(gt_program_read(program, gt_graph_gradient_of(graph, values[0]), gradient));
    gt_program_free(program);
    gt_graph_free(graph);
    gt_device_free(device);
}

/* Channel 1 of two holds q, channel 0 the rest. */
static void two_channels(float *prob, const float *q, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        prob[i] = 1.0F - q[i];
        prob[n + i] = q[i];
    }
}

struct example {
    gt_shape s;
    float q[12], label[12];
    float loss[2], gradient[2][12]; /* by form */
};

static void check_example(const struct example *e)
{
    float prob[24];
    size_t n = (size_t)e->s.h * (size_t)e->s.w;
    two_channels(prob, e->q, n);
    for (int k = 0; k < 4; k++) {
        float loss = 0;
        float gradient[24];
        gt_malis_options o;
        gt_malis_options_init(&o);
        o.form = k % 2 == 0 ? GT_MALIS_SQUARED : GT_MALIS_HINGE;
        evaluate(&loss, gradient, kernels[k / 2], e->s, prob, e->label, &o);
        assert_true(fabsf(loss - e->loss[k % 2]) < 1e-6F);
        for (size_t i = 0; i < n; i++) {
            assert_true(gradient[i] == 0.0F);
            if (!(fabsf(gradient[n + i] - e->gradient[k % 2][i]) < 2e-6F)) {
                fail_msg("%s, pixel %zu: %g, expected %g", kernels[k / 2]->name, i,
                         (double)gradient[n + i], (double)e->gradient[k % 2][i]);
            }
        }
    }
}

/* Objects a, a, b, b beside a background pixel: edges 0.7, 0.6, 0.6, 0.8. Squared: pairs within
 * (0.09 + 0.04)/2/2, between 4/4 * 0.36/2; slopes -0.3/2, 0.6, -0.2/2 at the pixels of the minima.
 * Hinge: 0.1/2 + 0 (0.8 is past the margin), 0.4; slopes -1/2, 1. */
static void test_chain(void **state)
{
    static const struct example e = {{1, 2, 1, 5},
                                     {0.9F, 0.7F, 0.6F, 0.8F, 0.95F},
                                     {1, 1, 0, 1, 1},
                                     {0.2125F, 0.45F},
                                     {{0, -0.15F, 0.6F, -0.1F, 0}, {0, -0.5F, 1, 0, 0}}};
    (void)state;
    check_example(&e);
}

/* 18 pairs within, 18 between, all of the latter at the background pixel of 0.4. Squared: slope
 * -n/18*(1 - w) of each tree edge. Hinge: -n/18 where w < 0.8. */
static void test_map(void **state)
{
    static const struct example e = {
        {1, 2, 3, 4},
        {0.9F, 0.8F, 0.3F, 0.7F, 0.95F, 0.6F, 0.4F, 0.85F, 0.5F, 0.55F, 0.2F, 0.75F},
        {1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1},
        {0.1597916667F, 0.3861111111F},
        {{-0.0055556F, -0.0222222F, 0, -0.0333333F, 0, -0.0666667F, 0.4F, 0, -0.1388889F, -0.1F, 0,
          -0.0138889F},
         {0, 0, 0, -2.0F / 18, 0, -3.0F / 18, 1, 0, -5.0F / 18, -4.0F / 18, 0, -1.0F / 18}}};
    (void)state;
    check_example(&e);
}

/* With the threshold far off only pairs within count, or only pairs between, all with slope 1: the
 * gradient tells the pairs that the edges of each pixel join, by TuragaLab's library in the table. */
static void test_golden_pairs(void **state)
{
    enum { N = GOLDEN_H * GOLDEN_W };
    (void)state;
    for (size_t i = 0; i < sizeof golden_pairs / sizeof golden_pairs[0] * 4; i++) {
        const struct golden_pairs *g = &golden_pairs[i / 4];
        size_t pass = i % 2;
        float loss = 0;
        float prob[2 * N];
        float gradient[2 * N];
        gt_malis_options o;
        gt_malis_options_init(&o);
        o.form = GT_MALIS_HINGE;
        o.threshold = pass == 0 ? 100 : -100;
        two_channels(prob, g->q, N);
        evaluate(&loss, gradient, kernels[i % 4 / 2], (gt_shape){1, 2, GOLDEN_H, GOLDEN_W}, prob,
                 g->label, &o);
        for (size_t k = 0; k < N; k++) {
            float pairs = gradient[N + k] * g->all[pass] * (pass == 0 ? -1.0F : 1.0F);
            assert_true(fabsf(pairs - g->pairs[pass][k]) < 1e-3F);
        }
    }
}

/* ---- brute force ---- */

struct brute {
    gt_shape s; /* one image */
    const gt_malis_options *o;
    const float *q, *label;
    double within[MOST][MOST], between[MOST][MOST]; /* maximin affinity, -1: no path */
    bool same[MOST][MOST];
};

static void widen(double m[MOST][MOST], size_t n)
{
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) {
                double through = m[i][k] < m[k][j] ? m[i][k] : m[k][j];
                m[i][j] = through > m[i][j] ? through : m[i][j];
            }
        }
    }
}

static void close_objects(bool m[MOST][MOST], size_t n)
{
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) {
                m[i][j] = m[i][j] || (m[i][k] && m[k][j]);
            }
        }
    }
}

static void for_edges(struct brute *b, void (*fn)(struct brute *, size_t, size_t))
{
    for (int32_t k = 0; k < b->o->n_edges; k++) {
        for (int32_t i = 0; i < b->s.h * b->s.w; i++) {
            int32_t y = i / b->s.w + b->o->edges[k][0];
            int32_t x = i % b->s.w + b->o->edges[k][1];
            int32_t j = y * b->s.w + x;
            bool there = y >= 0 && y < b->s.h && x >= 0 && x < b->s.w;
            if (there && b->label[i] >= 0 && b->label[j] >= 0) {
                fn(b, (size_t)i, (size_t)j);
            }
        }
    }
}

static void note_object(struct brute *b, size_t i, size_t j)
{
    if (b->label[i] >= 1 && b->label[i] == b->label[j]) {
        b->same[i][j] = b->same[j][i] = true;
    }
}

static void note_affinity(struct brute *b, size_t i, size_t j)
{
    double w = (double)(b->q[i] < b->q[j] ? b->q[i] : b->q[j]);
    double label = b->same[i][j] ? 1 : 0;
    double within = w < label ? w : label;
    double between = w > label ? w : label;
    b->within[i][j] = b->within[j][i] = fmax(b->within[i][j], within);
    b->between[i][j] = b->between[j][i] = fmax(b->between[i][j], between);
}

static double charge(const gt_malis_options *o, double w, bool within)
{
    if (o->form == GT_MALIS_SQUARED) {
        return 0.5 * (within ? (1 - w) * (1 - w) : w * w);
    }
    return fmax(0, within ? (double)o->threshold + (double)o->margin - w
                          : w - (double)o->threshold + (double)o->margin);
}

/* The loss by its definition, pair by pair. */
static double brute_loss(struct brute *b)
{
    size_t n = (size_t)b->s.h * (size_t)b->s.w;
    double sums[2] = {0, 0};
    double pairs[2] = {0, 0};
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            b->same[i][j] = i == j && b->label[i] >= 1;
            b->within[i][j] = b->between[i][j] = -1;
        }
    }
    for_edges(b, note_object);
    close_objects(b->same, n);
    for_edges(b, note_affinity);
    widen(b->within, n);
    widen(b->between, n);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            if (b->label[i] < 1 || b->label[j] < 1) {
                continue;
            }
            bool within = b->same[i][j];
            double w = within ? b->within[i][j] : b->between[i][j];
            assert_true(!within || w >= 0);
            sums[within] += w < 0 ? 0 : charge(b->o, w, within);
            pairs[within]++;
        }
    }
    return (pairs[0] > 0 ? sums[0] / pairs[0] : 0) + (pairs[1] > 0 ? sums[1] / pairs[1] : 0);
}

static void draw_options(gt_malis_options *o, struct gt_random *r)
{
    gt_malis_options_init(o);
    o->form = gt__random_below(r, 2) == 0 ? GT_MALIS_SQUARED : GT_MALIS_HINGE;
    o->weight = 0.25F + gt__random_f32(r);
    if (gt__random_below(r, 2) == 0) {
        return;
    }
    o->n_edges = 1 + (int32_t)gt__random_below(r, 5);
    for (int32_t k = 0; k < o->n_edges; k++) {
        do {
            o->edges[k][0] = (int32_t)gt__random_below(r, 5) - 2;
            o->edges[k][1] = (int32_t)gt__random_below(r, 7) - 3;
        } while (o->edges[k][0] == 0 && o->edges[k][1] == 0);
    }
}

static void draw_maps(float *prob, float *label, size_t pixels, size_t n, struct gt_random *r)
{
    uint64_t levels = gt__random_below(r, 2) == 0 ? 5 : 1 << 20;
    uint64_t lowest = gt__random_below(r, 2);
    uint64_t highest = 1 + gt__random_below(r, 3);
    for (size_t i = 0; i < n * pixels; i++) {
        size_t at = i / pixels * 2 * pixels + i % pixels;
        prob[at + pixels] = (float)gt__random_below(r, levels) / (float)(levels - 1);
        prob[at] = 1.0F - prob[at + pixels];
        float value = (float)gt__random_below(r, lowest + highest + 1) - (float)lowest;
        label[i] = i % pixels > 0 && gt__random_below(r, 2) == 0 ? label[i - 1] : value;
    }
}

/* 400 small graphs, among them ties, ignored pixels, three labels, up to 3 images, one row. */
static void test_brute_force(void **state)
{
    static struct brute b;
    (void)state;
    for (uint64_t round = 0; round < 400; round++) {
        struct gt_random r = gt__random_open(11, GT_STREAM_TEST, round);
        gt_malis_options o;
        gt_shape s = {1 + (int32_t)gt__random_below(&r, 3), 2, 1 + (int32_t)gt__random_below(&r, 6),
                      1 + (int32_t)gt__random_below(&r, 7)};
        size_t pixels = (size_t)s.h * (size_t)s.w;
        float prob[3 * 2 * MOST];
        float label[3 * MOST];
        float gradient[3 * 2 * MOST];
        double expected = 0;
        draw_options(&o, &r);
        draw_maps(prob, label, pixels, (size_t)s.n, &r);
        for (size_t n = 0; n < (size_t)s.n; n++) {
            b = (struct brute){
                .s = s, .o = &o, .q = prob + (n * 2 + 1) * pixels, .label = label + n * pixels};
            expected += (double)o.weight * brute_loss(&b) / s.n;
        }
        for (int k = 0; k < 2; k++) {
            float loss = 0;
            evaluate(&loss, gradient, kernels[k], s, prob, label, &o);
            if (!(fabs((double)loss - expected) < 1e-6 * (1 + expected))) {
                fail_msg("round %llu, %s: %.9g, expected %.9g", (unsigned long long)round,
                         kernels[k]->name, (double)loss, expected);
            }
        }
    }
}

/* ---- what is refused, what is not a number ---- */

static void test_not_a_number(void **state)
{
    float prob[8] = {0, 0, 0, 0, 0.5F, NAN, 0.5F, 0.5F};
    float label[4] = {1, 1, 1, 0};
    (void)state;
    for (int k = 0; k < 2; k++) {
        float loss = 0;
        float gradient[8];
        evaluate(&loss, gradient, kernels[k], (gt_shape){1, 2, 2, 2}, prob, label, NULL);
        assert_true(isnan(loss));
        float without[4] = {1, -1, 1, 0}; /* an ignored pixel may hold anything */
        evaluate(&loss, gradient, kernels[k], (gt_shape){1, 2, 2, 2}, prob, without, NULL);
        assert_true(loss == 0.125F);
    }
}

static void refuse(gt_status expected, const char *part, gt_shape prob, gt_shape label,
                   const gt_malis_options *options)
{
    gt_graph *graph = NULL;
    gt_value p = GT_NO_VALUE;
    gt_value l = GT_NO_VALUE;
    gt_value loss = GT_NO_VALUE;
    must(gt_graph_create(&graph));
    must(gt_graph_param(&p, graph, prob, "prob", 1, 1));
    must(gt_graph_input(&l, graph, label, "label"));
    assert_int_equal(gt_graph_malis_loss(&loss, graph, p, l, options), expected);
    assert_non_null(strstr(gt_error_message(), part));
    assert_int_equal(loss, GT_NO_VALUE);
    gt_graph_free(graph);
}

static void test_refusals(void **state)
{
    static const gt_shape prob = {2, 2, 4, 5};
    static const gt_shape label = {2, 1, 4, 5};
    gt_malis_options o;
    (void)state;
    refuse(GT_ESHAPE, "2 x 1 x 4 x 4", prob, (gt_shape){2, 1, 4, 4}, NULL);
    refuse(GT_ESHAPE, "20000 x 20000", (gt_shape){1, 2, 20000, 20000},
           (gt_shape){1, 1, 20000, 20000}, NULL);
    gt_malis_options_init(&o);
    o.channel = 2;
    refuse(GT_EINVAL, "channel 2 of 2", prob, label, &o);
    gt_malis_options_init(&o);
    o.weight = NAN;
    refuse(GT_EINVAL, "weight", prob, label, &o);
    gt_malis_options_init(&o);
    o.n_edges = 17;
    refuse(GT_EINVAL, "17 edges", prob, label, &o);
    o.n_edges = 1;
    o.edges[0][0] = 0;
    refuse(GT_EINVAL, "edge 0 is (0, 0)", prob, label, &o);
    o.edges[0][1] = 40000;
    refuse(GT_EINVAL, "40000", prob, label, &o);
    gt_malis_options_init(&o);
    o.form = (gt_malis_form)7;
    refuse(GT_EINVAL, "form 7", prob, label, &o);
}

/* Losses add up, but not to themselves; a sum of anything else is no loss. */
static void test_sums(void **state)
{
    gt_graph *graph = NULL;
    gt_value p = GT_NO_VALUE;
    gt_value l = GT_NO_VALUE;
    gt_value loss = GT_NO_VALUE;
    gt_value sum = GT_NO_VALUE;
    (void)state;
    must(gt_graph_create(&graph));
    must(gt_graph_param(&p, graph, (gt_shape){1, 2, 3, 3}, "prob", 1, 1));
    must(gt_graph_input(&l, graph, (gt_shape){1, 1, 3, 3}, "label"));
    must(gt_graph_malis_loss(&loss, graph, p, l, NULL));
    must(gt_graph_add(&sum, graph, loss, loss));
    assert_int_equal(gt_graph_gradient(graph, sum), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "itself"));
    must(gt_graph_add(&sum, graph, p, p));
    assert_int_equal(gt_graph_gradient(graph, sum), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "not a loss"));
    must(gt_graph_gradient(graph, loss));
    gt_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),        cmocka_unit_test(test_map),
        cmocka_unit_test(test_golden_pairs), cmocka_unit_test(test_brute_force),
        cmocka_unit_test(test_not_a_number), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
