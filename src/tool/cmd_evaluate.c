/* greentea evaluate: results against the truth. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/evaluate.h"
#include "tool/flags_labels.h"

int evaluate_open_truth(struct truth *t, const struct evaluate_flags *f, int32_t labels,
                        const gt_model *model)
{
    gt_consolidation consolidate;
    int code = labels_consolidation(&consolidate, f->consolidate);
    return code ? code : truth_open(t, f->labels, labels, model, &consolidate);
}

int evaluate_fail(gt_status status, size_t slice)
{
    fprintf(stderr, "greentea: slice %zu: %s\n", slice + 1, gt_error_message());
    return status == GT_ENOMEM ? EXIT_DEVICE : EXIT_INPUT;
}

void evaluate_progress(struct progress *p, size_t done, size_t slices)
{
    char counts[64];
    char json[64];
    snprintf(counts, sizeof counts, "slice %zu/%zu", done, slices);
    snprintf(json, sizeof json, ", \"slice\": %zu, \"slices\": %zu", done, slices);
    /* Where nothing was drawn so far there is nothing to end. */
    bool last = done == slices && (p->last > p->start || p->mode == PROGRESS_JSON);
    progress_show(p, (double)done / (double)slices, counts, "", json, last);
}

/* Exactly one kind of result. */
static int check(const struct evaluate_flags *f)
{
    int given = (f->prob != NULL) + (f->map != NULL) + (f->segmentation != NULL);
    if (!f->labels || given == 0) {
        return tool_usage("--labels and one of --prob, --label-map and --segmentation are needed; "
                          "`greentea evaluate --help` lists the options");
    }
    if (given > 1) {
        return tool_usage("--prob, --label-map and --segmentation exclude each other");
    }
    if ((f->components || f->border >= 0.0) && !f->segmentation) {
        return tool_usage("--components and --ignore-border belong to --segmentation");
    }
    if (f->border > 1000.0) {
        return tool_usage("--ignore-border is %g, expected 0 to 1000", f->border);
    }
    if (f->metrics && !f->prob) {
        return tool_usage("--metrics belongs to --prob");
    }
    if (f->label >= 0 && !f->prob) {
        return tool_usage("--label belongs to --prob");
    }
    if (f->segmentation && (f->model || f->consolidate)) {
        return tool_usage("--model and --consolidate are about labels, not segments");
    }
    if (f->per_slice && f->map) {
        return tool_usage("--per-slice belongs to --prob and --segmentation");
    }
    return 0;
}

int cmd_evaluate(int argc, char **argv)
{
    struct evaluate_flags f = {.label = -1, .border = -1.0};
    const struct poptOption table[] = {
        {"labels", 'l', POPT_ARG_STRING, &f.labels, 0,
         "true label images, page by page; or a folder with a sub-folder per label", "PATH"},
        {"prob", 'p', POPT_ARG_STRING, &f.prob, 0, "probabilities written by process", "PATH"},
        {"label-map", 0, POPT_ARG_STRING, &f.map, 0,
         "instead: a label per pixel, as its index or its grey value", "PATH"},
        {"segmentation", 's', POPT_ARG_STRING, &f.segmentation, 0,
         "instead: numbers of segments; the labels are such numbers then, 0 is none", "PATH"},
        {"components", 0, POPT_ARG_STRING, &f.components, 0,
         "truth, segmentation or both hold masks: number their 4-connected components first",
         "WHICH"},
        {"ignore-border", 0, POPT_ARG_DOUBLE, &f.border, 0,
         "segments: leave out truth at most R pixels from a pixel that touches another label", "R"},
        {"label", 'k', POPT_ARG_INT, &f.label, 0,
         "label that the probabilities are judged for (default: 1 of 2, the last of more)", "K"},
        {"model", 'm', POPT_ARG_STRING, &f.model, 0,
         "model that knows which grey value is which label", "MODEL"},
        {"consolidate", 0, POPT_ARG_STRING, &f.consolidate, 0,
         "label for each label of the true images, in order (-1: none): 0,0,1", "LIST"},
        {"metrics", 0, POPT_ARG_STRING, &f.metrics, 0,
         "of vrand, vinfo, voi, adapted-rand, cremi, rand, warping, pixel, calibration, confusion "
         "(default: all)",
         "LIST"},
        {"per-slice", 0, POPT_ARG_NONE, &f.per_slice, 0,
         "also each slice, at the thresholds that are best for all", NULL},
        {"json", 0, POPT_ARG_NONE, &f.json, 0, "machine-readable", NULL},
        PROGRESS_OPTIONS(f.progress, f.quiet),
        POPT_TABLEEND};
    int code = tool_parse(argc, argv, table, "Compare results with the true labels.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    code = check(&f);
    code = code ? code : evaluate_parse_metrics(&f.scores, f.metrics);
    if (code) {
        return code;
    }
    return f.prob ? evaluate_prob(&f) : f.map ? evaluate_map(&f) : evaluate_segments(&f);
}
