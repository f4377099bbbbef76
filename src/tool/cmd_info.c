/* greentea info: a network or a model file. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/config.h"
#include "tool/flags_plan.h"
#include "tool/flags_preprocess.h"
#include "tool/tool.h"

#include <jansson.h>
#include <stdlib.h>

enum { MAX_LAYERS = 128 };

struct flags {
    char *net, *file;
    int labels, output, channels, json, config;
    double width;
    struct plan_flags plan;
};

static json_t *shape_json(gt_shape s)
{
    return json_pack("[i, i, i, i]", s.n, s.c, s.h, s.w);
}

static json_t *layer_json(const gt_layer_info *l)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:i, s:i, s:i, s:b, s:I, s:I}", "name", l->name, "op",
                     l->op, "in", shape_json(l->in), "out", shape_json(l->out), "kernel", l->kernel,
                     "stride", l->stride, "dilation", l->dilation, "relu", l->relu, "parameters",
                     (json_int_t)l->parameters, "macs", (json_int_t)l->macs);
}

/* All values of label images that stand for a label: one, or several of consolidated labels. */
static json_t *greys_json(const gt_model *model, int32_t label, int32_t grey)
{
    gt_grey_label list[GT_MAX_LABELS];
    size_t n = gt_model_get_greys(list, GT_MAX_LABELS, model);
    json_t *greys = json_array();
    for (size_t i = 0; i < n; i++) {
        if (list[i].label == label) {
            json_array_append_new(greys, json_integer(list[i].grey));
        }
    }
    if (n == 0 && grey >= 0) {
        json_array_append_new(greys, json_integer(grey));
    }
    return greys;
}

static json_t *labels_json(const gt_model *model, int32_t n)
{
    json_t *list = json_array();
    for (int32_t i = 0; i < n; i++) {
        gt_label_info label;
        if (gt_model_get_label(&label, model, i) == GT_OK) {
            json_array_append_new(list,
                                  json_pack("{s:s, s:i, s:o}", "name", label.name, "grey",
                                            label.grey, "greys", greys_json(model, i, label.grey)));
        }
    }
    return list;
}

struct summary {
    gt_model_options options;
    gt_model_geometry geometry;
    gt_layer_info layers[MAX_LAYERS];
    size_t n_layers;
    int32_t output;
    uint64_t macs;
    struct plan_memory plan;
};

static void print_json(const gt_model *model, const struct summary *s)
{
    json_t *layers = json_array();
    for (size_t i = 0; i < s->n_layers; i++) {
        json_array_append_new(layers, layer_json(&s->layers[i]));
    }
    json_t *o =
        json_pack("{s:s, s:i, s:i, s:f, s:s, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:o, s:o}",
                  "net", s->options.net, "labels", s->options.labels, "channels",
                  s->options.channels, "width", s->options.width, "skip_gradient",
                  s->options.skip == GT_SKIP_BLOCKED ? "blocked" : "flowing", "input",
                  s->output + s->geometry.shrink, "output", s->output, "border", s->geometry.border,
                  "period", s->geometry.period, "step", s->geometry.step, "parameters",
                  (json_int_t)gt_model_parameters(model), "macs", (json_int_t)s->macs, "iteration",
                  (json_int_t)gt_model_iteration(model), "label_info",
                  labels_json(model, s->options.labels), "layers", layers);
    json_t *config = json_loads(gt_model_config(model), 0, NULL);
    if (config) {
        json_object_set_new(o, "config", config);
    }
    json_t *plan = plan_json(&s->plan);
    if (plan) {
        json_object_set_new(o, "plan", plan);
    }
    json_dumpf(o, stdout, JSON_INDENT(2));
    puts("");
    json_decref(o);
}

/* Names and values of the labels, where they are known. */
static void print_labels(const gt_model *model, int32_t labels)
{
    const char *between = "labels:";
    for (int32_t i = 0; i < labels; i++) {
        gt_label_info label;
        if (gt_model_get_label(&label, model, i) != GT_OK) {
            continue;
        }
        json_t *greys = greys_json(model, i, label.grey);
        if (label.name[0] || json_array_size(greys) > 0) {
            printf("%s %d%s%s", between, i, label.name[0] ? " " : "", label.name);
            for (size_t k = 0; k < json_array_size(greys); k++) {
                printf("%s%lld", k == 0 ? " (grey " : ", ",
                       (long long)json_integer_value(json_array_get(greys, k)));
            }
            fputs(json_array_size(greys) > 0 ? ")" : "", stdout);
            between = ";";
        }
        json_decref(greys);
    }
    fputs(between[0] == ';' ? "\n" : "", stdout);
}

