/* Progress on stderr: a line that is redrawn, lines every 10 s, or JSON. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/tool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int progress_open(struct progress *p, const char *how, int quiet, const gt_device *device)
{
    static const char *const modes[] = {"auto", "plain", "json", "none", NULL};
    memset(p, 0, sizeof *p);
    int mode = how ? tool_choice(how, modes) : 0;
    if (mode < 0) {
        return tool_usage("--progress is '%s', expected auto, plain, json or none", how);
    }
    p->mode = quiet ? PROGRESS_NONE : (enum progress_mode)mode;
    const char *term = getenv("TERM");
    p->tty =
        p->mode == PROGRESS_AUTO && isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
    p->start = tool_now();
    p->last = p->start - 9.0;
    if (device) {
        gt_device_info info;
        gt_device_describe(device, &info);
        snprintf(p->device, sizeof p->device, "%.*s", (int)sizeof p->device - 1, info.name);
    }
    return 0;
}

bool progress_alone(const char *how, int quiet)
{
    return quiet || (how && strcmp(how, "json") == 0);
}

void progress_break(struct progress *p)
{
    if (p->drawn) {
        fputs("\n", stderr);
        p->drawn = false;
    }
}

static void eta_text(char *out, size_t size, double seconds)
{
    if (seconds < 0.0 || seconds > 1e8) {
        snprintf(out, size, "-:--");
        return;
    }
    long s = (long)(seconds + 0.5);
    if (s >= 3600) {
        snprintf(out, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    } else {
        snprintf(out, size, "%ld:%02ld", s / 60, s % 60);
    }
}

void progress_show(struct progress *p, double share, const char *counts, const char *extra,
                   const char *json_extra, bool last)
{
    double now = tool_now();
    double every = p->tty ? 0.25 : p->mode == PROGRESS_JSON ? 1.0 : 10.0;
    if (!p->begun) {
        p->begun = true;
        p->from = share;
    }
    if (p->mode == PROGRESS_NONE || (!last && now - p->last < every)) {
        return;
    }
    p->last = now;
    double elapsed = now - p->start;
    double done = share - p->from;
    double left = done > 1e-6 ? elapsed / done * (1.0 - share) : -1.0;
    if (p->mode == PROGRESS_JSON) {
        fprintf(stderr, "{\"share\": %.4f, \"seconds\": %.2f, \"eta\": %.1f%s}\n", share, elapsed,
                left, json_extra);
        return;
    }
    char bar[21];
    char eta[32];
    int filled = (int)(share * 20.0 + 0.5);
    for (int i = 0; i < 20; i++) {
        bar[i] = i < filled ? '#' : ' ';
    }
    bar[20] = '\0';
    eta_text(eta, sizeof eta, left);
    if (p->tty) {
        fprintf(stderr, "\r[%s] %3.0f%% %s  %s  ETA %s  %s\033[K%s", bar, share * 100.0, counts,
                extra, eta, p->device, last ? "\n" : "");
        p->drawn = !last;
    } else {
        fprintf(stderr, "[%s] %3.0f%% %s  %s  ETA %s  %s\n", bar, share * 100.0, counts, extra, eta,
                p->device);
    }
    fflush(stderr);
}
