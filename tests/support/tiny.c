/* Tiny networks and images for tests of the predictor. SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

void tiny_ok(gt_status status)
{
    if (status != GT_OK) {
        fail_msg("%s: %s", gt_status_name(status), gt_error_message());
    }
}

gt_model *tiny_new_model(const char *net, int32_t channels, int32_t labels)
{
    gt_model *model = NULL;
    gt_model_options o;
    gt_model_options_init(&o);
    o.net = net;
    o.channels = channels;
    o.labels = labels;
    o.width = 0.03;
    tiny_ok(gt_model_create(&model, &o));
    tiny_ok(gt_model_init_weights(model, GT_INIT_HE, 11));
    return model;
}

static float noise(uint32_t i)
{
    i = (i ^ 61) ^ (i >> 16);
    i *= 9;
    i ^= i >> 4;
    i *= 0x27d4eb2d;
    i ^= i >> 15;
    return (float)(i & 255);
}

/* Blobs and noise, values 0 to 255, integers. */
gt_image *tiny_new_image(int32_t channels, int32_t width, int32_t height)
{
    gt_image *image = NULL;
    tiny_ok(gt_image_create(&image, GT_F32, channels, height, width));
    gt_image_view v = gt_image_get_view(image);
    float *at = v.data;
    for (int32_t c = 0; c < channels; ++c) {
        for (int32_t y = 0; y < height; ++y) {
            for (int32_t x = 0; x < width; ++x) {
                double blob = 120 + 60 * sin(0.21 * x + c) + 60 * cos(0.13 * y);
                *at++ =
                    floorf((float)blob * 0.7F + 0.3F * noise((uint32_t)((c * 997 + y) * 4099 + x)));
            }
        }
    }
    return image;
}

const float *tiny_floats(const gt_image *image, size_t *count)
{
    gt_image_view v = gt_image_get_view(image);
    *count = (size_t)v.width * (size_t)v.height * (size_t)v.channels;
    return v.data;
}

/* Greatest difference; the images must have one size. */
double tiny_difference(const gt_image *a, const gt_image *b)
{
    size_t n = 0;
    size_t m = 0;
    const float *x = tiny_floats(a, &n);
    const float *y = tiny_floats(b, &m);
    double worst = 0;
    assert_int_equal(n, m);
    for (size_t i = 0; i < n; ++i) {
        double d = fabs((double)x[i] - (double)y[i]);
        worst = d <= worst ? worst : d; /* NaN stays */
    }
    return worst;
}

gt_image *tiny_predict(gt_device *device, const gt_model *model, const gt_predict_options *o,
                       const gt_image_view *in)
{
    gt_predictor *p = NULL;
    gt_image *out = NULL;
    tiny_ok(gt_predictor_create(&p, device, model, o));
    tiny_ok(gt_predictor_run(&out, p, in));
    gt_predictor_free(p);
    return out;
}

void tiny_check_probabilities(const gt_image *image)
{
    gt_image_view v = gt_image_get_view(image);
    const float *p = v.data;
    size_t area = (size_t)v.width * (size_t)v.height;
    for (size_t i = 0; i < area; ++i) {
        double sum = 0;
        for (int32_t c = 0; c < v.channels; ++c) {
            double q = (double)p[(size_t)c * area + i];
            assert_true(q >= 0 && q <= 1);
            sum += q;
        }
        assert_true(fabs(sum - 1) < 1e-5);
    }
}
