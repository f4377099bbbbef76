/* Files that only save time. SPDX-License-Identifier: BSD-2-Clause */
#include "core/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool gt__cache_path(char out[GT_CACHE_PATH], const char *name)
{
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int n = -1;
    if (xdg && xdg[0] == '/') {
        n = snprintf(out, GT_CACHE_PATH, "%s/greentea/%s", xdg, name);
    } else if (home && home[0] == '/') {
        n = snprintf(out, GT_CACHE_PATH, "%s/.cache/greentea/%s", home, name);
    }
    return n > 0 && n < GT_CACHE_PATH;
}

/* Make the folder of a file, and the folders above it. */
static bool make_folders(const char *path)
{
    char folder[GT_CACHE_PATH];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *at = strchr(folder + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
            return false;
        }
        *at = '/';
    }
    return true;
}

bool gt__cache_create(struct gt_cache_file *out, const char *path)
{
    *out = (struct gt_cache_file){.path = path};
    if (!make_folders(path)) {
        return false;
    }
    snprintf(out->beside, sizeof out->beside, "%s.XXXXXX", path);
    int descriptor = mkstemp(out->beside);
    if (descriptor < 0) {
        return false;
    }
    out->file = fdopen(descriptor, "wb");
    if (!out->file) {
        close(descriptor);
        unlink(out->beside);
    }
    return out->file != NULL;
}

bool gt__cache_commit(struct gt_cache_file *f, bool ok)
{
    ok = ok && ferror(f->file) == 0;
    ok = fclose(f->file) == 0 && ok && rename(f->beside, f->path) == 0;
    if (!ok) {
        unlink(f->beside);
    }
    return ok;
}
