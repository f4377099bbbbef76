/* Every allocation failing in turn, once and from then on: each life of the library ends with
 * GT_ENOMEM or success, and nothing stays allocated. SPDX-License-Identifier: BSD-2-Clause */
#include <greentea/greentea.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The trainer's patch threads may allocate too: the counters are atomic. */
static atomic_size_t calls, live;
static size_t fail_at; /* 0: never */
static bool fail_on;   /* and all later ones */
static char folder[64];
static char path[7][128];

static void *counted_allocate(void *cookie, size_t size, size_t alignment)
{
    (void)cookie;
    size_t n = atomic_fetch_add(&calls, 1) + 1;
    if (fail_at > 0 && (n == fail_at || (fail_on && n > fail_at))) {
        return NULL;
    }
    void *memory = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    atomic_fetch_add(&live, memory != NULL);
    return memory;
}

static void counted_release(void *cookie, void *memory)
{
    (void)cookie;
    atomic_fetch_sub(&live, 1);
    free(memory);
}

#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != GT_OK) {                                                                     \
            goto out;                                                                              \
        }                                                                                          \
    } while (0)

/* Every kind of preprocessing that takes memory. */
static const gt_preprocess everything = {.normalise = GT_NORMALISE_PERCENTILE,
                                         .low = 1,
                                         .high = 99,
                                         .clahe = 4,
                                         .clahe_grid = 2,
                                         .smooth = 1};

static gt_status make_model(gt_model **out, const char *net)
{
    gt_model_options o;
    gt_model_options_init(&o);
    o.net = net;
    o.width = 0.02;
    o.channels = 1;
    return gt_model_create(out, &o);
}

static gt_status open_device(gt_device **out)
{
    gt_device_options o;
    gt_device_options_init(&o);
    o.threads = 2;
    return gt_device_open(out, "cpu", &o);
}

static gt_status life_of_model(void)
{
    gt_model *model = NULL;
    gt_model *again = NULL;
    gt_status status = GT_OK;
    TRY(make_model(&model, "usk"));
    TRY(gt_model_init_weights(model, GT_INIT_HE, 1));
    TRY(gt_model_save(model, path[0]));
    TRY(gt_model_load(&again, path[0]));
    TRY(gt_model_load_weights(model, path[0]));
out:
    gt_model_free(again);
    gt_model_free(model);
    return status;
}

static gt_status life_of_training(void)
{
    gt_device *device = NULL;
    gt_model *model = NULL;
    gt_dataset *dataset = NULL;
    gt_trainer *trainer = NULL;
    gt_image *image[2] = {NULL, NULL};
    gt_train_options o;
    gt_dataset_options d;
    gt_status status = GT_OK;
    gt_train_options_init(&o);
    gt_dataset_options_init(&d);
    o.patch = 4;
    d.preprocess = everything;
    o.batch = 2;
    o.feeders = 2;
    o.distort.elastic = 2;
    o.equalise = GT_EQUALISE_BOTH;
    o.balance.border_boost = 2.0f;
    o.loss.kind = GT_LOSS_SOFTMAX_MALIS;
    o.loss.malis_after = 1;
    d.consolidate.fine = 2;
    d.consolidate.label[1] = 1;
    TRY(open_device(&device));
    TRY(make_model(&model, "usk"));
    TRY(gt_model_init_weights(model, GT_INIT_HE, 1));
    TRY(gt_dataset_create(&dataset, &d));
    TRY(gt_synthetic_section(&image[0], &image[1], 40, 40, 1, 0));
    gt_image_view view[2] = {gt_image_get_view(image[0]), gt_image_get_view(image[1])};
    TRY(gt_dataset_add(dataset, &view[0], &view[1]));
    TRY(gt_trainer_create(&trainer, device, model, dataset, &o));
    TRY(gt_trainer_step(NULL, trainer));
    TRY(gt_trainer_step(NULL, trainer));
    TRY(gt_trainer_save(trainer, path[1]));
    TRY(gt_trainer_resume(trainer, path[1]));
out:
    gt_trainer_free(trainer);
    gt_image_free(image[1]);
    gt_image_free(image[0]);
    gt_dataset_free(dataset);
    gt_model_free(model);
    gt_device_free(device);
    return status;
}

static int look(const gt_blob *blob, void *cookie)
{
    (void)blob;
    (void)cookie;
    return 0;
}

