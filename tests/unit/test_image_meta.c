/* What is kept beside the pixels: voxels, hyperstacks, palettes; and the names while writing.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include <greentea/image.h>

static char tif[64];
static char png[64];

static int make_paths(void **state)
{
    (void)state;
    snprintf(tif, sizeof tif, "/tmp/gt-meta-%ld.tif", (long)getpid());
    snprintf(png, sizeof png, "/tmp/gt-meta-%ld.png", (long)getpid());
    return 0;
}

static int remove_paths(void **state)
{
    (void)state;
    unlink(tif);
    unlink(png);
    return 0;
}

static const unsigned char colours[] = {0, 0, 0, 255, 0, 17, 0, 128, 255};
static const float indices[] = {0, 1, 2, 2, 1, 0};

static gt_writer_options options_of(gt_type type, size_t pages)
{
    gt_writer_options o;
    gt_writer_options_init(&o);
    o.type = type;
    o.width = 3;
    o.height = 2;
    o.pages = pages;
    o.overwrite = 1;
    return o;
}

static void write_pages(const char *path, const gt_writer_options *o)
{
    gt_image_writer *w = NULL;
    assert_int_equal(gt_image_writer_open(&w, path, o), GT_OK);
    for (size_t i = 0; i < o->pages; ++i) {
        assert_int_equal(gt_image_writer_rows(w, 2, indices), GT_OK);
    }
    assert_int_equal(gt_image_writer_finish(w), GT_OK);
    gt_image_writer_free(w);
}

static gt_image_reader *open_reader(const char *path)
{
    gt_image_reader *r = NULL;
    assert_int_equal(gt_image_reader_open(&r, path, NULL), GT_OK);
    return r;
}

static const gt_image_meta voxels = {.x_resolution = 250,
                                     .y_resolution = 125,
                                     .resolution_unit = 1,
                                     .unit = "micron",
                                     .spacing = "0.05",
                                     .frame_interval = "2.5",
                                     .channels = 1,
                                     .slices = 3,
                                     .frames = 2};

/* Written, then read by libtiff and by the reader. */
static void meta_is_kept(void **state)
{
    (void)state;
    gt_writer_options o = options_of(GT_F32, 12);
    o.hyperstack_channels = 2;
    o.meta = &voxels;
    write_pages(tif, &o);
    TIFF *t = TIFFOpen(tif, "r");
    char *text = NULL;
    float x = 0;
    float y = 0;
    uint16_t unit = 0;
    assert_int_equal(TIFFGetField(t, TIFFTAG_IMAGEDESCRIPTION, &text), 1);
    assert_non_null(strstr(text, "ImageJ=1.53t\nimages=12\nchannels=2\nslices=3\nframes=2\n"
                                 "hyperstack=true\nmode=composite\nunit=micron\nspacing=0.05\n"
                                 "finterval=2.5\nloop=false\n"));
    for (int page = 0; page < 12; page += 11) {
        assert_int_equal(TIFFSetDirectory(t, (tdir_t)page), 1);
        assert_int_equal(TIFFGetField(t, TIFFTAG_XRESOLUTION, &x), 1);
        assert_int_equal(TIFFGetField(t, TIFFTAG_YRESOLUTION, &y), 1);
        assert_int_equal(TIFFGetField(t, TIFFTAG_RESOLUTIONUNIT, &unit), 1);
        assert_true(x == 250 && y == 125 && unit == 1);
    }
    TIFFClose(t);

    gt_image_reader *r = open_reader(tif);
    gt_image_meta m;
    assert_int_equal(gt_image_reader_meta(&m, r, 11), GT_OK);
    assert_true(m.x_resolution == 250 && m.y_resolution == 125 && m.resolution_unit == 1);
    assert_string_equal(m.unit, "micron");
    assert_string_equal(m.spacing, "0.05");
    assert_string_equal(m.frame_interval, "2.5");
    assert_true(m.channels == 2 && m.slices == 3 && m.frames == 2);
    assert_int_equal(gt_image_reader_meta(&m, r, 12), GT_EINVAL);
    gt_image_reader_free(r);
}

/* Frames that do not fit the pages, lines in a unit, and nothing at all. */
static void odd_meta(void **state)
{
    (void)state;
    gt_writer_options o = options_of(GT_U8, 5);
    gt_image_meta m = voxels;
    snprintf(m.unit, sizeof m.unit, "nm\nimages=9");
    o.meta = &m;
    write_pages(tif, &o);
    gt_image_reader *r = open_reader(tif);
    gt_image_meta got;
    assert_int_equal(gt_image_reader_pages(r), 5);
    assert_int_equal(gt_image_reader_meta(&got, r, 0), GT_OK);
    assert_true(got.channels == 1 && got.slices == 5 && got.frames == 1);
    assert_string_equal(got.unit, "");
    gt_image_reader_free(r);
    o.meta = NULL;
    write_pages(tif, &o);
    r = open_reader(tif);
    assert_int_equal(gt_image_reader_meta(&got, r, 4), GT_OK);
    assert_true(got.x_resolution == 0 && got.slices == 5 && *got.spacing == '\0');
    gt_image_reader_free(r);
}

