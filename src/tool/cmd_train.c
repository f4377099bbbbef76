/* greentea train. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct flags {
    char *net, *raw, *labels, *out, *time_limit, *init, *augment, *solver, *policy, *skip,
        *normalize;
    char *equalise;
    char *progress;
    long long iterations, seed, step, warmup, snapshot;
    int patch, batch, labels_count, channels, ignore, resume, deterministic, overwrite, dry_run,
        dump;
    int quiet;
    double width;
    float rate, gamma, power, momentum, beta2, decay, clip;
    struct device_flags device;
};

/* What a training run holds. */
struct training {
    const struct flags *flags;
    gt_device *device;
    gt_dataset *dataset;
    gt_model *model;
    gt_trainer *trainer;
    gt_train_options options;
    struct progress progress;
    int save_code; /* exit code of a snapshot that failed inside the loop, else 0 */
};

static const char *const augments[] = {"auto", "none", "flips", "d4", NULL};
static const char *const solvers[] = {"sgd", "adamw", NULL};
static const char *const policies[] = {"fixed", "inv", "step", "poly", "cosine", NULL};
static const char *const inits[] = {"he", "paper", NULL};
static const char *const skips[] = {"flowing", "blocked", NULL};
static const char *const equalises[] = {"none", "mask", NULL};
static const char *const normalizes[] = {"valid", "batch", NULL};

/* One of a list, or the default when the flag is absent. */
static int choose(int *out, const char *flag, const char *text, const char *const *list, int absent)
{
    *out = text ? tool_choice(text, list) : absent;
    if (*out >= 0) {
        return 0;
    }
    char all[128] = "";
    for (int i = 0; list[i]; i++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", list[i]);
    }
    return tool_usage("--%s is '%s', expected one of %s", flag, text, all);
}

static int fill_options(gt_train_options *o, const struct flags *f)
{
    int solver = 0;
    int policy = 0;
    int augment = 0;
    int normalize = 0;
    int equalise = 0;
    if (choose(&solver, "solver", f->solver, solvers, GT_ADAMW) ||
        choose(&policy, "policy", f->policy, policies, GT_POLICY_COSINE) ||
        choose(&augment, "augment", f->augment, augments, GT_AUGMENT_AUTO) ||
        choose(&equalise, "equalise", f->equalise, equalises, GT_EQUALISE_NONE) ||
        choose(&normalize, "normalize", f->normalize, normalizes, GT_NORMALIZE_VALID)) {
        return EXIT_USAGE;
    }
    if (f->time_limit &&
        (!tool_parse_time(&o->time_limit, f->time_limit) || o->time_limit <= 0.0)) {
        return tool_usage("--time-limit is '%s', expected for example 90s, 10m or 1.5h",
                          f->time_limit);
    }
    if (f->iterations < 1 || f->step < 1 || f->warmup < 0 || f->snapshot < 0) {
        return tool_usage("--iterations %lld and --step %lld must be 1 or more, --warmup %lld and "
                          "--snapshot %lld 0 or more",
                          f->iterations, f->step, f->warmup, f->snapshot);
    }
    o->solver = (gt_solver)solver;
    o->policy = (gt_policy)policy;
    o->augment = (gt_augment)augment;
    o->normalize = (gt_normalize)normalize;
    o->equalise = (gt_equalise)equalise;
    o->patch = f->patch;
    o->batch = f->batch;
    o->iterations = (uint64_t)f->iterations;
    o->rate = f->rate;
    o->gamma = f->gamma;
    o->power = f->power;
    o->step = (uint64_t)f->step;
    o->warmup = (uint64_t)f->warmup;
    o->momentum = o->beta1 = f->momentum;
    o->beta2 = f->beta2;
    o->decay = f->decay;
    o->clip = f->clip;
    o->seed = (uint64_t)f->seed;
    o->deterministic = f->deterministic;
    if (f->momentum == -1.0f) { /* not given */
        o->momentum = 0.99f;
        o->beta1 = 0.9f;
    }
    return 0;
}

static int load_data(struct training *t)
{
    gt_dataset_options options;
    gt_dataset_options_init(&options);
    options.labels = t->flags->labels_count;
    options.channels = t->flags->channels;
    options.ignore_value = t->flags->ignore;
    gt_status status = gt_dataset_create(&t->dataset, &options);
    if (status == GT_OK) {
        status = gt_dataset_load(t->dataset, t->flags->raw, t->flags->labels);
    }
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
}

/* The path to continue from, NULL when there is nothing yet. */
static const char *resumable(const struct flags *f)
{
    char previous[4096];
    snprintf(previous, sizeof previous, "%s.prev", f->out);
    return f->resume && (tool_exists(f->out) || tool_exists(previous)) ? f->out : NULL;
}

