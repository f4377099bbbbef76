/* The blocks of an old configuration as sections of the new one. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/import.h"

#include <string.h>

/* ---- which network ---- */

/* From the names of the files, "net_usk_9out/..." or "..._u_2.prototxt"; else from the padding. */
static const char *guess_net(const char *file, long long padding, long long labels)
{
    const char *usk = labels > 2 ? "usk9" : "usk";
    if (file && strstr(file, "usk")) {
        return usk;
    }
    if (file && (strstr(file, "_sk") || strstr(file, "sk_"))) {
        return "sk";
    }
    if (file && strstr(file, "_u_")) {
        return "u";
    }
    return padding == 102 ? "sk" : padding == 184 ? "u" : padding == 180 ? usk : NULL;
}

static void find_net(struct import *im, struct proto_field *input, const char *file)
{
    long long padding = 0;
    long long labels = 2;
    import_integer(im, &padding, input, "padding_size");
    import_integer(im, &labels, input, "labels");
    im->net = guess_net(file, padding, labels);
}

/* Say a patch size only where the network can have it. */
static void put_size(struct import *im, const char *key, struct proto_field *input)
{
    long long patch = 0;
    gt_model *model = NULL;
    gt_model_options o;
    gt_model_options_init(&o);
    o.net = im->net;
    o.width = 0.01; /* sizes do not depend on it */
    if (!import_integer(im, &patch, input, "patch_size")) {
        return;
    }
    if (!im->net || patch > INT32_MAX || gt_model_create(&model, &o) != GT_OK) {
        import_note(im, "%s: %lld", key, patch);
        return;
    }
    if (gt_model_check_size(model, (int32_t)patch) == GT_OK) {
        import_put_integer(im, key, patch);
    } else {
        import_note(im, "patch_size %lld: %s", patch, gt_error_message());
    }
    gt_model_free(model);
}

static void put_net(struct import *im)
{
    if (im->net) {
        import_put_text(im, "net", im->net);
    } else {
        import_note(im, "net: not recognised; sw, sk, u, usk and usk9 can be trained");
    }
}

/* ---- what happens to images ---- */

/* "0,0,1" of a repeated field. */
static void put_list(struct import *im, const char *key, struct proto_field *block,
                     const char *name)
{
    const struct proto_field *f = proto_find(block, name, 0);
    if (!f) {
        return;
    }
    fprintf(im->out, "  %s: [", key);
    for (int n = 0; f; f = f->next) {
        if (strcmp(f->name, name) != 0) {
            continue;
        }
        struct proto_field alone = *f;
        alone.next = NULL;
        struct proto_field one = {.child = &alone};
        double value = 0.0;
        import_real(im, &value, &one, name);
        fprintf(im->out, "%s%.9g", n++ ? ", " : "", value);
    }
    fputs("]\n", im->out);
}

static void put_grey_values(struct import *im, struct proto_field *p)
{
    double clip = 4.0;
    struct proto_field *clahe = import_block(p, "clahe");
    struct proto_field *blur = import_block(p, "blur");
    const bool scaled = import_switch(im, p, "normalization");
    if (!scaled) {
        import_note(im, "no normalization: grey values were 0 to 1, here they are 0 to 255");
    }
    import_put_text(im, "norm", scaled ? "minmax" : "none");
    if (clahe) {
        import_real(im, &clip, clahe, "clip");
        import_put_real(im, "clahe", clip);
    }
    if (blur) {
        (void)proto_value(blur, "mean");
        (void)proto_value(blur, "std");
        (void)proto_value(blur, "ksize");
        import_note(im,
                    "blur: half of the patches had about 1.1 pixels, half next to none; here the "
                    "width is drawn between 0 and this");
        import_put_real(im, "blur", 1.1);
    }
}

static void put_symmetry(struct import *im, struct proto_field *p)
{
    const bool rotation = import_switch(im, p, "rotation");
    const bool mirror = import_switch(im, p, "mirror");
    if (rotation && !mirror) {
        import_note(im, "rotation without mirror: there is no such choice; d4 has both");
    }
    import_put_text(im, "augment", rotation && mirror ? "d4" : mirror ? "flips" : "none");
}

