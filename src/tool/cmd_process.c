/* greentea process: rows from files through the predictor into files. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/tool.h"
#include "tool/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct flags {
    char *model, *in, *out, *format, *memory_limit, *device_limit, *progress;
    int label, tile, untiled, deterministic, overwrite, quiet, dry_run, dump;
    struct device_flags device;
};

struct processing {
    const struct flags *flags;
    gt_type format;
    float scale;                       /* 1, 255 or 65535 */
    size_t memory_limit, device_limit; /* 0: the library's */
    struct device_set devices;
    gt_model *model;
    gt_predictor *predictor;
    gt_image_reader *reader;
    gt_image_writer *writer;
    struct spool spool;
    struct progress progress;
    int32_t labels;     /* of the network */
    int32_t written;    /* labels per slice in the output */
    int32_t first;      /* the first of them */
    size_t page, pages; /* being processed; all */
    gt_page_info info;
    uint64_t pixels_done;
    float *row; /* scratch of the sink */
    size_t row_capacity;
    enum about about; /* what the last callback failure was about */
};

static gt_status read_rows(void *cookie, int32_t y, int32_t rows, float *dst)
{
    struct processing *p = cookie;
    p->about = ABOUT_INPUT;
    gt_status status = gt_image_reader_rows(p->reader, p->page, y, rows, dst);
    if (status == GT_OK) {
        p->about = ABOUT_OPTION;
    }
    return status;
}

/* Scale one label's rows and hand them on: straight to the file, or to the spool when labels
 * alternate. */
static gt_status put_label(struct processing *p, int32_t label, int32_t y, int32_t rows,
                           const float *src)
{
    size_t n = (size_t)rows * (size_t)p->info.width;
    if (n > p->row_capacity) {
        float *bigger = realloc(p->row, n * sizeof *bigger);
        if (!bigger) {
            fprintf(stderr, "greentea: no memory for %zu bytes of output rows\n",
                    n * sizeof *bigger);
            return GT_ENOMEM;
        }
        p->row = bigger;
        p->row_capacity = n;
    }
    for (size_t i = 0; i < n; i++) {
        p->row[i] = src[i] * p->scale;
    }
    if (p->written > 1) {
        return spool_write(&p->spool, label - p->first, y, rows, p->row) ? GT_OK : GT_EIO;
    }
    return gt_image_writer_rows(p->writer, rows, p->row);
}

static gt_status write_rows(void *cookie, int32_t y, int32_t rows, const float *src)
{
    struct processing *p = cookie;
    size_t plane = (size_t)rows * (size_t)p->info.width;
    gt_status status = GT_OK;
    p->about = ABOUT_OUTPUT;
    for (int32_t k = 0; k < p->written && status == GT_OK; k++) {
        int32_t label = p->first + k;
        status = put_label(p, label, y, rows, src + (size_t)label * plane);
    }
    if (status == GT_OK) {
        p->about = ABOUT_OPTION;
    }
    return status;
}

static int on_tile(uint64_t done, uint64_t total, void *cookie)
{
    struct processing *p = cookie;
    char counts[96];
    char extra[64];
    char json[160];
    double inside = (double)done / (double)total;
    double pixels = (double)p->pixels_done + inside * p->info.width * p->info.height;
    double elapsed = tool_now() - p->progress.start;
    double rate = elapsed > 0.0 ? pixels / elapsed * 1e-6 : 0.0;
    snprintf(counts, sizeof counts, "page %zu/%zu, %llu/%llu tiles", p->page + 1, p->pages,
             (unsigned long long)done, (unsigned long long)total);
    snprintf(extra, sizeof extra, "%.3f Mpx/s", rate);
    snprintf(json, sizeof json,
             ", \"page\": %zu, \"pages\": %zu, \"tiles\": %llu, \"mpix_per_s\": %.4f", p->page + 1,
             p->pages, (unsigned long long)done, rate);
    bool last = p->page + 1 == p->pages && done == total;
    progress_show(&p->progress, ((double)p->page + inside) / (double)p->pages, counts, extra, json,
                  last);
    return tool_signal() != 0;
}

