/* Geometry of tiles, against counting. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "infer/tile.h"

static const gt_model_geometry nets[] = {
    {.minimum = 1, .step = 1, .shrink = 101, .border = 51, .period = 1},
    {.minimum = 4, .step = 16, .shrink = 184, .border = 92, .period = 16},
    {.minimum = 2, .step = 2, .shrink = 180, .border = 90, .period = 2},
    {.minimum = 4, .step = 4, .shrink = 180, .border = 90, .period = 4},
};
enum { NETS = sizeof nets / sizeof *nets, LARGEST = 150 };

static int32_t legal_by_counting(const gt_model_geometry *g, int32_t size)
{
    for (int32_t s = g->minimum; s <= size; s += g->step) {
        if (s == size) {
            return 1;
        }
    }
    return 0;
}

static void legal_sizes(void **state)
{
    (void)state;
    for (int n = 0; n < NETS; ++n) {
        const gt_model_geometry *g = &nets[n];
        int32_t below = 0;
        for (int32_t size = 1; size < LARGEST; ++size) {
            int32_t above = size;
            while (!legal_by_counting(g, above)) {
                ++above;
            }
            below = legal_by_counting(g, size) ? size : below;
            assert_int_equal(gt__tile_legal(g, size), legal_by_counting(g, size));
            assert_int_equal(gt__tile_at_least(g, size), above);
            assert_int_equal(gt__tile_at_most(g, size), below);
        }
        assert_int_equal(gt__tile_at_least(g, INT32_MAX - 1), 0);
    }
    assert_int_equal(gt__tile_smallest(&nets[1], false), 20);
    assert_int_equal(gt__tile_smallest(&nets[2], false), 2);
}

static struct gt_tile_line plain(int32_t image)
{
    return (struct gt_tile_line){image, 0};
}

/* Every pixel is contributed once, by a tile that computes it and starts at a multiple of the
 * period. */
static void check_axis(const gt_model_geometry *g, int32_t image, int32_t size)
{
    struct gt_tile_axis a = gt__tile_axis(g, plain(image), size);
    if (size < g->period && image > size) {
        assert_int_equal(a.count, 0);
        return;
    }
    int32_t next = 0;
    for (int32_t i = 0; i < a.count; ++i) {
        int32_t pixels = gt__tile_pixels(&a, i);
        assert_int_equal(gt__tile_origin(&a, i), next);
        assert_int_equal(next % g->period, 0);
        assert_true(pixels >= 1 && pixels <= size);
        next += pixels;
    }
    assert_int_equal(next, image);
    if (a.count > 1) {
        assert_true(a.step <= size && a.step + g->period > size);
        /* one tile fewer would leave pixels out */
        assert_true((a.count - 2) * a.step + size < image);
    }
}

static void axes(void **state)
{
    (void)state;
    for (int n = 0; n < NETS; ++n) {
        for (int32_t size = nets[n].minimum; size < LARGEST; size += nets[n].step) {
            for (int32_t image = 1; image < 2 * LARGEST; ++image) {
                check_axis(&nets[n], image, size);
            }
        }
    }
}

/* Mirrored tiles start at a multiple of the period from the other end and compute all that is
 * contributed; parts of an image end anywhere before it. */
static void mirrored_axes(void **state)
{
    (void)state;
    for (int n = 0; n < NETS; ++n) {
        const gt_model_geometry *g = &nets[n];
        int32_t smallest = gt__tile_smallest(g, true);
        assert_true(smallest >= 2 * g->period - 1);
        for (int32_t size = smallest; size < 100; size += g->step) {
            for (int32_t image = 1; image < 200; image += 3) {
                struct gt_tile_line line = {image, image + image % 5};
                struct gt_tile_axis a = gt__tile_axis(g, line, size);
                int32_t next = 0;
                assert_true(a.lag >= 0 && a.lag < g->period && a.count >= 1);
                for (int32_t i = 0; i < a.count; ++i) {
                    int32_t start = gt__tile_origin(&a, i) - a.lag;
                    assert_int_equal((line.mirrored - start - size) % g->period, 0);
                    assert_int_equal(gt__tile_origin(&a, i), next);
                    next += gt__tile_pixels(&a, i);
                    assert_true(next <= start + size);
                }
                assert_int_equal(next, image);
                assert_true(gt__tile_for_count(g, line, a.count) <= size);
            }
        }
    }
}

static void size_for_count(void **state)
{
    (void)state;
    for (int n = 0; n < NETS; ++n) {
        for (int32_t image = 1; image < LARGEST; image += 7) {
            for (int32_t count = 1; count < 12; ++count) {
                int32_t want = nets[n].minimum;
                struct gt_tile_axis a = gt__tile_axis(&nets[n], plain(image), want);
                while (a.count < 1 || a.count > count) {
                    want += nets[n].step;
                    a = gt__tile_axis(&nets[n], plain(image), want);
                }
                assert_int_equal(gt__tile_for_count(&nets[n], plain(image), count), want);
            }
        }
    }
}

/* Examples that can be checked by hand: U-Net's tile of 388 moves on by 384. */
static void examples(void **state)
{
    (void)state;
    struct gt_tile_axis a = gt__tile_axis(&nets[1], plain(1000), 388);
    assert_int_equal(a.step, 384);
    assert_int_equal(a.count, 3);
    assert_int_equal(gt__tile_pixels(&a, 2), 232);
    a = gt__tile_axis(&nets[1], plain(388), 388);
    assert_int_equal(a.count, 1);
    a = gt__tile_axis(&nets[1], plain(772), 388); /* the last tile gives its surplus, too */
    assert_int_equal(a.count, 2);
    assert_int_equal(gt__tile_pixels(&a, 1), 388);
    a = gt__tile_axis(&nets[1], plain(773), 388);
    assert_int_equal(a.count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legal_sizes),   cmocka_unit_test(axes),
        cmocka_unit_test(mirrored_axes), cmocka_unit_test(size_for_count),
        cmocka_unit_test(examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
