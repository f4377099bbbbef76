/* Graphs: shape inference and its errors, gradient wiring, updates, text.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "core/ir.h"

static int setup(void **state)
{
    gt_graph *g = NULL;
    int failed = gt_graph_create(&g) != GT_OK;
    *state = g;
    return failed;
}

static int teardown(void **state)
{
    gt_graph_free((gt_graph *)*state);
    return 0;
}

static gt_value input(gt_graph *g, int32_t n, int32_t c, int32_t h, int32_t w)
{
    gt_value v = GT_NO_VALUE;
    assert_int_equal(gt_graph_input(&v, g, (gt_shape){n, c, h, w}, "in"), GT_OK);
    return v;
}

static gt_value param(gt_graph *g, int32_t n, int32_t c, int32_t h, int32_t w, const char *name,
                      float rate)
{
    gt_value v = GT_NO_VALUE;
    assert_int_equal(gt_graph_param(&v, g, (gt_shape){n, c, h, w}, name, rate, 1), GT_OK);
    return v;
}

static void assert_shape(const gt_graph *g, gt_value v, int32_t n, int32_t c, int32_t h, int32_t w)
{
    gt_shape s = gt_graph_shape(g, v);
    assert_int_equal(s.n, n);
    assert_int_equal(s.c, c);
    assert_int_equal(s.h, h);
    assert_int_equal(s.w, w);
}

/* The call fails with this status, the message has these words, and the graph did not grow. */
static void assert_fails(const gt_graph *g, size_t n_nodes, gt_status got, gt_status want,
                         const char *words)
{
    assert_int_equal(got, want);
    if (!strstr(gt_error_message(), words)) {
        fail_msg("message \"%s\" lacks \"%s\"", gt_error_message(), words);
    }
    assert_int_equal(g->n_nodes, n_nodes);
}

static void test_shapes(void **state)
{
    gt_graph *g = (gt_graph *)*state;
    gt_value y = GT_NO_VALUE;
    gt_value x = input(g, 2, 3, 20, 31);
    gt_value w = param(g, 5, 3, 3, 2, "w", 1);
    gt_value b = param(g, 1, 5, 1, 1, "b", 1);
    assert_int_equal(gt_graph_conv2d(&y, g, x, w, b, 4), GT_OK);
    assert_shape(g, y, 2, 5, 12, 27);
    assert_int_equal(gt_graph_relu(&y, g, y), GT_OK);
    assert_shape(g, y, 2, 5, 12, 27);
    gt_value skip = y;
    /* ceil((12 - 2)/2) + 1 = 6, ceil((27 - 2)/2) + 1 = 14: the last column of windows is clipped */
    assert_int_equal(gt_graph_maxpool(&y, g, y, 2, 2, 1), GT_OK);
    assert_shape(g, y, 2, 5, 6, 14);
    gt_value pooled = y;
    assert_int_equal(gt_graph_maxpool(&y, g, y, 3, 1, 2), GT_OK);
    assert_shape(g, y, 2, 5, 2, 10);
    assert_int_equal(gt_graph_upsample(&y, g, y), GT_OK);
    assert_shape(g, y, 2, 5, 4, 20);
    assert_int_equal(gt_graph_mergecrop(&y, g, y, skip, NULL), GT_OK);
    assert_shape(g, y, 2, 10, 4, 20);
    assert_int_equal(gt_graph_softmax(&y, g, y), GT_OK);
    assert_shape(g, y, 2, 10, 4, 20);
    assert_int_equal(gt_graph_add(&y, g, pooled, pooled), GT_OK);
    assert_shape(g, y, 2, 5, 6, 14);
    /* 2*5*12*27 outputs of 3*3*2 products */
    assert_int_equal(gt_graph_macs(g), 2 * 5 * 12 * 27 * 18);
    assert_string_equal(gt_graph_name(g, w), "w");
    assert_string_equal(gt_graph_name(g, y), "");
    assert_shape(g, GT_NO_VALUE, 0, 0, 0, 0);
    assert_string_equal(gt_graph_name(g, 9999), "");
}

