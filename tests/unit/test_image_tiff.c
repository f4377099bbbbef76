/* TIFF files of many kinds, written with libtiff, read with ours; damaged and hostile ones.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <greentea/image.h>

#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static int make_path(void **state)
{
    (void)state;
    (void)strcpy(path, "/tmp/gt_tiff_XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

/* A file to write. */
struct spec {
    gt_type type;
    int bits, samples, photometric, planar, compression, predictor;
    uint32_t width, height, rows_per_strip, tile; /* tile 0: strips */
    int pages, fill_order;
    const char *mode, *description;
};

static struct spec usual(gt_type type, int samples)
{
    return (struct spec){.type = type,
                         .bits = 8 * (int)gt_type_size(type),
                         .samples = samples,
                         .photometric = samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK,
                         .planar = PLANARCONFIG_CONTIG,
                         .compression = COMPRESSION_NONE,
                         .predictor = 1,
                         .width = 37,
                         .height = 29,
                         .rows_per_strip = 7,
                         .pages = 1,
                         .fill_order = FILLORDER_MSB2LSB,
                         .mode = "w"};
}

static double top_of(const struct spec *s)
{
    int bits = s->type == GT_F32 || s->type == GT_F64 ? 8 : s->bits;
    bool is_signed = s->type == GT_I8 || s->type == GT_I16 || s->type == GT_I32;
    return ldexp(1, bits - (is_signed ? 1 : 0)) - 1;
}

/* Value of a sample as stored; exact in float. */
static float stored(const struct spec *s, int page, int c, uint32_t y, uint32_t x)
{
    uint32_t v = ((uint32_t)page * 31 + (uint32_t)c * 101 + y * 17 + x * 5) % 16381;
    bool is_signed = s->type == GT_I8 || s->type == GT_I16 || s->type == GT_I32;
    double top = top_of(s);
    float value = (float)fmod(v, top + 1);
    return is_signed && x % 2 != 0 ? -value : value;
}

static void put_sample(const struct spec *s, unsigned char *row, size_t index, float value)
{
    if (s->bits < 8 || s->bits == 12) {
        for (int b = 0; b < s->bits; ++b) {
            size_t bit = index * (size_t)s->bits + (size_t)b;
            int on = (int)value >> (s->bits - 1 - b) & 1;
            row[bit / 8] = (unsigned char)(row[bit / 8] | on << (7 - bit % 8));
        }
        return;
    }
    gt_image_view v = gt_image_view_planar(row, s->type, 1, 1, 1);
    unsigned char *at = row + index * (size_t)v.stride_x;
    const uint8_t u8 = (uint8_t)value;
    const int8_t i8 = (int8_t)value;
    const uint16_t u16 = (uint16_t)value;
    const int16_t i16 = (int16_t)value;
    const uint32_t u32 = (uint32_t)value;
    const int32_t i32 = (int32_t)value;
    const double f64 = (double)value;
    const void *const from[] = {&u8, &i8, &u16, &i16, &u32, &i32, &value, &f64};
    if (value < 0 && (s->type == GT_U8 || s->type == GT_U16 || s->type == GT_U32)) {
        fail();
    }
    memcpy(at, from[s->type], gt_type_size(s->type));
}

/* Rows y to y + rows - 1, columns x to x + columns - 1, of one plane (c >= 0) or all samples. */
static void fill(const struct spec *s, unsigned char *to, size_t row_bytes, int page, int plane,
                 const uint32_t box[4])
{
    int first = plane < 0 ? 0 : plane;
    int n = plane < 0 ? s->samples : 1;
    memset(to, 0, row_bytes * box[3]);
    for (uint32_t y = 0; y < box[3]; ++y) {
        for (uint32_t x = 0; x < box[2]; ++x) {
            for (int c = 0; c < n; ++c) {
                put_sample(s, to + y * row_bytes, (size_t)x * (size_t)n + (size_t)c,
                           stored(s, page, first + c, box[1] + y, box[0] + x));
            }
        }
    }
}

