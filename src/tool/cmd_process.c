/* greentea process: images from files through a predictor into files. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int show_plan(struct process *p)
{
    gt_predict_plan plan;
    struct process_part part;
    gt_page_info info;
    const gt_page_info *first = &p->infos[0];
    gt_status status = gt_image_reader_page(&info, p->reader, 0);
    if (status == GT_OK) {
        status = gt_predictor_plan(&plan, p->predictor, info.width, info.height);
    }
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    printf(
        "%zu pages; the first is %d x %d: %llu tiles of %d x %d, peak %.1f MiB (arena %zu bytes = "
        "%.1f MiB)\n",
        p->pages, first->width, first->height, (unsigned long long)plan.tiles, plan.tile_width,
        plan.tile_height, (double)plan.peak_bytes / 1048576.0, plan.arena_bytes,
        (double)plan.arena_bytes / 1048576.0);
    for (size_t k = 0; p->block.n > 0 && process_part(&part, p, k); k++) {
        printf("block %ld of %ld: page %zu, rows %d to %d\n", p->block.index, p->block.n, part.page,
               part.first_row, part.first_row + part.rows - 1);
    }
    return EXIT_OK;
}

static int open_images(struct process *p)
{
    gt_status status = gt_image_reader_open(&p->reader, p->flags->in, NULL);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    p->pages = gt_image_reader_pages(p->reader);
    p->infos = calloc(p->pages, sizeof *p->infos);
    if (!p->infos) {
        fprintf(stderr, "greentea: no memory for the sizes of %zu pages\n", p->pages);
        return EXIT_DEVICE;
    }
    gt_preprocess preprocess;
    gt_model_get_preprocess(p->model, &preprocess);
    for (size_t i = 0; i < p->pages && status == GT_OK; i++) {
        gt_page_info *info = &p->infos[i];
        status = gt_image_reader_page(info, p->reader, i);
        if (status == GT_OK) {
            status = gt_preprocess_size(&info->width, &info->height, &preprocess, info->width,
                                        info->height);
        }
    }
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
}

/* What needs no device: model, images, what is written where. */
static int prepare_files(struct process *p)
{
    const struct process_flags *f = p->flags;
    gt_status status = gt_model_load(&p->model, f->model);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    if (!f->out) {
        return open_images(p);
    }
    const char *end = strrchr(f->out, '.');
    bool png = !p->folder && end && strcmp(end, ".png") == 0;
    int code = output_fill(&p->plan, &f->output, p->model, png, p->folder);
    code = code ? code : open_images(p);
    return code || f->dry_run ? code : process_check_files(p);
}

static int prepare_devices(struct process *p)
{
    const struct process_flags *f = p->flags;
    gt_predict_options o;
    int code = tool_open_devices(&p->devices, &f->device);
    code = code ? code : progress_open(&p->progress, f->progress, f->quiet, p->devices.devices[0]);
    if (code) {
        return code;
    }
    if (!f->device.silent) {
        precision_announce(p->precision, p->devices.devices, p->devices.n);
    }
    if (p->devices.n > 1) {
        snprintf(p->progress.device, sizeof p->progress.device, "%zu devices", p->devices.n);
    }
    gt_predict_options_init(&o);
    o.memory_limit = p->memory_limit ? p->memory_limit : o.memory_limit;
    o.device_limit = p->device_limit;
    o.tile = f->tile;
    o.untiled = f->untiled;
    o.deterministic = f->deterministic;
    o.precision = p->precision;
    o.orientations = f->orientations;
    o.progress = process_on_tile;
    o.cookie = p;
    gt_status status =
        gt_predictor_create_on(&p->predictor, p->devices.devices, p->devices.n, p->model, &o);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
}

static int run(struct process *p)
{
    int code = prepare_files(p);
    if (code == 0 && p->flags->block.merge && p->block.n == 0) {
        code = progress_open(&p->progress, p->flags->progress, p->flags->quiet, NULL);
        tool_catch_signals();
        return code ? code : process_merge(p);
    }
    code = code ? code : prepare_devices(p);
    if (code) {
        return code;
    }
    if (p->flags->dry_run) {
        return show_plan(p);
    }
    tool_catch_signals();
    if (p->flags->filter.output) {
        code = process_filters(p);
    }
    if (code || !p->flags->out) {
        return code;
    }
    code = p->block.n > 0 ? process_block(p) : process_files(p);
    if (p->flags->dump) {
        char *text = NULL;
        if (gt_predictor_dump(&text, p->predictor) == GT_OK) {
            fputs(text, stderr);
            gt_free(text);
        }
    }
    return code;
}

