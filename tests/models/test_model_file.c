/* Model files: round trip, checkpoints, replacement of the former file, failing memory.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "model_files.h"

/* ---- what must work ---- */

static void test_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; gt_model_net_name(i); i++) {
        gt_model *m = make(gt_model_net_name(i), 0.03, 5 + i);
        const gt_label_info label = {"membran\xc3\xa9 \"x\"", 255};
        gt_label_info back;
        gt_model *r = NULL;
        OK(gt_model_set_label(m, 1, &label));
        gt__model_set_iteration(m, UINT64_MAX);
        gt__model_set_random(m, UINT64_MAX - 1, 12);
        OK(gt__model_set_solver(m, "{\"name\":\"sgd\",\"rate\":0.1}"));
        OK(gt_model_save(m, in_folder("a")));
        OK(gt_model_load(&r, in_folder("a")));
        same_weights(m, r);
        assert_true(gt_model_iteration(r) == UINT64_MAX && r->key == UINT64_MAX - 1);
        assert_true(r->counter == 12 && r->options.width == 0.03);
        assert_string_equal(gt_model_config(r), gt_model_config(m));
        OK(gt_model_get_label(&back, r, 1));
        assert_string_equal(back.name, label.name);
        assert_int_equal(back.grey, 255);
        OK(gt_model_save(r, in_folder("b")));
        struct blob a = slurp(in_folder("a"));
        struct blob b = slurp(in_folder("b"));
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
        assert_int_equal(a.data[0] % 8, 0);
        free(a.data);
        free(b.data);
        gt_model_free(m);
        gt_model_free(r);
    }
}

static void test_notes(void **state)
{
    (void)state;
    gt_model *m = make("usk", 0.03, 1);
    gt_model *r = NULL;
    char *text = (char *)1;
    char *plain = strdup(gt_model_config(m));
    char long_name[65];
    memset(long_name, 'n', 64);
    long_name[64] = '\0';
    OK(gt_model_note(&text, m, "train"));
    assert_null(text);
    OK(gt_model_set_note(m, "train", "{ \"rate\": 0.001, \"net\": \"\xc3\xa9\" }"));
    OK(gt_model_set_note(m, "score", "0.5"));
    OK(gt__model_set_solver(m, "{\"name\":\"sgd\"}"));
    const gt_label_info label = {"x", 3};
    OK(gt_model_set_label(m, 0, &label));
    OK(gt_model_save(m, in_folder("note")));
    OK(gt_model_load(&r, in_folder("note")));
    OK(gt_model_note(&text, r, "train"));
    assert_string_equal(text, "{\"rate\":0.001,\"net\":\"\xc3\xa9\"}");
    gt_free(text);
    OK(gt_model_note(&text, r, "score"));
    assert_string_equal(text, "0.5");
    gt_free(text);
    assert_int_equal(gt_model_set_note(m, "", "1"), GT_EINVAL);
    assert_int_equal(gt_model_set_note(m, long_name, "1"), GT_EINVAL);
    assert_int_equal(gt_model_set_note(m, "\xff", "1"), GT_EINVAL);
    assert_int_equal(gt_model_set_note(m, "bad", "{"), GT_EINVAL);
    assert_int_equal(gt_model_set_note(m, "bad", "{\"a\":1,\"a\":2}"), GT_EINVAL);
    assert_int_equal(gt_model_note(&text, m, ""), GT_EINVAL);
    assert_string_equal(gt_model_config(m), gt_model_config(r));
    /* removed notes leave no trace */
    const gt_label_info unknown = {"", -1};
    OK(gt_model_set_note(m, "train", NULL));
    OK(gt_model_set_note(m, "none", NULL));
    OK(gt_model_set_note(m, "score", NULL));
    OK(gt__model_set_solver(m, NULL));
    OK(gt_model_set_label(m, 0, &unknown));
    assert_string_equal(gt_model_config(m), plain);
    free(plain);
    gt_model_free(m);
    gt_model_free(r);
}

