/* Options of distortion. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_DATA_DISTORT_H
#define GT_DATA_DISTORT_H

#include <greentea/augment.h>

#include <stdbool.h>

/* GT_EINVAL names the field that is out of range. */
gt_status gt__augment_check(const gt_augment_options *options);

/* Is a geometric map wanted, are grey values to be changed? */
bool gt__augment_warps(const gt_augment_options *options);
bool gt__augment_tones(const gt_augment_options *options);

#endif