static void test_value_errors(void **state)
{
    gt_graph *g = (gt_graph *)*state;
    gt_value v = 77;
    assert_fails(g, 0, gt_graph_input(&v, g, (gt_shape){1, 0, 4, 4}, "raw"), GT_ESHAPE,
                 "1 x 0 x 4");
    assert_fails(g, 0, gt_graph_input(&v, g, (gt_shape){1, 1, -4, 4}, "raw"), GT_ESHAPE, "raw");
    gt_shape huge = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
    assert_fails(g, 0, gt_graph_param(&v, g, huge, "w", 1, 1), GT_ESHAPE, "usable");
    assert_int_equal(v, 77);
    assert_fails(g, 0, gt_graph_output(g, 5), GT_EINVAL, "5");
    assert_fails(g, 0, gt_graph_output(g, GT_NO_VALUE), GT_EINVAL, "0");
    assert_fails(g, 0, gt_graph_relu(&v, g, 12), GT_EINVAL, "12");
    assert_fails(g, 0, gt_graph_relu(&v, g, -1), GT_EINVAL, "-1");
    char longer[200];
    memset(longer, 'n', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(gt_graph_input(&v, g, (gt_shape){1, 1, 1, 1}, longer), GT_OK);
    assert_int_equal(strlen(gt_graph_name(g, v)), GT_NAME_SIZE - 1);
}

static void test_conv_errors(void **state)
{
    gt_graph *g = (gt_graph *)*state;
    gt_value y = 77;
    gt_value x = input(g, 1, 3, 9, 7);
    gt_value w = param(g, 4, 3, 3, 3, "w", 1);
    gt_value wrong = param(g, 4, 2, 3, 3, "wrong", 1);
    assert_fails(g, 0, gt_graph_conv2d(&y, g, x, wrong, GT_NO_VALUE, 1), GT_ESHAPE, "3 channels");
    assert_fails(g, 0, gt_graph_conv2d(&y, g, x, w, GT_NO_VALUE, 4), GT_ESHAPE, "dilation 4");
    assert_fails(g, 0, gt_graph_conv2d(&y, g, x, w, GT_NO_VALUE, 0), GT_EINVAL, "dilation 0");
    assert_fails(g, 0, gt_graph_conv2d(&y, g, GT_NO_VALUE, w, GT_NO_VALUE, 1), GT_EINVAL, "input");
    assert_int_equal(y, 77);
    /* the widest that fits */
    assert_int_equal(gt_graph_conv2d(&y, g, x, w, GT_NO_VALUE, 3), GT_OK);
    assert_shape(g, y, 1, 4, 3, 1);
    gt_value bias = param(g, 1, 3, 1, 1, "bias", 1);
    gt_value z = 77;
    assert_int_equal(gt_graph_conv2d(&z, g, x, w, bias, 1), GT_ESHAPE);
    assert_non_null(strstr(gt_error_message(), "bias"));
    assert_int_equal(z, 77);
}

static void test_other_errors(void **state)
{
    gt_graph *g = (gt_graph *)*state;
    gt_value y = 77;
    gt_value x = input(g, 1, 3, 5, 6);
    gt_value big = input(g, 1, 2, 8, 6);
    gt_value batch = input(g, 2, 3, 5, 6);
    assert_fails(g, 0, gt_graph_maxpool(&y, g, x, 3, 1, 3), GT_ESHAPE, "7 pixels");
    assert_fails(g, 0, gt_graph_maxpool(&y, g, x, 16, 1, 1), GT_EINVAL, "16");
    assert_fails(g, 0, gt_graph_maxpool(&y, g, x, 0, 1, 1), GT_EINVAL, "kernel 0");
    assert_fails(g, 0, gt_graph_maxpool(&y, g, x, 2, 0, 1), GT_EINVAL, "stride 0");
    assert_fails(g, 0, gt_graph_maxpool(&y, g, x, 2, 1, 0), GT_EINVAL, "dilation 0");
    assert_fails(g, 0, gt_graph_mergecrop(&y, g, big, x, NULL), GT_ESHAPE, "mergecrop");
    assert_fails(g, 0, gt_graph_mergecrop(&y, g, x, batch, NULL), GT_ESHAPE, "batch");
    assert_fails(g, 0, gt_graph_add(&y, g, x, big), GT_ESHAPE, "1 x 3 x 5 x 6");
    assert_fails(g, 0, gt_graph_softmax_loss(&y, NULL, g, x, batch, GT_NORMALIZE_VALID, 1),
                 GT_ESHAPE, "labels");
    gt_value label = input(g, 1, 1, 5, 6);
    assert_fails(g, 0, gt_graph_softmax_loss(&y, NULL, g, x, label, GT_NORMALIZE_VALID, NAN),
                 GT_EINVAL, "weight");
    assert_int_equal(y, 77);
}

/* conv1 - relu - conv2 - loss, with a branch that the loss does not see. */
struct net {
    gt_value w1, b1, w2, unused, loss, prob;
};

static struct net small_net(gt_graph *g, float rate1)
{
    struct net net = {0};
    gt_value x = input(g, 1, 2, 8, 8);
    gt_value y = GT_NO_VALUE;
    gt_value lost = GT_NO_VALUE;
    net.w1 = param(g, 4, 2, 3, 3, "conv1.weight", rate1);
    net.b1 = param(g, 1, 4, 1, 1, "conv1.bias", 2);
    net.w2 = param(g, 3, 4, 1, 1, "conv2.weight", 1);
    net.unused = param(g, 1, 4, 1, 1, "unused.weight", 1);
    assert_int_equal(gt_graph_conv2d(&y, g, x, net.w1, net.b1, 1), GT_OK);
    assert_int_equal(gt_graph_relu(&y, g, y), GT_OK);
    assert_int_equal(gt_graph_conv2d(&lost, g, y, net.unused, GT_NO_VALUE, 1), GT_OK);
    assert_int_equal(gt_graph_conv2d(&y, g, y, net.w2, GT_NO_VALUE, 1), GT_OK);
    gt_value label = input(g, 1, 1, 6, 6);
    assert_int_equal(
        gt_graph_softmax_loss(&net.loss, &net.prob, g, y, label, GT_NORMALIZE_VALID, 1), GT_OK);
    return net;
}

static size_t count_op(const gt_graph *g, enum gt_op op)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        n += g->nodes[i].op == op;
    }
    return n;
}

