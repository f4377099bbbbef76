/* Segmentations against segmentations. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/evaluate.h"

#include <stdlib.h>

enum { TRUTH, SEGMENTATION };

struct comparing {
    const struct evaluate_flags *flags;
    const char *path[2];
    gt_image_reader *reader[2];
    bool components[2]; /* masks, whose components are the segments */
    gt_overlap *volume;
    gt_partition_scores *slice;
    bool *counts; /* the slice has a truth */
    size_t slices;
    struct progress progress;
};

/* Images come as floats, which hold whole numbers up to here. */
static const float MOST = 16777216.0f;

static int load_page(gt_image **out, struct comparing *c, int which, size_t page)
{
    gt_image *image = NULL;
    gt_status status = gt_image_reader_load(&image, c->reader[which], page);
    if (status != GT_OK) {
        return tool_fail(status, ABOUT_INPUT);
    }
    gt_image_view v = gt_image_get_view(image);
    size_t n = (size_t)v.width * (size_t)v.height;
    int code = 0;
    if (v.channels != 1) {
        fprintf(stderr, "greentea: %s: page %zu has %d samples, segments are numbers in 1\n",
                c->path[which], page + 1, v.channels);
        code = EXIT_INPUT;
    }
    for (size_t i = 0; i < n && code == 0; i++) {
        if (((const float *)v.data)[i] >= MOST) {
            fprintf(stderr,
                    "greentea: %s: page %zu holds %.0f, numbers of segments are read exactly "
                    "below 16777216 only\n",
                    c->path[which], page + 1, (double)((const float *)v.data)[i]);
            code = EXIT_INPUT;
        }
    }
    if (code) {
        gt_image_free(image);
        return code;
    }
    *out = image;
    return 0;
}

/* Masks are numbered, borders of the truth left out, where it was asked for. */
static int prepare(gt_image **image, const struct comparing *c, int which, size_t slice)
{
    gt_image *next = NULL;
    gt_status status = GT_OK;
    if (c->components[which]) {
        gt_image_view v = gt_image_get_view(*image);
        status = gt_image_components(&next, &v);
    }
    if (status == GT_OK && next) {
        gt_image_free(*image);
        *image = next;
        next = NULL;
    }
    if (status == GT_OK && which == TRUTH && c->flags->border >= 0.0) {
        gt_image_view v = gt_image_get_view(*image);
        status = gt_image_mask_borders(&next, &v, c->flags->border);
    }
    if (status == GT_OK && next) {
        gt_image_free(*image);
        *image = next;
    }
    return status == GT_OK ? 0 : evaluate_fail(status, slice);
}

static gt_status compare(struct comparing *c, size_t slice, const gt_image_view *truth,
                         const gt_image_view *segmentation)
{
    gt_overlap *one = NULL;
    gt_status status = gt_overlap_add(c->volume, truth, segmentation);
    if (status == GT_OK) {
        status = gt_overlap_create(&one);
    }
    if (status == GT_OK) {
        status = gt_overlap_add(one, truth, segmentation);
    }
    if (status == GT_OK) {
        status = gt_overlap_scores(&c->slice[slice], one);
        c->counts[slice] = status == GT_OK;
        status = status == GT_EINVAL ? GT_OK : status; /* no truth in this slice */
    }
    gt_overlap_free(one);
    return status;
}

static int add_slice(struct comparing *c, size_t slice)
{
    gt_image *image[2] = {NULL, NULL};
    int code = load_page(&image[TRUTH], c, TRUTH, slice);
    code = code ? code : load_page(&image[SEGMENTATION], c, SEGMENTATION, slice);
    for (int i = 0; i < 2 && code == 0; i++) {
        code = prepare(&image[i], c, i, slice);
    }
    if (code == 0) {
        gt_image_view t = gt_image_get_view(image[TRUTH]);
        gt_image_view s = gt_image_get_view(image[SEGMENTATION]);
        gt_status status = compare(c, slice, &t, &s);
        code = status == GT_OK ? 0 : evaluate_fail(status, slice);
    }
    gt_image_free(image[TRUTH]);
    gt_image_free(image[SEGMENTATION]);
    return code;
}

