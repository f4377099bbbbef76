/* Images in memory, folders, and the writer's promises. SPDX-License-Identifier: BSD-2-Clause */
#include "image/convert.h"
#include <greentea/image.h>

#include <dirent.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a folder of our own ---- */

static char folder[64];

static const char *in_folder(const char *name)
{
    static char paths[4][400];
    static int next;
    next = (next + 1) % 4;
    (void)snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

static int make_folder(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/gt_image_XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int count_entries(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    }
    (void)closedir(d);
    return n;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *d = opendir(folder);
    if (d == NULL) {
        return -1;
    }
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            (void)remove(in_folder(e->d_name));
        }
    }
    (void)closedir(d);
    return rmdir(folder);
}

static void put_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static void expect_text(const char *path, const char *text)
{
    char buffer[64] = {0};
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(buffer, 1, sizeof buffer, f), strlen(text));
    assert_string_equal(buffer, text);
    (void)fclose(f);
}

static float pixel(size_t page, int c, int y, int x)
{
    return (float)((page * 7 + (size_t)c * 50 + (size_t)y * 13 + (size_t)x * 3) % 251);
}

static gt_status write_pages(const char *path, const gt_writer_options *o, int32_t rows_at_once)
{
    gt_image_writer *w = NULL;
    gt_status status = gt_image_writer_open(&w, path, o);
    float *rows = malloc(sizeof *rows * (size_t)(o->channels * rows_at_once * o->width));
    assert_non_null(rows);
    for (size_t page = 0; status == GT_OK && page < o->pages; ++page) {
        for (int32_t y = 0; status == GT_OK && y < o->height; y += rows_at_once) {
            int32_t n = o->height - y < rows_at_once ? o->height - y : rows_at_once;
            float *p = rows;
            for (int c = 0; c < o->channels; ++c) {
                for (int i = 0; i < n; ++i) {
                    for (int x = 0; x < o->width; ++x) {
                        *p++ = pixel(page, c, y + i, x);
                    }
                }
            }
            status = gt_image_writer_rows(w, n, rows);
        }
    }
    if (status == GT_OK) {
        status = gt_image_writer_finish(w);
    }
    gt_image_writer_free(w);
    free(rows);
    return status;
}

static void expect_pages(const char *path, const gt_writer_options *o)
{
    gt_image_reader *r = NULL;
    assert_int_equal(gt_image_reader_open(&r, path, NULL), GT_OK);
    assert_int_equal(gt_image_reader_pages(r), o->pages);
    for (size_t page = 0; page < o->pages; ++page) {
        gt_page_info info;
        gt_image *image = NULL;
        assert_int_equal(gt_image_reader_page(&info, r, page), GT_OK);
        assert_int_equal(info.type, o->type);
        assert_int_equal(gt_image_reader_load(&image, r, page), GT_OK);
        gt_image_view v = gt_image_get_view(image);
        assert_true(v.width == o->width && v.height == o->height && v.channels == o->channels);
        const float *p = v.data;
        for (int c = 0; c < v.channels; ++c) {
            for (int y = 0; y < v.height; ++y) {
                for (int x = 0; x < v.width; ++x) {
                    assert_true(*p++ == pixel(page, c, y, x));
                }
            }
        }
        gt_image_free(image);
    }
    gt_image_reader_free(r);
}

static gt_writer_options options(gt_type type, int32_t channels, size_t pages)
{
    gt_writer_options o;
    gt_writer_options_init(&o);
    o.type = type;
    o.width = 61;
    o.height = 43;
    o.channels = channels;
    o.pages = pages;
    return o;
}

/* ---- memory ---- */

static void test_create(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 8};
    gt_image *image = NULL;
    for (int t = GT_U8; t <= GT_F64; ++t) {
        assert_int_equal(gt_type_size((gt_type)t), sizes[t]);
    }
    assert_int_equal(gt_image_create(&image, GT_U16, 2, 3, 5), GT_OK);
    gt_image_view v = gt_image_get_view(image);
    assert_true(v.stride_x == 2 && v.stride_y == 10 && v.stride_c == 30);
    for (int i = 0; i < 30; ++i) {
        assert_int_equal(((const uint16_t *)v.data)[i], 0);
    }
    assert_int_equal(gt__view_check(&v), GT_OK);
    gt_image_free(image);
    gt_image_free(NULL);
    assert_int_equal(gt_image_create(&image, GT_U8, 0, 3, 5), GT_EINVAL);
    assert_int_equal(gt_image_create(&image, GT_U8, 1, -3, 5), GT_EINVAL);
    assert_int_equal(gt_image_create(&image, (gt_type)99, 1, 3, 5), GT_EINVAL);
    assert_int_equal(gt_image_create(&image, GT_F64, INT32_MAX, INT32_MAX, INT32_MAX), GT_ENOMEM);
    gt_image_view empty = {0};
    assert_int_equal(gt__view_check(&empty), GT_EINVAL);
    assert_int_equal(gt__view_check(NULL), GT_EINVAL);
}

