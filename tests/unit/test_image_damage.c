/* Damaged image files: cut at many lengths, bytes changed at random. Whatever comes out, nothing
 * may crash. Also NaN in files, and what ImageJ would misread. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "core/random.h"
#include <greentea/image.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char path[96];

static int make_folder(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/gt_damage_XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void choose_path(const char *name)
{
    (void)snprintf(path, sizeof path, "%s/%.20s", folder, name);
}

/* By our own writer: Deflate, uncompressed, PNG. */
static void write_ours(const char *name, gt_type type, int32_t channels, size_t pages)
{
    gt_writer_options o;
    gt_image_writer *w = NULL;
    float values[3 * 40 * 30];
    choose_path(name);
    gt_writer_options_init(&o);
    o.type = type;
    o.width = 40;
    o.height = 30;
    o.channels = channels;
    o.pages = pages;
    o.overwrite = 1;
    o.hyperstack_channels = pages % 2 == 0 ? 2 : 0;
    for (int i = 0; i < 3600; ++i) {
        values[i] = (float)(i * 7 % 256);
    }
    assert_int_equal(gt_image_writer_open(&w, path, &o), GT_OK);
    for (size_t page = 0; page < pages; ++page) {
        assert_int_equal(gt_image_writer_rows(w, 30, values), GT_OK);
    }
    assert_int_equal(gt_image_writer_finish(w), GT_OK);
    gt_image_writer_free(w);
}

/* By libtiff: tiles or strips of separate planes. */
static void write_libtiff(int compression, int tiled, int photometric, const char *mode)
{
    unsigned char data[4 * 32 * 32];
    uint16_t map[256];
    choose_path("t.tif");
    TIFF *t = TIFFOpen(path, mode);
    assert_non_null(t);
    for (int i = 0; i < 4096; ++i) {
        data[i] = (unsigned char)(i * 5 + i / 32);
        map[i % 256] = (uint16_t)(i * 257);
    }
    int samples = photometric == PHOTOMETRIC_RGB ? 3 : 1;
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, 40);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, 30);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, photometric);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_SEPARATE);
    TIFFSetField(t, TIFFTAG_COMPRESSION, compression);
    TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, "ImageJ=1.53t\nimages=2\nchannels=2\n");
    if (photometric == PHOTOMETRIC_PALETTE) {
        TIFFSetField(t, TIFFTAG_COLORMAP, map, map, map);
    }
    if (tiled) {
        TIFFSetField(t, TIFFTAG_TILEWIDTH, 32);
        TIFFSetField(t, TIFFTAG_TILELENGTH, 16);
        for (uint32_t i = 0; i < TIFFNumberOfTiles(t); ++i) {
            assert_true(TIFFWriteEncodedTile(t, i, data, 512) > 0);
        }
    } else {
        TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 15);
        for (uint32_t i = 0; i < TIFFNumberOfStrips(t); ++i) {
            assert_true(TIFFWriteEncodedStrip(t, i, data, 600) > 0);
        }
    }
    TIFFClose(t);
}

static size_t read_bytes(unsigned char **out)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *out = malloc(1 << 20);
    assert_non_null(*out);
    size_t n = fread(*out, 1, 1 << 20, f);
    (void)fclose(f);
    return n;
}

