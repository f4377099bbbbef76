/* gt_evaluation_*: against numbers of an independent script, and its rules.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <greentea/evaluate.h>

/* Printed by tests/golden/rand_thinned.py: case, threshold number, V_Rand, its split and merge
 * parts, V_Info, F-score of the pixels, share of wrong pixels. */
static const struct golden {
    int32_t image, threshold;
    double want[6];
} golden[] = {
    {0,
     0,
     {0.067992494082, 1.000000000000, 0.035192665594, 0.000000000000, 0.908524289643,
      0.162434895833}},
    {0,
     3,
     {0.067992494082, 1.000000000000, 0.035192665594, 0.000000000000, 0.953260242354,
      0.079101562500}},
    {0,
     5,
     {0.265625587487, 0.686524757057, 0.164669136663, 0.675547435173, 0.829568788501,
      0.243164062500}},
    {0,
     7,
     {0.191446164643, 0.106034243406, 0.984362917776, 0.693481966822, 0.621802002225,
      0.442708333333}},
    {0,
     10,
     {0.067992494082, 1.000000000000, 0.035192665594, 0.000000000000, 0.000000000000,
      0.806640625000}},
    {1,
     0,
     {0.386473660783, 1.000000000000, 0.239521135410, 0.000000000000, 0.754609929078,
      0.393181818182}},
    {1,
     3,
     {0.385118385723, 0.923996434079, 0.243252595748, 0.109465635611, 0.643796455117,
      0.471969696970}},
    {1,
     5,
     {0.275689389764, 0.188792076889, 0.510801246501, 0.477292724870, 0.528610354223,
      0.524242424242}},
    {1,
     7,
     {0.035010466125, 0.017849125113, 0.908578999669, 0.480483352369, 0.387259010897,
      0.553787878788}},
    {1,
     10,
     {0.386473660783, 1.000000000000, 0.239521135410, 0.000000000000, 0.000000000000,
      0.606818181818}},
    {2,
     0,
     {0.117647058824, 1.000000000000, 0.062500000000, 0.000000000000, 0.766584766585,
      0.350769230769}},
    {2,
     3,
     {0.132231404959, 1.000000000000, 0.070796460177, 0.155530324897, 0.862474084312,
      0.183692307692}},
    {2,
     5,
     {0.808417225812, 0.743178829717, 0.886211439834, 0.871898366861, 0.787665198238,
      0.222461538462}},
    {2,
     7,
     {0.112512926577, 0.059609905764, 1.000000000000, 0.615617209163, 0.611275964392,
      0.322461538462}},
    {2,
     10,
     {0.117647058824, 1.000000000000, 0.062500000000, 0.000000000000, 0.000000000000,
      0.576000000000}},
    {3,
     0,
     {0.089715124001, 1.000000000000, 0.046964264403, 0.000000000000, 0.907728095115,
      0.164591977870}},
    {3,
     3,
     {0.089715124001, 1.000000000000, 0.046964264403, 0.000000000000, 0.952019517484,
      0.081604426003}},
    {3,
     5,
     {0.620992773368, 0.723925533090, 0.543687507779, 0.811855685910, 0.818062827225,
      0.256339326879}},
    {3,
     7,
     {0.183371540957, 0.101079991161, 0.986521094487, 0.679356057445, 0.615687820260,
      0.449515905947}},
    {3,
     10,
     {0.089715124001, 1.000000000000, 0.046964264403, 0.000000000000, 0.000000000000,
      0.809589672660}},
};

static const int32_t sizes[4][2] = {{64, 48}, {40, 33}, {65, 50}, {57, 41}};

#define MAX_PIXELS 4096

static int32_t truth[MAX_PIXELS];
static float prob[MAX_PIXELS];

static uint32_t below(uint32_t *state, uint32_t n)
{
    *state = *state * 1664525U + 1013904223U;
    return (*state >> 8) % n;
}

/* The images of the script. */
static int32_t truth_at(int32_t image, int32_t y, int32_t x, uint32_t *state)
{
    if (image == 1) {
        return below(state, 100) < 60;
    }
    if (image == 2) {
        return !(x % 16 < 3 || y % 12 < 3);
    }
    if (image == 3 && x < 12 && y < 14) {
        return -1;
    }
    return !((x + 3 * (y / 9)) % 13 == 0 || y % 9 == 0);
}

static void make(int32_t image)
{
    uint32_t state = 1000 + (uint32_t)image;
    size_t i = 0;
    for (int32_t y = 0; y < sizes[image][1]; y++) {
        for (int32_t x = 0; x < sizes[image][0]; x++, i++) {
            truth[i] = truth_at(image, y, x, &state);
            int32_t v = image == 1 ? (int32_t)below(&state, 256)
                                   : (truth[i] == 1 ? 170 : 60) + (int32_t)below(&state, 181) - 90;
            prob[i] = (float)(v < 0 ? 0 : v > 255 ? 255 : v) / 256;
        }
    }
}

