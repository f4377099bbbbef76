/* greentea train. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/config.h"
#include "tool/filter_output.h"
#include "tool/flags_labels.h"
#include "tool/flags_loss.h"
#include "tool/flags_network.h"
#include "tool/flags_plan.h"
#include "tool/flags_preprocess.h"
#include "tool/flags_augment.h"
#include "tool/flags_solver.h"
#include "tool/flags_validation.h"
#include "tool/former.h"
#include "tool/monitor.h"
#include "tool/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct flags {
    char *raw, *labels, *out, *progress, *filter_output;
    long long snapshot;
    int channels, resume, overwrite, dry_run, dump, quiet;
    struct labels_flags label;
    struct preprocess_flags preprocess;
    struct network_flags network;
    struct solver_flags solver;
    struct loss_flags loss;
    struct augment_flags augment;
    struct validation_flags validation;
    struct device_flags device;
};

/* What a training run holds. */
struct training {
    const struct flags *flags;
    const struct poptOption *table; /* the same flags by name */
    gt_device *device;
    gt_dataset *dataset;
    gt_model *model;
    gt_trainer *trainer;
    gt_dataset_options data;
    gt_train_options options;
    struct progress progress;
    struct validation_options validation;
    struct progress reading; /* of the images */
    struct monitor monitor;
    int argc;
    char **argv;
    uint64_t begin; /* iterations done before this run */
    double idle;    /* share of the time that the device waited for patches */
    int save_code;  /* exit code of a snapshot that failed inside the loop, else 0 */
};

/* Quick reading is not worth a line. */
static int on_page(uint64_t done, uint64_t total, void *cookie)
{
    struct progress *p = cookie;
    char counts[64];
    char json[96];
    if (tool_now() - p->start > 1.0) {
        snprintf(counts, sizeof counts, "%llu/%llu pages read", (unsigned long long)done,
                 (unsigned long long)total);
        snprintf(json, sizeof json, ", \"pages_read\": %llu, \"pages\": %llu",
                 (unsigned long long)done, (unsigned long long)total);
        progress_show(p, (double)done / (double)total, counts, "", json, done == total);
    }
    return 0;
}

static int load_data(struct training *t)
{
    gt_dataset_options_init(&t->data);
    t->data.channels = t->flags->channels;
    t->data.progress = on_page;
    t->data.cookie = &t->reading;
    int code = progress_open(&t->reading, t->flags->progress, t->flags->quiet, NULL);
    t->reading.begun = true; /* from nothing, though the first pages are not shown */
    code = code ? code : labels_fill_data(&t->data, &t->flags->label);
    code = code ? code : preprocess_fill(&t->data.preprocess, &t->flags->preprocess);
    if (code) {
        return code;
    }
    gt_status status = gt_dataset_create(&t->dataset, &t->data);
    if (status == GT_OK) {
        status = gt_dataset_load(t->dataset, t->flags->raw, t->flags->labels);
    }
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
}

static int make_model(struct training *t)
{
    gt_model_options o;
    gt_init init = GT_INIT_HE;
    gt_model_options_init(&o);
    int code = network_fill(&o, &init, &t->flags->network);
    if (code) {
        return code;
    }
    o.channels = gt_dataset_channels(t->dataset);
    gt_status status = gt_dataset_labels(&o.labels, t->dataset);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    status = gt_model_create(&t->model, &o);
    if (status == GT_OK) {
        status = gt_model_init_weights(t->model, init, t->options.seed);
    }
    code = status == GT_OK ? loss_init_model(t->model, &t->flags->loss)
                           : tool_fail(status, ABOUT_OPTION);
    return code ? code : config_keep(t->model, t->table);
}

static int make_trainer(struct training *t)
{
    augment_settle(&t->options, &t->flags->augment, t->dataset);
    gt_status status = gt_trainer_create(&t->trainer, t->device, t->model, t->dataset, &t->options);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    const char *from = t->flags->out;
    if (t->flags->resume && former_exists(from)) {
        int code = former_check(from, t->model, t->table);
        if (code) {
            return code;
        }
        status = gt_trainer_resume(t->trainer, from);
        if (status != GT_OK) {
            return tool_fail(status, status == GT_ESHAPE ? ABOUT_OPTION : ABOUT_INPUT);
        }
    }
    return 0;
}

static void describe(const struct training *t)
{
    gt_program_memory m;
    int32_t labels = 0;
    gt_trainer_get_memory(t->trainer, &m);
    gt_dataset_labels(&labels, t->dataset);
    fprintf(stderr,
            "greentea: network %s, %llu parameters, %d labels, %zu images, %.0f MiB for training\n",
            t->flags->network.net, (unsigned long long)gt_model_parameters(t->model), labels,
            gt_dataset_images(t->dataset),
            (double)(m.arena_bytes + m.packed_bytes + m.kept_bytes) / 1048576.0);
    labels_print(t->trainer, t->options.equalise);
    if (t->flags->dump) {
        char *text = NULL;
        if (gt_trainer_dump(&text, t->trainer) == GT_OK) {
            fputs(text, stderr);
            gt_free(text);
        }
    }
}

