/* Elastic displacements: against Keys' kernel, spread, smoothness, no folds.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "data/elastic.h"

#define SIDE 301

static float dy[SIDE][SIDE];
static float dx[SIDE][SIDE];

static struct gt_elastic draw(int32_t nodes, int32_t side, float sigma, uint64_t sample)
{
    struct gt_elastic f;
    struct gt_random random = gt__random_open(3, GT_STREAM_TEST, sample);
    gt__elastic_draw(&f, &random, nodes, side, sigma);
    return f;
}

static void evaluate(const struct gt_elastic *f, int32_t side)
{
    for (int32_t i = 0; i < side; i++) {
        gt__elastic_row(dy[i], dx[i], f, i, 0, side);
    }
}

/* Keys 1981, equation 15: the cubic convolution kernel. */
static double keys(double s)
{
    s = fabs(s);
    return s < 1   ? 1.5 * s * s * s - 2.5 * s * s + 1
           : s < 2 ? -0.5 * s * s * s + 2.5 * s * s - 4 * s + 2
                   : 0;
}

/* Node k of an axis, going on linearly beyond the ends. */
static double along(const double *v, int32_t n, int32_t k)
{
    return k < 0 ? 2 * v[0] - v[1] : k >= n ? 2 * v[n - 1] - v[n - 2] : v[k];
}

/* Interpolate rows of nodes, then the results: y and x in node spacings. */
static double expected(float node[GT_ELASTIC_SIDE][GT_ELASTIC_SIDE], int32_t n, double y, double x)
{
    double rows[GT_ELASTIC_NODES] = {0};
    for (int32_t i = 0; i < n; i++) {
        double v[GT_ELASTIC_NODES];
        for (int32_t j = 0; j < n; j++) {
            v[j] = (double)node[i + 1][j + 1];
        }
        for (int32_t k = -1; k <= n; k++) {
            rows[i] += keys(x - k) * along(v, n, k);
        }
    }
    double s = 0;
    for (int32_t k = -1; k <= n; k++) {
        s += keys(y - k) * along(rows, n, k);
    }
    return s;
}

static void test_interpolation(void **state)
{
    (void)state;
    const int32_t cases[][2] = {{2, 50}, {3, 301}, {4, 97}, {7, 33}, {16, 301}, {3, 2}, {3, 1}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int32_t n = cases[c][0];
        int32_t side = cases[c][1];
        struct gt_elastic f = draw(n, side, 1, c);
        evaluate(&f, side);
        double spacing = (double)(side > 1 ? side - 1 : 1) / (n - 1);
        for (int32_t i = 0; i < side; i += 3) {
            for (int32_t j = 0; j < side; j++) {
                double y = expected(f.y, n, i / spacing, j / spacing);
                double x = expected(f.x, n, i / spacing, j / spacing);
                assert_true(fabs((double)dy[i][j] - y) < 1e-4);
                assert_true(fabs((double)dx[i][j] - x) < 1e-4);
            }
        }
    }
}

/* A row in parts is the whole row, whatever the parts. */
static void test_parts(void **state)
{
    (void)state;
    struct gt_elastic f = draw(5, SIDE, 10, 1);
    evaluate(&f, SIDE);
    for (int32_t length = 1; length < 80; length += 13) {
        for (int32_t first = 0; first < SIDE; first += length) {
            float y[80];
            float x[80];
            int32_t count = SIDE - first < length ? SIDE - first : length;
            gt__elastic_row(y, x, &f, 200, first, count);
            for (int32_t k = 0; k < count; k++) {
                assert_true(fabsf(y[k] - dy[200][first + k]) < 1e-4F);
                assert_true(fabsf(x[k] - dx[200][first + k]) < 1e-4F);
            }
        }
    }
}

/* Corner and centre pixels lie on nodes: normal, sigma in pixels, axes independent. */
static void test_spread(void **state)
{
    (void)state;
    enum { N = 4000 };
    double mean = 0;
    double square = 0;
    double product = 0;
    double fourth = 0;
    for (uint64_t s = 0; s < N; s++) {
        struct gt_elastic f = draw(3, 1001, 10, s);
        float y[1001];
        float x[1001];
        gt__elastic_row(y, x, &f, s % 2 ? 500 : 1000, 0, 1001);
        for (int32_t at = 0; at <= 1000; at += 500) {
            double u = (double)y[at] / 10;
            mean += u;
            square += u * u;
            fourth += u * u * u * u;
            product += u * (double)x[at] / 10;
        }
    }
    double n = 3 * N;
    assert_true(fabs(mean / n) < 5 / sqrt(n));
    assert_true(fabs(square / n - 1) < 5 * sqrt(2 / n));
    assert_true(fabs(fourth / n - 3) < 5 * sqrt(96 / n));
    assert_true(fabs(product / n) < 5 / sqrt(n));
}

/* Where much is asked for, the map stays one to one: its Jacobian is positive everywhere. A moderate
 * wish is left alone. */
static void test_folds(void **state)
{
    (void)state;
    const int32_t nodes[] = {2, 3, 9, 16};
    double sum = 0;
    for (uint64_t s = 0; s < 40; s++) {
        struct gt_elastic f = draw(nodes[s % 4], 129, 1000, s);
        evaluate(&f, 129);
        double least = 1;
        for (int32_t i = 0; i < 128; i++) {
            for (int32_t j = 0; j < 128; j++) {
                double a = 1 + (double)(dy[i + 1][j] - dy[i][j]);
                double b = (double)(dy[i][j + 1] - dy[i][j]);
                double c = (double)(dx[i + 1][j] - dx[i][j]);
                double d = 1 + (double)(dx[i][j + 1] - dx[i][j]);
                least = fmin(least, a * d - b * c);
            }
        }
        assert_true(least > 0.2);
        sum += least;
    }
    assert_true(sum / 40 < 0.7); /* reduced no further than needed */
    struct gt_elastic whole = draw(3, 572, 10, 1);
    struct gt_random random = gt__random_open(3, GT_STREAM_TEST, 1);
    assert_true(whole.y[1][1] == 10 * (float)gt__random_normal(&random));
}

/* No step and no edge between neighbouring pixels, cell borders included: differences change by no
 * more than the second derivative allows (nodes of at most 3 sigma: |u''| < 5 * 6 sigma/h^2). */
static void test_smooth(void **state)
{
    (void)state;
    struct gt_elastic f = draw(3, SIDE, 10, 2);
    evaluate(&f, SIDE);
    float bound = 5 * 60 / (150.0F * 150.0F);
    for (int32_t i = 1; i + 1 < SIDE; i++) {
        for (int32_t j = 1; j + 1 < SIDE; j++) {
            assert_true(fabsf(dy[i][j - 1] - 2 * dy[i][j] + dy[i][j + 1]) < bound);
            assert_true(fabsf(dx[i - 1][j] - 2 * dx[i][j] + dx[i + 1][j]) < bound);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interpolation), cmocka_unit_test(test_parts),
        cmocka_unit_test(test_spread),        cmocka_unit_test(test_folds),
        cmocka_unit_test(test_smooth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
