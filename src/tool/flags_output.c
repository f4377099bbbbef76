/* Flags of what processing writes. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_output.h"

#include <string.h>

static const char *const formats[] = {"f32", "u8", "u16", NULL};
static const gt_type types[] = {GT_F32, GT_U8, GT_U16};
static const float scales[] = {1.0f, 255.0f, 65535.0f};
static const float tops[] = {1e9f, 255.0f, 65535.0f}; /* label values that a format holds */

static const char *const file_types[] = {"tif", "png", NULL};
static const char *const endings[] = {".tif", ".png"};
static const char *const argmaxes[] = {"none", "index", "grey", NULL};
static const char *const layouts[] = {"hyperstack", "folders", NULL};

/* Distinct colours: hues a golden angle apart, label 0 black. */
static void colour(unsigned char *rgb, int32_t label)
{
    if (label == 0) {
        memset(rgb, 0, 3);
        return;
    }
    int32_t hue = (int32_t)(((int64_t)label * 949 + 200) % 1536); /* 1536/golden ratio is 949.3 */
    int32_t rise = hue % 256;
    int32_t top = label % 3 == 2 ? 200 : 255;
    const int32_t sixths[6][3] = {{255, rise, 0},       {255 - rise, 255, 0}, {0, 255, rise},
                                  {0, 255 - rise, 255}, {rise, 0, 255},       {255, 0, 255 - rise}};
    for (int c = 0; c < 3; c++) {
        rgb[c] = (unsigned char)((40 + sixths[hue / 256][c] * 215 / 255) * top / 255);
    }
}

/* Of several values that stand for a label, the first noted. */
static int32_t first_grey(const gt_model *model, int32_t label, int32_t known)
{
    gt_grey_label list[GT_MAX_LABELS];
    size_t n = gt_model_get_greys(list, GT_MAX_LABELS, model);
    for (size_t i = 0; i < n && known < 0; i++) {
        if (list[i].label == label) {
            known = list[i].grey;
        }
    }
    return known;
}

static int fill_labels(struct output_plan *plan, const struct output_flags *f,
                       const gt_model *model)
{
    gt_model_options o;
    gt_model_get_options(model, &o);
    plan->labels = o.labels;
    if (f->label >= o.labels || f->label < -1) {
        return tool_usage("--label is %d, the model has labels 0 to %d", f->label, o.labels - 1);
    }
    if ((f->label >= 0) + (f->all_labels != 0) + (plan->kind != OUTPUT_PROBABILITY) > 1) {
        return tool_usage("--label, --all-labels and --argmax exclude each other");
    }
    bool all = f->all_labels || (f->label < 0 && o.labels > 2);
    plan->written = all && plan->kind == OUTPUT_PROBABILITY ? o.labels : 1;
    plan->first = f->label >= 0 ? f->label : all ? 0 : 1;
    for (int32_t i = 0; i < o.labels; i++) {
        gt_label_info info = {.grey = -1};
        if (gt_model_get_label(&info, model, i) == GT_OK) {
            snprintf(plan->names[i], sizeof plan->names[i], "%s", info.name);
        }
        plan->grey[i] = (float)(plan->kind == OUTPUT_INDEX ? i : first_grey(model, i, info.grey));
        colour(plan->palette[i], i);
    }
    return 0;
}

/* The largest value of a map, -1: a label has none. */
static float largest(const struct output_plan *plan)
{
    float top = 0.0f;
    for (int32_t i = 0; i < plan->labels; i++) {
        if (plan->grey[i] < 0.0f) {
            return -1.0f;
        }
        top = plan->grey[i] > top ? plan->grey[i] : top;
    }
    return top;
}

static int fill_map(struct output_plan *plan, const struct output_flags *f, int *format)
{
    float top = largest(plan);
    if (top < 0.0f) {
        return tool_usage("--argmax grey: the model does not know the grey value of every label; "
                          "--argmax index needs none");
    }
    if (!f->format) {
        *format = top > tops[1] ? 2 : 1;
    }
    if (top > tops[*format]) {
        return tool_usage("--format %s cannot hold the label value %g", formats[*format],
                          (double)top);
    }
    plan->coloured = plan->kind == OUTPUT_INDEX && *format == 1 && !f->no_palette;
    return 0;
}

int output_fill(struct output_plan *plan, const struct output_flags *f, const gt_model *model,
                bool png, bool folder)
{
    int format = 0;
    int ending = 0;
    int kind = 0;
    int layout = 0;
    if (tool_choose(&ending, "file-type", f->file_type, file_types, 0) ||
        tool_choose(&kind, "argmax", f->argmax, argmaxes, OUTPUT_PROBABILITY) ||
        tool_choose(&layout, "layout", f->layout, layouts, 0)) {
        return EXIT_USAGE;
    }
    png = png || (folder && ending == 1);
    if (tool_choose(&format, "format", f->format, formats, png ? 1 : 0)) {
        return EXIT_USAGE;
    }
    if (!folder && f->file_type) {
        return tool_usage("--file-type is for folders; the ending of --out chooses the type");
    }
    if (!folder && layout == 1) {
        return tool_usage("--layout folders needs a folder as --out, not a file");
    }
    plan->kind = (enum output_kind)kind;
    int code = fill_labels(plan, f, model);
    if (code == 0 && plan->kind != OUTPUT_PROBABILITY) {
        code = fill_map(plan, f, &format);
    }
    if (code == 0 && png && format == 0) {
        return tool_usage("PNG holds u8 or u16, not --format f32");
    }
    plan->type = types[format];
    plan->scale = scales[format];
    plan->ending = endings[ending];
    plan->folders = layout == 1 && plan->written > 1;
    return code;
}
