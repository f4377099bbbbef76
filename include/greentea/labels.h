/* Greentea: label images and their balance. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GREENTEA_LABELS_H
#define GREENTEA_LABELS_H

#include <greentea/image.h>
#include <greentea/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reading ---- */

/**
 * Label images as a sequence of pages, in one of two layouts.
 * One image per page: a file, a multi-page file or a folder of images as for
 * gt_image_reader_open(); the grey values stand for the labels.
 * One sub-folder per label: a folder that holds folders and no images. Sorted by name, sub-folder
 * k is label k; page j of each belongs to page j of the others. A pixel has the label of the last
 * sub-folder whose image is above 0 there, and label 0 where none is. Where fewer sub-folders
 * exist than labels are wanted, and these are not 2, pixels of no sub-folder have the next label
 * instead (the original subtracted the sum of all images from 255, so that images of 0 and 1 gave
 * that label to every pixel).
 */
typedef struct gt_label_reader gt_label_reader;

/**
 * Open label images.
 * out     receives the reader; the caller owns it; free with gt_label_reader_free()
 * labels  labels wanted, 0 if any; needed in the second layout only
 * limits  NULL means the defaults
 * GT_EFORMAT  images beside sub-folders, one sub-folder only, or more of them than labels;
 * GT_ESHAPE  sub-folders of different numbers of pages; as gt_image_reader_open() fails
 */
GT_API gt_status gt_label_reader_open(gt_label_reader **out, const char *path, int32_t labels,
                                      const gt_image_limits *limits);

/** Number of pages, at least 1. */
GT_API size_t gt_label_reader_pages(const gt_label_reader *reader);

/** Labels given by sub-folders, pixels of none included; 0: grey values stand for labels. */
GT_API int32_t gt_label_reader_labels(const gt_label_reader *reader);

/** Name of the sub-folder of a label, "" if there is none; lives as long as the reader. */
GT_API const char *gt_label_reader_name(const gt_label_reader *reader, int32_t label);

/** Size and type of a page (of its first sub-folder). */
GT_API gt_status gt_label_reader_page(gt_page_info *out, gt_label_reader *reader, size_t page);

/** File name (without folder) and index inside that file of a page (of the first sub-folder). */
GT_API const char *gt_label_reader_file(const gt_label_reader *reader, size_t page,
                                        size_t *page_in_file);

/**
 * Read a page.
 * out  receives a new GT_I32 image of one channel, which the caller owns: grey values, or the
 *      indices of labels where sub-folders give them
 * GT_EFORMAT  fractions, values outside 0 to 65535, or colours (a colour image is fine where its
 * channels agree), naming the pixel; GT_ESHAPE  images of sub-folders differ in size; GT_ENOMEM
 */
GT_API gt_status gt_label_reader_load(gt_image **out, gt_label_reader *reader, size_t page);

/** Release. NULL is accepted. */
GT_API void gt_label_reader_free(gt_label_reader *reader);

/* ---- consolidation ---- */

/** Several labels of the images (fine ones) become one label of the network. */
typedef struct gt_consolidation {
    int32_t fine; /**< number of fine labels; 0 (default): labels stay as they are */
    int32_t label[GT_MAX_LABELS]; /**< label of the network for each fine one, from 0; -1: ignored.
                                       No label below the largest may be missing */
} gt_consolidation;

/* ---- balance ---- */

/**
 * What is done when some labels are rare (Tschopp 2015, arXiv:1509.03371). Frequencies are over
 * pixels, each counted as often as patches hold it: per axis min(x + 1, W - x, P, W - P + 1) for
 * patches of side P (the original left out the first row and column); images of all sizes count.
 * A label that does not occur changes nothing (the original divided by its frequency of 0).
 */
typedef enum gt_equalise {
    GT_EQUALISE_NONE,
    GT_EQUALISE_MASK,  /**< pixels of frequent labels are ignored at random, so that all labels
                            count equally often */
    GT_EQUALISE_PRIOR, /**< patches that hold more of rare labels are drawn more often: weight
                            sum over its pixels of 1 / frequency of the pixel's label */
    GT_EQUALISE_BOTH
} gt_equalise;

/** Weights of masking. */
typedef struct gt_equalise_options {
    float label_boost[GT_MAX_LABELS]; /**< how often a label counts, relative to the others, in the
                                           order of the fine labels; above 0; default 1 */
    float border_boost;   /**< pixels at borders are kept so many times as often as pixels of the
                               same label away from them, at the same share of the label; above 0;
                               default 1 */
    int32_t border_width; /**< at a border: a pixel of another label, ignored ones apart, lies in
                               the patch at most so many pixels away, along rows, columns or
                               diagonals; 1 to 1024, default 2 */
} gt_equalise_options;

/** How often a label occurs. */
typedef struct gt_label_share {
    char name[64]; /**< of its sub-folder, "" if there is none */
    int32_t grey;  /**< its value in label images; -1: none */
    int32_t label; /**< label of the network that it becomes; -1: ignored */
    double images; /**< share of the labelled pixels of patches that are drawn uniformly */
    double drawn;  /**< the same for patches as they are drawn */
    double kept;   /**< the same without the pixels that masking ignores */
} gt_label_share;

#ifdef __cplusplus
}
#endif
#endif
