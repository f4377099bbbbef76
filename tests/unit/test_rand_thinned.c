/* Components, flooding and the scores of segmentations on cases computed by hand.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "eval/eval.h"

#define MAX_COUNT 6000

static uint8_t mask[MAX_COUNT];
static int32_t label[MAX_COUNT];
static int32_t queue[MAX_COUNT];
static int32_t scratch[3 * MAX_COUNT];

/* Rows of text, '#' is foreground, into the padded mask. */
static struct gt_grid read_mask(const char *const *rows, int32_t width, int32_t height)
{
    struct gt_grid g;
    assert_int_equal(gt__grid(&g, width, height), GT_OK);
    assert_true(g.count <= MAX_COUNT);
    memset(mask, 0, sizeof mask);
    for (int32_t y = 0; y < height; y++) {
        for (int32_t x = 0; x < width; x++) {
            mask[gt__grid_row(&g, y) + x] = rows[y][x] == '#';
        }
    }
    return g;
}

static void assert_labels(const struct gt_grid *g, const char *const *rows)
{
    for (int32_t y = 0; y < g->height; y++) {
        for (int32_t x = 0; x < g->width; x++) {
            assert_int_equal(label[gt__grid_row(g, y) + x], rows[y][x] - '0');
        }
    }
}

static void test_components(void **state)
{
    (void)state;
    /* 4-connected: the diagonal neighbours at the upper right are two; numbered in raster order. */
    const char *const in[] = {"##..#", "..##.", "#.#..", "###.#"};
    const char *const out[] = {"11002", "00330", "30300", "33304"};
    struct gt_grid g = read_mask(in, 5, 4);
    assert_int_equal(gt__components(label, mask, &g, queue), 4);
    assert_labels(&g, out);
}

static void test_grid(void **state)
{
    (void)state;
    struct gt_grid g;
    assert_int_equal(gt__grid(&g, 0, 4), GT_ESHAPE);
    assert_int_equal(gt__grid(&g, INT32_MAX, INT32_MAX), GT_ESHAPE);
    assert_int_equal(gt__grid(&g, 65536, 65536), GT_ESHAPE);
}

/* Basins meet in the middle; with an even gap the first in raster order gains a pixel. */
static void test_watershed_line(void **state)
{
    (void)state;
    const char *const odd[] = {"#...#"};
    const char *const odd_out[] = {"11022"};
    struct gt_grid g = read_mask(odd, 5, 1);
    assert_int_equal(gt__watershed(label, mask, &g, queue), 2);
    assert_labels(&g, odd_out);
    const char *const even[] = {"#..#"};
    const char *const even_out[] = {"1102"};
    g = read_mask(even, 4, 1);
    assert_int_equal(gt__watershed(label, mask, &g, queue), 2);
    assert_labels(&g, even_out);
}

/* Four cells around a cross; where only lines are around, the line goes on; the padding is
 * negative. */
static void test_watershed_cross(void **state)
{
    (void)state;
    const char *const in[] = {"##.##", "##.##", ".....", "##.##", "##.##"};
    const char *const out[] = {"11022", "11022", "00000", "33044", "33044"};
    struct gt_grid g = read_mask(in, 5, 5);
    assert_int_equal(gt__watershed(label, mask, &g, queue), 4);
    assert_labels(&g, out);
    for (int32_t x = 0; x < g.stride; x++) {
        assert_true(label[x] < 0 && label[g.count - 1 - x] < 0);
    }
}

/* A dead end is filled by the one basin that it touches; without a basin all is one. */
static void test_watershed_single(void **state)
{
    (void)state;
    const char *const in[] = {".....", ".###.", "..#.."};
    const char *const ones[] = {"11111", "11111", "11111"};
    struct gt_grid g = read_mask(in, 5, 3);
    assert_int_equal(gt__watershed(label, mask, &g, queue), 1);
    assert_labels(&g, ones);
    const char *const none[] = {".....", ".....", "....."};
    g = read_mask(none, 5, 3);
    assert_int_equal(gt__watershed(label, mask, &g, queue), 1);
    assert_labels(&g, ones);
}

static gt_partition_scores score(const int32_t *truth, const int32_t *prediction, int32_t n,
                                 int32_t truth_labels, int32_t labels)
{
    struct gt_truth t;
    struct gt_sums sums;
    gt_partition_scores s;
    assert_int_equal(gt__truth_create(&t, truth, n, truth_labels), GT_OK);
    memset(scratch, 0, sizeof scratch);
    gt__overlap_count(&sums, &t, n, prediction, labels, scratch);
    gt__partition_scores(&s, &sums);
    for (int32_t i = 0; i < 3 * (labels + 1); i++) {
        assert_int_equal(scratch[i], 0);
    }
    gt__truth_release(&t);
    return s;
}

/* Two segments of 8 pixels, 4 pixels of background that must not count. */
static void fill_two(int32_t *truth)
{
    for (int32_t i = 0; i < 20; i++) {
        truth[i] = i < 8 ? 1 : i < 16 ? 2 : 0;
    }
}

