/* Pictures of held-out slices for a report: input, truth, result and errors, as PNG in text.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tool/pictures.h"

#include <png.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- encoding ---- */

/* pixels and palette as png_image_write_to_memory() takes them. NULL: no memory. */
static char *encode(png_image *image, const void *pixels, const void *palette)
{
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(*image);
    unsigned char *png = malloc(size);
    char *text = NULL;
    if (png && png_image_write_to_memory(image, png, &size, 0, pixels, 0, palette)) {
        size_t length = sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL);
        text = malloc(length);
        if (text) {
            sodium_bin2base64(text, length, png, size, sodium_base64_VARIANT_ORIGINAL);
        }
    }
    png_image_free(image);
    free(png);
    return text;
}

static png_image image_of(const struct thumb *t, png_uint_32 format)
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = (png_uint_32)t->width;
    image.height = (png_uint_32)t->height;
    image.format = format;
    return image;
}

static char *encode_grey(const struct thumb *t, const uint8_t *grey)
{
    png_image image = image_of(t, PNG_FORMAT_GRAY);
    return encode(&image, grey, NULL);
}

static char *encode_raw(const struct thumb *t)
{
    size_t n = (size_t)t->width * (size_t)t->height;
    if (t->channels == 1) {
        return encode_grey(t, t->raw);
    }
    uint8_t *rgb = malloc(3 * n);
    for (size_t i = 0; rgb && i < 3 * n; i++) {
        rgb[i] = t->raw[i % 3 * n + i / 3];
    }
    png_image image = image_of(t, PNG_FORMAT_RGB);
    char *text = rgb ? encode(&image, rgb, NULL) : NULL;
    free(rgb);
    return text;
}

/* index [n] into entries of RGBA. */
static char *encode_palette(const struct thumb *t, const uint8_t *index, const uint8_t *rgba,
                            int entries)
{
    png_image image = image_of(t, PNG_FORMAT_RGBA_COLORMAP);
    image.colormap_entries = (png_uint_32)entries;
    return encode(&image, index, rgba);
}

/* ---- colours ---- */

/* First the colours of Okabe and Ito, which the colour-blind tell apart; at last the circle of hues.
 */
void picture_colour(uint8_t rgb[3], int32_t label, int32_t labels)
{
    static const uint8_t first[12][3] = {{86, 180, 233}, {230, 159, 0},   {0, 158, 115},
                                         {240, 228, 66}, {204, 121, 167}, {0, 114, 178},
                                         {213, 94, 0},   {150, 150, 150}, {226, 226, 216},
                                         {115, 65, 155}, {125, 200, 80},  {140, 90, 60}};
    if (labels == 2) { /* as grey values: boundary and inside */
        memset(rgb, label ? 255 : 0, 3);
        return;
    }
    if (label < 12) {
        memcpy(rgb, first[label], 3);
        return;
    }
    uint32_t hue = (uint32_t)label * 0x9e3779b9u; /* golden ratio: neighbours lie far apart */
    for (int c = 0; c < 3; c++) {
        uint32_t phase = (hue + (uint32_t)c * 0x55555555u) >> 16; /* 0 to 65535 */
        uint32_t ramp = phase < 32768 ? phase : 65535 - phase;    /* 0 to 32767 */
        rgb[c] = (uint8_t)(40 + ramp * 200 / 32768);
    }
}

/* Labels 0 to 254 and, as entry `labels`, transparent for what is ignored. */
static char *encode_labels(const struct thumb *t, const int16_t *label, int32_t labels)
{
    size_t n = (size_t)t->width * (size_t)t->height;
    uint8_t rgba[256 * 4];
    int entries = labels < 255 ? labels + 1 : 256;
    for (int i = 0; i < entries; i++) {
        picture_colour(&rgba[4 * i], i, labels);
        rgba[4 * i + 3] = i < entries - 1 ? 255 : 0;
    }
    uint8_t *index = malloc(n);
    for (size_t i = 0; index && i < n; i++) {
        index[i] = (uint8_t)(label[i] < 0 || label[i] >= entries ? entries - 1 : label[i]);
    }
    char *text = index ? encode_palette(t, index, rgba, entries) : NULL;
    free(index);
    return text;
}

