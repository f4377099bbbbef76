/* TIFF: decoding rows and turning them into floats. SPDX-License-Identifier: BSD-2-Clause */
#include "image/convert.h"
#include "image/image_tiff.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static gt_status damaged(struct gt_tiff *t, uint32_t y)
{
    t->band_index = -1;
    t->scan_next = -1;
    return gt__fail(GT_EFORMAT, "%s: page %zu: row %u cannot be decoded%s%s", t->base.path,
                    t->index + 1, y, *t->message == '\0' ? "" : ": ", t->message);
}

/* ---- uncompressed strips ---- */

static gt_status read_fully(const struct gt_tiff *t, unsigned char *to, size_t n, uint64_t offset)
{
    while (n > 0) {
        ssize_t got = pread(t->fd, to, n, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return gt__image_io_error(t->base.path, "cannot be read", errno);
        }
        if (got == 0) {
            return gt__fail(GT_EFORMAT, "%s: page %zu: the file ends before its pixels do",
                            t->base.path, t->index + 1);
        }
        to += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return GT_OK;
}

/* Where row y of a plane lies; 0 if nowhere. */
static uint64_t raw_offset(const struct gt_tiff *t, int32_t plane, uint32_t y)
{
    const struct gt_tiff_page *p = &t->page;
    uint32_t height = (uint32_t)p->info.height;
    if (t->raw_stack) {
        return TIFFGetStrileOffset(t->tif, 0) +
               ((uint64_t)t->index * height + y) * (uint64_t)p->row_bytes;
    }
    uint32_t strips = (height - 1) / p->band_rows + 1;
    uint64_t start = TIFFGetStrileOffset(t->tif, (uint32_t)plane * strips + y / p->band_rows);
    return start == 0 ? 0 : start + (uint64_t)(y % p->band_rows) * p->row_bytes;
}

static void swap_bytes(unsigned char *row, size_t n, uint16_t bits)
{
    void *samples = row;
    if (bits == 16) {
        TIFFSwabArrayOfShort(samples, (tmsize_t)(n / 2));
    } else if (bits == 32) {
        TIFFSwabArrayOfLong(samples, (tmsize_t)(n / 4));
    } else if (bits == 64) {
        TIFFSwabArrayOfLong8(samples, (tmsize_t)(n / 8));
    }
}

static gt_status fetch_raw(struct gt_tiff *t, uint32_t y)
{
    const struct gt_tiff_page *p = &t->page;
    for (int32_t plane = 0; plane < p->planes; ++plane) {
        unsigned char *row = t->row + (size_t)plane * p->row_bytes;
        uint64_t offset = raw_offset(t, plane, y);
        if (offset == 0 || offset > t->base.bytes || t->base.bytes - offset < p->row_bytes) {
            return gt__fail(
                GT_EFORMAT,
                "%s: page %zu: row %u lies at byte %llu, outside the file of %llu bytes",
                t->base.path, t->index + 1, y, (unsigned long long)offset,
                (unsigned long long)t->base.bytes);
        }
        GT_TRY(read_fully(t, row, p->row_bytes, offset));
        if (TIFFIsByteSwapped(t->tif)) {
            swap_bytes(row, p->row_bytes, p->bits);
        }
    }
    return GT_OK;
}

/* ---- compressed strips: rows come in order, so those between are decoded and dropped ---- */

static gt_status fetch_scan(struct gt_tiff *t, uint32_t y)
{
    uint32_t band_rows = t->page.band_rows;
    uint32_t from = y - y % band_rows;
    if (t->scan_next >= (int64_t)from && t->scan_next <= (int64_t)y) {
        from = (uint32_t)t->scan_next;
    }
    t->message[0] = '\0';
    for (uint32_t row = from; row <= y; ++row) {
        if (TIFFReadScanline(t->tif, t->row, row, 0) != 1) {
            return damaged(t, row);
        }
    }
    t->scan_next = (int64_t)y + 1;
    return GT_OK;
}

/* ---- tiles, and compressed strips of separate planes ---- */

static gt_status decode_tiles(struct gt_tiff *t, uint32_t y, int32_t plane, unsigned char *to)
{
    const struct gt_tiff_page *p = &t->page;
    GT_TRY(gt__grow(&t->tile, &t->tile_capacity, p->tile_bytes, 1, "tile of an image"));
    for (uint32_t x = 0; x < (uint32_t)p->info.width; x += p->tile_width) {
        uint32_t index = TIFFComputeTile(t->tif, x, y, 0, (uint16_t)plane);
        tmsize_t got = TIFFReadEncodedTile(t->tif, index, t->tile, (tmsize_t)p->tile_bytes);
        if (got != (tmsize_t)p->tile_bytes) {
            return damaged(t, y);
        }
        size_t column = x / p->tile_width * p->tile_row_bytes;
        for (uint32_t i = 0; i < p->band_rows; ++i) {
            memcpy(to + i * t->band_stride + column, t->tile + i * p->tile_row_bytes,
                   p->tile_row_bytes);
        }
        if (p->tile_width > (uint32_t)p->info.width - x) {
            break; /* x + tile_width might not fit */
        }
    }
    return GT_OK;
}

static gt_status decode_strip(struct gt_tiff *t, uint32_t y, int32_t plane, unsigned char *to)
{
    const struct gt_tiff_page *p = &t->page;
    uint32_t left = (uint32_t)p->info.height - y;
    size_t bytes = (left < p->band_rows ? left : p->band_rows) * p->row_bytes;
    uint32_t index = TIFFComputeStrip(t->tif, y, (uint16_t)plane);
    if (TIFFReadEncodedStrip(t->tif, index, to, (tmsize_t)bytes) != (tmsize_t)bytes) {
        return damaged(t, y);
    }
    return GT_OK;
}

static gt_status fetch_band(struct gt_tiff *t, uint32_t y)
{
    const struct gt_tiff_page *p = &t->page;
    uint32_t band = y / p->band_rows;
    size_t plane_bytes = t->band_stride * p->band_rows;
    if (t->band_index != (int64_t)band) {
        GT_TRY(gt__grow(&t->band, &t->band_capacity, plane_bytes * (size_t)p->planes, 1,
                        "band of an image"));
        t->band_index = -1;
        t->message[0] = '\0';
        for (int32_t plane = 0; plane < p->planes; ++plane) {
            unsigned char *to = t->band + plane_bytes * (size_t)plane;
            GT_TRY(TIFFIsTiled(t->tif) ? decode_tiles(t, band * p->band_rows, plane, to)
                                       : decode_strip(t, band * p->band_rows, plane, to));
        }
        t->band_index = band;
    }
    for (int32_t plane = 0; plane < p->planes; ++plane) {
        memcpy(t->row + (size_t)plane * p->row_bytes,
               t->band + plane_bytes * (size_t)plane + (y % p->band_rows) * t->band_stride,
               p->row_bytes);
    }
    return GT_OK;
}

/* ---- samples to floats ---- */

/* Samples of 1 to 15 bits, most significant first, to 16 bits. */
static void unpack(uint16_t *to, const unsigned char *from, size_t n, unsigned bits)
{
    uint32_t pending = 0;
    unsigned have = 0;
    for (size_t i = 0; i < n; ++i) {
        while (have < bits) {
            pending = pending << 8 | *from++;
            have += 8;
        }
        have -= bits;
        to[i] = (uint16_t)(pending >> have & ((1u << bits) - 1));
        pending &= (1u << have) - 1;
    }
}

static void convert_channel(const struct gt_tiff *t, int32_t c, const void *samples, float *dst)
{
    const struct gt_tiff_page *p = &t->page;
    size_t width = (size_t)p->info.width;
    size_t size = gt_type_size(p->type);
    bool together = p->planes == 1 && !p->palette;
    const unsigned char *from = (const unsigned char *)samples + (together ? (size_t)c * size : 0);
    gt__samples_to_float(dst, width, from, (ptrdiff_t)(size * (size_t)p->interleave), p->type);
    if (p->palette) {
        for (size_t x = 0; x < width; ++x) {
            dst[x] = t->lut[(size_t)c * 65536 + (size_t)dst[x]];
        }
    } else if (p->invert) {
        double top = (double)((UINT64_C(1) << p->bits) - 1);
        for (size_t x = 0; x < width; ++x) {
            dst[x] = (float)(top - (double)dst[x]);
        }
    }
}

static gt_status convert_row(struct gt_tiff *t, int32_t y, float *dst, size_t plane_stride)
{
    const struct gt_tiff_page *p = &t->page;
    for (int32_t c = 0; c < p->info.channels; ++c) {
        const void *samples = t->row + (p->planes > 1 ? (size_t)c * p->row_bytes : 0);
        float *to = dst + (size_t)c * plane_stride;
        if (p->packed) {
            unpack(t->unpacked, samples, (size_t)p->info.width * (size_t)p->interleave, p->bits);
            samples = t->unpacked;
        }
        convert_channel(t, c, samples, to);
        if (p->type == GT_F32 || p->type == GT_F64) {
            GT_TRY(gt__image_check_finite(&t->base, t->index, to, p->info.width, y, c));
        }
    }
    return GT_OK;
}

gt_status gt__tiff_rows(struct gt_tiff *t, int32_t y, int32_t rows, float *dst)
{
    const struct gt_tiff_page *p = &t->page;
    size_t width = (size_t)p->info.width;
    GT_TRY(gt__grow(&t->row, &t->row_capacity, p->row_bytes * (size_t)p->planes, 1,
                    "row of an image"));
    if (p->packed) {
        GT_TRY(gt__grow(&t->unpacked, &t->unpacked_capacity, width * (size_t)p->interleave,
                        sizeof *t->unpacked, "row of an image"));
    }
    for (int32_t i = 0; i < rows; ++i) {
        uint32_t row = (uint32_t)(y + i);
        gt_status status = p->access == GT_TIFF_RAW    ? fetch_raw(t, row)
                           : p->access == GT_TIFF_SCAN ? fetch_scan(t, row)
                                                       : fetch_band(t, row);
        if (status != GT_OK) {
            return status;
        }
        GT_TRY(convert_row(t, y + i, dst + (size_t)i * width, width * (size_t)rows));
    }
    return GT_OK;
}