static gt_image_view view_of(void *data, gt_type type, int32_t channels, int32_t width,
                             int32_t height)
{
    return gt_image_view_planar(data, type, channels, height, width);
}

static void add(gt_evaluation *e, int32_t width, int32_t height)
{
    gt_image_view t = view_of(truth, GT_I32, 1, width, height);
    gt_image_view p = view_of(prob, GT_F32, 1, width, height);
    assert_int_equal(gt_evaluation_add(e, &t, &p), GT_OK);
}

static void test_golden(void **state)
{
    (void)state;
    size_t n = sizeof golden / sizeof *golden;
    for (size_t i = 0; i < n; i++) {
        const struct golden *g = &golden[i];
        gt_evaluation *e = NULL;
        gt_binary_scores s;
        make(g->image);
        assert_int_equal(gt_evaluation_create(&e, 2, 1), GT_OK);
        add(e, sizes[g->image][0], sizes[g->image][1]);
        assert_int_equal(gt_evaluation_scores(&s, e), GT_OK);
        int32_t t = g->threshold;
        const double got[6] = {s.v_rand[t], s.v_rand_split[t], s.v_rand_merge[t],
                               s.v_info[t], s.pixel_f[t],      s.pixel_wrong[t]};
        for (int32_t k = 0; k < 6; k++) {
            if (!(fabs(got[k] - g->want[k]) < 1e-11)) {
                fail_msg("image %d, threshold %d, score %d: %.12f, expected %.12f", g->image, t, k,
                         got[k], g->want[k]);
            }
        }
        gt_evaluation_free(e);
    }
}

/* Mean over the slices that have foreground; the best threshold is that of the mean, not of each
 * slice. */
static void test_stack(void **state)
{
    (void)state;
    gt_evaluation *e = NULL;
    gt_binary_scores s;
    assert_int_equal(gt_evaluation_create(&e, 2, 1), GT_OK);
    assert_int_equal(gt_evaluation_scores(&s, e), GT_EINVAL);
    double mean[GT_THRESHOLDS] = {0};
    for (int32_t image = 0; image < 3; image += 2) {
        gt_evaluation *one = NULL;
        make(image);
        assert_int_equal(gt_evaluation_create(&one, 2, 1), GT_OK);
        add(one, sizes[image][0], sizes[image][1]);
        add(e, sizes[image][0], sizes[image][1]);
        assert_int_equal(gt_evaluation_scores(&s, one), GT_OK);
        for (int32_t t = 0; t < GT_THRESHOLDS; t++) {
            mean[t] += s.v_rand[t] / 2;
        }
        gt_evaluation_free(one);
    }
    memset(truth, 0, sizeof truth);
    add(e, 30, 20); /* no foreground: pixels count, segments do not */
    assert_int_equal(gt_evaluation_scores(&s, e), GT_OK);
    assert_int_equal(s.slices, 2);
    int32_t best = 0;
    for (int32_t t = 0; t < GT_THRESHOLDS; t++) {
        assert_true(fabs(s.v_rand[t] - mean[t]) < 1e-15);
        best = mean[t] > mean[best] ? t : best;
    }
    assert_int_equal(s.best_v_rand, best);
    assert_true(fabs(s.pixel_error - (1 - s.pixel_f[s.best_pixel])) < 1e-15);
    gt_evaluation_free(e);
}

static void test_perfect(void **state)
{
    (void)state;
    gt_evaluation *e = NULL;
    gt_binary_scores s;
    make(0);
    for (int32_t i = 0; i < 64 * 48; i++) {
        prob[i] = (float)truth[i];
    }
    assert_int_equal(gt_evaluation_create(&e, 2, 1), GT_OK);
    add(e, 64, 48);
    assert_int_equal(gt_evaluation_scores(&s, e), GT_OK);
    for (int32_t t = 0; t < GT_THRESHOLDS; t++) { /* the last threshold is below 1, too */
        assert_true(fabs(s.v_rand[t] - 1) < 1e-15 && fabs(s.v_info[t] - 1) < 1e-12);
        assert_true(fabs(s.pixel_f[t] - 1) < 1e-15 && s.pixel_wrong[t] <= 0);
    }
    assert_int_equal(s.best_v_rand, 0);
    gt_evaluation_free(e);
}

/* 8- and 16-bit maps are scaled by their range: 51/255 is 0.2, which is not above the threshold
 * 0.2. */
static void test_integer_maps(void **state)
{
    (void)state;
    int32_t t4[4] = {1, 1, 1, 1};
    uint8_t p8[4] = {50, 51, 52, 255};
    uint16_t p16[4] = {0, 13107, 13108, 65535};
    gt_image_view t = view_of(t4, GT_I32, 1, 4, 1);
    gt_image_view a = view_of(p8, GT_U8, 1, 4, 1);
    gt_image_view b = view_of(p16, GT_U16, 1, 4, 1);
    gt_evaluation *e = NULL;
    gt_binary_scores s;
    assert_int_equal(gt_evaluation_create(&e, 2, 1), GT_OK);
    assert_int_equal(gt_evaluation_add(e, &t, &a), GT_OK);
    assert_int_equal(gt_evaluation_add(e, &t, &b), GT_OK);
    assert_int_equal(gt_evaluation_scores(&s, e), GT_OK);
    assert_true(fabs(s.pixel_wrong[0] - 1.0 / 8) < 1e-15);
    assert_true(fabs(s.pixel_wrong[2] - 4.0 / 8) < 1e-15);
    assert_true(fabs(s.pixel_wrong[10] - 6.0 / 8) < 1e-15);
    gt_evaluation_free(e);
}

