/* Flags of filter output. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_filter.h"

int filter_fill(gt_inspect_options *o, const struct filter_flags *f, size_t pages)
{
    char rest = '\0';
    int x = 0;
    int y = 0;
    gt_inspect_options_init(o);
    if (f->page < 0 || (size_t)f->page >= pages) {
        return tool_usage("--filter-page is %d, the input has pages 0 to %zu", f->page, pages - 1);
    }
    if (f->tile && (sscanf(f->tile, "%9d,%9d%c", &x, &y, &rest) != 2 || x < 0 || y < 0)) {
        return tool_usage("--filter-tile is '%s', expected X,Y, both from 0", f->tile);
    }
    o->tile_x = x;
    o->tile_y = y;
    return 0;
}