static int check(struct process *p)
{
    const struct process_flags *f = p->flags;
    struct stat out;
    bool filters_only = !f->out && f->filter.output && !f->block.block && !f->block.merge;
    if (!f->model || !f->in || !(f->out || filters_only)) {
        return tool_usage(
            "--model, --in and --out are needed; `greentea process --help` lists the options");
    }
    int code = tool_bytes(&p->memory_limit, "memory-limit", f->memory_limit);
    code = code ? code : tool_bytes(&p->device_limit, "device-memory", f->device_limit);
    code = code ? code : block_fill(&p->block, &f->block);
    code = code ? code : precision_fill(&p->precision, &f->precision);
    if (code || !f->out) {
        return code;
    }
    const char *end = strrchr(f->out, '.');
    bool folder = stat(f->out, &out) == 0 && S_ISDIR(out.st_mode);
    if (end && !strchr(end, '/') && end > f->out && !tool_is_image_name(f->out) && !folder) {
        return tool_usage("--out is %s: outputs end in .tif or .png; a folder's name has no ending",
                          f->out);
    }
    if (strlen(f->out) > PROCESS_PATH - 600) {
        return tool_usage("--out has %zu characters, at most %d are possible", strlen(f->out),
                          PROCESS_PATH - 600);
    }
    p->folder = !tool_is_image_name(f->out);
    return 0;
}

int cmd_process(int argc, char **argv)
{
    struct process_flags f = {.orientations = 1, .output = OUTPUT_DEFAULTS};
    const struct poptOption table[] = {
        {"model", 'm', POPT_ARG_STRING, &f.model, 0, "model file", "MODEL"},
        {"in", 'i', POPT_ARG_STRING, &f.in, 0, "images: file, stack or folder", "PATH"},
        {"out", 'o', POPT_ARG_STRING, &f.out, 0,
         "a .tif or .png file; any other name is a folder with one file per input file", "PATH"},
        OUTPUT_OPTIONS(f.output),
        {"orientations", 0, POPT_ARG_INT, &f.orientations, 0,
         "average over 1 (default), 4 (mirrored) or 8 (also transposed) views", "N"},
        {"memory-limit", 0, POPT_ARG_STRING, &f.memory_limit, 0,
         "bytes of the machine's memory for processing (default 1G)", "B"},
        {"device-memory", 0, POPT_ARG_STRING, &f.device_limit, 0,
         "bytes on each GPU (default: a quarter of its memory, at most 4G)", "B"},
        {"tile", 0, POPT_ARG_INT, &f.tile, 0, "output size of a tile (default: the fastest)", "P"},
        {"untiled", 0, POPT_ARG_NONE, &f.untiled, 0, "one tile for a page, whatever the limit",
         NULL},
        {"deterministic", 0, POPT_ARG_NONE, &f.deterministic, 0, "same bits for any tiles", NULL},
        PRECISION_OPTIONS(f.precision),
        BLOCK_OPTIONS(f.block),
        FILTER_OPTIONS(f.filter),
        {"overwrite", 0, POPT_ARG_NONE, &f.overwrite, 0, "replace existing outputs", NULL},
        {"dry-run", 0, POPT_ARG_NONE, &f.dry_run, 0, "print tiles and memory, stop", NULL},
        {"dump", 0, POPT_ARG_NONE, &f.dump, 0, "print the plan of the last tile", NULL},
        DEVICE_OPTIONS(f.device, "; several: 0,1 or all"),
        PROGRESS_OPTIONS(f.progress, f.quiet),
        POPT_TABLEEND};
    struct process p = {.flags = &f};
    int code =
        tool_parse(argc, argv, table, "Label every pixel of images with a trained model.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    f.device.silent = progress_alone(f.progress, f.quiet);
    code = check(&p);
    code = code ? code : run(&p);
    free(p.infos);
    gt_predictor_free(p.predictor);
    gt_image_reader_free(p.reader);
    gt_model_free(p.model);
    tool_close_devices(&p.devices);
    return code;
}