static void test_gradient_wiring(void **state)
{
    gt_graph *g = (gt_graph *)*state;
    struct net net = small_net(g, 1);
    size_t forward = g->n_nodes;
    assert_fails(g, forward, gt_graph_gradient(g, net.prob + 1000), GT_EINVAL, "no");
    assert_fails(g, forward, gt_graph_gradient(g, net.w1), GT_EINVAL, "loss");
    assert_int_equal(gt_graph_gradient(g, net.loss), GT_OK);
    const gt_value params[] = {net.w1, net.b1, net.w2};
    for (size_t i = 0; i < 3; i++) {
        gt_value d = gt_graph_gradient_of(g, params[i]);
        assert_int_not_equal(d, GT_NO_VALUE);
        assert_true(gt__shape_equal(gt_graph_shape(g, d), gt_graph_shape(g, params[i])));
    }
    assert_int_equal(gt_graph_gradient_of(g, net.unused), GT_NO_VALUE);
    /* x is no parameter: its gradient is not computed, so one bwd_data only */
    assert_int_equal(count_op(g, GT_OP_conv2d_bwd_data), 1);
    assert_int_equal(count_op(g, GT_OP_conv2d_bwd_weight), 2);
    assert_int_equal(count_op(g, GT_OP_bias_bwd), 1);
    assert_int_equal(count_op(g, GT_OP_relu_bwd), 1);
    assert_int_equal(count_op(g, GT_OP_softmax_loss_bwd), 1);
    for (size_t i = 0; i < g->n_nodes; i++) {
        assert_int_equal(g->nodes[i].backward, i >= forward);
        for (int32_t k = 0; k < g->nodes[i].n_in; k++) {
            gt_value v = g->nodes[i].in[k];
            assert_true(v == GT_NO_VALUE || g->values[v].producer < (int32_t)i);
        }
    }
    assert_int_equal(gt_graph_macs(g), 36 * (4 * 18 + 4 + 3 * 4));
    size_t n = g->n_nodes;
    assert_fails(g, n, gt_graph_gradient(g, net.loss), GT_EINVAL, "before");
}

