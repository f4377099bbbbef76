/* The patch prior: weights of all patches, patches drawn against them, memory.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../support/label_data.h"
#include "data/balance.h"
#include "data/dataset.h"
#include "data/sample.h"

/* w(p) by its definition. */
static double weight_of(const gt_dataset *d, const struct gt_place *at, int32_t patch,
                        const double *frequency)
{
    double w = 0.0;
    for (int32_t i = 0; i < patch; i++) {
        for (int32_t j = 0; j < patch; j++) {
            size_t k = (size_t)(at->y + i) * (size_t)at->page->width + (size_t)(at->x + j);
            int16_t label = d->rank[at->page->grey[k]];
            w += label >= 0 ? 1.0 / frequency[label] / (patch * patch) : 0.0;
        }
    }
    return w;
}

static struct gt_balance *balance_of(gt_dataset *d, gt_equalise equalise, int32_t patch)
{
    gt_train_options o;
    struct gt_balance *b = NULL;
    gt_train_options_init(&o);
    const struct gt_balance_options options = {equalise, patch, o.balance};
    assert_int_equal(gt__balance_create(&b, d, &options), GT_OK);
    return b;
}

static void test_vector(void **state)
{
    (void)state;
    static const uint8_t labels[16] = {0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 2, 1, 1, 1, 2, 1};
    static const double want[9] = {2.769230769, 2.443438914, 2.117647059, 2.606334842, 3.414027149,
                                   3.088235294, 2.280542986, 4.221719457, 4.058823529};
    gt_dataset *d = label_data();
    label_data_add(d, labels, 4, 4);
    struct gt_balance *b = balance_of(d, GT_EQUALISE_PRIOR, 2);
    struct gt_band band = {0};
    uint64_t row[3];
    assert_int_equal(gt__band_open(&band, b->prior, &d->pages[0]), GT_OK);
    for (int32_t y = 0; y < 3; y++) {
        gt__band_next(row, &band);
        for (int32_t x = 0; x < 3; x++) {
            assert_true(fabs((double)row[x] * b->prior->unit - want[3 * y + x]) < 1e-6);
        }
    }
    gt__band_close(&band);
    assert_true(fabs(b->prior->rows[2] * b->prior->unit - 27.0) < 1e-9);
    gt__balance_free(b);
    gt_dataset_free(d);
}

/* Labels of an image, some ignored, label 5 only in one pixel. */
static void fill(uint8_t *labels, int32_t width, int32_t height, uint32_t seed)
{
    for (int32_t i = 0; i < width * height; i++) {
        seed = seed * 1664525U + 1013904223U;
        uint32_t r = seed >> 24;
        labels[i] = r < 20 ? UINT8_MAX : r < 200 ? 0 : r < 250 ? 1 : 3;
    }
    labels[width * height / 2] = 5;
}

/* Every u between two running sums leads to the patch between them: exact at all borders. */
static void test_draw(void **state)
{
    (void)state;
    enum { W = 700, H = 9, PATCH = 5 }; /* wider than two strips */
    static uint8_t labels[W * H];
    fill(labels, W, H, 1);
    memset(labels, UINT8_MAX, 40); /* patches without a label at the start of row 0 */
    memset(labels + W, UINT8_MAX, 40);
    memset(labels + 2 * W, UINT8_MAX, 40);
    memset(labels + 3 * W, UINT8_MAX, 40);
    memset(labels + 4 * W, UINT8_MAX, 40);
    gt_dataset *d = label_data();
    label_data_add(d, labels, W, H);
    label_data_add(d, labels + 100, 20, 30);
    struct gt_balance *b = balance_of(d, GT_EQUALISE_PRIOR, PATCH);
    double total = b->prior->rows[b->prior->n_rows - 1];
    assert_int_equal(b->prior->n_rows, 5 + 26);
    double sum = 0.0;
    for (size_t page = 0; page < 2; page++) {
        const struct gt_page *p = &d->pages[page];
        for (int32_t y = 0; y + PATCH <= p->height; y++) {
            for (int32_t x = 0; x + PATCH <= p->width; x++) {
                struct gt_place want = {p, y, x};
                double w = weight_of(d, &want, PATCH, b->images) / b->prior->unit;
                if (w == 0.0) {
                    continue;
                }
                for (int32_t part = 1; part < 10; part += 4) { /* 0.1, 0.5, 0.9 of the patch */
                    struct gt_place got = gt__prior_draw(b->prior, (sum + 0.1 * part * w) / total);
                    if (got.page != want.page || got.y != y || got.x != x) {
                        fail_msg("page %zu y %d x %d: drawn y %d x %d", page, y, x, got.y, got.x);
                    }
                }
                sum += w;
            }
        }
    }
    assert_true(fabs(sum / total - 1.0) < 1e-9);
    struct gt_place first = gt__prior_draw(b->prior, 0.0);
    assert_int_equal(first.x, 36); /* the first patch with a labelled pixel */
    struct gt_place last = gt__prior_draw(b->prior, 1.0);
    assert_true(last.page == &d->pages[1] && last.y == 25 && last.x == 15);
    gt__balance_free(b);
    gt_dataset_free(d);
}

