/* greentea benchmark. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/bench.h"

#include <string.h>
#include <sys/resource.h>

int bench_model(gt_model **out, const struct bench_flags *f, const char *net)
{
    gt_model *model = NULL;
    gt_model_options o;
    gt_model_options_init(&o);
    o.net = net;
    o.width = f->width;
    o.labels = f->labels;
    o.channels = f->channels;
    gt_status status = gt_model_create(&model, &o);
    if (status == GT_OK) {
        status = gt_model_init_weights(model, GT_INIT_HE, 1);
    }
    *out = model;
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
}

void bench_options(gt_benchmark_options *o, const struct bench_flags *f, gt_benchmark_mode mode)
{
    gt_benchmark_options_init(o);
    o->mode = mode;
    o->output = f->output;
    o->batch = f->batch;
    o->runs = f->runs;
    o->warmup = f->warmup;
    o->deterministic = f->deterministic;
    o->precision = f->precision;
    o->memory_limit = f->memory_bytes;
}

static int on_run(uint64_t done, uint64_t total, void *cookie)
{
    struct bench_watch *w = cookie;
    char counts[64];
    char extra[64];
    char json[160];
    if (tool_now() - w->progress.start < 1.0) {
        return 0;
    }
    snprintf(counts, sizeof counts, "%llu/%llu runs", (unsigned long long)done,
             (unsigned long long)total);
    snprintf(extra, sizeof extra, "%s %s", w->net, w->mode);
    snprintf(json, sizeof json,
             ", \"net\": \"%s\", \"mode\": \"%s\", \"runs\": %llu, \"total\": %llu", w->net,
             w->mode, (unsigned long long)done, (unsigned long long)total);
    progress_show(&w->progress, (double)done / (double)total, counts, extra, json, done == total);
    return 0;
}

int bench_watch_open(struct bench_watch *watch, gt_benchmark_options *o,
                     const struct bench_flags *f, const gt_device *device)
{
    int code = progress_open(&watch->progress, f->progress, f->quiet, device);
    watch->progress.begun = true; /* from nothing, though the first second is not shown */
    watch->net = f->net;
    watch->mode = o->mode == GT_BENCHMARK_TRAIN ? "train" : "process";
    o->progress = on_run;
    o->cookie = watch;
    return code;
}

static json_t *result_json(const struct bench_flags *f, const char *mode, const gt_device *device,
                           const gt_benchmark_result *r)
{
    gt_device_info info;
    struct rusage usage;
    gt_device_describe(device, &info);
    getrusage(RUSAGE_SELF, &usage);
    const gt_program_memory *m = &r->memory;
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, "
        "s:I, s:I, s:I, s:I, "
        "s:I, s:i}",
        "net", f->net, "mode", mode, "precision",
        f->precision == GT_PRECISION_BF16 ? "bf16" : "fp32", "device", info.name, "threads",
        gt_device_threads(device), "input", r->input, "output", r->output, "batch", r->batch,
        "width", f->width, "ms_median", r->ms_median, "ms_min", r->ms_min, "ms_q1", r->ms_q1,
        "ms_q3", r->ms_q3, "gmacs", r->gmacs, "tflops", r->tflops, "mpix_per_s", r->mpix_per_s,
        "peak_bytes", (json_int_t)bench_bytes(m), "arena_bytes", (json_int_t)m->arena_bytes,
        "packed_bytes", (json_int_t)m->packed_bytes, "kept_bytes", (json_int_t)m->kept_bytes,
        "rss_bytes", (json_int_t)usage.ru_maxrss * 1024, "runs", f->runs);
}

static int run(const struct bench_flags *f, const char *mode, gt_device *device, gt_model *model)
{
    gt_benchmark_options options;
    gt_benchmark_result r;
    char *dump = NULL;
    bench_options(&options, f, mode[0] == 't' ? GT_BENCHMARK_TRAIN : GT_BENCHMARK_PROCESS);
    struct bench_watch watch;
    int code = bench_watch_open(&watch, &options, f, device);
    if (code) {
        return code;
    }
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
               r.tflops, r.mpix_per_s, (double)bench_bytes(&r.memory) / 1048576.0);
    }
    return EXIT_OK;
}

