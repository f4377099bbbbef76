/* Labelling on several devices, and on devices without enough memory.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <greentea/greentea.h>

#include "../support/fake.h"
#include "../support/tiny.h"

enum { MOST = 3, WIDTH = 171, HEIGHT = 117 };

static gt_model *model;
static gt_image *image;
static gt_image *expected[2]; /* one device, tile 36; [1]: deterministic */

static gt_predict_options options_of(int32_t tile, int32_t deterministic)
{
    gt_predict_options o;
    gt_predict_options_init(&o);
    o.tile = tile;
    o.deterministic = deterministic;
    return o;
}

static gt_status run_on(gt_image **out, gt_device *const *devices, size_t n,
                        const gt_predict_options *o)
{
    gt_predictor *p = NULL;
    gt_image_view v = gt_image_get_view(image);
    *out = NULL;
    gt_status status = gt_predictor_create_on(&p, devices, n, model, o);
    if (status == GT_OK) {
        status = gt_predictor_run(out, p, &v);
    }
    gt_predictor_free(p);
    return status;
}

static int set_up(void **state)
{
    (void)state;
    gt_device *cpu = NULL;
    tiny_ok(gt_device_open(&cpu, "cpu", NULL));
    model = tiny_new_model("u", 1, 2);
    image = tiny_new_image(1, WIDTH, HEIGHT);
    for (int32_t i = 0; i < 2; i++) {
        gt_predict_options o = options_of(36, i);
        tiny_ok(run_on(&expected[i], &cpu, 1, &o));
    }
    gt_device_free(cpu);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gt_image_free(expected[0]);
    gt_image_free(expected[1]);
    gt_image_free(image);
    gt_model_free(model);
    return 0;
}

static void check_equal(const gt_image *out, int32_t deterministic, double bound)
{
    double d = tiny_difference(out, expected[deterministic]);
    if (!(d <= bound)) {
        fail_msg("%g apart, deterministic %d", d, deterministic);
    }
}

/* ---- several devices ---- */

static void same_bits(void **state)
{
    (void)state;
    gt_device *cpu[MOST];
    for (size_t i = 0; i < MOST; i++) {
        gt_device_options o;
        gt_device_options_init(&o);
        o.threads = 1 + (int32_t)(i % 2);
        tiny_ok(gt_device_open(&cpu[i], "cpu", &o));
    }
    for (size_t n = 1; n <= MOST; n++) {
        for (int32_t deterministic = 0; deterministic < 2; deterministic++) {
            gt_predict_options o = options_of(36, deterministic);
            gt_image *out = NULL;
            tiny_ok(run_on(&out, cpu, n, &o));
            check_equal(out, deterministic, 0);
            gt_image_free(out);
            o.tile = 0;
            tiny_ok(run_on(&out, cpu, n, &o));
            check_equal(out, deterministic, deterministic ? 0 : 1e-5);
            gt_image_free(out);
        }
    }
    for (size_t i = 0; i < MOST; i++) {
        gt_device_free(cpu[i]);
    }
}

static void open_fakes(struct fake *fakes, gt_device **devices, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fake_open(&fakes[i]);
        devices[i] = fakes[i].device;
    }
}

static void close_all(gt_device **devices, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        gt_device_free(devices[i]);
    }
}

/* Tiles are cut so that every device gets some. */
static void enough_tiles(void **state)
{
    (void)state;
    struct fake fakes[MOST];
    gt_device *devices[MOST];
    gt_predict_options o = options_of(0, 0);
    open_fakes(fakes, devices, MOST);
    for (size_t n = 1; n <= MOST; n++) {
        gt_predict_plan plan;
        gt_predictor *p = NULL;
        tiny_ok(gt_predictor_create_on(&p, devices, n, model, &o));
        tiny_ok(gt_predictor_plan(&plan, p, WIDTH, HEIGHT));
        assert_int_equal(plan.tiles, n);
        gt_predictor_free(p);
    }
    close_all(devices, MOST);
}

