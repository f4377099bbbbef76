/* Rows of a page through the predictor into the output. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/process.h"

#include "tool/flags_preprocess.h"

static gt_status read_rows(void *cookie, int32_t y, int32_t rows, float *dst)
{
    struct process *p = cookie;
    p->about = ABOUT_INPUT;
    gt_status status = gt_image_reader_rows(p->reader, p->page, y, rows, dst);
    if (status == GT_OK) {
        p->about = ABOUT_OPTION;
    }
    return status;
}

static gt_status write_rows(void *cookie, int32_t y, int32_t rows, const float *src)
{
    struct process *p = cookie;
    p->about = ABOUT_OUTPUT;
    gt_status status = output_rows(&p->output, y - p->first_row, rows, src);
    if (status == GT_OK) {
        p->about = ABOUT_OPTION;
    }
    return status;
}

int process_on_tile(uint64_t done, uint64_t total, void *cookie)
{
    struct process *p = cookie;
    char counts[96];
    char extra[64];
    char json[160];
    double inside = (double)done / (double)total;
    double pixels = p->pixels_done + inside * p->infos[p->page].width * p->rows;
    double elapsed = tool_now() - p->progress.start;
    double rate = elapsed > 0.0 ? pixels / elapsed * 1e-6 : 0.0;
    const char *what = p->block.n > 0 ? "part" : "page";
    snprintf(counts, sizeof counts, "%s %zu/%zu, %llu/%llu tiles", what, p->unit + 1, p->units,
             (unsigned long long)done, (unsigned long long)total);
    snprintf(extra, sizeof extra, "%.3f Mpx/s", rate);
    snprintf(json, sizeof json,
             ", \"page\": %zu, \"pages\": %zu, \"tiles\": %llu, \"mpix_per_s\": %.4f", p->unit + 1,
             p->units, (unsigned long long)done, rate);
    bool last = p->unit + 1 == p->units && done == total;
    progress_show(&p->progress, ((double)p->unit + inside) / (double)p->units, counts, extra, json,
                  last);
    return tool_signal() != 0;
}

gt_status process_source(gt_row_source *out, struct process *p, size_t page)
{
    p->page = page;
    p->about = ABOUT_INPUT;
    gt_status status = gt_image_reader_page(&p->info, p->reader, page);
    *out = (gt_row_source){p->info.width, p->info.height, p->info.channels, read_rows, p};
    return status;
}

int process_set_stack(struct process *p)
{
    return preprocess_share(p->predictor, p->reader, &p->progress);
}

/* Only here is known which page has values that cannot be normalised. */
int process_fail(const struct process *p, gt_status status)
{
    if (status != GT_ENUMERIC || p->about == ABOUT_INPUT) {
        return tool_fail(status, p->about);
    }
    size_t in_file = 0;
    const char *file = gt_image_reader_file(p->reader, p->page, &in_file);
    fprintf(stderr, "greentea: %s page %zu: %s\n", file, in_file + 1, gt_error_message());
    return EXIT_INPUT;
}

int process_page(struct process *p, size_t page, int32_t first_row, int32_t rows)
{
    gt_row_source source;
    gt_row_sink sink = {write_rows, p};
    gt_status status = process_source(&source, p, page);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    p->first_row = first_row;
    p->rows = rows;
    if (!output_begin(&p->output)) {
        return EXIT_OUTPUT;
    }
    status = gt_predictor_stream_rows(p->predictor, &source, &sink, first_row, rows);
    if (status == GT_OK) {
        p->about = ABOUT_OUTPUT;
        status = output_end(&p->output);
    }
    p->unit++;
    p->pixels_done += (double)p->infos[page].width * rows;
    return status == GT_OK ? 0 : process_fail(p, status);
}
