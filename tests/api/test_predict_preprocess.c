/* What the network sees in labelling is what it saw in training: images preprocessed by the data
 * set and given to a network that takes values as they are, against the same images preprocessed by
 * the predictor. Bit for bit, whatever the tiles. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/tiny.h"
#include "data/dataset.h"

enum { WIDTH = 61, HEIGHT = 83 };

static gt_device *device;
static char folder[64];

static int begin(void **state)
{
    (void)state;
    gt_device_options o;
    gt_device_options_init(&o);
    o.threads = 2;
    snprintf(folder, sizeof folder, "/tmp/greentea-preprocess-XXXXXX");
    return mkdtemp(folder) ? (int)gt_device_open(&device, "cpu", &o) : -1;
}

static int end(void **state)
{
    (void)state;
    gt_device_free(device);
    return rmdir(folder);
}

static gt_dataset *new_dataset(const gt_preprocess *preprocess)
{
    gt_dataset *d = NULL;
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    o.preprocess = *preprocess;
    tiny_ok(gt_dataset_create(&d, &o));
    return d;
}

/* An image of the data set's floats, one page. */
static gt_image *page_image(const gt_dataset *d, size_t index)
{
    const struct gt_page *page = &d->pages[index];
    gt_image *image = NULL;
    tiny_ok(gt_image_create(&image, GT_F32, page->channels, page->height, page->width));
    gt_image_view v = gt_image_get_view(image);
    memcpy(v.data, page->raw,
           sizeof(float) * (size_t)page->channels * (size_t)page->height * (size_t)page->width);
    return image;
}

static gt_image *predict(gt_model *model, const gt_preprocess *preprocess, const gt_image *in,
                         int32_t tile)
{
    gt_predict_options o;
    gt_predict_options_init(&o);
    gt_image_view v = gt_image_get_view(in);
    o.deterministic = 1;
    o.tile = tile;
    o.untiled = tile == 0;
    tiny_ok(gt_model_set_preprocess(model, preprocess));
    return tiny_predict(device, model, &o, &v);
}

static void same(const gt_image *a, const gt_image *b, size_t which)
{
    gt_image_view x = gt_image_get_view(a);
    gt_image_view y = gt_image_get_view(b);
    assert_int_equal(x.width, y.width);
    assert_int_equal(x.height, y.height);
    size_t n = 0;
    const float *p = tiny_floats(a, &n);
    const float *q = tiny_floats(b, &n);
    if (memcmp(p, q, n * sizeof *p) != 0) {
        fail_msg("case %zu: %g apart", which, tiny_difference(a, b));
    }
}

static gt_preprocess example(size_t i)
{
    static const gt_normalise kinds[] = {GT_NORMALISE_MINMAX, GT_NORMALISE_MEANVAR,
                                         GT_NORMALISE_PERCENTILE, GT_NORMALISE_NONE};
    gt_preprocess o;
    gt_preprocess_init(&o);
    o.normalise = kinds[i % 4];
    o.clahe = i / 4 % 2 ? 3.0 : 0.0;
    o.smooth = i / 8 % 2 ? 1.5 : 0.0;
    if (i % 3 == 0) {
        o.crop_x = 5;
        o.crop_y = 40;
        o.crop_width = 50;
        o.crop_height = 43;
    }
    return o;
}

static void test_same_as_training(void **state)
{
    (void)state;
    gt_preprocess none;
    gt_preprocess_init(&none);
    none.normalise = GT_NORMALISE_NONE;
    gt_image *in = tiny_new_image(3, WIDTH, HEIGHT);
    gt_image *labels = NULL;
    tiny_ok(gt_image_create(&labels, GT_U8, 1, HEIGHT, WIDTH));
    gt_image_view raw = gt_image_get_view(in);
    gt_image_view truth = gt_image_get_view(labels);
    gt_model *model = tiny_new_model("usk", 3, 2);
    for (size_t i = 0; i < 16; i++) {
        gt_preprocess o = example(i);
        gt_dataset *d = new_dataset(&o);
        tiny_ok(gt_dataset_add(d, &raw, &truth));
        gt_image *seen = page_image(d, 0);
        gt_image *want = predict(model, &none, seen, 0);
        gt_image *whole = predict(model, &o, in, 0);
        gt_image *tiled = predict(model, &o, in, 26);
        same(want, whole, i);
        same(want, tiled, i);
        gt_image_free(tiled);
        gt_image_free(whole);
        gt_image_free(want);
        gt_image_free(seen);
        gt_dataset_free(d);
    }
    gt_model_free(model);
    gt_image_free(labels);
    gt_image_free(in);
}

/* ---- stacks ---- */

static void write_page(const char *name, int32_t bright, char *path, size_t size)
{
    gt_image_writer *w = NULL;
    gt_writer_options o;
    float rows[40 * 40];
    for (size_t i = 0; i < 1600; i++) {
        rows[i] = (float)((size_t)bright + i * i % 97);
    }
    gt_writer_options_init(&o);
    o.type = GT_U8;
    o.width = o.height = 40;
    snprintf(path, size, "%s/%s", folder, name);
    tiny_ok(gt_image_writer_open(&w, path, &o));
    tiny_ok(gt_image_writer_rows(w, 40, rows));
    tiny_ok(gt_image_writer_finish(w));
    gt_image_writer_free(w);
}

