/* PNG files: the only setjmp, and reading row by row (interlaced ones whole).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/convert.h"
#include "image/image_png.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

struct png_file {
    struct gt_image_file base;
    struct gt_png_state state;
    FILE *stream;
    gt_page_info page;
    int color, bits, interlace;
    int samples; /* per pixel in the file */
    size_t row_bytes;
    bool palette;
    float lut[3][256];
    int lut_size;
    unsigned char *row; /* one row; interlaced: the whole image */
    size_t row_capacity;
    png_bytep *rows; /* interlaced: pointers into row */
    size_t rows_capacity;
    int32_t
        next; /* row that libpng gives next, -1 after a failure; interlaced: height when decoded */
};

/* ---- libpng's callbacks ---- */

void gt__png_error(png_structp png, png_const_charp message)
{
    struct gt_png_state *state = png_get_error_ptr(png);
    (void)snprintf(state->message, sizeof state->message, "%s", message);
    png_longjmp(png, 1);
}

void gt__png_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

png_voidp gt__png_alloc(png_structp png, png_alloc_size_t size)
{
    struct gt_png_state *state = png_get_mem_ptr(png);
    void *memory = NULL;
    if (gt__alloc_raw(&memory, size, 1, "PNG decoding") != GT_OK) {
        state->status = GT_ENOMEM;
    }
    return memory;
}

void gt__png_free(png_structp png, png_voidp memory)
{
    (void)png;
    gt__free(memory);
}

gt_status gt__png_guard(struct gt_png_state *state, void (*step)(void *), void *argument)
{
    if (setjmp(png_jmpbuf(state->png)) == 0) {
        step(argument);
        return GT_OK;
    }
    if (state->status == GT_ENOMEM) {
        return gt__fail(GT_ENOMEM, "%s: no memory: %s", state->path, state->message);
    }
    if (state->status == GT_EIO) {
        return gt__image_io_error(state->path, state->message, state->error);
    }
    return gt__fail(GT_EFORMAT, "%s: %s", state->path, state->message);
}

/* ---- reading ---- */

static bool match(const unsigned char *head, size_t n)
{
    return n >= 8 && memcmp(head, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    struct png_file *f = png_get_io_ptr(png);
    errno = 0;
    if (fread(to, 1, n, f->stream) == n) {
        return;
    }
    if (ferror(f->stream)) {
        f->state.status = GT_EIO;
        f->state.error = errno;
        png_error(png, "cannot be read");
    }
    png_error(png, "the file ends before its pixels do");
}

static void step_header(void *argument)
{
    /* chunks of text, profiles and the like are compressed and of no use here */
    static const png_byte skipped[] = "iCCP\0zTXt\0iTXt\0tEXt\0sPLT\0eXIf\0hIST";
    struct png_file *f = argument;
    png_structp png = f->state.png;
    /* libpng's own limit is lifted: ours follow right after the header, with better words */
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(png, (png_alloc_size_t)8 << 20);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped, 7);
    png_set_read_fn(png, f, on_read);
    png_read_info(png, f->state.info);
}

static void step_start(void *argument)
{
    struct png_file *f = argument;
    png_structp png = f->state.png;
    if (f->bits < 8) {
        png_set_packing(png); /* one byte per sample, values as they are */
    } else if (f->bits == 16 && gt__png_little_endian()) {
        png_set_swap(png);
    }
    (void)png_set_interlace_handling(png);
    png_read_update_info(png, f->state.info);
    f->row_bytes = png_get_rowbytes(png, f->state.info);
}

static void step_row(void *argument)
{
    struct png_file *f = argument;
    png_read_row(f->state.png, f->row, NULL);
}

static void step_image(void *argument)
{
    struct png_file *f = argument;
    png_read_image(f->state.png, f->rows);
}

static void stop(struct png_file *f)
{
    if (f->state.png != NULL) {
        png_destroy_read_struct(&f->state.png, &f->state.info, NULL);
    }
    f->state.png = NULL;
    f->state.info = NULL;
}

