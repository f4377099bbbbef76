/* Rows of preprocessed pages: crop, smoothing, statistics, independence of the chunks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "../golden/preprocess_golden.h"
#include "core/mem.h"
#include "data/prepare.h"
#include "prepare_rig.h"

/* The whole page, `chunk` rows at a time, downwards or upwards. The caller frees. */
static float *prepare(const gt_preprocess *o, const gt_row_source *page, int32_t chunk, bool up)
{
    struct gt_preparer *p = NULL;
    int32_t width = 0;
    int32_t height = 0;
    assert_int_equal(gt__preparer_open(&p, o, page, NULL), GT_OK);
    assert_int_equal(gt_preprocess_size(&width, &height, o, page->width, page->height), GT_OK);
    size_t plane = (size_t)width * (size_t)height;
    size_t row = (size_t)width;
    float *out = malloc((size_t)page->channels * plane * sizeof *out);
    float *rows = malloc((size_t)page->channels * (size_t)chunk * row * sizeof *rows);
    int32_t chunks = (height + chunk - 1) / chunk;
    for (int32_t i = 0; i < chunks; i++) {
        int32_t y = (up ? chunks - 1 - i : i) * chunk;
        int32_t n = height - y < chunk ? height - y : chunk;
        assert_int_equal(gt__preparer_rows(p, y, n, rows), GT_OK);
        for (int32_t c = 0; c < page->channels; c++) {
            memcpy(out + (size_t)c * plane + (size_t)y * row, rows + (size_t)c * (size_t)n * row,
                   (size_t)n * row * sizeof *out);
        }
    }
    gt__preparer_close(p);
    free(rows);
    return out;
}

static gt_preprocess options(gt_normalise kind)
{
    gt_preprocess o;
    gt_preprocess_init(&o);
    o.normalise = kind;
    return o;
}

static void test_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_smooth / sizeof *golden_smooth; i++) {
        struct rig_page p;
        gt_preprocess o = options(GT_NORMALISE_NONE);
        int32_t width = golden_smooth[i].width;
        int32_t height = golden_smooth[i].height;
        o.smooth = golden_smooth[i].sigma;
        rig_open(&p, 1, width, height);
        float *out = prepare(&o, &p.source, 32, false);
        double sum = 0.0;
        double picked = 0.0;
        for (int32_t k = 0; k < width * height; k += 7) {
            picked += 1.0;
            sum += (double)out[k] * picked;
        }
        double middle = (double)out[height / 2 * width + width / 2];
        assert_true(fabs(sum / (picked * picked) - golden_smooth[i].sum) < 1e-4);
        assert_true(fabs(middle - golden_smooth[i].middle) < 1e-4);
        free(out);
        rig_close(&p);
    }
}

/* Everything on: the bits do not depend on how many rows are asked for, nor in which order. */
static void test_chunks(void **state)
{
    (void)state;
    const gt_normalise kinds[] = {GT_NORMALISE_MINMAX, GT_NORMALISE_MEANVAR,
                                  GT_NORMALISE_PERCENTILE, GT_NORMALISE_NONE};
    const double sigmas[] = {0.0, 1.3, 30.0}; /* the last sees further than the page */
    struct rig_page p;
    rig_open(&p, 3, 61, 83);
    for (size_t i = 0; i < 4 * 3 * 2; i++) {
        gt_preprocess o = options(kinds[i % 4]);
        o.smooth = sigmas[i / 4 % 3];
        o.clahe = i / 12 ? 3.0 : 0.0;
        o.crop_x = 3;
        o.crop_y = 2;
        o.crop_width = 41;
        o.crop_height = 77;
        size_t bytes = 3 * 41 * 77 * sizeof(float);
        float *want = prepare(&o, &p.source, 32, false);
        float *ones = prepare(&o, &p.source, 1, false);
        float *up = prepare(&o, &p.source, 7, true);
        assert_memory_equal(want, ones, bytes);
        assert_memory_equal(want, up, bytes);
        free(want);
        free(ones);
        free(up);
    }
    rig_close(&p);
}

