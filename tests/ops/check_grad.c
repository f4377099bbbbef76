/* The references' gradients in double: backward graphs against finite differences of a
 * random-weighted sum of the output, <Ax,y> = <x,A'y> for the linear operations, and a whole small
 * network. SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A graph with y = f(leaves), its backward part, and data for all of it. */
struct proof {
    gt_graph *graph;
    gt_value y, dy; /* dy GT_NO_VALUE: y is a loss */
    size_t n_forward;
    struct check_values at;
};

static void must(gt_status status)
{
    if (status != GT_OK) {
        fail_msg("%s", gt_error_message());
    }
}

static struct proof proof_open(void)
{
    struct proof p = {0};
    must(gt_graph_create(&p.graph));
    return p;
}

static gt_value param(struct proof *p, int32_t n, int32_t c, int32_t h, int32_t w)
{
    gt_value v = GT_NO_VALUE;
    must(gt_graph_param(&v, p->graph, (gt_shape){n, c, h, w}, "", 1, 1));
    return v;
}

static gt_value input(struct proof *p, gt_shape shape)
{
    gt_value v = GT_NO_VALUE;
    must(gt_graph_input(&v, p->graph, shape, ""));
    return v;
}

/* Fill every leaf with uniform numbers in [-1, 1). */
static void fill(struct proof *p, gt_value y)
{
    p->y = y;
    p->at = check_values_create(p->graph);
    for (gt_value v = 1; v < (gt_value)p->graph->n_values; v++) {
        struct gt_random r = gt__random_open(7, GT_STREAM_TEST, (uint64_t)v);
        const struct gt_value_info *info = gt__value(p->graph, v);
        for (size_t i = 0; info->producer < 0 && i < gt__count(info->shape); i++) {
            check_f64(&p->at, v)[i] = 2 * gt__random_f64(&r) - 1;
        }
    }
}

static void differentiate(struct proof *p, gt_value y, bool loss)
{
    p->dy = loss ? GT_NO_VALUE : input(p, gt_graph_shape(p->graph, y));
    p->n_forward = p->graph->n_nodes;
    must(gt__graph_backward(p->graph, y, p->dy));
    fill(p, y);
}

static void proof_close(struct proof *p)
{
    check_values_free(&p->at);
    gt_graph_free(p->graph);
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static double objective(struct proof *p)
{
    check_values_run(&p->at, 0, p->n_forward, false);
    const double *y = check_f64(&p->at, p->y);
    size_t n = gt__count(gt_graph_shape(p->graph, p->y));
    return p->dy == GT_NO_VALUE ? y[0] : dot(y, check_f64(&p->at, p->dy), n);
}

/* What a kink would change: the signs behind ReLU and the choices of pooling, as one number. */
static uint64_t pattern(const struct proof *p)
{
    uint64_t hash = 14695981039346656037U;
    for (size_t k = 0; k < p->n_forward; k++) {
        const struct gt_node *node = &p->graph->nodes[k];
        bool relu = node->op == GT_OP_relu_fwd;
        if (!relu && node->op != GT_OP_maxpool_fwd) {
            continue;
        }
        gt_value v = node->out[relu ? 0 : 1];
        for (size_t i = 0; i < gt__count(gt_graph_shape(p->graph, v)); i++) {
            uint64_t bit = relu ? check_f64(&p->at, v)[i] > 0 : ((const uint8_t *)p->at.data[v])[i];
            hash = (hash ^ bit) * 1099511628211U;
        }
    }
    return hash;
}

/* Central differences with h = 1e-5 are off by h^2 f''' and 1e-16/h: below 1e-9 here. Elements
 * whose kink lies within h are left out; most must remain. */
static void check_differences(struct proof *p, gt_value v)
{
    static const double h = 1e-5;
    size_t n = gt__count(gt_graph_shape(p->graph, v));
    gt_value gradient = gt_graph_gradient_of(p->graph, v);
    assert_int_not_equal(gradient, GT_NO_VALUE);
    objective(p);
    uint64_t base = pattern(p);
    check_values_run(&p->at, p->n_forward, p->graph->n_nodes, false);
    double *x = check_f64(&p->at, v);
    const double *dx = check_f64(&p->at, gradient);
    double largest = 1e-3;
    size_t kinks = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fabs(dx[i]) > largest ? fabs(dx[i]) : largest;
    }
    for (size_t i = 0; i < n; i++) {
        double x0 = x[i];
        x[i] = x0 + h;
        double up = objective(p);
        bool smooth = pattern(p) == base;
        x[i] = x0 - h;
        double down = objective(p);
        smooth = smooth && pattern(p) == base;
        x[i] = x0;
        kinks += !smooth;
        double d = (up - down) / (2 * h);
        if (smooth && !(fabs(d - dx[i]) < 1e-6 * largest)) {
            fail_msg("value %d, element %zu: gradient %.12g, difference quotient %.12g", v, i,
                     dx[i], d);
        }
    }
    assert_true(kinks * 10 <= n);
}

