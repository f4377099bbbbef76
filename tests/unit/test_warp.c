/* Warped patches: the identity, quarter turns, linear images, labels that follow the image.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "data/augment.h"
#include "data/mirror.h"
#include "data/warp.h"

#define MAX 320 /* more than one block per row */

static float raw_page[2 * MAX * MAX];
static uint16_t grey_page[MAX * MAX];
static int16_t rank[GT_GREYS];
static float raw[2 * MAX * MAX];
static float labels[MAX * MAX];

/* Distinct values; grey value 3 is ignored. */
static struct gt_page make_page(int32_t width, int32_t height, int32_t channels)
{
    struct gt_page page = {width, height, channels, raw_page, grey_page};
    size_t n = (size_t)width * (size_t)height;
    for (size_t k = 0; k < n * (size_t)channels; k++) {
        raw_page[k] = (float)(k * 7919 % 1009) / 512 - 1;
    }
    for (size_t k = 0; k < n; k++) {
        grey_page[k] = (uint16_t)(k * 31 % 5);
    }
    for (int16_t v = 0; v < 5; v++) {
        rank[v] = v == 3 ? -1 : v;
    }
    return page;
}

/* Compare with the symmetry done pixel by pixel. */
static void check_symmetry(const struct gt_page *page, const struct gt_warp_frame *frame,
                           int32_t symmetry, float tolerance)
{
    int32_t side = frame->patch + frame->shrink;
    struct gt_symmetry_map m = gt__symmetry_map(symmetry, frame->patch + 2 * frame->border);
    for (int32_t c = 0; c < page->channels; c++) {
        for (int32_t i = 0; i < side; i++) {
            for (int32_t j = 0; j < side; j++) {
                int32_t y =
                    gt__mirror(frame->y - frame->border + m.y0 + m.yi * i + m.yj * j, page->height);
                int32_t x =
                    gt__mirror(frame->x - frame->border + m.x0 + m.xi * i + m.xj * j, page->width);
                float want = page->raw[(c * page->height + y) * page->width + x];
                assert_true(fabsf(raw[(c * side + i) * side + j] - want) <= tolerance);
            }
        }
    }
    m = gt__symmetry_map(symmetry, frame->patch);
    for (int32_t i = 0; i < frame->patch; i++) {
        for (int32_t j = 0; j < frame->patch; j++) {
            int32_t y = frame->y + m.y0 + m.yi * i + m.yj * j;
            int32_t x = frame->x + m.x0 + m.xi * i + m.xj * j;
            assert_true(labels[i * frame->patch + j] == rank[page->grey[y * page->width + x]]);
        }
    }
}

/* patch, border, shrink: odd and even, with the surplus pixel, larger than the page and a block. */
static const int32_t sizes[][3] = {{6, 20, 40}, {5, 2, 3}, {6, 2, 3}, {7, 0, 0}, {4, 140, 279}};

static void test_identity(void **state)
{
    (void)state;
    struct gt_page page = make_page(13, 11, 2);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct gt_warp_frame frame = {sizes[k][0], sizes[k][1], sizes[k][2], 2, 5};
        for (int32_t s = 0; s < GT_SYMMETRIES; s++) {
            struct gt_warp warp;
            gt__warp_set(&warp, &frame, s, 0, 1);
            gt__warp_raw(raw, &warp, &frame, &page);
            gt__warp_labels(labels, &warp, &frame, &page, rank);
            check_symmetry(&page, &frame, s, 0);
        }
    }
}

/* Turns by 90 degrees are symmetries; 5 is the quarter turn counter-clockwise, 6 clockwise. */
static void test_quarter_turns(void **state)
{
    (void)state;
    const struct {
        double angle;
        int32_t symmetry;
    } turns[] = {{90, 5}, {-90, 6}, {180, 3}, {-180, 3}, {360, 0}};
    struct gt_page page = make_page(13, 11, 1);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct gt_warp_frame frame = {sizes[k][0], sizes[k][1], sizes[k][2], 2, 5};
        for (size_t t = 0; t < sizeof turns / sizeof *turns; t++) {
            struct gt_warp warp;
            gt__warp_set(&warp, &frame, 0, turns[t].angle, 1);
            gt__warp_raw(raw, &warp, &frame, &page);
            gt__warp_labels(labels, &warp, &frame, &page, rank);
            check_symmetry(&page, &frame, turns[t].symmetry, 1e-3F);
        }
        /* after a symmetry: turned back, a quarter turn is the picture itself */
        struct gt_warp warp;
        gt__warp_set(&warp, &frame, 6, 90, 1);
        gt__warp_raw(raw, &warp, &frame, &page);
        gt__warp_labels(labels, &warp, &frame, &page, rank);
        check_symmetry(&page, &frame, 0, 1e-3F);
    }
}