/* From the beginning of the file to behind its header. */
static gt_status restart(struct png_file *f)
{
    stop(f);
    f->next = 0;
    f->state.status = GT_OK;
    rewind(f->stream);
    f->state.png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &f->state, gt__png_error, gt__png_warning,
                                 &f->state, gt__png_alloc, gt__png_free);
    if (f->state.png != NULL) {
        f->state.info = png_create_info_struct(f->state.png);
    }
    if (f->state.info == NULL) {
        return gt__fail(GT_ENOMEM, "%s: no memory to decode a PNG", f->state.path);
    }
    return gt__png_guard(&f->state, step_header, f);
}

static gt_status read_palette(struct png_file *f)
{
    png_colorp entries = NULL;
    bool grey = true;
    if (png_get_PLTE(f->state.png, f->state.info, &entries, &f->lut_size) != PNG_INFO_PLTE ||
        f->lut_size < 1 || f->lut_size > 256) {
        return gt__fail(GT_EFORMAT, "%s: a palette image without a palette", f->state.path);
    }
    for (int i = 0; i < f->lut_size; ++i) {
        f->lut[0][i] = entries[i].red;
        f->lut[1][i] = entries[i].green;
        f->lut[2][i] = entries[i].blue;
        grey = grey && entries[i].red == entries[i].green && entries[i].red == entries[i].blue;
    }
    f->palette = grey || !f->base.indices;
    f->page.channels = grey || f->base.indices ? 1 : 3;
    return GT_OK;
}

