/* Greentea: status codes, error messages, version, allocator. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GREENTEA_STATUS_H
#define GREENTEA_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GT_API __attribute__((visibility("default")))
#else
#define GT_API
#endif

#define GT_VERSION_MAJOR 0
#define GT_VERSION_MINOR 1
#define GT_VERSION_PATCH 0
#define GT_VERSION_STRING "0.1.0"

/** What a call that can fail returns: 0 is success, errors are negative. */
typedef enum gt_status {
    GT_OK = 0,
    GT_ENOMEM = -1,     /**< host or device memory; the message gives the bytes wanted */
    GT_EINVAL = -2,     /**< an argument outside its documented range */
    GT_ESHAPE = -3,     /**< sizes that do not fit together or are not legal for the network */
    GT_EIO = -4,        /**< a file cannot be opened, read or written */
    GT_EFORMAT = -5,    /**< a file's content is not what it must be */
    GT_ELIMIT = -6,     /**< a size limit was exceeded (see gt_image_limits) */
    GT_ENOTSUP = -7,    /**< valid, but not supported by this build, device or file format */
    GT_EDEVICE = -8,    /**< no such device, or the device failed */
    GT_ENUMERIC = -9,   /**< NaN or infinity where a number is needed */
    GT_ECANCELLED = -10 /**< a callback asked to stop */
} gt_status;

/** Name of a status ("GT_ENOMEM"); never NULL. */
GT_API const char *gt_status_name(gt_status status);

/**
 * The sentence that belongs to the last failed call of this thread: one line, facts and numbers.
 * Valid until the next Greentea call of the same thread; never NULL, "" before the first error.
 */
GT_API const char *gt_error_message(void);

/** Version of the library that is running, "major.minor.patch". */
GT_API const char *gt_version(void);

/**
 * Memory functions used for all host memory of the library.
 * allocate  returns `size` bytes aligned to `alignment` (a power of two, at least 64), or NULL
 * release   takes back what allocate returned; never called with NULL
 */
typedef struct gt_allocator {
    void *(*allocate)(void *cookie, size_t size, size_t alignment);
    void (*release)(void *cookie, void *memory);
    void *cookie;
} gt_allocator;

/**
 * Replace the memory functions; NULL restores the C library's. Call it before the first other call
 * and while nothing is allocated: memory must go back where it came from. Not thread-safe.
 */
GT_API void gt_set_allocator(const gt_allocator *allocator);

/** Release memory that the library handed out as plain memory (texts). NULL is accepted. */
GT_API void gt_free(void *memory);

/** Severity of a diagnostic message. */
typedef enum gt_log_level { GT_LOG_ERROR, GT_LOG_WARN, GT_LOG_INFO, GT_LOG_DEBUG } gt_log_level;

/** Receives diagnostics: one line without a newline. May be called from any thread that calls us.
 * */
typedef void (*gt_log_fn)(gt_log_level level, const char *message, void *cookie);

/**
 * Called while work goes on; done and total count the unit that the caller's header names.
 * Return non-zero to stop: the running call then returns GT_ECANCELLED.
 */
typedef int (*gt_progress_fn)(uint64_t done, uint64_t total, void *cookie);

#ifdef __cplusplus
}
#endif
#endif