static void test_rounding(void **state)
{
    (void)state;
    const float in[] = {-1e9f, -1.5f, -0.5f, 0.49f, 0.5f, 2.5f, 254.5f, 1e9f, NAN, INFINITY};
    const uint8_t u8[] = {0, 0, 0, 0, 1, 3, 255, 255, 0, 255};
    const int8_t i8[] = {-128, -2, -1, 0, 1, 3, 127, 127, 0, 127};
    uint8_t a[10];
    int8_t b[10];
    uint16_t c[10];
    int32_t d[10];
    uint32_t e[10];
    gt__samples_from_float(a, 1, GT_U8, in, 10);
    assert_memory_equal(a, u8, 10);
    gt__samples_from_float(b, 1, GT_I8, in, 10);
    assert_memory_equal(b, i8, 10);
    gt__samples_from_float(c, 2, GT_U16, in, 10);
    assert_true(c[0] == 0 && c[6] == 255 && c[7] == 65535);
    gt__samples_from_float(d, 4, GT_I32, in, 10);
    assert_true(d[0] == -1000000000 && d[1] == -2 && d[9] == INT32_MAX);
    gt__samples_from_float(e, 4, GT_U32, in, 10);
    assert_true(e[0] == 0 && e[7] == 1000000000 && e[9] == UINT32_MAX);
    const double wide[] = {1e300, -1e300, 0.5};
    float f[3];
    gt__samples_to_float(f, 3, wide, 8, GT_F64);
    assert_true(isinf(f[0]) && isinf(f[1]) && f[2] == 0.5f);
    assert_int_equal(gt__find_not_finite(f, 3), 0);
    assert_int_equal(gt__find_not_finite(f + 2, 1), 1);
}

/* Every type through a view of odd alignment, interleaved and upside down. */
static void test_views(void **state)
{
    (void)state;
    unsigned char memory[1 + 4 * 5 * 3 * 8];
    float in[60];
    float out[60];
    for (int t = GT_U8; t <= GT_F64; ++t) {
        ptrdiff_t size = (ptrdiff_t)gt_type_size((gt_type)t);
        gt_image_view v = {.data = memory + 1 + 3 * 5 * 3 * size,
                           .type = (gt_type)t,
                           .width = 5,
                           .height = 4,
                           .channels = 3,
                           .stride_x = 3 * size,
                           .stride_y = -5 * 3 * size,
                           .stride_c = size};
        for (int i = 0; i < 60; ++i) {
            in[i] = (float)(2 * i);
        }
        memset(memory, 0x55, sizeof memory);
        gt__view_from_float(&v, 0, 4, in);
        gt__view_to_float(out, &v, 0, 4);
        assert_memory_equal(in, out, sizeof in);
        gt__view_to_float(out, &v, 2, 1); /* row 2 of each channel */
        assert_true(out[0] == in[10] && out[5] == in[30] && out[14] == in[54]);
    }
}

/* ---- the writer ---- */

static void test_round_trips(void **state)
{
    (void)state;
    static const char *const names[] = {"a.tif", "b.TIFF", "c.png"};
    for (int n = 0; n < 3; ++n) {
        for (int t = 0; t < 3; ++t) {
            for (int32_t channels = 1; channels <= 3; channels += 2) {
                static const gt_type types[] = {GT_U8, GT_U16, GT_F32};
                gt_writer_options o = options(types[t], channels, n == 2 ? 1 : 3);
                o.overwrite = 1;
                gt_status status = write_pages(in_folder(names[n]), &o, 1 + 7 * t);
                if (n == 2 && types[t] == GT_F32) {
                    assert_int_equal(status, GT_EINVAL);
                    continue;
                }
                assert_int_equal(status, GT_OK);
                expect_pages(in_folder(names[n]), &o);
            }
        }
    }
    gt_writer_options large = options(GT_U8, 1, 2); /* several strips */
    large.width = 700;
    large.height = 311;
    assert_int_equal(write_pages(in_folder("large.tif"), &large, 100), GT_OK);
    expect_pages(in_folder("large.tif"), &large);
    assert_int_equal(count_entries(), 4);
}

