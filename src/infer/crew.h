/* The devices of a predictor at work on a row of tiles. SPDX-License-Identifier: BSD-2-Clause
 *
 * With one device the caller's thread computes. With several each has a thread, and the caller's
 * waits for them and tells of the tiles done. */
#ifndef GT_INFER_CREW_H
#define GT_INFER_CREW_H

#include "infer/predictor.h"

struct gt_crew;

/* What surrounds the computing of a tile. gather and scatter are called by several threads at once,
 * for different tiles; tell, after every tile, only by the thread of gt__crew_run(). */
struct gt_crew_job {
    void (*gather)(void *cookie, float *to, int32_t tile);
    void (*scatter)(void *cookie, const float *from, int32_t tile);
    gt_status (*tell)(void *cookie);
    void *cookie;
};

/* The lanes' programs and tile buffers must be there. */
gt_status gt__crew_open(struct gt_crew **out, gt_predictor *p, const struct gt_crew_job *job);

/* Compute tiles 0 to count - 1; `first` is the number of tile 0 in the image. After an error, the
 * first of several, no device works any more. failed: the lane that failed, or NULL. */
gt_status gt__crew_run(const struct gt_lane **failed, struct gt_crew *crew, uint64_t first,
                       int32_t count);

/* End the threads. NULL is accepted. */
void gt__crew_close(struct gt_crew *crew);

#endif
