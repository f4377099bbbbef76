/* Greentea: images in memory and in files. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GREENTEA_IMAGE_H
#define GREENTEA_IMAGE_H

#include <greentea/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Type of one sample in the caller's memory. */
typedef enum gt_type { GT_U8, GT_I8, GT_U16, GT_I16, GT_U32, GT_I32, GT_F32, GT_F64 } gt_type;

/**
 * Somebody else's pixels. Sample (c, y, x) lies `c*stride_c + y*stride_y + x*stride_x` bytes behind
 * data. Strides may be negative; planar, interleaved and cropped images are all views.
 */
typedef struct gt_image_view {
    void *data;
    gt_type type;
    int32_t width, height, channels;
    ptrdiff_t stride_x, stride_y, stride_c;
} gt_image_view;

/** An image that the library owns: [C][H][W], dense. Free with gt_image_free(). */
typedef struct gt_image gt_image;

/** Limits on what is read from files; checked before anything is decoded. */
typedef struct gt_image_limits {
    uint64_t max_pixels;       /**< pixels of one page; default 2^33 */
    uint32_t max_side;         /**< width and height; default 2^20 */
    uint32_t max_pages;        /**< pages of one file or folder; default 65536 */
    uint32_t max_expansion;    /**< decoded bytes of a page per file byte, for pages
                                  above 64 MiB; default 1000, 0: any */
    uint64_t max_decode_bytes; /**< one allocation made while decoding; default 2^30 */
} gt_image_limits;

/** Write the defaults. */
GT_API void gt_image_limits_init(gt_image_limits *limits);

/** Bytes of one sample of a type. */
GT_API size_t gt_type_size(gt_type type);

/** Describe dense planar memory [channels][height][width] as a view. */
GT_API gt_image_view gt_image_view_planar(void *data, gt_type type, int32_t channels,
                                          int32_t height, int32_t width);

/**
 * Make an image of zeros, [channels][height][width].
 * GT_EINVAL  a size below 1; GT_ENOMEM
 */
GT_API gt_status gt_image_create(gt_image **out, gt_type type, int32_t channels, int32_t height,
                                 int32_t width);

/** The pixels of an image; the view lives as long as the image. */
GT_API gt_image_view gt_image_get_view(const gt_image *image);

/** Release. NULL is accepted. */
GT_API void gt_image_free(gt_image *image);

/* ---- reading: files, multi-page files and folders as a sequence of pages ---- */

/** A file, a multi-page TIFF or a folder of images, opened as a sequence of pages. */
typedef struct gt_image_reader gt_image_reader;

/**
 * What a TIFF says about its voxels, for copying it from an input to an output: the tags of the
 * resolution and what ImageJ notes. Numbers of ImageJ's description are kept as its text, so that
 * none changes on the way.
 */
typedef struct gt_image_meta {
    float x_resolution, y_resolution; /**< pixels per unit; 0: unknown */
    int32_t resolution_unit; /**< TIFF's number: 1 as `unit` says, 2 inch, 3 cm; 0: unknown */
    char unit[32];           /**< "micron"; "": unknown */
    char spacing[32];        /**< between slices, in units: "0.05"; "": unknown */
    char frame_interval[32]; /**< seconds between frames (ImageJ's finterval); "": unknown */
    int32_t channels, slices, frames; /**< of the hyperstack, channels fastest, frames slowest;
                                         their product is the pages of the file */
} gt_image_meta;

typedef struct gt_page_info {
    int32_t width, height;
    int32_t
        channels; /**< 1 or 3: palettes are expanded to RGB (1 if all entries are grey), alpha is
                     dropped */
    gt_type type; /**< type in the file */
} gt_page_info;

/**
 * Open `path`: a TIFF or PNG file, or a folder whose .tif .tiff .png files (any case, in
 * lexicographic order of their names, others skipped) give their pages one after the other.
 * ImageJ's hyperstacks with several channels appear as pages in file order.
 * limits  NULL means the defaults
 * out     receives the reader; the caller owns it; free with gt_image_reader_free()
 * GT_EIO  cannot be opened or read; GT_EFORMAT  not an image, or damaged; GT_ELIMIT  a limit
 */
GT_API gt_status gt_image_reader_open(gt_image_reader **out, const char *path,
                                      const gt_image_limits *limits);

/** Number of pages, at least 1. */
GT_API size_t gt_image_reader_pages(const gt_image_reader *reader);