/* The labels of a slice were spooled side by side; write them as pages, label fastest. */
static gt_status unspool(struct processing *p)
{
    enum { ROWS = 64 };
    int32_t w = p->info.width;
    int32_t h = p->info.height;
    float *rows = malloc((size_t)ROWS * (size_t)w * sizeof *rows);
    gt_status status = rows ? GT_OK : GT_ENOMEM;
    for (int32_t k = 0; k < p->written && status == GT_OK; k++) {
        for (int32_t y = 0; y < h && status == GT_OK; y += ROWS) {
            int32_t n = h - y < ROWS ? h - y : ROWS;
            status = spool_read(&p->spool, k, y, n, rows) ? gt_image_writer_rows(p->writer, n, rows)
                                                          : GT_EIO;
        }
    }
    free(rows);
    return status;
}

static int process_page(struct processing *p)
{
    gt_status status = gt_image_reader_page(&p->info, p->reader, p->page);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    if (p->written > 1 &&
        !spool_open(&p->spool, p->flags->out, p->info.width, p->info.height, p->written)) {
        return EXIT_OUTPUT;
    }
    gt_row_source source = {p->info.width, p->info.height, p->info.channels, read_rows, p};
    gt_row_sink sink = {write_rows, p};
    p->about = ABOUT_INPUT;
    status = gt_predictor_stream(p->predictor, &source, &sink);
    if (status == GT_OK && p->written > 1) {
        p->about = ABOUT_OUTPUT;
        status = unspool(p);
    }
    p->pixels_done += (uint64_t)p->info.width * (uint64_t)p->info.height;
    return status == GT_OK ? 0 : tool_fail(status, p->about);
}

static int open_writer(struct processing *p, const char *path, size_t first, size_t pages)
{
    gt_writer_options o;
    gt_page_info info;
    char file[256];
    gt_status status = gt_image_reader_page(&info, p->reader, first);
    for (size_t i = first + 1; i < first + pages && status == GT_OK; i++) {
        gt_page_info next;
        status = gt_image_reader_page(&next, p->reader, i);
        if (status == GT_OK && (next.width != info.width || next.height != info.height)) {
            snprintf(file, sizeof file, "%s", gt_image_reader_file(p->reader, i, NULL));
            fprintf(stderr,
                    "greentea: page %zu (%s) is %d x %d, the first is %d x %d; the pages of an "
                    "output file "
                    "need equal sizes\n",
                    i + 1, file, next.width, next.height, info.width, info.height);
            return EXIT_INPUT;
        }
    }
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    gt_writer_options_init(&o);
    o.type = p->format;
    o.width = info.width;
    o.height = info.height;
    o.pages = pages * (size_t)p->written;
    o.hyperstack_channels = p->written;
    o.overwrite = p->flags->overwrite;
    status = gt_image_writer_open(&p->writer, path, &o);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
}

/* Process pages first to first + pages - 1 into one file. */
static int process_file(struct processing *p, const char *path, size_t first, size_t pages)
{
    int code = open_writer(p, path, first, pages);
    for (p->page = first; p->page < first + pages && code == 0; p->page++) {
        code = process_page(p);
    }
    if (code == 0) {
        gt_status status = gt_image_writer_finish(p->writer);
        code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
    }
    gt_image_writer_free(p->writer);
    p->writer = NULL;
    return code;
}

/* Name of the output for the file that page `first` is of. */
static void output_path(char *path, size_t size, const struct processing *p, size_t first)
{
    const char *name = gt_image_reader_file(p->reader, first, NULL);
    const char *dot = strrchr(name, '.');
    snprintf(path, size, "%s/%.*s.tif", p->flags->out, (int)(dot ? dot - name : (long)strlen(name)),
             name);
}

/* First page of the next file. */
static size_t next_file(const struct processing *p, size_t first)
{
    size_t in_file = 1;
    size_t end = first + 1;
    while (end < p->pages && (gt_image_reader_file(p->reader, end, &in_file), in_file > 0)) {
        end++;
    }
    return end;
}

