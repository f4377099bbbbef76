/* All blobs of a tile as pictures. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/filter_output.h"
#include "tool/process.h"

int process_filters(struct process *p)
{
    const struct filter_flags *flags = &p->flags->filter;
    struct filter_output output;
    gt_inspect_options o;
    gt_row_source source;
    struct filter_spot spot;
    int code = filter_fill(&o, flags, p->pages);
    code = code ? code : process_set_stack(p);
    if (code) {
        return code;
    }
    o.tile = p->flags->tile;
    spot = (struct filter_spot){NULL, 0, o.tile_x, o.tile_y};
    spot.name = gt_image_reader_file(p->reader, (size_t)flags->page, &spot.page);
    code = filter_open(&output, flags->output, &spot);
    if (code) {
        return code;
    }
    gt_status status = process_source(&source, p, (size_t)flags->page);
    if (status == GT_OK) {
        status = gt_predictor_inspect(p->predictor, &source, &o, filter_write, &output);
    }
    if (output.code) {
        return output.code;
    }
    if (status == GT_OK && !p->flags->quiet) {
        fprintf(stderr, "greentea: %llu pictures in %s\n", (unsigned long long)output.files,
                output.folder);
    }
    return status == GT_OK ? 0 : process_fail(p, status);
}