/* Files with a header above a limit are refused, so no model may come that far. */
static void test_many_notes(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20, MOST = 8 };
    char *text = malloc(SIZE + 1);
    gt_model *m = make("usk", 0.03, 1);
    gt_model *r = NULL;
    assert_non_null(text);
    memset(text, 'a', SIZE);
    text[0] = text[SIZE - 1] = '"';
    text[SIZE] = '\0';
    gt_status status = GT_OK;
    size_t n = 0;
    for (; status == GT_OK && n <= MOST; n++) {
        char name[8];
        snprintf(name, sizeof name, "n%zu", n);
        status = gt_model_set_note(m, name, text);
    }
    assert_int_equal(status, GT_ELIMIT);
    assert_non_null(strstr(gt_error_message(), "the limit is 8388608"));
    assert_int_equal(n, MOST); /* of which the last was refused */
    OK(gt_model_save(m, in_folder("many")));
    OK(gt_model_load(&r, in_folder("many")));
    gt_model_free(r);
    gt_model_free(m);
    free(text);
}

static void test_config(void **state)
{
    (void)state;
    gt_model *m = make("usk", 0.25, 1);
    assert_string_equal(gt_model_config(m),
                        "{\"net\":\"usk\",\"labels\":[{\"name\":\"\",\"grey\":-1},{\"name\":\"\","
                        "\"grey\":-1}],\"channels\":1,\"width\":0.25,\"skip_gradient\":"
                        "\"flowing\",\"preprocessing\":{\"normalization\":"
                        "\"min-max per page to [-1,1]\"}}");
    gt_label_info bad = {"\xff", 0};
    assert_int_equal(gt_model_set_label(m, 0, &bad), GT_EINVAL);
    assert_int_equal(gt_model_set_label(m, 2, &bad), GT_EINVAL);
    OK(gt_model_get_label(&bad, m, 0));
    assert_string_equal(bad.name, "");
    assert_int_equal(gt__model_set_solver(m, "[1]"), GT_EINVAL);
    OK(gt__model_set_solver(m, "{\"name\":\"adamw\"}"));
    assert_non_null(strstr(gt_model_config(m), ",\"solver\":{\"name\":\"adamw\"}}"));
    OK(gt__model_set_solver(m, NULL));
    assert_null(strstr(gt_model_config(m), "solver"));
    gt_model_free(m);
}

/* A comma as decimal point must not reach the file, nor keep it from being read. */
static void test_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
    size_t i = 0;
    while (i < 4 && !setlocale(LC_NUMERIC, names[i])) {
        i++;
    }
    if (i == 4) {
        skip();
    }
    gt_model *m = make("sk", 0.125, 1);
    gt_model *r = NULL;
    OK(gt_model_save(m, in_folder("locale")));
    OK(gt_model_load(&r, in_folder("locale")));
    const double width = r->options.width;
    const bool point = strstr(gt_model_config(m), "\"width\":0.125") != NULL;
    setlocale(LC_NUMERIC, "C");
    assert_true(width == 0.125 && point);
    gt_model_free(m);
    gt_model_free(r);
}

