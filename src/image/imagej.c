/* What ImageJ keeps in a TIFF: the description and the labels of slices.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/imagej.h"

#include "core/error.h"
#include "core/shape.h"
#include "image/format.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- description ---- */

#define NUMBER_SIZE 14 /* "+1.0000000e+00" */

/* Always 14 characters, with a point whatever the locale says, so that it can be replaced in place.
 */
static void format_number(char out[NUMBER_SIZE + 1], float value)
{
    char text[48];
    size_t n = 0;
    (void)snprintf(text, sizeof text, "%+.7e", (double)value);
    for (const char *p = text; *p != '\0' && n < NUMBER_SIZE; ++p) {
        if ((*p >= '0' && *p <= '9') || *p == '+' || *p == '-' || *p == 'e') {
            out[n++] = *p;
        }
        if (n == 2) {
            out[n++] = '.';
        }
    }
    out[n] = '\0';
}

static void format_range(char *out, size_t size, float low, float high)
{
    char a[NUMBER_SIZE + 1];
    char b[NUMBER_SIZE + 1];
    format_number(a, low);
    format_number(b, high);
    (void)snprintf(out, size, "min=%s\nmax=%s\n", a, b);
}

bool gt__imagej_text_is_safe(const char *text, size_t length)
{
    for (size_t i = 0; i < length; ++i) {
        if ((unsigned char)text[i] < ' ' || text[i] == 127) {
            return false;
        }
    }
    return true;
}

static void add_line(struct gt_text *text, const char *key, const char *value)
{
    size_t n = strlen(value);
    if (n > 0 && gt__imagej_text_is_safe(value, n)) {
        gt__text_add(text, "%s=%s\n", key, value);
    }
}

/* Pages are channels * slices * frames, in ImageJ's order of file pages. */
static void add_sizes(struct gt_text *text, const gt_writer_options *o)
{
    size_t channels = o->hyperstack_channels > 1 ? (size_t)o->hyperstack_channels : 1;
    size_t slices = o->pages / channels;
    size_t frames = 1;
    const gt_image_meta *m = o->meta;
    if (m != NULL && m->slices > 0 && m->frames > 1 &&
        (double)m->slices * m->frames == (double)slices) {
        slices = (size_t)m->slices;
        frames = (size_t)m->frames;
    }
    if (channels > 1) {
        gt__text_add(text, "channels=%zu\n", channels);
    }
    if (channels > 1 || o->pages > 1) {
        gt__text_add(text, "slices=%zu\n", slices);
    }
    if (frames > 1) {
        gt__text_add(text, "frames=%zu\n", frames);
    }
    if (channels > 1 || frames > 1) {
        gt__text_add(text, "hyperstack=true\nmode=%s\n",
                     channels > 1 && channels <= 7 ? "composite" : "grayscale");
    }
}

void gt__imagej_description(struct gt_text *text, const gt_writer_options *o)
{
    gt__text_add(text, "ImageJ=1.53t\n");
    if (o->pages > 1) {
        gt__text_add(text, "images=%zu\n", o->pages);
    }
    add_sizes(text, o);
    if (o->meta != NULL) {
        add_line(text, "unit", o->meta->unit);
        add_line(text, "spacing", o->meta->spacing);
        add_line(text, "finterval", o->meta->frame_interval);
    }
    if (o->pages > 1) {
        gt__text_add(text, "loop=false\n");
    }
    if (o->type == GT_F32 && o->channels == 1) {
        char range[64];
        format_range(range, sizeof range, 0, 1);
        gt__text_add(text, "%s", range);
    }
}

/* ---- the display range of a finished file ---- */

static uint64_t read_number(const unsigned char *p, size_t n)
{
    uint64_t v8 = 0;
    uint32_t v4 = 0;
    uint16_t v2 = 0;
    if (n == 8) {
        memcpy(&v8, p, 8);
        return v8;
    }
    if (n == 4) {
        memcpy(&v4, p, 4);
        return v4;
    }
    memcpy(&v2, p, 2);
    return v2;
}

/* Offset and length of the description, from the first directory of a file that we wrote (so in the
 * machine's byte order); false if not found. */
