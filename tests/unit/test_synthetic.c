/* Made sections: reproducible, plausible, exactly labelled. SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include <greentea/evaluate.h>

struct section {
    gt_image *raw, *labels;
    const uint8_t *grey, *truth;
    size_t n;
};

static struct section make(int32_t width, int32_t height, uint64_t seed, uint32_t number)
{
    struct section s = {0};
    assert_int_equal(gt_synthetic_section(&s.raw, &s.labels, width, height, seed, number), GT_OK);
    gt_image_view raw = gt_image_get_view(s.raw);
    gt_image_view labels = gt_image_get_view(s.labels);
    assert_true(raw.type == GT_U8 && labels.type == GT_U8);
    assert_true(raw.width == width && raw.height == height && raw.channels == 1);
    assert_true(labels.width == width && labels.height == height && labels.channels == 1);
    s.grey = raw.data;
    s.truth = labels.data;
    s.n = (size_t)width * (size_t)height;
    return s;
}

static void drop(struct section *s)
{
    gt_image_free(s->raw);
    gt_image_free(s->labels);
}

static void test_reproducible(void **state)
{
    (void)state;
    struct section a = make(150, 90, 3, 5);
    struct section b = make(150, 90, 3, 5);
    struct section c = make(150, 90, 3, 6);
    struct section d = make(150, 90, 4, 5);
    assert_memory_equal(a.grey, b.grey, a.n);
    assert_memory_equal(a.truth, b.truth, a.n);
    assert_true(memcmp(a.grey, c.grey, a.n) != 0 && memcmp(a.truth, c.truth, a.n) != 0);
    assert_true(memcmp(a.grey, d.grey, a.n) != 0 && memcmp(a.truth, d.truth, a.n) != 0);
    drop(&a);
    drop(&b);
    drop(&c);
    drop(&d);
}

/* Membranes cover a fifth to a quarter and are darker than cells by about the spread of the greys;
 * the whole range is used. */
static void test_plausible(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < 4; number++) {
        struct section s = make(400, 300, 11, number);
        double sum[2] = {0};
        double count[2] = {0};
        uint8_t low = 255;
        uint8_t high = 0;
        for (size_t i = 0; i < s.n; i++) {
            assert_true(s.truth[i] == 0 || s.truth[i] == 255);
            sum[s.truth[i] > 0] += s.grey[i];
            count[s.truth[i] > 0] += 1;
            low = s.grey[i] < low ? s.grey[i] : low;
            high = s.grey[i] > high ? s.grey[i] : high;
        }
        double share = count[0] / (double)s.n;
        assert_true(share > 0.16 && share < 0.28);
        double gap = sum[1] / count[1] - sum[0] / count[0];
        assert_true(gap > 35 && gap < 70);
        assert_true(low < 40 && high > 200);
        drop(&s);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    const int32_t sizes[][2] = {{1, 1}, {1, 130}, {200, 3}, {37, 64}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct section s = make(sizes[i][0], sizes[i][1], 1, 0);
        drop(&s);
    }
    gt_image *raw = NULL;
    gt_image *labels = NULL;
    assert_int_equal(gt_synthetic_section(&raw, &labels, 0, 5, 1, 0), GT_EINVAL);
    assert_int_equal(gt_synthetic_section(&raw, &labels, 5, -1, 1, 0), GT_EINVAL);
    assert_null(raw);
    assert_null(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reproducible),
        cmocka_unit_test(test_plausible),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
