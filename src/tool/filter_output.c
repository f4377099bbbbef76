/* Blobs as pictures. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/filter_output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int filter_open(struct filter_output *f, const char *folder, const struct filter_spot *spot)
{
    const char *dot = strrchr(spot->name, '.');
    int stem = (int)(dot ? dot - spot->name : (long)strlen(spot->name));
    int n = snprintf(f->folder, sizeof f->folder, "%s/%.*s_%zu_%d_%d", folder, stem, spot->name,
                     spot->page, spot->tile_y, spot->tile_x);
    if (n < 0 || (size_t)n >= sizeof f->folder - 256) {
        return tool_usage("--filter-output has %zu characters, that is too long", strlen(folder));
    }
    f->files = 0;
    f->code = 0;
    int code = tool_make_folder(folder);
    return code ? code : tool_make_folder(f->folder);
}

/* From minimum to maximum to 0 to 255; a constant (or what is not a number) is 0. */
static void stretch(float *to, const float *from, size_t n)
{
    float low = INFINITY;
    float high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        low = from[i] < low ? from[i] : low;
        high = from[i] > high ? from[i] : high;
    }
    double scale =
        high > low && isfinite(low) && isfinite(high) ? 255.0 / ((double)high - (double)low) : 0.0;
    for (size_t i = 0; i < n; i++) {
        to[i] = scale > 0.0 ? (float)(((double)from[i] - (double)low) * scale) : 0.0f;
    }
}

static gt_status write_plane(const char *path, const gt_shape *shape, const float *plane)
{
    gt_image_writer *writer = NULL;
    gt_writer_options o;
    gt_writer_options_init(&o);
    o.type = GT_U8;
    o.width = shape->w;
    o.height = shape->h;
    o.overwrite = 1;
    gt_status status = gt_image_writer_open(&writer, path, &o);
    if (status == GT_OK) {
        status = gt_image_writer_rows(writer, shape->h, plane);
    }
    if (status == GT_OK) {
        status = gt_image_writer_finish(writer);
    }
    gt_image_writer_free(writer);
    return status;
}

/* All channels of one array; 0 or an exit code. */
static int write_channels(struct filter_output *f, const gt_blob *blob, const float *values,
                          const char *suffix)
{
    const gt_shape *s = &blob->shape;
    size_t plane = (size_t)s->h * (size_t)s->w;
    float *grey = malloc(plane * sizeof *grey);
    gt_status status = GT_OK;
    if (!grey) {
        fprintf(stderr, "greentea: no memory for %zu bytes of a picture\n", plane * sizeof *grey);
        return EXIT_DEVICE;
    }
    for (int32_t n = 0; n < s->n && status == GT_OK; n++) {
        for (int32_t c = 0; c < s->c && status == GT_OK; c++) {
            char path[sizeof f->folder + 128];
            snprintf(path, sizeof path, "%s/%.60s_%d_%d%s.png", f->folder, blob->name, n, c,
                     suffix);
            stretch(grey, values + ((size_t)n * (size_t)s->c + (size_t)c) * plane, plane);
            status = write_plane(path, s, grey);
            f->files++;
        }
    }
    free(grey);
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_OUTPUT);
}

int filter_write(const gt_blob *blob, void *cookie)
{
    struct filter_output *f = cookie;
    int code = write_channels(f, blob, blob->data, "");
    if (code == 0 && blob->diff) {
        code = write_channels(f, blob, blob->diff, "_diff");
    }
    f->code = code ? code : tool_signal();
    return f->code;
}

int filter_training(gt_trainer *trainer, const char *folder)
{
    const struct filter_spot spot = {"train", 0, 0, 0};
    struct filter_output output;
    int code = filter_open(&output, folder, &spot);
    if (code) {
        return code;
    }
    gt_status status = gt_trainer_inspect(trainer, filter_write, &output);
    if (status == GT_OK) {
        fprintf(stderr, "greentea: %llu pictures in %s\n", (unsigned long long)output.files,
                output.folder);
    }
    return output.code ? output.code : status == GT_OK ? 0 : tool_fail(status, ABOUT_OPTION);
}
