/* Labelling images through the public interface, with tiny networks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <greentea/greentea.h>

#include "../support/tiny.h"

static gt_device *device;

static int open_device(void **state)
{
    (void)state;
    gt_device_options o;
    gt_device_options_init(&o);
    o.threads = 2;
    return gt_device_open(&device, "cpu", &o);
}

static int close_device(void **state)
{
    (void)state;
    gt_device_free(device);
    return 0;
}

/* ---- tiles make no difference ---- */

struct net_case {
    const char *net;
    int32_t tile;
    int32_t labels;
};

static void tiles_agree(const struct net_case *c, int32_t width, int32_t height)
{
    gt_model *model = tiny_new_model(c->net, 1, c->labels);
    gt_image *in = tiny_new_image(1, width, height);
    gt_image_view v = gt_image_get_view(in);
    for (int32_t deterministic = 0; deterministic < 2; ++deterministic) {
        gt_predict_options o;
        gt_predict_options_init(&o);
        o.deterministic = deterministic;
        o.untiled = 1;
        gt_image *whole = tiny_predict(device, model, &o, &v);
        o.untiled = 0;
        o.tile = c->tile;
        gt_image *tiled = tiny_predict(device, model, &o, &v);
        double d = tiny_difference(whole, tiled);
        if (!(d <= (deterministic ? 0 : 1e-5))) {
            fail_msg("%s, %d x %d, tile %d, deterministic %d: %g apart", c->net, width, height,
                     c->tile, deterministic, d);
        }
        tiny_check_probabilities(tiled);
        gt_image_free(whole);
        gt_image_free(tiled);
    }
    gt_image_free(in);
    gt_model_free(model);
}

static const struct net_case cases[] = {
    {"sk", 13, 2}, {"u", 36, 2}, {"usk", 26, 3}, {"usk9", 28, 9}};

static void tiled_is_untiled(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        tiles_agree(&cases[i], 61, 43);
    }
    tiles_agree(&cases[1], 131, 97); /* taller than the band: the mirror looks back */
}

/* Smaller than the border, and than the smallest tile. */
static void small_images(void **state)
{
    (void)state;
    static const int32_t sizes[][2] = {{1, 1}, {3, 41}, {37, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        const int32_t *s = sizes[i % 3];
        tiles_agree(&cases[i], s[0], s[1]);
    }
}

/* ---- against the network alone, on an image mirrored by hand ---- */

/* Walk from 0 to i, turning round at both ends; the pixel at the turn is seen twice. */
static int32_t walk(int32_t i, int32_t n)
{
    int32_t at = 0;
    int32_t direction = 1;
    for (int32_t k = i < 0 ? -1 - i : i; k > 0; --k) {
        if (at + direction < 0 || at + direction >= n) {
            direction = -direction;
        } else {
            at += direction;
        }
    }
    return at;
}

static gt_image *by_hand(gt_model *model, const gt_image *in, int32_t size)
{
    gt_model_geometry g;
    gt_image *out = NULL;
    gt_graph *graph = NULL;
    gt_program *program = NULL;
    gt_value x, y;
    gt_value params[64];
    gt_image_view v = gt_image_get_view(in);
    const float *f = v.data;
    gt_model_get_geometry(model, &g);
    int32_t side = size + g.shrink;
    float *raw = malloc((size_t)side * (size_t)side * sizeof *raw);
    assert_non_null(raw);
    float low = f[0];
    float high = f[0];
    for (int32_t i = 0; i < v.width * v.height; ++i) {
        low = fminf(low, f[i]);
        high = fmaxf(high, f[i]);
    }
    for (int32_t r = 0; r < side; ++r) {
        for (int32_t c = 0; c < side; ++c) {
            float p = f[walk(r - g.border, v.height) * v.width + walk(c - g.border, v.width)];
            raw[r * side + c] = (p - low) / (high - low) * 2 - 1;
        }
    }
    tiny_ok(gt_graph_create(&graph));
    tiny_ok(gt_graph_input(&x, graph, (gt_shape){1, 1, side, side}, "x"));
    tiny_ok(gt_model_append(&y, params, model, graph, x));
    tiny_ok(gt_graph_softmax(&y, graph, y));
    tiny_ok(gt_graph_output(graph, y));
    tiny_ok(gt_program_create(&program, device, graph, NULL));
    for (size_t i = 0; i < gt_model_tensors(model); ++i) {
        float *data = NULL;
        tiny_ok(gt_model_tensor(NULL, NULL, &data, model, i));
        tiny_ok(gt_program_write(program, params[i], data));
    }
    tiny_ok(gt_program_write(program, x, raw));
    tiny_ok(gt_program_run(program));
    tiny_ok(gt_image_create(&out, GT_F32, 2, size, size));
    tiny_ok(gt_program_read(program, y, gt_image_get_view(out).data));
    gt_program_free(program);
    gt_graph_free(graph);
    free(raw);
    return out;
}

static void same_as_by_hand(void **state)
{
    (void)state;
    static const struct net_case nets[] = {{"sk", 9, 2}, {"u", 52, 2}, {"usk", 30, 2}};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; ++i) {
        enum { W = 27, H = 13 };
        gt_model *model = tiny_new_model(nets[i].net, 1, 2);
        gt_image *in = tiny_new_image(1, W, H);
        gt_image_view v = gt_image_get_view(in);
        gt_image *got = tiny_predict(device, model, NULL, &v);
        gt_image *want = by_hand(model, in, nets[i].tile < W ? W : nets[i].tile);
        gt_image_view all = gt_image_get_view(want);
        const float *a = gt_image_get_view(got).data;
        const float *b = all.data;
        double spread = 0;
        for (int32_t k = 0; k < 2 * W * H; ++k) {
            int32_t at = (k / (W * H) * all.height + k / W % H) * all.width + k % W;
            assert_true(fabsf(a[k] - b[at]) < 1e-5F);
            spread = fmax(spread, (double)fabsf(a[k] - a[k / (W * H) * W * H]));
        }
        assert_true(spread > 1e-3); /* the answer is not the same everywhere */
        gt_image_free(want);
        gt_image_free(got);
        gt_image_free(in);
        gt_model_free(model);
    }
}

