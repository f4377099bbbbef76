/* Guard zones and layouts of the tests. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TESTS_CHECK_LAYOUT_H
#define GT_TESTS_CHECK_LAYOUT_H

#include "core/layout.h"

/* Bytes before and behind every tensor: an odd number of vectors, so that nothing is aligned to
 * 128. */
enum { CHECK_GUARD = 5 * 64 };

void check_guards_fill(uint8_t *image, size_t bytes, size_t total);
/* Is this part of a guard, `at` bytes from the image's start, as it was filled? */
bool check_guard_intact(const uint8_t *part, size_t at, size_t bytes);

/* NCHW doubles (or u8) into a layout, lanes and tails zero. */
void check_pack(uint8_t *to, gt_shape s, gt_layout l, const void *from);

#endif