/* <Ax,y> = <x,A'y>, in A's argument x. */
static void check_adjoint(struct proof *p, gt_value x)
{
    size_t n = gt__count(gt_graph_shape(p->graph, x));
    double left = objective(p);
    check_values_run(&p->at, p->n_forward, p->graph->n_nodes, false);
    double right =
        dot(check_f64(&p->at, x), check_f64(&p->at, gt_graph_gradient_of(p->graph, x)), n);
    assert_true(fabs(left) > 1e-6);
    if (!(fabs(left - right) < 1e-12 * (1 + fabs(left)))) {
        fail_msg("<Ax,y> = %.17g, <x,A'y> = %.17g", left, right);
    }
}

static void test_conv2d(void **state)
{
    static const struct {
        int32_t n, cin, cout, h, w, kh, kw, d;
    } cases[] = {{1, 1, 1, 3, 4, 1, 1, 1},
                 {2, 3, 2, 4, 5, 3, 3, 1},
                 {1, 2, 3, 3, 2, 2, 4, 2},
                 {2, 2, 2, 5, 3, 3, 2, 4}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct proof p = proof_open();
        gt_value y = GT_NO_VALUE;
        gt_value x =
            param(&p, cases[i].n, cases[i].cin, cases[i].h + (cases[i].kh - 1) * cases[i].d,
                  cases[i].w + (cases[i].kw - 1) * cases[i].d);
        gt_value w = param(&p, cases[i].cout, cases[i].cin, cases[i].kh, cases[i].kw);
        must(gt_graph_conv2d(&y, p.graph, x, w, GT_NO_VALUE, cases[i].d));
        differentiate(&p, y, false);
        check_adjoint(&p, x);
        check_adjoint(&p, w);
        check_differences(&p, x);
        check_differences(&p, w);
        proof_close(&p);
    }
}

/* With a bias the map is linear in the bias alone where x is 0. */
static void test_bias(void **state)
{
    (void)state;
    struct proof p = proof_open();
    gt_value x = param(&p, 2, 3, 4, 5);
    gt_value b = param(&p, 1, 3, 1, 1);
    struct gt_node node = {.op = GT_OP_bias_fwd, .n_in = 2, .in = {x, b}};
    must(gt__graph_append(p.graph, &node));
    differentiate(&p, node.out[0], false);
    check_differences(&p, x);
    check_differences(&p, b);
    memset(check_f64(&p.at, x), 0, 120 * sizeof(double));
    check_adjoint(&p, b);
    proof_close(&p);
}

static void test_relu(void **state)
{
    (void)state;
    struct proof p = proof_open();
    gt_value y = GT_NO_VALUE;
    gt_value x = param(&p, 2, 3, 6, 5);
    must(gt_graph_relu(&y, p.graph, x));
    differentiate(&p, y, false);
    check_differences(&p, x);
    proof_close(&p);
}