/* A palette gives colours, or indices on request; the values beyond it are black. */
static void palettes(void **state)
{
    (void)state;
    for (int k = 0; k < 2; ++k) {
        const char *path = k ? png : tif;
        gt_writer_options o = options_of(GT_U8, 1);
        o.palette = colours;
        o.palette_entries = 3;
        write_pages(path, &o);
        gt_image_reader *r = open_reader(path);
        gt_page_info info;
        float got[18];
        assert_int_equal(gt_image_reader_page(&info, r, 0), GT_OK);
        assert_int_equal(info.channels, 3);
        assert_int_equal(gt_image_reader_rows(r, 0, 0, 2, got), GT_OK);
        for (int c = 0; c < 3; ++c) {
            for (int i = 0; i < 6; ++i) {
                assert_true(got[c * 6 + i] == (float)colours[3 * (int)indices[i] + c]);
            }
        }
        gt_image_reader_keep_indices(r);
        assert_int_equal(gt_image_reader_page(&info, r, 0), GT_OK);
        assert_int_equal(info.channels, 1);
        assert_int_equal(info.type, GT_U8);
        assert_int_equal(gt_image_reader_rows(r, 0, 0, 2, got), GT_OK);
        assert_memory_equal(got, indices, sizeof indices);
        gt_image_reader_free(r);
    }
}

/* Grey palettes stay what they look like. */
static void grey_palettes(void **state)
{
    (void)state;
    static const unsigned char inverted[] = {255, 255, 255, 128, 128, 128, 0, 0, 0};
    for (int k = 0; k < 2; ++k) {
        const char *path = k ? png : tif;
        gt_writer_options o = options_of(GT_U8, 1);
        o.palette = inverted;
        o.palette_entries = 3;
        write_pages(path, &o);
        gt_image_reader *r = open_reader(path);
        float got[6];
        gt_image_reader_keep_indices(r);
        assert_int_equal(gt_image_reader_rows(r, 0, 0, 2, got), GT_OK);
        assert_true(got[0] == 255 && got[1] == 128 && got[2] == 0);
        gt_image_reader_free(r);
    }
}

static void refused_palettes(void **state)
{
    (void)state;
    gt_image_writer *w = NULL;
    gt_writer_options o = options_of(GT_U16, 1);
    o.palette = colours;
    o.palette_entries = 3;
    assert_int_equal(gt_image_writer_open(&w, tif, &o), GT_EINVAL);
    o.type = GT_U8;
    o.palette_entries = 257;
    assert_int_equal(gt_image_writer_open(&w, tif, &o), GT_EINVAL);
    o.palette_entries = 3;
    o.channels = 3;
    assert_int_equal(gt_image_writer_open(&w, tif, &o), GT_EINVAL);
    assert_null(w);
}

/* What other programs read wrongly is not written: ImageJ two strips of up to 64 KiB, tifffile two
 * pages that are not compressed. */
static void for_others(void **state)
{
    (void)state;
    static const struct {
        int32_t height;
        size_t pages;
        uint32_t strips;
        uint16_t compression;
    } cases[] = {{128, 3, 1, COMPRESSION_NONE},
                 {129, 3, 1, COMPRESSION_NONE},
                 {256, 1, 1, COMPRESSION_NONE},
                 {257, 3, 3, COMPRESSION_NONE},
                 {200, 2, 1, COMPRESSION_ADOBE_DEFLATE}};
    static const float page[128 * 257] = {1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gt_image_writer *w = NULL;
        gt_writer_options o = options_of(GT_F32, cases[i].pages);
        uint16_t compression = 0;
        o.width = 128;
        o.height = cases[i].height;
        assert_int_equal(gt_image_writer_open(&w, tif, &o), GT_OK);
        for (size_t k = 0; k < o.pages; k++) {
            assert_int_equal(gt_image_writer_rows(w, o.height, page), GT_OK);
        }
        assert_int_equal(gt_image_writer_finish(w), GT_OK);
        gt_image_writer_free(w);
        TIFF *t = TIFFOpen(tif, "rc"); /* strips as they are */
        assert_int_equal(TIFFNumberOfStrips(t), cases[i].strips);
        assert_int_equal(TIFFGetField(t, TIFFTAG_COMPRESSION, &compression), 1);
        assert_int_equal(compression, cases[i].compression);
        TIFFClose(t);
    }
}

/* What a killed process of our number left does not stand in the way, and stays. */
static void stale_temporary(void **state)
{
    (void)state;
    char stale[128];
    gt_writer_options o = options_of(GT_U8, 1);
    snprintf(stale, sizeof stale, "%s.tmp-%ld", tif, (long)getpid());
    close(open(stale, O_CREAT | O_WRONLY, 0600));
    write_pages(tif, &o);
    assert_int_equal(access(stale, F_OK), 0);
    assert_int_equal(access(tif, F_OK), 0);
    unlink(stale);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meta_is_kept),     cmocka_unit_test(odd_meta),
        cmocka_unit_test(palettes),         cmocka_unit_test(grey_palettes),
        cmocka_unit_test(refused_palettes), cmocka_unit_test(stale_temporary),
        cmocka_unit_test(for_others),
    };
    return cmocka_run_group_tests(tests, make_paths, remove_paths);
}
