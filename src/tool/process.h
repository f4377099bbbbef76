/* Inside of `greentea process`. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_PROCESS_H
#define GT_TOOL_PROCESS_H

#include "tool/flags_block.h"
#include "tool/flags_filter.h"
#include "tool/flags_output.h"
#include "tool/flags_precision.h"
#include "tool/process_output.h"

#define PROCESS_PATH 4096

struct process_flags {
    char *model, *in, *out, *memory_limit, *device_limit, *progress;
    int tile, untiled, deterministic, orientations, overwrite, quiet, dry_run, dump;
    struct device_flags device;
    struct output_flags output;
    struct block_flags block;
    struct filter_flags filter;
    struct precision_flags precision;
};

struct process {
    const struct process_flags *flags;
    size_t memory_limit, device_limit; /* 0: the library's */
    gt_precision precision;
    struct device_set devices;
    gt_model *model;
    gt_predictor *predictor;
    gt_image_reader *reader;
    size_t pages;        /* of the reader */
    gt_page_info *infos; /* [pages], sizes of the results: as the model crops */
    bool folder;         /* --out is a folder: an output for every input file */
    struct block_choice block;
    struct output_plan plan;
    struct output_plan part_plan; /* the same for parts: one uncoloured TIFF */
    struct output output;
    struct progress progress;
    /* what is being processed */
    size_t page;
    gt_page_info info; /* as in the file */
    int32_t first_row, rows;
    size_t unit, units; /* pages (blocks: parts) done and in all, for the progress */
    double pixels_done;
    enum about about; /* what the last callback failure was about */
};

/* ---- process_pages.c ---- */

/* Called by the predictor; cookie is the process. */
int process_on_tile(uint64_t done, uint64_t total, void *cookie);
/* Let pages share one scale where the model wants that. 0 or an exit code. */
int process_set_stack(struct process *p);
/* A page as the predictor reads it. */
gt_status process_source(gt_row_source *out, struct process *p, size_t page);
/* Say what failed while a page was labelled. Returns the exit code. */
int process_fail(const struct process *p, gt_status status);
/* Label rows of a page (blocks: some of them) into p->output, which is open. 0 or an exit code. */
int process_page(struct process *p, size_t page, int32_t first_row, int32_t rows);

/* ---- process_files.c ---- */

/* An output: pages first to first + pages - 1 go to `path`. */
struct process_file {
    char path[PROCESS_PATH];
    size_t first, pages;
};
/* The output that starts with page `first`: false past the last page. */
bool process_next_file(struct process_file *file, const struct process *p, size_t first);
/* Before any work: an output that exists, is an input, is no legal file, or is shared by two
 * inputs. 0 or an exit code. */
int process_check_files(const struct process *p);
/* Make the folder of the outputs (if it is one) and those of labels. */
int process_make_folders(const struct process *p);
/* Open p->output for a file. */
int process_open_output(struct process *p, const struct process_file *file);
/* Process all pages into their files. */
int process_files(struct process *p);

/* ---- process_filters.c ---- */

/* Write the blobs of the tile that the flags name. */
int process_filters(struct process *p);

/* ---- process_block.c, process_merge.c ---- */

/* A part: rows of a page in a file of their own, computed once by one of the blocks. */
struct process_part {
    size_t page;
    int32_t first_row, rows;
};
/* Part k of our block; false if the block has no such part. A block is a run of whole pages, or
 * (more blocks than pages) a run of rows of one page. */
bool process_part(struct process_part *out, const struct process *p, size_t k);
/* How many parts a page is cut into, and part j of them; false if it is empty. */
long process_bands(const struct process *p, size_t page);
bool process_band(struct process_part *out, const struct process *p, size_t page, long j);
void process_parts_folder(char *path, size_t size, const struct process *p);
void process_part_path(char *path, size_t size, const struct process *p,
                       const struct process_part *part);
void process_done_path(char *path, size_t size, const struct process *p, long block);
void process_job_path(char *path, size_t size, const struct process *p);
/* Compare the job noted in the folder of parts with ours; note it if there is none (make) or
 * complain. p->block.n is read from it where it is 0. */
int process_check_job(struct process *p, bool make);
int process_block(struct process *p);
/* Join the parts to the outputs and remove them. */
int process_merge(struct process *p);

#endif