/* Cropping comes first: a crop is the same as a smaller page. */
static void test_crop(void **state)
{
    (void)state;
    struct rig_page p;
    struct rig_page part;
    gt_preprocess o = options(GT_NORMALISE_PERCENTILE);
    o.clahe = 4.0;
    o.smooth = 1.0;
    rig_open(&p, 1, 61, 47);
    rig_open(&part, 1, 40, 30);
    for (size_t y = 0; y < 30; y++) {
        memcpy(part.values + y * 40, p.values + (y + 9) * 61 + 13, 40 * sizeof(float));
    }
    float *want = prepare(&o, &part.source, 32, false);
    o.crop_x = 13;
    o.crop_y = 9;
    o.crop_width = 40;
    o.crop_height = 30;
    float *got = prepare(&o, &p.source, 32, false);
    assert_memory_equal(want, got, 40 * 30 * sizeof(float));
    free(want);
    free(got);
    o.crop_x = 22;
    struct gt_preparer *none = NULL;
    assert_int_equal(gt__preparer_open(&none, &o, &p.source, NULL), GT_ESHAPE);
    assert_string_equal(gt_error_message(), "the crop of 40 x 30 pixels at x 22, y 9 is not inside "
                                            "the image of 61 x 47 pixels");
    rig_close(&part);
    rig_close(&p);
}

