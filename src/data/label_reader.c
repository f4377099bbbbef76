/* Label images in both layouts: grey values, or one sub-folder per label.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/dataset.h"

#include "core/error.h"
#include "core/mem.h"
#include "image/format.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct source {
    gt_image_reader *images;
    char name[64]; /* of the sub-folder; "": grey values */
};

struct gt_label_reader {
    struct source *sources; /* one, or one per sub-folder */
    size_t n_sources, capacity;
    size_t n_images; /* beside the sub-folders */
    bool folders;
    bool rest; /* pixels of no sub-folder are the label after the last one */
    gt_image_limits limits;
};

/* ---- opening ---- */

static gt_status add_source(gt_label_reader *r, const char *name)
{
    GT_TRY(gt__grow(&r->sources, &r->capacity, r->n_sources + 1, sizeof *r->sources,
                    "list of label folders"));
    strcpy(r->sources[r->n_sources++].name, name);
    return GT_OK;
}

static gt_status note_entry(gt_label_reader *r, DIR *folder, const char *path, const char *name)
{
    struct stat info;
    if (name[0] == '.' || fstatat(dirfd(folder), name, &info, 0) != 0) {
        return GT_OK;
    }
    if (!S_ISDIR(info.st_mode)) {
        r->n_images += S_ISREG(info.st_mode) && gt__image_format_by_name(name) != NULL;
        return GT_OK;
    }
    if (r->n_sources == GT_MAX_LABELS) {
        return gt__fail(GT_EFORMAT, "%s: more than %d sub-folders, one per label is expected", path,
                        GT_MAX_LABELS);
    }
    if (strlen(name) >= sizeof r->sources->name) {
        return gt__fail(GT_EFORMAT, "%s: the name of sub-folder %s is above %zu bytes", path, name,
                        sizeof r->sources->name - 1);
    }
    return add_source(r, name);
}

static int compare_names(const void *a, const void *b)
{
    const struct source *x = a;
    const struct source *y = b;
    return strcmp(x->name, y->name);
}

/* Sub-folders of a folder, sorted; what starts with a dot is the system's. */
static gt_status list_folders(gt_label_reader *r, const char *path)
{
    gt_status status = GT_OK;
    const struct dirent *entry = NULL;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return gt__image_io_error(path, "cannot be opened", errno);
    }
    while (errno = 0, (entry = readdir(folder)) != NULL) {
        GT_TRY_OUT(note_entry(r, folder, path, entry->d_name));
    }
    if (errno != 0) {
        status = gt__image_io_error(path, "cannot be read", errno);
    } else if (r->n_sources > 1) {
        qsort(r->sources, r->n_sources, sizeof *r->sources, compare_names);
    }
out:
    (void)closedir(folder);
    return status;
}

static gt_status check_folders(const gt_label_reader *r, const char *path, int32_t labels)
{
    if (r->n_images > 0) {
        return gt__fail(GT_EFORMAT,
                        "%s: %zu images beside %zu sub-folders; labels are either images or one "
                        "sub-folder each",
                        path, r->n_images, r->n_sources);
    }
    if (r->n_sources == 1) {
        return gt__fail(GT_EFORMAT, "%s: one sub-folder only (%s), expected one per label", path,
                        r->sources[0].name);
    }
    if (labels > 0 && r->n_sources > (size_t)labels) {
        return gt__fail(GT_EFORMAT, "%s: %zu sub-folders, %d labels wanted", path, r->n_sources,
                        labels);
    }
    return GT_OK;
}