static void test_checkpoint(void **state)
{
    (void)state;
    gt_model *m = make("sk", 0.03, 3);
    float values[] = {1, -2, 3.5f, -0.0f, 1e-40f, 1};
    const struct gt_file_tensor tensors[] = {
        {"optimizer.m.ip3.bias", {1, 2, 1, 1}, 1, values},
        {"optimizer.v.ip3.bias", {2, 1, 2, 1}, 4, values + 2},
    };
    const struct gt_checkpoint extra = {42,      7, 99, "{\"name\":\"adamw\"}", "{\"malis\":\"x\"}",
                                        tensors, 2};
    OK(gt__model_file_write(m, in_folder("c"), &extra, false));
    struct gt_model_file *f = NULL;
    float back[4] = {0};
    uint64_t number = 0;
    OK(gt__model_file_open(&f, in_folder("c")));
    assert_string_equal(gt__model_file_meta(f, "greentea.kernels"), "{\"malis\":\"x\"}");
    OK(gt__model_file_number(&number, f, "greentea.counter"));
    assert_true(number == 99);
    OK(gt__model_file_read(back, f, "optimizer.m.ip3.bias", (gt_shape){1, 2, 1, 1}));
    assert_memory_equal(back, values, 2 * sizeof(float));
    OK(gt__model_file_read(back, f, "optimizer.v.ip3.bias", (gt_shape){2, 1, 2, 1}));
    assert_memory_equal(back, values + 2, 4 * sizeof(float));
    assert_int_equal(gt__model_file_expect(f, "optimizer.m.ip3.bias", (gt_shape){1, 3, 1, 1}),
                     GT_ESHAPE);
    assert_int_equal(gt__model_file_expect(f, "optimizer.m.ip2.bias", (gt_shape){1, 3, 1, 1}),
                     GT_ESHAPE);
    assert_false(gt__model_file_has(f, "optimizer.m.ip2.bias"));
    assert_true(gt__model_file_has(f, "ip2.bias"));
    gt__model_file_close(f);
    OK(gt__model_file_valid(in_folder("c"), &number));
    assert_true(number == 42);
    gt_model *r = NULL;
    OK(gt_model_load(&r, in_folder("c")));
    same_weights(m, r);
    assert_non_null(strstr(gt_model_config(r), "adamw"));
    gt_model_free(r);
    gt_model_free(m);
}

static void test_load_weights(void **state)
{
    (void)state;
    gt_model *sk = make("sk", 0.03, 3);
    gt_model *sw = make("sw", 0.03, 4);
    gt_model *wide = make("sw", 0.06, 4);
    OK(gt_model_save(sk, in_folder("sk")));
    OK(gt_model_load_weights(sw, in_folder("sk")));
    same_weights(sk, sw);
    OK(gt_model_save(sw, in_folder("sw")));
    OK(gt_model_init_weights(sw, GT_INIT_HE, 4));
    OK(gt_model_load_weights(sw, in_folder("sw")));
    same_weights(sk, sw);
    assert_int_equal(gt_model_load_weights(wide, in_folder("sk")), GT_ESHAPE);
    HAS("conv1.weight has the shape");
    assert_int_equal(gt_model_load_weights(sk, in_folder("sw")), GT_ESHAPE);
    HAS("ip1.weight is missing");
    gt_model_free(sk);
    gt_model_free(sw);
    gt_model_free(wide);
}

/* ---- replacement ---- */

static size_t files_in_folder(void)
{
    char command[300];
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *p = popen(command, "r");
    size_t n = 0;
    assert_non_null(p);
    assert_int_equal(fscanf(p, "%zu", &n), 1);
    pclose(p);
    return n;
}

static uint64_t iteration_of(const char *path)
{
    uint64_t n = 0;
    OK(gt__model_file_valid(path, &n));
    return n;
}

static void test_previous(void **state)
{
    (void)state;
    gt_model *m = make("sk", 0.03, 3);
    const size_t before = files_in_folder();
    for (uint64_t i = 1; i <= 3; i++) {
        gt__model_set_iteration(m, i);
        OK(gt__model_file_write(m, in_folder("p"), NULL, true));
        assert_true(iteration_of(in_folder("p")) == i);
        if (i > 1) {
            assert_true(iteration_of(in_folder("p.prev")) == i - 1);
        }
    }
    assert_int_equal(files_in_folder(), before + 2);
    /* as a crash between the two renames leaves it: both names of one file */
    assert_int_equal(unlink(in_folder("p.prev")), 0);
    assert_int_equal(link(in_folder("p"), in_folder("p.prev")), 0);
    gt__model_set_iteration(m, 4);
    OK(gt__model_file_write(m, in_folder("p"), NULL, true));
    assert_true(iteration_of(in_folder("p")) == 4);
    assert_true(iteration_of(in_folder("p.prev")) == 3);
    assert_int_equal(files_in_folder(), before + 2);
    gt__model_set_iteration(m, 5);
    OK(gt_model_save(m, in_folder("p")));
    assert_true(iteration_of(in_folder("p.prev")) == 3);
    gt_model_free(m);
}