static void test_hyperstack(void **state)
{
    (void)state;
    static const char *const names[] = {"membrane", "\xc3\xa4", NULL};
    gt_writer_options o = options(GT_F32, 1, 6);
    gt_image_reader *r = NULL;
    o.hyperstack_channels = 3;
    o.channel_names = names;
    assert_int_equal(write_pages(in_folder("h.tif"), &o, 10), GT_OK);
    expect_pages(in_folder("h.tif"), &o);
    assert_int_equal(gt_image_reader_open(&r, in_folder("h.tif"), NULL), GT_OK);
    assert_int_equal(gt_image_reader_hyperstack_channels(r), 3);
    gt_image_reader_free(r);
    o.hyperstack_channels = 4; /* does not divide 6 */
    assert_int_equal(write_pages(in_folder("i.tif"), &o, 10), GT_EINVAL);
}

static void test_refusals(void **state)
{
    (void)state;
    gt_writer_options o = options(GT_U8, 1, 1);
    gt_image_writer *w = NULL;
    const char *path = in_folder("x.tif");
    put_text(path, "precious");
    assert_int_equal(gt_image_writer_open(&w, path, &o), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "exists"));
    assert_int_equal(gt_image_writer_open(&w, in_folder("x.jpg"), &o), GT_EINVAL);
    assert_int_equal(gt_image_writer_open(&w, in_folder("no/x.tif"), &o), GT_EIO);
    assert_int_equal(gt_image_writer_open(&w, path, NULL), GT_EINVAL);
    o.overwrite = 1;
    o.channels = 2;
    assert_int_equal(gt_image_writer_open(&w, path, &o), GT_EINVAL);
    o.channels = 1;
    o.type = GT_I32;
    assert_int_equal(gt_image_writer_open(&w, path, &o), GT_EINVAL);
    o.type = GT_U8;
    o.pages = 2;
    assert_int_equal(gt_image_writer_open(&w, in_folder("x.png"), &o), GT_EINVAL);
    expect_text(path, "precious");
    assert_null(w);
    assert_int_equal(count_entries(), 1);
}

static void test_unfinished(void **state)
{
    (void)state;
    static const char *const names[] = {"x.tif", "x.png"};
    gt_writer_options o = options(GT_U8, 1, 1);
    float *rows = calloc(61 * 44, sizeof *rows);
    assert_non_null(rows);
    o.overwrite = 1;
    for (int i = 0; i < 2; ++i) {
        gt_image_writer *w = NULL;
        put_text(in_folder(names[i]), "old");
        assert_int_equal(gt_image_writer_open(&w, in_folder(names[i]), &o), GT_OK);
        assert_int_equal(count_entries(), i + 2); /* beside the old one */
        assert_int_equal(gt_image_writer_rows(w, 44, rows), GT_EINVAL);
        assert_int_equal(gt_image_writer_rows(w, 0, rows), GT_EINVAL);
        assert_int_equal(gt_image_writer_rows(w, 42, rows), GT_OK);
        assert_int_equal(gt_image_writer_finish(w), GT_EINVAL);
        gt_image_writer_free(w);
        expect_text(in_folder(names[i]), "old");
        assert_int_equal(count_entries(), i + 1);
    }
    /* a file that appears while we write is not replaced */
    gt_image_writer *w = NULL;
    o.overwrite = 0;
    assert_int_equal(gt_image_writer_open(&w, in_folder("y.tif"), &o), GT_OK);
    assert_int_equal(gt_image_writer_rows(w, 43, rows), GT_OK);
    put_text(in_folder("y.tif"), "new");
    assert_int_equal(gt_image_writer_finish(w), GT_EINVAL);
    gt_image_writer_free(w);
    expect_text(in_folder("y.tif"), "new");
    assert_int_equal(count_entries(), 3);
    free(rows);
}

/* The disk is full after so many bytes; a limit on the size of files plays the disk. */
static void test_disk_full(void **state)
{
    (void)state;
    static const char *const names[] = {"x.tif", "x.png"};
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < 2; ++i) {
        put_text(in_folder(names[i]), "old");
        gt_writer_options o = options(GT_U16, 1, 1);
        gt_status status = GT_EIO;
        o.overwrite = 1;
        o.width = 300;
        o.height = 300;
        for (rlim_t bytes = 0; status != GT_OK; bytes += 97) {
            struct rlimit small = {bytes, old.rlim_max};
            assert_true(bytes < 200000);
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
            status = write_pages(in_folder(names[i]), &o, 50);
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
            assert_int_equal(count_entries(), i + 1);
            if (status != GT_OK) {
                assert_int_equal(status, GT_EIO);
                assert_non_null(strstr(gt_error_message(), names[i]));
                expect_text(in_folder(names[i]), "old");
            }
        }
        expect_pages(in_folder(names[i]), &o);
    }
    (void)signal(SIGXFSZ, handler);
}

