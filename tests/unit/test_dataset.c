/* Data sets: normalisation, labels from grey values, files. SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/dataset.h"

static gt_dataset *create(int32_t labels, int32_t channels, int32_t ignore)
{
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    o.labels = labels;
    o.channels = channels;
    o.ignore_value = ignore;
    gt_dataset *d = NULL;
    assert_int_equal(gt_dataset_create(&d, &o), GT_OK);
    return d;
}

/* One image of n x 1 pixels whose labels are given. */
static gt_status add_labels(gt_dataset *d, const int32_t *grey, int32_t n)
{
    static float raw[1000];
    int32_t copy[1000];
    memcpy(copy, grey, (size_t)n * sizeof *copy);
    gt_image_view r = gt_image_view_planar(raw, GT_F32, 1, 1, n);
    gt_image_view l = gt_image_view_planar(copy, GT_I32, 1, 1, n);
    return gt_dataset_add(d, &r, &l);
}

static void test_normalise(void **state)
{
    (void)state;
    gt_dataset *d = create(0, 0, -1);
    /* interleaved colour, all channels share one scale: 10 to 210 */
    uint8_t raw[6] = {10, 110, 60, 210, 160, 85};
    uint8_t labels[2] = {0, 9};
    gt_image_view r = {raw, GT_U8, 2, 1, 3, 3, 6, 1};
    gt_image_view l = gt_image_view_planar(labels, GT_U8, 1, 1, 2);
    assert_int_equal(gt_dataset_channels(d), 0);
    assert_int_equal(gt_dataset_add(d, &r, &l), GT_OK);
    const float want[6] = {-1, 1, 0, 0.5F, -0.5F, -0.25F}; /* planar */
    for (int32_t i = 0; i < 6; i++) {
        assert_true(fabsf(d->pages[0].raw[i] - want[i]) < 1e-6F);
    }
    assert_int_equal(gt_dataset_channels(d), 3);
    /* a constant grey page joins a colour set */
    double flat[2] = {7.5, 7.5};
    gt_image_view f = gt_image_view_planar(flat, GT_F64, 1, 1, 2);
    assert_int_equal(gt_dataset_add(d, &f, &l), GT_OK);
    assert_true(d->pages[1].raw[0] == -1 && d->pages[1].raw[1] == -1);
    assert_int_equal(gt_dataset_images(d), 2);
    assert_int_equal(gt_dataset_channels(d), 3);
    gt_dataset_free(d);
    gt_dataset_free(NULL);
}

static void assert_values(gt_dataset *d, int32_t n, const int32_t *grey)
{
    int32_t labels = 0;
    assert_int_equal(gt_dataset_labels(&labels, d), GT_OK);
    assert_int_equal(labels, n);
    for (int32_t i = 0; i < n; i++) {
        assert_int_equal(gt_dataset_grey(d, i), grey[i]);
        if (grey[i] >= 0 && grey[i] != d->options.ignore_value) {
            assert_int_equal(d->rank[grey[i]], i);
        }
    }
    assert_int_equal(gt_dataset_grey(d, n), -1);
    assert_int_equal(gt_dataset_grey(d, -1), -1);
}

/* Ranks of all values of all images; nothing can be added afterwards. */
static void test_ranks(void **state)
{
    (void)state;
    gt_dataset *d = create(0, 0, -1);
    assert_int_equal(add_labels(d, (int32_t[]){255, 32, 255}, 3), GT_OK);
    assert_int_equal(add_labels(d, (int32_t[]){64, 0, 60000}, 3), GT_OK);
    assert_values(d, 5, (int32_t[]){0, 32, 64, 255, 60000});
    assert_int_equal(d->rank[1], -1);
    assert_int_equal(add_labels(d, (int32_t[]){0}, 1), GT_EINVAL);
    gt_dataset_free(d);
}