/* Going forward reads every row once per statistic, however much the filter sees. */
static void test_reads(void **state)
{
    (void)state;
    const struct {
        gt_normalise kind;
        double clahe, smooth;
        int64_t rounds;
    } cases[] = {
        {GT_NORMALISE_NONE, 0, 0, 1},    {GT_NORMALISE_MINMAX, 0, 0, 2},
        {GT_NORMALISE_MEANVAR, 0, 9, 2}, {GT_NORMALISE_PERCENTILE, 0, 0, 2},
        {GT_NORMALISE_MINMAX, 4, 0, 4},  {GT_NORMALISE_PERCENTILE, 4, 2, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig_page p;
        gt_preprocess o = options(cases[i].kind);
        o.clahe = cases[i].clahe;
        o.smooth = cases[i].smooth;
        rig_open(&p, 1, 20, 500);
        free(prepare(&o, &p.source, 32, false));
        assert_int_equal(p.rows, 500 * cases[i].rounds);
        rig_close(&p);
    }
}

static void test_not_finite(void **state)
{
    (void)state;
    struct rig_page p;
    struct gt_preparer *none = NULL;
    gt_preprocess o = options(GT_NORMALISE_MINMAX);
    rig_open(&p, 3, 61, 47);
    p.values[(2 * 47 + 40) * 61 + 7] = NAN;
    assert_int_equal(gt__preparer_open(&none, &o, &p.source, NULL), GT_ENUMERIC);
    assert_string_equal(gt_error_message(), "pixel x 7, y 40, channel 2 is not a number");
    p.values[(2 * 47 + 40) * 61 + 7] = 0;
    p.values[33 * 61 + 6] = -INFINITY;
    o.crop_x = o.crop_y = 5;
    o.crop_width = o.crop_height = 40;
    o.clahe = 4;
    assert_int_equal(gt__preparer_open(&none, &o, &p.source, NULL), GT_ENUMERIC);
    assert_string_equal(gt_error_message(), "pixel x 6, y 33, channel 0 is infinite");
    o.crop_x = 7; /* beside it */
    free(prepare(&o, &p.source, 32, false));
    rig_close(&p);
}

static gt_status find_page(void *cookie, size_t page, gt_row_source *out)
{
    struct rig_page *pages = cookie;
    *out = pages[page].source;
    return GT_OK;
}

/* Two pages, one twice as bright: one scale is that of both laid one above the other. */
static void test_stack(void **state)
{
    (void)state;
    struct rig_page pages[2];
    struct rig_page both;
    rig_open(&pages[0], 1, 40, 20);
    rig_open(&pages[1], 1, 40, 31);
    rig_open(&both, 1, 40, 51);
    for (size_t i = 0; i < 40 * 31; i++) {
        pages[1].values[i] = pages[1].values[i] * 2.0F + 0.25F;
    }
    memcpy(both.values, pages[0].values, 40 * 20 * sizeof(float));
    memcpy(both.values + 40 * 20, pages[1].values, 40 * 31 * sizeof(float));
    const gt_page_source stack = {2, find_page, pages};
    const gt_page_source single = {1, find_page, &both};
    for (int kind = GT_NORMALISE_MINMAX; kind <= GT_NORMALISE_NONE; kind++) {
        gt_preprocess o = options((gt_normalise)kind);
        struct gt_value_map got;
        struct gt_value_map want;
        assert_int_equal(gt__stack_map(&got, &o, &stack), GT_OK);
        assert_int_equal(gt__stack_map(&want, &o, &single), GT_OK);
        assert_true(got.low == want.low && got.scale == want.scale && got.cut == want.cut);
        struct gt_preparer *p = NULL;
        float row[40];
        assert_int_equal(gt__preparer_open(&p, &o, &pages[0].source, &got), GT_OK);
        assert_int_equal(gt__preparer_rows(p, 7, 1, row), GT_OK);
        float *whole = prepare(&o, &both.source, 32, false);
        assert_memory_equal(row, whole + 7 * 40, sizeof row);
        free(whole);
        gt__preparer_close(p);
    }
    rig_close(&both);
    rig_close(&pages[1]);
    rig_close(&pages[0]);
}

/* ---- memory: what is promised to the memory limit is enough, and not twice too much ---- */

struct meter {
    size_t live, peak;
};

/* The size stands in front of the block. */
static void *take(void *cookie, size_t size, size_t alignment)
{
    struct meter *m = cookie;
    char *memory = aligned_alloc(alignment, (size + 2 * alignment - 1) / alignment * alignment);
    memcpy(memory, &size, sizeof size);
    m->live += size;
    m->peak = m->live > m->peak ? m->live : m->peak;
    return memory + alignment;
}

static void give(void *cookie, void *memory)
{
    struct meter *m = cookie;
    char *block = (char *)memory - GT_ALIGN;
    size_t size = 0;
    memcpy(&size, block, sizeof size);
    m->live -= size;
    free(block);
}

static void test_bytes(void **state)
{
    (void)state;
    struct meter m = {0, 0};
    const gt_allocator allocator = {take, give, &m};
    struct rig_page p;
    gt_preprocess o = options(GT_NORMALISE_PERCENTILE);
    o.clahe = 4;
    o.smooth = 3;
    o.crop_width = 5000;
    o.crop_height = 20;
    rig_open(&p, 3, 5500, 20);
    for (size_t i = 0; i < 3 * 5500 * 20; i++) {
        p.values[i] *= 0.37F; /* percentiles need both rounds */
    }
    struct gt_preparer *none = NULL;
    gt_set_allocator(&allocator);
    assert_int_equal(gt__preparer_open(&none, &o, &p.source, NULL), GT_OK);
    gt__preparer_close(none);
    gt_set_allocator(NULL);
    assert_int_equal(m.live, 0);
    size_t chunk = (size_t)3 * GT_PREPARE_ROWS * 5000 * sizeof(float); /* the caller's, later */
    assert_true(m.peak <= gt__preparer_bytes(&o, 5500, 3) + chunk);
    assert_true(gt__preparer_bytes(&o, 5500, 3) < 2 * m.peak);
    rig_close(&p);
}

/* Views of any strides become dense images; without a rectangle it is all of them. */
static void test_crop_image(void **state)
{
    (void)state;
    uint16_t pixels[4][5][2]; /* [y][x][channel] */
    for (int32_t i = 0; i < 40; i++) {
        pixels[i / 10][i / 2 % 5][i % 2] = (uint16_t)(1000 + i);
    }
    const gt_image_view view = {pixels, GT_U16, 5, 4, 2, 4, 20, 2};
    gt_preprocess o = options(GT_NORMALISE_MINMAX);
    for (int32_t whole = 0; whole < 2; whole++) {
        gt_image *image = NULL;
        o.crop_x = whole ? 0 : 1;
        o.crop_y = whole ? 0 : 2;
        o.crop_width = whole ? 0 : 3;
        o.crop_height = whole ? 0 : 2;
        assert_int_equal(gt_preprocess_crop(&image, &o, &view), GT_OK);
        gt_image_view got = gt_image_get_view(image);
        assert_int_equal(got.width, whole ? 5 : 3);
        assert_int_equal(got.height, whole ? 4 : 2);
        assert_true(got.type == GT_U16 && got.channels == 2);
        const uint16_t *at = got.data;
        for (int32_t c = 0; c < 2; c++) {
            for (int32_t y = 0; y < got.height; y++) {
                for (int32_t x = 0; x < got.width; x++) {
                    assert_int_equal(*at++, pixels[y + o.crop_y][x + o.crop_x][c]);
                }
            }
        }
        gt_image_free(image);
    }
    gt_image *none = NULL;
    o.crop_x = 3;
    o.crop_y = 0;
    o.crop_width = o.crop_height = 3;
    assert_int_equal(gt_preprocess_crop(&none, &o, &view), GT_ESHAPE);
    assert_int_equal(gt_preprocess_crop(NULL, &o, &view), GT_EINVAL);
    assert_int_equal(gt_preprocess_crop(&none, &o, NULL), GT_EINVAL);
    assert_null(none);
}

static void refused(const gt_preprocess *o, const char *words)
{
    assert_int_equal(gt_preprocess_check(o), GT_EINVAL);
    if (!strstr(gt_error_message(), words)) {
        fail_msg("\"%s\" does not say \"%s\"", gt_error_message(), words);
    }
}

static void test_options(void **state)
{
    (void)state;
    gt_preprocess good;
    gt_preprocess_init(&good);
    assert_int_equal(gt_preprocess_check(&good), GT_OK);
    gt_preprocess o = good;
    o.normalise = (gt_normalise)4;
    refused(&o, "normalisation 4");
    o = good;
    o.scope = (gt_scope)-1;
    refused(&o, "scope -1");
    o = good;
    o.low = 99;
    refused(&o, "percentiles 99 and 99");
    o.low = NAN;
    refused(&o, "percentiles nan and 99");
    o = good;
    o.high = 100.5;
    refused(&o, "percentiles 1 and 100.5");
    o = good;
    o.clahe = -1;
    refused(&o, "clip limit -1");
    o = good;
    o.clahe_grid = 65;
    refused(&o, "65 CLAHE tiles");
    o = good;
    o.smooth = 0.01;
    refused(&o, "deviation 0.01");
    o.smooth = NAN;
    refused(&o, "deviation nan");
    o = good;
    o.crop_width = 5;
    refused(&o, "crop of 5 x 0");
    o.crop_height = 5;
    o.crop_x = -1;
    refused(&o, "x -1");
    refused(NULL, "no preprocessing");
}

static void test_equal(void **state)
{
    (void)state;
    gt_preprocess a;
    gt_preprocess_init(&a);
    gt_preprocess b = a;
    b.low = 2;
    b.clahe_grid = 3; /* without effect */
    assert_int_equal(gt_preprocess_equal(&a, &b), 1);
    b.clahe = 4;
    assert_int_equal(gt_preprocess_equal(&a, &b), 0);
    a.clahe = 4;
    assert_int_equal(gt_preprocess_equal(&a, &b), 0);
    a.clahe_grid = 3;
    assert_int_equal(gt_preprocess_equal(&a, &b), 1);
    a.normalise = b.normalise = GT_NORMALISE_PERCENTILE;
    assert_int_equal(gt_preprocess_equal(&a, &b), 0);
    a.normalise = b.normalise = GT_NORMALISE_NONE;
    b.scope = GT_SCOPE_STACK;
    assert_int_equal(gt_preprocess_equal(&a, &b), 1);
    b.crop_x = 1;
    assert_int_equal(gt_preprocess_equal(&a, &b), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scipy),      cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_crop),       cmocka_unit_test(test_reads),
        cmocka_unit_test(test_not_finite), cmocka_unit_test(test_stack),
        cmocka_unit_test(test_bytes),      cmocka_unit_test(test_options),
        cmocka_unit_test(test_equal),      cmocka_unit_test(test_crop_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