/** Channels of the hyperstack that ImageJ noted in the file (1 if none): page = slice*channels +
 * c. */
GT_API int32_t gt_image_reader_hyperstack_channels(const gt_image_reader *reader);

/**
 * What the file that holds a page says about its voxels; for PNG only the slices (1) are known.
 * GT_EINVAL  no such page; GT_EIO, GT_EFORMAT  the file cannot be opened again
 */
GT_API gt_status gt_image_reader_meta(gt_image_meta *out, gt_image_reader *reader, size_t page);

/**
 * From now on pages with a palette of colours give its indices, in one channel, instead of the
 * colours: label maps. Palettes of greys still give the greys. Call it before other readings.
 */
GT_API void gt_image_reader_keep_indices(gt_image_reader *reader);

/** Size and type of a page. */
GT_API gt_status gt_image_reader_page(gt_page_info *out, gt_image_reader *reader, size_t page);

/** File name (without folder) and index inside that file of a page; for messages and outputs. */
GT_API const char *gt_image_reader_file(const gt_image_reader *reader, size_t page,
                                        size_t *page_in_file);

/**
 * Read rows y to y + rows - 1 of a page as float, values as in the file (8-bit: 0 to 255).
 * dst  [channels][rows][width], channels as in gt_page_info
 * Forward order is fast; going back may decode the page again.
 * GT_EINVAL  rows outside the page; GT_EFORMAT, GT_EIO; GT_ENUMERIC  NaN or infinity, naming the
 * pixel
 */
GT_API gt_status gt_image_reader_rows(gt_image_reader *reader, size_t page, int32_t y, int32_t rows,
                                      float *dst);

/** Read a whole page as a new GT_F32 image; the caller owns it. Errors as above, and GT_ENOMEM. */
GT_API gt_status gt_image_reader_load(gt_image **out, gt_image_reader *reader, size_t page);

/** Release. NULL is accepted. */
GT_API void gt_image_reader_free(gt_image_reader *reader);

/* ---- writing ---- */

/** A TIFF or PNG file being written; it appears under its name only when finished. */
typedef struct gt_image_writer gt_image_writer;

typedef struct gt_writer_options {
    gt_type type;                /**< GT_U8, GT_U16 or GT_F32 (TIFF only); default GT_F32 */
    int32_t width, height;       /**< of every page */
    int32_t channels;            /**< samples of a page, 1 or 3 (RGB); default 1 */
    size_t pages;                /**< pages that will be written; PNG: 1; default 1 */
    int32_t hyperstack_channels; /**< noted for ImageJ when above 1: pages are channels fastest */
    int32_t overwrite;           /**< 0 (default): an existing file is refused; 1: replaced */
    const char *const
        *channel_names;           /**< hyperstack_channels names or NULL; kept as slice labels */
    const unsigned char *palette; /**< [palette_entries][3] red, green, blue of the values 0, 1 ...;
                                       others are black; GT_U8 and 1 channel only; NULL: grey */
    int32_t palette_entries;      /**< 1 to 256 */
    const gt_image_meta *meta;    /**< kept in a TIFF; slices and frames only if hyperstack_channels
                                       * slices * frames is pages, else all are slices; NULL:
                                       nothing is known */
} gt_writer_options;

/** Write the defaults. */
GT_API void gt_writer_options_init(gt_writer_options *options);

/**
 * Start a file; the ending of `path` chooses the format (.tif .tiff .png). TIFF: strips, Deflate
 * for integers, uncompressed for float, BigTIFF when it may pass 4 GiB, readable by ImageJ.
 * GT_EINVAL  an option, an unknown ending, or the file exists and overwrite is 0; GT_EIO
 */
GT_API gt_status gt_image_writer_open(gt_image_writer **out, const char *path,
                                      const gt_writer_options *options);

/**
 * Append rows to the current page, which becomes the next one when it is full.
 * src  [channels][rows][width] float; integers are rounded to nearest and saturated
 */
GT_API gt_status gt_image_writer_rows(gt_image_writer *writer, int32_t rows, const float *src);

/**
 * Complete the file: all pages must have been written. Flushes, syncs, renames to the final name.
 * The writer must still be freed. GT_EINVAL  rows are missing; GT_EIO
 */
GT_API gt_status gt_image_writer_finish(gt_image_writer *writer);

/** Release; an unfinished file is removed. NULL is accepted. */
GT_API void gt_image_writer_free(gt_image_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
