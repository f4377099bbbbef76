/* The references against cases computed by hand. SPDX-License-Identifier: BSD-2-Clause */
#include "ref_rig.h"

static void conv_row(float *y, int32_t y_w, const float *x, int32_t x_w, const float *weight,
                     int32_t k, int32_t dilation)
{
    struct rig r = {.node.attr = {.kernel_h = 1, .kernel_w = k, .dilation = dilation}};
    in(&r, 0, row(x_w), x);
    in(&r, 1, row(k), weight);
    out(&r, 0, row(y_w), y);
    run(&r, &gt__conv2d_fwd_ref);
}

static void relu_row(float *x, int32_t w)
{
    struct rig r = {0};
    in(&r, 0, row(w), x);
    out(&r, 0, row(w), x);
    run(&r, &gt__relu_fwd_ref);
}

static void pool_row(float *y, int32_t y_w, const float *x, int32_t x_w, int32_t stride)
{
    struct rig r = {.node.attr = {.kernel_h = 2, .kernel_w = 2, .stride = stride, .dilation = 1}};
    in(&r, 0, row(x_w), x);
    out(&r, 0, row(y_w), y);
    run(&r, &gt__maxpool_fwd_ref);
}

/* One-dimensional sliding window (SW) and the same network over all positions at once (SK). */
static void sliding_window(void **state)
{
    (void)state;
    const float x[] = {3, 1, 4, 1, 5, 9, 2, 6, 5};
    const float conv[] = {1, -1, 2};
    const float product[] = {1, 3};
    const float expected[] = {52, 55, 71, 71};
    float y[9], p[9], z[9];
    for (int i = 0; i < 4; i++) {
        conv_row(y, 4, x + i, 6, conv, 3, 1);
        relu_row(y, 4);
        pool_row(p, 2, y, 4, 2);
        conv_row(z + i, 1, p, 2, product, 2, 1);
    }
    check(z, expected, 4, 0);
    conv_row(y, 7, x, 9, conv, 3, 1);
    relu_row(y, 7);
    check(y, (const float[]){10, 0, 13, 14, 0, 19, 6}, 7, 0);
    pool_row(p, 6, y, 7, 1);
    check(p, (const float[]){10, 13, 14, 14, 19, 19}, 6, 0);
    conv_row(z, 4, p, 6, product, 2, 2);
    check(z, expected, 4, 0);
}

/* Two channels in, two out, 2 x 2 kernel with dilation 2, batch 2, bias and ReLU behind it. */
static void conv2d(void **state)
{
    (void)state;
    float x[2 * 2 * 3 * 3];
    for (size_t i = 0; i < COUNT(x); i++) {
        x[i] = (float)i;
    }
    const float weight[] = {1, 2, 3, 4, 0, 0, 0, 1, -1, 0, 0, 0, 0, 0, 0, 0};
    const float bias[] = {0.5f, -1};
    float y[4];
    struct rig r = {.node.attr = {.kernel_h = 2, .kernel_w = 2, .dilation = 2}};
    gt_shape xs = {2, 2, 3, 3}, ws = {2, 2, 2, 2}, ys = {2, 2, 1, 1};
    in(&r, 0, xs, x);
    in(&r, 1, ws, weight);
    out(&r, 0, ys, y);
    run(&r, &gt__conv2d_fwd_ref);
    /* 0*1 + 2*2 + 6*3 + 8*4 + 17 = 71; the second image is 18 higher: + 18*11 */
    check(y, (const float[]){71, 0, 269, -18}, 4, 0);
    r.node.epilogue = GT_EPILOGUE_BIAS | GT_EPILOGUE_RELU;
    in(&r, 2, (gt_shape){1, 2, 1, 1}, bias);
    run(&r, &gt__conv2d_fwd_ref);
    check(y, (const float[]){71.5f, 0, 269.5f, 0}, 4, 0);
}