/* What --dry-run is for: on stdout, even with --quiet. */
static int show_plan(const struct training *t)
{
    struct plan_memory plan = {.mode = "train"};
    gt_device_info info;
    gt_device_describe(t->device, &info);
    snprintf(plan.device, sizeof plan.device, "%s", info.name);
    gt_trainer_get_memory(t->trainer, &plan.memory);
    plan_print(&plan);
    return EXIT_OK;
}

static void show(struct training *t, const gt_train_progress *p)
{
    char counts[64];
    char extra[160];
    char json[320];
    double share = (double)p->iteration / (double)p->total;
    if (t->options.time_limit > 0.0 && p->seconds / t->options.time_limit > share) {
        share = p->seconds / t->options.time_limit;
    }
    double rate = p->seconds > 0.0 ? (double)(p->iteration - t->begin) / p->seconds : 0.0;
    snprintf(counts, sizeof counts, "%llu/%llu iterations", (unsigned long long)p->iteration,
             (unsigned long long)p->total);
    int used = snprintf(extra, sizeof extra, "loss %.4f  rate %.2e", (double)p->loss_mean,
                        (double)p->rate);
    if (t->options.loss.kind != GT_LOSS_SOFTMAX) {
        snprintf(extra + used, sizeof extra - (size_t)used, "  softmax %.4f  malis %.4f",
                 (double)p->loss_softmax, (double)p->loss_malis);
    }
    snprintf(json, sizeof json,
             ", \"iteration\": %llu, \"loss\": %.6g, \"loss_mean\": %.6g, \"rate\": %.6g, "
             "\"gradient_norm\": %.6g, \"per_second\": %.3f, \"idle\": %.4f, "
             "\"loss_softmax\": %.6g, \"loss_malis\": %.6g",
             (unsigned long long)p->iteration, (double)p->loss, (double)p->loss_mean,
             (double)p->rate, (double)p->gradient_norm, rate, p->idle, (double)p->loss_softmax,
             (double)p->loss_malis);
    progress_show(&t->progress, share > 1.0 ? 1.0 : share, counts, extra, json, share >= 1.0);
}

static int after_iteration(const gt_train_progress *p, void *cookie)
{
    struct training *t = cookie;
    const struct flags *f = t->flags;
    show(t, p);
    int stop = monitor_step(&t->monitor, p);
    t->idle = p->idle;
    if (f->snapshot > 0 && p->iteration % (uint64_t)f->snapshot == 0 && p->iteration < p->total) {
        gt_status status = gt_trainer_save(t->trainer, f->out);
        t->save_code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
    }
    monitor_leave(&t->monitor);
    return stop != 0 || t->save_code != 0 || tool_signal() != 0;
}

static int finish(struct training *t, gt_status status)
{
    if (t->save_code) {
        return t->save_code;
    }
    if (status != GT_OK && status != GT_ECANCELLED) {
        return tool_fail(status, ABOUT_OPTION);
    }
    gt_status saved = gt_trainer_save(t->trainer, t->flags->out);
    if (saved != GT_OK) {
        return tool_fail(saved, ABOUT_OUTPUT);
    }
    if (status == GT_ECANCELLED && !t->monitor.early) {
        fprintf(stderr, "greentea: stopped; %s holds the state, --resume continues\n",
                t->flags->out);
        return tool_signal();
    }
    if (!progress_alone(t->flags->progress, t->flags->quiet)) {
        fprintf(stderr, "greentea: the device waited for patches %.1f %% of the time\n",
                100 * t->idle);
    }
    if (!progress_alone(t->flags->progress, 0)) {
        fprintf(stderr, "greentea: %s written\n", t->flags->out);
    }
    return EXIT_OK;
}

static struct monitored monitored(const struct training *t)
{
    const struct flags *f = t->flags;
    return (struct monitored){.options = &t->validation,
                              .raw = f->raw,
                              .labels = f->labels,
                              .out = f->out,
                              .resume = f->resume,
                              .overwrite = f->overwrite,
                              .deterministic = t->options.deterministic,
                              .quiet = f->quiet,
                              .time_limit = t->options.time_limit,
                              .iterations = t->options.iterations,
                              .loss = &t->options.loss,
                              .argc = t->argc,
                              .argv = t->argv,
                              .device = t->device,
                              .model = t->model,
                              .consolidate = &t->data.consolidate,
                              .trainer = t->trainer};
}