static gt_status read_rows(void *cookie, int32_t y, int32_t rows, float *dst)
{
    gt_image_view *v = cookie;
    memcpy(dst, (const float *)v->data + (size_t)y * 40, (size_t)rows * 40 * sizeof *dst);
    return GT_OK;
}

static gt_status find_page(void *cookie, size_t page, gt_row_source *out)
{
    gt_image_view *views = cookie;
    *out = (gt_row_source){40, 40, 1, read_rows, &views[page]};
    return GT_OK;
}

/* Loaded from a folder with one scale; labelled with the scale of the same pages. */
static void test_stack(void **state)
{
    (void)state;
    char path[2][128];
    gt_image_reader *reader = NULL;
    gt_image *in[2];
    gt_image_view views[2];
    gt_preprocess o = example(1);
    gt_preprocess none = example(3);
    none.crop_x = none.crop_y = none.crop_width = none.crop_height = 0;
    o.scope = GT_SCOPE_STACK;
    write_page("a.png", 0, path[0], sizeof path[0]);
    write_page("b.png", 150, path[1], sizeof path[1]);
    tiny_ok(gt_image_reader_open(&reader, folder, NULL));
    for (size_t i = 0; i < 2; i++) {
        tiny_ok(gt_image_reader_load(&in[i], reader, i));
        views[i] = gt_image_get_view(in[i]);
    }
    gt_dataset *d = new_dataset(&o);
    tiny_ok(gt_dataset_load(d, folder, folder)); /* the images are labels as well as any */
    assert_int_equal(gt_dataset_images(d), 2);
    double mean = 0.0;
    for (size_t i = 0; i < 1600; i++) {
        mean += ((double)d->pages[0].raw[i] + (double)d->pages[1].raw[i]) / 3200.0;
    }
    assert_true(fabs(mean) < 1e-5 && (double)d->pages[1].raw[0] - (double)d->pages[0].raw[0] > 1.5);
    /* an image added alone is its own stack */
    tiny_ok(gt_dataset_add(d, &views[1], &views[1]));
    assert_true(d->pages[2].raw[0] < 0 && d->pages[1].raw[0] > 0);

    gt_model *model = tiny_new_model("usk", 1, 2);
    gt_predict_options po;
    gt_predictor *p = NULL;
    gt_image *out = NULL;
    gt_predict_options_init(&po);
    po.deterministic = 1;
    tiny_ok(gt_model_set_preprocess(model, &o));
    tiny_ok(gt_predictor_create(&p, device, model, &po));
    const gt_page_source stack = {2, find_page, views};
    for (size_t i = 0; i < 3; i++) {
        tiny_ok(gt_predictor_set_stack(p, i < 2 ? &stack : NULL));
        tiny_ok(gt_predictor_run(&out, p, &views[i < 2 ? i : 1]));
        gt_image *seen = page_image(d, i);
        gt_image *want = predict(model, &none, seen, 0);
        same(want, out, i);
        gt_image_free(want);
        gt_image_free(seen);
        gt_image_free(out);
    }
    const gt_page_source empty = {0, find_page, views};
    assert_int_equal(gt_predictor_set_stack(p, &empty), GT_EINVAL);
    ((float *)views[1].data)[41] = NAN;
    assert_int_equal(gt_predictor_set_stack(p, &stack), GT_ENUMERIC);
    assert_string_equal(gt_error_message(), "page 2: pixel x 1, y 1, channel 0 is not a number");
    gt_predictor_free(p);
    gt_model_free(model);
    gt_dataset_free(d);
    gt_image_reader_free(reader);
    for (size_t i = 0; i < 2; i++) {
        gt_image_free(in[i]);
        remove(path[i]);
    }
}

/* The trainer hands the data's preprocessing to the model; a checkpoint of another is refused. */
static void test_trainer(void **state)
{
    (void)state;
    char path[128];
    gt_preprocess got;
    gt_preprocess o = example(7);
    gt_image *in = tiny_new_image(1, WIDTH, HEIGHT);
    gt_image *labels = NULL;
    tiny_ok(gt_image_create(&labels, GT_U8, 1, HEIGHT, WIDTH));
    gt_image_view raw = gt_image_get_view(in);
    gt_image_view truth = gt_image_get_view(labels);
    ((uint8_t *)truth.data)[70 * WIDTH + 20] = 1;
    snprintf(path, sizeof path, "%s/model", folder);
    for (int32_t again = 0; again < 2; again++) {
        gt_model *model = tiny_new_model("usk", 1, 2);
        gt_dataset *d = new_dataset(&o);
        gt_trainer *trainer = NULL;
        tiny_ok(gt_dataset_add(d, &raw, &truth));
        tiny_ok(gt_trainer_create(&trainer, device, model, d, NULL));
        gt_model_get_preprocess(model, &got);
        assert_int_equal(gt_preprocess_equal(&got, &o), 1);
        if (again) {
            assert_int_equal(gt_trainer_resume(trainer, path), GT_EINVAL);
            assert_non_null(strstr(gt_error_message(), "trained with another preprocessing"));
        } else {
            tiny_ok(gt_trainer_save(trainer, path));
            tiny_ok(gt_trainer_resume(trainer, path));
        }
        gt_trainer_free(trainer);
        gt_dataset_free(d);
        gt_model_free(model);
        o.clahe = 5;
    }
    remove(path);
    gt_image_free(labels);
    gt_image_free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_training),
        cmocka_unit_test(test_stack),
        cmocka_unit_test(test_trainer),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