static void set_tags(TIFF *t, const struct spec *s)
{
    int format = s->type >= GT_F32                                            ? SAMPLEFORMAT_IEEEFP
                 : s->type == GT_I8 || s->type == GT_I16 || s->type == GT_I32 ? SAMPLEFORMAT_INT
                                                                              : SAMPLEFORMAT_UINT;
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, s->width);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, s->height);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, s->bits);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, s->samples);
    TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, format);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, s->photometric);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, s->planar);
    TIFFSetField(t, TIFFTAG_COMPRESSION, s->compression);
    TIFFSetField(t, TIFFTAG_FILLORDER, s->fill_order);
    if (s->predictor > 1) {
        TIFFSetField(t, TIFFTAG_PREDICTOR, s->predictor);
    }
    if (s->tile != 0) {
        TIFFSetField(t, TIFFTAG_TILEWIDTH, s->tile);
        TIFFSetField(t, TIFFTAG_TILELENGTH, s->tile);
    } else {
        TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, s->rows_per_strip);
    }
    if (s->description != NULL) {
        TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, s->description);
    }
}

static void write_page(TIFF *t, const struct spec *s, int page)
{
    unsigned char *buffer = calloc(1, 1 << 20);
    bool separate = s->planar == PLANARCONFIG_SEPARATE;
    assert_non_null(buffer);
    for (int plane = separate ? 0 : -1; plane < (separate ? s->samples : 0); ++plane) {
        uint16_t sample = (uint16_t)(plane < 0 ? 0 : plane);
        uint32_t step = s->tile != 0 ? s->tile : s->rows_per_strip;
        for (uint32_t y = 0; y < s->height; y += step) {
            if (s->tile == 0) {
                uint32_t n = s->height - y < step ? s->height - y : step;
                size_t row = (size_t)TIFFScanlineSize(t);
                fill(s, buffer, row, page, plane, (const uint32_t[4]){0, y, s->width, n});
                assert_true(TIFFWriteEncodedStrip(t, TIFFComputeStrip(t, y, sample), buffer,
                                                  (tmsize_t)(row * n)) > 0);
                continue;
            }
            for (uint32_t x = 0; x < s->width; x += step) {
                fill(s, buffer, (size_t)TIFFTileRowSize(t), page, plane,
                     (const uint32_t[4]){x, y, step, step});
                assert_true(TIFFWriteEncodedTile(t, TIFFComputeTile(t, x, y, 0, sample), buffer,
                                                 TIFFTileSize(t)) > 0);
            }
        }
    }
    free(buffer);
}

static void write_file(const struct spec *s)
{
    TIFF *t = TIFFOpen(path, s->mode);
    assert_non_null(t);
    for (int page = 0; page < s->pages; ++page) {
        set_tags(t, s);
        if (s->photometric == PHOTOMETRIC_PALETTE) {
            uint16_t map[3][256];
            for (int i = 0; i < 256; ++i) {
                for (int c = 0; c < 3; ++c) {
                    map[c][i] = (uint16_t)((255 - i + c * (s->predictor % 2) * 7) % 256 * 257);
                }
            }
            TIFFSetField(t, TIFFTAG_COLORMAP, map[0], map[1], map[2]);
        }
        write_page(t, s, page);
        assert_int_equal(TIFFWriteDirectory(t), 1);
    }
    TIFFClose(t);
}

static float wanted(const struct spec *s, int page, int c, uint32_t y, uint32_t x)
{
    float v = stored(s, page, c, y, x);
    return s->photometric == PHOTOMETRIC_MINISWHITE ? (float)top_of(s) - v : v;
}

