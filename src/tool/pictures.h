/* Pictures of held-out slices for a report: input, truth, result and errors, as PNG in text.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_PICTURES_H
#define GT_TOOL_PICTURES_H

#include <greentea/greentea.h>
#include <stdbool.h>

enum {
    PICTURE_SLICES = 3,
    PICTURE_SIDE = 512,         /* larger slices are shrunk to this */
    PICTURE_BYTES = 1500 * 1000 /* of all texts together; halved until they fit */
};

/* What is kept of a slice until the scores are known. */
struct thumb {
    int32_t width, height, channels;
    size_t page;
    uint8_t *raw;   /* [channels][height][width] */
    int16_t *truth; /* label, below 0: ignored */
    uint8_t *prob;  /* of 2 labels: the second one's, 255 for 1; else NULL */
    int16_t *guess; /* of more labels: the likeliest; else NULL */
};

struct picture {
    char *raw, *truth, *result, *wrong; /* base64 */
    int32_t width, height;
    size_t page;
};

struct pictures {
    struct picture slice[PICTURE_SLICES];
    int n;
    uint64_t iteration;
    double threshold; /* of 2 labels, between right and wrong */
    int32_t labels;
};

/* Pages that pictures are made of: the first, the middle and the last. Returns their number. */
int picture_pages(size_t page[PICTURE_SLICES], size_t pages);

/* Shrink a slice; raw, truth (GT_I32) and prob (GT_F32) as validation has them. eight: the input
 * has 8 bits and is shown as it is; else its range is stretched. false: no memory. */
bool thumb_take(struct thumb *out, const gt_image_view *raw, const gt_image_view *truth,
                const gt_image_view *prob, bool eight);
void thumb_free(struct thumb *t);

/* Make the pictures of n thumbs; the former ones are freed. p->threshold and labels are set.
 * false: no memory. */
bool pictures_make(struct pictures *p, struct thumb *thumbs, int n);
void pictures_free(struct pictures *p);

/* Colour of a label among `labels`. */
void picture_colour(uint8_t rgb[3], int32_t label, int32_t labels);

#endif
