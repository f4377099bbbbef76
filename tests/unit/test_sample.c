/* Patches: mirrored border, alignment under every symmetry, reproducibility, uniform draws.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/mirror.h"
#include "data/sample.h"

#define SPEC(p, b, s, a)                                                                           \
    {                                                                                              \
        .patch = (p), .border = (b), .shrink = (s), .augment = (a)                                 \
    }

/* Brute force: walk along the line and turn at its ends, staying one step on the edge pixel. */
static int32_t walk(int32_t i, int32_t n)
{
    int32_t at = 0;
    int32_t direction = 1;
    int32_t steps = i >= 0 ? i : -i - 1; /* the mirror image of -1 is 0 */
    for (int32_t k = 0; k < steps; k++) {
        if (at + direction < 0 || at + direction >= n) {
            direction = -direction;
        } else {
            at += direction;
        }
    }
    return at;
}

static void test_mirror(void **state)
{
    (void)state;
    const int32_t by_hand[] = {1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1}; /* n = 3, i = -5 to 7 */
    for (int32_t i = -5; i <= 7; i++) {
        assert_int_equal(gt__mirror(i, 3), by_hand[i + 5]);
    }
    for (int32_t n = 1; n < 9; n++) {
        for (int32_t i = -40; i < 40; i++) {
            assert_int_equal(gt__mirror(i, n), walk(i, n));
        }
    }
    assert_int_equal(gt__mirror(INT32_MIN, 1), 0);
    assert_in_range(gt__mirror(INT32_MAX, 1000), 0, 999);
}

/* Grey values of labels; pixel k of an image has label k % 5 of these, or is ignored. */
static const int32_t greys[5] = {3, 50, 77, 200, 255};
#define IGNORED 77

/* Pixel k of an image of n pixels has raw value k, so that a normalised sample tells where it is
 * from. */
static void add_ramp(gt_dataset *d, int32_t width, int32_t height)
{
    size_t n = (size_t)width * (size_t)height;
    float *raw = malloc(n * sizeof *raw);
    uint8_t *labels = malloc(n);
    assert_true(raw && labels);
    for (size_t k = 0; k < n; k++) {
        raw[k] = (float)k;
        labels[k] = (uint8_t)greys[k % 5];
    }
    gt_image_view r = gt_image_view_planar(raw, GT_F32, 1, height, width);
    gt_image_view l = gt_image_view_planar(labels, GT_U8, 1, height, width);
    assert_int_equal(gt_dataset_add(d, &r, &l), GT_OK);
    free(raw);
    free(labels);
}

static gt_dataset *create(int32_t channels)
{
    gt_dataset_options o;
    gt_dataset_options_init(&o);
    o.channels = channels;
    o.ignore_value = IGNORED;
    gt_dataset *d = NULL;
    assert_int_equal(gt_dataset_create(&d, &o), GT_OK);
    return d;
}

/* Index of the pixel that a normalised value of a ramp of n pixels comes from. */
static int32_t origin(float value, int32_t n)
{
    double k = ((double)value + 1) / 2 * (n - 1);
    assert_true(fabs(k - round(k)) < 1e-2);
    return (int32_t)round(k);
}

static float expected_label(int32_t pixel)
{
    const float rank[5] = {0, 1, -1, 2, 3};
    return rank[pixel % 5];
}

/* Which of the eight symmetries a patch shows: direction of its rows and columns in the image. */
static int32_t symmetry_of(const int32_t *at, int32_t side, int32_t width)
{
    int32_t across = at[1] - at[0];
    int32_t down = at[side] - at[0];
    assert_true(abs(across) == 1 || abs(across) == width);
    assert_int_equal(abs(across) + abs(down), 1 + width);
    return (abs(across) == 1 ? 0 : 4) + (across < 0 ? 2 : 0) + (down < 0 ? 1 : 0);
}

struct seen {
    int32_t symmetry[8];
    int32_t corner[64]; /* pixel of the image that is the patch's upper left one in the image */
};