static void expect_rows(gt_image_reader *r, const struct spec *s, int page, uint32_t y, uint32_t n)
{
    int channels = s->samples >= 3 ? 3 : 1;
    float *rows = malloc((size_t)channels * n * s->width * sizeof *rows);
    assert_non_null(rows);
    gt_status status = gt_image_reader_rows(r, (size_t)page, (int32_t)y, (int32_t)n, rows);
    if (status != GT_OK) {
        fail_msg("%s", gt_error_message());
    }
    const float *p = rows;
    for (int c = 0; c < channels; ++c) {
        for (uint32_t i = 0; i < n; ++i) {
            for (uint32_t x = 0; x < s->width; ++x, ++p) {
                if (*p != wanted(s, page, c, y + i, x)) {
                    fail_msg("page %d c %d y %u x %u: %g instead of %g", page, c, y + i, x,
                             (double)*p, (double)wanted(s, page, c, y + i, x));
                }
            }
        }
    }
    free(rows);
}

static void check(const struct spec *s)
{
    gt_image_reader *r = NULL;
    gt_page_info info;
    write_file(s);
    if (gt_image_reader_open(&r, path, NULL) != GT_OK) {
        fail_msg("type %d, compression %d: %s", s->type, s->compression, gt_error_message());
    }
    assert_int_equal(gt_image_reader_pages(r), s->pages);
    assert_int_equal(gt_image_reader_page(&info, r, 0), GT_OK);
    assert_int_equal(info.channels, s->samples >= 3 ? 3 : 1);
    assert_int_equal(info.type, s->type);
    for (int page = 0; page < s->pages; ++page) {
        expect_rows(r, s, page, 0, s->height);
    }
    expect_rows(r, s, 0, 11, 3); /* back, forward, back */
    expect_rows(r, s, s->pages - 1, s->height - 1, 1);
    expect_rows(r, s, 0, 20, 5);
    expect_rows(r, s, 0, 6, 9);
    gt_image_reader_free(r);
}

static void test_types(void **state)
{
    (void)state;
    static const char *const modes[] = {"wl", "wb", "w8l", "w8b"};
    for (int t = GT_U8; t <= GT_F64; ++t) {
        for (int samples = 1; samples <= 4; ++samples) {
            for (int m = 0; m < 16; ++m) {
                struct spec s = usual((gt_type)t, samples);
                s.mode = modes[m % 4];
                s.planar = m & 4 ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG;
                s.tile = m & 8 ? 16 : 0;
                s.pages = 1 + samples % 2;
                check(&s);
            }
        }
    }
}

static void test_compressions(void **state)
{
    (void)state;
    static const int kinds[] = {COMPRESSION_LZW,     COMPRESSION_ADOBE_DEFLATE,
                                COMPRESSION_DEFLATE, COMPRESSION_PACKBITS,
                                COMPRESSION_LZMA,    COMPRESSION_ZSTD};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; ++k) {
        for (int t = GT_U8; TIFFIsCODECConfigured((uint16_t)kinds[k]) == 1 && t <= GT_F64; ++t) {
            for (int m = 0; m < 12; ++m) {
                struct spec s = usual((gt_type)t, m % 2 == 0 ? 1 : 3);
                s.compression = kinds[k];
                s.predictor = m % 3 == 0 || kinds[k] == COMPRESSION_PACKBITS ? 1
                              : t < GT_F32                                   ? 2
                                                                             : 3;
                s.planar = m & 4 ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG;
                s.tile = m >= 8 ? 32 : 0;
                s.rows_per_strip = m & 1 ? 29 : 4;
                /* libtiff 4.5 writes predictor 3 wrongly in the other byte order */
                s.mode = m & 2 && s.predictor != 3 ? "wb" : "wl";
                check(&s);
            }
        }
    }
}

static void test_bits(void **state)
{
    (void)state;
    static const int bits[] = {1, 2, 4, 8, 12, 16};
    for (int b = 0; b < 6; ++b) {
        for (int m = 0; m < 16; ++m) {
            struct spec s = usual(bits[b] > 8 ? GT_U16 : GT_U8, m & 1 && bits[b] > 1 ? 3 : 1);
            s.bits = bits[b];
            s.compression = m & 2 ? COMPRESSION_LZW : COMPRESSION_NONE;
            s.tile = m & 4 ? 16 : 0;
            s.fill_order = m & 8 ? FILLORDER_LSB2MSB : FILLORDER_MSB2LSB;
            if (s.samples == 1 && !(m & 1)) {
                s.photometric = PHOTOMETRIC_MINISWHITE;
            }
            check(&s);
        }
    }
    struct spec fax = usual(GT_U8, 1);
    fax.bits = 1;
    fax.photometric = PHOTOMETRIC_MINISWHITE;
    fax.compression = COMPRESSION_CCITTFAX4;
    check(&fax);
}

