/* The address formula and sizes of layouts. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "backend_cpu/cpu.h"

extern const struct gt_kernel gt__reorder_ref;

static const gt_shape shapes[] = {{1, 1, 1, 1}, {1, 3, 5, 7},  {2, 17, 4, 6},
                                  {2, 8, 9, 3}, {1, 33, 1, 8}, {3, 16, 7, 1}};
static const int16_t blocks[] = {1, 8, 16};
static const int16_t phases[] = {1, 2, 4, 8};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void for_all(void (*check)(gt_shape, gt_layout))
{
    for (size_t s = 0; s < COUNT(shapes); s++) {
        for (size_t b = 0; b < COUNT(blocks); b++) {
            for (size_t p = 0; p < COUNT(phases); p++) {
                check(shapes[s], (gt_layout){blocks[b], phases[p], GT_KIND_F32});
            }
        }
    }
}

static size_t elements(gt_shape s, gt_layout l)
{
    size_t bytes = 0;
    assert_true(gt__layout_bytes(&bytes, s, l));
    assert_int_equal(bytes, gt__extent_count(gt__extent(s, l)) * sizeof(float));
    return bytes / sizeof(float);
}

/* Every element has a place of its own inside the tensor. */
static void check_injective(gt_shape s, gt_layout l)
{
    size_t count = elements(s, l);
    unsigned char *taken = NULL;
    assert_int_equal(gt__alloc(&taken, count, 1, "marks"), GT_OK);
    for (int32_t n = 0; n < s.n; n++) {
        for (int32_t c = 0; c < s.c; c++) {
            for (int32_t h = 0; h < s.h; h++) {
                for (int32_t w = 0; w < s.w; w++) {
                    size_t i = gt__layout_index(s, l, n, c, h, w);
                    assert_true(i < count);
                    assert_int_equal(taken[i], 0);
                    taken[i] = 1;
                }
            }
        }
    }
    gt__free(taken);
}

static void injective(void **state)
{
    (void)state;
    for_all(check_injective);
}

static void plain_is_row_major(void **state)
{
    (void)state;
    gt_shape s = {2, 3, 5, 7};
    assert_int_equal(gt__layout_index(s, GT_LAYOUT_NCHW, 1, 2, 3, 4),
                     ((1 * 3 + 2) * 5 + 3) * 7 + 4);
    /* Block 2, phase 2, by hand: fragment 1*4 + 1*2 + 0 = 6, channel block 1 of 2, 3 x 4 pixels. */
    gt_layout l = {2, 2, GT_KIND_F32};
    assert_int_equal(gt__layout_index(s, l, 1, 2, 3, 4), (((6 * 2 + 1) * 3 + 1) * 4 + 2) * 2 + 0);
}

static void fragments(void **state)
{
    (void)state;
    for (int32_t size = 1; size < 20; size++) {
        for (int32_t p = 1; p <= 8; p *= 2) {
            int32_t sum = 0;
            for (int32_t i = 0; i < p; i++) {
                sum += gt__fragment_size(size, p, i);
            }
            assert_int_equal(sum, size);
        }
    }
}

static void move(gt_shape s, float *from, gt_layout from_layout, float *to, gt_layout to_layout)
{
    struct gt_buffer a = {.size = elements(s, from_layout) * sizeof(float), .host = from};
    struct gt_buffer b = {.size = elements(s, to_layout) * sizeof(float), .host = to};
    struct gt_node node = {.op = GT_OP_reorder, .n_in = 1, .n_out = 1};
    struct gt_step step = {.kernel = &gt__reorder_ref, .node = &node};
    step.in[0] = (struct gt_view){&a, 0, a.size, s, from_layout};
    step.out[0] = (struct gt_view){&b, 0, b.size, s, to_layout};
    assert_int_equal(gt__reorder_ref.run(NULL, &step), GT_OK);
}

