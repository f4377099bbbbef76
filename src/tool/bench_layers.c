/* greentea benchmark --layers: a table, JSON, and the files that the benchmark of 2015 wrote.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tool/bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A growing text; `failed` once memory was short. */
struct text {
    char *data;
    size_t size, capacity;
    bool failed;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t need = t->size + (size_t)n + 1;
    if (need > t->capacity) {
        char *more = realloc(t->data, 2 * need);
        if (!more) {
            t->failed = true;
            return;
        }
        t->data = more;
        t->capacity = 2 * need;
    }
    memcpy(t->data + t->size, line, (size_t)n + 1);
    t->size += (size_t)n;
}

/* The text to DIR/PREFIX_NAME; it is freed. */
static int put(const char *folder, const char *prefix, const char *name, struct text *t)
{
    char path[4096];
    int code = EXIT_DEVICE;
    if (t->failed || !t->data) {
        fputs("greentea: no memory for the result\n", stderr);
    } else if ((size_t)snprintf(path, sizeof path, "%s/%s%s", folder, prefix, name) >=
               sizeof path) {
        code = tool_usage("--out %s is too long", folder);
    } else {
        code = tool_write_text(path, t->data);
    }
    free(t->data);
    *t = (struct text){0};
    return code;
}

/* ---- the files of 2015: fields between semicolons, no header, 10 digits ---- */

static int put_timings(const char *folder, const char *prefix, const gt_benchmark_layers *r,
                       bool backward)
{
    struct text t = {0};
    for (size_t i = 0; i < r->n_layers; i++) {
        const gt_benchmark_layer *l = &r->layers[i];
        add(&t, "%zu;%s;%.10g;%llu\n", i, l->name, backward ? l->backward_ms : l->forward_ms,
            backward ? 0ULL : (unsigned long long)l->flops);
    }
    return put(folder, prefix,
               backward ? "backward_layers_timings.csv" : "forward_layers_timings.csv", &t);
}

static int put_csv(const char *folder, const gt_benchmark_layers *r, bool train)
{
    const char *prefix = train ? "train_" : "process_";
    struct text t = {0};
    int code = put_timings(folder, prefix, r, false);
    if (code == 0 && train) {
        code = put_timings(folder, prefix, r, true);
    }
    if (code) {
        return code;
    }
    add(&t, "Forward;%.10g\n", r->forward_ms);
    if (train) {
        add(&t, "Backward;%.10g\n", r->backward_ms);
    }
    code = put(folder, prefix, "total_timings.csv", &t);
    if (code) {
        return code;
    }
    add(&t, "Peak memory usage;%zu\n", bench_bytes(&r->memory));
    add(&t, "data;%zu\n", r->data_bytes);
    if (train) {
        add(&t, "label;%zu\n", r->label_bytes);
    }
    for (size_t i = 0; i < r->n_layers; i++) {
        add(&t, "%s;%zu\n", r->layers[i].name, r->layers[i].bytes);
    }
    return put(folder, prefix, "memory_usage.csv", &t);
}

/* ---- JSON and the terminal ---- */

static json_t *result_json(const gt_benchmark_layers *r, bool train)
{
    json_t *layers = json_array();
    for (size_t i = 0; i < r->n_layers; i++) {
        const gt_benchmark_layer *l = &r->layers[i];
        json_array_append_new(layers, json_pack("{s:s, s:f, s:f, s:I, s:I}", "name", l->name,
                                                "forward_ms", l->forward_ms, "backward_ms",
                                                l->backward_ms, "flops", (json_int_t)l->flops,
                                                "output_bytes", (json_int_t)l->bytes));
    }
    return json_pack("{s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:I, s:I, s:I, s:o}", "mode",
                     train ? "train" : "process", "input", r->input, "output", r->output, "batch",
                     r->batch, "forward_ms", r->forward_ms, "backward_ms", r->backward_ms,
                     "update_ms", r->update_ms, "peak_bytes", (json_int_t)bench_bytes(&r->memory),
                     "data_bytes", (json_int_t)r->data_bytes, "label_bytes",
                     (json_int_t)r->label_bytes, "layers", layers);
}

