/* Thread-local error message. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_ERROR_H
#define GT_CORE_ERROR_H

#include <greentea/status.h>

/* Set the message of this thread and return `status`: return gt__fail(GT_EFORMAT, "page %d: ...",
 * ...).
 * One line, facts and numbers, no function names, no final newline. Cut at 511 bytes. */
gt_status gt__fail(gt_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Put words before the present message ("slice 3: " + message); the status stays the caller's. */
gt_status gt__fail_prefix(gt_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Pass an error up untouched. */
#define GT_TRY(call)                                                                               \
    do {                                                                                           \
        gt_status gt_try_status = (call);                                                          \
        if (gt_try_status != GT_OK) {                                                              \
            return gt_try_status;                                                                  \
        }                                                                                          \
    } while (0)

/* The same where resources are held: needs `gt_status status` and a label `out`. */
#define GT_TRY_OUT(call)                                                                           \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != GT_OK) {                                                                     \
            goto out;                                                                              \
        }                                                                                          \
    } while (0)

#endif
