/* What a training is continued from. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/former.h"

#include "tool/config.h"
#include "tool/flags_network.h"

#include <string.h>

bool former_exists(const char *path)
{
    char previous[4096];
    snprintf(previous, sizeof previous, "%s.prev", path);
    return tool_exists(path) || tool_exists(previous);
}

/* The file that resuming will take: `path`, or where it is damaged the one before it. NULL if
 * neither can be read; resuming says why. */
static gt_model *load_former(char *name, size_t size, const char *path)
{
    gt_model *former = NULL;
    char reason[512];
    snprintf(name, size, "%s", path);
    if (gt_model_load(&former, name) == GT_OK) {
        return former;
    }
    snprintf(reason, sizeof reason, "%s", gt_error_message());
    snprintf(name, size, "%s.prev", path);
    if (gt_model_load(&former, name) == GT_OK) {
        fprintf(stderr, "greentea: warning: %s; going on from %s\n", reason, name);
    }
    return former;
}

static void describe(char *text, size_t size, const gt_label_info *label)
{
    if (label->grey >= 0) {
        snprintf(text, size, "value %d of label images", label->grey);
    } else {
        snprintf(text, size, "'%s'", label->name);
    }
}

/* Labels are ranks of grey values, or of sub-folders: others make other labels of the same number.
 */
static void compare_labels(const gt_model *former, const gt_model *model, const char *path)
{
    gt_model_options o;
    gt_model_get_options(model, &o);
    for (int32_t i = 0; i < o.labels; i++) {
        char text[2][96];
        gt_label_info a;
        gt_label_info b;
        if (gt_model_get_label(&a, former, i) != GT_OK ||
            gt_model_get_label(&b, model, i) != GT_OK ||
            (a.grey == b.grey && strcmp(a.name, b.name) == 0)) {
            continue;
        }
        describe(text[0], sizeof text[0], &a);
        describe(text[1], sizeof text[1], &b);
        fprintf(stderr, "greentea: warning: label %d of %s is %s, in the data it is %s\n", i, path,
                text[0], text[1]);
    }
}

/* A checkpoint of another network cannot be continued; weights of equal shape would hide some
 * differences. */
int former_check(const char *path, const gt_model *model, const struct poptOption *table)
{
    char name[4096];
    gt_model_options a;
    gt_model_options b;
    gt_model *former = load_former(name, sizeof name, path);
    if (!former) {
        return 0;
    }
    gt_model_get_options(former, &a);
    gt_model_get_options(model, &b);
    int code = 0;
    if (strcmp(a.net, b.net) != 0 || a.width != b.width || a.labels != b.labels ||
        a.channels != b.channels || a.skip != b.skip) {
        code = tool_usage(
            "%s holds network %s, width %g, %d labels, %d channels, skip gradient %s; --resume "
            "needs the same flags",
            name, a.net, a.width, a.labels, a.channels, network_skip_name(a.skip));
    } else {
        compare_labels(former, model, name);
        code = config_compare(former, table, name);
    }
    gt_model_free(former);
    return code;
}