static void test_palette(void **state)
{
    (void)state;
    for (int grey = 0; grey < 2; ++grey) {
        struct spec s = usual(GT_U8, 1);
        gt_image_reader *r = NULL;
        gt_page_info info;
        float row[3 * 37];
        s.photometric = PHOTOMETRIC_PALETTE;
        s.compression = COMPRESSION_LZW;
        s.predictor = grey ? 2 : 1; /* also tells write_file() to colour the palette */
        write_file(&s);
        assert_int_equal(gt_image_reader_open(&r, path, NULL), GT_OK);
        assert_int_equal(gt_image_reader_page(&info, r, 0), GT_OK);
        assert_int_equal(info.channels, grey ? 1 : 3);
        assert_int_equal(info.type, GT_U8);
        assert_int_equal(gt_image_reader_rows(r, 0, 3, 1, row), GT_OK);
        for (int c = 0; c < info.channels; ++c) {
            for (uint32_t x = 0; x < 37; ++x) {
                int v = (255 - (int)stored(&s, 0, 0, 3, x) + (grey ? 0 : c * 7)) % 256;
                assert_true(row[c * 37 + (int)x] == (float)v);
            }
        }
        gt_image_reader_free(r);
    }
}

static void test_imagej(void **state)
{
    (void)state;
    gt_image_reader *r = NULL;
    struct spec s = usual(GT_U16, 1);
    s.description = "ImageJ=1.53t\nimages=6\nchannels=3\nslices=2\nhyperstack=true\n";
    s.pages = 6;
    check(&s);
    assert_int_equal(gt_image_reader_open(&r, path, NULL), GT_OK);
    assert_int_equal(gt_image_reader_hyperstack_channels(r), 3);
    gt_image_reader_free(r);
    /* one directory, then the pixels of all images */
    for (int complete = 0; complete < 2; ++complete) {
        unsigned char rows[37 * 29 * 2];
        s.pages = 1;
        s.rows_per_strip = 29;
        s.mode = "wl";
        write_file(&s);
        TIFF *t = TIFFOpen(path, "r");
        uint64_t offset = TIFFGetStrileOffset(t, 0);
        TIFFClose(t);
        FILE *f = fopen(path, "r+b");
        assert_non_null(f);
        /* move the directory's own offset: the pixels go to the end of the file */
        assert_int_equal(fseek(f, 0, SEEK_END), 0);
        uint32_t end = (uint32_t)ftell(f);
        for (int page = 0; page < 5 + complete; ++page) {
            fill(&s, rows, 74, page, -1, (const uint32_t[4]){0, 0, 37, 29});
            assert_int_equal(fwrite(rows, 1, sizeof rows, f), sizeof rows);
        }
        unsigned char head[4096];
        rewind(f);
        size_t n = fread(head, 1, sizeof head, f);
        const uint32_t old = (uint32_t)offset;
        size_t found = 0;
        for (size_t i = 8; i + 4 <= n && i < end; ++i) {
            if (memcmp(head + i, &old, 4) == 0 && head[i - 8] == 0x11 && head[i - 7] == 0x01) {
                found = i;
            }
        }
        assert_true(found > 0);
        assert_int_equal(fseek(f, (long)found, SEEK_SET), 0);
        assert_int_equal(fwrite(&end, 1, 4, f), 4);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(gt_image_reader_open(&r, path, NULL), GT_OK);
        assert_int_equal(gt_image_reader_pages(r), complete ? 6 : 1);
        for (int page = 5 * complete; page >= 0; --page) {
            expect_rows(r, &s, page, 0, 29);
        }
        gt_image_reader_free(r);
    }
}