static gt_status read_zeros(void *cookie, int32_t y, int32_t rows, float *dst)
{
    (void)cookie;
    (void)y;
    memset(dst, 0, (size_t)rows * 8 * sizeof *dst);
    return GT_OK;
}

/* All blobs of a tile and of a step. */
static gt_status life_of_inspection(void)
{
    gt_device *device = NULL;
    gt_model *model = NULL;
    gt_predictor *predictor = NULL;
    gt_dataset *dataset = NULL;
    gt_trainer *trainer = NULL;
    gt_image *image[2] = {NULL, NULL};
    const gt_row_source source = {8, 8, 1, read_zeros, NULL};
    gt_train_options o;
    gt_dataset_options d;
    gt_status status = GT_OK;
    gt_train_options_init(&o);
    gt_dataset_options_init(&d);
    o.patch = 2;
    TRY(open_device(&device));
    TRY(make_model(&model, "usk"));
    TRY(gt_predictor_create(&predictor, device, model, NULL));
    TRY(gt_predictor_inspect(predictor, &source, NULL, look, NULL));
    TRY(gt_dataset_create(&dataset, &d));
    TRY(gt_synthetic_section(&image[0], &image[1], 40, 40, 1, 0));
    gt_image_view view[2] = {gt_image_get_view(image[0]), gt_image_get_view(image[1])};
    TRY(gt_dataset_add(dataset, &view[0], &view[1]));
    TRY(gt_trainer_create(&trainer, device, model, dataset, &o));
    TRY(gt_trainer_inspect(trainer, look, NULL));
out:
    gt_trainer_free(trainer);
    gt_image_free(image[1]);
    gt_image_free(image[0]);
    gt_dataset_free(dataset);
    gt_predictor_free(predictor);
    gt_model_free(model);
    gt_device_free(device);
    return status;
}

/* On `n` devices, at most 2. */
static gt_status predict_on(size_t n)
{
    gt_device *device[2] = {NULL, NULL};
    gt_model *model = NULL;
    gt_predictor *predictor = NULL;
    gt_image *image[5] = {NULL, NULL, NULL, NULL, NULL};
    gt_evaluation *evaluation = NULL;
    gt_overlap *overlap = NULL;
    gt_binary_scores scores;
    gt_partition_scores partition;
    gt_status status = GT_OK;
    for (size_t i = 0; i < n; i++) {
        TRY(open_device(&device[i]));
    }
    TRY(make_model(&model, "u"));
    TRY(gt_model_set_preprocess(model, &everything));
    TRY(gt_predictor_create_on(&predictor, device, n, model, NULL));
    TRY(gt_synthetic_section(&image[0], &image[1], 40, 40, 1, 0));
    gt_image_view raw = gt_image_get_view(image[0]);
    TRY(gt_predictor_run(&image[2], predictor, &raw));
    gt_image_view truth = gt_image_get_view(image[1]);
    gt_image_view prob = gt_image_get_view(image[2]);
    for (size_t i = 0; i < 1600; i++) {
        ((uint8_t *)truth.data)[i] = ((const uint8_t *)truth.data)[i] > 0;
    }
    TRY(gt_evaluation_create(&evaluation, 2, 1));
    TRY(gt_evaluation_select(evaluation, GT_METRIC_SEGMENTS | GT_METRIC_RAND | GT_METRIC_WARPING));
    TRY(gt_evaluation_add(evaluation, &truth, &prob));
    TRY(gt_evaluation_scores(&scores, evaluation));
    TRY(gt_evaluation_add_labels(evaluation, &truth, &truth));
    TRY(gt_image_components(&image[3], &truth));
    TRY(gt_image_mask_borders(&image[4], &truth, 2));
    gt_image_view segments = gt_image_get_view(image[3]);
    TRY(gt_overlap_create(&overlap));
    TRY(gt_overlap_add(overlap, &segments, &segments));
    TRY(gt_overlap_scores(&partition, overlap));
out:
    gt_overlap_free(overlap);
    gt_evaluation_free(evaluation);
    for (int i = 0; i < 5; i++) {
        gt_image_free(image[i]);
    }
    gt_predictor_free(predictor);
    gt_model_free(model);
    gt_device_free(device[1]);
    gt_device_free(device[0]);
    return status;
}

static gt_status life_of_prediction(void)
{
    return predict_on(1);
}

