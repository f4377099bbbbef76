/* All scores against numbers of an independent script (tests/golden/evaluation.py).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <greentea/evaluate.h>

#include "../golden/evaluation_golden.h"

enum { PAIRS = sizeof golden_pairs / sizeof *golden_pairs, MAX_PIXELS = 4096 };
#define ALL (GT_METRIC_SEGMENTS | GT_METRIC_RAND | GT_METRIC_WARPING)

static int32_t truth[MAX_PIXELS];
static float prob[MAX_PIXELS];

static int32_t place(char c)
{
    return c == '.' ? -1 : (int32_t)(strchr(golden_levels, c) - golden_levels);
}

static void load(const struct golden_pair *g)
{
    for (int32_t i = 0; i < g->width * g->height; i++) {
        truth[i] = place(g->truth[i]);
        prob[i] = (float)place(g->prob[i]) / 63;
    }
}

static gt_image_view truth_view(const struct golden_pair *g)
{
    return gt_image_view_planar(truth, GT_I32, 1, g->height, g->width);
}

static gt_image_view prob_view(const struct golden_pair *g)
{
    return gt_image_view_planar(prob, GT_F32, 1, g->height, g->width);
}

static gt_evaluation *evaluated(const struct golden_pair *g)
{
    gt_evaluation *e = NULL;
    load(g);
    gt_image_view t = truth_view(g);
    gt_image_view p = prob_view(g);
    assert_int_equal(gt_evaluation_create(&e, 2, 1), GT_OK);
    assert_int_equal(gt_evaluation_select(e, ALL), GT_OK);
    assert_int_equal(gt_evaluation_add(e, &t, &p), GT_OK);
    return e;
}

static void compare(const double *got, const double *want, int32_t n, const char *name,
                    int32_t threshold)
{
    for (int32_t k = 0; k < n; k++) {
        if (!(fabs(got[k] - want[k]) < 1e-10)) {
            fail_msg("%s, threshold %d, score %d: %.12f, expected %.12f", name, threshold, k,
                     got[k], want[k]);
        }
    }
}

static void unpack(double *out, const gt_partition_scores *s)
{
    const double all[9] = {s->v_rand,       s->v_rand_split,       s->v_rand_merge,
                           s->v_info,       s->voi_split,          s->voi_merge,
                           s->adapted_rand, s->adapted_rand_cremi, s->cremi};
    memcpy(out, all, sizeof all);
}

static void test_probabilities(void **state)
{
    (void)state;
    for (int32_t i = 0; i < PAIRS; i++) {
        const struct golden_pair *g = &golden_pairs[i];
        gt_evaluation *e = evaluated(g);
        gt_binary_scores b;
        gt_segment_scores s;
        gt_rand_error r;
        gt_warping_error w;
        assert_int_equal(gt_evaluation_scores(&b, e), GT_OK);
        assert_int_equal(gt_evaluation_segments(&s, e), GT_OK);
        assert_int_equal(gt_evaluation_rand(&r, e), GT_OK);
        assert_int_equal(gt_evaluation_warping(&w, e), GT_OK);
        for (int32_t t = 0; t < GT_THRESHOLDS; t++) {
            double got[14] = {b.pixel_f[t], b.pixel_wrong[t]};
            unpack(got + 2, &s.at[t]);
            got[11] = r.f[t];
            got[12] = t < GT_WARPING_THRESHOLDS ? w.at[t] : 0;
            got[13] = t < GT_WARPING_THRESHOLDS ? w.split_merge[t] : 0;
            compare(got, g->at[t], 14, g->name, t);
            assert_true(r.f[t] <= r.f[r.best]);
            assert_true(t == GT_WARPING_THRESHOLDS || w.at[t] >= w.error);
            assert_true(t == GT_WARPING_THRESHOLDS || w.split_merge[t] >= w.split_merge_error);
            assert_true(s.at[t].cremi >= s.at[s.best_cremi].cremi);
        }
        assert_true(fabs(r.error - (1 - r.f[r.best])) < 1e-15);
        gt_evaluation_free(e);
    }
}

static void test_calibration(void **state)
{
    (void)state;
    for (int32_t i = 0; i < PAIRS; i++) {
        gt_evaluation *e = evaluated(&golden_pairs[i]);
        gt_calibration c;
        assert_int_equal(gt_evaluation_calibration(&c, e), GT_OK);
        gt_calibration top;
        assert_int_equal(gt_evaluation_top_calibration(&top, e), GT_OK);
        const double got[4] = {c.error, c.worst, top.error, top.worst};
        compare(got, golden_pairs[i].calibration, 4, golden_pairs[i].name, -1);
        uint64_t n = 0;
        for (int32_t b = 0; b < GT_CALIBRATION_BINS; b++) {
            n += c.count[b];
        }
        uint64_t judged = 0;
        for (int32_t k = 0; k < golden_pairs[i].width * golden_pairs[i].height; k++) {
            judged += truth[k] >= 0;
        }
        assert_int_equal(n, judged);
        gt_evaluation_free(e);
    }
}

/* Components of the truth and of the probabilities above 1/2. */
static void components(gt_image *out[2], const struct golden_pair *g)
{
    load(g);
    for (int32_t i = 0; i < g->width * g->height; i++) {
        prob[i] = prob[i] > 0.5F ? 1 : 0;
    }
    gt_image_view t = truth_view(g);
    gt_image_view p = prob_view(g);
    assert_int_equal(gt_image_components(&out[0], &t), GT_OK);
    assert_int_equal(gt_image_components(&out[1], &p), GT_OK);
}