/* What bilinear interpolation reproduces exactly: a linear image shows where each pixel is from. */
static void check_origin(const struct gt_warp_frame *frame, const struct gt_warp *warp,
                         double angle, double scale)
{
    struct gt_page page = {MAX, MAX, 2, raw_page, grey_page};
    int32_t side = frame->patch + frame->shrink;
    float dy[MAX] = {0};
    float dx[MAX] = {0};
    for (int32_t k = 0; k < MAX * MAX; k++) {
        raw_page[k] = (float)(k / MAX);
        raw_page[MAX * MAX + k] = (float)(k % MAX);
    }
    gt__warp_raw(raw, warp, frame, &page);
    double c = cos(angle * acos(-1) / 180) / scale;
    double s = sin(angle * acos(-1) / 180) / scale;
    double centre = frame->border + 0.5 * (frame->patch - 1);
    for (int32_t i = 0; i < side; i++) {
        if (warp->bent) {
            gt__elastic_row(dy, dx, &warp->elastic, i, 0, side);
        }
        for (int32_t j = 0; j < side; j++) {
            double v = i - centre + (double)dy[j];
            double u = j - centre + (double)dx[j];
            double y = frame->y + 0.5 * (frame->patch - 1) + c * v + s * u;
            double x = frame->x + 0.5 * (frame->patch - 1) + c * u - s * v;
            assert_true(y > 0 && y < MAX - 1 && x > 0 && x < MAX - 1);
            assert_true(fabs((double)raw[i * side + j] - y) < 1e-3);
            assert_true(fabs((double)raw[(side + i) * side + j] - x) < 1e-3);
        }
    }
}

static void test_linear(void **state)
{
    (void)state;
    struct gt_warp warp;
    struct gt_warp_frame frame = {40, 21, 41, 150, 140};
    gt__warp_set(&warp, &frame, 0, 30, 1.25);
    check_origin(&frame, &warp, 30, 1.25);
    gt__warp_set(&warp, &frame, 0, -77, 0.7);
    check_origin(&frame, &warp, -77, 0.7);
    struct gt_random random = gt__random_open(1, GT_STREAM_TEST, 0);
    gt__warp_set(&warp, &frame, 0, 200, 1);
    gt__elastic_draw(&warp.elastic, &random, 3, 81, 10);
    warp.bent = true;
    check_origin(&frame, &warp, 200, 1);
}

/* Stripes as an image and as labels: where the warped image is above one half, there is the label.
 * Across the stripes linear interpolation and the nearest pixel agree but for ties. */
static void check_stripes(int32_t step_y, int32_t step_x)
{
    gt_augment_options o;
    gt_augment_options_init(&o);
    o.rotate = 180;
    o.scale_low = 0.8F;
    o.scale_high = 1.3F;
    o.elastic = 12;
    struct gt_page page = {90, 70, 1, raw_page, grey_page};
    for (int32_t k = 0; k < 90 * 70; k++) {
        int32_t stripe = (k / 90 * step_y + k % 90 * step_x) / 7 % 2;
        raw_page[k] = (float)stripe;
        grey_page[k] = (uint16_t)(stripe ? 200 : 100);
    }
    rank[100] = 0;
    rank[200] = 1;
    int32_t ties = 0;
    for (uint64_t sample = 0; sample < 20; sample++) {
        struct gt_warp warp;
        struct gt_warp_frame frame = {60, 21, 41, 8, 20};
        struct gt_random random = gt__random_open(2, GT_STREAM_WARP, sample);
        gt__warp_draw(&warp, &random, &o, &frame, (int32_t)(sample % 8));
        gt__warp_raw(raw, &warp, &frame, &page);
        gt__warp_labels(labels, &warp, &frame, &page, rank);
        for (int32_t i = 0; i < 60; i++) {
            for (int32_t j = 0; j < 60; j++) {
                float v = raw[(i + 21) * 101 + j + 21];
                bool tie = fabsf(v - 0.5F) < 1e-3F;
                ties += tie;
                assert_true(tie || labels[i * 60 + j] == (v > 0.5F ? 1 : 0));
            }
        }
    }
    assert_in_range(ties, 0, 200);
}

static void test_labels_follow(void **state)
{
    (void)state;
    check_stripes(1, 0);
    check_stripes(0, 1);
}

/* Angles and scales fill their ranges evenly, the rest is left where nothing is wanted. */
static void test_draw(void **state)
{
    (void)state;
    enum { N = 2000 };
    gt_augment_options o;
    gt_augment_options_init(&o);
    struct gt_warp_frame frame = {4, 0, 0, 0, 0};
    struct gt_warp warp;
    struct gt_random random = gt__random_open(2, GT_STREAM_WARP, 1);
    gt__warp_draw(&warp, &random, &o, &frame, 0);
    assert_true(warp.matrix[0][0] == 1 && warp.matrix[0][1] == 0 && !warp.bent);
    o.rotate = 40;
    o.scale_low = 0.5F;
    o.scale_high = 2;
    double angle = 0;
    double square = 0;
    double magnified = 0;
    for (uint64_t s = 0; s < N; s++) {
        random = gt__random_open(2, GT_STREAM_WARP, s);
        gt__warp_draw(&warp, &random, &o, &frame, 0);
        double y = (double)warp.matrix[0][0];
        double x = (double)warp.matrix[0][1];
        double a = atan2(x, y) * 180 / acos(-1);
        double scale = 1 / sqrt(x * x + y * y);
        assert_true(fabs(a) < 40.001 && scale > 0.4999 && scale < 2.0001);
        angle += a / 40;
        square += a * a / 1600;
        magnified += scale > 1;
    }
    assert_true(fabs(angle / N) < 5 * sqrt(1.0 / 3 / N));
    assert_true(fabs(square / N - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N));
    assert_true(fabs(magnified / N - 0.5) < 5 * sqrt(0.25 / N));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity), cmocka_unit_test(test_quarter_turns),
        cmocka_unit_test(test_linear),   cmocka_unit_test(test_labels_follow),
        cmocka_unit_test(test_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
