/* Learning rates over time. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TRAIN_SCHEDULE_H
#define GT_TRAIN_SCHEDULE_H

#include <greentea/train.h>

#include <stdbool.h>

/* false for NaN */
static inline bool gt__in_range(double value, double low, double high)
{
    return value >= low && value <= high;
}

/* Check what the schedule reads of the options: GT_EINVAL names the field. */
gt_status gt__schedule_check(const gt_train_options *options);

/* Rate of the iteration that follows `t` done ones; time_share is the part of the time limit used,
 * 0 where there is none. */
double gt__schedule_rate(const gt_train_options *options, uint64_t t, double time_share);

/* Fill the GT_HYPER_COUNT floats that the updates of that iteration read. */
void gt__schedule_hyper(float *hyper, const gt_train_options *options, uint64_t t,
                        double time_share);

#endif
