/* TIFF: the tags of a page, checked, and what they mean for reading it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_tiff.h"

#include <string.h>

static gt_status refuse(const struct gt_tiff *t, size_t page, const char *what, unsigned value)
{
    return gt__fail(GT_ENOTSUP, "%s: page %zu: %s %u is not supported", t->base.path, page + 1,
                    what, value);
}

static gt_status read_tags(struct gt_tiff *t, size_t page, struct gt_page_size *size)
{
    struct gt_tiff_page *p = &t->page;
    uint32_t width = 0;
    uint32_t height = 0;
    (void)TIFFGetField(t->tif, TIFFTAG_IMAGEWIDTH, &width);
    (void)TIFFGetField(t->tif, TIFFTAG_IMAGELENGTH, &height);
    (void)TIFFGetFieldDefaulted(t->tif, TIFFTAG_BITSPERSAMPLE, &p->bits);
    (void)TIFFGetFieldDefaulted(t->tif, TIFFTAG_SAMPLESPERPIXEL, &p->samples);
    (void)TIFFGetFieldDefaulted(t->tif, TIFFTAG_SAMPLEFORMAT, &p->format);
    (void)TIFFGetFieldDefaulted(t->tif, TIFFTAG_COMPRESSION, &p->compression);
    (void)TIFFGetFieldDefaulted(t->tif, TIFFTAG_PLANARCONFIG, &p->planar);
    p->photometric = PHOTOMETRIC_MINISBLACK;
    (void)TIFFGetField(t->tif, TIFFTAG_PHOTOMETRIC, &p->photometric);
    if (p->samples == 0 || p->bits == 0 || p->bits > 64) {
        return gt__fail(GT_EFORMAT, "%s: page %zu: %u samples of %u bits per pixel", t->base.path,
                        page + 1, p->samples, p->bits);
    }
    *size = (struct gt_page_size){width, height, ((uint64_t)width * p->samples * p->bits + 7) / 8};
    GT_TRY(gt__image_check_page(&t->base, page, size));
    p->info.width = (int32_t)width;
    p->info.height = (int32_t)height;
    if (p->samples == 1) {
        p->planar = PLANARCONFIG_CONTIG;
    }
    if (TIFFIsCODECConfigured(p->compression) != 1) {
        return refuse(t, page, "compression", p->compression);
    }
    return GT_OK;
}

/* Type of the samples. */
static gt_status find_type(struct gt_tiff *t, size_t page)
{
    struct gt_tiff_page *p = &t->page;
    bool is_float = p->format == SAMPLEFORMAT_IEEEFP;
    bool is_signed = p->format == SAMPLEFORMAT_INT;
    p->packed = false;
    if (p->format > SAMPLEFORMAT_VOID) {
        return refuse(t, page, "sample format", p->format);
    }
    if (is_float && p->bits == 32) {
        p->type = GT_F32;
    } else if (is_float && p->bits == 64) {
        p->type = GT_F64;
    } else if (!is_float && p->bits == 8) {
        p->type = is_signed ? GT_I8 : GT_U8;
    } else if (!is_float && p->bits == 16) {
        p->type = is_signed ? GT_I16 : GT_U16;
    } else if (!is_float && p->bits == 32) {
        p->type = is_signed ? GT_I32 : GT_U32;
    } else if (!is_float && !is_signed && p->bits < 16) {
        p->type = GT_U16;
        p->packed = true;
    } else {
        return gt__fail(GT_ENOTSUP, "%s: page %zu: %s of %u bits are not supported", t->base.path,
                        page + 1, is_float ? "floats" : "integers", p->bits);
    }
    p->info.type = p->packed && p->bits < 8 ? GT_U8 : p->type;
    return GT_OK;
}

/* Palette to floats 0 to 255; writers of old stored 8-bit entries, the standard says 16 bits. */
static gt_status read_palette(struct gt_tiff *t, size_t page)
{
    struct gt_tiff_page *p = &t->page;
    uint16_t *map[3] = {NULL, NULL, NULL};
    bool wide = false;
    bool grey = true;
    if (TIFFGetField(t->tif, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]) != 1 || p->bits > 16 ||
        (p->type != GT_U8 && p->type != GT_U16)) {
        return gt__fail(GT_EFORMAT, "%s: page %zu: palette image of %u bits without a palette",
                        t->base.path, page + 1, p->bits);
    }
    if (t->lut == NULL) {
        GT_TRY(gt__alloc(&t->lut, (size_t)3 * 65536, sizeof *t->lut, "palette"));
    }
    size_t n = (size_t)1 << p->bits;
    for (size_t i = 0; i < n; ++i) {
        wide = wide || map[0][i] > 255 || map[1][i] > 255 || map[2][i] > 255;
        grey = grey && map[0][i] == map[1][i] && map[0][i] == map[2][i];
    }
    for (int c = 0; c < 3; ++c) {
        for (size_t i = 0; i < n; ++i) {
            t->lut[(size_t)c * 65536 + i] = (float)(wide ? map[c][i] >> 8 : map[c][i]);
        }
    }
    p->info.channels = 1;
    if (t->base.indices && !grey) {
        return GT_OK;
    }
    p->info.type = GT_U8;
    p->info.channels = grey ? 1 : 3;
    p->palette = true;
    return GT_OK;
}