/* Given label images, one by one and all as one volume. */
static void test_segmentations(void **state)
{
    (void)state;
    gt_overlap *volume = NULL;
    double got[9];
    gt_partition_scores s;
    assert_int_equal(gt_overlap_create(&volume), GT_OK);
    for (int32_t i = 0; i < PAIRS; i++) {
        gt_image *image[2];
        gt_overlap *one = NULL;
        components(image, &golden_pairs[i]);
        gt_image_view t = gt_image_get_view(image[0]);
        gt_image_view p = gt_image_get_view(image[1]);
        assert_int_equal(gt_overlap_create(&one), GT_OK);
        assert_int_equal(gt_overlap_add(one, &t, &p), GT_OK);
        assert_int_equal(gt_overlap_add(volume, &t, &p), GT_OK);
        if (strcmp(golden_pairs[i].name, "no foreground") == 0) {
            assert_int_equal(gt_overlap_scores(&s, one), GT_EINVAL);
        } else {
            assert_int_equal(gt_overlap_scores(&s, one), GT_OK);
            unpack(got, &s);
            compare(got, golden_pairs[i].given, 9, golden_pairs[i].name, -1);
        }
        gt_overlap_free(one);
        gt_image_free(image[0]);
        gt_image_free(image[1]);
    }
    assert_int_equal(gt_overlap_scores(&s, volume), GT_OK);
    unpack(got, &s);
    compare(got, golden_volume, 9, "volume", -1);
    gt_overlap_free(volume);
}

static void test_labels(void **state)
{
    (void)state;
    int8_t label[2][300];
    for (int32_t i = 0; i < 300; i++) {
        label[0][i] = (int8_t)place(golden_label_truth[i]);
        label[1][i] = (int8_t)place(golden_label_predicted[i]);
    }
    gt_image_view t = gt_image_view_planar(label[0], GT_I8, 1, 15, 20);
    gt_image_view p = gt_image_view_planar(label[1], GT_I8, 1, 15, 20);
    gt_evaluation *e = NULL;
    gt_label_scores s;
    gt_binary_scores none;
    double iou = 0;
    assert_int_equal(gt_evaluation_create(&e, 4, 1), GT_OK);
    assert_int_equal(gt_evaluation_mean_iou(&iou, e), GT_EINVAL);
    assert_int_equal(gt_evaluation_label(&s, e, 0), GT_EINVAL);
    assert_int_equal(gt_evaluation_add_labels(e, &t, &p), GT_OK);
    for (int32_t k = 0; k < 4; k++) {
        assert_int_equal(gt_evaluation_label(&s, e, k), GT_OK);
        const double got[4] = {s.recall, s.precision, s.f1, s.iou};
        compare(got, golden_label[k], 4, "label", k);
    }
    assert_int_equal(gt_evaluation_label(&s, e, 4), GT_EINVAL);
    assert_int_equal(gt_evaluation_mean_iou(&iou, e), GT_OK);
    compare(&iou, &golden_mean_iou, 1, "mean IoU", -1);
    assert_int_equal(gt_evaluation_scores(&none, e), GT_EINVAL); /* labels tell no probability */
    label[1][7] = -1;
    label[0][7] = 2;
    assert_int_equal(gt_evaluation_add_labels(e, &t, &p), GT_EINVAL);
    label[1][7] = 4;
    assert_int_equal(gt_evaluation_add_labels(e, &t, &p), GT_EINVAL);
    gt_evaluation_free(e);
}