static void conv2d_gradients(void **state)
{
    (void)state;
    const float dy[] = {1, 2, 3, 4};
    const float weight[] = {1, 10, 100, 1000};
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    gt_shape s3 = {1, 1, 3, 3}, s2 = {1, 1, 2, 2};
    float dx[9], dw[4];
    struct rig data = {.node.attr = {.kernel_h = 2, .kernel_w = 2, .dilation = 1}};
    in(&data, 0, s2, dy);
    in(&data, 1, s2, weight);
    out(&data, 0, s3, dx);
    run(&data, &gt__conv2d_bwd_data_ref);
    check(dx, (const float[]){1, 12, 20, 103, 1234, 2040, 300, 3400, 4000}, 9, 0);
    struct rig weights = {.node.attr = {.kernel_h = 2, .kernel_w = 2, .dilation = 1}};
    in(&weights, 0, s3, x);
    in(&weights, 1, s2, dy);
    out(&weights, 0, s2, dw);
    run(&weights, &gt__conv2d_bwd_weight_ref);
    check(dw, (const float[]){37, 47, 67, 77}, 4, 0);
    /* Dilation 2 spreads the four taps over the corners. */
    const float one[] = {7};
    data.node.attr.dilation = 2;
    in(&data, 0, (gt_shape){1, 1, 1, 1}, one);
    run(&data, &gt__conv2d_bwd_data_ref);
    check(dx, (const float[]){7, 0, 70, 0, 0, 0, 700, 0, 7000}, 9, 0);
}

static void bias_and_relu(void **state)
{
    (void)state;
    const float x[] = {1, -2, 3, NAN};
    const float bias[] = {10, -3};
    float y[4];
    gt_shape s = {1, 2, 1, 2};
    struct rig r = {0};
    in(&r, 0, s, x);
    in(&r, 1, (gt_shape){1, 2, 1, 1}, bias);
    out(&r, 0, s, y);
    run(&r, &gt__bias_fwd_ref);
    check(y, (const float[]){11, 8, 0}, 3, 0);
    struct rig relu = {0};
    in(&relu, 0, s, x);
    out(&relu, 0, s, y);
    run(&relu, &gt__relu_fwd_ref);
    check(y, (const float[]){1, 0, 3}, 3, 0);
    assert_true(isnan(y[3]));
    const float dy[] = {5, 6, 7, 8};
    float dx[4], db[2];
    struct rig back = {0};
    in(&back, 0, s, dy);
    in(&back, 1, s, y);
    out(&back, 0, s, dx);
    run(&back, &gt__relu_bwd_ref);
    check(dx, (const float[]){5, 0, 7, 0}, 4, 0);
    struct rig sum = {0};
    in(&sum, 0, (gt_shape){2, 2, 1, 1}, dy);
    out(&sum, 0, (gt_shape){1, 2, 1, 1}, db);
    run(&sum, &gt__bias_bwd_ref);
    check(db, (const float[]){12, 14}, 2, 0);
}

/* Equal values: the first in row-major order. Size 5, window 2, stride 2: the last windows are
 * clipped. */