/* A value with three readers receives two additions. */
static void test_gradient_sum(void **state)
{
    gt_graph *g = (gt_graph *)*state;
    gt_value x = param(g, 1, 2, 4, 4, "x", 1);
    gt_value a = GT_NO_VALUE;
    gt_value b = GT_NO_VALUE;
    gt_value loss = GT_NO_VALUE;
    assert_int_equal(gt_graph_relu(&a, g, x), GT_OK);
    assert_int_equal(gt_graph_add(&b, g, a, x), GT_OK);
    assert_int_equal(gt_graph_add(&b, g, b, x), GT_OK);
    gt_value label = input(g, 1, 1, 4, 4);
    assert_int_equal(gt_graph_softmax_loss(&loss, NULL, g, b, label, GT_NORMALIZE_BATCH, 1), GT_OK);
    assert_int_equal(gt_graph_gradient(g, loss), GT_OK);
    assert_int_equal(count_op(g, GT_OP_add), 4);
    gt_value d = gt_graph_gradient_of(g, x);
    assert_int_equal(g->nodes[g->values[d].producer].op, GT_OP_add);
}

/* 2015's skip connections: no gradient to the second input. */
static void test_blocked_skip(void **state)
{
    gt_graph *g = (gt_graph *)*state;
    gt_value a = param(g, 1, 2, 4, 4, "a", 1);
    gt_value b = param(g, 1, 2, 6, 6, "b", 1);
    gt_value y = GT_NO_VALUE;
    gt_value loss = GT_NO_VALUE;
    gt_mergecrop_options options = {{1, 1}, {1, 0}};
    assert_int_equal(gt_graph_mergecrop(&y, g, a, b, &options), GT_OK);
    gt_value label = input(g, 1, 1, 4, 4);
    assert_int_equal(gt_graph_softmax_loss(&loss, NULL, g, y, label, GT_NORMALIZE_VALID, 1), GT_OK);
    assert_int_equal(gt_graph_gradient(g, loss), GT_OK);
    assert_int_not_equal(gt_graph_gradient_of(g, a), GT_NO_VALUE);
    assert_int_equal(gt_graph_gradient_of(g, b), GT_NO_VALUE);
}

/* conv1.weight has rate_mult 0 (a frozen layer), unused.weight has no gradient: neither is updated.
 */