/* Draw and check `samples` patches of a 13 x 11 image. */
static struct seen check(const struct gt_patch_spec *spec, int32_t samples)
{
    enum { W = 13, H = 11, MAX = 64 };
    struct seen seen = {{0}, {0}};
    gt_dataset *d = create(0);
    add_ramp(d, W, H);
    assert_int_equal(gt__sample_check(d, spec), GT_OK);
    int32_t patch = spec->patch;
    int32_t side = patch + spec->shrink;
    assert_true(side <= MAX);
    static float raw[MAX * MAX];
    static float labels[MAX * MAX];
    static int32_t at[MAX * MAX];
    for (int32_t s = 0; s < samples; s++) {
        gt__sample_patch(d, spec, 5, (uint64_t)s, raw, labels);
        int32_t first = W * H;
        for (int32_t i = 0; i < patch; i++) {
            for (int32_t j = 0; j < patch; j++) {
                int32_t k = origin(raw[(i + spec->border) * side + j + spec->border], W * H);
                at[i * patch + j] = k;
                first = k < first ? k : first;
                assert_true(labels[i * patch + j] == expected_label(k));
            }
        }
        int32_t symmetry = symmetry_of(at, patch, W);
        seen.symmetry[symmetry]++;
        seen.corner[first / W * (W - patch + 1) + first % W]++;
        /* All of the input, border included, continues the directions of the middle. */
        int32_t down = symmetry & 1 ? -1 : 1;
        int32_t across = symmetry & 2 ? -1 : 1;
        for (int32_t i = 0; i < side; i++) {
            for (int32_t j = 0; j < side; j++) {
                int32_t u = down * (i - spec->border);
                int32_t v = across * (j - spec->border);
                int32_t y = gt__mirror(at[0] / W + (symmetry & 4 ? v : u), H);
                int32_t x = gt__mirror(at[0] % W + (symmetry & 4 ? u : v), W);
                assert_int_equal(origin(raw[i * side + j], W * H), y * W + x);
            }
        }
    }
    gt_dataset_free(d);
    return seen;
}

/* An even and an odd shrink; the border exceeds the image, so it is mirrored repeatedly. */
static void test_alignment(void **state)
{
    (void)state;
    struct seen seen = check(&(struct gt_patch_spec)SPEC(6, 20, 40, GT_AUGMENT_D4), 200);
    for (int32_t s = 0; s < 8; s++) {
        assert_in_range(seen.symmetry[s], 5, 60);
    }
    seen = check(&(struct gt_patch_spec)SPEC(6, 20, 39, GT_AUGMENT_D4), 200);
    for (int32_t s = 0; s < 8; s++) {
        assert_in_range(seen.symmetry[s], 5, 60);
    }
    check(&(struct gt_patch_spec)SPEC(11, 0, 0, GT_AUGMENT_D4), 20);
}

static void test_modes(void **state)
{
    (void)state;
    struct seen seen = check(&(struct gt_patch_spec)SPEC(5, 2, 3, GT_AUGMENT_NONE), 50);
    assert_int_equal(seen.symmetry[0], 50);
    /* four labels: AUTO means none */
    seen = check(&(struct gt_patch_spec)SPEC(5, 2, 4, GT_AUGMENT_AUTO), 50);
    assert_int_equal(seen.symmetry[0], 50);
    seen = check(&(struct gt_patch_spec)SPEC(5, 2, 4, GT_AUGMENT_FLIPS), 100);
    assert_int_equal(seen.symmetry[0] + seen.symmetry[1] + seen.symmetry[2] + seen.symmetry[3],
                     100);
    assert_true(seen.symmetry[0] > 5 && seen.symmetry[1] > 5 && seen.symmetry[2] > 5);
}

/* 8 x 6 positions, each within 5 standard deviations of its share. */
static void test_positions(void **state)
{
    (void)state;
    struct seen seen = check(&(struct gt_patch_spec)SPEC(6, 1, 1, GT_AUGMENT_D4), 4800);
    for (int32_t i = 0; i < 48; i++) {
        assert_in_range(seen.corner[i], 50, 150);
    }
}

/* Images count by their number of positions: 5 x 5 patches in 9 x 9 (25) and 29 x 7 (75). */
static void test_images(void **state)
{
    (void)state;
    gt_dataset *d = create(3);
    add_ramp(d, 9, 9);
    add_ramp(d, 29, 7);
    struct gt_patch_spec spec = SPEC(5, 1, 2, GT_AUGMENT_NONE);
    assert_int_equal(gt__sample_check(d, &spec), GT_OK);
    int32_t second = 0;
    for (uint64_t s = 0; s < 2000; s++) {
        float raw[3 * 49];
        float labels[25];
        gt__sample_patch(d, &spec, 1, s, raw, labels);
        /* the step between neighbours is 2/(n - 1) */
        second += raw[9] - raw[8] < 2.0F / 100;
        /* grey is seen in all three channels */
        assert_memory_equal(raw, raw + 49, 49 * sizeof *raw);
        assert_memory_equal(raw, raw + 98, 49 * sizeof *raw);
    }
    assert_in_range(second, 1500 - 97, 1500 + 97);
    gt_dataset_free(d);
}

