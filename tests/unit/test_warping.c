/* Simple points and warping against plain definitions. SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "eval/eval.h"

enum { MAX_COUNT = 40 * 40 };

static uint8_t source[MAX_COUNT], target[MAX_COUNT], states[MAX_COUNT], start[MAX_COUNT];
static int32_t rank[MAX_COUNT];
static uint64_t order[MAX_COUNT], heap[MAX_COUNT];
static float sure[MAX_COUNT];

static const struct gt_warping buffers = {source, target, states, rank, order, heap};

/* From the right anticlockwise, y down. */
static const int32_t dx[8] = {1, 1, 0, -1, -1, -1, 0, 1};
static const int32_t dy[8] = {0, -1, -1, -1, 0, 1, 1, 1};

/* Components of value `on` among the 8 neighbours that touch the middle: with `four` both
 * neighbourhoods are 4-adjacent, else 8-adjacent. */
static int32_t touching(uint32_t mask, uint32_t on, int32_t four)
{
    int32_t group[8];
    for (int32_t k = 0; k < 8; k++) {
        group[k] = (mask >> k & 1) == on ? k : -1;
    }
    for (int32_t round = 0; round < 8; round++) {
        for (int32_t a = 0; a < 8; a++) {
            for (int32_t b = 0; b < 8; b++) {
                int32_t x = abs(dx[a] - dx[b]);
                int32_t y = abs(dy[a] - dy[b]);
                int32_t near = four ? x + y == 1 : x <= 1 && y <= 1;
                if (near && group[a] >= 0 && group[b] > group[a]) {
                    group[b] = group[a];
                }
            }
        }
    }
    uint32_t seen = 0;
    int32_t n = 0;
    for (int32_t k = 0; k < 8; k++) {
        if (group[k] >= 0 && (!four || k % 2 == 0) && !(seen >> group[k] & 1)) {
            seen |= 1U << group[k];
            n++;
        }
    }
    return n;
}

static void test_simple_points(void **state)
{
    (void)state;
    for (uint32_t mask = 0; mask < 256; mask++) {
        bool want = touching(mask, 1, 1) == 1 && touching(mask, 0, 0) == 1;
        if (gt__simple_point(mask) != want) {
            fail_msg("neighbours 0x%02x: %d, expected %d", mask, gt__simple_point(mask), want);
        }
    }
}

static uint32_t around(const uint8_t *image, int32_t p, int32_t stride)
{
    uint32_t mask = 0;
    for (int32_t k = 0; k < 8; k++) {
        mask |= (uint32_t)image[p + dy[k] * stride + dx[k]] << k;
    }
    return mask;
}

/* Whole passes, as the definition has it. */
static size_t plain_warp(uint8_t *image, const struct gt_grid *g)
{
    size_t left = 0;
    for (size_t before = SIZE_MAX; left != before;) {
        before = left;
        left = 0;
        /* places of the order: pick the largest sureness left, columns first */
        static uint8_t done[MAX_COUNT];
        memset(done, 0, sizeof done);
        for (;;) {
            int32_t best = -1;
            float most = -1;
            for (int32_t x = 0; x < g->width; x++) {
                for (int32_t y = 0; y < g->height; y++) {
                    int32_t p = gt__grid_row(g, y) + x;
                    float s = sure[y * g->width + x];
                    if (image[p] != target[p] && !done[p] && s > most) {
                        best = p;
                        most = s;
                    }
                }
            }
            if (best < 0) {
                break;
            }
            done[best] = 1;
            if (gt__simple_point(around(image, best, g->stride))) {
                image[best] ^= 1;
            } else {
                left++;
            }
        }
    }
    return left;
}

static uint32_t below(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 8) % n;
}

static void test_passes(void **state)
{
    (void)state;
    uint32_t seed = 5;
    for (int32_t round = 0; round < 60; round++) {
        struct gt_grid g;
        int32_t w = 1 + (int32_t)below(&seed, 20);
        int32_t h = 1 + (int32_t)below(&seed, 20);
        assert_int_equal(gt__grid(&g, w, h), GT_OK);
        memset(source, 0, sizeof source);
        memset(target, 0, sizeof target);
        memset(states, 0, sizeof states);
        uint32_t dense = 1 + below(&seed, 9);
        uint32_t levels = 1 + below(&seed, 30); /* few: ties */
        for (int32_t y = 0; y < h; y++) {
            for (int32_t x = 0; x < w; x++) {
                int32_t p = gt__grid_row(&g, y) + x;
                source[p] = (x / 3 + y / 4) % 3 > 0;
                target[p] = below(&seed, 10) < dense;
                sure[y * w + x] = below(&seed, 12) == 0 ? -1 : (float)below(&seed, levels) / 8;
            }
        }
        memcpy(start, source, sizeof start);
        size_t want = plain_warp(start, &g);
        assert_int_equal(gt__warp(&buffers, &g, sure), want);
        assert_memory_equal(source, start, (size_t)g.count);
    }
}

static size_t warp_text(const char *const *from, const char *const *to, int32_t w, int32_t h)
{
    struct gt_grid g;
    assert_int_equal(gt__grid(&g, w, h), GT_OK);
    memset(source, 0, sizeof source);
    memset(target, 0, sizeof target);
    memset(states, 0, sizeof states);
    for (int32_t y = 0; y < h; y++) {
        for (int32_t x = 0; x < w; x++) {
            int32_t p = gt__grid_row(&g, y) + x;
            source[p] = from[y][x] == '#';
            target[p] = to[y][x] == '#';
            sure[y * w + x] = 0.5F;
        }
    }
    return gt__warp(&buffers, &g, sure);
}

/* What moves or grows is no error; what merges, splits, appears or vanishes is, by one pixel. */
static void test_kinds(void **state)
{
    (void)state;
    const char *const two[] = {"##.##", "##.##", "##.##"};
    const char *const merged[] = {"##.##", "#####", "##.##"};
    const char *const thin[] = {"#...#", "#...#", "#...#"};
    const char *const one[] = {".....", "##.##", "....."};
    const char *const gone[] = {"##...", "##...", "##..."};
    const char *const ring[] = {"#####", "##.##", "#####"};
    const char *const full[] = {"#####", "#####", "#####"};
    assert_int_equal(warp_text(two, two, 5, 3), 0);
    assert_int_equal(warp_text(two, thin, 5, 3), 0);
    assert_int_equal(warp_text(two, one, 5, 3), 0);
    assert_int_equal(warp_text(two, merged, 5, 3), 1);
    assert_int_equal(warp_text(merged, two, 5, 3), 1);
    assert_int_equal(warp_text(two, gone, 5, 3), 1);
    assert_int_equal(warp_text(ring, full, 5, 3), 1);
    assert_int_equal(warp_text(full, ring, 5, 3), 1);
}

static void test_sort(void **state)
{
    (void)state;
    uint64_t keys[500];
    uint64_t scratch[500];
    uint32_t seed = 9;
    for (size_t i = 0; i < 500; i++) {
        keys[i] = (uint64_t)below(&seed, 1U << 24) << below(&seed, 40);
    }
    gt__sort_u64(keys, scratch, 500);
    for (size_t i = 1; i < 500; i++) {
        assert_true(keys[i - 1] <= keys[i]);
    }
    gt__sort_u64(keys, scratch, 0);
    uint64_t three[3] = {3, UINT64_MAX, 1};
    gt__sort_u64(three, scratch, 3);
    assert_true(three[0] == 1 && three[1] == 3 && three[2] == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple_points),
        cmocka_unit_test(test_passes),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