static gt_status open_folder(gt_label_reader *r, size_t index, const char *path)
{
    struct gt_text text = {0};
    char *inner = NULL;
    gt__text_add(&text, "%s/%s", path, r->sources[index].name);
    GT_TRY(gt__text_take(&inner, &text));
    gt_status status = gt_image_reader_open(&r->sources[index].images, inner, &r->limits);
    gt__free(inner);
    GT_TRY(status);
    size_t pages = gt_image_reader_pages(r->sources[index].images);
    size_t wanted = gt_image_reader_pages(r->sources[0].images);
    if (pages != wanted) {
        return gt__fail(GT_ESHAPE, "%s: sub-folder %s has %zu pages, %s has %zu", path,
                        r->sources[0].name, wanted, r->sources[index].name, pages);
    }
    return GT_OK;
}

static gt_status open_sources(gt_label_reader *r, const char *path, int32_t labels)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        GT_TRY(list_folders(r, path));
    }
    if (r->n_sources == 0) {
        GT_TRY(add_source(r, ""));
        GT_TRY(gt_image_reader_open(&r->sources[0].images, path, &r->limits));
        gt_image_reader_keep_indices(r->sources[0].images);
        return GT_OK;
    }
    GT_TRY(check_folders(r, path, labels));
    r->folders = true;
    r->rest = labels != 2 && r->n_sources < (size_t)labels;
    for (size_t i = 0; i < r->n_sources; i++) {
        GT_TRY(open_folder(r, i, path));
    }
    return GT_OK;
}

gt_status gt_label_reader_open(gt_label_reader **out, const char *path, int32_t labels,
                               const gt_image_limits *limits)
{
    gt_label_reader *r = NULL;
    if (!out || !path || labels < 0 || labels > GT_MAX_LABELS) {
        return gt__fail(GT_EINVAL, "no path to read labels from, or %d labels", (int)labels);
    }
    GT_TRY(gt__alloc(&r, 1, sizeof *r, "label reader"));
    gt_image_limits_init(&r->limits);
    r->limits = limits ? *limits : r->limits;
    gt_status status = open_sources(r, path, labels);
    if (status != GT_OK) {
        gt_label_reader_free(r);
        return status;
    }
    *out = r;
    return GT_OK;
}

void gt_label_reader_free(gt_label_reader *reader)
{
    if (reader) {
        for (size_t i = 0; i < reader->n_sources; i++) {
            gt_image_reader_free(reader->sources[i].images);
        }
        gt__free(reader->sources);
        gt__free(reader);
    }
}

/* ---- questions ---- */

size_t gt_label_reader_pages(const gt_label_reader *reader)
{
    return gt_image_reader_pages(reader->sources[0].images);
}

int32_t gt_label_reader_labels(const gt_label_reader *reader)
{
    return reader->folders ? (int32_t)reader->n_sources + reader->rest : 0;
}

const char *gt_label_reader_name(const gt_label_reader *reader, int32_t label)
{
    bool named = label >= 0 && (size_t)label < reader->n_sources;
    return named ? reader->sources[label].name : "";
}

gt_status gt_label_reader_page(gt_page_info *out, gt_label_reader *reader, size_t page)
{
    return gt_image_reader_page(out, reader->sources[0].images, page);
}

const char *gt_label_reader_file(const gt_label_reader *reader, size_t page, size_t *page_in_file)
{
    return gt_image_reader_file(reader->sources[0].images, page, page_in_file);
}

/* ---- reading ---- */

gt_status gt__label_row(uint16_t *dst, const float *row, int32_t width, int32_t y)
{
    for (int32_t x = 0; x < width; x++) {
        float v = row[x];
        if (!isfinite(v)) {
            return gt__fail(GT_ENUMERIC, "label %g at x %d, y %d", (double)v, x, y);
        }
        if (v < 0 || v >= GT_GREYS || v > floorf(v)) {
            return gt__fail(GT_EFORMAT, "label %g at x %d, y %d is not an integer from 0 to %d",
                            (double)v, x, y, GT_GREYS - 1);
        }
        dst[x] = (uint16_t)v;
    }
    return GT_OK;
}