static void write_bytes(const unsigned char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Read all that can be read; an error must come with words. */
static gt_status read_all(void)
{
    gt_image_reader *r = NULL;
    gt_image_limits limits;
    gt_image_limits_init(&limits);
    limits.max_pixels = 1 << 20;
    limits.max_pages = 64;
    limits.max_decode_bytes = 1 << 22;
    gt_status worst = gt_image_reader_open(&r, path, &limits);
    size_t pages = worst == GT_OK ? gt_image_reader_pages(r) : 0;
    for (size_t page = 0; page < pages; ++page) {
        gt_image *image = NULL;
        gt_status status = gt_image_reader_load(&image, r, page);
        worst = status == GT_OK ? worst : status;
        gt_image_free(image);
    }
    gt_image_reader_free(r);
    if (worst != GT_OK) {
        assert_int_not_equal(worst, GT_EINVAL);
        assert_true(strlen(gt_error_message()) > 10);
    }
    return worst;
}

static void damage(uint64_t seed)
{
    unsigned char *bytes = NULL;
    size_t n = read_bytes(&bytes);
    size_t step = n / 150 + 1;
    struct gt_random random = gt__random_open(seed, GT_STREAM_TEST, 0);
    assert_int_equal(read_all(), GT_OK);
    for (size_t length = 0; length < n; length += length < 64 ? 1 : step) {
        write_bytes(bytes, length);
        gt_status status = read_all();
        /* what follows the pixels may be missing: a PNG's last chunk, a palette (libtiff takes
         * the image as grey then) */
        assert_true(status != GT_OK || length > n / 3);
    }
    for (int round = 0; round < 300; ++round) {
        unsigned char old[4];
        size_t at[4];
        int changes = 1 + (int)gt__random_below(&random, 4);
        for (int i = 0; i < changes; ++i) {
            at[i] = (size_t)gt__random_below(&random, n);
            old[i] = bytes[at[i]];
            bytes[at[i]] = (unsigned char)gt__random_u32(&random);
        }
        write_bytes(bytes, n);
        (void)read_all();
        for (int i = changes; i-- > 0;) {
            bytes[at[i]] = old[i];
        }
    }
    free(bytes);
}

static void test_ours(void **state)
{
    (void)state;
    static const gt_type types[] = {GT_U8, GT_U16, GT_F32};
    for (int i = 0; i < 3; ++i) {
        write_ours("a.tif", types[i], i == 1 ? 3 : 1, i == 1 ? 1 : 4);
        damage((uint64_t)i);
        (void)unlink(path);
    }
    write_ours("b.png", GT_U16, 1, 1);
    damage(3);
    (void)unlink(path);
    write_ours("c.png", GT_U8, 3, 1);
    damage(4);
}

static void test_libtiff(void **state)
{
    (void)state;
    static const int kinds[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_PACKBITS,
                                COMPRESSION_ADOBE_DEFLATE};
    static const int photometric[] = {PHOTOMETRIC_MINISWHITE, PHOTOMETRIC_RGB, PHOTOMETRIC_PALETTE};
    for (int i = 0; i < 12; ++i) {
        write_libtiff(kinds[i % 4], i & 1, photometric[i % 3], i % 5 == 0 ? "w8b" : "w");
        damage(100 + (uint64_t)i);
    }
}

static void test_not_finite(void **state)
{
    (void)state;
    float page[2][6] = {{0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, NAN, 5}};
    float out[6];
    gt_writer_options o;
    gt_writer_options_init(&o);
    o.width = 3;
    o.height = 2;
    o.pages = 2;
    o.overwrite = 1;
    choose_path("n.tif");
    for (int i = 0; i < 2; ++i) {
        gt_image_writer *w = NULL;
        gt_image_reader *r = NULL;
        assert_int_equal(gt_image_writer_open(&w, path, &o), GT_OK);
        assert_int_equal(gt_image_writer_rows(w, 2, page[0]), GT_OK);
        assert_int_equal(gt_image_writer_rows(w, 2, page[1]), GT_OK);
        assert_int_equal(gt_image_writer_finish(w), GT_OK);
        gt_image_writer_free(w);
        assert_int_equal(gt_image_reader_open(&r, path, NULL), GT_OK);
        assert_int_equal(gt_image_reader_rows(r, 0, 0, 2, out), GT_OK);
        assert_memory_equal(out, page[0], sizeof out);
        assert_int_equal(gt_image_reader_rows(r, 1, 0, 2, out), GT_ENUMERIC);
        assert_non_null(strstr(gt_error_message(), "page 2"));
        assert_non_null(strstr(gt_error_message(), i == 0 ? "NaN at x 1, y 1" : "infinity at x 1"));
        gt_image_reader_free(r);
        page[1][4] = -INFINITY;
    }
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

/* ImageJ 1.x ignores predictors of Deflate: files of ours must not have one. */
static void test_no_predictor(void **state)
{
    (void)state;
    static const gt_type types[] = {GT_U8, GT_U16, GT_F32};
    float rows[16 * 4];
    choose_path("plain.tif");
    for (int i = 0; i < 64; i++) {
        rows[i] = (float)(i * 3);
    }
    for (int k = 0; k < 3; k++) {
        gt_image_writer *writer = NULL;
        gt_writer_options o;
        gt_writer_options_init(&o);
        o.type = types[k];
        o.width = 16;
        o.height = 4;
        o.overwrite = 1;
        assert_int_equal(gt_image_writer_open(&writer, path, &o), GT_OK);
        assert_int_equal(gt_image_writer_rows(writer, 4, rows), GT_OK);
        assert_int_equal(gt_image_writer_finish(writer), GT_OK);
        gt_image_writer_free(writer);
        TIFF *t = TIFFOpen(path, "r");
        assert_non_null(t);
        uint16_t predictor = 1;
        bool written = TIFFGetField(t, TIFFTAG_PREDICTOR, &predictor) == 1;
        assert_true(!written || predictor == PREDICTOR_NONE);
        TIFFClose(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_ours),
        WITH_FOLDER(test_libtiff),
        WITH_FOLDER(test_not_finite),
        WITH_FOLDER(test_no_predictor),
    };
    return cmocka_run_group_tests_name("image_damage", tests, NULL, NULL);
}