/* ---- the sliding window is the strided network ---- */

static void sw_is_sk(void **state)
{
    (void)state;
    gt_model *sw = tiny_new_model("sw", 3, 2);
    gt_model *sk = tiny_new_model("sk", 3, 2);
    assert_int_equal(gt_model_tensors(sw), gt_model_tensors(sk));
    for (size_t i = 0; i < gt_model_tensors(sk); ++i) {
        gt_shape s;
        float *from = NULL;
        float *to = NULL;
        tiny_ok(gt_model_tensor(NULL, &s, &from, sk, i));
        tiny_ok(gt_model_tensor(NULL, NULL, &to, sw, i));
        memcpy(to, from, (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w * sizeof *to);
    }
    gt_image *in = tiny_new_image(3, 19, 11);
    gt_image_view v = gt_image_get_view(in);
    gt_image *a = tiny_predict(device, sw, NULL, &v);
    gt_image *b = tiny_predict(device, sk, NULL, &v);
    assert_true(tiny_difference(a, b) < 1e-5);
    gt_image_free(a);
    gt_image_free(b);
    gt_image_free(in);
    gt_model_free(sw);
    gt_model_free(sk);
}

/* The whole image in one tile where it fits. */
static void plan_of_small_images(void **state)
{
    (void)state;
    gt_model *model = tiny_new_model("u", 1, 2);
    gt_predictor *p = NULL;
    gt_predict_plan plan;
    tiny_ok(gt_predictor_create(&p, device, model, NULL));
    tiny_ok(gt_predictor_plan(&plan, p, 100, 50));
    assert_int_equal(plan.tiles, 1);
    assert_int_equal(plan.tile_width, 100);
    assert_int_equal(plan.tile_height, 52);
    assert_int_equal(gt_predictor_plan(&plan, p, 0, 50), GT_EINVAL);
    gt_predictor_free(p);
    gt_model_free(model);
}

/* ---- the caller's memory ---- */

static void compare_view(const gt_model *model, const gt_image *want, const gt_image_view *view)
{
    gt_image *got = tiny_predict(device, model, NULL, view);
    assert_true(tiny_difference(want, got) == 0);
    gt_image_free(got);
}

static void views(void **state)
{
    (void)state;
    enum { W = 23, H = 17, GAP = 5 };
    gt_model *model = tiny_new_model("usk9", 3, 4);
    gt_image *in = tiny_new_image(3, W, H);
    gt_image_view planar = gt_image_get_view(in);
    gt_image *want = tiny_predict(device, model, NULL, &planar);
    const float *f = planar.data;
    static uint8_t rgb[H + 2 * GAP][W + 2 * GAP][3];
    static double upside[3][H][W];
    static uint16_t wide[H][W][4];
    memset(rgb, 255, sizeof rgb);
    for (int c = 0; c < 3; ++c) {
        for (int y = 0; y < H; ++y) {
            for (int x = 0; x < W; ++x) {
                float v = f[(c * H + y) * W + x];
                rgb[y + GAP][x + GAP][c] = (uint8_t)v;
                upside[c][H - 1 - y][x] = (double)v;
                wide[y][W - 1 - x][c] = (uint16_t)(257 * (int)v);
            }
        }
    }
    gt_image_view interleaved = {&rgb[GAP][GAP][0], GT_U8, W, H, 3, 3, sizeof rgb[0], 1};
    compare_view(model, want, &interleaved);
    gt_image_view negative = {
        &upside[0][H - 1][0], GT_F64, W, H, 3, sizeof(double), -(ptrdiff_t)sizeof upside[0][0],
        sizeof upside[0]};
    compare_view(model, want, &negative);
    gt_image_view mirrored = {
        &wide[0][W - 1][0], GT_U16,          W, H, 3, -(ptrdiff_t)sizeof wide[0][0],
        sizeof wide[0],     sizeof(uint16_t)};
    gt_image *got =
        tiny_predict(device, model, NULL, &mirrored); /* other scale: equal after normalisation */
    assert_true(tiny_difference(want, got) < 1e-5);
    gt_image_free(got);
    gt_image_free(want);
    gt_image_free(in);
    gt_model_free(model);
}

/* Grey is replicated for networks that take three channels; colour is refused by those that take
 * one. */
static void channels(void **state)
{
    (void)state;
    gt_model *model = tiny_new_model("sk", 3, 2);
    gt_image *in = tiny_new_image(1, 9, 8);
    gt_image_view grey = gt_image_get_view(in);
    gt_image *want = tiny_predict(device, model, NULL, &grey);
    gt_image_view three = grey;
    three.channels = 3;
    three.stride_c = 0;
    compare_view(model, want, &three);
    gt_image_free(want);
    gt_model_free(model);
    model = tiny_new_model("sk", 1, 2);
    gt_predictor *p = NULL;
    gt_image *out = NULL;
    tiny_ok(gt_predictor_create(&p, device, model, NULL));
    assert_int_equal(gt_predictor_run(&out, p, &three), GT_ESHAPE);
    assert_string_equal(gt_error_message(), "the image has 3 channels, the model takes 1");
    assert_null(out);
    gt_predictor_free(p);
    gt_model_free(model);
    gt_image_free(in);
}

static void constant_and_not_finite(void **state)
{
    (void)state;
    gt_model *model = tiny_new_model("usk", 1, 2);
    gt_image *in = NULL;
    gt_image *out = NULL;
    gt_predictor *p = NULL;
    tiny_ok(gt_image_create(&in, GT_F32, 1, 40, 12));
    gt_image_view v = gt_image_get_view(in);
    float *f = v.data;
    tiny_ok(gt_predictor_create(&p, device, model, NULL));
    tiny_ok(gt_predictor_run(&out, p, &v));
    tiny_check_probabilities(out);
    gt_image_free(out);
    out = NULL;
    f[35 * 12 + 7] = NAN;
    assert_int_equal(gt_predictor_run(&out, p, &v), GT_ENUMERIC);
    assert_non_null(strstr(gt_error_message(), "x 7, y 35"));
    f[35 * 12 + 7] = INFINITY;
    assert_int_equal(gt_predictor_run(&out, p, &v), GT_ENUMERIC);
    f[0] = -3e38F;
    f[35 * 12 + 7] = 3e38F;
    assert_int_equal(gt_predictor_run(&out, p, &v), GT_ENUMERIC);
    assert_null(out);
    gt_predictor_free(p);
    gt_image_free(in);
    gt_model_free(model);
}

/* ---- streams ---- */

struct rows {
    const float *from;
    float *to;
    int32_t width, height, labels, next;
    int32_t fail_at; /* row; -1: never */
};

static gt_status read_rows(void *cookie, int32_t y, int32_t n, float *dst)
{
    struct rows *r = cookie;
    assert_true(y >= 0 && n > 0 && y + n <= r->height);
    if (r->fail_at >= y && r->fail_at < y + n) {
        return GT_EIO;
    }
    memcpy(dst, r->from + (size_t)y * (size_t)r->width, (size_t)n * (size_t)r->width * sizeof *dst);
    return GT_OK;
}

static gt_status write_rows(void *cookie, int32_t y, int32_t n, const float *src)
{
    struct rows *r = cookie;
    size_t count = (size_t)n * (size_t)r->width;
    assert_int_equal(y, r->next);
    assert_true(n > 0 && y + n <= r->height);
    r->next += n;
    for (int32_t k = 0; k < r->labels; ++k) {
        memcpy(r->to + ((size_t)k * (size_t)r->height + (size_t)y) * (size_t)r->width,
               src + (size_t)k * count, count * sizeof *src);
    }
    return GT_OK;
}

static void stream_is_run(void **state)
{
    (void)state;
    enum { W = 50, H = 81, L = 3 };
    static float result[L * H * W];
    gt_model *model = tiny_new_model("usk", 1, L);
    gt_image *in = tiny_new_image(1, W, H);
    gt_image_view v = gt_image_get_view(in);
    gt_predict_options o;
    gt_predictor *p = NULL;
    gt_image *want = NULL;
    char *dump = NULL;
    gt_predict_options_init(&o);
    o.tile = 24;
    tiny_ok(gt_predictor_create(&p, device, model, &o));
    tiny_ok(gt_predictor_dump(&dump, p));
    assert_string_equal(dump, "");
    gt_free(dump);
    tiny_ok(gt_predictor_run(&want, p, &v));
    struct rows rows = {v.data, result, W, H, L, 0, -1};
    gt_row_source source = {W, H, 1, read_rows, &rows};
    gt_row_sink sink = {write_rows, &rows};
    tiny_ok(gt_predictor_stream(p, &source, &sink));
    assert_int_equal(rows.next, H);
    size_t n = 0;
    const float *f = tiny_floats(want, &n);
    assert_memory_equal(f, result, n * sizeof *f);
    rows.fail_at = 60;
    assert_int_equal(gt_predictor_stream(p, &source, &sink), GT_EIO);
    tiny_ok(gt_predictor_dump(&dump, p));
    assert_non_null(strstr(dump, "conv2d_fwd"));
    gt_free(dump);
    gt_image_free(want);
    gt_predictor_free(p);
    gt_image_free(in);
    gt_model_free(model);
}

struct ticks {
    uint64_t calls, last, stop;
};

static int tick(uint64_t done, uint64_t total, void *cookie)
{
    struct ticks *t = cookie;
    assert_int_equal(total, 6);
    assert_int_equal(done, t->calls);
    ++t->calls;
    t->last = done;
    return done == t->stop;
}

static void progress_and_cancel(void **state)
{
    (void)state;
    gt_model *model = tiny_new_model("sk", 1, 2);
    gt_image *in = tiny_new_image(1, 29, 15);
    gt_image_view v = gt_image_get_view(in);
    gt_predict_options o;
    gt_predictor *p = NULL;
    gt_image *out = NULL;
    struct ticks t = {0, 0, 100};
    gt_predict_options_init(&o);
    o.tile = 10;
    o.progress = tick;
    o.cookie = &t;
    tiny_ok(gt_predictor_create(&p, device, model, &o));
    tiny_ok(gt_predictor_run(&out, p, &v));
    assert_int_equal(t.last, 6);
    gt_image_free(out);
    out = NULL;
    t = (struct ticks){0, 0, 4};
    assert_int_equal(gt_predictor_run(&out, p, &v), GT_ECANCELLED);
    assert_int_equal(t.last, 4);
    assert_null(out);
    gt_predictor_free(p);
    gt_image_free(in);
    gt_model_free(model);
}

static void wrong_tiles(void **state)
{
    (void)state;
    gt_model *model = tiny_new_model("u", 1, 2);
    gt_predictor *p = NULL;
    gt_predict_options o;
    gt_predict_options_init(&o);
    o.tile = 400;
    assert_int_equal(gt_predictor_create(&p, device, model, &o), GT_ESHAPE);
    assert_non_null(strstr(gt_error_message(), "388, 404"));
    o.tile = 4; /* legal, but no multiple of the period fits into it */
    assert_int_equal(gt_predictor_create(&p, device, model, &o), GT_ESHAPE);
    o.tile = -1;
    assert_int_equal(gt_predictor_create(&p, device, model, &o), GT_EINVAL);
    assert_null(p);
    gt_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiled_is_untiled),
        cmocka_unit_test(small_images),
        cmocka_unit_test(same_as_by_hand),
        cmocka_unit_test(sw_is_sk),
        cmocka_unit_test(plan_of_small_images),
        cmocka_unit_test(views),
        cmocka_unit_test(channels),
        cmocka_unit_test(constant_and_not_finite),
        cmocka_unit_test(stream_is_run),
        cmocka_unit_test(progress_and_cancel),
        cmocka_unit_test(wrong_tiles),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