/* A colour image whose three channels agree is a grey one. */
static gt_status check_grey(const gt_image_view *view)
{
    const float *v = view->data;
    size_t n = (size_t)view->width * (size_t)view->height;
    for (size_t i = 0; i < n && view->channels == 3; i++) {
        if (v[i] < v[i + n] || v[i] > v[i + n] || v[i] < v[i + 2 * n] || v[i] > v[i + 2 * n]) {
            return gt__fail(GT_EFORMAT,
                            "labels must be grey values, but this is a colour image: red %g, "
                            "green %g, blue %g at x %zu, y %zu",
                            (double)v[i], (double)v[i + n], (double)v[i + 2 * n],
                            i % (size_t)view->width, i / (size_t)view->width);
        }
    }
    return GT_OK;
}

/* Grey values of a page into the labels. */
static gt_status take_grey(const gt_image_view *to, const gt_image_view *from)
{
    int32_t *dst = to->data;
    size_t width = (size_t)to->width;
    uint16_t *row = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(check_grey(from));
    GT_TRY_OUT(gt__alloc_raw(&row, width, sizeof *row, "a row of labels"));
    for (int32_t y = 0; y < to->height; y++) {
        const float *src = (const float *)from->data + (size_t)y * width;
        GT_TRY_OUT(gt__label_row(row, src, to->width, y));
        for (size_t x = 0; x < width; x++) {
            dst[(size_t)y * width + x] = row[x];
        }
    }
out:
    gt__free(row);
    return status;
}

/* Pixels of a sub-folder's image get its label; the last one wins. */
static gt_status take_mask(const gt_image_view *to, const gt_image_view *from, int32_t label)
{
    int32_t *dst = to->data;
    const float *v = from->data;
    size_t n = (size_t)from->width * (size_t)from->height;
    if (to->width != from->width || to->height != from->height) {
        return gt__fail(GT_ESHAPE, "%d x %d pixels, the first label's image has %d x %d",
                        from->width, from->height, to->width, to->height);
    }
    for (size_t i = 0; i < n; i++) {
        bool in = v[i] > 0 || (from->channels == 3 && (v[i + n] > 0 || v[i + 2 * n] > 0));
        dst[i] = in ? label : dst[i];
    }
    return GT_OK;
}

/* Name the page a message is about. */
static gt_status name_page(gt_status status, const struct source *source, size_t page)
{
    if (status == GT_OK || status == GT_ENOMEM) {
        return status;
    }
    size_t in_file = 0;
    const char *file = gt_image_reader_file(source->images, page, &in_file);
    return gt__fail_prefix(status, "%s%s%s page %zu: ", source->name, source->name[0] ? "/" : "",
                           file, in_file + 1);
}

static gt_status take_source(const gt_image_view *to, gt_label_reader *r, size_t index, size_t page)
{
    gt_image *image = NULL;
    const struct source *source = &r->sources[index];
    GT_TRY(gt_image_reader_load(&image, source->images, page));
    gt_image_view from = gt_image_get_view(image);
    gt_status status = r->folders ? take_mask(to, &from, (int32_t)index) : take_grey(to, &from);
    gt_image_free(image);
    return name_page(status, source, page);
}

gt_status gt_label_reader_load(gt_image **out, gt_label_reader *reader, size_t page)
{
    gt_page_info info;
    gt_image *labels = NULL;
    gt_status status = GT_OK;
    GT_TRY(gt_label_reader_page(&info, reader, page));
    GT_TRY(gt_image_create(&labels, GT_I32, 1, info.height, info.width));
    gt_image_view view = gt_image_get_view(labels);
    int32_t *v = view.data;
    size_t n = (size_t)view.width * (size_t)view.height;
    for (size_t i = 0; i < n && reader->rest; i++) {
        v[i] = (int32_t)reader->n_sources;
    }
    for (size_t i = 0; i < reader->n_sources; i++) {
        GT_TRY_OUT(take_source(&view, reader, i, page));
    }
    *out = labels;
    labels = NULL;
out:
    gt_image_free(labels);
    return status;
}