/* Transparent where the result is right: it lies over the input. Of 2 labels: 1 a boundary that is
 * missed, 2 one that is not there. */
static char *encode_wrong(const struct thumb *t, double threshold)
{
    static const uint8_t rgba[4 * 3] = {0, 0, 0, 0, 255, 106, 0, 205, 0, 170, 255, 205};
    size_t n = (size_t)t->width * (size_t)t->height;
    uint8_t *index = malloc(n);
    for (size_t i = 0; index && i < n; i++) {
        bool known = t->truth[i] >= 0;
        int guess = t->guess ? t->guess[i] : t->prob[i] > 255.0 * threshold;
        index[i] = !known || guess == t->truth[i] ? 0 : t->guess || guess ? 1 : 2;
    }
    char *text = index ? encode_palette(t, index, rgba, 3) : NULL;
    free(index);
    return text;
}

/* ---- all of them ---- */

static void picture_free(struct picture *p)
{
    free(p->raw);
    free(p->truth);
    free(p->result);
    free(p->wrong);
    *p = (struct picture){0};
}

static bool picture_make(struct picture *p, const struct thumb *t, int32_t labels, double threshold)
{
    picture_free(p);
    p->raw = encode_raw(t);
    p->truth = encode_labels(t, t->truth, labels);
    p->result = t->prob ? encode_grey(t, t->prob) : encode_labels(t, t->guess, labels);
    p->wrong = encode_wrong(t, threshold);
    p->width = t->width;
    p->height = t->height;
    p->page = t->page;
    return p->raw && p->truth && p->result && p->wrong;
}

static void halve_bytes(uint8_t *data, int32_t width, int32_t w, int32_t h)
{
    for (int32_t y = 0; y < h; y++) {
        for (int32_t x = 0; x < w; x++) {
            const uint8_t *from = data + (size_t)(2 * y) * (size_t)width + 2 * x;
            int sum = from[0] + from[1] + from[width] + from[width + 1];
            data[(size_t)y * (size_t)w + (size_t)x] = (uint8_t)((sum + 2) / 4);
        }
    }
}

static void halve_labels(int16_t *data, int32_t width, int32_t w, int32_t h)
{
    for (int32_t y = 0; y < h; y++) {
        for (int32_t x = 0; x < w; x++) {
            data[(size_t)y * (size_t)w + (size_t)x] =
                data[(size_t)(2 * y) * (size_t)width + (size_t)(2 * x)];
        }
    }
}

/* In place: what is written lies before what is read. */
static void halve(struct thumb *t)
{
    int32_t w = t->width / 2;
    int32_t h = t->height / 2;
    size_t plane = (size_t)t->width * (size_t)t->height;
    for (int32_t c = 0; c < t->channels; c++) {
        halve_bytes(t->raw + (size_t)c * plane, t->width, w, h);
        memmove(t->raw + (size_t)c * (size_t)w * (size_t)h, t->raw + (size_t)c * plane,
                (size_t)w * (size_t)h);
    }
    halve_labels(t->truth, t->width, w, h);
    if (t->prob) {
        halve_bytes(t->prob, t->width, w, h);
    } else {
        halve_labels(t->guess, t->width, w, h);
    }
    t->width = w;
    t->height = h;
}

static size_t bytes_of(const struct picture *p)
{
    return strlen(p->raw) + strlen(p->truth) + strlen(p->result) + strlen(p->wrong);
}

bool pictures_make(struct pictures *p, struct thumb *thumbs, int n)
{
    bool again = true;
    while (again) {
        size_t bytes = 0;
        again = false;
        for (int i = 0; i < n; i++) {
            p->n = i; /* what is whole so far */
            if (!picture_make(&p->slice[i], &thumbs[i], p->labels, p->threshold)) {
                return false;
            }
            bytes += bytes_of(&p->slice[i]);
        }
        for (int i = 0; i < n && bytes > PICTURE_BYTES; i++) {
            if (thumbs[i].width > 32 && thumbs[i].height > 32) {
                halve(&thumbs[i]);
                again = true;
            }
        }
    }
    p->n = n;
    return true;
}

void pictures_free(struct pictures *p)
{
    for (int i = 0; i < PICTURE_SLICES; i++) {
        picture_free(&p->slice[i]);
    }
    p->n = 0;
}