static bool find_description(int fd, uint64_t *offset, uint64_t *length)
{
    unsigned char head[16];
    unsigned char entry[20];
    if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head) {
        return false;
    }
    bool big = read_number(head + 2, 2) == 43;
    size_t word = big ? 8 : 4;
    size_t entry_bytes = big ? 20 : 12;
    size_t count_bytes = big ? 8 : 2;
    uint64_t at = read_number(head + (big ? 8 : 4), word);
    if (pread(fd, entry, count_bytes, (off_t)at) != (ssize_t)count_bytes) {
        return false;
    }
    uint64_t n = read_number(entry, count_bytes);
    at += count_bytes;
    for (uint64_t i = 0; i < n; ++i, at += entry_bytes) {
        if (pread(fd, entry, entry_bytes, (off_t)at) != (ssize_t)entry_bytes) {
            return false;
        }
        if (read_number(entry, 2) == 270) {
            *length = read_number(entry + 4, word);
            *offset = read_number(entry + 4 + word, word);
            return true;
        }
    }
    return false;
}

gt_status gt__imagej_set_range(int fd, const char *path, float low, float high)
{
    char range[64];
    uint64_t offset = 0;
    uint64_t length = 0;
    format_range(range, sizeof range, low, high);
    size_t n = strlen(range);
    errno = 0;
    if (!find_description(fd, &offset, &length) || length < n + 1) {
        return gt__image_io_error(path, "cannot be read back", errno);
    }
    /* the range is the end of the text, before its final 0 */
    if (pwrite(fd, range, n, (off_t)(offset + length - 1 - n)) != (ssize_t)n) {
        return gt__image_io_error(path, "cannot be written", errno);
    }
    return GT_OK;
}

/* ---- labels of slices ---- */

/* Next character of a UTF-8 text; '?' for what is not. */
static uint32_t next_character(const unsigned char **text)
{
    static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *p = *text;
    int more = *p < 0x80 ? 0 : *p >= 0xf0 && *p < 0xf8 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc0 ? 1 : -1;
    *text += 1;
    if (more <= 0) {
        return more == 0 ? *p : '?';
    }
    uint32_t code = *p & (0x3fu >> more);
    for (int i = 1; i <= more; ++i) {
        if ((p[i] & 0xc0) != 0x80) {
            return '?';
        }
        code = code << 6 | (p[i] & 0x3fu);
    }
    *text += more;
    return code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? '?' : code;
}

/* UTF-16 of a text at `to` (may be NULL); returns the bytes. */
static uint32_t to_utf16(unsigned char *to, const char *text)
{
    uint32_t n = 0;
    const unsigned char *p = (const unsigned char *)text;
    while (*p != '\0' && n < 4096) {
        uint32_t code = next_character(&p);
        uint16_t units[2] = {(uint16_t)code, 0};
        uint32_t bytes = 2;
        if (code >= 0x10000) {
            units[0] = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
            units[1] = (uint16_t)(0xdc00 + ((code - 0x10000) & 0x3ff));
            bytes = 4;
        }
        if (to != NULL) {
            memcpy(to + n, units, bytes);
        }
        n += bytes;
    }
    return n;
}

static const char *name_of(const gt_writer_options *o, size_t page)
{
    const char *name = o->channel_names[page % (size_t)o->hyperstack_channels];
    return name == NULL ? "" : name;
}

gt_status gt__imagej_labels_make(struct gt_imagej_labels *out, const gt_writer_options *o)
{
    gt_status status = GT_OK;
    struct gt_imagej_labels l = {0};
    size_t bytes = 12;
    for (size_t page = 0; page < o->pages; ++page) {
        bytes += to_utf16(NULL, name_of(o, page));
    }
    if (o->pages >= INT32_MAX || bytes > INT32_MAX) {
        return gt__fail(GT_EINVAL, "labels of %zu pages take %zu bytes, at most 2^31 - 1 fit",
                        o->pages, bytes);
    }
    GT_TRY_OUT(gt__alloc(&l.counts, o->pages + 1, sizeof *l.counts, "labels of slices"));
    GT_TRY_OUT(gt__alloc(&l.data, bytes, 1, "labels of slices"));
    /* header: "IJIJ", then kind "labl" and how many */
    const uint32_t header[3] = {0x494a494a, 0x6c61626c, (uint32_t)o->pages};
    memcpy(l.data, header, sizeof header);
    l.counts[0] = sizeof header;
    l.n_counts = (uint32_t)o->pages + 1;
    l.n_data = sizeof header;
    for (size_t page = 0; page < o->pages; ++page) {
        l.counts[page + 1] = to_utf16(l.data + l.n_data, name_of(o, page));
        l.n_data += l.counts[page + 1];
    }
    *out = l;
    l = (struct gt_imagej_labels){0};
out:
    gt__imagej_labels_free(&l);
    return status;
}

void gt__imagej_labels_free(struct gt_imagej_labels *labels)
{
    gt__free(labels->counts);
    gt__free(labels->data);
}