static void expect_refused(const gt_image_limits *limits, gt_status status, const char *word)
{
    gt_image_reader *r = NULL;
    clock_t start = clock();
    assert_int_equal(gt_image_reader_open(&r, path, limits), status);
    assert_null(r);
    assert_non_null(strstr(gt_error_message(), path));
    assert_non_null(strstr(gt_error_message(), word));
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 0.1);
}

static void test_limits(void **state)
{
    (void)state;
    gt_image_limits limits;
    struct spec s = usual(GT_U8, 1);
    s.pages = 3;
    s.compression = COMPRESSION_LZW;
    s.tile = 16;
    write_file(&s);
    gt_image_limits_init(&limits);
    limits.max_pages = 2;
    expect_refused(&limits, GT_ELIMIT, "2 pages");
    gt_image_limits_init(&limits);
    limits.max_side = 36;
    expect_refused(&limits, GT_ELIMIT, "37");
    gt_image_limits_init(&limits);
    limits.max_pixels = 37 * 29 - 1;
    expect_refused(&limits, GT_ELIMIT, "37");
    gt_image_limits_init(&limits);
    limits.max_decode_bytes = 16 * 48 - 1; /* a row of tiles */
    expect_refused(&limits, GT_ELIMIT, "768 bytes");
}

/* Few bytes that claim to be very much. */
static void test_bombs(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0xf0000000u, 1u << 20, 1u << 16};
    for (int i = 0; i < 3; ++i) {
        struct spec s = usual(GT_U8, 1);
        s.rows_per_strip = 1u << 16;
        s.width = sizes[i];
        s.height = sizes[i];
        TIFF *t = TIFFOpen(path, "w8");
        set_tags(t, &s);
        TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
        assert_int_equal(TIFFWriteRawStrip(t, 0, (char[]){1, 2, 3, 4}, 4), 4);
        assert_int_equal(TIFFWriteDirectory(t), 1);
        TIFFClose(t);
        expect_refused(NULL, GT_ELIMIT, i == 2 ? "times" : "pixels");
    }
}

static void test_chains(void **state)
{
    (void)state;
    struct spec s = usual(GT_U8, 1);
    unsigned char next[4];
    s.mode = "wl";
    write_file(&s);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 4, SEEK_SET), 0);
    assert_int_equal(fread(next, 1, 4, f), 4);
    uint32_t first = next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16;
    assert_int_equal(fseek(f, (long)first, SEEK_SET), 0);
    assert_int_equal(fread(next, 1, 2, f), 2);
    long end = (long)first + 2 + 12L * (next[0] | next[1] << 8);
    const unsigned char loop[4] = {(unsigned char)first, (unsigned char)(first >> 8), 0, 0};
    assert_int_equal(fseek(f, end, SEEK_SET), 0);
    assert_int_equal(fwrite(loop, 1, 4, f), 4);
    assert_int_equal(fflush(f), 0);
    expect_refused(NULL, GT_EFORMAT, "loop");
    assert_int_equal(fseek(f, end, SEEK_SET), 0);
    assert_int_equal(fwrite("\xff\xff\xff\x7f", 1, 4, f), 4);
    assert_int_equal(fclose(f), 0);
    expect_refused(NULL, GT_EFORMAT, "page 2");
}

#define WITH_PATH(f) cmocka_unit_test_setup_teardown(f, make_path, remove_path)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PATH(test_types),   WITH_PATH(test_compressions), WITH_PATH(test_bits),
        WITH_PATH(test_palette), WITH_PATH(test_imagej),       WITH_PATH(test_limits),
        WITH_PATH(test_bombs),   WITH_PATH(test_chains),
    };
    (void)TIFFSetWarningHandler(NULL); /* of this program's own writing */
    return cmocka_run_group_tests_name("image_tiff", tests, NULL, NULL);
}
