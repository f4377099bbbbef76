/* greentea benchmark. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/tool.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/resource.h>

struct flags {
    char *net, *mode;
    int output, batch, runs, warmup, labels, channels, json, dump, deterministic;
    double width;
    struct device_flags device;
};

static json_t *result_json(const struct flags *f, const char *mode, const gt_device *device,
                           const gt_benchmark_result *r)
{
    gt_device_info info;
    struct rusage usage;
    gt_device_describe(device, &info);
    getrusage(RUSAGE_SELF, &usage);
    const gt_program_memory *m = &r->memory;
    size_t peak = m->arena_bytes + m->packed_bytes + m->kept_bytes;
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, "
                     "s:I, s:I, s:I, s:I, "
                     "s:I, s:i}",
                     "net", f->net, "mode", mode, "device", info.name, "threads",
                     gt_device_threads(device), "input", r->input, "output", r->output, "batch",
                     r->batch, "width", f->width, "ms_median", r->ms_median, "ms_min", r->ms_min,
                     "ms_q1", r->ms_q1, "ms_q3", r->ms_q3, "gmacs", r->gmacs, "tflops", r->tflops,
                     "mpix_per_s", r->mpix_per_s, "peak_bytes", (json_int_t)peak, "arena_bytes",
                     (json_int_t)m->arena_bytes, "packed_bytes", (json_int_t)m->packed_bytes,
                     "kept_bytes", (json_int_t)m->kept_bytes, "rss_bytes",
                     (json_int_t)usage.ru_maxrss * 1024, "runs", f->runs);
}

static int run(const struct flags *f, const char *mode, gt_device *device, gt_model *model)
{
    gt_benchmark_options options;
    gt_benchmark_result r;
    char *dump = NULL;
    gt_benchmark_options_init(&options);
    options.mode = mode[0] == 't' ? GT_BENCHMARK_TRAIN : GT_BENCHMARK_PROCESS;
    options.output = f->output;
    options.batch = f->batch;
    options.runs = f->runs;
    options.warmup = f->warmup;
    options.deterministic = f->deterministic;
    gt_status status = gt_benchmark_run(&r, f->dump ? &dump : NULL, device, model, &options);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    if (dump) {
        fputs(dump, stderr);
        gt_free(dump);
    }
    if (f->json) {
        json_t *object = result_json(f, mode, device, &r);
        json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        puts("");
        json_decref(object);
    } else {
        printf("%s %s: input %d, output %d, batch %d: %.3f ms (median of %d; %.3f min), %.3f GMAC, "
               "%.4f TFLOP/s, %.4f Mpixel/s, %.1f MiB\n",
               f->net, mode, r.input, r.output, r.batch, r.ms_median, f->runs, r.ms_min, r.gmacs,
               r.tflops, r.mpix_per_s,
               (double)(r.memory.arena_bytes + r.memory.packed_bytes + r.memory.kept_bytes) /
                   1048576.0);
    }
    return EXIT_OK;
}

int cmd_benchmark(int argc, char **argv)
{
    struct flags f = {.batch = 1, .runs = 5, .warmup = 1, .width = 1.0, .channels = 3};
    const struct poptOption table[] = {
        {"net", 'n', POPT_ARG_STRING, &f.net, 0, "sw, sk, u, usk or usk9", "NAME"},
        {"out-size", 'p', POPT_ARG_INT, &f.output, 0, "output size (default: the published one)",
         "P"},
        {"mode", 'm', POPT_ARG_STRING, &f.mode, 0, "process (default) or train", "MODE"},
        {"batch", 'b', POPT_ARG_INT, &f.batch, 0, "images at once (default 1)", "N"},
        {"runs", 'r', POPT_ARG_INT, &f.runs, 0, "timed runs (default 5)", "N"},
        {"warmup", 0, POPT_ARG_INT, &f.warmup, 0, "runs before timing (default 1)", "N"},
        {"width", 'w', POPT_ARG_DOUBLE, &f.width, 0, "width of the network (default 1)", "X"},
        {"labels-count", 0, POPT_ARG_INT, &f.labels, 0, "labels (default 2; usk9: 9)", "L"},
        {"channels", 0, POPT_ARG_INT, &f.channels, 0, "input channels, 1 or 3 (default 3)", "C"},
        {"deterministic", 0, POPT_ARG_NONE, &f.deterministic, 0, "only position-independent sums",
         NULL},
        {"dump", 0, POPT_ARG_NONE, &f.dump, 0,
         "print the plan with times per step on stderr; OpenCL: timings then include measuring "
         "them",
         NULL},
        {"json", 0, POPT_ARG_NONE, &f.json, 0, "machine-readable result", NULL},
        DEVICE_OPTIONS(f.device, ""),
        POPT_TABLEEND};
    int code = tool_parse(argc, argv, table, "Time a network with random data.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    static const char *const modes[] = {"process", "train", NULL};
    const char *mode = f.mode ? f.mode : "process";
    if (!f.net) {
        return tool_usage("--net is needed: sw, sk, u, usk or usk9");
    }
    if (tool_choice(mode, modes) < 0) {
        return tool_usage("--mode is '%s', expected process or train", mode);
    }
    f.device.profile = f.dump;
    gt_device *device = NULL;
    gt_model *model = NULL;
    gt_model_options mo;
    gt_model_options_init(&mo);
    mo.net = f.net;
    mo.width = f.width;
    mo.labels = f.labels;
    mo.channels = f.channels;
    gt_status status = gt_model_create(&model, &mo);
    if (status == GT_OK) {
        status = gt_model_init_weights(model, GT_INIT_HE, 1);
    }
    code = status == GT_OK ? tool_open_device(&device, &f.device) : tool_fail(status, ABOUT_OPTION);
    if (code == 0) {
        code = run(&f, mode, device, model);
    }
    gt_model_free(model);
    gt_device_free(device);
    return code;
}