static void print_table(const struct bench_flags *f, const gt_benchmark_layers *r, bool train)
{
    double sum[2] = {0, 0};
    printf("%s %s: input %d, output %d, batch %d, means of %d runs\n", f->net,
           train ? "train" : "process", r->input, r->output, r->batch, f->runs);
    printf("%-12s %12s ", "layer", "forward ms");
    if (train) {
        printf("%12s ", "backward ms");
    }
    printf("%10s %10s\n", "TFLOP/s", "MiB out");
    for (size_t i = 0; i < r->n_layers; i++) {
        const gt_benchmark_layer *l = &r->layers[i];
        double rate = l->forward_ms > 0 ? (double)l->flops / l->forward_ms * 1e-9 : 0;
        printf("%-12s %12.3f ", l->name, l->forward_ms);
        if (train) {
            printf("%12.3f ", l->backward_ms);
        }
        printf("%10.3f %10.2f\n", rate, (double)l->bytes / 1048576.0);
        sum[0] += l->forward_ms;
        sum[1] += l->backward_ms;
    }
    printf("sum of layers: forward %.3f ms", sum[0]);
    if (train) {
        printf(", backward %.3f ms", sum[1]);
    }
    printf("\nwhole: forward %.3f ms", r->forward_ms);
    if (train) {
        printf(", backward %.3f ms, update %.3f ms", r->backward_ms, r->update_ms);
    }
    printf("; peak memory %.1f MiB\n", (double)bench_bytes(&r->memory) / 1048576.0);
}

/* ---- running ---- */

static int one(json_t *results, const struct bench_flags *f, gt_device *device,
               const gt_model *model, gt_benchmark_mode mode)
{
    bool train = mode == GT_BENCHMARK_TRAIN;
    gt_benchmark_options options;
    gt_benchmark_layers *r = NULL;
    struct bench_watch watch;
    bench_options(&options, f, mode);
    int code = bench_watch_open(&watch, &options, f, device);
    if (code) {
        return code;
    }
    gt_status status = gt_benchmark_layers_run(&r, device, model, &options);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    json_array_append_new(results, result_json(r, train));
    if (!f->json) {
        print_table(f, r, train);
    }
    code = f->out ? put_csv(f->out, r, train) : 0;
    gt_benchmark_layers_free(r);
    return code;
}

static json_t *head_json(const struct bench_flags *f, const gt_device *device, json_t *results)
{
    gt_device_info info;
    gt_device_describe(device, &info);
    return json_pack("{s:s, s:s, s:s, s:i, s:f, s:i, s:i, s:O}", "version", gt_version(), "net",
                     f->net, "device", info.name, "threads", gt_device_threads(device), "width",
                     f->width, "runs", f->runs, "warmup", f->warmup, "results", results);
}

static int put_json(const struct bench_flags *f, const gt_device *device, json_t *results)
{
    json_t *all = head_json(f, device, results);
    char *text = all ? json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
    int code = EXIT_OK;
    if (!text) {
        fputs("greentea: no memory for the result\n", stderr);
        code = EXIT_DEVICE;
    } else {
        struct text t = {0};
        if (f->json) {
            puts(text);
        }
        if (f->out) {
            t.data = strdup(text);
            code = put(f->out, "", "benchmark.json", &t);
        }
    }
    free(text);
    json_decref(all);
    return code;
}

int bench_layers(const struct bench_flags *f, gt_device *device, const gt_model *model)
{
    static const char *const modes[] = {"process", "train", "both", NULL};
    int mode = f->mode ? tool_choice(f->mode, modes) : 0;
    if (mode < 0) {
        return tool_usage("--mode is '%s', expected process, train or both", f->mode);
    }
    if (f->out && mkdir(f->out, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "greentea: %s cannot be made: %s\n", f->out, strerror(errno));
        return EXIT_OUTPUT;
    }
    json_t *results = json_array();
    int code = mode != 0 ? one(results, f, device, model, GT_BENCHMARK_TRAIN) : 0;
    if (code == 0 && mode != 1) {
        code = one(results, f, device, model, GT_BENCHMARK_PROCESS);
    }
    if (code == 0) {
        code = put_json(f, device, results);
    }
    json_decref(results);
    return code;
}