static void fixed_shares(void **state)
{
    (void)state;
    struct fake fakes[MOST];
    gt_device *devices[MOST];
    gt_predict_options o = options_of(36, 1);
    gt_predict_plan plan;
    gt_predictor *p = NULL;
    gt_image *out = NULL;
    open_fakes(fakes, devices, MOST);
    tiny_ok(gt_predictor_create_on(&p, devices, MOST, model, &o));
    tiny_ok(gt_predictor_plan(&plan, p, WIDTH, HEIGHT));
    gt_predictor_free(p);
    assert_true(plan.tiles > 2 * MOST);
    tiny_ok(run_on(&out, devices, MOST, &o));
    for (size_t i = 0; i < MOST; i++) {
        assert_int_equal(fakes[i].reads, (plan.tiles - i + MOST - 1) / MOST);
    }
    check_equal(out, 1, 0);
    gt_image_free(out);
    close_all(devices, MOST);
}

/* The next tile is written before the last is read: nothing of it may be overwritten. */
static void late_devices(void **state)
{
    (void)state;
    struct fake fakes[2];
    gt_device *devices[2];
    open_fakes(fakes, devices, 2);
    fakes[0].lag = fakes[1].lag = true;
    for (size_t n = 1; n <= 2; n++) {
        for (int32_t deterministic = 0; deterministic < 2; deterministic++) {
            gt_predict_options o = options_of(36, deterministic);
            gt_image *out = NULL;
            tiny_ok(run_on(&out, devices, n, &o));
            check_equal(out, deterministic, deterministic ? 0 : 1e-5);
            gt_image_free(out);
        }
    }
    close_all(devices, 2);
}

struct told {
    uint64_t last, total, stop;
    int calls;
};

static int on_tile(uint64_t done, uint64_t total, void *cookie)
{
    struct told *t = cookie;
    assert_true(done >= t->last && done <= total);
    t->last = done;
    t->total = total;
    t->calls++;
    return t->stop > 0 && done >= t->stop;
}

static void progress(void **state)
{
    (void)state;
    struct fake fakes[2];
    gt_device *devices[2];
    struct told told = {0};
    gt_predict_options o = options_of(36, 0);
    gt_image *out = NULL;
    o.progress = on_tile;
    o.cookie = &told;
    open_fakes(fakes, devices, 2);
    tiny_ok(run_on(&out, devices, 2, &o));
    assert_true(told.last == told.total && (uint64_t)told.calls == told.total + 1);
    gt_image_free(out);
    told = (struct told){.stop = 3};
    assert_int_equal(run_on(&out, devices, 2, &o), GT_ECANCELLED);
    assert_int_equal(told.last, 3);
    close_all(devices, 2);
}

/* ---- devices that fail ---- */

static void lost_device(void **state)
{
    (void)state;
    struct fake fakes[MOST];
    gt_device *devices[MOST];
    gt_predict_options o = options_of(36, 1);
    gt_image *out = NULL;
    open_fakes(fakes, devices, MOST);
    for (size_t n = 1; n <= MOST; n++) {
        struct fake *last = &fakes[n - 1];
        last->fail_read = last->reads + 2;
        last->fail_reads = SIZE_MAX / 2;
        last->status = GT_EDEVICE;
        assert_int_equal(run_on(&out, devices, n, &o), GT_EDEVICE);
        assert_non_null(strstr(gt_error_message(), "a fake device failed"));
        last->fail_read = 0;
        tiny_ok(run_on(&out, devices, n, &o));
        check_equal(out, 1, 0);
        gt_image_free(out);
    }
    close_all(devices, MOST);
}

static void wrong_devices(void **state)
{
    (void)state;
    gt_device *cpu = NULL;
    gt_predictor *p = NULL;
    tiny_ok(gt_device_open(&cpu, "cpu", NULL));
    gt_device *const twice[] = {cpu, cpu};
    gt_device *const hole[] = {cpu, NULL};
    assert_int_equal(gt_predictor_create_on(&p, twice, 0, model, NULL), GT_EINVAL);
    assert_int_equal(gt_predictor_create_on(&p, twice, 2, model, NULL), GT_EINVAL);
    assert_int_equal(gt_predictor_create_on(&p, hole, 2, model, NULL), GT_EINVAL);
    assert_int_equal(gt_predictor_create_on(&p, NULL, 1, model, NULL), GT_EINVAL);
    assert_null(p);
    gt_device_free(cpu);
}