/* Where nothing can be written the old file stays and nothing is left behind. */
static void test_write_errors(void **state)
{
    (void)state;
    gt_model *m = make("sk", 0.03, 3);
    assert_int_equal(gt_model_save(m, in_folder("none/x")), GT_EIO);
    HAS("cannot create");
    assert_int_equal(gt_model_save(m, ""), GT_EINVAL);
    gt_model_free(m);
}

/* Folders, pipes and the like stay what and where they are. */
static void test_not_a_file(void **state)
{
    (void)state;
    static const char *const names[] = {"d", "pipe", "to_d"};
    gt_model *m = make("sk", 0.03, 3);
    struct stat old;
    struct stat now;
    assert_int_equal(mkdir(in_folder("d"), 0777), 0);
    spit(in_folder("d/kept"), "x", 1);
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_int_equal(symlink("d", in_folder("to_d")), 0);
    const size_t before = files_in_folder();
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lstat(in_folder(names[i]), &old), 0);
        assert_int_equal(gt__model_file_write(m, in_folder(names[i]), NULL, true), GT_EINVAL);
        HAS("is not a regular file");
        assert_int_equal(gt_model_save(m, in_folder(names[i])), GT_EINVAL);
        HAS(names[i]);
        assert_int_equal(lstat(in_folder(names[i]), &now), 0);
        assert_true(old.st_ino == now.st_ino && old.st_mode == now.st_mode);
    }
    assert_int_equal(access(in_folder("d/kept"), F_OK), 0);
    assert_int_equal(files_in_folder(), before);
    /* a link to a file is replaced, as ever */
    OK(gt_model_save(m, in_folder("real")));
    assert_int_equal(symlink("real", in_folder("to_real")), 0);
    OK(gt__model_file_write(m, in_folder("to_real"), NULL, true));
    OK(gt__model_file_valid(in_folder("to_real.prev"), NULL));
    gt_model_free(m);
}

/* ---- failing memory ---- */

struct failing {
    long left; /* allocations that still succeed */
    long live;
};

static void *failing_allocate(void *cookie, size_t size, size_t alignment)
{
    struct failing *f = cookie;
    void *p = NULL;
    if (f->left == 0) {
        return NULL;
    }
    f->left--;
    if (posix_memalign(&p, alignment, size) != 0) {
        return NULL;
    }
    f->live++;
    return p;
}

static void failing_release(void *cookie, void *memory)
{
    struct failing *f = cookie;
    f->live--;
    free(memory);
}

static gt_status use_everything(const char *path)
{
    gt_model_options o;
    gt_model_options_init(&o);
    o.net = "sk";
    o.width = 0.01;
    gt_model *m = NULL;
    gt_model *r = NULL;
    char *note = NULL;
    const gt_label_info label = {"x", 1};
    gt_status status = gt_model_create(&m, &o);
    status = status == GT_OK ? gt_model_set_label(m, 0, &label) : status;
    status = status == GT_OK ? gt__model_set_solver(m, "{}") : status;
    status = status == GT_OK ? gt_model_set_note(m, "n", "[1]") : status;
    status = status == GT_OK ? gt_model_note(&note, m, "n") : status;
    gt_free(note);
    status = status == GT_OK ? gt__model_file_write(m, path, NULL, true) : status;
    status = status == GT_OK ? gt_model_load(&r, path) : status;
    status = status == GT_OK ? gt_model_load_weights(m, path) : status;
    gt_model_free(m);
    gt_model_free(r);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct failing f = {0, 0};
    const gt_allocator hook = {failing_allocate, failing_release, &f};
    gt_status status = GT_ENOMEM;
    long n = 0;
    while (status == GT_ENOMEM && n < 1000) {
        f.left = n++;
        gt_set_allocator(&hook);
        status = use_everything(in_folder("m"));
        gt_set_allocator(NULL);
        assert_int_equal(f.live, 0);
    }
    assert_int_equal(status, GT_OK);
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_notes),
        cmocka_unit_test(test_many_notes),   cmocka_unit_test(test_config),
        cmocka_unit_test(test_locale),       cmocka_unit_test(test_checkpoint),
        cmocka_unit_test(test_load_weights), cmocka_unit_test(test_previous),
        cmocka_unit_test(test_write_errors), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_not_a_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
