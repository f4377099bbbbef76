/* greentea benchmark --paper: the networks of 2015 as the paper compares them, labelled pixels per
 * second over those of the sliding window on the same device. SPDX-License-Identifier: BSD-2-Clause
 */
#include "tool/bench.h"

#include <stdlib.h>

/* Figures of F. Tschopp 2015 (arXiv:1509.03371 and its benchmark files): forward on a FirePro
 * W9100, Mpixel/s, and the speedup that the abstract states. 0: none is known. */
struct row {
    const char *net;
    int output, batch;
    double paper_mpix, paper_speedup;
};
static const struct row rows[] = {{"sw", 1, 256, 0, 1},
                                  {"sk", 128, 1, 0.0595, 54},
                                  {"u", 388, 1, 0.4838, 437},
                                  {"usk", 256, 1, 0.3549, 320},
                                  {"usk", 512, 1, 0.4399, 0}};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* What one device gave. */
struct measured {
    gt_benchmark_result process, train;
};

static int measure_row(struct measured *out, const struct bench_flags *f, gt_device *device,
                       const struct row *row)
{
    gt_benchmark_options options;
    gt_model *model = NULL;
    int code = bench_model(&model, f, row->net);
    gt_status status = GT_OK;
    bench_options(&options, f, GT_BENCHMARK_PROCESS);
    options.output = row->output;
    options.batch = row->batch;
    if (code == 0) {
        status = gt_benchmark_run(&out->process, NULL, device, model, &options);
        if (status == GT_OK && f->train) {
            options.mode = GT_BENCHMARK_TRAIN;
            status = gt_benchmark_run(&out->train, NULL, device, model, &options);
        }
        code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
    }
    gt_model_free(model);
    return code;
}

static int measure(struct measured *out, const struct bench_flags *f, gt_device *device)
{
    struct progress progress;
    int code = progress_open(&progress, f->progress, f->quiet, device);
    for (int i = 0; i < N_ROWS && code == 0; i++) {
        char counts[64];
        snprintf(counts, sizeof counts, "%d/%d networks, %s %d", i, N_ROWS, rows[i].net,
                 rows[i].output);
        progress_show(&progress, (double)i / N_ROWS, counts, "", "", false);
        code = measure_row(&out[i], f, device, &rows[i]);
        if (code == 0 && tool_signal()) {
            code = tool_signal();
        }
    }
    if (code == 0) {
        progress_show(&progress, 1.0, "all networks", "", "", true);
    }
    return code;
}

static double speedup(const struct measured *m, int i)
{
    double window = m[0].process.mpix_per_s;
    return window > 0 ? m[i].process.mpix_per_s / window : 0;
}

/* A number, or "-" where there is none. */
static void cell(int width, int digits, double value, const char *unit)
{
    char text[32] = "-";
    if (value > 0) {
        snprintf(text, sizeof text, "%.*f%s", digits, value, unit);
    }
    printf(" %*s", width, text);
}

static void print_table(const struct bench_flags *f, const gt_device *device,
                        const struct measured *m)
{
    gt_device_info info;
    gt_device_describe(device, &info);
    printf("%s, 32-bit floats, medians of %d runs; SW: batch %d\n", info.name, f->runs,
           rows[0].batch);
    printf("%-4s %6s %10s %10s %9s %9s %9s", "net", "output", "ms", "Mpixel/s", "TFLOP/s",
           "over SW", "MiB");
    if (f->train) {
        printf(" %10s %9s", "step ms", "step MiB");
    }
    printf(" | %10s %9s\n", "W9100 2015", "over SW");
    for (int i = 0; i < N_ROWS; i++) {
        const gt_benchmark_result *p = &m[i].process;
        printf("%-4s %6d", rows[i].net, rows[i].output);
        cell(10, 2, p->ms_median, "");
        cell(10, 5, p->mpix_per_s, "");
        cell(9, 3, p->tflops, "");
        cell(9, 0, speedup(m, i), "x");
        cell(9, 0, (double)bench_bytes(&p->memory) / 1048576.0, "");
        if (f->train) {
            cell(10, 2, m[i].train.ms_median, "");
            cell(9, 0, (double)bench_bytes(&m[i].train.memory) / 1048576.0, "");
        }
        printf(" |");
        cell(10, 4, rows[i].paper_mpix, "");
        cell(9, 0, rows[i].paper_speedup, "x");
        puts("");
    }
}

static json_t *table_json(const struct bench_flags *f, const gt_device *device,
                          const struct measured *m)
{
    gt_device_info info;
    json_t *list = json_array();
    gt_device_describe(device, &info);
    for (int i = 0; i < N_ROWS; i++) {
        const gt_benchmark_result *p = &m[i].process;
        json_t *o = json_pack("{s:s, s:i, s:i, s:f, s:f, s:f, s:f, s:I, s:f, s:f}", "net",
                              rows[i].net, "output", rows[i].output, "batch", rows[i].batch,
                              "ms_median", p->ms_median, "mpix_per_s", p->mpix_per_s, "tflops",
                              p->tflops, "speedup_over_sw", speedup(m, i), "peak_bytes",
                              (json_int_t)bench_bytes(&p->memory), "paper_w9100_mpix_per_s",
                              rows[i].paper_mpix, "paper_speedup_over_sw", rows[i].paper_speedup);
        if (o && f->train) {
            json_object_set_new(o, "train_step_ms_median", json_real(m[i].train.ms_median));
            json_object_set_new(o, "train_peak_bytes",
                                json_integer((json_int_t)bench_bytes(&m[i].train.memory)));
        }
        json_array_append_new(list, o);
    }
    return json_pack("{s:s, s:i, s:i, s:o}", "device", info.name, "threads",
                     gt_device_threads(device), "runs", f->runs, "networks", list);
}

int bench_paper(const struct bench_flags *f)
{
    struct device_set set = {.n = 0};
    json_t *all = json_array();
    int code = tool_open_devices(&set, &f->device);
    if (code == 0 && !f->device.silent) {
        precision_announce(f->precision, set.devices, set.n);
    }
    tool_catch_signals();
    for (size_t i = 0; i < set.n && code == 0; i++) {
        struct measured m[N_ROWS] = {{{0}, {0}}};
        code = measure(m, f, set.devices[i]);
        if (code == 0 && !f->json) {
            print_table(f, set.devices[i], m);
        }
        json_array_append_new(all, table_json(f, set.devices[i], m));
    }
    if (code == 0 && f->json) {
        json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        puts("");
    } else if (code == 0) {
        puts("over SW: labelled pixels per second over those of the sliding window, forward only. "
             "Best figure of 2015 on any device: 1.058 Mpixel/s (U-Net, GTX 980).");
    }
    json_decref(all);
    tool_close_devices(&set);
    return code;
}