static void check_updates(gt_graph *g, enum gt_update kind, enum gt_op op, size_t slots)
{
    struct net net = small_net(g, 0);
    struct gt_update_values values = {0};
    assert_int_equal(gt_graph_gradient(g, net.loss), GT_OK);
    size_t n_values = g->n_values;
    assert_int_equal(gt__graph_updates(&values, g, kind), GT_OK);
    assert_int_equal(count_op(g, op), 2);
    assert_int_equal(count_op(g, GT_OP_sumsq), 2);
    assert_int_equal(gt__value(g, values.hyper)->shape.w, GT_HYPER_COUNT);
    assert_int_equal(gt__value(g, values.hyper)->role, GT_ROLE_INPUT);
    assert_int_equal(gt__value(g, values.sumsq)->wanted, 1);
    size_t states = 0;
    for (size_t v = n_values; v < g->n_values; v++) {
        states += g->values[v].role == GT_ROLE_STATE;
        if (g->values[v].role == GT_ROLE_STATE) {
            assert_null(strstr(g->values[v].name, "conv1.weight"));
            assert_non_null(strchr(g->values[v].name, '.'));
        }
    }
    assert_int_equal(states, 2 * slots);
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct gt_node *node = &g->nodes[i];
        if (node->op != op) {
            continue;
        }
        assert_true(node->in[0] == net.b1 || node->in[0] == net.w2);
        assert_int_equal(node->out[0], node->in[0]);
        assert_true(gt__node_in_place(node, 0));
        assert_int_equal(node->in[1], gt_graph_gradient_of(g, node->in[0]));
        assert_int_equal(node->in[node->n_in - 1], values.sumsq);
        assert_int_equal(node->in[node->n_in - 2], values.hyper);
        assert_true(node->attr.rate_mult == (node->in[0] == net.b1 ? 2.0F : 1.0F));
    }
}

static void test_sgd(void **state)
{
    check_updates((gt_graph *)*state, GT_UPDATE_SGD, GT_OP_sgd_update, 1);
}

static void test_adamw(void **state)
{
    check_updates((gt_graph *)*state, GT_UPDATE_ADAMW, GT_OP_adamw_update, 2);
}

static void test_no_updates(void **state)
{
    gt_graph *g = (gt_graph *)*state;
    struct gt_update_values values = {0};
    small_net(g, 1);
    assert_int_equal(gt__graph_updates(&values, g, GT_UPDATE_SGD), GT_EINVAL);
    assert_int_equal(values.hyper, GT_NO_VALUE);
}

static void test_dump(void **state)
{
    gt_graph *g = (gt_graph *)*state;
    char *text = NULL;
    assert_int_equal(gt_graph_dump(&text, g), GT_OK);
    assert_string_equal(text, "");
    gt_free(text);
    struct net net = small_net(g, 1);
    assert_int_equal(gt_graph_gradient(g, net.loss), GT_OK);
    assert_int_equal(gt_graph_dump(&text, g), GT_OK);
    size_t lines = 0;
    for (const char *c = text; *c; c++) {
        lines += *c == '\n';
    }
    assert_int_equal(lines, g->n_nodes);
    const char *const words[] = {"conv2d_fwd", "(conv1.weight)[4,2,3,3]", "[1,4,6,6]",
                                 "k=3x3",      "softmax_loss_bwd",        "->"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_non_null(strstr(text, words[i]));
    }
    gt_free(text);
}

static void test_clone(void **state)
{
    gt_graph *g = (gt_graph *)*state;
    gt_graph *copy = NULL;
    char *a = NULL;
    char *b = NULL;
    struct net net = small_net(g, 1);
    assert_int_equal(gt__graph_clone(&copy, g), GT_OK);
    assert_int_equal(gt_graph_dump(&a, g), GT_OK);
    assert_int_equal(gt_graph_dump(&b, copy), GT_OK);
    assert_string_equal(a, b);
    gt_free(b);
    /* the original does not see what happens to the copy */
    assert_int_equal(gt_graph_gradient(copy, net.loss), GT_OK);
    assert_int_equal(gt_graph_dump(&b, g), GT_OK);
    assert_string_equal(a, b);
    assert_int_equal(gt_graph_gradient_of(g, net.w1), GT_NO_VALUE);
    gt_free(a);
    gt_free(b);
    gt_graph_free(copy);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_shapes),
        TEST(test_value_errors),
        TEST(test_conv_errors),
        TEST(test_other_errors),
        TEST(test_gradient_wiring),
        TEST(test_gradient_sum),
        TEST(test_blocked_skip),
        TEST(test_sgd),
        TEST(test_adamw),
        TEST(test_no_updates),
        TEST(test_dump),
        TEST(test_clone),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
