/* One slice while it is judged. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_EVAL_SLICE_H
#define GT_EVAL_SLICE_H

#include "eval/eval.h"

/* `truth`, `prob`, `above` and `sure` are dense, the rest is padded (see eval.h). */
struct gt_slice {
    struct gt_grid grid;
    size_t n;
    int32_t channels;          /* of prob */
    int32_t *truth;            /* [n] label indices, below 0: ignored */
    float *prob;               /* [channels][n], 0 to 1 */
    uint8_t *above;            /* [n] number of thresholds exceeded by the judged channel */
    uint8_t *mask;             /* [grid.count] */
    int32_t *label;            /* [grid.count] */
    int32_t *queue;            /* [grid.count] */
    int32_t *scratch;          /* [3*(grid.count + 1)] */
    float *sure;               /* [n] or NULL */
    struct gt_warping warping; /* its buffers, or NULL */
};

/* Buffers for one slice; metrics: gt_metric values. Views that gt__view_check() accepts. */
gt_status gt__slice_create(struct gt_slice *out, const gt_image_view *truth, int32_t channels,
                           uint32_t metrics);
void gt__slice_release(struct gt_slice *s);

/* Label indices below `labels` into dst [height][width]. `what` names the image in messages;
 * `scratch` [height][width]. Values below 0 become -1. */
gt_status gt__read_labels(int32_t *dst, float *scratch, const gt_image_view *view, int32_t labels,
                          const char *what);
/* Probabilities, scaled to 0 to 1; `judged` is the channel that `above` is made of. */
gt_status gt__slice_read_prob(struct gt_slice *s, const gt_image_view *view, int32_t judged);

/* mask = 1 where the truth is `label`. */
void gt__slice_mask_truth(uint8_t *mask, const struct gt_slice *s, int32_t label);
/* mask = 1 where the value exceeds the threshold. */
void gt__slice_mask_above(uint8_t *mask, const struct gt_slice *s, int32_t threshold);

#endif