static void test_confusion(void **state)
{
    (void)state;
    int8_t t6[6] = {0, 1, 2, 2, -1, 1};
    /* [3 labels][6]; pixel 3 ties, the first wins; pixel 4 is ignored */
    float p[18] = {0.8F, 0.1F, 0.1F, 0.4F, 0.1F, 0.6F, 0.1F, 0.7F, 0.1F,
                   0.4F, 0.8F, 0.3F, 0.1F, 0.2F, 0.8F, 0.2F, 0.1F, 0.1F};
    const uint64_t want[9] = {1, 0, 0, 1, 1, 0, 1, 0, 1};
    gt_image_view t = view_of(t6, GT_I8, 1, 3, 2);
    gt_image_view many = view_of(p, GT_F32, 3, 3, 2);
    gt_image_view single = view_of(p + 12, GT_F32, 1, 3, 2);
    gt_evaluation *e = NULL;
    gt_evaluation *f = NULL;
    assert_int_equal(gt_evaluation_create(&e, 3, 2), GT_OK);
    assert_int_equal(gt_evaluation_create(&f, 3, 2), GT_OK);
    assert_int_equal(gt_evaluation_add(e, &t, &many), GT_OK);
    assert_int_equal(gt_evaluation_add(f, &t, &single), GT_OK);
    assert_memory_equal(gt_evaluation_confusion(e), want, sizeof want);
    for (int32_t i = 0; i < 9; i++) {
        assert_int_equal(gt_evaluation_confusion(f)[i], 0);
    }
    /* Largest of the judged pixels: 0.8 (wins), 0.7 (wins), 0.8 (wins), 0.4, 0.6 (both lose). */
    gt_calibration c;
    assert_int_equal(gt_evaluation_top_calibration(&c, f), GT_EINVAL);
    assert_int_equal(gt_evaluation_top_calibration(&c, e), GT_OK);
    assert_true(fabs(c.error - (0.2 * 2 + 0.3 + 0.4 + 0.6) / 5) < 1e-6);
    gt_binary_scores a;
    gt_binary_scores b;
    assert_int_equal(gt_evaluation_scores(&a, e), GT_OK);
    assert_int_equal(gt_evaluation_scores(&b, f), GT_OK);
    assert_memory_equal(a.v_rand, b.v_rand, sizeof a.v_rand);
    assert_memory_equal(a.pixel_f, b.pixel_f, sizeof a.pixel_f);
    gt_evaluation_free(e);
    gt_evaluation_free(f);
}

/* What is refused leaves the evaluation as it was. */
static void test_refused(void **state)
{
    (void)state;
    gt_evaluation *e = NULL;
    assert_int_equal(gt_evaluation_create(&e, 1, 0), GT_EINVAL);
    assert_int_equal(gt_evaluation_create(&e, 3, 3), GT_EINVAL);
    assert_int_equal(gt_evaluation_create(&e, 3, -1), GT_EINVAL);
    assert_null(e);
    assert_int_equal(gt_evaluation_create(&e, 3, 1), GT_OK);
    make(0);
    gt_image_view t = view_of(truth, GT_I32, 1, 20, 10);
    gt_image_view p = view_of(prob, GT_F32, 1, 20, 10);
    gt_image_view wide = view_of(prob, GT_F32, 1, 21, 10);
    gt_image_view two = view_of(prob, GT_F32, 2, 20, 10);
    assert_int_equal(gt_evaluation_add(e, &t, &wide), GT_ESHAPE);
    assert_int_equal(gt_evaluation_add(e, &t, &two), GT_ESHAPE);
    assert_int_equal(gt_evaluation_add(e, &two, &p), GT_ESHAPE);
    truth[7] = 3;
    assert_int_equal(gt_evaluation_add(e, &t, &p), GT_EINVAL);
    truth[7] = 1;
    prob[9] = NAN;
    assert_int_equal(gt_evaluation_add(e, &t, &p), GT_ENUMERIC);
    prob[9] = 200;
    assert_int_equal(gt_evaluation_add(e, &t, &p), GT_EINVAL);
    gt_binary_scores s;
    assert_int_equal(gt_evaluation_scores(&s, e), GT_EINVAL);
    gt_evaluation_free(e);
    gt_evaluation_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),    cmocka_unit_test(test_stack),
        cmocka_unit_test(test_perfect),   cmocka_unit_test(test_integer_maps),
        cmocka_unit_test(test_confusion), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
