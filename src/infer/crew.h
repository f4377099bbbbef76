/* The devices of a predictor at work on a row of tiles. SPDX-License-Identifier: BSD-2-Clause
 *
 * With one device the caller's thread computes. With several each has a thread, and the caller's
 * waits for them and tells of the tiles done. */
#ifndef GT_INFER_CREW_H
#define GT_INFER_CREW_H

#include "infer/predictor.h"

struct gt_crew;

/* What is computed at a time: a tile in one of its orientations. */
struct gt_crew_view {
    int32_t tile, orientation;
};

/* What surrounds the computing of a view. gather and scatter are called by several threads at once,
 * for different tiles; the views of a tile come from one thread, in order of their orientations, so
 * that sums over them are the same whoever computes. tell, after every view, is called only by the
 * thread of gt__crew_run(). */
struct gt_crew_job {
    void (*gather)(void *cookie, float *to, struct gt_crew_view view);
    void (*scatter)(void *cookie, const float *from, struct gt_crew_view view);
    gt_status (*tell)(void *cookie);
    void *cookie;
};

/* The lanes' programs and tile buffers must be there. */
gt_status gt__crew_open(struct gt_crew **out, gt_predictor *p, const struct gt_crew_job *job);

/* Compute all views of tiles 0 to count - 1; `first` is the number of tile 0 in the image. After an
 * error, the first of several, no device works any more. failed: the lane that failed, or NULL. */
gt_status gt__crew_run(const struct gt_lane **failed, struct gt_crew *crew, uint64_t first,
                       int32_t count);

/* End the threads. NULL is accepted. */
void gt__crew_close(struct gt_crew *crew);

#endif