static gt_partition_scores mean_of(const struct comparing *c)
{
    gt_partition_scores mean = {.v_rand = 0.0};
    double n = 0.0;
    for (size_t i = 0; i < c->slices; i++) {
        n += c->counts[i];
    }
    for (size_t i = 0; i < c->slices; i++) {
        const gt_partition_scores *s = &c->slice[i]; /* zeros where nothing counts */
        mean.v_rand += s->v_rand / n;
        mean.v_rand_split += s->v_rand_split / n;
        mean.v_rand_merge += s->v_rand_merge / n;
        mean.v_info += s->v_info / n;
        mean.voi_split += s->voi_split / n;
        mean.voi_merge += s->voi_merge / n;
        mean.adapted_rand += s->adapted_rand / n;
        mean.adapted_rand_cremi += s->adapted_rand_cremi / n;
        mean.cremi += s->cremi / n;
    }
    return mean;
}

static int print(const struct comparing *c)
{
    gt_partition_scores volume;
    gt_status status = gt_overlap_scores(&volume, c->volume);
    if (status != GT_OK) {
        fprintf(stderr, "greentea: %s: %s\n", c->path[TRUTH], gt_error_message());
        return status == GT_ENOMEM ? EXIT_DEVICE : EXIT_INPUT;
    }
    gt_partition_scores mean = mean_of(c);
    /* Components are numbered anew in every slice. */
    bool numbered = !c->components[TRUTH] && !c->components[SEGMENTATION];
    if (c->flags->json) {
        return evaluate_json_partitions(numbered ? &volume : NULL, &mean,
                                        c->flags->per_slice ? c->slice : NULL, c->counts,
                                        c->slices);
    }
    printf("%zu slices; VOI in bits; ARE: adapted Rand error (SNEMI3D), ARE-C: as CREMI's script;\n"
           "CREMI: root of VOI * ARE-C%s\n\n"
           "slice   V_Rand  split   merge   V_Info  VOIsplit  VOImerge  ARE     ARE-C   CREMI\n",
           c->slices, numbered ? "; volume: equal numbers are one segment in all slices" : "");
    for (size_t i = 0; i < c->slices && c->flags->per_slice; i++) {
        char head[24];
        snprintf(head, sizeof head, "%zu", i + 1);
        if (c->counts[i]) {
            evaluate_text_partition(&c->slice[i], head);
        } else {
            printf("%-6s  no truth\n", head);
        }
    }
    evaluate_text_partition(&mean, "mean");
    if (numbered) {
        evaluate_text_partition(&volume, "volume");
    }
    return 0;
}

static int open_all(struct comparing *c)
{
    static const char *const which[] = {"truth", "segmentation", "both", NULL};
    const char *text = c->flags->components;
    int masks = text ? tool_choice(text, which) : -1;
    if (text && masks < 0) {
        return tool_usage("--components is '%s', expected truth, segmentation or both", text);
    }
    c->components[TRUTH] = masks == 0 || masks == 2;
    c->components[SEGMENTATION] = masks == 1 || masks == 2;
    for (int i = 0; i < 2; i++) {
        gt_status status = gt_image_reader_open(&c->reader[i], c->path[i], NULL);
        if (status != GT_OK) {
            return tool_fail(status, ABOUT_INPUT);
        }
        gt_image_reader_keep_indices(c->reader[i]);
    }
    size_t pages = gt_image_reader_pages(c->reader[TRUTH]);
    size_t other = gt_image_reader_pages(c->reader[SEGMENTATION]);
    if (pages != other) {
        fprintf(stderr, "greentea: %s has %zu pages, %s %zu\n", c->path[TRUTH], pages,
                c->path[SEGMENTATION], other);
        return EXIT_INPUT;
    }
    c->slice = calloc(pages, sizeof *c->slice);
    c->counts = calloc(pages, sizeof *c->counts);
    if (!c->slice || !c->counts) {
        fprintf(stderr, "greentea: no memory for the scores of %zu slices\n", pages);
        return EXIT_DEVICE;
    }
    gt_status status = gt_overlap_create(&c->volume);
    c->slices = status == GT_OK ? pages : 0;
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
}

int evaluate_segments(const struct evaluate_flags *f)
{
    struct comparing c = {.flags = f, .path = {f->labels, f->segmentation}};
    int code = progress_open(&c.progress, f->progress, f->quiet, NULL);
    code = code ? code : open_all(&c);
    for (size_t i = 0; i < c.slices && code == 0; i++) {
        code = add_slice(&c, i);
        evaluate_progress(&c.progress, i + 1, c.slices);
    }
    code = code ? code : print(&c);
    gt_overlap_free(c.volume);
    free(c.counts);
    free(c.slice);
    gt_image_reader_free(c.reader[TRUTH]);
    gt_image_reader_free(c.reader[SEGMENTATION]);
    return code;
}
