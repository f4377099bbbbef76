/* greentea tune. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_precision.h"

#include <jansson.h>
#include <stdlib.h>

struct flags {
    char *net, *progress;
    int output, batch, labels, channels, train, fresh, dry_run, json, quiet;
    double width;
    gt_precision precision;
    struct precision_flags precision_text;
    struct device_flags device;
};

/* What the user sees of one program. */
struct watch {
    struct progress progress;
    const char *net, *mode;
    bool silent;
};

static void show(struct watch *w, int32_t done, int32_t total, const char *operation)
{
    char counts[64];
    char extra[128];
    char json[256];
    const bool last = done == total;
    if (w->silent || total < 1) {
        return;
    }
    snprintf(counts, sizeof counts, "%d/%d operations", (int)done, (int)total);
    snprintf(extra, sizeof extra, "%s %s %s", w->net, w->mode, operation);
    snprintf(json, sizeof json,
             ", \"net\": \"%s\", \"mode\": \"%s\", \"operations\": %d, \"total\": %d", w->net,
             w->mode, (int)done, (int)total);
    progress_show(&w->progress, (double)done / (double)total, counts, extra, json, last);
}

/* Comes before each operation, which is number `number` of all. */
static int on_operation(const char *operation, int32_t number, int32_t total, void *cookie)
{
    show(cookie, number - 1, total, operation);
    return tool_signal();
}

static json_t *to_json(const char *net, const char *mode, const gt_tune_result *r)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f}", "net", net, "mode",
                     mode, "input", r->input, "output", r->output, "operations", r->operations,
                     "options", r->options, "measured", r->measured, "failed", r->failed, "changed",
                     r->changed, "ms_before", r->ms_before, "ms_after", r->ms_after);
}

static int tune(const struct flags *f, json_t *list, gt_device *device, const gt_model *model,
                gt_benchmark_mode mode, int fresh)
{
    gt_model_options mo;
    gt_tune_options options;
    gt_tune_result r;
    char *dump = NULL;
    const char *name = mode == GT_BENCHMARK_TRAIN ? "train" : "process";
    struct watch w = {.mode = name, .silent = f->dry_run};
    gt_model_get_options(model, &mo);
    w.net = mo.net;
    int code = progress_open(&w.progress, f->progress, f->quiet, device);
    if (code) {
        return code;
    }
    gt_tune_options_init(&options);
    options.mode = mode;
    options.output = f->output;
    options.batch = f->batch;
    options.fresh = fresh;
    options.dry_run = f->dry_run;
    options.precision = mode == GT_BENCHMARK_PROCESS ? f->precision : GT_PRECISION_F32;
    options.progress = on_operation;
    options.cookie = &w;
    gt_status status = gt_tune_run(&r, f->json ? NULL : &dump, device, model, &options);
    if (status == GT_OK) {
        show(&w, r.operations, r.operations, "done");
    } else {
        progress_break(&w.progress);
        return tool_fail(status, status == GT_EIO ? ABOUT_OUTPUT : ABOUT_OPTION);
    }
    if (f->json) {
        json_array_append_new(list, to_json(mo.net, name, &r));
        return EXIT_OK;
    }
    fputs(dump, stdout);
    printf(
        "%s %s: input %d, output %d: %d operations, %d ways to run them, %d measured, %d failed; "
        "%d choices changed, kernels %.3f ms before, %.3f ms after\n",
        mo.net, name, r.input, r.output, r.operations, r.options, r.measured, r.failed, r.changed,
        r.ms_before, r.ms_after);
    gt_free(dump);
    return EXIT_OK;
}

/* One network: processing, and training if asked for. */
static int tune_net(const struct flags *f, json_t *list, gt_device *device, const char *net,
                    int fresh)
{
    gt_model *model = NULL;
    gt_model_options mo;
    gt_model_options_init(&mo);
    mo.net = net;
    mo.width = f->width;
    mo.labels = f->labels;
    mo.channels = f->channels;
    gt_status status = gt_model_create(&model, &mo);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    int code = tune(f, list, device, model, GT_BENCHMARK_PROCESS, fresh);
    if (code == EXIT_OK && f->train) {
        code = tune(f, list, device, model, GT_BENCHMARK_TRAIN, 0);
    }
    gt_model_free(model);
    return code;
}

