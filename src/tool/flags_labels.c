/* Flags of labels: which there are, and their balance. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_labels.h"

#include <stdlib.h>
#include <string.h>

static const char *const equalises[] = {"none", "mask", "prior", "both", NULL};

/* Numbers with commas between; false: not such a list, or too long. */
static bool parse_list(double *out, int *n, const char *text)
{
    for (*n = 0;; text++) {
        char *end = NULL;
        if (*n == GT_MAX_LABELS || *text == '\0') {
            return false;
        }
        out[*n] = strtod(text, &end);
        if (end == text || (*end != ',' && *end != '\0')) {
            return false;
        }
        *n += 1;
        if (*end == '\0') {
            return true;
        }
        text = end;
    }
}

int labels_consolidation(gt_consolidation *out, const char *text)
{
    double list[GT_MAX_LABELS];
    int n = 0;
    memset(out, 0, sizeof *out);
    bool good = !text || parse_list(list, &n, text);
    for (int i = 0; i < n && good; i++) {
        good = list[i] >= -1 && list[i] < GT_MAX_LABELS && list[i] == (int)list[i];
        out->label[i] = good ? (int32_t)list[i] : 0;
    }
    out->fine = n;
    return good ? 0
                : tool_usage("--consolidate is '%s', expected labels from -1 to %d with commas "
                             "between, as 0,0,1",
                             text, GT_MAX_LABELS - 1);
}

int labels_fill_data(gt_dataset_options *o, const struct labels_flags *f)
{
    if (f->ignore < -1) {
        return tool_usage("--ignore-value is %d, expected 0 or more", f->ignore);
    }
    o->labels = f->count;
    o->ignore_value = f->ignore;
    return labels_consolidation(&o->consolidate, f->consolidate);
}

int labels_fill_train(gt_train_options *o, const struct labels_flags *f)
{
    double list[GT_MAX_LABELS];
    int n = 0;
    int equalise = 0;
    if (tool_choose(&equalise, "equalise", f->equalise, equalises, GT_EQUALISE_NONE)) {
        return EXIT_USAGE;
    }
    if (f->label_boost && !parse_list(list, &n, f->label_boost)) {
        return tool_usage("--label-boost is '%s', expected numbers with commas between, as 1,2.5",
                          f->label_boost);
    }
    o->equalise = (gt_equalise)equalise;
    for (int i = 0; i < n; i++) {
        o->balance.label_boost[i] = (float)list[i];
    }
    o->balance.border_boost = f->border_boost;
    o->balance.border_width = f->border_width;
    return 0;
}

void labels_print(const gt_trainer *trainer, gt_equalise equalise)
{
    gt_label_share shares[GT_MAX_LABELS];
    size_t n = gt_trainer_label_shares(shares, GT_MAX_LABELS, trainer);
    fputs("greentea: labels:", stderr);
    const char *between = "";
    for (size_t k = 0; k < n; k++) {
        const gt_label_share *s = &shares[k];
        if (s->label < 0) {
            continue;
        }
        fprintf(stderr, "%s %s%s%zu", between, s->name, s->name[0] ? " " : "", k);
        between = ",";
        fprintf(stderr, " %.1f %%", 100.0 * s->images);
        if (equalise & GT_EQUALISE_PRIOR) {
            fprintf(stderr, " -> %.1f %% drawn", 100.0 * s->drawn);
        }
        if (equalise & GT_EQUALISE_MASK) {
            fprintf(stderr, " -> %.1f %%", 100.0 * s->kept);
        }
    }
    fputs("\n", stderr);
}
