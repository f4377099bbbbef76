/* Status names, version, thread-local error message. SPDX-License-Identifier: BSD-2-Clause */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 512 };

static _Thread_local char message[MESSAGE_SIZE];

const char *gt_status_name(gt_status status)
{
    switch (status) {
    case GT_OK:
        return "GT_OK";
    case GT_ENOMEM:
        return "GT_ENOMEM";
    case GT_EINVAL:
        return "GT_EINVAL";
    case GT_ESHAPE:
        return "GT_ESHAPE";
    case GT_EIO:
        return "GT_EIO";
    case GT_EFORMAT:
        return "GT_EFORMAT";
    case GT_ELIMIT:
        return "GT_ELIMIT";
    case GT_ENOTSUP:
        return "GT_ENOTSUP";
    case GT_EDEVICE:
        return "GT_EDEVICE";
    case GT_ENUMERIC:
        return "GT_ENUMERIC";
    case GT_ECANCELLED:
        return "GT_ECANCELLED";
    }
    return "GT_UNKNOWN";
}

const char *gt_error_message(void)
{
    return message;
}

const char *gt_version(void)
{
    return GT_VERSION_STRING;
}

/* One line: words of other libraries and file names may hold line breaks. */
static void keep(const char *text)
{
    size_t i = 0;
    for (; text[i] != '\0' && i < MESSAGE_SIZE - 1; i++) {
        message[i] = text[i] == '\n' || text[i] == '\r' ? ' ' : text[i];
    }
    message[i] = '\0';
}

/* Formatted aside first, because an argument may be the present message. */
gt_status gt__fail(gt_status status, const char *format, ...)
{
    char text[MESSAGE_SIZE] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    keep(text);
    return status;
}

gt_status gt__fail_prefix(gt_status status, const char *format, ...)
{
    char text[MESSAGE_SIZE] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t used = strlen(text);
    size_t rest = strlen(message);
    if (rest > MESSAGE_SIZE - 1 - used) {
        rest = MESSAGE_SIZE - 1 - used;
    }
    memcpy(text + used, message, rest);
    text[used + rest] = '\0';
    keep(text);
    return status;
}