static int make_model(struct training *t)
{
    const struct flags *f = t->flags;
    gt_model_options o;
    int init = 0;
    int skip = 0;
    if (choose(&init, "init", f->init, inits, GT_INIT_HE) ||
        choose(&skip, "skip-gradient", f->skip, skips, GT_SKIP_FLOWING)) {
        return EXIT_USAGE;
    }
    gt_model_options_init(&o);
    o.net = f->net;
    o.width = f->width;
    o.skip = (gt_skip)skip;
    o.channels = gt_dataset_channels(t->dataset);
    gt_status status = gt_dataset_labels(&o.labels, t->dataset);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    status = gt_model_create(&t->model, &o);
    if (status == GT_OK) {
        status = gt_model_init_weights(t->model, (gt_init)init, (uint64_t)f->seed);
    }
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
}

/* A checkpoint of another network cannot be continued; weights of equal shape would hide some
 * differences. */
static int check_same_network(const struct training *t, const char *path)
{
    gt_model *former = NULL;
    gt_model_options a;
    gt_model_options b;
    if (gt_model_load(&former, path) != GT_OK) {
        return 0; /* damaged: resuming looks at the one before, and says so */
    }
    gt_model_get_options(former, &a);
    gt_model_get_options(t->model, &b);
    int code = 0;
    if (strcmp(a.net, b.net) != 0 || a.width != b.width || a.labels != b.labels ||
        a.channels != b.channels || a.skip != b.skip) {
        code = tool_usage(
            "%s holds network %s, width %g, %d labels, %d channels, skip gradient %s; --resume "
            "needs the same flags",
            path, a.net, a.width, a.labels, a.channels, skips[a.skip]);
    }
    gt_model_free(former);
    return code;
}

static int make_trainer(struct training *t)
{
    gt_status status = gt_trainer_create(&t->trainer, t->device, t->model, t->dataset, &t->options);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    const char *from = resumable(t->flags);
    if (from) {
        int code = check_same_network(t, from);
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
            t->flags->net, (unsigned long long)gt_model_parameters(t->model), labels,
            gt_dataset_images(t->dataset),
            (double)(m.arena_bytes + m.packed_bytes + m.kept_bytes) / 1048576.0);
    if (t->flags->dump) {
        char *text = NULL;
        if (gt_trainer_dump(&text, t->trainer) == GT_OK) {
            fputs(text, stderr);
            gt_free(text);
        }
    }
}

static void show(struct training *t, const gt_train_progress *p, bool last)
{
    char counts[64];
    char extra[160];
    char json[256];
    double share = (double)p->iteration / (double)p->total;
    if (t->options.time_limit > 0.0 && p->seconds / t->options.time_limit > share) {
        share = p->seconds / t->options.time_limit;
    }
    double rate = p->seconds > 0.0 ? (double)p->iteration / p->seconds : 0.0;
    snprintf(counts, sizeof counts, "%llu/%llu iterations", (unsigned long long)p->iteration,
             (unsigned long long)p->total);
    snprintf(extra, sizeof extra, "loss %.4f  rate %.2e", (double)p->loss_mean, (double)p->rate);
    snprintf(json, sizeof json,
             ", \"iteration\": %llu, \"loss\": %.6g, \"loss_mean\": %.6g, \"rate\": %.6g, "
             "\"gradient_norm\": %.6g, \"per_second\": %.3f",
             (unsigned long long)p->iteration, (double)p->loss, (double)p->loss_mean,
             (double)p->rate, (double)p->gradient_norm, rate);
    progress_show(&t->progress, share > 1.0 ? 1.0 : share, counts, extra, json, last);
}

