/* Label images in both layouts, alone and in a data set. SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/dataset.h"

enum { W = 4, H = 2, N = W * H };
static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void make(const char *name)
{
    assert_int_equal(mkdir(in_folder(name), 0777), 0);
}

/* A grey TIFF of W x H pixels, `pages` times the same. */
static void write_image(const char *name, const float *pixels, size_t pages, int32_t height)
{
    gt_writer_options o;
    gt_image_writer *w = NULL;
    gt_writer_options_init(&o);
    o.type = GT_U8;
    o.width = W;
    o.height = height;
    o.pages = pages;
    o.overwrite = 1;
    assert_int_equal(gt_image_writer_open(&w, in_folder(name), &o), GT_OK);
    for (size_t p = 0; p < pages; p++) {
        assert_int_equal(gt_image_writer_rows(w, height, pixels), GT_OK);
    }
    assert_int_equal(gt_image_writer_finish(w), GT_OK);
    gt_image_writer_free(w);
}

static int begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_label_reader_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static gt_label_reader *open_reader(const char *name, int32_t labels)
{
    gt_label_reader *r = NULL;
    if (gt_label_reader_open(&r, in_folder(name), labels, NULL) != GT_OK) {
        fail_msg("%s: %s", name, gt_error_message());
    }
    return r;
}

static void assert_page(gt_label_reader *r, size_t page, const int32_t *want)
{
    gt_image *image = NULL;
    assert_int_equal(gt_label_reader_load(&image, r, page), GT_OK);
    gt_image_view v = gt_image_get_view(image);
    assert_true(v.type == GT_I32 && v.channels == 1 && v.width == W && v.height == H);
    assert_memory_equal(v.data, want, N * sizeof *want);
    gt_image_free(image);
}

static void assert_fails(const char *name, int32_t labels, gt_status want, const char *words)
{
    gt_label_reader *r = NULL;
    gt_image *image = NULL;
    gt_status status = gt_label_reader_open(&r, in_folder(name), labels, NULL);
    if (status == GT_OK) {
        status = gt_label_reader_load(&image, r, 0);
    }
    assert_int_equal(status, want);
    if (!strstr(gt_error_message(), words)) {
        fail_msg("'%s' lacks '%s'", gt_error_message(), words);
    }
    gt_label_reader_free(r);
}

/* Sub-folders in the order of their names, masks of any grey; page 1 is another file. */
static const float cell[2][N] = {{255, 255, 1, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 9}};
static const float wall[2][N] = {{0, 0, 2, 255, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1, 1, 0}};
static const float xray[2][N] = {{0, 0, 0, 0, 0, 0, 3, 0}, {0, 0, 0, 4, 0, 0, 0, 0}};

static void make_masks(void)
{
    static bool made;
    if (made) {
        return;
    }
    made = true;
    make("masks");
    make("masks/b_cell");
    make("masks/a_wall");
    make("masks/c_xray");
    make("masks/.hidden");
    write_image("masks/b_cell/1.tif", cell[0], 1, H);
    write_image("masks/b_cell/2.tif", cell[1], 1, H);
    write_image("masks/a_wall/x.tif", wall[0], 1, H);
    write_image("masks/a_wall/y.tif", wall[1], 1, H);
    write_image("masks/c_xray/1.tif", xray[0], 1, H);
    write_image("masks/c_xray/2.tif", xray[1], 1, H);
}

static void test_folders(void **state)
{
    (void)state;
    make_masks();
    gt_label_reader *r = open_reader("masks", 0);
    assert_int_equal(gt_label_reader_labels(r), 3);
    assert_int_equal(gt_label_reader_pages(r), 2);
    assert_string_equal(gt_label_reader_name(r, 0), "a_wall");
    assert_string_equal(gt_label_reader_name(r, 1), "b_cell");
    assert_string_equal(gt_label_reader_name(r, 3), "");
    assert_string_equal(gt_label_reader_name(r, -1), "");
    /* the last one that is above 0; 0 where none is */
    assert_page(r, 0, (int32_t[]){1, 1, 1, 0, 0, 0, 2, 0});
    assert_page(r, 1, (int32_t[]){0, 0, 0, 2, 0, 0, 0, 1});
    gt_label_reader_free(r);
    /* one label more: what is in none, whatever grey the masks have; two more: the last stays */
    for (int32_t labels = 4; labels <= 5; labels++) {
        r = open_reader("masks", labels);
        assert_int_equal(gt_label_reader_labels(r), 4);
        assert_page(r, 0, (int32_t[]){1, 1, 1, 0, 3, 3, 2, 3});
        assert_page(r, 1, (int32_t[]){0, 0, 0, 2, 0, 0, 0, 1});
        gt_label_reader_free(r);
    }
}