static void maxpool(void **state)
{
    (void)state;
    const float x[] = {1,      1, 0, 3, 9, /**/ 1, 1, 3, 3, 9, /**/ 0, 0, 2, 0, 4,
                       /**/ 0, 5, 0, 0, 6, /**/ 8, 8, 7, 8, 2};
    gt_shape xs = {1, 1, 5, 5}, ys = {1, 1, 3, 3};
    float y[9], dx[25];
    uint8_t index[9];
    struct gt_attr attr = {.kernel_h = 2, .kernel_w = 2, .stride = 2, .dilation = 1, .shape = xs};
    struct rig r = {.node.attr = attr};
    in(&r, 0, xs, x);
    out(&r, 0, ys, y);
    run(&r, &gt__maxpool_fwd_ref); /* without index */
    out_u8(&r, 1, ys, index);
    run(&r, &gt__maxpool_fwd_ref);
    check(y, (const float[]){1, 3, 9, 5, 2, 6, 8, 8, 2}, 9, 0);
    assert_memory_equal(index, ((const uint8_t[]){0, 1, 0, 3, 0, 2, 0, 1, 0}), 9);
    const float dy[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct rig back = {.node.attr = attr};
    in(&back, 0, ys, dy);
    in_u8(&back, 1, ys, index);
    out(&back, 0, xs, dx);
    run(&back, &gt__maxpool_bwd_ref);
    check(dx, (const float[]){1,      0, 0, 2, 3, /**/ 0, 0, 0, 0, 0, /**/ 0, 0, 5, 0, 0,
                              /**/ 0, 4, 0, 0, 6, /**/ 7, 0, 0, 8, 9},
          25, 0);
}

/* Stride 1, dilation 2: windows overlap, their gradients add up. */
static void maxpool_dilated(void **state)
{
    (void)state;
    const float x[] = {0, 0, 0, 0, /**/ 0, 9, 0, 0, /**/ 0, 0, 8, 0, /**/ 0, 0, 0, 7};
    gt_shape xs = {1, 1, 4, 4}, ys = {1, 1, 2, 2};
    float y[4], dx[16];
    uint8_t index[4];
    struct gt_attr attr = {.kernel_h = 2, .kernel_w = 2, .stride = 1, .dilation = 2, .shape = xs};
    struct rig r = {.node.attr = attr};
    in(&r, 0, xs, x);
    out(&r, 0, ys, y);
    out_u8(&r, 1, ys, index);
    run(&r, &gt__maxpool_fwd_ref);
    check(y, (const float[]){8, 0, 0, 9}, 4, 0);
    assert_memory_equal(index, ((const uint8_t[]){3, 0, 0, 0}), 4);

    const float big[] = {0, 0, 0, /**/ 0, 9, 0, /**/ 0, 0, 0};
    const float dy[] = {1, 2, 4, 8};
    attr.dilation = 1;
    attr.shape = (gt_shape){1, 1, 3, 3};
    struct rig fwd = {.node.attr = attr};
    in(&fwd, 0, attr.shape, big);
    out(&fwd, 0, ys, y);
    out_u8(&fwd, 1, ys, index);
    run(&fwd, &gt__maxpool_fwd_ref);
    struct rig back = {.node.attr = attr};
    in(&back, 0, ys, dy);
    in_u8(&back, 1, ys, index);
    out(&back, 0, attr.shape, dx);
    run(&back, &gt__maxpool_bwd_ref);
    check(dx, (const float[]){0, 0, 0, 0, 15, 0, 0, 0, 0}, 9, 0);
}

static void upsample(void **state)
{
    (void)state;
    const float x[] = {1, 2};
    const float dy[] = {1, 2, 3, 4, 5, 6, 7, 8};
    float y[8], dx[2];
    gt_shape small = {1, 1, 1, 2}, large = {1, 1, 2, 4};
    struct rig r = {0};
    in(&r, 0, small, x);
    out(&r, 0, large, y);
    run(&r, &gt__upsample_fwd_ref);
    check(y, (const float[]){1, 1, 2, 2, 1, 1, 2, 2}, 8, 0);
    struct rig back = {0};
    in(&back, 0, large, dy);
    out(&back, 0, small, dx);
    run(&back, &gt__upsample_bwd_ref);
    check(dx, (const float[]){14, 22}, 2, 0);
}

/* Batch 2, one channel of a, two of b: nothing may mix images. b = 100*n + 50*c + 10*y + x. */
static void mergecrop(void **state)
{
    (void)state;
    const float a[] = {1, 2, 3, 4, -1, -2, -3, -4};
    float b[2 * 2 * 25], y[2 * 3 * 4];
    for (int i = 0; i < 100; i++) {
        b[i] = (float)(100 * (i / 50) + 50 * (i / 25 % 2) + 10 * (i / 5 % 5) + i % 5);
    }
    struct rig r = {.node.attr = {.forward = {1, 1}, .backward = {1, 1}}};
    in(&r, 0, (gt_shape){2, 1, 2, 2}, a);
    in(&r, 1, (gt_shape){2, 2, 5, 5}, b);
    out(&r, 0, (gt_shape){2, 3, 2, 2}, y);
    run(&r, &gt__mergecrop_fwd_ref);
    const float expected[] = {1,  2,  3,  4,  11,  12,  21,  22,  61,  62,  71,  72,
                              -1, -2, -3, -4, 111, 112, 121, 122, 161, 162, 171, 172};
    check(y, expected, COUNT(expected), 0);
    r.node.attr.forward[1] = 0;
    run(&r, &gt__mergecrop_fwd_ref);
    check(y, (const float[]){1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, -1}, 13, 0);
    r.node.attr.forward[0] = 0;
    r.node.attr.forward[1] = 1;
    run(&r, &gt__mergecrop_fwd_ref);
    check(y, (const float[]){0, 0, 0, 0, 11, 12, 21, 22}, 8, 0);
}

static void mergecrop_gradient(void **state)
{
    (void)state;
    const float dy[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    float da[8], db[9];
    /* a has two channels of 2 x 2, b one of 3 x 3: offset 0, the last row and column get nothing.
     */
    struct rig r = {.node.attr = {.forward = {1, 1}, .backward = {1, 1}}};
    in(&r, 0, (gt_shape){1, 3, 2, 2}, dy);
    out(&r, 0, (gt_shape){1, 2, 2, 2}, da);
    run(&r, &gt__mergecrop_bwd_ref);
    check(da, dy, 8, 0);
    r.node.attr.which = 1;
    out(&r, 0, (gt_shape){1, 1, 3, 3}, db);
    run(&r, &gt__mergecrop_bwd_ref);
    check(db, (const float[]){9, 10, 0, 11, 12, 0, 0, 0, 0}, 9, 0);
    r.node.attr.backward[1] = 0;
    run(&r, &gt__mergecrop_bwd_ref);
    check(db, (const float[9]){0}, 9, 0);
}

static void add(void **state)
{
    (void)state;
    const float a[] = {1, 2, 3}, b[] = {10, 20, 30};
    float y[3];
    struct rig r = {0};
    in(&r, 0, row(3), a);
    in(&r, 1, row(3), b);
    out(&r, 0, row(3), y);
    run(&r, &gt__add_ref);
    check(y, (const float[]){11, 22, 33}, 3, 0);
}

/* Scores ln 1, ln 3 and, far away, the same: 1/4, 3/4. */
static void softmax(void **state)
{
    (void)state;
    const float x[] = {0, 1000, 1.0986123f, 1001.0986123f};
    const float dp[] = {1, 0, 0, 2};
    float p[4], dx[4];
    gt_shape s = {1, 2, 1, 2};
    struct rig r = {0};
    in(&r, 0, s, x);
    out(&r, 0, s, p);
    run(&r, &gt__softmax_fwd_ref);
    check(p, (const float[]){0.25f, 0.25f, 0.75f, 0.75f}, 4, 1e-5);
    const float exact[] = {0.25f, 0.25f, 0.75f, 0.75f};
    struct rig back = {0};
    in(&back, 0, s, dp);
    in(&back, 1, s, exact);
    out(&back, 0, s, dx);
    run(&back, &gt__softmax_bwd_ref);
    /* sums 0.25 and 1.5 */
    check(dx, (const float[]){0.1875f, -0.375f, -0.1875f, 0.375f}, 4, 1e-7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sliding_window),
                                       cmocka_unit_test(conv2d),
                                       cmocka_unit_test(conv2d_gradients),
                                       cmocka_unit_test(bias_and_relu),
                                       cmocka_unit_test(maxpool),
                                       cmocka_unit_test(maxpool_dilated),
                                       cmocka_unit_test(upsample),
                                       cmocka_unit_test(mergecrop),
                                       cmocka_unit_test(mergecrop_gradient),
                                       cmocka_unit_test(add),
                                       cmocka_unit_test(softmax)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
