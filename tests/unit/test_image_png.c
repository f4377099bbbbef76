/* PNG files of every kind, written with libpng, read with ours.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <greentea/image.h>

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WIDTH 37
#define HEIGHT 29

static char path[64];

static int make_path(void **state)
{
    (void)state;
    (void)strcpy(path, "/tmp/gt_png_XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static int samples_of(int color)
{
    return ((const int[]){1, 0, 3, 1, 2, 0, 4})[color];
}

/* As stored: index, or sample below 2^bits. */
static int stored(int bits, int c, int y, int x)
{
    return (c * 4111 + y * 257 + x * 37 + y * x) & ((1 << bits) - 1);
}

static void put_row(unsigned char *row, int color, int bits, int y)
{
    int n = samples_of(color);
    memset(row, 0, (size_t)WIDTH * 8);
    for (int i = 0; i < WIDTH * n; ++i) {
        int v = stored(bits, i % n, y, i / n);
        if (bits == 16) {
            row[2 * i] = (unsigned char)(v >> 8);
            row[2 * i + 1] = (unsigned char)v;
        } else {
            int bit = i * bits;
            row[bit / 8] = (unsigned char)(row[bit / 8] | v << (8 - bits - bit % 8));
        }
    }
}

static int palette_entry(int i, int c, int grey)
{
    return (i * 29 + (grey ? 0 : c * 50)) % 256;
}

static void write_png(int color, int bits, int interlace, int grey, int entries)
{
    static unsigned char image[HEIGHT][WIDTH * 8];
    png_bytep rows[HEIGHT];
    png_color palette[256];
    const png_byte alpha[2] = {0, 128};
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    assert_non_null(info);
    png_init_io(png, f);
    png_set_check_for_invalid_index(png, -1);
    png_set_IHDR(png, info, WIDTH, HEIGHT, bits, color, interlace, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (color == PNG_COLOR_TYPE_PALETTE) {
        for (int i = 0; i < entries; ++i) {
            palette[i].red = (png_byte)palette_entry(i, 0, grey);
            palette[i].green = (png_byte)palette_entry(i, 1, grey);
            palette[i].blue = (png_byte)palette_entry(i, 2, grey);
        }
        png_set_PLTE(png, info, palette, entries);
        png_set_tRNS(png, info, alpha, 2, NULL);
    }
    for (int y = 0; y < HEIGHT; ++y) {
        put_row(image[y], color, bits, y);
        rows[y] = image[y];
    }
    png_write_info(png, info);
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(f), 0);
}

static void expect_rows(gt_image_reader *r, int color, int bits, int grey, int y, int n)
{
    float rows[3 * WIDTH * HEIGHT];
    gt_page_info info;
    bool palette = color == PNG_COLOR_TYPE_PALETTE;
    bool rgb = palette ? grey == 0 : (color & PNG_COLOR_MASK_COLOR) != 0;
    assert_int_equal(gt_image_reader_page(&info, r, 0), GT_OK);
    assert_true(info.width == WIDTH && info.height == HEIGHT);
    assert_int_equal(info.channels, rgb ? 3 : 1);
    assert_int_equal(info.type, bits == 16 ? GT_U16 : GT_U8);
    if (gt_image_reader_rows(r, 0, y, n, rows) != GT_OK) {
        fail_msg("%s", gt_error_message());
    }
    const float *p = rows;
    for (int c = 0; c < info.channels; ++c) {
        for (int i = y; i < y + n; ++i) {
            for (int x = 0; x < WIDTH; ++x) {
                int v = stored(bits, palette ? 0 : c, i, x);
                v = palette ? palette_entry(v, c, grey) : v;
                if (*p++ != (float)v) {
                    fail_msg("color %d, %d bits: c %d y %d x %d", color, bits, c, i, x);
                }
            }
        }
    }
}

