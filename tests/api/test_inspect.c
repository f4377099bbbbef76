/* Looking at all blobs of a tile and of a training step. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <greentea/greentea.h>

#include "../support/tiny.h"

static gt_device *device;

static int open_device(void **state)
{
    (void)state;
    gt_device_options o;
    gt_device_options_init(&o);
    o.threads = 1;
    return gt_device_open(&device, "cpu", &o);
}

static int close_device(void **state)
{
    (void)state;
    gt_device_free(device);
    return 0;
}

/* ---- what was shown ---- */

enum { MOST = 48 };
struct shown {
    char names[MOST][32];
    gt_shape shapes[MOST];
    float *data[MOST], *diff[MOST];
    int n, stop_at;
};

static size_t count(gt_shape s)
{
    return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

static float *copy(const float *from, size_t n)
{
    float *to = from ? malloc(n * sizeof *to) : NULL;
    if (to) {
        memcpy(to, from, n * sizeof *to);
    }
    return to;
}

static int note(const gt_blob *blob, void *cookie)
{
    struct shown *s = cookie;
    assert_true(s->n < MOST);
    snprintf(s->names[s->n], sizeof s->names[0], "%s", blob->name);
    s->shapes[s->n] = blob->shape;
    s->data[s->n] = copy(blob->data, count(blob->shape));
    s->diff[s->n] = copy(blob->diff, count(blob->shape));
    s->n++;
    return s->n == s->stop_at;
}

static void clear(struct shown *s)
{
    for (int i = 0; i < s->n; ++i) {
        free(s->data[i]);
        free(s->diff[i]);
    }
    *s = (struct shown){0};
}

/* Blobs from number `first` on are the layers, in order, with the shapes that are told of them. */
static int expect_layers(const struct shown *s, int first, const gt_model *model, int32_t output)
{
    gt_layer_info layers[MOST];
    size_t n = 0;
    tiny_ok(gt_model_layers(layers, MOST, &n, model, output));
    for (size_t i = 0; i < n; ++i) {
        int k = first + (int)i;
        assert_true(k < s->n);
        assert_string_equal(s->names[k], layers[i].name);
        assert_memory_equal(&s->shapes[k].c, &layers[i].out.c, 3 * sizeof(int32_t));
        for (size_t j = 0; layers[i].relu && j < count(s->shapes[k]); ++j) {
            assert_true(s->data[k][j] >= 0);
        }
    }
    return first + (int)n;
}

/* ---- a tile ---- */

static gt_status read_rows(void *cookie, int32_t y, int32_t rows, float *dst)
{
    gt_image_view v = gt_image_get_view(cookie);
    const float *from = v.data;
    memcpy(dst, from + (size_t)y * (size_t)v.width, (size_t)rows * (size_t)v.width * sizeof *dst);
    return GT_OK;
}

/* The probabilities shown of tile (1, 0) are those of the image there; all layers are shown. */
static void check_tile(const char *net, int32_t tile, int32_t step)
{
    gt_model *model = tiny_new_model(net, 1, 3);
    gt_image *in = tiny_new_image(1, 61, 43);
    gt_image_view v = gt_image_get_view(in);
    gt_image *whole = tiny_predict(device, model, NULL, &v);
    const float *want = gt_image_get_view(whole).data;
    gt_predictor *p = NULL;
    gt_predict_options po;
    gt_inspect_options o;
    struct shown s = {0};
    gt_row_source source = {61, 43, 1, read_rows, in};
    gt_predict_options_init(&po);
    po.orientations = 8; /* of no effect */
    tiny_ok(gt_predictor_create(&p, device, model, &po));
    gt_inspect_options_init(&o);
    o.tile = tile;
    o.tile_x = 1;
    tiny_ok(gt_predictor_inspect(p, &source, &o, note, &s));
    assert_string_equal(s.names[0], "data");
    int last = expect_layers(&s, 1, model, tile);
    assert_int_equal(s.n, last + 1);
    assert_string_equal(s.names[last], "prob");
    for (int32_t k = 0; k < 3; ++k) {
        for (int32_t y = 0; y < 43 && y < tile; ++y) {
            for (int32_t x = step; x < 61 && x < step + tile; ++x) {
                double d = (double)want[(k * 43 + y) * 61 + x] -
                           (double)s.data[last][(k * tile + y) * tile + x - step];
                assert_true(fabs(d) < 1e-5);
            }
        }
    }
    clear(&s);
    s.stop_at = 3;
    assert_int_equal(gt_predictor_inspect(p, &source, &o, note, &s), GT_ECANCELLED);
    assert_int_equal(s.n, 3);
    o.tile_y = 9;
    assert_int_equal(gt_predictor_inspect(p, &source, &o, note, &s), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "tile 1,9"));
    clear(&s);
    gt_predictor_free(p);
    gt_image_free(whole);
    gt_image_free(in);
    gt_model_free(model);
}

static void tiles(void **state)
{
    (void)state;
    check_tile("u", 20, 16);
    check_tile("sk", 9, 9);
    check_tile("usk9", 12, 12);
}

