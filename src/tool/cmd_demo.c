/* greentea demo: everything once, on made data. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SIZE = 384, TRAIN_SECTIONS = 6, PATH_SIZE = 1024 };

struct flags {
    char *out, *time_limit, *net, *progress;
    int data_only, quiet, sections, size;
    long long seed;
};

static void show(struct progress *p, int done, int total)
{
    char counts[64];
    char json[64];
    snprintf(counts, sizeof counts, "%d/%d sections made", done, total);
    snprintf(json, sizeof json, ", \"sections\": %d, \"total\": %d", done, total);
    progress_show(p, (double)done / (double)total, counts, "", json, done == total);
}

static gt_status write_page(gt_image_writer *writer, const gt_image *image)
{
    gt_image_view v = gt_image_get_view(image);
    gt_status status = GT_OK;
    float *row = malloc((size_t)v.width * sizeof *row);
    for (int32_t y = 0; y < v.height && status == GT_OK; y++) {
        for (int32_t x = 0; row && x < v.width; x++) {
            row[x] = ((const uint8_t *)v.data)[(size_t)y * (size_t)v.width + (size_t)x];
        }
        status = row ? gt_image_writer_rows(writer, 1, row) : GT_ENOMEM;
    }
    free(row);
    return status;
}

static gt_status open_stack(gt_image_writer **out, const char *path, int size, int sections)
{
    gt_writer_options o;
    gt_writer_options_init(&o);
    o.type = GT_U8;
    o.width = o.height = size;
    o.pages = (size_t)sections;
    o.overwrite = 1;
    return gt_image_writer_open(out, path, &o);
}

/* Sections first to first + n - 1 as two stacks, DIR/NAME-raw.tif and DIR/NAME-labels.tif. */
static int make_stacks(const struct flags *f, struct progress *p, const char *name, int first,
                       int n)
{
    char path[2][PATH_SIZE];
    gt_image_writer *writer[2] = {NULL, NULL};
    gt_status status = GT_OK;
    snprintf(path[0], PATH_SIZE, "%s/%s-raw.tif", f->out, name);
    snprintf(path[1], PATH_SIZE, "%s/%s-labels.tif", f->out, name);
    for (int i = 0; i < 2 && status == GT_OK; i++) {
        status = open_stack(&writer[i], path[i], f->size, n);
    }
    for (int s = first; s < first + n && status == GT_OK; s++) {
        gt_image *image[2] = {NULL, NULL};
        status = gt_synthetic_section(&image[0], &image[1], f->size, f->size, (uint64_t)f->seed,
                                      (uint32_t)s);
        for (int i = 0; i < 2 && status == GT_OK; i++) {
            status = write_page(writer[i], image[i]);
        }
        gt_image_free(image[0]);
        gt_image_free(image[1]);
        if (status == GT_OK) {
            show(p, s + 1, f->sections + 1);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (status == GT_OK) {
            status = gt_image_writer_finish(writer[i]);
        }
        gt_image_writer_free(writer[i]);
    }
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
}

/* Run a subcommand as the user would type it, and show what was typed. */
static int run(const struct flags *f, int (*command)(int, char **), const char *const *words)
{
    char *argv[32];
    int argc = 0;
    const bool silent = f->progress && strcmp(f->progress, "json") == 0;
    for (; words[argc] && argc < 31; argc++) {
        argv[argc] = strdup(words[argc]);
        fprintf(stderr, "%s%s",
                silent ? ""
                : argc ? " "
                       : "\n$ greentea ",
                silent ? "" : words[argc]);
    }
    argv[argc] = NULL;
    fputs(silent ? "" : "\n", stderr);
    int code = command(argc, argv);
    for (int i = 0; i < argc; i++) {
        free(argv[i]);
    }
    return code;
}

static gt_status load_first(gt_image **out, const char *folder, const char *name)
{
    char path[PATH_SIZE];
    gt_image_reader *reader = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    gt_status status = gt_image_reader_open(&reader, path, NULL);
    if (status == GT_OK) {
        status = gt_image_reader_load(out, reader, 0);
    }
    gt_image_reader_free(reader);
    return status;
}

/* One row of the picture: input, probability of "interior", and the input with the membrane in red
 * where the network sees it and in blue where the truth has it and the network does not. */
static void picture_row(float *rgb, const float *raw, const float *prob, const float *truth,
                        int32_t w, int32_t gap)
{
    int32_t total = 3 * w + 2 * gap;
    for (int32_t c = 0; c < 3; c++) {
        float *dst = rgb + (size_t)c * (size_t)total;
        for (int32_t x = 0; x < total; x++) {
            dst[x] = 255.0f;
        }
        for (int32_t x = 0; x < w; x++) {
            float membrane = 1.0f - prob[x];
            bool missed = truth[x] < 128.0f && membrane < 0.5f;
            float red = membrane > 0.5f ? (c == 0 ? 230.0f : 40.0f) : raw[x];
            dst[x] = raw[x];
            dst[w + gap + x] = 255.0f * prob[x];
            dst[2 * (w + gap) + x] =
                missed ? (c == 2 ? 255.0f : 60.0f) : 0.55f * red + 0.45f * raw[x];
        }
    }
}

static gt_status write_picture(const char *path, gt_image *const *images)
{
    enum { GAP = 8 };
    gt_image_view v = gt_image_get_view(images[0]);
    gt_image_writer *writer = NULL;
    gt_writer_options o;
    gt_writer_options_init(&o);
    o.type = GT_U8;
    o.width = 3 * v.width + 2 * GAP;
    o.height = v.height;
    o.channels = 3;
    o.overwrite = 1;
    float *rgb = malloc(3 * (size_t)o.width * sizeof *rgb);
    gt_status status = rgb ? gt_image_writer_open(&writer, path, &o) : GT_ENOMEM;
    for (int32_t y = 0; y < v.height && status == GT_OK; y++) {
        size_t at = (size_t)y * (size_t)v.width;
        const float *row[3];
        for (int i = 0; i < 3; i++) {
            row[i] = (const float *)gt_image_get_view(images[i]).data + at;
        }
        picture_row(rgb, row[0], row[1], row[2], v.width, GAP);
        status = gt_image_writer_rows(writer, 1, rgb);
    }
    if (status == GT_OK) {
        status = gt_image_writer_finish(writer);
    }
    gt_image_writer_free(writer);
    free(rgb);
    return status;
}

static int make_picture(const struct flags *f)
{
    static const char *const names[] = {"unseen-raw.tif", "unseen-prob.tif", "unseen-labels.tif"};
    gt_image *images[3] = {NULL, NULL, NULL};
    gt_status status = GT_OK;
    char path[PATH_SIZE];
    for (int i = 0; i < 3 && status == GT_OK; i++) {
        status = load_first(&images[i], f->out, names[i]);
    }
    snprintf(path, sizeof path, "%s/demo.png", f->out);
    if (status == GT_OK) {
        status = write_picture(path, images);
    }
    for (int i = 0; i < 3; i++) {
        gt_image_free(images[i]);
    }
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OUTPUT);
    }
    printf("\nInput, probability of cell interior, and membranes found (red) or missed (blue):\n  "
           "%s\n",
           path);
    return EXIT_OK;
}