/* ---- too little memory ---- */

struct rows {
    int32_t next; /* expected row */
    float *data;  /* [2][HEIGHT][WIDTH] */
};

static gt_status take_rows(void *cookie, int32_t y, int32_t rows, const float *src)
{
    struct rows *r = cookie;
    size_t plane = (size_t)rows * WIDTH;
    assert_int_equal(y, r->next);
    for (size_t k = 0; k < 2; k++) {
        memcpy(r->data + (k * HEIGHT + (size_t)y) * WIDTH, src + k * plane, plane * sizeof *src);
    }
    r->next += rows;
    return GT_OK;
}

static gt_status give_rows(void *cookie, int32_t y, int32_t rows, float *dst)
{
    (void)cookie;
    size_t n = 0;
    memcpy(dst, tiny_floats(image, &n) + (size_t)y * WIDTH, (size_t)rows * WIDTH * sizeof *dst);
    return GT_OK;
}

/* Rows come once and in order, whatever happens in between. */
static gt_status stream(gt_predictor *p, double *difference)
{
    struct rows r = {0, calloc(2 * HEIGHT * WIDTH, sizeof(float))};
    const gt_row_source source = {WIDTH, HEIGHT, 1, give_rows, NULL};
    const gt_row_sink sink = {take_rows, &r};
    size_t n = 0;
    assert_non_null(r.data);
    gt_status status = gt_predictor_stream(p, &source, &sink);
    if (status == GT_OK) {
        assert_int_equal(r.next, HEIGHT);
        const float *e = tiny_floats(expected[1], &n);
        *difference = memcmp(e, r.data, n * sizeof *e) == 0 ? 0 : 1;
    }
    free(r.data);
    return status;
}

static int warnings;

static void count_warning(gt_log_level level, const char *message, void *cookie)
{
    (void)cookie;
    warnings += level == GT_LOG_WARN && strstr(message, "no memory for tiles") != NULL;
}

static size_t program_bytes(gt_predictor *p)
{
    gt_predict_plan plan;
    tiny_ok(gt_predictor_plan(&plan, p, WIDTH, HEIGHT));
    return plan.arena_bytes;
}

/* Programs that cannot be created: tiles shrink until they can. */
static void no_room(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 2; n++) {
        struct fake fakes[2];
        gt_device *devices[2];
        gt_predict_options o = options_of(0, 1);
        gt_predictor *p = NULL;
        double difference = 1;
        open_fakes(fakes, devices, 2);
        tiny_ok(gt_predictor_create_on(&p, devices, n, model, &o));
        size_t before = program_bytes(p);
        fakes[n - 1].most = before / 2;
        fakes[n - 1].device->options.log = count_warning;
        warnings = 0;
        tiny_ok(stream(p, &difference));
        assert_true(difference == 0);
        assert_true(warnings > 0);
        assert_true(program_bytes(p) <= before / 2);
        warnings = 0;
        tiny_ok(stream(p, &difference)); /* it has learnt */
        assert_int_equal(warnings, 0);
        fakes[n - 1].most = 1000;
        gt_predictor_free(p);
        p = NULL;
        tiny_ok(gt_predictor_create_on(&p, devices, n, model, &o));
        assert_int_equal(stream(p, &difference), GT_ENOMEM);
        assert_non_null(strstr(gt_error_message(), fakes[n - 1].device->info.name));
        assert_non_null(strstr(gt_error_message(), "bytes"));
        gt_predictor_free(p);
        close_all(devices, 2);
    }
}