static void test_grey(void **state)
{
    (void)state;
    make("plain");
    write_image("plain/b.tif", cell[0], 1, H);
    write_image("plain/a.tif", cell[1], 2, H);
    gt_label_reader *r = open_reader("plain", 0);
    assert_int_equal(gt_label_reader_labels(r), 0);
    assert_int_equal(gt_label_reader_pages(r), 3);
    assert_string_equal(gt_label_reader_name(r, 0), "");
    assert_page(r, 1, (int32_t[]){0, 0, 0, 0, 0, 0, 0, 9});
    assert_page(r, 2, (int32_t[]){255, 255, 1, 0, 0, 0, 0, 0});
    size_t in_file = 9;
    assert_string_equal(gt_label_reader_file(r, 1, &in_file), "a.tif");
    assert_int_equal(in_file, 1);
    gt_label_reader_free(r);
}

static void test_refused(void **state)
{
    (void)state;
    make_masks();
    assert_fails("masks", 2, GT_EFORMAT, "3 sub-folders, 2 labels wanted");
    make("mixed");
    make("mixed/one");
    make("mixed/two");
    write_image("mixed/one/1.tif", cell[0], 1, H);
    write_image("mixed/two/1.tif", cell[0], 1, H);
    write_image("mixed/1.tif", cell[0], 1, H);
    assert_fails("mixed", 0, GT_EFORMAT, "1 images beside 2 sub-folders");
    make("single");
    make("single/only");
    write_image("single/only/1.tif", cell[0], 1, H);
    assert_fails("single", 0, GT_EFORMAT, "one sub-folder only (only)");
    make("uneven");
    make("uneven/one");
    make("uneven/two");
    write_image("uneven/one/1.tif", cell[0], 2, H);
    write_image("uneven/two/1.tif", cell[0], 1, H);
    assert_fails("uneven", 0, GT_ESHAPE, "sub-folder one has 2 pages, two has 1");
    make("sizes");
    make("sizes/one");
    make("sizes/two");
    write_image("sizes/one/1.tif", cell[0], 1, H);
    write_image("sizes/two/1.tif", cell[0], 1, 1);
    assert_fails("sizes", 0, GT_ESHAPE, "two/1.tif page 1: 4 x 1 pixels, the first label's");
    make("bare");
    make("bare/one");
    make("bare/two");
    assert_fails("bare", 0, GT_EFORMAT, "one: the folder holds no .tif");
    make("long");
    make("long/one");
    char name[96] = "long/";
    memset(name + 5, 'x', 70);
    make(name);
    assert_fails("long", 0, GT_EFORMAT, "is above 63 bytes");
    assert_fails("nowhere", 0, GT_EIO, "nowhere");
    gt_label_reader *r = NULL;
    assert_int_equal(gt_label_reader_open(&r, NULL, 0, NULL), GT_EINVAL);
    assert_int_equal(gt_label_reader_open(&r, in_folder("masks"), 257, NULL), GT_EINVAL);
}

static gt_dataset *dataset_of(const gt_dataset_options *o, const char *labels, gt_status want)
{
    gt_dataset *d = NULL;
    char raw[256];
    write_image("raw.tif", cell[0], 2, H);
    snprintf(raw, sizeof raw, "%s", in_folder("raw.tif"));
    assert_int_equal(gt_dataset_create(&d, o), GT_OK);
    if (gt_dataset_load(d, raw, in_folder(labels)) != want) {
        fail_msg("%s: %s", labels, gt_error_message());
    }
    return d;
}