static bool same_file(const char *a, const char *b)
{
    struct stat sa;
    struct stat sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

/* Before any work: an output that exists, that is an input, or that two inputs would share. */
static int check_outputs(const struct processing *p)
{
    char path[4096];
    char other[4096];
    for (size_t first = 0; first < p->pages; first = next_file(p, first)) {
        output_path(path, sizeof path, p, first);
        snprintf(other, sizeof other, "%s/%s", p->flags->in,
                 gt_image_reader_file(p->reader, first, NULL));
        if (same_file(path, other) || same_file(path, p->flags->in)) {
            return tool_usage("%s is an input; choose another folder as --out", path);
        }
        if (tool_exists(path) && !p->flags->overwrite) {
            return tool_usage("%s exists; --overwrite replaces it", path);
        }
        for (size_t q = next_file(p, first); q < p->pages; q = next_file(p, q)) {
            output_path(other, sizeof other, p, q);
            if (strcmp(path, other) == 0) {
                return tool_usage("two inputs would be written to %s; rename one", path);
            }
        }
    }
    return 0;
}

/* One output file for each input file, in a folder. */
static int process_folder(struct processing *p)
{
    const char *out = p->flags->out;
    int code = check_outputs(p);
    if (code == 0 && mkdir(out, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "greentea: folder %s cannot be made: %s\n", out, strerror(errno));
        return EXIT_OUTPUT;
    }
    for (size_t first = 0; first < p->pages && code == 0;) {
        char path[4096];
        size_t end = next_file(p, first);
        output_path(path, sizeof path, p, first);
        code = process_file(p, path, first, end - first);
        first = end;
    }
    return code;
}

static int show_plan(struct processing *p)
{
    gt_page_info info;
    gt_predict_plan plan;
    gt_status status = gt_image_reader_page(&info, p->reader, 0);
    if (status == GT_OK) {
        status = gt_predictor_plan(&plan, p->predictor, info.width, info.height);
    }
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_OPTION);
    }
    printf(
        "%zu pages; the first is %d x %d: %llu tiles of %d x %d, peak %.1f MiB (arena %.1f MiB)\n",
        p->pages, info.width, info.height, (unsigned long long)plan.tiles, plan.tile_width,
        plan.tile_height, (double)plan.peak_bytes / 1048576.0,
        (double)plan.arena_bytes / 1048576.0);
    return EXIT_OK;
}

static int check_labels(struct processing *p)
{
    gt_model_options o;
    gt_model_get_options(p->model, &o);
    p->labels = o.labels;
    if (p->flags->label >= p->labels || p->flags->label < -1) {
        return tool_usage("--label is %d, the model has labels 0 to %d", p->flags->label,
                          p->labels - 1);
    }
    p->written = p->flags->label >= 0 || p->labels == 2 ? 1 : p->labels;
    p->first = p->flags->label >= 0 ? p->flags->label : p->written == 1 ? 1 : 0;
    return 0;
}