/* Memory that fails when it is used, in the middle of the image. */
static void no_room_later(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 2; n++) {
        struct fake fakes[2];
        gt_device *devices[2];
        struct told told = {0};
        gt_predict_options o = options_of(68, 1);
        gt_predictor *p = NULL;
        double difference = 1;
        o.progress = on_tile;
        o.cookie = &told;
        open_fakes(fakes, devices, 2);
        fakes[n - 1].lag = true;
        fakes[n - 1].device->options.log = count_warning;
        fakes[n - 1].fail_read = 3; /* in the second row of three tiles, or the first again */
        fakes[n - 1].fail_reads = 1;
        fakes[n - 1].status = GT_ENOMEM;
        warnings = 0;
        tiny_ok(gt_predictor_create_on(&p, devices, n, model, &o));
        tiny_ok(stream(p, &difference));
        assert_true(difference == 0);
        assert_int_equal(warnings, 1);
        assert_true(told.last == told.total);
        told = (struct told){0};
        fakes[n - 1].fail_read = fakes[n - 1].reads + 4;
        fakes[n - 1].fail_reads = SIZE_MAX / 2;
        assert_int_equal(stream(p, &difference), GT_ENOMEM);
        assert_non_null(strstr(gt_error_message(), "smallest tile"));
        gt_predictor_free(p);
        p = NULL;
        told = (struct told){0};
        o.untiled = 1;
        fakes[n - 1].fail_read = fakes[n - 1].reads + 1;
        tiny_ok(gt_predictor_create_on(&p, &devices[n - 1], 1, model, &o));
        assert_int_equal(stream(p, &difference), GT_ENOMEM);
        assert_non_null(strstr(gt_error_message(), "as one tile"));
        gt_predictor_free(p);
        close_all(devices, 2);
    }
}

/* A device's own memory has a limit of its own. */
static void own_memory(void **state)
{
    (void)state;
    struct fake fakes[2];
    gt_device *devices[2];
    gt_predict_options o = options_of(0, 1);
    gt_predict_plan plan;
    gt_predictor *p = NULL;
    double difference = 1;
    open_fakes(fakes, devices, 2);
    fakes[0].device->info.gpu = 1;
    o.device_limit = (size_t)4 << 20;
    tiny_ok(gt_predictor_create_on(&p, devices, 1, model, &o));
    tiny_ok(gt_predictor_plan(&plan, p, WIDTH, HEIGHT));
    assert_true(plan.arena_bytes <= o.device_limit && plan.tiles > 1);
    tiny_ok(stream(p, &difference));
    assert_true(difference == 0);
    gt_predictor_free(p);
    p = NULL;
    fakes[0].device->max_buffer = (size_t)3900000;
    tiny_ok(gt_predictor_create_on(&p, devices, 1, model, &o));
    tiny_ok(gt_predictor_plan(&plan, p, WIDTH, HEIGHT));
    assert_true(plan.arena_bytes <= 3900000);
    gt_predictor_free(p);
    p = NULL;
    fakes[0].device->max_buffer = 100000;
    assert_int_equal(gt_predictor_create_on(&p, devices, 1, model, &o), GT_ENOMEM);
    assert_non_null(strstr(gt_error_message(), "in one piece"));
    fakes[0].device->max_buffer = 0;
    o.memory_limit = (size_t)1 << 20; /* row buffers fit, a processor's program does not */
    tiny_ok(gt_predictor_create_on(&p, devices, 1, model, &o));
    gt_predictor_free(p);
    p = NULL;
    assert_int_equal(gt_predictor_create_on(&p, devices, 2, model, &o), GT_ENOMEM);
    o.device_limit = 1000;
    assert_int_equal(gt_predictor_create_on(&p, devices, 1, model, &o), GT_ENOMEM);
    assert_non_null(strstr(gt_error_message(), "of a device"));
    close_all(devices, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {

        cmocka_unit_test(same_bits),     cmocka_unit_test(enough_tiles),
        cmocka_unit_test(fixed_shares),  cmocka_unit_test(late_devices),
        cmocka_unit_test(progress),      cmocka_unit_test(lost_device),
        cmocka_unit_test(wrong_devices), cmocka_unit_test(no_room),
        cmocka_unit_test(no_room_later), cmocka_unit_test(own_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
