/* Averages over turned views, and parts of an image. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <greentea/greentea.h>

#include "../support/tiny.h"

static gt_device *device;
static gt_device *second;

static int open_device(void **state)
{
    (void)state;
    gt_device_options o;
    gt_device_options_init(&o);
    o.threads = 1;
    return gt_device_open(&device, "cpu", &o) || gt_device_open(&second, "cpu", &o);
}

static int close_device(void **state)
{
    (void)state;
    gt_device_free(device);
    gt_device_free(second);
    return 0;
}

/* Turn k of an image: bit 0 mirrors x, bit 1 mirrors y, bit 2 transposes what came out. */
static gt_image *turn(const gt_image *image, int k)
{
    gt_image *out = NULL;
    gt_image_view v = gt_image_get_view(image);
    const float *from = v.data;
    int32_t w = k & 4 ? v.height : v.width;
    int32_t h = k & 4 ? v.width : v.height;
    tiny_ok(gt_image_create(&out, GT_F32, v.channels, h, w));
    float *to = gt_image_get_view(out).data;
    for (int32_t c = 0; c < v.channels; ++c) {
        for (int32_t y = 0; y < h; ++y) {
            for (int32_t x = 0; x < w; ++x) {
                int32_t i = k & 4 ? y : x;
                int32_t j = k & 4 ? x : y;
                i = k & 1 ? v.width - 1 - i : i;
                j = k & 2 ? v.height - 1 - j : j;
                *to++ =
                    from[((size_t)c * (size_t)v.height + (size_t)j) * (size_t)v.width + (size_t)i];
            }
        }
    }
    return out;
}

/* The turn that takes turn k back. */
static int back(int k)
{
    return k & 4 ? 4 | (k & 1) << 1 | (k & 2) >> 1 : k;
}

static gt_image *predict(const gt_model *model, const gt_image *in, const gt_predict_options *o)
{
    gt_image_view v = gt_image_get_view(in);
    return tiny_predict(device, model, o, &v);
}

/* Mean of plain answers for turned images, turned back. */
static gt_image *mean_by_hand(const gt_model *model, const gt_image *in, int n)
{
    gt_image *mean = NULL;
    for (int k = 0; k < n; ++k) {
        gt_image *turned = turn(in, k);
        gt_image *answer = predict(model, turned, NULL);
        gt_image *one = turn(answer, back(k));
        size_t count = 0;
        const float *f = tiny_floats(one, &count);
        if (!mean) {
            gt_image_view v = gt_image_get_view(one);
            tiny_ok(gt_image_create(&mean, GT_F32, v.channels, v.height, v.width));
        }
        float *m = gt_image_get_view(mean).data;
        for (size_t i = 0; i < count; ++i) {
            m[i] += f[i] / (float)n;
        }
        gt_image_free(one);
        gt_image_free(answer);
        gt_image_free(turned);
    }
    return mean;
}

struct net_case {
    const char *net;
    int32_t tile, width, height;
};
/* Widths and heights of every kind modulo the periods 16, 2 and 4. */
static const struct net_case cases[] = {{"sk", 13, 31, 22},  {"u", 36, 61, 43},
                                        {"usk", 14, 33, 20}, {"usk9", 20, 30, 41},
                                        {"u", 36, 7, 80},    {"sw", 0, 5, 3}};
enum { CASES = sizeof cases / sizeof *cases };

static void expect_near(const gt_image *a, const gt_image *b, double most, const char *what,
                        const struct net_case *c)
{
    double d = tiny_difference(a, b);
    if (!(d <= most)) {
        fail_msg("%s, %s, %d x %d: %g apart", what, c->net, c->width, c->height, d);
    }
}

/* The library's mean, in tiles and in one, is the mean by hand. */
static void is_the_mean(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; ++i) {
        const struct net_case *c = &cases[i];
        gt_model *model = tiny_new_model(c->net, 1, 2);
        gt_image *in = tiny_new_image(1, c->width, c->height);
        for (int n = 4; n <= 8; n += 4) {
            gt_image *want = mean_by_hand(model, in, n);
            gt_image *plain = predict(model, in, NULL);
            gt_predict_options o;
            gt_predict_options_init(&o);
            o.orientations = n;
            gt_image *whole = predict(model, in, &o);
            o.tile = c->tile;
            gt_image *tiled = predict(model, in, &o);
            expect_near(whole, want, 1e-5, "mean", c);
            expect_near(tiled, want, 1e-5, "mean in tiles", c);
            tiny_check_probabilities(tiled);
            assert_true(tiny_difference(plain, want) > 1e-3); /* or nothing was shown */
            gt_image_free(tiled);
            gt_image_free(whole);
            gt_image_free(plain);
            gt_image_free(want);
        }
        gt_image_free(in);
        gt_model_free(model);
    }
}

/* Turning the image turns the answer. */
static void turns_commute(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; ++i) {
        const struct net_case *c = &cases[i];
        gt_model *model = tiny_new_model(c->net, 1, 2);
        gt_image *in = tiny_new_image(1, c->width, c->height);
        gt_predict_options o;
        gt_predict_options_init(&o);
        o.orientations = 8;
        o.tile = c->tile;
        gt_image *answer = predict(model, in, &o);
        for (int k = 1; k < 8; k += 2) {
            gt_image *turned = turn(in, k);
            gt_image *got = predict(model, turned, &o);
            gt_image *want = turn(answer, k);
            expect_near(got, want, 1e-5, "turned", c);
            gt_image_free(want);
            gt_image_free(got);
            gt_image_free(turned);
        }
        gt_image_free(answer);
        gt_image_free(in);
        gt_model_free(model);
    }
}