static void test_maxpool(void **state)
{
    static const struct {
        int32_t n, c, h, w, kernel, stride, dilation;
    } cases[] = {{1, 2, 6, 8, 2, 2, 1}, {2, 1, 7, 5, 2, 2, 1}, {1, 2, 7, 8, 3, 1, 1},
                 {1, 2, 8, 9, 2, 1, 2}, {2, 1, 9, 8, 3, 2, 2}, {1, 1, 7, 8, 2, 3, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct proof p = proof_open();
        gt_value y = GT_NO_VALUE;
        gt_value x = param(&p, cases[i].n, cases[i].c, cases[i].h, cases[i].w);
        must(gt_graph_maxpool(&y, p.graph, x, cases[i].kernel, cases[i].stride, cases[i].dilation));
        differentiate(&p, y, false);
        check_differences(&p, x);
        proof_close(&p);
    }
}

static void test_upsample(void **state)
{
    (void)state;
    struct proof p = proof_open();
    gt_value y = GT_NO_VALUE;
    gt_value x = param(&p, 2, 3, 3, 5);
    must(gt_graph_upsample(&y, p.graph, x));
    differentiate(&p, y, false);
    check_adjoint(&p, x);
    check_differences(&p, x);
    proof_close(&p);
}

/* Linear in both inputs together: <A(a,b),y> = <a,A1'y> + <b,A2'y>. A gradient that is switched off
 * does not exist. */
static void test_mergecrop(void **state)
{
    (void)state;
    for (int32_t k = 0; k < 2; k++) {
        struct proof p = proof_open();
        gt_mergecrop_options options = {{1, 1}, {1, k == 0}};
        gt_value y = GT_NO_VALUE;
        gt_value a = param(&p, 2, 3, 4, 3);
        gt_value b = param(&p, 2, 2, 7, 5);
        must(gt_graph_mergecrop(&y, p.graph, a, b, &options));
        differentiate(&p, y, false);
        check_differences(&p, a);
        if (k == 0) {
            check_differences(&p, b);
            double sum =
                dot(check_f64(&p.at, a), check_f64(&p.at, gt_graph_gradient_of(p.graph, a)), 72) +
                dot(check_f64(&p.at, b), check_f64(&p.at, gt_graph_gradient_of(p.graph, b)), 140);
            assert_true(fabs(objective(&p) - sum) < 1e-12 * (1 + fabs(sum)));
        } else {
            assert_int_equal(gt_graph_gradient_of(p.graph, b), GT_NO_VALUE);
        }
        proof_close(&p);
    }
}

/* x + x too: a value with two readers, both in one node. */
static void test_add(void **state)
{
    (void)state;
    struct proof p = proof_open();
    gt_value s = GT_NO_VALUE;
    gt_value y = GT_NO_VALUE;
    gt_value a = param(&p, 2, 3, 4, 3);
    gt_value b = param(&p, 2, 3, 4, 3);
    must(gt_graph_add(&s, p.graph, a, b));
    must(gt_graph_add(&y, p.graph, s, s));
    differentiate(&p, y, false);
    check_differences(&p, a);
    check_differences(&p, b);
    proof_close(&p);
}

static void test_softmax(void **state)
{
    static const int32_t channels[] = {1, 2, 9};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct proof p = proof_open();
        gt_value y = GT_NO_VALUE;
        gt_value x = param(&p, 2, channels[i], 3, 4);
        must(gt_graph_softmax(&y, p.graph, x));
        differentiate(&p, y, false);
        check_differences(&p, x);
        proof_close(&p);
    }
}

/* Labels -1 to labels - 1 in turn, from a start of one's choice. */
static void fill_labels(struct proof *p, gt_value label, int32_t labels, bool all_ignored)
{
    double *x = check_f64(&p->at, label);
    for (size_t i = 0; i < gt__count(gt_graph_shape(p->graph, label)); i++) {
        x[i] = all_ignored ? -1 : (double)((int32_t)(i * 7 / 3) % (labels + 1) - 1);
    }
}

