/* Times single nodes under single options, without a program. SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef GT_CORE_METER_H
#define GT_CORE_METER_H

#include "core/planner.h"

struct gt_meter {
    struct gt_device *device; /* set by the caller, the rest zero */
    struct gt_buffer *memory; /* of the largest node so far */
    float *chunk;             /* random numbers to fill with */
    const struct gt_graph *graph;
    const struct gt_node *node;
    size_t in[GT_MAX_IN], out[GT_MAX_OUT]; /* offsets of the present node's values */
    size_t scratch, packed;
};

/* Make memory for a node under any of these options, and fill its inputs. */
gt_status gt__meter_node(struct gt_meter *m, const struct gt_graph *g, const struct gt_node *node,
                         const struct gt_option *options, size_t n);
/* Median seconds of one run, several being enqueued at once. Far slower than `best` (0: none yet):
 * only the first run is timed. */
gt_status gt__meter_run(double *seconds, struct gt_meter *m, const struct gt_option *option,
                        double best);
void gt__meter_free(struct gt_meter *m);

#endif