/* Two labels of which one does not occur keep their meaning; other values are ranked. */
static void test_masks(void **state)
{
    (void)state;
    const struct {
        int32_t seen[2], want[2];
    } cases[] = {
        {{255, 255}, {0, 255}}, {{0, 0}, {0, 255}},   {{1, 1}, {0, 1}},  {{0, 1}, {0, 1}},
        {{0, 255}, {0, 255}},   {{1, 255}, {1, 255}}, {{7, 7}, {7, -1}}, {{3, 200}, {3, 200}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gt_dataset *d = create(2, 0, -1);
        assert_int_equal(add_labels(d, cases[i].seen, 2), GT_OK);
        assert_values(d, 2, cases[i].want);
        gt_dataset_free(d);
    }
}

static void test_ignored(void **state)
{
    (void)state;
    gt_dataset *d = create(0, 0, 9);
    assert_int_equal(add_labels(d, (int32_t[]){4, 9, 2}, 3), GT_OK);
    assert_values(d, 2, (int32_t[]){2, 4});
    assert_int_equal(d->rank[9], -1);
    gt_dataset_free(d);
    d = create(2, 0, 9);
    assert_int_equal(add_labels(d, (int32_t[]){9, 9}, 2), GT_OK);
    int32_t labels = 0;
    assert_int_equal(gt_dataset_labels(&labels, d), GT_EFORMAT);
    gt_dataset_free(d);
}

/* The message names the rare values. */
static void test_surplus(void **state)
{
    (void)state;
    gt_dataset *d = create(2, 0, -1);
    int32_t labels = 0;
    assert_int_equal(gt_dataset_labels(&labels, d), GT_EINVAL);
    assert_int_equal(add_labels(d, (int32_t[]){0, 0, 0, 255, 255, 255, 254, 127, 127}, 9), GT_OK);
    assert_int_equal(gt_dataset_labels(&labels, d), GT_EFORMAT);
    assert_non_null(strstr(gt_error_message(), "4 different values, 2 labels"));
    assert_non_null(strstr(gt_error_message(), "254 (1 pixels), 127 (2 pixels)"));
    assert_null(strstr(gt_error_message(), "255"));
    assert_int_equal(gt_dataset_grey(d, 0), -1);
    gt_dataset_free(d);
    int32_t many[300];
    for (int32_t i = 0; i < 300; i++) {
        many[i] = i;
    }
    d = create(0, 0, -1);
    assert_int_equal(add_labels(d, many, 300), GT_OK);
    assert_int_equal(gt_dataset_labels(&labels, d), GT_EFORMAT);
    assert_non_null(strstr(gt_error_message(), "instance segmentation or a raw image"));
    gt_dataset_free(d);
    d = create(0, 0, -1);
    assert_int_equal(add_labels(d, (int32_t[]){5, 5}, 2), GT_OK);
    assert_int_equal(gt_dataset_labels(&labels, d), GT_EFORMAT);
    gt_dataset_free(d);
}

static void test_refused(void **state)
{
    (void)state;
    gt_dataset *d = create(0, 1, -1);
    float raw[12] = {0, 1, 2, 3};
    float labels[12] = {0, 1, 1, 0};
    gt_image_view r = gt_image_view_planar(raw, GT_F32, 1, 2, 2);
    gt_image_view l = gt_image_view_planar(labels, GT_F32, 1, 2, 2);
    gt_image_view wide = gt_image_view_planar(labels, GT_F32, 1, 1, 4);
    gt_image_view colour = gt_image_view_planar(raw, GT_F32, 3, 2, 2);
    gt_image_view two = gt_image_view_planar(raw, GT_F32, 2, 2, 2);
    assert_int_equal(gt_dataset_add(d, &r, &wide), GT_ESHAPE);
    assert_int_equal(gt_dataset_add(d, &colour, &l), GT_ESHAPE);
    assert_int_equal(gt_dataset_add(d, &two, &l), GT_ESHAPE);
    assert_int_equal(gt_dataset_add(d, &r, &colour), GT_ESHAPE);
    raw[3] = INFINITY;
    assert_int_equal(gt_dataset_add(d, &r, &l), GT_ENUMERIC);
    assert_non_null(strstr(gt_error_message(), "x 1, y 1"));
    raw[3] = 3;
    const struct {
        float value;
        gt_status want;
    } bad[] = {{0.5F, GT_EFORMAT}, {-1, GT_EFORMAT}, {65536, GT_EFORMAT}, {NAN, GT_ENUMERIC}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        labels[2] = bad[i].value;
        assert_int_equal(gt_dataset_add(d, &r, &l), bad[i].want);
    }
    assert_int_equal(gt_dataset_images(d), 0);
    labels[2] = 65535;
    assert_int_equal(gt_dataset_add(d, &r, &l), GT_OK);
    gt_dataset_free(d);
    gt_dataset_options o = {.labels = 257, .ignore_value = -1};
    assert_int_equal(gt_dataset_create(&d, &o), GT_EINVAL);
    o = (gt_dataset_options){.labels = 1, .ignore_value = -1};
    assert_int_equal(gt_dataset_create(&d, &o), GT_EINVAL);
    o = (gt_dataset_options){.channels = 2, .ignore_value = -1};
    assert_int_equal(gt_dataset_create(&d, &o), GT_EINVAL);
    o = (gt_dataset_options){.ignore_value = 65536};
    assert_int_equal(gt_dataset_create(&d, &o), GT_EINVAL);
}

/* ---- files ---- */

static char folder[64];
static char raw_path[96];
static char labels_path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_dataset_XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(raw_path, sizeof raw_path, "%s/raw.tif", folder);
    snprintf(labels_path, sizeof labels_path, "%s/labels.tif", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(raw_path);
    unlink(labels_path);
    return rmdir(folder);
}

/* Pages of 4 x 3 pixels; sample i of page p is base + (i + p) % 2 in the first channel and `other`
 * more in the rest. */
static void write_pages(const char *path, gt_type type, int32_t channels, size_t pages,
                        int32_t height, float base, float other)
{
    gt_writer_options o;
    gt_image_writer *w = NULL;
    gt_writer_options_init(&o);
    o.type = type;
    o.width = 4;
    o.height = height;
    o.channels = channels;
    o.pages = pages;
    o.overwrite = 1;
    assert_int_equal(gt_image_writer_open(&w, path, &o), GT_OK);
    float page[3 * 4 * 8];
    for (size_t p = 0; p < pages; p++) {
        for (int32_t i = 0; i < channels * 4 * height; i++) {
            page[i] = base + (float)((i + (int32_t)p) % 2) + (i >= 4 * height ? other : 0);
        }
        assert_int_equal(gt_image_writer_rows(w, height, page), GT_OK);
    }
    assert_int_equal(gt_image_writer_finish(w), GT_OK);
    gt_image_writer_free(w);
}

static void test_load(void **state)
{
    (void)state;
    gt_dataset *d = create(0, 0, -1);
    write_pages(raw_path, GT_U8, 1, 3, 3, 17, 0);
    write_pages(labels_path, GT_U16, 1, 3, 3, 300, 0);
    assert_int_equal(gt_dataset_load(d, raw_path, labels_path), GT_OK);
    assert_int_equal(gt_dataset_images(d), 3);
    assert_true(d->pages[1].width == 4 && d->pages[1].height == 3);
    for (int32_t i = 0; i < 12; i++) {
        assert_true(d->pages[1].raw[i] == ((i + 1) % 2 ? 1 : -1));
        assert_int_equal(d->pages[1].grey[i], 300 + (i + 1) % 2);
    }
    /* a colour file whose channels agree is as good as a grey one */
    write_pages(labels_path, GT_U8, 3, 3, 3, 44, 0);
    assert_int_equal(gt_dataset_load(d, raw_path, labels_path), GT_OK);
    assert_values(d, 4, (int32_t[]){44, 45, 300, 301});
    gt_dataset_free(d);
}

static int on_page(uint64_t done, uint64_t total, void *cookie)
{
    uint64_t *last = cookie;
    assert_true(done == last[0] + 1 && total == 3);
    last[0] = done;
    return done == last[1];
}

static void test_load_progress(void **state)
{
    (void)state;
    uint64_t last[2] = {0, 4};
    gt_dataset *d = NULL;
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    assert_true(!o.progress);
    o.progress = on_page;
    o.cookie = last;
    write_pages(raw_path, GT_U8, 1, 3, 3, 17, 0);
    write_pages(labels_path, GT_U8, 1, 3, 3, 30, 0);
    assert_int_equal(gt_dataset_create(&d, &o), GT_OK);
    assert_int_equal(gt_dataset_load(d, raw_path, labels_path), GT_OK);
    assert_true(last[0] == 3);
    last[0] = 0;
    last[1] = 2; /* stop there */
    assert_int_equal(gt_dataset_load(d, raw_path, labels_path), GT_ECANCELLED);
    assert_string_equal(gt_error_message(), "loading was stopped after 2 of 3 pages");
    assert_true(last[0] == 2);
    assert_int_equal(gt_dataset_images(d), 3);
    gt_dataset_free(d);
}

static void assert_load_fails(gt_status want, const char *words)
{
    gt_dataset *d = create(0, 0, -1);
    assert_int_equal(gt_dataset_load(d, raw_path, labels_path), want);
    if (!strstr(gt_error_message(), words)) {
        fail_msg("'%s' lacks '%s'", gt_error_message(), words);
    }
    assert_int_equal(gt_dataset_images(d), 0);
    assert_int_equal(gt_dataset_channels(d), 0);
    gt_dataset_free(d);
}

static void test_load_refused(void **state)
{
    (void)state;
    write_pages(raw_path, GT_U8, 1, 2, 3, 17, 0);
    write_pages(labels_path, GT_U8, 1, 3, 3, 0, 0);
    assert_load_fails(GT_ESHAPE, "has 2 pages");
    write_pages(labels_path, GT_U8, 1, 2, 5, 0, 0);
    assert_load_fails(GT_ESHAPE, "page 1: the image (raw.tif) is 4 x 3 pixels, its labels "
                                 "(labels.tif) are 4 x 5");
    write_pages(labels_path, GT_U8, 3, 2, 3, 0, 9);
    assert_load_fails(GT_EFORMAT, "labels.tif page 1: labels must be grey values");
    write_pages(labels_path, GT_F32, 1, 2, 3, 0.25F, 0);
    assert_load_fails(GT_EFORMAT, "label 0.25 at x 0, y 0");
    unlink(labels_path);
    assert_load_fails(GT_EIO, "labels.tif");
    write_pages(labels_path, GT_U8, 1, 2, 3, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalise),    cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_masks),        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_surplus),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_load),         cmocka_unit_test(test_load_progress),
        cmocka_unit_test(test_load_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