static void test_softmax_loss(void **state)
{
    static const struct {
        gt_normalize normalize;
        float weight;
        bool ignored;
    } cases[] = {{GT_NORMALIZE_VALID, 1, false},
                 {GT_NORMALIZE_VALID, 0.5F, false},
                 {GT_NORMALIZE_BATCH, 2, false},
                 {GT_NORMALIZE_VALID, 1, true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct proof p = proof_open();
        gt_value loss = GT_NO_VALUE;
        gt_value x = param(&p, 2, 3, 3, 4);
        gt_value label = input(&p, (gt_shape){2, 1, 3, 4});
        must(gt_graph_softmax_loss(&loss, NULL, p.graph, x, label, cases[i].normalize,
                                   cases[i].weight));
        differentiate(&p, loss, true);
        fill_labels(&p, label, 3, cases[i].ignored);
        check_differences(&p, x);
        assert_true(cases[i].ignored ? objective(&p) == 0 : objective(&p) > 0);
        proof_close(&p);
    }
}

/* Through the minimum of two pixels and softmax; labels of both forms, ignored ones too. */
static void test_malis(void **state)
{
    (void)state;
    for (int32_t i = 0; i < 4; i++) {
        struct proof p = proof_open();
        gt_malis_options o;
        gt_value loss = GT_NO_VALUE;
        gt_value prob = GT_NO_VALUE;
        gt_value x = param(&p, 2, 2, 5, 6);
        gt_value label = input(&p, (gt_shape){2, 1, 5, 6});
        gt_malis_options_init(&o);
        o.form = i % 2 == 0 ? GT_MALIS_SQUARED : GT_MALIS_HINGE;
        o.weight = i < 2 ? 1 : -3;
        must(gt_graph_softmax(&prob, p.graph, x));
        must(gt_graph_malis_loss(&loss, p.graph, prob, label, &o));
        differentiate(&p, loss, true);
        fill_labels(&p, label, 2, false);
        check_differences(&p, x);
        assert_true(fabs(objective(&p)) > 0.01);
        proof_close(&p);
    }
}

/* Two losses of one network with weights of their own; what is labelled differs. */
static void test_sum_of_losses(void **state)
{
    (void)state;
    struct proof p = proof_open();
    gt_malis_options o;
    gt_value losses[3] = {GT_NO_VALUE};
    gt_value prob = GT_NO_VALUE;
    gt_value w = param(&p, 2, 3, 2, 2);
    gt_value x = input(&p, (gt_shape){1, 3, 6, 7});
    gt_value scores = GT_NO_VALUE;
    gt_value labels[2] = {input(&p, (gt_shape){1, 1, 5, 6}), input(&p, (gt_shape){1, 1, 5, 6})};
    gt_malis_options_init(&o);
    o.weight = 0.25F;
    must(gt_graph_conv2d(&scores, p.graph, x, w, GT_NO_VALUE, 1));
    must(gt_graph_softmax(&prob, p.graph, scores));
    must(
        gt_graph_softmax_loss(&losses[0], NULL, p.graph, scores, labels[0], GT_NORMALIZE_VALID, 2));
    must(gt_graph_malis_loss(&losses[1], p.graph, prob, labels[1], &o));
    must(gt_graph_add(&losses[2], p.graph, losses[0], losses[1]));
    p.n_forward = p.graph->n_nodes;
    must(gt_graph_gradient(p.graph, losses[2]));
    fill(&p, losses[2]);
    fill_labels(&p, labels[0], 2, false);
    for (size_t i = 0; i < 30; i++) {
        check_f64(&p.at, labels[1])[i] = i % 4 != 3;
    }
    check_differences(&p, w);
    proof_close(&p);
}

/* conv-bias-relu, pooling, conv, doubling, MergeCrop with the first branch (read twice), sum of the
 * branch with itself, 1x1 conv, loss; the gradient of every parameter. */
static void test_network(void **state)
{
    (void)state;
    struct proof p = proof_open();
    gt_graph *g = p.graph;
    gt_value w[3];
    gt_value b[3];
    gt_value v = GT_NO_VALUE;
    gt_value skip = GT_NO_VALUE;
    gt_value loss = GT_NO_VALUE;
    gt_value x = input(&p, (gt_shape){2, 2, 12, 14});
    for (int32_t k = 0; k < 3; k++) {
        w[k] = k == 0   ? param(&p, 3, 2, 3, 3)
               : k == 1 ? param(&p, 4, 3, 2, 2)
                        : param(&p, 3, 7, 1, 1);
        b[k] = param(&p, 1, k == 1 ? 4 : 3, 1, 1);
    }
    must(gt_graph_conv2d(&v, g, x, w[0], b[0], 1));
    must(gt_graph_relu(&skip, g, v));
    must(gt_graph_maxpool(&v, g, skip, 2, 2, 1));
    must(gt_graph_conv2d(&v, g, v, w[1], b[1], 2));
    must(gt_graph_relu(&v, g, v));
    must(gt_graph_upsample(&v, g, v));
    must(gt_graph_add(&skip, g, skip, skip));
    must(gt_graph_mergecrop(&v, g, v, skip, NULL));
    must(gt_graph_conv2d(&v, g, v, w[2], b[2], 1));
    gt_shape s = gt_graph_shape(g, v);
    gt_value label = input(&p, (gt_shape){s.n, 1, s.h, s.w});
    must(gt_graph_softmax_loss(&loss, NULL, g, v, label, GT_NORMALIZE_VALID, 1));
    differentiate(&p, loss, true);
    fill_labels(&p, label, 3, false);
    for (int32_t k = 0; k < 3; k++) {
        check_differences(&p, w[k]);
        check_differences(&p, b[k]);
    }
    proof_close(&p);
}

int check_gradients(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv2d),        cmocka_unit_test(test_bias),
        cmocka_unit_test(test_relu),          cmocka_unit_test(test_maxpool),
        cmocka_unit_test(test_upsample),      cmocka_unit_test(test_mergecrop),
        cmocka_unit_test(test_add),           cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_softmax_loss),  cmocka_unit_test(test_malis),
        cmocka_unit_test(test_sum_of_losses), cmocka_unit_test(test_network),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}
