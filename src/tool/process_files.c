/* Which pages go to which files. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/process.h"

#include <string.h>
#include <sys/stat.h>

/* First page of the next input file. */
static size_t next_input(const struct process *p, size_t first)
{
    size_t in_file = 1;
    size_t end = first + 1;
    while (end < p->pages && (gt_image_reader_file(p->reader, end, &in_file), in_file > 0)) {
        end++;
    }
    return end;
}

bool process_next_file(struct process_file *file, const struct process *p, size_t first)
{
    if (first >= p->pages) {
        return false;
    }
    file->first = first;
    if (!p->folder) {
        file->pages = p->pages;
        snprintf(file->path, sizeof file->path, "%s", p->flags->out);
        return true;
    }
    const char *name = gt_image_reader_file(p->reader, first, NULL);
    const char *dot = strrchr(name, '.');
    file->pages = next_input(p, first) - first;
    snprintf(file->path, sizeof file->path, "%s/%.*s%s", p->flags->out,
             (int)(dot ? dot - name : (long)strlen(name)), name, p->plan.ending);
    return true;
}

static bool same_file(const char *a, const char *b)
{
    struct stat sa;
    struct stat sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

/* The pages of an output file need one size; PNG holds one of them. */
static int check_pages(const struct process *p, const struct process_file *file)
{
    const gt_page_info *info = &p->infos[file->first];
    size_t in_file = file->pages * (size_t)(p->plan.folders ? 1 : p->plan.written);
    const char *end = strrchr(file->path, '.');
    if (in_file > 1 && end && strcmp(end, ".png") == 0) {
        return tool_usage("%s would hold %zu pages, PNG holds one; choose .tif%s", file->path,
                          in_file, p->plan.written > 1 ? " or --layout folders" : "");
    }
    for (size_t i = file->first + 1; i < file->first + file->pages; i++) {
        const gt_page_info *next = &p->infos[i];
        if (next->width != info->width || next->height != info->height) {
            fprintf(stderr,
                    "greentea: page %zu (%s) is %d x %d, the first is %d x %d; the pages of an "
                    "output file need equal sizes\n",
                    i + 1, gt_image_reader_file(p->reader, i, NULL), next->width, next->height,
                    info->width, info->height);
            return EXIT_INPUT;
        }
    }
    return 0;
}

static int check_names(const struct process *p, const struct process_file *file)
{
    char path[PROCESS_PATH + 16];
    char input[PROCESS_PATH];
    snprintf(input, sizeof input, "%s/%s", p->flags->in,
             gt_image_reader_file(p->reader, file->first, NULL));
    for (int32_t k = 0; k < (p->plan.folders ? p->plan.written : 1); k++) {
        output_label_path(path, sizeof path, &p->plan, file->path, k);
        if (same_file(path, p->flags->in) || (p->folder && same_file(path, input))) {
            return tool_usage("%s is an input; choose another name as --out", path);
        }
        if (tool_exists(path) && !p->flags->overwrite) {
            return tool_usage("%s exists; --overwrite replaces it", path);
        }
    }
    return 0;
}

int process_check_files(const struct process *p)
{
    struct process_file file;
    struct process_file other;
    int code = 0;
    for (size_t first = 0; code == 0 && process_next_file(&file, p, first);
         first = file.first + file.pages) {
        code = check_names(p, &file);
        code = code ? code : check_pages(p, &file);
        for (size_t q = first + file.pages; code == 0 && process_next_file(&other, p, q);
             q = other.first + other.pages) {
            if (strcmp(file.path, other.path) == 0) {
                code = tool_usage("two inputs would be written to %s; rename one", file.path);
            }
        }
    }
    return code;
}

int process_make_folders(const struct process *p)
{
    char path[PROCESS_PATH + 16];
    char name[PROCESS_PATH];
    int code = p->folder ? tool_make_folder(p->flags->out) : 0;
    snprintf(name, sizeof name, "%s/x", p->flags->out);
    for (int32_t k = 0; k < p->plan.written && p->plan.folders && code == 0; k++) {
        output_label_path(path, sizeof path, &p->plan, name, k);
        *strrchr(path, '/') = '\0';
        code = tool_make_folder(path);
    }
    return code;
}

int process_open_output(struct process *p, const struct process_file *file)
{
    const gt_page_info *info = &p->infos[file->first];
    gt_image_meta meta;
    gt_status status = gt_image_reader_meta(&meta, p->reader, file->first);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    struct output_size size = {info->width, info->height, file->pages, p->flags->overwrite, &meta};
    return output_open(&p->output, &p->plan, file->path, &size);
}

static int process_file(struct process *p, const struct process_file *file)
{
    int code = process_open_output(p, file);
    for (size_t page = file->first; page < file->first + file->pages && code == 0; page++) {
        code = process_page(p, page, 0, p->infos[page].height);
    }
    if (code == 0) {
        gt_status status = output_finish(&p->output);
        code = status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
    }
    output_close(&p->output);
    return code;
}

int process_files(struct process *p)
{
    struct process_file file;
    int code = process_make_folders(p);
    code = code ? code : process_set_stack(p);
    p->units = p->pages;
    for (size_t first = 0; code == 0 && process_next_file(&file, p, first);
         first = file.first + file.pages) {
        code = process_file(p, &file);
    }
    return code;
}
