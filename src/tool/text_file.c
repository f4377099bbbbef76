/* Small text files, complete or not at all; folders. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        return false;
    }
    bool good = fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int error = errno;
    if (fclose(file) != 0) {
        return false;
    }
    errno = error;
    return good;
}

int tool_write_text(const char *path, const char *text)
{
    size_t size = strlen(path) + 32;
    char *temporary = malloc(size);
    if (!temporary) {
        fprintf(stderr, "greentea: no memory for the name of %s\n", path);
        return EXIT_DEVICE;
    }
    snprintf(temporary, size, "%s.tmp-%ld", path, (long)getpid());
    bool good = put(temporary, text) && rename(temporary, path) == 0;
    if (!good) {
        fprintf(stderr, "greentea: %s cannot be written: %s\n", path, strerror(errno));
        unlink(temporary);
    }
    free(temporary);
    return good ? EXIT_OK : EXIT_OUTPUT;
}

int tool_make_folder(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "greentea: folder %s cannot be made: %s\n", path, strerror(errno));
        return EXIT_OUTPUT;
    }
    return 0;
}