/* Chi-square of drawn patches against w(p), through the sampler, with fixed seeds. */
static void test_statistics(void **state)
{
    (void)state;
    enum { W = 13, H = 11, PATCH = 6, DRAWS = 20000, PLACES = 48 };
    uint8_t labels[W * H];
    float raw[W * H];
    fill(labels, W, H, 5);
    gt_dataset *d = NULL;
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    o.ignore_value = UINT8_MAX;
    assert_int_equal(gt_dataset_create(&d, &o), GT_OK);
    for (int32_t i = 0; i < W * H; i++) {
        raw[i] = (float)i; /* tells where a patch is from */
    }
    gt_image_view r = gt_image_view_planar(raw, GT_F32, 1, H, W);
    gt_image_view l = gt_image_view_planar(labels, GT_U8, 1, H, W);
    assert_int_equal(gt_dataset_add(d, &r, &l), GT_OK);
    struct gt_balance *b = balance_of(d, GT_EQUALISE_PRIOR, PATCH);
    struct gt_patch_spec spec = {.patch = PATCH, .augment = GT_AUGMENT_NONE, .balance = b};
    assert_int_equal(gt__sample_check(d, &spec), GT_OK);
    int32_t seen[PLACES] = {0};
    for (uint64_t s = 0; s < DRAWS; s++) {
        float patch[PATCH * PATCH];
        float map[PATCH * PATCH];
        gt__sample_patch(d, &spec, 11, s, patch, map);
        long at = lroundf((patch[0] + 1) / 2 * (W * H - 1));
        seen[at / W * (W - PATCH + 1) + at % W]++;
    }
    double total = b->prior->rows[b->prior->n_rows - 1] * b->prior->unit;
    double chi = 0.0;
    double uniform = 0.0;
    for (int32_t i = 0; i < PLACES; i++) {
        struct gt_place at = {&d->pages[0], i / 8, i % 8};
        double want = DRAWS * weight_of(d, &at, PATCH, b->images) / total;
        chi += (seen[i] - want) * (seen[i] - want) / want;
        uniform += pow(seen[i] - DRAWS / 48.0, 2) / (DRAWS / 48.0);
    }
    assert_true(chi < 47 + 4 * sqrt(2 * 47)); /* 47 degrees of freedom */
    assert_true(uniform > 500);               /* and these are not drawn uniformly */
    gt__balance_free(b);
    gt_dataset_free(d);
}