static int prepare(struct processing *p)
{
    const struct flags *f = p->flags;
    gt_predict_options o;
    gt_status status = gt_model_load(&p->model, f->model);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    int code = check_labels(p);
    if (code) {
        return code;
    }
    status = gt_image_reader_open(&p->reader, f->in, NULL);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    p->pages = gt_image_reader_pages(p->reader);
    code = tool_open_devices(&p->devices, &f->device);
    code = code ? code : progress_open(&p->progress, f->progress, f->quiet, p->devices.devices[0]);
    if (code) {
        return code;
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
    o.progress = on_tile;
    o.cookie = p;
    status = gt_predictor_create_on(&p->predictor, p->devices.devices, p->devices.n, p->model, &o);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
}

static int process(struct processing *p)
{
    int code = prepare(p);
    if (code) {
        return code;
    }
    if (p->flags->dry_run) {
        return show_plan(p);
    }
    tool_catch_signals();
    code = tool_is_image_name(p->flags->out) ? process_file(p, p->flags->out, 0, p->pages)
                                             : process_folder(p);
    if (p->flags->dump) {
        char *text = NULL;
        if (gt_predictor_dump(&text, p->predictor) == GT_OK) {
            fputs(text, stderr);
            gt_free(text);
        }
    }
    return code;
}

/* Bytes of a flag, 0 if it is not given. */
static int parse_limit(size_t *out, const char *text, const char *flag)
{
    if (text && (!tool_parse_bytes(out, text) || *out == 0)) {
        return tool_usage("%s is '%s', expected for example 512M or 2G", flag, text);
    }
    return 0;
}

static int check(struct processing *p)
{
    static const char *const formats[] = {"f32", "u8", "u16", NULL};
    static const gt_type types[] = {GT_F32, GT_U8, GT_U16};
    static const float scales[] = {1.0f, 255.0f, 65535.0f};
    const struct flags *f = p->flags;
    if (!f->model || !f->in || !f->out) {
        return tool_usage(
            "--model, --in and --out are needed; `greentea process --help` lists the options");
    }
    const char *end = strrchr(f->out, '.');
    bool png = end && strcmp(end, ".png") == 0;
    int format = f->format ? tool_choice(f->format, formats) : png ? 1 : 0;
    if (format < 0) {
        return tool_usage("--format is '%s', expected f32, u8 or u16", f->format);
    }
    int code = parse_limit(&p->memory_limit, f->memory_limit, "--memory-limit");
    code = code ? code : parse_limit(&p->device_limit, f->device_limit, "--device-memory");
    if (code) {
        return code;
    }
    p->format = types[format];
    p->scale = scales[format];
    struct stat out;
    bool folder = stat(f->out, &out) == 0 && S_ISDIR(out.st_mode);
    if (end && !strchr(end, '/') && end > f->out && !tool_is_image_name(f->out) && !folder) {
        return tool_usage("--out is %s: outputs end in .tif or .png; a folder's name has no ending",
                          f->out);
    }
    if (tool_is_image_name(f->out) && same_file(f->in, f->out)) {
        return tool_usage("%s is the input; choose another name as --out", f->out);
    }
    if (tool_is_image_name(f->out) && tool_exists(f->out) && !f->overwrite) {
        return tool_usage("%s exists; --overwrite replaces it", f->out);
    }
    return 0;
}

int cmd_process(int argc, char **argv)
{
    struct flags f = {.label = -1};
    const struct poptOption table[] = {
        {"model", 'm', POPT_ARG_STRING, &f.model, 0, "model file", "MODEL"},
        {"in", 'i', POPT_ARG_STRING, &f.in, 0, "images: file, stack or folder", "PATH"},
        {"out", 'o', POPT_ARG_STRING, &f.out, 0,
         "a .tif or .png file; any other name is a folder with one file per input file", "PATH"},
        {"format", 'f', POPT_ARG_STRING, &f.format, 0, "f32 (default), u8 (0-255), u16 (0-65535)",
         "F"},
        {"label", 'k', POPT_ARG_INT, &f.label, 0, "only this label (2 labels: 1; more: all)", "K"},
        {"memory-limit", 0, POPT_ARG_STRING, &f.memory_limit, 0,
         "bytes of the machine's memory for processing (default 1G)", "B"},
        {"device-memory", 0, POPT_ARG_STRING, &f.device_limit, 0,
         "bytes on each GPU (default: a quarter of its memory, at most 4G)", "B"},
        {"tile", 0, POPT_ARG_INT, &f.tile, 0, "output size of a tile (default: the largest)", "P"},
        {"untiled", 0, POPT_ARG_NONE, &f.untiled, 0, "one tile for a page, whatever the limit",
         NULL},
        {"deterministic", 0, POPT_ARG_NONE, &f.deterministic, 0, "same bits for any tiles", NULL},
        {"overwrite", 0, POPT_ARG_NONE, &f.overwrite, 0, "replace existing outputs", NULL},
        {"dry-run", 0, POPT_ARG_NONE, &f.dry_run, 0, "print tiles and memory, stop", NULL},
        {"dump", 0, POPT_ARG_NONE, &f.dump, 0, "print the plan of the last tile", NULL},
        DEVICE_OPTIONS(f.device, "; several: 0,1 or all"),
        PROGRESS_OPTIONS(f.progress, f.quiet),
        POPT_TABLEEND};
    struct processing p = {.flags = &f};
    int code =
        tool_parse(argc, argv, table, "Label every pixel of images with a trained model.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    f.device.silent = progress_alone(f.progress, f.quiet);
    code = check(&p);
    code = code ? code : process(&p);
    spool_close(&p.spool);
    free(p.row);
    gt_predictor_free(p.predictor);
    gt_image_reader_free(p.reader);
    gt_model_free(p.model);
    tool_close_devices(&p.devices);
    return code;
}