static gt_status life_of_two_devices(void)
{
    return predict_on(2);
}

/* y = relu(conv(x)) with a loss, its gradient, one run. */
static gt_status life_of_program(void)
{
    static float zeros[256];
    gt_device *device = NULL;
    gt_graph *graph = NULL;
    gt_program *program = NULL;
    char *text[2] = {NULL, NULL};
    gt_program_memory memory;
    gt_status status = GT_OK;
    gt_value x, w, b, y, truth, loss;
    TRY(open_device(&device));
    TRY(gt_graph_create(&graph));
    TRY(gt_graph_input(&x, graph, (gt_shape){1, 1, 10, 10}, "x"));
    TRY(gt_graph_input(&truth, graph, (gt_shape){1, 1, 7, 7}, "truth"));
    TRY(gt_graph_param(&w, graph, (gt_shape){2, 1, 3, 3}, "w", 1.0f, 1.0f));
    TRY(gt_graph_param(&b, graph, (gt_shape){1, 2, 1, 1}, "b", 2.0f, 1.0f));
    TRY(gt_graph_conv2d(&y, graph, x, w, b, 1));
    TRY(gt_graph_relu(&y, graph, y));
    TRY(gt_graph_maxpool(&y, graph, y, 2, 1, 1));
    TRY(gt_graph_softmax_loss(&loss, NULL, graph, y, truth, GT_NORMALIZE_VALID, 1.0f));
    TRY(gt_graph_gradient(graph, loss));
    TRY(gt_graph_output(graph, loss));
    TRY(gt_graph_output(graph, gt_graph_gradient_of(graph, w)));
    TRY(gt_graph_dump(&text[0], graph));
    TRY(gt_program_plan(&memory, device, graph, NULL));
    TRY(gt_program_create(&program, device, graph, NULL));
    TRY(gt_program_write(program, x, zeros));
    TRY(gt_program_write(program, truth, zeros));
    TRY(gt_program_write(program, w, zeros));
    TRY(gt_program_run(program));
    TRY(gt_program_read(program, loss, zeros));
    zeros[0] = 0.0f;
    TRY(gt_program_dump(&text[1], program));
out:
    gt_free(text[0]);
    gt_free(text[1]);
    gt_program_free(program);
    gt_graph_free(graph);
    gt_device_free(device);
    return status;
}

/* Without measuring, which takes long. */
static gt_status life_of_tuning(void)
{
    gt_device *device = NULL;
    gt_model *model = NULL;
    char *dump = NULL;
    gt_tune_options o;
    gt_tune_result result;
    gt_status status = GT_OK;
    gt_tune_options_init(&o);
    o.dry_run = 1;
    o.output = 4;
    TRY(open_device(&device));
    TRY(make_model(&model, "usk"));
    TRY(gt_tune_run(&result, &dump, device, model, &o));
out:
    gt_free(dump);
    gt_model_free(model);
    gt_device_free(device);
    return status;
}

static gt_status write_and_read(const char *file, gt_type type)
{
    static const float rows[16 * 16];
    gt_image_writer *writer = NULL;
    gt_image_reader *reader = NULL;
    gt_image *image = NULL;
    gt_writer_options o;
    gt_status status = GT_OK;
    gt_writer_options_init(&o);
    o.type = type;
    o.width = o.height = 16;
    o.overwrite = 1;
    TRY(gt_image_writer_open(&writer, file, &o));
    TRY(gt_image_writer_rows(writer, 16, rows));
    TRY(gt_image_writer_finish(writer));
    TRY(gt_image_reader_open(&reader, file, NULL));
    TRY(gt_image_reader_load(&image, reader, 0));
out:
    gt_image_free(image);
    gt_image_reader_free(reader);
    gt_image_writer_free(writer);
    return status;
}

static gt_status life_of_images(void)
{
    gt_dataset *dataset = NULL;
    gt_status status = GT_OK;
    TRY(write_and_read(path[2], GT_F32));
    TRY(write_and_read(path[2], GT_U8));
    TRY(write_and_read(path[3], GT_U16));
    TRY(gt_dataset_create(&dataset, NULL));
    TRY(gt_dataset_load(dataset, path[2], path[3]));
out:
    gt_dataset_free(dataset);
    return status;
}