static void print_text(const gt_model *model, const struct summary *s)
{
    char words[256];
    gt_preprocess preprocess;
    gt_model_get_preprocess(model, &preprocess);
    printf("network %s, %d labels, %d channels, width %g, skip gradient %s\n", s->options.net,
           s->options.labels, s->options.channels, s->options.width,
           s->options.skip == GT_SKIP_BLOCKED ? "blocked" : "flowing");
    printf("%d -> %d pixels, border %d, period %d; output sizes from %d in steps of %d\n",
           s->output + s->geometry.shrink, s->output, s->geometry.border, s->geometry.period,
           s->geometry.minimum, s->geometry.step);
    printf("%llu parameters, %llu MACs; trained for %llu iterations\n",
           (unsigned long long)gt_model_parameters(model), (unsigned long long)s->macs,
           (unsigned long long)gt_model_iteration(model));
    printf("images: %s\n", preprocess_words(words, sizeof words, &preprocess));
    print_labels(model, s->options.labels);
    plan_print(&s->plan);
    puts("");
    printf("%-12s %-10s %3s %3s %3s %13s %13s %4s %12s %17s\n", "layer", "op", "k", "s", "d",
           "channels", "size", "relu", "parameters", "MACs");
    for (size_t i = 0; i < s->n_layers; i++) {
        const gt_layer_info *l = &s->layers[i];
        printf("%-12s %-10s %3d %3d %3d %5d ->%5d %5d ->%5d %4s %12llu %17llu\n", l->name, l->op,
               l->kernel, l->stride, l->dilation, l->in.c, l->out.c, l->in.h, l->out.h,
               l->relu ? "yes" : "", (unsigned long long)l->parameters,
               (unsigned long long)l->macs);
    }
}

/* The flags that the model was trained with, as a configuration file; text only: nothing if the
 * model does not say. */
static int print_flags(const struct flags *f, const gt_model *model)
{
    json_t *note = config_kept(model);
    if (note) {
        const char *version = json_string_value(json_object_get(note, "version"));
        printf("%s# trained by greentea ", f->config ? "" : "\n");
        for (const char *c = version ? version : "?"; *c; c++) {
            putchar(*c > ' ' && *c < 127 ? *c : '?'); /* a model's file may hold anything */
        }
        puts(" with");
        config_print(stdout, "train", json_object_get(note, "flags"), NULL);
        json_decref(note);
    } else if (f->config) {
        fprintf(stderr, "greentea: %s does not say how it was trained\n",
                f->file ? f->file : f->net);
        return EXIT_INPUT;
    }
    return EXIT_OK;
}

static int describe(const struct flags *f, gt_model *model)
{
    if (f->config) {
        return print_flags(f, model);
    }
    static struct summary s;
    gt_model_get_options(model, &s.options);
    gt_model_get_geometry(model, &s.geometry);
    s.output = f->output > 0 ? f->output : s.geometry.canonical;
    gt_status status = gt_model_layers(s.layers, MAX_LAYERS, &s.n_layers, model, s.output);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    int code = plan_network(&s.plan, &f->plan, model, f->output);
    if (code) {
        return code;
    }
    s.macs = 0;
    for (size_t i = 0; i < s.n_layers; i++) {
        s.macs += s.layers[i].macs;
    }
    if (f->json) {
        print_json(model, &s);
    } else {
        print_text(model, &s);
        return print_flags(f, model);
    }
    return EXIT_OK;
}

int cmd_info(int argc, char **argv)
{
    struct flags f = {.width = 1.0, .channels = 3};
    const struct poptOption table[] = {
        {"net", 'n', POPT_ARG_STRING, &f.net, 0, "describe a network: sw, sk, u, usk or usk9",
         "NAME"},
        {"labels-count", 0, POPT_ARG_INT, &f.labels, 0, "labels (default 2; usk9: 9)", "L"},
        {"out-size", 'p', POPT_ARG_INT, &f.output, 0, "output size (default: the published one)",
         "P"},
        {"channels", 0, POPT_ARG_INT, &f.channels, 0, "input channels, 1 or 3 (default 3)", "C"},
        {"width", 'w', POPT_ARG_DOUBLE, &f.width, 0, "width of the network (default 1)", "X"},
        PLAN_OPTIONS(f.plan),
        DEVICE_OPTIONS(f.plan.device, ""),
        {"json", 0, POPT_ARG_NONE, &f.json, 0, "machine-readable", NULL},
        {"config", 0, POPT_ARG_NONE, &f.config, 0,
         "how a model was trained, as a file for train --config", NULL},
        POPT_TABLEEND};
    int code = tool_parse(argc, argv, table, "Describe a network (--net) or a model file (FILE).",
                          &f.file);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    if (f.output < 0) {
        return tool_usage("--out-size is %d, expected 1 or more", f.output);
    }
    if (!f.net == !f.file) {
        return tool_usage("give either a model file or --net NAME");
    }
    gt_model *model = NULL;
    gt_model_options mo;
    gt_model_options_init(&mo);
    mo.net = f.net;
    mo.labels = f.labels;
    mo.channels = f.channels;
    mo.width = f.width;
    gt_status status = f.file ? gt_model_load(&model, f.file) : gt_model_create(&model, &mo);
    code = status == GT_OK ? describe(&f, model)
                           : tool_fail(status, f.file ? ABOUT_INPUT : ABOUT_OPTION);
    gt_model_free(model);
    free(f.file);
    return code;
}