static void check(int color, int bits, int grey)
{
    for (int interlace = 0; interlace < 2; ++interlace) {
        gt_image_reader *r = NULL;
        write_png(color, bits, interlace, grey, 1 << (bits > 8 ? 8 : bits));
        assert_int_equal(gt_image_reader_open(&r, path, NULL), GT_OK);
        assert_int_equal(gt_image_reader_pages(r), 1);
        assert_int_equal(gt_image_reader_hyperstack_channels(r), 1);
        expect_rows(r, color, bits, grey, 0, HEIGHT);
        expect_rows(r, color, bits, grey, 5, 3); /* back */
        expect_rows(r, color, bits, grey, 7, 9);
        expect_rows(r, color, bits, grey, HEIGHT - 1, 1);
        expect_rows(r, color, bits, grey, 0, 1);
        gt_image_reader_free(r);
    }
}

static void test_kinds(void **state)
{
    (void)state;
    for (int bits = 1; bits <= 16; bits *= 2) {
        check(PNG_COLOR_TYPE_GRAY, bits, 0);
        if (bits <= 8) {
            check(PNG_COLOR_TYPE_PALETTE, bits, 0);
            check(PNG_COLOR_TYPE_PALETTE, bits, 1);
        }
        if (bits >= 8) {
            check(PNG_COLOR_TYPE_RGB, bits, 0);
            check(PNG_COLOR_TYPE_RGB_ALPHA, bits, 0);
            check(PNG_COLOR_TYPE_GRAY_ALPHA, bits, 0);
        }
    }
}

static void test_bad_index(void **state)
{
    (void)state;
    gt_image_reader *r = NULL;
    float row[3 * WIDTH];
    write_png(PNG_COLOR_TYPE_PALETTE, 8, 0, 0, 200);
    assert_int_equal(gt_image_reader_open(&r, path, NULL), GT_OK);
    gt_status status = GT_OK;
    for (int y = 0; status == GT_OK && y < HEIGHT; ++y) {
        status = gt_image_reader_rows(r, 0, y, 1, row);
    }
    assert_int_equal(status, GT_EFORMAT);
    assert_non_null(strstr(gt_error_message(), "palette"));
    gt_image_reader_free(r);
}

/* A header that claims w x h pixels, with a right checksum and no pixels. */
static void write_claim(uint32_t w, uint32_t h, int interlace)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    assert_non_null(info);
    png_init_io(png, f);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_set_IHDR(png, info, w, h, 8, PNG_COLOR_TYPE_GRAY, interlace, 0, 0);
    png_write_info(png, info);
    png_write_chunk(png, (png_const_bytep) "IDAT", (png_const_bytep) "\x78\x9c", 2);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(f), 0);
}

static void test_limits(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {
        {0x7fffffff, 0x7fffffff}, {1 << 20, 1 << 20}, {50000, 50000}, {1, 0x7fffffff}};
    gt_image_reader *r = NULL;
    gt_image_limits limits;
    for (int i = 0; i < 8; ++i) {
        clock_t start = clock();
        write_claim(sizes[i / 2][0], sizes[i / 2][1], i % 2);
        assert_int_equal(gt_image_reader_open(&r, path, NULL), GT_ELIMIT);
        assert_non_null(strstr(gt_error_message(), path));
        assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 0.1);
    }
    gt_image_limits_init(&limits);
    limits.max_expansion = 0;
    limits.max_decode_bytes = 1 << 20; /* an interlaced image is decoded at once */
    write_claim(1500, 1500, 1);
    assert_int_equal(gt_image_reader_open(&r, path, &limits), GT_ELIMIT);
    write_claim(1500, 1500, 0);
    assert_int_equal(gt_image_reader_open(&r, path, &limits), GT_OK);
    float row[1500];
    assert_int_equal(gt_image_reader_rows(r, 0, 0, 1, row), GT_EFORMAT);
    assert_int_equal(gt_image_reader_rows(r, 0, 0, 1, row), GT_EFORMAT); /* stays usable */
    gt_image_reader_free(r);
}

#define WITH_PATH(f) cmocka_unit_test_setup_teardown(f, make_path, remove_path)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PATH(test_kinds),
        WITH_PATH(test_bad_index),
        WITH_PATH(test_limits),
    };
    return cmocka_run_group_tests_name("image_png", tests, NULL, NULL);
}
