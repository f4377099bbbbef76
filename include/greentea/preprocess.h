/* Greentea: what is done to an image before the network sees it. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GREENTEA_PREPROCESS_H
#define GREENTEA_PREPROCESS_H

#include <greentea/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How the values of an image are scaled. All channels share one scale. */
typedef enum gt_normalise {
    GT_NORMALISE_MINMAX,     /**< minimum to -1, maximum to 1; a constant image to -1 */
    GT_NORMALISE_MEANVAR,    /**< mean to 0, variance to 1; a constant image to 0 */
    GT_NORMALISE_PERCENTILE, /**< percentile `low` to -1, `high` to 1, values beyond cut to -1 and
                                1; all to -1 where the two are equal. Percentiles are exact for any
                                type: linear between the two nearest values, as NumPy's default */
    GT_NORMALISE_NONE        /**< values as they are: 8-bit 0 to 255 (the tool of 2015 divided them
                                by 255) */
} gt_normalise;

/** Where the statistics of the scale come from. Never from a tile or a patch. */
typedef enum gt_scope {
    GT_SCOPE_IMAGE, /**< each image (page) has its own */
    GT_SCOPE_STACK  /**< all pages of the path that is loaded or processed share one; an image that
                       comes alone is its own stack */
} gt_scope;

/**
 * The preprocessing of images, in this order: crop, CLAHE, Gaussian filter, normalisation; then the
 * network's border is mirrored. Training and labelling share the code, so equal pixels give equal
 * bits; the model file keeps what the model was trained with.
 */
typedef struct gt_preprocess {
    gt_normalise normalise; /**< default GT_NORMALISE_MINMAX */
    gt_scope scope;         /**< default GT_SCOPE_IMAGE */
    double low, high;       /**< of percentile, in percent, 0 <= low < high <= 100; default 1, 99 */
    /** CLAHE (contrast-limited adaptive histogram equalisation) of every channel of every page:
     *  clip limit in mean bin counts, 0 (default): no CLAHE; 4 is usual. Pages whose values are all
     *  integers from 0 to 255 are treated as OpenCV 3.4 and later treat 8 bits, bit for bit: 256
     *  bins, of the counts cut off what does not divide by 256 is spread with equal stride (older
     *  ones: over the first bins). Other pages: 256 bins from minimum to maximum of the page, the
     *  lookup linear between bins and not rounded. Results are from 0 to 255.
     *  Source: Zuiderveld 1994, Graphics Gems IV, 474-485. */
    double clahe;
    int32_t clahe_grid; /**< tiles along each axis, 1 to 64; default 8 */
    double smooth; /**< standard deviation of a Gaussian filter in pixels, 0.1 to 50, cut at 3 of
                           them, border mirrored with the edge pixel; 0 (default): none */
    /** Rectangle of the image that is kept, in pixels; width and height 0 (default): all. Labels
     *  are cropped likewise in training; in processing the result covers the rectangle. */
    int32_t crop_x, crop_y, crop_width, crop_height;
} gt_preprocess;

/** Write the defaults. */
GT_API void gt_preprocess_init(gt_preprocess *options);

/** GT_EINVAL  a field is out of range; the message gives it. */
GT_API gt_status gt_preprocess_check(const gt_preprocess *options);

/** Are all images treated alike by a and b? 1 or 0; fields that have no effect do not count. */
GT_API int gt_preprocess_equal(const gt_preprocess *a, const gt_preprocess *b);

/**
 * Size of what is left of an image of width x height pixels: that of the crop rectangle, else the
 * same.
 * GT_ESHAPE  the rectangle does not lie inside the image
 */
GT_API gt_status gt_preprocess_size(int32_t *out_width, int32_t *out_height,
                                    const gt_preprocess *options, int32_t width, int32_t height);

/**
 * Copy the part of an image (or of its labels) that cropping keeps.
 * out  receives a new dense image of the type and the channels of `in`; the caller owns it
 * GT_ESHAPE  the rectangle does not lie inside the image; GT_ENOMEM
 */
GT_API gt_status gt_preprocess_crop(gt_image **out, const gt_preprocess *options,
                                    const gt_image_view *in);

/** Rows of an image that is read as it is needed. Values may have any scale. */
typedef struct gt_row_source {
    int32_t width, height, channels;
    /** Fill dst [channels][rows][width] with rows y to y + rows - 1. The image is read from top to
     *  bottom once for the values themselves and before that once for every statistic wanted
     *  (min-max and mean-variance 1, percentile 1 for 8 bits and else 2, CLAHE 2 more; for pages
     *  that share their statistics CLAHE reads 2 more times in every one of these rounds). Labelling
     *  reads with overlaps where the border is mirrored, and where tiles become smaller because a
     *  device has too little memory it goes back by a row of tiles. */
    gt_status (*read)(void *cookie, int32_t y, int32_t rows, float *dst);
    void *cookie;
} gt_row_source;

/** Pages that share their statistics (GT_SCOPE_STACK). */
typedef struct gt_page_source {
    size_t pages; /**< at least 1 */
    /** Describe page `page` (0 to pages - 1); it is read before the next one is asked for, and asked
     *  for once in every round of reading. A status other than GT_OK ends the work. */
    gt_status (*page)(void *cookie, size_t page, gt_row_source *out);
    void *cookie;
} gt_page_source;

#ifdef __cplusplus
}
#endif
#endif
