/* Flags of filter output: all blobs of a network as pictures. SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef GT_TOOL_FLAGS_FILTER_H
#define GT_TOOL_FLAGS_FILTER_H

#include "tool/tool.h"

struct filter_flags {
    char *output, *tile;
    int page;
};
/* clang-format off */
#define FILTER_OPTIONS(f)                                                                          \
    {"filter-output", 0, POPT_ARG_STRING, &(f).output, 0,                                          \
     "write all layers' values of a tile as PNG files into folders in there (--out is not needed " \
     "then)", "DIR"},                                                                              \
    {"filter-page", 0, POPT_ARG_INT, &(f).page, 0, "page of that tile (default 0)", "N"},          \
    {"filter-tile", 0, POPT_ARG_STRING, &(f).tile, 0, "which tile (default 0,0); --tile sets its " \
     "size", "X,Y"}
/* clang-format on */
/* 0 or EXIT_USAGE. */
int filter_fill(gt_inspect_options *o, const struct filter_flags *f, size_t pages);

#endif