static int train_and_label(const struct flags *f)
{
    char model[PATH_SIZE];
    char raw[2][PATH_SIZE];
    char labels[2][PATH_SIZE];
    char prob[PATH_SIZE];
    snprintf(model, sizeof model, "%s/model.safetensors", f->out);
    snprintf(prob, sizeof prob, "%s/unseen-prob.tif", f->out);
    for (int i = 0; i < 2; i++) {
        snprintf(raw[i], PATH_SIZE, "%s/%s-raw.tif", f->out, i ? "unseen" : "train");
        snprintf(labels[i], PATH_SIZE, "%s/%s-labels.tif", f->out, i ? "unseen" : "train");
    }
    const char *how = f->progress ? f->progress : "auto";
    const char *const training[] = {"train",
                                    "--net",
                                    f->net,
                                    "--raw",
                                    raw[0],
                                    "--labels",
                                    labels[0],
                                    "--out",
                                    model,
                                    "--overwrite",
                                    "--width",
                                    "0.25",
                                    "--patch",
                                    "100",
                                    "--batch",
                                    "2",
                                    "--time-limit",
                                    f->time_limit,
                                    "--iterations",
                                    "100000",
                                    "--warmup",
                                    "50",
                                    "--progress",
                                    how,
                                    f->quiet ? "--quiet" : NULL,
                                    NULL};
    const char *const processing[] = {"process",
                                      "--model",
                                      model,
                                      "--in",
                                      raw[1],
                                      "--out",
                                      prob,
                                      "--overwrite",
                                      "--progress",
                                      how,
                                      f->quiet ? "--quiet" : NULL,
                                      NULL};
    const char *const evaluating[] = {"evaluate", "--labels", labels[1], "--prob", prob, NULL};
    int code = run(f, cmd_train, training);
    code = code ? code : run(f, cmd_process, processing);
    code = code ? code : run(f, cmd_evaluate, evaluating);
    return code ? code : make_picture(f);
}