static int after_iteration(const gt_train_progress *p, void *cookie)
{
    struct training *t = cookie;
    const struct flags *f = t->flags;
    show(t, p, false);
    if (f->snapshot > 0 && p->iteration % (uint64_t)f->snapshot == 0 && p->iteration < p->total) {
        gt_status status = gt_trainer_save(t->trainer, f->out);
        t->save_code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
    }
    return t->save_code != 0 || tool_signal() != 0;
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
    if (status == GT_ECANCELLED) {
        fprintf(stderr, "greentea: stopped; %s holds the state, --resume continues\n",
                t->flags->out);
        return tool_signal();
    }
    fprintf(stderr, "greentea: %s written\n", t->flags->out);
    return EXIT_OK;
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
    if (!t->flags->quiet) {
        describe(t);
    }
    if (t->flags->dry_run) {
        return EXIT_OK;
    }
    tool_catch_signals();
    gt_status status = gt_trainer_run(t->trainer, after_iteration, t);
    if (t->progress.tty) {
        fputs("\n", stderr);
    }
    return finish(t, status);
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
    if (f->ignore < -1) {
        return tool_usage("--ignore-value is %d, expected 0 or more", f->ignore);
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
    struct flags f = {.net = "u",
                      .iterations = 10000,
                      .seed = 1,
                      .step = 10000,
                      .snapshot = 1000,
                      .warmup = 100,
                      .width = 1.0,
                      .ignore = -1,
                      .rate = 1e-3f,
                      .gamma = 1e-4f,
                      .power = 0.75f,
                      .momentum = -1.0f,
                      .beta2 = 0.999f,
                      .decay = 1e-4f,
                      .clip = 1.0f};
    const struct poptOption table[] = {
        {"net", 'n', POPT_ARG_STRING, &f.net, 0, "sw, sk, u (default), usk or usk9", "NAME"},
        {"raw", 'r', POPT_ARG_STRING, &f.raw, 0, "images: file, stack or folder", "PATH"},
        {"labels", 'l', POPT_ARG_STRING, &f.labels, 0, "label images, page by page", "PATH"},
        {"out", 'o', POPT_ARG_STRING, &f.out, 0, "model file to write", "MODEL"},
        {"iterations", 'i', POPT_ARG_LONGLONG, &f.iterations, 0, "in all (default 10000)", "N"},
        {"time-limit", 0, POPT_ARG_STRING, &f.time_limit, 0, "stop after 90s, 10m, 1.5h", "T"},
        {"patch", 'p', POPT_ARG_INT, &f.patch, 0, "output size of a patch (default: up to 128)",
         "P"},
        {"batch", 'b', POPT_ARG_INT, &f.batch, 0, "patches per iteration (default 1; sw: 32)", "N"},
        {"width", 'w', POPT_ARG_DOUBLE, &f.width, 0, "channels times X (default 1)", "X"},
        {"labels-count", 0, POPT_ARG_INT, &f.labels_count, 0, "labels (default: values found)",
         "L"},
        {"channels", 0, POPT_ARG_INT, &f.channels, 0, "1 or 3 (default: as the images)", "C"},
        {"ignore-value", 0, POPT_ARG_INT, &f.ignore, 0, "value in label images to ignore", "V"},
        {"init", 0, POPT_ARG_STRING, &f.init, 0, "he (default) or paper", "HOW"},
        {"skip-gradient", 0, POPT_ARG_STRING, &f.skip, 0, "flowing (default) or blocked (2015)",
         "HOW"},
        {"augment", 0, POPT_ARG_STRING, &f.augment, 0,
         "none, flips or d4 (default: d4 for 2 labels, none for more)", "HOW"},
        {"equalise", 0, POPT_ARG_STRING, &f.equalise, 0,
         "none (default), or mask: ignore pixels of frequent labels at random", "HOW"},
        {"solver", 0, POPT_ARG_STRING, &f.solver, 0, "adamw (default) or sgd", "NAME"},
        {"rate", 0, POPT_ARG_FLOAT, &f.rate, 0, "learning rate (default 0.001)", "R"},
        {"policy", 0, POPT_ARG_STRING, &f.policy, 0, "fixed, inv, step, poly, cosine (default)",
         "NAME"},
        {"gamma", 0, POPT_ARG_FLOAT, &f.gamma, 0, "of inv and step (default 0.0001)", "G"},
        {"power", 0, POPT_ARG_FLOAT, &f.power, 0, "of inv and poly (default 0.75)", "P"},
        {"step", 0, POPT_ARG_LONGLONG, &f.step, 0, "of step (default 10000)", "N"},
        {"warmup", 0, POPT_ARG_LONGLONG, &f.warmup, 0, "iterations of rising rate (default 100)",
         "N"},
        {"momentum", 0, POPT_ARG_FLOAT, &f.momentum, 0, "sgd: default 0.99; adamw's beta1: 0.9",
         "M"},
        {"beta2", 0, POPT_ARG_FLOAT, &f.beta2, 0, "of adamw (default 0.999)", "B"},
        {"decay", 0, POPT_ARG_FLOAT, &f.decay, 0, "weight decay (default 0.0001)", "D"},
        {"clip", 0, POPT_ARG_FLOAT, &f.clip, 0, "largest gradient norm, 0: any (default 1)", "C"},
        {"normalize", 0, POPT_ARG_STRING, &f.normalize, 0, "loss divided by valid pixels or batch",
         "HOW"},
        {"seed", 's', POPT_ARG_LONGLONG, &f.seed, 0, "of weights and patches (default 1)", "S"},
        {"snapshot", 0, POPT_ARG_LONGLONG, &f.snapshot, 0,
         "iterations between saves (default 1000)", "N"},
        {"resume", 0, POPT_ARG_NONE, &f.resume, 0,
         "continue the model file if it exists; give the flags of the first run", NULL},
        {"overwrite", 0, POPT_ARG_NONE, &f.overwrite, 0, "replace an existing model file", NULL},
        {"deterministic", 0, POPT_ARG_NONE, &f.deterministic, 0, "only position-independent sums",
         NULL},
        {"dry-run", 0, POPT_ARG_NONE, &f.dry_run, 0, "plan, print the memory wanted, stop", NULL},
        {"dump", 0, POPT_ARG_NONE, &f.dump, 0, "print the plan", NULL},
        DEVICE_OPTIONS(f.device, ""),
        PROGRESS_OPTIONS(f.progress, f.quiet),
        POPT_TABLEEND};
    struct training t = {.flags = &f};
    int code = tool_parse(argc, argv, table, "Train a network on labelled images.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    gt_train_options_init(&t.options);
    f.device.silent = progress_alone(f.progress, f.quiet);
    code = check(&f);
    code = code ? code : fill_options(&t.options, &f);
    code = code ? code : train(&t);
    gt_trainer_free(t.trainer);
    gt_model_free(t.model);
    gt_dataset_free(t.dataset);
    gt_device_free(t.device);
    return code;
}