static int one_network(struct bench_flags *f)
{
    static const char *const modes[] = {"process", "train", NULL};
    const char *mode = f->mode ? f->mode : "process";
    gt_device *device = NULL;
    gt_model *model = NULL;
    if (!f->net) {
        return tool_usage("--net is needed: sw, sk, u, usk or usk9; or --paper");
    }
    if (f->train || (f->out && !f->layers)) {
        return tool_usage(f->train ? "--train goes with --paper; here it is --mode train"
                                   : "--out goes with --layers");
    }
    if (!f->layers && tool_choice(mode, modes) < 0) {
        return tool_usage("--mode is '%s', expected process or train", mode);
    }
    f->device.profile = f->dump;
    int code = bench_model(&model, f, f->net);
    code = code ? code : tool_open_device(&device, &f->device);
    if (code == 0 && !f->device.silent) {
        precision_announce(f->precision, &device, 1);
    }
    if (code == 0) {
        code = f->layers ? bench_layers(f, device, model) : run(f, mode, device, model);
    }
    gt_model_free(model);
    gt_device_free(device);
    return code;
}

static int paper(const struct bench_flags *f)
{
    if (f->net || f->mode || f->output || f->batch != 1 || f->layers || f->out || f->dump) {
        return tool_usage("--paper chooses networks, sizes and batches itself: leave out --net, "
                          "--mode, --out-size, --batch, --layers, --out and --dump");
    }
    return bench_paper(f);
}

int cmd_benchmark(int argc, char **argv)
{
    struct bench_flags f = {.batch = 1, .runs = 5, .warmup = 1, .width = 1.0, .channels = 3};
    const struct poptOption table[] = {
        {"net", 'n', POPT_ARG_STRING, &f.net, 0, "sw, sk, u, usk or usk9", "NAME"},
        {"out-size", 'p', POPT_ARG_INT, &f.output, 0, "output size (default: the published one)",
         "P"},
        {"mode", 'm', POPT_ARG_STRING, &f.mode, 0,
         "process (default), train, or with --layers both", "MODE"},
        {"batch", 'b', POPT_ARG_INT, &f.batch, 0, "images at once (default 1)", "N"},
        {"runs", 'r', POPT_ARG_INT, &f.runs, 0, "timed runs (default 5)", "N"},
        {"warmup", 0, POPT_ARG_INT, &f.warmup, 0, "runs before timing (default 1)", "N"},
        {"width", 'w', POPT_ARG_DOUBLE, &f.width, 0, "width of the network (default 1)", "X"},
        {"labels-count", 0, POPT_ARG_INT, &f.labels, 0, "labels (default 2; usk9: 9)", "L"},
        {"channels", 0, POPT_ARG_INT, &f.channels, 0, "input channels, 1 or 3 (default 3)", "C"},
        {"deterministic", 0, POPT_ARG_NONE, &f.deterministic, 0, "only position-independent sums",
         NULL},
        PRECISION_OPTIONS(f.precision_text),
        {"memory-limit", 0, POPT_ARG_STRING, &f.memory_limit, 0,
         "bytes that the network may take: slower kernels are taken where they take less "
         "(default: no limit)",
         "B"},
        {"dump", 0, POPT_ARG_NONE, &f.dump, 0,
         "print the plan with times per step on stderr; OpenCL: timings then include measuring "
         "them",
         NULL},
        {"layers", 0, POPT_ARG_NONE, &f.layers, 0, "time every layer for itself", NULL},
        {"out", 'o', POPT_ARG_STRING, &f.out, 0,
         "with --layers: write the files of the 2015 benchmark (CSV) and benchmark.json there",
         "FOLDER"},
        {"paper", 0, POPT_ARG_NONE, &f.paper, 0,
         "the paper's table: all networks, speed over the sliding window; --device may name "
         "several",
         NULL},
        {"train", 0, POPT_ARG_NONE, &f.train, 0, "with --paper: training steps too", NULL},
        {"json", 0, POPT_ARG_NONE, &f.json, 0, "machine-readable result", NULL},
        DEVICE_OPTIONS(f.device, ""),
        PROGRESS_OPTIONS(f.progress, f.quiet),
        POPT_TABLEEND};
    int code = tool_parse(argc, argv, table, "Time a network with random data.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    f.device.silent = progress_alone(f.progress, f.quiet);
    code = precision_fill(&f.precision, &f.precision_text);
    code = code ? code : tool_bytes(&f.memory_bytes, "memory-limit", f.memory_limit);
    if (code) {
        return code;
    }
    if (f.precision != GT_PRECISION_F32 &&
        (f.train || (f.mode && strcmp(f.mode, "process") != 0))) {
        return tool_usage("--precision bf16 is for processing: training is computed in fp32");
    }
    return f.paper ? paper(&f) : one_network(&f);
}