/* The same bits for any tiles and any number of devices. */
static void deterministic(void **state)
{
    (void)state;
    gt_device *devices[2] = {device, second};
    for (int i = 0; i < 4; ++i) {
        const struct net_case *c = &cases[i];
        gt_model *model = tiny_new_model(c->net, 1, 2);
        gt_image *in = tiny_new_image(1, c->width, c->height);
        gt_image_view v = gt_image_get_view(in);
        gt_predictor *p = NULL;
        gt_image *two = NULL;
        gt_predict_options o;
        gt_predict_options_init(&o);
        o.orientations = 8;
        o.deterministic = 1;
        gt_image *whole = predict(model, in, &o);
        o.tile = c->tile;
        gt_image *tiled = predict(model, in, &o);
        tiny_ok(gt_predictor_create_on(&p, devices, 2, model, &o));
        tiny_ok(gt_predictor_run(&two, p, &v));
        expect_near(whole, tiled, 0, "tiles", c);
        expect_near(whole, two, 0, "two devices", c);
        gt_predictor_free(p);
        gt_image_free(two);
        gt_image_free(tiled);
        gt_image_free(whole);
        gt_image_free(in);
        gt_model_free(model);
    }
}

/* ---- parts ---- */

struct part {
    const gt_image *in;
    gt_image *out;
    int32_t next; /* row expected */
};

static gt_status read_part(void *cookie, int32_t y, int32_t rows, float *dst)
{
    const struct part *p = cookie;
    gt_image_view v = gt_image_get_view(p->in);
    const float *from = v.data;
    memcpy(dst, from + (size_t)y * (size_t)v.width, (size_t)rows * (size_t)v.width * sizeof *dst);
    return GT_OK;
}

static gt_status write_part(void *cookie, int32_t y, int32_t rows, const float *src)
{
    struct part *p = cookie;
    gt_image_view v = gt_image_get_view(p->out);
    float *to = v.data;
    assert_int_equal(y, p->next);
    for (int32_t k = 0; k < v.channels; ++k) {
        memcpy(to + ((size_t)k * (size_t)v.height + (size_t)y) * (size_t)v.width,
               src + (size_t)k * (size_t)rows * (size_t)v.width,
               (size_t)rows * (size_t)v.width * sizeof *to);
    }
    p->next += rows;
    return GT_OK;
}

/* Rows computed in three parts are those of the whole. */
static void parts_make_the_whole(void **state)
{
    (void)state;
    for (int n = 1; n <= 8; n += 7) {
        for (int i = 0; i < 4; ++i) {
            const struct net_case *c = &cases[i];
            gt_model *model = tiny_new_model(c->net, 1, 2);
            gt_image *in = tiny_new_image(1, c->width, c->height);
            gt_predictor *p = NULL;
            gt_predict_options o;
            gt_predict_options_init(&o);
            o.orientations = n;
            o.deterministic = 1;
            gt_image *whole = predict(model, in, &o);
            o.tile = c->tile;
            tiny_ok(gt_predictor_create(&p, device, model, &o));
            struct part part = {in, NULL, 0};
            tiny_ok(gt_image_create(&part.out, GT_F32, 2, c->height, c->width));
            gt_row_source source = {c->width, c->height, 1, read_part, &part};
            gt_row_sink sink = {write_part, &part};
            tiny_ok(gt_predictor_stream_rows(p, &source, &sink, 0, 16));
            tiny_ok(gt_predictor_stream_rows(p, &source, &sink, 16, 1));
            part.next = 16;
            tiny_ok(gt_predictor_stream_rows(p, &source, &sink, 16, c->height - 16));
            assert_int_equal(part.next, c->height);
            expect_near(part.out, whole, 0, "parts", c);
            gt_image_free(part.out);
            gt_image_free(whole);
            gt_predictor_free(p);
            gt_image_free(in);
            gt_model_free(model);
        }
    }
}

static void refusals(void **state)
{
    (void)state;
    gt_model *model = tiny_new_model("u", 1, 2);
    gt_image *in = tiny_new_image(1, 8, 40);
    gt_predictor *p = NULL;
    gt_predict_options o;
    gt_predict_options_init(&o);
    assert_int_equal(o.orientations, 1);
    o.orientations = 2;
    assert_int_equal(gt_predictor_create(&p, device, model, &o), GT_EINVAL);
    assert_string_equal(gt_error_message(), "2 orientations, expected 1, 4 or 8");
    o.orientations = 4;
    o.tile = 20; /* enough for one orientation */
    assert_int_equal(gt_predictor_create(&p, device, model, &o), GT_ESHAPE);
    assert_non_null(strstr(gt_error_message(), "36"));
    gt_predict_options_init(&o);
    tiny_ok(gt_predictor_create(&p, device, model, &o));
    struct part part = {in, in, 0};
    gt_row_source source = {8, 40, 1, read_part, &part};
    gt_row_sink sink = {write_part, &part};
    static const int32_t wrong[][2] = {{8, 16}, {0, 41}, {32, 9}, {-16, 16}, {0, 0}, {48, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        assert_int_equal(gt_predictor_stream_rows(p, &source, &sink, wrong[i][0], wrong[i][1]),
                         GT_EINVAL);
    }
    gt_predictor_free(p);
    gt_image_free(in);
    gt_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_mean),   cmocka_unit_test(turns_commute),
        cmocka_unit_test(deterministic), cmocka_unit_test(parts_make_the_whole),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