static int train(struct training *t)
{
    int code = load_data(t);
    code = code ? code : make_model(t);
    code = code ? code : tool_open_device(&t->device, &t->flags->device);
    code =
        code ? code : progress_open(&t->progress, t->flags->progress, t->flags->quiet, t->device);
    code = code ? code : make_trainer(t);
    if (code) {
        return code;
    }
    if (!progress_alone(t->flags->progress, t->flags->quiet)) {
        describe(t);
    }
    if (t->flags->dry_run) {
        return show_plan(t);
    }
    struct monitored of = monitored(t);
    of.progress = &t->progress;
    code = monitor_open(&t->monitor, &of);
    if (code) {
        return code;
    }
    t->begin = gt_model_iteration(t->model); /* monitor_open() has synchronised it */
    tool_catch_signals();
    gt_status status = gt_trainer_run(t->trainer, after_iteration, t);
    progress_break(&t->progress);
    code = monitor_end(&t->monitor, status, finish(t, status));
    const char *filters = t->flags->filter_output;
    return code || !filters ? code : filter_training(t->trainer, filters);
}

static int check(const struct flags *f)
{
    if (!f->raw || !f->labels || !f->out) {
        return tool_usage(
            "--raw, --labels and --out are needed; `greentea train --help` lists the options");
    }
    if (tool_exists(f->out) && !f->resume && !f->overwrite) {
        return tool_usage("%s exists; --resume continues it, --overwrite starts anew", f->out);
    }
    if (f->snapshot < 0) {
        return tool_usage("--snapshot is %lld, expected 0 or more", f->snapshot);
    }
    struct stat out;
    if (stat(f->out, &out) == 0 && !S_ISREG(out.st_mode)) {
        return tool_usage("--out %s is not a file", f->out);
    }
    if (!tool_can_create(f->out)) {
        fprintf(stderr, "greentea: %s cannot be written: %s\n", f->out, strerror(errno));
        return EXIT_OUTPUT;
    }
    return 0;
}

int cmd_train(int argc, char **argv)
{
    struct flags f = {.snapshot = 1000,
                      .label = LABELS_DEFAULTS,
                      .preprocess = PREPROCESS_DEFAULTS,
                      .network = NETWORK_DEFAULTS,
                      .solver = SOLVER_DEFAULTS,
                      .loss = LOSS_DEFAULTS,
                      .augment = AUGMENT_DEFAULTS,
                      .validation = VALIDATION_DEFAULTS};
    const struct poptOption table[] = {
        {"raw", 'r', POPT_ARG_STRING, &f.raw, 0, "images: file, stack or folder", "PATH"},
        {"labels", 'l', POPT_ARG_STRING, &f.labels, 0,
         "label images, page by page; or a folder with a sub-folder per label", "PATH"},
        {"out", 'o', POPT_ARG_STRING, &f.out, 0, "model file to write", "MODEL"},
        NETWORK_OPTIONS(f.network),
        LABELS_OPTIONS(f.label),
        PREPROCESS_OPTIONS(f.preprocess),
        {"channels", 0, POPT_ARG_INT, &f.channels, 0, "1 or 3 (default: as the images)", "C"},
        SOLVER_OPTIONS(f.solver),
        LOSS_OPTIONS(f.loss),
        AUGMENT_OPTIONS(f.augment),
        VALIDATION_OPTIONS(f.validation),
        {"filter-output", 0, POPT_ARG_STRING, &f.filter_output, 0,
         "afterwards write all layers' values and gradients as PNG files into DIR/train_0_0_0",
         "DIR"},
        {"snapshot", 0, POPT_ARG_LONGLONG, &f.snapshot, 0,
         "iterations between saves (default 1000)", "N"},
        {"resume", 0, POPT_ARG_NONE, &f.resume, 0,
         "continue the model file if it exists; give the flags of the first run", NULL},
        {"overwrite", 0, POPT_ARG_NONE, &f.overwrite, 0, "replace an existing model file", NULL},
        {"dry-run", 0, POPT_ARG_NONE, &f.dry_run, 0, "plan, print the memory wanted, stop", NULL},
        {"dump", 0, POPT_ARG_NONE, &f.dump, 0, "print the plan", NULL},
        DEVICE_OPTIONS(f.device, ""),
        PROGRESS_OPTIONS(f.progress, f.quiet),
        POPT_TABLEEND};
    struct training t = {.flags = &f, .table = table, .argc = argc, .argv = argv};
    int code = tool_parse(argc, argv, table, "Train a network on labelled images.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    gt_train_options_init(&t.options);
    f.device.silent = progress_alone(f.progress, f.quiet);
    code = check(&f);
    code = code ? code : solver_fill(&t.options, &f.solver);
    code = code ? code : loss_fill(&t.options, &f.loss);
    code = code ? code : augment_fill(&t.options, &f.augment);
    code = code ? code : labels_fill_train(&t.options, &f.label);
    code = code ? code : validation_fill(&t.validation, &f.validation);
    if (code == 0) {
        struct monitored of = monitored(&t);
        code = monitor_check(&of);
    }
    code = code ? code : train(&t);
    monitor_close(&t.monitor);
    gt_trainer_free(t.trainer);
    gt_model_free(t.model);
    gt_dataset_free(t.dataset);
    gt_device_free(t.device);
    return code;
}