static void put_labels(struct import *im, struct proto_field *p, struct proto_field *input)
{
    struct proto_field *histeq = import_block(p, "histeq");
    struct proto_field *consolidate = import_block(p, "label_consolidate");
    long long labels = 0;
    double border = 1.0;
    if (histeq) {
        const bool prior = import_switch(im, histeq, "patch_prior");
        const bool mask = import_switch(im, histeq, "masking");
        import_put_text(im, "equalise",
                        prior && mask ? "both"
                        : prior       ? "prior"
                        : mask        ? "mask"
                                      : "none");
        if (mask) {
            put_list(im, "label-boost", histeq, "label_boost");
        } else if (proto_find(histeq, "label_boost", 0)) {
            import_note(im, "label_boost: only masking uses it");
        }
        if (import_real(im, &border, histeq, "border_boost") && border != 1.0) {
            import_note(im, "border_boost was read but never used; it would be");
            import_note(im, "border-boost: %.9g", border);
        }
    }
    const bool given = import_integer(im, &labels, input, "labels");
    if (consolidate) {
        put_list(im, "consolidate", consolidate, "label");
    } else if (given) {
        import_put_integer(im, "labels-count", labels);
    }
}

static void put_preprocessor(struct import *im, struct proto_field *input, bool training)
{
    struct proto_field *p = import_block(input, "preprocessor");
    struct proto_field *crop = import_block(p, "crop");
    long long image = 0;
    long long label = 0;
    if (training) {
        put_grey_values(im, p);
        put_symmetry(im, p);
        put_labels(im, p, input);
    } else {
        static const char *const kept[] = {"normalization", "clahe",  "rotation", "mirror",
                                           "blur",          "histeq", "deform",   NULL};
        for (int i = 0; kept[i]; i++) {
            struct proto_field *f = import_block(p, kept[i]);
            for (struct proto_field *inside = f ? f->child : NULL; inside; inside = inside->next) {
                inside->used = true;
            }
        }
        import_note(im, "the preprocessing is the one that the model was trained with");
    }
    import_integer(im, &image, crop, "imagecrop");
    import_integer(im, &label, crop, "labelcrop");
    if (image) {
        import_note(im, "crop.imagecrop %lld: follows from the network here", image);
    }
    if (label) {
        import_note(im, "crop.labelcrop %lld: left out", label);
    }
    if (training && import_block(p, "deform")) {
        struct proto_field *deform = import_block(p, "deform");
        for (struct proto_field *f = deform->child; f; f = f->next) {
            f->used = true;
        }
        import_note(im, "deform: was never implemented by the original; see --elastic");
    }
}

/* ---- sections ---- */

static void put_filters(struct import *im, struct proto_field *block, const char *difference)
{
    struct proto_field *filters = import_block(block, "filter_output");
    const char *folder = import_text(im, filters, "output");
    if (import_switch(im, filters, "output_filters") && folder) {
        import_note(im, "filter_output: %s", difference);
        import_put_text(im, "filter-output", folder);
    }
}

static void skip_batch(struct import *im, struct proto_field *input)
{
    long long batch = 1;
    if (import_integer(im, &batch, input, "batch_size") && batch != 1) {
        import_note(im, "batch_size %lld: was ignored, 1 counted", batch);
    }
}

void import_train(struct import *im, struct proto_field *train)
{
    struct proto_field *input = import_block(train, "input");
    const char *raw = import_text(im, input, "raw_images");
    const char *labels = import_text(im, input, "label_images");
    const char *solver = import_text(im, train, "solver");
    const char *state = import_text(im, train, "solverstate");
    long long channels = 0;
    fputs("train:\n", im->out);
    find_net(im, input, solver);
    put_net(im);
    if (raw) {
        import_put_text(im, "raw", raw);
    }
    if (labels) {
        import_put_text(im, "labels", labels);
    }
    import_put_text(im, "out", im->model);
    if (state) {
        import_note(im, "solverstate %s: snapshots of Caffe cannot be continued", state);
    }
    if (import_integer(im, &channels, input, "channels")) {
        import_put_integer(im, "channels", channels == 1 ? 1 : 3);
    }
    put_size(im, "patch", input);
    skip_batch(im, input);
    put_preprocessor(im, input, true);
    import_solver(im);
    import_note(im, "the networks of 2015 had:");
    import_note(im, "init: paper");
    import_note(im, "skip-gradient: blocked");
    put_filters(im, train, "written once, at the end of the training");
    import_note_rest(im, train, "");
}