/* A patch depends on key and sample alone. */
static void test_reproducible(void **state)
{
    (void)state;
    gt_dataset *d = create(1);
    add_ramp(d, 40, 30);
    struct gt_patch_spec spec = SPEC(8, 3, 6, GT_AUGMENT_D4);
    assert_int_equal(gt__sample_check(d, &spec), GT_OK);
    float raw[3][14 * 14];
    float labels[3][64];
    gt__sample_patch(d, &spec, 9, 1234567890123, raw[0], labels[0]);
    gt__sample_patch(d, &spec, 9, 1234567890124, raw[1], labels[1]);
    gt__sample_patch(d, &spec, 9, 1234567890123, raw[2], labels[2]);
    assert_memory_equal(raw[0], raw[2], sizeof raw[0]);
    assert_memory_equal(labels[0], labels[2], sizeof labels[0]);
    assert_true(memcmp(raw[0], raw[1], sizeof raw[0]) != 0);
    gt__sample_patch(d, &spec, 10, 1234567890123, raw[1], labels[1]);
    assert_true(memcmp(raw[0], raw[1], sizeof raw[0]) != 0);
    gt_dataset_free(d);
}

/* Without distortion the options change no bit; with it a grey page is still grey, other samples
 * differ and what is ignored is some pixel that was ignored. */
static void test_distorted(void **state)
{
    (void)state;
    enum { N = 3 * 14 * 14 };
    gt_augment_options o;
    gt_augment_options_init(&o);
    gt_dataset *d = create(3);
    add_ramp(d, 40, 30);
    struct gt_patch_spec spec = SPEC(8, 3, 6, GT_AUGMENT_D4);
    float raw[3][N];
    float labels[3][64];
    assert_int_equal(gt__sample_check(d, &spec), GT_OK);
    gt__sample_patch(d, &spec, 9, 1, raw[0], labels[0]);
    spec.distort = &o;
    gt__sample_patch(d, &spec, 9, 1, raw[1], labels[1]);
    assert_memory_equal(raw[0], raw[1], sizeof raw[0]);
    assert_memory_equal(labels[0], labels[1], sizeof labels[0]);
    o.rotate = 180;
    o.elastic = 2;
    o.noise = 0.5F;
    o.blur = 1;
    gt__sample_patch(d, &spec, 9, 1, raw[1], labels[1]);
    gt__sample_patch(d, &spec, 9, 2, raw[2], labels[2]);
    assert_true(memcmp(raw[0], raw[1], sizeof raw[0]) != 0);
    assert_true(memcmp(raw[2], raw[1], sizeof raw[0]) != 0);
    assert_true(memcmp(labels[0], labels[1], sizeof labels[0]) != 0);
    assert_memory_equal(raw[1], raw[1] + 196, 196 * sizeof **raw);
    assert_memory_equal(raw[1], raw[1] + 392, 196 * sizeof **raw);
    for (int32_t i = 0; i < 64; i++) {
        assert_true(labels[1][i] >= -1 && labels[1][i] <= 3);
    }
    gt__sample_patch(d, &spec, 9, 1, raw[2], labels[2]);
    assert_memory_equal(raw[1], raw[2], sizeof raw[1]);
    assert_memory_equal(labels[1], labels[2], sizeof labels[1]);
    gt_dataset_free(d);
}

static void test_refused(void **state)
{
    (void)state;
    gt_dataset *d = create(1);
    struct gt_patch_spec spec = SPEC(8, 3, 6, GT_AUGMENT_D4);
    assert_int_equal(gt__sample_check(d, &spec), GT_EINVAL); /* empty */
    add_ramp(d, 20, 20);
    add_ramp(d, 20, 7);
    assert_int_equal(gt__sample_check(d, &spec), GT_ESHAPE);
    assert_non_null(strstr(gt_error_message(), "image 2 of 20 x 7"));
    spec = (struct gt_patch_spec)SPEC(7, 3, 7, GT_AUGMENT_D4);
    assert_int_equal(gt__sample_check(d, &spec), GT_EINVAL);
    spec = (struct gt_patch_spec)SPEC(7, 3, 4, GT_AUGMENT_D4);
    assert_int_equal(gt__sample_check(d, &spec), GT_EINVAL);
    spec = (struct gt_patch_spec)SPEC(7, 3, 5, GT_AUGMENT_D4);
    assert_int_equal(gt__sample_check(d, &spec), GT_OK);
    gt_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror),    cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_modes),     cmocka_unit_test(test_positions),
        cmocka_unit_test(test_images),    cmocka_unit_test(test_reproducible),
        cmocka_unit_test(test_distorted), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