/* Labels are the sub-folders, also those whose images are empty. */
static void test_dataset(void **state)
{
    (void)state;
    make_masks();
    int32_t labels = 0;
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    gt_dataset *d = dataset_of(&o, "masks", GT_OK);
    assert_int_equal(gt_dataset_labels(&labels, d), GT_OK);
    assert_int_equal(labels, 3);
    assert_int_equal(gt_dataset_grey(d, 1), -1);
    assert_string_equal(d->names[2], "c_xray");
    assert_int_equal(d->pages[0].grey[6], 2);
    assert_int_equal(d->rank[2], 2);
    assert_int_equal(d->rank[3], -1);
    gt_dataset_free(d);
    o.labels = 5;
    d = dataset_of(&o, "masks", GT_OK);
    assert_int_equal(gt_dataset_labels(&labels, d), GT_OK);
    assert_int_equal(labels, 5);
    assert_int_equal(d->pages[0].grey[4], 3);
    assert_string_equal(d->names[3], "");
    gt_dataset_free(d);
    o.labels = 0;
    o.ignore_value = 1;
    d = dataset_of(&o, "masks", GT_OK);
    assert_int_equal(gt_dataset_labels(&labels, d), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "ignore value 1, but the labels are given by sub"));
    gt_dataset_free(d);
}

/* Sub-folders after grey values, and other sub-folders after the first. */
static void test_dataset_mixed(void **state)
{
    (void)state;
    make_masks();
    char raw[256];
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    make("two");
    write_image("two/a.tif", cell[0], 2, H);
    gt_dataset *d = dataset_of(&o, "two", GT_OK);
    snprintf(raw, sizeof raw, "%s", in_folder("raw.tif"));
    assert_int_equal(gt_dataset_load(d, raw, in_folder("masks")), GT_EFORMAT);
    assert_non_null(strstr(gt_error_message(), "labels by 3 sub-folders after labels by 0"));
    assert_int_equal(gt_dataset_images(d), 2);
    gt_dataset_free(d);
    make("others");
    make("others/a_wall");
    make("others/b_sell");
    make("others/c_xray");
    write_image("others/a_wall/1.tif", cell[0], 2, H);
    write_image("others/b_sell/1.tif", cell[0], 2, H);
    write_image("others/c_xray/1.tif", cell[0], 2, H);
    d = dataset_of(&o, "masks", GT_OK);
    assert_int_equal(gt_dataset_load(d, raw, in_folder("masks")), GT_OK);
    assert_int_equal(gt_dataset_load(d, raw, in_folder("others")), GT_EFORMAT);
    assert_non_null(
        strstr(gt_error_message(), "label 1 is in sub-folder b_sell, but was in b_cel"));
    assert_int_equal(gt_dataset_images(d), 4);
    /* an image of the caller's own may only use labels that exist */
    static uint8_t raw_pixels[N];
    static uint8_t own[N] = {0, 1, 2, 3};
    gt_image_view views[2] = {gt_image_view_planar(raw_pixels, GT_U8, 1, H, W),
                              gt_image_view_planar(own, GT_U8, 1, H, W)};
    assert_int_equal(gt_dataset_add(d, &views[0], &views[1]), GT_OK);
    assert_int_equal(gt__dataset_ready(d), GT_EFORMAT);
    assert_non_null(strstr(gt_error_message(), "label 3 among labels of 3 sub-folders"));
    gt_dataset_free(d);
    /* a load that fails leaves no layout behind */
    write_image("sizes/two/1.tif", cell[0], 1, 1);
    write_image("raw1.tif", cell[0], 1, H);
    assert_int_equal(gt_dataset_create(&d, &o), GT_OK);
    snprintf(raw, sizeof raw, "%s", in_folder("raw1.tif"));
    assert_int_equal(gt_dataset_load(d, raw, in_folder("sizes")), GT_ESHAPE);
    assert_int_equal(d->folders, 0);
    assert_int_equal(gt_dataset_load(d, raw, in_folder("plain/b.tif")), GT_OK);
    gt_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders),       cmocka_unit_test(test_grey),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_dataset),
        cmocka_unit_test(test_dataset_mixed),
    };
    return cmocka_run_group_tests_name("label_reader", tests, begin, end);
}