/* A label of one pixel among 10^6 weighs what it should; one without pixels weighs nothing. */
static void test_rare(void **state)
{
    (void)state;
    enum { SIDE = 1000, PATCH = 40 };
    uint8_t *labels = calloc(SIDE, SIDE);
    assert_non_null(labels);
    labels[500 * SIDE + 500] = 1;
    gt_dataset *d = NULL;
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    o.labels = 3;
    assert_int_equal(gt_dataset_create(&d, &o), GT_OK);
    label_data_add(d, labels, SIDE, SIDE);
    struct gt_balance *b = balance_of(d, GT_EQUALISE_BOTH, PATCH);
    /* w is 1 for all patches, and 1/1600 of 1/f more for the 1600 that hold the pixel: half of all
     * weight is theirs */
    double patches = 961.0 * 961.0;
    assert_true(fabs(b->prior->rows[960] * b->prior->unit / patches - 2.0) < 1e-6);
    double w = 1599.0 / 1600 / (1 - 1 / patches) + patches / 1600;
    assert_true(fabs(b->drawn[1] * 2 * patches / w - 1.0) < 1e-8);
    assert_true(b->drawn[2] == 0.0 && b->keep[2] == 1.0F && b->keep[1] == 1.0F);
    int32_t hits = 0;
    for (int32_t i = 0; i < 1000; i++) {
        struct gt_place at = gt__prior_draw(b->prior, (i + 0.5) / 1000);
        hits += at.y > 500 - PATCH && at.y <= 500 && at.x > 500 - PATCH && at.x <= 500;
    }
    assert_in_range(hits, 499, 502);
    gt__balance_free(b);
    gt_dataset_free(d);
    free(labels);
}

/* ---- memory ---- */

static size_t bytes, most;

static void *count_allocate(void *cookie, size_t size, size_t alignment)
{
    (void)cookie;
    size_t *memory = aligned_alloc(alignment, (size + 2 * alignment - 1) / alignment * alignment);
    if (!memory) {
        return NULL;
    }
    memory[0] = size;
    bytes += size;
    most = bytes > most ? bytes : most;
    return (char *)memory + alignment;
}

static void count_release(void *cookie, void *memory)
{
    (void)cookie;
    size_t *start = (void *)((char *)memory - 64);
    bytes -= start[0];
    free(start);
}

static void *count_allocate_64(void *cookie, size_t size, size_t alignment)
{
    assert_int_equal(alignment, 64); /* count_release() relies on it */
    return count_allocate(cookie, size, alignment);
}

/* 3 million patches: a double for each would be 24 MB, for each label more. */
static void test_memory(void **state)
{
    (void)state;
    enum { W = 3000, H = 1100, PATCH = 60 };
    const gt_allocator counting = {count_allocate_64, count_release, NULL};
    uint8_t *labels = malloc((size_t)W * H);
    assert_non_null(labels);
    fill(labels, W, H, 3);
    gt_set_allocator(&counting);
    gt_dataset *d = label_data();
    label_data_add(d, labels, W, H);
    assert_int_equal(gt__dataset_ready(d), GT_OK);
    most = bytes;
    size_t before = bytes;
    struct gt_balance *b = balance_of(d, GT_EQUALISE_BOTH, PATCH);
    assert_true(bytes - before < sizeof *b + sizeof *b->prior + (H + 64) * sizeof(double));
    assert_true(most - before < 2 * sizeof *b + sizeof *b->prior + (H + 6 * W) * sizeof(double));
    gt__balance_free(b);
    gt_dataset_free(d);
    gt_set_allocator(NULL);
    assert_int_equal(bytes, 0);
    free(labels);
}

static void test_nothing(void **state)
{
    (void)state;
    static const uint8_t labels[16] = {0, 1};
    gt_dataset *d = NULL;
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    o.ignore_value = 0;
    o.labels = 2;
    assert_int_equal(gt_dataset_create(&d, &o), GT_OK);
    label_data_add(d, labels, 4, 4);
    assert_int_equal(gt__dataset_ready(d), GT_OK);
    struct gt_prior *prior = NULL;
    const double none[2] = {0.0, 0.0};
    assert_int_equal(gt__prior_create(&prior, d, 2, none), GT_EINVAL);
    assert_non_null(strstr(gt_error_message(), "no pixel of the 1 images has a label"));
    assert_null(prior);
    gt_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector), cmocka_unit_test(test_draw),
        cmocka_unit_test(test_rare),   cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests_name("prior", tests, NULL, NULL);
}
