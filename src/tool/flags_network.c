/* Flags of the network that is made. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_network.h"

static const char *const inits[] = {"he", "paper", NULL};
static const char *const skips[] = {"flowing", "blocked", NULL};

int network_fill(gt_model_options *o, gt_init *init, const struct network_flags *f)
{
    int how = 0;
    int skip = 0;
    if (tool_choose(&how, "init", f->init, inits, GT_INIT_HE) ||
        tool_choose(&skip, "skip-gradient", f->skip, skips, GT_SKIP_FLOWING)) {
        return EXIT_USAGE;
    }
    *init = (gt_init)how;
    o->net = f->net;
    o->width = f->width;
    o->skip = (gt_skip)skip;
    return 0;
}

const char *network_skip_name(gt_skip skip)
{
    return skips[skip];
}