/* Colour channels; what is beyond them is alpha and is dropped. */
static gt_status find_channels(struct gt_tiff *t, size_t page)
{
    struct gt_tiff_page *p = &t->page;
    p->invert = false;
    p->palette = false;
    switch (p->photometric) {
    case PHOTOMETRIC_PALETTE:
        return read_palette(t, page);
    case PHOTOMETRIC_RGB:
        if (p->samples < 3) {
            return gt__fail(GT_EFORMAT, "%s: page %zu: RGB with %u samples per pixel", t->base.path,
                            page + 1, p->samples);
        }
        p->info.channels = 3;
        return GT_OK;
    case PHOTOMETRIC_MINISWHITE:
        p->invert = p->format == SAMPLEFORMAT_UINT || p->format == SAMPLEFORMAT_VOID;
        break;
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MASK:
        break;
    default:
        return refuse(t, page, "photometric interpretation", p->photometric);
    }
    if (p->samples > 3) {
        return gt__fail(GT_ENOTSUP,
                        "%s: page %zu: %u grey samples per pixel, expected 1, 2 (alpha) or 3",
                        t->base.path, page + 1, p->samples);
    }
    p->info.channels = p->samples == 3 ? 3 : 1;
    return GT_OK;
}

static gt_status find_tiles(struct gt_tiff *t, size_t page)
{
    struct gt_tiff_page *p = &t->page;
    uint32_t height = 0;
    (void)TIFFGetField(t->tif, TIFFTAG_TILEWIDTH, &p->tile_width);
    (void)TIFFGetField(t->tif, TIFFTAG_TILELENGTH, &height);
    uint64_t row = TIFFTileRowSize64(t->tif);
    uint64_t bytes = TIFFTileSize64(t->tif);
    uint64_t wanted = ((uint64_t)p->tile_width * (uint64_t)p->interleave * p->bits + 7) / 8;
    if (p->tile_width == 0 || height == 0 || row != wanted || bytes / height != row) {
        return gt__tiff_fail(t, page, "impossible tiles");
    }
    if ((uint64_t)p->tile_width * (uint64_t)p->interleave * p->bits % 8 != 0) {
        return refuse(t, page, "for packed samples a tile width of", p->tile_width);
    }
    uint64_t across = ((uint64_t)p->info.width + p->tile_width - 1) / p->tile_width;
    uint64_t band = 0;
    if (__builtin_mul_overflow(bytes, across * (uint64_t)p->planes, &band)) {
        band = UINT64_MAX;
    }
    GT_TRY(gt__image_check_decode(&t->base, page, band));
    p->access = GT_TIFF_BAND;
    p->band_rows = height;
    p->tile_row_bytes = (size_t)row;
    p->tile_bytes = (size_t)bytes;
    t->band_stride = (size_t)(row * across);
    return GT_OK;
}

static gt_status find_strips(struct gt_tiff *t, size_t page)
{
    struct gt_tiff_page *p = &t->page;
    uint16_t order = FILLORDER_MSB2LSB;
    (void)TIFFGetFieldDefaulted(t->tif, TIFFTAG_ROWSPERSTRIP, &p->band_rows);
    (void)TIFFGetFieldDefaulted(t->tif, TIFFTAG_FILLORDER, &order);
    uint32_t height = (uint32_t)p->info.height;
    p->band_rows = p->band_rows == 0 || p->band_rows > height ? height : p->band_rows;
    if (TIFFScanlineSize64(t->tif) != p->row_bytes) {
        return gt__tiff_fail(t, page, "rows of an unexpected size");
    }
    t->band_stride = p->row_bytes;
    if (p->compression == COMPRESSION_NONE && order == FILLORDER_MSB2LSB) {
        p->access = GT_TIFF_RAW;
        return GT_OK;
    }
    p->access = p->planes == 1 ? GT_TIFF_SCAN : GT_TIFF_BAND;
    if (p->access == GT_TIFF_BAND) {
        return gt__image_check_decode(&t->base, page,
                                      (uint64_t)p->row_bytes * p->band_rows * (uint64_t)p->planes);
    }
    return GT_OK;
}

static gt_status find_layout(struct gt_tiff *t, size_t page)
{
    struct gt_tiff_page *p = &t->page;
    bool separate = p->planar == PLANARCONFIG_SEPARATE;
    p->planes = separate && !p->palette ? p->info.channels : 1;
    p->interleave = separate ? 1 : p->samples;
    p->row_bytes = (size_t)(((uint64_t)p->info.width * (uint64_t)p->interleave * p->bits + 7) / 8);
    return TIFFIsTiled(t->tif) ? find_tiles(t, page) : find_strips(t, page);
}

gt_status gt__tiff_select(struct gt_tiff *t, size_t page)
{
    struct gt_tiff_page *p = &t->page;
    struct gt_page_size size;
    if (t->selected && (t->index == page || t->raw_stack)) {
        t->index = page;
        return GT_OK;
    }
    t->selected = false;
    t->band_index = -1;
    t->scan_next = -1;
    t->message[0] = '\0';
    if (TIFFSetSubDirectory(t->tif, t->offsets[page]) != 1) {
        return gt__tiff_fail(t, page, "its directory is damaged");
    }
    memset(p, 0, sizeof *p);
    GT_TRY(read_tags(t, page, &size));
    if (p->photometric == PHOTOMETRIC_YCBCR) {
        if (p->compression != COMPRESSION_JPEG || p->planar != PLANARCONFIG_CONTIG ||
            TIFFSetField(t->tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB) != 1) {
            return refuse(t, page, "YCbCr colour with compression", p->compression);
        }
        p->photometric = PHOTOMETRIC_RGB;
    }
    GT_TRY(find_type(t, page));
    GT_TRY(find_channels(t, page));
    GT_TRY(find_layout(t, page));
    t->index = page;
    t->selected = true;
    return GT_OK;
}