int cmd_demo(int argc, char **argv)
{
    struct flags f = {.out = "demo",
                      .time_limit = "100s",
                      .net = "u",
                      .seed = 1,
                      .sections = TRAIN_SECTIONS,
                      .size = SIZE};
    const struct poptOption table[] = {
        {"out", 'o', POPT_ARG_STRING, &f.out, 0, "folder for everything (default demo)", "DIR"},
        {"time-limit", 0, POPT_ARG_STRING, &f.time_limit, 0, "of the training (default 100s)", "T"},
        {"net", 'n', POPT_ARG_STRING, &f.net, 0, "u (default) or usk", "NAME"},
        {"seed", 's', POPT_ARG_LONGLONG, &f.seed, 0, "of the made data (default 1)", "S"},
        {"sections", 0, POPT_ARG_INT, &f.sections, 0, "training sections (default 6)", "N"},
        {"size", 0, POPT_ARG_INT, &f.size, 0, "pixels a side (default 384)", "P"},
        {"data-only", 0, POPT_ARG_NONE, &f.data_only, 0, "only make the data", NULL},
        PROGRESS_OPTIONS(f.progress, f.quiet),
        POPT_TABLEEND};
    int code = tool_parse(
        argc, argv, table,
        "Make EM-like sections with labels, train on them, label an unseen one, show it.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    static const char *const nets[] = {"u", "usk", NULL};
    struct progress progress;
    double seconds = 0.0;
    code = progress_open(&progress, f.progress, f.quiet, NULL);
    if (code) {
        return code;
    }
    int least = f.data_only ? 16 : 100; /* the patch of the training */
    if (f.sections < 1 || f.sections > 10000 || f.size < least || f.size > 16384) {
        return tool_usage("--sections %d must be 1 to 10000 and --size %d %d to 16384", f.sections,
                          f.size, least);
    }
    if (tool_choice(f.net, nets) < 0 || !tool_parse_time(&seconds, f.time_limit) ||
        seconds <= 0.0) {
        return tool_usage(
            "--net is '%s', expected u or usk; --time-limit is '%s', for example 100s", f.net,
            f.time_limit);
    }
    if (mkdir(f.out, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "greentea: folder %s cannot be made: %s\n", f.out, strerror(errno));
        return EXIT_OUTPUT;
    }
    if (!progress_alone(f.progress, f.quiet)) {
        fprintf(stderr, "greentea: making %d sections of %d x %d pixels with labels in %s\n",
                f.sections + 1, f.size, f.size, f.out);
    }
    code = make_stacks(&f, &progress, "train", 0, f.sections);
    code = code ? code : make_stacks(&f, &progress, "unseen", f.sections, 1);
    if (code || f.data_only) {
        return code;
    }
    return train_and_label(&f);
}