static void test_perfect(void **state)
{
    (void)state;
    int32_t truth[20];
    int32_t swapped[20];
    fill_two(truth);
    for (int32_t i = 0; i < 20; i++) {
        swapped[i] = i < 8 ? 2 : 1;
    }
    gt_partition_scores s = score(truth, swapped, 20, 2, 2);
    assert_true(fabs(s.v_rand - 1) < 1e-15);
    assert_true(fabs(s.v_info - 1) < 1e-15);
    assert_true(fabs(s.v_rand_split - 1) < 1e-15 && fabs(s.v_rand_merge - 1) < 1e-15);
}

static void test_merged(void **state)
{
    (void)state;
    int32_t truth[20];
    int32_t one[20];
    fill_two(truth);
    for (int32_t i = 0; i < 20; i++) {
        one[i] = 1;
    }
    /* sum p^2 = 128, sum s^2 = 256, sum t^2 = 128; H(S) = 0 */
    gt_partition_scores s = score(truth, one, 20, 2, 1);
    assert_true(fabs(s.v_rand - 2.0 / 3) < 1e-15);
    assert_true(fabs(s.v_rand_split - 1) < 1e-15 && fabs(s.v_rand_merge - 0.5) < 1e-15);
    assert_true(fabs(s.v_info) < 1e-15);
    assert_true(fabs(s.voi_split) < 1e-15 && fabs(s.voi_merge - 1) < 1e-15);
}

static void test_split(void **state)
{
    (void)state;
    int32_t truth[20];
    int32_t zero[20] = {0};
    fill_two(truth);
    /* sum p^2 = sum s^2 = 16, sum t^2 = 128; I = ln 2, H(S) = ln 16, H(T) = ln 2; for VOI all
     * zeros are one segment */
    gt_partition_scores s = score(truth, zero, 20, 2, 1);
    assert_true(fabs(s.v_rand - 32.0 / 144) < 1e-15);
    assert_true(fabs(s.v_rand_split - 0.125) < 1e-15 && fabs(s.v_rand_merge - 1) < 1e-15);
    assert_true(fabs(s.v_info - 0.4) < 1e-14);
    assert_true(fabs(s.voi_split) < 1e-15 && fabs(s.voi_merge - 1) < 1e-15);
    assert_true(fabs(s.adapted_rand - (1 - 32.0 / 144)) < 1e-15);
    /* 16 of 20 pixels: zeros add 0.8 */
    assert_true(fabs(s.adapted_rand_cremi - (1 - 1.6 / 128.8)) < 1e-15);
}

/* Both one segment: nothing to learn, and nothing wrong. */
static void test_one_segment(void **state)
{
    (void)state;
    int32_t ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    gt_partition_scores s = score(ones, ones, 9, 1, 1);
    assert_true(fabs(s.v_rand - 1) < 1e-15 && fabs(s.v_info - 1) < 1e-15);
}

/* 64 x 64 pixels, 16 cells of 16 x 16, predicted with lines of label 0: Fiji gives 0.87194. */
static void test_lines(void **state)
{
    (void)state;
    static int32_t truth[4096];
    static int32_t prediction[4096];
    for (int32_t y = 0; y < 64; y++) {
        for (int32_t x = 0; x < 64; x++) {
            int32_t cell = y / 16 * 4 + x / 16 + 1;
            truth[y * 64 + x] = cell;
            prediction[y * 64 + x] = y % 16 == 0 || x % 16 == 0 ? 0 : cell;
        }
    }
    gt_partition_scores s = score(truth, prediction, 4096, 16, 16);
    assert_true(fabs(s.v_rand - 0.87194) < 5e-6);
    /* 16 cells of 15 x 15 and 496 single pixels: 810496 / ((810496 + 1048576)/2) */
    assert_true(fabs(s.v_rand - 1620992.0 / 1859072) < 1e-15);
    /* What SNEMI3D's and CREMI's scripts make of the same image. */
    assert_true(fabs(s.adapted_rand - 0.12806) < 5e-6);
    assert_true(fabs(s.adapted_rand_cremi - 0.12836) < 5e-6);
    /* 31 of 256 pixels of each cell are cut off into one common segment. */
    double cut = -(225.0 / 256 * log2(225.0 / 256) + 31.0 / 256 * log2(31.0 / 256));
    assert_true(fabs(s.voi_split - cut) < 1e-12);
    assert_true(fabs(s.voi_merge - 31.0 / 256 * log2(16)) < 1e-12);
    assert_true(fabs(s.cremi - sqrt((s.voi_split + s.voi_merge) * s.adapted_rand_cremi)) < 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_components),       cmocka_unit_test(test_grid),
        cmocka_unit_test(test_watershed_line),   cmocka_unit_test(test_watershed_cross),
        cmocka_unit_test(test_watershed_single), cmocka_unit_test(test_perfect),
        cmocka_unit_test(test_merged),           cmocka_unit_test(test_split),
        cmocka_unit_test(test_one_segment),      cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