/* ---- folders ---- */

static void test_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"b.PNG", "a.tif", "C.tiff", "d.TIF"};
    static const char *const sorted[] = {"C.tiff", "a.tif", "a.tif", "b.PNG", "d.TIF"};
    gt_image_reader *r = NULL;
    assert_int_equal(gt_image_reader_open(&r, folder, NULL), GT_EFORMAT);
    for (int i = 0; i < 4; ++i) {
        gt_writer_options o = options(GT_U8, 1, i == 1 ? 2 : 1);
        assert_int_equal(write_pages(in_folder(names[i]), &o, 43), GT_OK);
    }
    put_text(in_folder("notes.txt"), "no image");
    put_text(in_folder("._a.tif"), "no image");
    assert_int_equal(gt_image_reader_open(&r, folder, NULL), GT_OK);
    assert_int_equal(gt_image_reader_pages(r), 5);
    for (size_t page = 5; page-- > 0;) {
        size_t inner = 9;
        gt_image *image = NULL;
        assert_string_equal(gt_image_reader_file(r, page, &inner), sorted[page]);
        assert_int_equal(inner, page == 2 ? 1 : 0);
        assert_int_equal(gt_image_reader_load(&image, r, page), GT_OK);
        assert_true(((float *)gt_image_get_view(image).data)[1] == pixel(inner, 0, 0, 1));
        gt_image_free(image);
    }
    gt_page_info info;
    float row[61];
    assert_int_equal(gt_image_reader_page(&info, r, 5), GT_EINVAL);
    assert_int_equal(gt_image_reader_rows(r, 0, 43, 1, row), GT_EINVAL);
    assert_int_equal(gt_image_reader_rows(r, 0, -1, 1, row), GT_EINVAL);
    assert_int_equal(gt_image_reader_rows(r, 0, 1, INT32_MAX, row), GT_EINVAL);
    gt_image_reader_free(r);
    gt_image_reader_free(NULL);
    gt_image_limits limits;
    gt_image_limits_init(&limits);
    limits.max_pages = 4;
    assert_int_equal(gt_image_reader_open(&r, folder, &limits), GT_ELIMIT);
    put_text(in_folder("e.tif"), "no image");
    assert_int_equal(gt_image_reader_open(&r, folder, NULL), GT_EFORMAT);
    assert_non_null(strstr(gt_error_message(), "e.tif"));
    assert_int_equal(gt_image_reader_open(&r, in_folder("none.tif"), NULL), GT_EIO);
    assert_int_equal(gt_image_reader_open(&r, "", NULL), GT_EINVAL);
}

/* ---- memory that runs out ---- */

struct failing {
    int left; /* allocations that still succeed */
    int live;
};

static void *failing_allocate(void *cookie, size_t size, size_t alignment)
{
    struct failing *f = cookie;
    if (f->left-- <= 0) {
        return NULL;
    }
    f->live += 1;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void failing_release(void *cookie, void *memory)
{
    ((struct failing *)cookie)->live -= 1;
    free(memory);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct failing f = {0, 0};
    const gt_allocator allocator = {failing_allocate, failing_release, &f};
    gt_set_allocator(&allocator);
    for (int i = 0; i < 2; ++i) {
        const char *path = in_folder(i == 0 ? "a.tif" : "a.png");
        gt_writer_options o = options(GT_U8, 1, 1);
        gt_status status = GT_ENOMEM;
        for (int n = 0; status != GT_OK; ++n) {
            assert_true(n < 200);
            f.left = n;
            status = write_pages(path, &o, 43);
            assert_true(status == GT_OK || status == GT_ENOMEM);
            assert_int_equal(f.live, 0);
            assert_int_equal(count_entries(), i + (status == GT_OK));
        }
        status = GT_ENOMEM;
        for (int n = 0; status != GT_OK; ++n) {
            gt_image_reader *r = NULL;
            gt_image *image = NULL;
            assert_true(n < 200);
            f.left = n;
            status = gt_image_reader_open(&r, path, NULL);
            status = status == GT_OK ? gt_image_reader_load(&image, r, 0) : status;
            assert_true(status == GT_OK || status == GT_ENOMEM);
            gt_image_free(image);
            gt_image_reader_free(r);
            assert_int_equal(f.live, 0);
        }
    }
    gt_set_allocator(NULL);
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create), cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_views),  WITH_FOLDER(test_round_trips),
        WITH_FOLDER(test_hyperstack),  WITH_FOLDER(test_refusals),
        WITH_FOLDER(test_unfinished),  WITH_FOLDER(test_disk_full),
        WITH_FOLDER(test_folder),      WITH_FOLDER(test_no_memory),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