/* The model that a snapshot "name_iter_2000.caffemodel" would be here, if no training names it. */
static const char *process_model(struct import *im, const char *snapshot)
{
    const char *end = snapshot ? strstr(snapshot, "_iter_") : NULL;
    if (!im->model[0]) {
        snprintf(im->model, sizeof im->model, "%.*s.safetensors", (int)(end ? end - snapshot : 5),
                 end ? snapshot : "model");
    }
    return im->model;
}

static void put_output(struct import *im, struct proto_field *output, long long labels)
{
    const char *folder = import_text(im, output, "output");
    const char *format = import_text(im, output, "format");
    const bool all = import_switch(im, output, "out_all_labels");
    if (folder) {
        import_put_text(im, "out", folder);
    }
    const bool real = import_switch(im, output, "fp32_out");
    import_put_text(im, "format", real ? "f32" : "u8");
    if (all || labels > 2) {
        import_put_text(im, "layout", "folders");
    }
    if (all && labels <= 2) {
        fputs("  all-labels: true\n", im->out);
    }
    if (format && strcmp(format, ".png") == 0 && !real) {
        import_put_text(im, "file-type", "png");
    } else if (format && format[0] == '.' && strcmp(format, ".tif") != 0) {
        import_note(im, "format %s: TIFF instead", format);
    }
}

void import_process(struct import *im, struct proto_field *process)
{
    struct proto_field *input = import_block(process, "input");
    const char *raw = import_text(im, input, "raw_images");
    const char *snapshot = import_text(im, process, "caffemodel");
    long long labels = 2;
    fputs("process:\n", im->out);
    if (snapshot) {
        import_note(im, "caffemodel %s: weights of Caffe cannot be read", snapshot);
    }
    import_put_text(im, "model", process_model(im, snapshot));
    if (raw) {
        import_put_text(im, "in", raw);
    }
    import_integer(im, &labels, input, "labels");
    put_output(im, import_block(process, "output"), labels);
    put_preprocessor(im, input, false);
    put_filters(im, process, "of one tile; see --filter-page and --filter-tile");
    (void)proto_value(process, "process_net"); /* the model knows its network */
    static const char *const known[] = {"padding_size", "patch_size",   "channels",
                                        "batch_size",   "label_images", NULL};
    for (int i = 0; known[i]; i++) {
        (void)proto_value(input, known[i]);
    }
    import_note_rest(im, process, "");
}

void import_benchmark(struct import *im, struct proto_field *benchmark)
{
    long long number[2] = {-1, -1};
    long long runs = 1;
    long long warmup = 0;
    const char *folder = import_text(im, benchmark, "output");
    const bool train = import_integer(im, &number[0], benchmark, "train_index");
    const bool process = import_integer(im, &number[1], benchmark, "process_index");
    const long long index = train ? number[0] : process ? number[1] : 0;
    struct proto_field *block =
        index <= 1000 ? proto_find(&im->file.root, train ? "train" : "process", (int)index) : NULL;
    struct proto_field *input = import_block(block, "input");
    const char *name = import_text(im, block, train ? "solver" : "process_net");
    fputs("benchmark:\n", im->out);
    find_net(im, input, name);
    put_net(im);
    put_size(im, "out-size", input);
    import_put_text(im, "mode", train ? "train" : "process");
    fputs("  layers: true\n", im->out);
    import_integer(im, &runs, benchmark, "bench_runs");
    import_integer(im, &warmup, benchmark, "warmup_runs");
    import_put_integer(im, "runs", runs);
    import_put_integer(im, "warmup", warmup);
    if (folder) {
        import_put_text(im, "out", folder);
    }
    import_note_rest(im, benchmark, "");
}
