/* Flags of what processing writes: which labels, as what, in which files.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_FLAGS_OUTPUT_H
#define GT_TOOL_FLAGS_OUTPUT_H

#include "tool/tool.h"

struct output_flags {
    char *format, *file_type, *argmax, *layout;
    int label, all_labels, no_palette;
};
#define OUTPUT_DEFAULTS                                                                            \
    {                                                                                              \
        .label = -1                                                                                \
    }
/* clang-format off */
#define OUTPUT_OPTIONS(f)                                                                          \
    {"format", 'f', POPT_ARG_STRING, &(f).format, 0,                                               \
     "f32 (default), u8 (0-255; default for PNG), u16 (0-65535)", "F"},                            \
    {"file-type", 0, POPT_ARG_STRING, &(f).file_type, 0,                                           \
     "of files in a folder: tif (default) or png", "T"},                                           \
    {"label", 'k', POPT_ARG_INT, &(f).label, 0, "only this label (2 labels: 1; more: all)", "K"},  \
    {"all-labels", 0, POPT_ARG_NONE, &(f).all_labels, 0, "all, also of 2 labels", NULL},           \
    {"argmax", 0, POPT_ARG_STRING, &(f).argmax, 0,                                                 \
     "one map of the most probable labels instead: index (0, 1 ... with a palette) or grey (the "  \
     "values of the training images)", "AS"},                                                      \
    {"no-palette", 0, POPT_ARG_NONE, &(f).no_palette, 0, "no colours in the map of indices", NULL},\
    {"layout", 0, POPT_ARG_STRING, &(f).layout, 0,                                                 \
     "several labels as hyperstack (default), or in a folder: folders, one for each label", "HOW"}
/* clang-format on */

enum output_kind { OUTPUT_PROBABILITY, OUTPUT_INDEX, OUTPUT_GREY };

/* What the flags mean for a model. */
struct output_plan {
    enum output_kind kind;
    gt_type type;
    float scale;        /* of probabilities: 1, 255 or 65535 */
    int32_t labels;     /* of the network */
    int32_t first;      /* label written first */
    int32_t written;    /* planes per page: labels, or 1 map */
    bool folders;       /* each in a folder of its own */
    const char *ending; /* of files in a folder: ".tif" or ".png" */
    float grey[GT_MAX_LABELS];
    char names[GT_MAX_LABELS][64]; /* of the labels; "" unknown */
    bool coloured;
    unsigned char palette[GT_MAX_LABELS][3];
};

/* png: the output is one PNG file. folder: it is a folder. 0 or EXIT_USAGE. */
int output_fill(struct output_plan *plan, const struct output_flags *f, const gt_model *model,
                bool png, bool folder);

#endif