/* The size is chosen by the image, and by the memory. */
static void chosen_sizes(void **state)
{
    (void)state;
    gt_model *model = tiny_new_model("usk", 1, 2);
    gt_image *in = tiny_new_image(1, 61, 43);
    gt_row_source source = {61, 43, 1, read_rows, in};
    gt_predict_options po;
    gt_predict_options_init(&po);
    int32_t former = 62;
    for (size_t limit = (size_t)1 << 26; limit > 0; limit -= limit / 16) {
        gt_predictor *p = NULL;
        struct shown s = {0};
        po.memory_limit = limit;
        if (gt_predictor_create(&p, device, model, &po) != GT_OK) {
            break;
        }
        gt_status status = gt_predictor_inspect(p, &source, NULL, note, &s);
        gt_predictor_free(p);
        if (status != GT_OK) {
            assert_int_equal(status, GT_ENOMEM);
            break;
        }
        int32_t size = s.shapes[s.n - 1].h;
        assert_true(limit == (size_t)1 << 26 ? size == 62 : size <= former);
        former = size;
        clear(&s);
    }
    assert_true(former < 62);
    gt_image_free(in);
    gt_model_free(model);
}

/* ---- a training step ---- */

static gt_dataset *new_dataset(void)
{
    gt_dataset *d = NULL;
    gt_dataset_options o;
    gt_image *raw = tiny_new_image(1, 40, 40);
    gt_image *labels = NULL;
    tiny_ok(gt_image_create(&labels, GT_U8, 1, 40, 40));
    gt_image_view r = gt_image_get_view(raw);
    gt_image_view l = gt_image_get_view(labels);
    for (int i = 0; i < 1600; ++i) {
        ((unsigned char *)l.data)[i] = ((const float *)r.data)[i] > 120 ? 255 : 0;
    }
    gt_dataset_options_init(&o);
    tiny_ok(gt_dataset_create(&d, &o));
    tiny_ok(gt_dataset_add(d, &r, &l));
    gt_image_free(raw);
    gt_image_free(labels);
    return d;
}

static gt_trainer *new_trainer(gt_model *model, gt_dataset *dataset)
{
    gt_trainer *t = NULL;
    gt_train_options o;
    gt_train_options_init(&o);
    o.patch = 12;
    o.batch = 2;
    o.iterations = 6;
    tiny_ok(gt_trainer_create(&t, device, model, dataset, &o));
    return t;
}

/* The gradient of the scores is (softmax - label)/pixels, computed here from what is shown. */
static void check_gradient(const struct shown *s, int scores, int label)
{
    gt_shape shape = s->shapes[scores];
    size_t plane = (size_t)shape.h * (size_t)shape.w;
    double total = (double)plane * shape.n;
    for (int32_t n = 0; n < shape.n; ++n) {
        for (size_t i = 0; i < plane; ++i) {
            size_t first = (size_t)n * 2 * plane + i;
            double a = exp((double)s->data[scores][first]);
            double b = exp((double)s->data[scores][first + plane]);
            double want = b / (a + b) - (double)s->data[label][(size_t)n * plane + i];
            assert_true(fabs((double)s->diff[scores][first + plane] - want / total) < 1e-6);
        }
    }
}

static void training(void **state)
{
    (void)state;
    gt_dataset *dataset = new_dataset();
    float *weights[2] = {NULL, NULL};
    size_t bytes = 0;
    for (int looked = 0; looked < 2; ++looked) {
        gt_model *model = tiny_new_model("usk", 1, 2);
        gt_trainer *t = new_trainer(model, dataset);
        struct shown s = {0};
        gt_shape shape;
        float *data = NULL;
        for (int i = 0; i < 6; ++i) {
            tiny_ok(gt_trainer_step(NULL, t));
            if (looked && i % 2 == 0) {
                clear(&s);
                tiny_ok(gt_trainer_inspect(t, note, &s));
            }
        }
        if (looked) {
            assert_string_equal(s.names[0], "data");
            assert_string_equal(s.names[1], "label");
            int last = expect_layers(&s, 2, model, 12);
            assert_int_equal(s.n, last);
            assert_null(s.diff[0]);
            for (int i = 2; i < last; ++i) {
                assert_non_null(s.diff[i]);
            }
            assert_int_equal(s.shapes[2].n, 2);
            check_gradient(&s, last - 1, 1);
        }
        tiny_ok(gt_trainer_sync(t));
        tiny_ok(gt_model_tensor(NULL, &shape, &data, model, 0));
        bytes = count(shape) * sizeof *data;
        weights[looked] = copy(data, count(shape));
        clear(&s);
        gt_trainer_free(t);
        gt_model_free(model);
    }
    assert_memory_equal(weights[0], weights[1], bytes); /* looking changes nothing */
    free(weights[0]);
    free(weights[1]);
    gt_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles),
        cmocka_unit_test(chosen_sizes),
        cmocka_unit_test(training),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