/* One evaluation per slice, merged, is the evaluation of the stack: the same bits. */
static void test_merge(void **state)
{
    (void)state;
    gt_evaluation *stack = NULL;
    gt_evaluation *sum = NULL;
    assert_int_equal(gt_evaluation_create(&stack, 2, 1), GT_OK);
    assert_int_equal(gt_evaluation_select(stack, ALL), GT_OK);
    assert_int_equal(gt_evaluation_create(&sum, 2, 1), GT_OK);
    assert_int_equal(gt_evaluation_select(sum, ALL), GT_OK);
    for (int32_t i = 0; i < PAIRS; i++) {
        gt_evaluation *one = evaluated(&golden_pairs[i]);
        gt_image_view t = truth_view(&golden_pairs[i]);
        gt_image_view p = prob_view(&golden_pairs[i]);
        assert_int_equal(gt_evaluation_add(stack, &t, &p), GT_OK);
        assert_int_equal(gt_evaluation_merge(sum, one), GT_OK);
        gt_evaluation_free(one);
    }
    gt_segment_scores s[2] = {{.slices = 0}};
    gt_warping_error w[2] = {{.best = 0}};
    gt_rand_error r[2] = {{.best = 0}};
    gt_calibration c[2] = {{.error = 0}};
    gt_evaluation *both[2] = {stack, sum};
    for (int32_t i = 0; i < 2; i++) {
        assert_int_equal(gt_evaluation_segments(&s[i], both[i]), GT_OK);
        assert_int_equal(gt_evaluation_warping(&w[i], both[i]), GT_OK);
        assert_int_equal(gt_evaluation_rand(&r[i], both[i]), GT_OK);
        assert_int_equal(gt_evaluation_calibration(&c[i], both[i]), GT_OK);
    }
    assert_int_equal(s[0].slices, PAIRS - 1);
    assert_memory_equal(s[0].at, s[1].at, sizeof s[0].at);
    assert_memory_equal(w[0].at, w[1].at, sizeof w[0].at);
    assert_memory_equal(r[0].f, r[1].f, sizeof r[0].f);
    assert_true(fabs(c[0].error - c[1].error) < 1e-12); /* sums of probabilities in other order */
    assert_memory_equal(gt_evaluation_confusion(stack), gt_evaluation_confusion(sum),
                        4 * sizeof(uint64_t));
    gt_evaluation *other = NULL;
    assert_int_equal(gt_evaluation_create(&other, 2, 1), GT_OK); /* other metrics */
    assert_int_equal(gt_evaluation_merge(sum, other), GT_EINVAL);
    gt_evaluation_free(other);
    gt_evaluation_free(stack);
    gt_evaluation_free(sum);
}

static void test_borders(void **state)
{
    (void)state;
    for (int32_t i = 0; i < 32 * 26; i++) {
        truth[i] = place(golden_border_labels[i]);
    }
    gt_image_view t = gt_image_view_planar(truth, GT_I32, 1, 26, 32);
    gt_image *out = NULL;
    for (size_t k = 0; k < sizeof golden_border_radius / sizeof *golden_border_radius; k++) {
        double radius = golden_border_radius[k];
        assert_int_equal(gt_image_mask_borders(&out, &t, radius), GT_OK);
        const int32_t *got = gt_image_get_view(out).data;
        for (int32_t i = 0; i < 32 * 26; i++) {
            int32_t want = golden_border_kept[k][i] == '1' ? truth[i] : 0;
            if (got[i] != want) {
                fail_msg("radius %g, x %d, y %d: %d, expected %d", radius, i % 32, i / 32, got[i],
                         want);
            }
        }
        gt_image_free(out);
        out = NULL;
    }
    assert_int_equal(gt_image_mask_borders(&out, &t, -1), GT_EINVAL);
    assert_int_equal(gt_image_mask_borders(&out, &t, (double)NAN), GT_EINVAL);
    assert_int_equal(gt_image_mask_borders(&out, &t, 1001), GT_EINVAL);
    /* One label everywhere has no border. */
    memset(truth, 1, sizeof truth);
    assert_int_equal(gt_image_mask_borders(&out, &t, 1000), GT_OK);
    assert_memory_equal(gt_image_get_view(out).data, truth, 32 * 26 * sizeof *truth);
    gt_image_free(out);
}

static void test_choice(void **state)
{
    (void)state;
    gt_evaluation *e = evaluated(&golden_pairs[0]);
    assert_int_equal(gt_evaluation_select(e, 0), GT_EINVAL); /* too late */
    gt_evaluation_free(e);
    assert_int_equal(gt_evaluation_create(&e, 2, 1), GT_OK);
    assert_int_equal(gt_evaluation_select(e, 8), GT_EINVAL);
    assert_int_equal(gt_evaluation_select(e, 0), GT_OK);
    gt_image_view t = truth_view(&golden_pairs[0]);
    gt_image_view p = prob_view(&golden_pairs[0]);
    assert_int_equal(gt_evaluation_add(e, &t, &p), GT_OK);
    gt_binary_scores b;
    gt_segment_scores s;
    gt_rand_error r;
    gt_warping_error w;
    assert_int_equal(gt_evaluation_scores(&b, e), GT_OK);
    assert_int_equal(gt_evaluation_segments(&s, e), GT_EINVAL);
    assert_int_equal(gt_evaluation_rand(&r, e), GT_EINVAL);
    assert_int_equal(gt_evaluation_warping(&w, e), GT_EINVAL);
    gt_evaluation_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probabilities), cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_segmentations), cmocka_unit_test(test_labels),
        cmocka_unit_test(test_merge),         cmocka_unit_test(test_choice),
        cmocka_unit_test(test_borders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
