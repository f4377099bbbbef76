/* Borders between labels against a search of every window. SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "data/balance.h"

static bool at_border(const float *map, int32_t width, int32_t height, int32_t at, int32_t reach)
{
    int32_t x0 = at % width;
    int32_t y0 = at / width;
    for (int32_t y = 0; y < height; y++) {
        for (int32_t x = 0; x < width; x++) {
            float v = map[y * width + x];
            if (abs(y - y0) <= reach && abs(x - x0) <= reach && v >= 0.0F && v != map[at]) {
                return map[at] >= 0.0F;
            }
        }
    }
    return false;
}

static void check(const float *map, int32_t width, int32_t height, int32_t reach)
{
    enum { MOST = 200 * 12 };
    static float got[MOST];
    int32_t n = width * height;
    assert_true(n <= MOST);
    for (int32_t i = 0; i < n; i++) {
        got[i] = map[i];
    }
    gt__mark_borders(got, width, height, reach);
    for (int32_t i = 0; i < n; i++) {
        float want = map[i] + (at_border(map, width, height, i, reach) ? GT_MAX_LABELS : 0.0F);
        if (got[i] != want) {
            fail_msg("%d x %d, reach %d, pixel %d: %g, expected %g", width, height, reach, i,
                     (double)got[i], (double)want);
        }
    }
}

/* Maps of few and many labels, mostly in blobs, with ignored pixels; label 255 among them. */
static void test_maps(void **state)
{
    (void)state;
    static const int32_t sizes[6][2] = {{1, 1}, {1, 20}, {20, 1}, {9, 13}, {70, 9}, {200, 12}};
    static float map[200 * 12];
    uint32_t seed = 1;
    for (int32_t round = 0; round < 60; round++) {
        int32_t width = sizes[round % 6][0];
        int32_t height = sizes[round % 6][1];
        uint32_t keep = round / 6 % 2 ? 0xf0000000U : 0xc0000000U;
        float value = 0.0F;
        for (int32_t i = 0; i < width * height; i++) {
            seed = seed * 1664525U + 1013904223U;
            if (seed > keep) {
                uint32_t r = seed >> 8 & 7;
                value = r < 2 ? -1.0F : r == 7 ? 255.0F : (float)(r / 3);
            }
            map[i] = value;
        }
        for (int32_t reach = 1; reach < 5; reach++) {
            check(map, width, height, reach);
        }
        check(map, width, height, 40);
        check(map, width, height, GT_MAX_BORDER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_maps)};
    return cmocka_run_group_tests_name("borders", tests, NULL, NULL);
}
