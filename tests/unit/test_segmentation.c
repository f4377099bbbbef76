/* gt_overlap_* and gt_image_components(): numbers of segments, and what is refused. Scores are
 * proved in test_evaluation_golden.c. SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include <greentea/evaluate.h>

static gt_partition_scores score(gt_type truth_type, void *truth, gt_type type, void *segmentation,
                                 int32_t n)
{
    gt_image_view t = gt_image_view_planar(truth, truth_type, 1, 1, n);
    gt_image_view s = gt_image_view_planar(segmentation, type, 1, 1, n);
    gt_overlap *o = NULL;
    gt_partition_scores scores;
    assert_int_equal(gt_overlap_create(&o), GT_OK);
    assert_int_equal(gt_overlap_add(o, &t, &s), GT_OK);
    assert_int_equal(gt_overlap_scores(&scores, o), GT_OK);
    gt_overlap_free(o);
    return scores;
}

/* Numbers that a float does not tell apart are different segments. */
static void test_large_numbers(void **state)
{
    (void)state;
    int32_t truth[6] = {INT32_MAX, INT32_MAX, INT32_MAX - 1, INT32_MAX - 1, 0, -3};
    uint32_t same[6] = {16777217, 16777217, 16777216, 16777216, 5, 6};
    double merged[6] = {7, 7, 7, 7, 0, 0};
    gt_partition_scores s = score(GT_I32, truth, GT_U32, same, 6);
    assert_true(fabs(s.v_rand - 1) < 1e-15 && fabs(s.voi_split) < 1e-15);
    s = score(GT_I32, truth, GT_F64, merged, 6);
    assert_true(fabs(s.v_rand - 2.0 / 3) < 1e-15);
    assert_true(fabs(s.voi_split) < 1e-15 && fabs(s.voi_merge - 1) < 1e-15);
}

/* Equal numbers in another image are the same segment. */
static void test_volume(void **state)
{
    (void)state;
    uint8_t truth[4] = {1, 1, 2, 2};
    uint8_t first[4] = {1, 1, 2, 2};
    uint8_t second[4] = {2, 2, 1, 1};
    gt_image_view t = gt_image_view_planar(truth, GT_U8, 1, 2, 2);
    gt_image_view a = gt_image_view_planar(first, GT_U8, 1, 2, 2);
    gt_image_view b = gt_image_view_planar(second, GT_U8, 1, 2, 2);
    gt_overlap *o = NULL;
    gt_partition_scores s;
    assert_int_equal(gt_overlap_create(&o), GT_OK);
    assert_int_equal(gt_overlap_add(o, &t, &a), GT_OK);
    assert_int_equal(gt_overlap_scores(&s, o), GT_OK);
    assert_true(fabs(s.v_rand - 1) < 1e-15);
    assert_int_equal(gt_overlap_add(o, &t, &b), GT_OK);
    assert_int_equal(gt_overlap_scores(&s, o), GT_OK);
    /* 4 cells of 2 pixels; rows and columns of 4 */
    assert_true(fabs(s.v_rand - 0.5) < 1e-15);
    assert_true(fabs(s.voi_split - 1) < 1e-15 && fabs(s.voi_merge - 1) < 1e-15);
    gt_overlap_free(o);
}

static void refused(gt_status want, gt_type type, void *truth, void *segmentation)
{
    gt_image_view t = gt_image_view_planar(truth, type, 1, 1, 2);
    gt_image_view s = gt_image_view_planar(segmentation, type, 1, 1, 2);
    gt_overlap *o = NULL;
    gt_partition_scores scores;
    assert_int_equal(gt_overlap_create(&o), GT_OK);
    assert_int_equal(gt_overlap_add(o, &t, &s), want);
    assert_int_equal(gt_overlap_scores(&scores, o), GT_EINVAL);
    gt_overlap_free(o);
}

static void test_refused(void **state)
{
    (void)state;
    double good[2] = {1, 2};
    double nan[2] = {1, NAN};
    double half[2] = {1, 1.5};
    double large[2] = {2147483648.0, 1};
    double negative[2] = {1, -1};
    double none[2] = {0, -1};
    refused(GT_ENUMERIC, GT_F64, nan, good);
    refused(GT_ENUMERIC, GT_F64, good, nan);
    refused(GT_EINVAL, GT_F64, half, good);
    refused(GT_EINVAL, GT_F64, good, half);
    refused(GT_EINVAL, GT_F64, large, good);
    refused(GT_EINVAL, GT_F64, good, large);
    refused(GT_EINVAL, GT_F64, good, negative);
    refused(GT_OK, GT_F64, none, good); /* but there is nothing to score */
    gt_image_view t = gt_image_view_planar(good, GT_F64, 1, 1, 2);
    gt_image_view tall = gt_image_view_planar(good, GT_F64, 1, 2, 1);
    gt_image_view two = gt_image_view_planar(good, GT_F64, 2, 1, 1);
    gt_overlap *o = NULL;
    assert_int_equal(gt_overlap_create(&o), GT_OK);
    assert_int_equal(gt_overlap_add(o, &t, &tall), GT_ESHAPE);
    assert_int_equal(gt_overlap_add(o, &two, &two), GT_ESHAPE);
    gt_overlap_free(o);
    gt_overlap_free(NULL);
}

static void test_components(void **state)
{
    (void)state;
    float mask[12] = {1, 0, 0.5F, -1, 0, 1, 9, 0, 1, 1, 0, 3};
    const int32_t want[12] = {1, 0, 2, 0, 0, 2, 2, 0, 2, 2, 0, 3};
    gt_image_view view = gt_image_view_planar(mask, GT_F32, 1, 3, 4);
    gt_image *out = NULL;
    assert_int_equal(gt_image_components(&out, &view), GT_OK);
    gt_image_view got = gt_image_get_view(out);
    assert_true(got.type == GT_I32 && got.width == 4 && got.height == 3);
    assert_memory_equal(got.data, want, sizeof want);
    gt_image_free(out);
    out = NULL;
    mask[5] = NAN;
    assert_int_equal(gt_image_components(&out, &view), GT_ENUMERIC);
    view = gt_image_view_planar(mask, GT_F32, 3, 2, 2);
    assert_int_equal(gt_image_components(&out, &view), GT_ESHAPE);
    assert_null(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_numbers),
        cmocka_unit_test(test_volume),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_components),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