static int tune_device(struct flags *f, gt_device *device, json_t *list)
{
    static const char *const nets[] = {"sk", "u", "usk", "usk9"};
    gt_device_info info;
    char *path = NULL;
    gt_device_describe(device, &info);
    if (!f->net && !info.gpu) {
        return tool_usage("--net is needed for %s: tuning all networks is for GPUs", info.name);
    }
    if (!f->net && f->output) {
        return tool_usage("--out-size needs --net");
    }
    gt_status status = gt_tune_file(&path, device);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OUTPUT);
    }
    int code = EXIT_OK;
    f->train |= !f->net;
    for (int i = 0; code == EXIT_OK && i < (f->net ? 1 : 4); i++) {
        code = tune_net(f, list, device, f->net ? f->net : nets[i], f->fresh && i == 0);
    }
    if (code == EXIT_OK && !f->json && !f->dry_run) {
        printf("%s: measurements in %s\n", info.name, path);
    }
    gt_free(path);
    return code;
}

int cmd_tune(int argc, char **argv)
{
    struct flags f = {.batch = 1, .width = 1.0, .channels = 3};
    const struct poptOption table[] = {
        {"net", 'n', POPT_ARG_STRING, &f.net, 0,
         "sw, sk, u, usk or usk9 (default on GPUs: all but sw, with --train)", "NAME"},
        {"out-size", 'p', POPT_ARG_INT, &f.output, 0, "output size (default: the published one)",
         "P"},
        {"train", 0, POPT_ARG_NONE, &f.train, 0, "training too: gradients and updates", NULL},
        {"batch", 'b', POPT_ARG_INT, &f.batch, 0, "images at once (default 1)", "N"},
        {"width", 'w', POPT_ARG_DOUBLE, &f.width, 0, "width of the network (default 1)", "X"},
        {"labels-count", 0, POPT_ARG_INT, &f.labels, 0, "labels (default 2; usk9: 9)", "L"},
        {"channels", 0, POPT_ARG_INT, &f.channels, 0, "input channels, 1 or 3 (default 3)", "C"},
        {"fresh", 0, POPT_ARG_NONE, &f.fresh, 0, "forget the device's earlier measurements", NULL},
        PRECISION_OPTIONS(f.precision_text),
        {"dry-run", 0, POPT_ARG_NONE, &f.dry_run, 0, "count what is to be measured, and stop",
         NULL},
        {"json", 0, POPT_ARG_NONE, &f.json, 0, "machine-readable summary", NULL},
        DEVICE_OPTIONS(f.device, ""),
        PROGRESS_OPTIONS(f.progress, f.quiet),
        POPT_TABLEEND};
    int code = tool_parse(argc, argv, table,
                          "Measure the kernels of a device and keep the times in the cache folder "
                          "($XDG_CACHE_HOME or\n~/.cache, greentea/tune-*.txt). Later runs plan by "
                          "them where sizes agree, which can change\nthe last bits of results, but "
                          "not those of --deterministic.",
                          NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    if (f.batch < 1) {
        return tool_usage("--batch is %d, expected 1 or more", f.batch);
    }
    code = precision_fill(&f.precision, &f.precision_text);
    if (code) {
        return code;
    }
    gt_device *device = NULL;
    json_t *list = json_array();
    tool_catch_signals();
    f.device.silent = progress_alone(f.progress, f.quiet);
    code = tool_open_device(&device, &f.device);
    if (code == 0) {
        code = tune_device(&f, device, list);
    }
    if (code == EXIT_OK && f.json) {
        json_dumpf(list, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        puts("");
    }
    json_decref(list);
    gt_device_free(device);
    return code;
}