/* NCHW to the layout and back gives the same; all that is not an element is zero. */
static void check_reorder(gt_shape s, gt_layout l)
{
    size_t plain = gt__count(s);
    size_t count = elements(s, l);
    float *x = NULL, *y = NULL, *back = NULL;
    assert_int_equal(gt__alloc(&x, plain, sizeof *x, "x"), GT_OK);
    assert_int_equal(gt__alloc(&y, count, sizeof *y, "y"), GT_OK);
    assert_int_equal(gt__alloc(&back, plain, sizeof *back, "back"), GT_OK);
    for (size_t i = 0; i < plain; i++) {
        x[i] = (float)(i + 1);
    }
    for (size_t i = 0; i < count; i++) {
        y[i] = NAN;
    }
    move(s, x, GT_LAYOUT_NCHW, y, l);
    size_t zeros = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(y[i] == y[i]);
        zeros += y[i] == 0.0f;
    }
    assert_int_equal(zeros, count - plain);
    move(s, y, l, back, GT_LAYOUT_NCHW);
    assert_memory_equal(back, x, plain * sizeof *x);
    gt__free(back);
    gt__free(y);
    gt__free(x);
}

static void reorder(void **state)
{
    (void)state;
    for_all(check_reorder);
}

static void bytes(void **state)
{
    (void)state;
    size_t out = 0;
    gt_layout plain = GT_LAYOUT_NCHW;
    assert_true(gt__layout_bytes(&out, (gt_shape){2, 3, 5, 7}, plain));
    assert_int_equal(out, 2 * 3 * 5 * 7 * 4);
    assert_true(gt__layout_bytes(&out, (gt_shape){2, 3, 5, 7}, (gt_layout){1, 1, GT_KIND_U8}));
    assert_int_equal(out, 2 * 3 * 5 * 7);
    assert_true(gt__layout_bytes(&out, (gt_shape){2, 17, 5, 7}, (gt_layout){16, 4, GT_KIND_F32}));
    assert_int_equal(out, (2 * 16) * 2 * 2 * 2 * 16 * 4);
    assert_false(gt__layout_bytes(&out, (gt_shape){2, 0, 5, 7}, plain));
    assert_false(gt__layout_bytes(&out, (gt_shape){2, 3, -5, 7}, plain));
    assert_false(gt__layout_bytes(&out, (gt_shape){2, 3, 5, 7}, GT_LAYOUT_ANY));
    int32_t big = INT32_MAX;
    assert_false(gt__layout_bytes(&out, (gt_shape){big, big, big, big}, plain));
    assert_false(
        gt__layout_bytes(&out, (gt_shape){1, 1, big, big}, (gt_layout){16, 1, GT_KIND_F32}));
    assert_false(gt__layout_bytes(&out, (gt_shape){big, 1, 1, 1}, (gt_layout){1, 2, GT_KIND_F32}));
    assert_false(gt__layout_bytes(&out, (gt_shape){1, 1, 1, big}, (gt_layout){1, 2, GT_KIND_U8}));
    assert_true(
        gt__layout_bytes(&out, (gt_shape){1, 1, 1, big - 1}, (gt_layout){1, 2, GT_KIND_U8}));
    assert_int_equal(out, (size_t)4 * (((size_t)1 << 30) - 1));
}

static void rounds_up(void **state)
{
    (void)state;
    assert_int_equal(gt__ceil_div(0, 7), 0);
    assert_int_equal(gt__ceil_div(7, 7), 1);
    assert_int_equal(gt__ceil_div(8, 7), 2);
    assert_int_equal(gt__ceil_div(-5, 2), -2);
    assert_int_equal(gt__ceil_div(INT32_MAX, 128), 1 << 24);
    assert_true(gt__ceil_div_z(SIZE_MAX, 2) == SIZE_MAX / 2 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(injective), cmocka_unit_test(plain_is_row_major),
        cmocka_unit_test(fragments), cmocka_unit_test(reorder),
        cmocka_unit_test(bytes),     cmocka_unit_test(rounds_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