/* One sub-folder per label. */
static gt_status life_of_label_folders(void)
{
    gt_dataset *dataset = NULL;
    gt_status status = GT_OK;
    TRY(write_and_read(path[2], GT_U8));
    TRY(write_and_read(path[4], GT_U8));
    TRY(write_and_read(path[5], GT_U8));
    TRY(gt_dataset_create(&dataset, NULL));
    TRY(gt_dataset_load(dataset, path[2], path[6]));
    TRY(gt_dataset_load(dataset, path[2], path[6]));
    int32_t labels = 0;
    TRY(gt_dataset_labels(&labels, dataset));
out:
    gt_dataset_free(dataset);
    return status;
}

static void check_life(gt_status (*life)(void))
{
    const gt_allocator counting = {counted_allocate, counted_release, NULL};
    gt_set_allocator(&counting);
    fail_at = 0;
    atomic_store(&calls, 0);
    atomic_store(&live, 0);
    gt_status first = life();
    size_t total = atomic_load(&calls);
    size_t step = getenv("GT_QUICK") && strcmp(getenv("GT_QUICK"), "1") == 0 ? 7 : 1;
    if (first != GT_OK) {
        print_error("without a failure: %s\n", gt_error_message());
    }
    int bad = first != GT_OK || atomic_load(&live) != 0 || total < 20;
    for (int on = 0; on < 2 && !bad; on++) {
        fail_on = on;
        for (size_t n = 1; n <= total && !bad; n += step) {
            fail_at = n;
            atomic_store(&calls, 0);
            gt_status status = life();
            bad = (status != GT_OK && status != GT_ENOMEM) || atomic_load(&live) != 0;
            if (bad) {
                print_error("allocation %zu of %zu (%s): %s \"%s\", %zu blocks left\n", n, total,
                            on ? "and later" : "alone", gt_status_name(status), gt_error_message(),
                            atomic_load(&live));
            }
        }
    }
    fail_at = 0;
    gt_set_allocator(NULL);
    assert_int_equal(bad, 0);
}

static void test_model(void **state)
{
    (void)state;
    check_life(life_of_model);
}
static void test_training(void **state)
{
    (void)state;
    check_life(life_of_training);
}
static void test_inspection(void **state)
{
    (void)state;
    check_life(life_of_inspection);
}
static void test_prediction(void **state)
{
    (void)state;
    check_life(life_of_prediction);
}
static void test_two_devices(void **state)
{
    (void)state;
    check_life(life_of_two_devices);
}
static void test_program(void **state)
{
    (void)state;
    check_life(life_of_program);
}
static void test_tuning(void **state)
{
    (void)state;
    check_life(life_of_tuning);
}
static void test_images(void **state)
{
    (void)state;
    check_life(life_of_images);
}
static void test_label_folders(void **state)
{
    (void)state;
    check_life(life_of_label_folders);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/greentea-oom-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path[0], sizeof path[0], "%s/model", folder);
    snprintf(path[1], sizeof path[1], "%s/checkpoint", folder);
    snprintf(path[2], sizeof path[2], "%s/image.tif", folder);
    snprintf(path[3], sizeof path[3], "%s/image.png", folder);
    snprintf(path[6], sizeof path[6], "%s/labels", folder);
    int bad = mkdir(path[6], 0777);
    for (int i = 0; i < 2; i++) {
        char sub[96];
        snprintf(sub, sizeof sub, "%s/labels/%d", folder, i);
        snprintf(path[4 + i], sizeof path[4 + i], "%s/1.tif", sub);
        bad |= mkdir(sub, 0777);
    }
    return bad;
}

static int remove_folder(void **state)
{
    (void)state;
    char previous[160];
    snprintf(previous, sizeof previous, "%s.prev", path[1]);
    unlink(previous);
    for (int i = 0; i < 6; i++) {
        unlink(path[i]);
    }
    for (int i = 0; i < 2; i++) {
        *strrchr(path[4 + i], '/') = 0;
        rmdir(path[4 + i]);
    }
    rmdir(path[6]);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program),     cmocka_unit_test(test_tuning),
        cmocka_unit_test(test_images),      cmocka_unit_test(test_label_folders),
        cmocka_unit_test(test_model),       cmocka_unit_test(test_training),
        cmocka_unit_test(test_inspection),  cmocka_unit_test(test_prediction),
        cmocka_unit_test(test_two_devices),
    };
    return cmocka_run_group_tests_name("oom", tests, make_folder, remove_folder);
}
