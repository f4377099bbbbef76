/* What the parts of `greentea benchmark` share. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_BENCH_H
#define GT_TOOL_BENCH_H

#include "tool/flags_precision.h"

#include <jansson.h>

struct bench_flags {
    char *net, *mode, *out, *progress;
    int output, batch, runs, warmup, labels, channels, json, dump, deterministic;
    int layers, paper, train, quiet;
    double width;
    gt_precision precision;
    struct precision_flags precision_text;
    char *memory_limit;
    size_t memory_bytes; /* 0: none */
    struct device_flags device;
};

/* A network with the first random weights. 0 or an exit code. */
int bench_model(gt_model **out, const struct bench_flags *f, const char *net);

/* Options of one measurement in `mode`. */
void bench_options(gt_benchmark_options *o, const struct bench_flags *f, gt_benchmark_mode mode);

/* What the user sees of a long measurement: nothing in its first second. */
struct bench_watch {
    struct progress progress;
    const char *net, *mode;
};
/* Let the options tell about it; `watch` must stay. 0 or an exit code. */
int bench_watch_open(struct bench_watch *watch, gt_benchmark_options *o,
                     const struct bench_flags *f, const gt_device *device);

/* bench_layers.c: layer by layer, to the terminal, as JSON, or as the files of 2015. */
int bench_layers(const struct bench_flags *f, gt_device *device, const gt_model *model);

/* bench_paper.c: the table of the paper, for one or several devices. */
int bench_paper(const struct bench_flags *f);

/* Bytes of a program in all. */
static inline size_t bench_bytes(const gt_program_memory *m)
{
    return m->arena_bytes + m->packed_bytes + m->kept_bytes;
}

#endif