static gt_status read_header(struct png_file *f)
{
    GT_TRY(restart(f));
    png_structp png = f->state.png;
    png_infop info = f->state.info;
    uint64_t width = png_get_image_width(png, info);
    uint64_t height = png_get_image_height(png, info);
    f->color = png_get_color_type(png, info);
    f->bits = png_get_bit_depth(png, info);
    f->interlace = png_get_interlace_type(png, info);
    f->samples = png_get_channels(png, info);
    struct gt_page_size size = {width, height,
                                (width * (uint64_t)f->samples * (uint64_t)f->bits + 7) / 8};
    GT_TRY(gt__image_check_page(&f->base, 0, &size));
    f->page = (gt_page_info){.width = (int32_t)width,
                             .height = (int32_t)height,
                             .channels = (f->color & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1,
                             .type = f->bits == 16 ? GT_U16 : GT_U8};
    if (f->color == PNG_COLOR_TYPE_PALETTE) {
        GT_TRY(read_palette(f));
    }
    if (f->interlace != PNG_INTERLACE_NONE) {
        uint64_t row = width * (uint64_t)f->samples * (f->bits == 16 ? 2 : 1);
        GT_TRY(gt__image_check_decode(&f->base, 0, row * height));
    }
    GT_TRY(gt__png_guard(&f->state, step_start, f));
    return GT_OK;
}

static void close_png(struct gt_image_file *file)
{
    struct png_file *f = (struct png_file *)file;
    if (f == NULL) {
        return;
    }
    stop(f);
    if (f->stream != NULL) {
        (void)fclose(f->stream);
    }
    gt__free(f->row);
    gt__free(f->rows);
    gt__free(f);
}

static gt_status open_png(struct gt_image_file **out, const struct gt_image_source *source)
{
    gt_status status = GT_OK;
    struct png_file *f = NULL;
    GT_TRY(gt__alloc(&f, 1, sizeof *f, "PNG file"));
    f->base = (struct gt_image_file){.path = source->path,
                                     .limits = *source->limits,
                                     .bytes = source->bytes,
                                     .pages = 1,
                                     .hyperstack = 1,
                                     .indices = source->indices};
    f->state.path = source->path;
    f->stream = fopen(source->path, "rbe");
    if (f->stream == NULL) {
        status = gt__image_io_error(source->path, "cannot be opened", errno);
        goto out;
    }
    GT_TRY_OUT(read_header(f));
    *out = &f->base;
    f = NULL;
out:
    close_png(f == NULL ? NULL : &f->base);
    return status;
}

static gt_status page_of_png(gt_page_info *out, struct gt_image_file *file, size_t page)
{
    (void)page;
    *out = ((struct png_file *)file)->page;
    return GT_OK;
}

/* An interlaced image is complete only at the end of the file. */
static gt_status decode_interlaced(struct png_file *f)
{
    size_t height = (size_t)f->page.height;
    GT_TRY(gt__grow(&f->row, &f->row_capacity, f->row_bytes * height, 1, "interlaced PNG"));
    GT_TRY(gt__grow(&f->rows, &f->rows_capacity, height, sizeof *f->rows, "rows of a PNG"));
    for (size_t i = 0; i < height; ++i) {
        f->rows[i] = f->row + i * f->row_bytes;
    }
    GT_TRY(gt__png_guard(&f->state, step_image, f));
    f->next = f->page.height;
    return GT_OK;
}

/* Samples of row y; *row points to them. */
static gt_status fetch(struct png_file *f, const unsigned char **row, int32_t y)
{
    if (f->interlace != PNG_INTERLACE_NONE) {
        if (f->next < f->page.height) {
            if (f->next < 0) {
                GT_TRY(read_header(f));
            }
            f->next = -1; /* stays so on failure */
            GT_TRY(decode_interlaced(f));
        }
        *row = f->row + (size_t)y * f->row_bytes;
        return GT_OK;
    }
    if (f->next < 0 || f->next > y) {
        GT_TRY(read_header(f));
    }
    GT_TRY(gt__grow(&f->row, &f->row_capacity, f->row_bytes, 1, "row of a PNG"));
    while (f->next <= y) {
        int32_t next = f->next;
        f->next = -1; /* stays so on failure */
        GT_TRY(gt__png_guard(&f->state, step_row, f));
        f->next = next + 1;
    }
    *row = f->row;
    return GT_OK;
}

static gt_status look_up(const struct png_file *f, const float *lut, float *values, int32_t y)
{
    for (int32_t x = 0; x < f->page.width; ++x) {
        int index = (int)values[x];
        if (index >= f->lut_size) {
            return gt__fail(GT_EFORMAT, "%s: entry %d of a palette of %d at x %d, y %d",
                            f->state.path, index, f->lut_size, x, y);
        }
        values[x] = lut[index];
    }
    return GT_OK;
}

static gt_status rows_of_png(struct gt_image_file *file, size_t page, int32_t y, int32_t rows,
                             float *dst)
{
    struct png_file *f = (struct png_file *)file;
    size_t width = (size_t)f->page.width;
    size_t size = gt_type_size(f->page.type);
    (void)page;
    for (int32_t i = 0; i < rows; ++i) {
        const unsigned char *row = NULL;
        GT_TRY(fetch(f, &row, y + i));
        for (int32_t c = 0; c < f->page.channels; ++c) {
            float *to = dst + ((size_t)c * (size_t)rows + (size_t)i) * width;
            gt__samples_to_float(to, width, row + (f->palette ? 0 : (size_t)c * size),
                                 (ptrdiff_t)(size * (size_t)f->samples), f->page.type);
            if (f->palette) {
                GT_TRY(look_up(f, f->lut[c], to, y + i));
            }
        }
    }
    return GT_OK;
}

const struct gt_image_format gt__image_png = {.name = "PNG",
                                              .endings = {".png", NULL},
                                              .match = match,
                                              .open = open_png,
                                              .page = page_of_png,
                                              .rows = rows_of_png,
                                              .close = close_png,
                                              .create = gt__png_create,
                                              .row = gt__png_row,
                                              .complete = gt__png_complete,
                                              .discard = gt__png_discard};
