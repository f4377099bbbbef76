/* Scores of held-out images as members of a record. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/history.h"
#include "tool/validate.h"

static double mean_iou(const uint64_t *confusion, int32_t labels)
{
    double sum = 0.0;
    int32_t present = 0;
    for (int32_t k = 0; k < labels; k++) {
        uint64_t joined = 0;
        for (int32_t i = 0; i < labels; i++) {
            joined += confusion[k * labels + i] + (i != k ? confusion[i * labels + k] : 0);
        }
        if (joined > 0) {
            sum += (double)confusion[k * labels + k] / (double)joined;
            present++;
        }
    }
    return present > 0 ? sum / present : 0.0;
}

static void add_binary(json_t *o, const gt_binary_scores *s)
{
    static const char *const keys[] = {"threshold", "v_rand",  "split",      "merge",
                                       "v_info",    "pixel_f", "pixel_wrong"};
    json_object_set_new(o, "v_rand", json_finite(s->v_rand[s->best_v_rand]));
    json_object_set_new(o, "v_rand_threshold", json_real((double)s->threshold[s->best_v_rand]));
    json_object_set_new(o, "v_rand_split", json_finite(s->v_rand_split[s->best_v_rand]));
    json_object_set_new(o, "v_rand_merge", json_finite(s->v_rand_merge[s->best_v_rand]));
    json_object_set_new(o, "v_info", json_finite(s->v_info[s->best_v_info]));
    json_object_set_new(o, "v_info_threshold", json_real((double)s->threshold[s->best_v_info]));
    json_object_set_new(o, "pixel_error", json_finite(s->pixel_error));
    json_object_set_new(o, "pixel_error_threshold", json_real((double)s->threshold[s->best_pixel]));
    json_object_set_new(o, "pixel_wrong", json_finite(s->pixel_wrong[s->best_pixel]));
    json_t *all = json_object();
    for (int k = 0; k < 7; k++) {
        json_t *list = json_array();
        for (int i = 0; i < GT_THRESHOLDS; i++) {
            const double values[] = {(double)s->threshold[i], s->v_rand[i], s->v_rand_split[i],
                                     s->v_rand_merge[i],      s->v_info[i], s->pixel_f[i],
                                     s->pixel_wrong[i]};
            json_array_append_new(list, json_finite(values[k]));
        }
        json_object_set_new(all, keys[k], list);
    }
    json_object_set_new(o, "thresholds", all);
}

int validation_scores(json_t **out, int32_t labels, const struct tally *t)
{
    json_t *o = json_object();
    double judged = (double)t->judged;
    json_object_set_new(o, "loss", json_finite(t->loss / judged));
    json_object_set_new(o, "accuracy", json_finite((double)t->right / judged));
    json_object_set_new(o, "mean_iou", json_finite(mean_iou(t->confusion, labels)));
    if (t->evaluation) {
        gt_binary_scores s;
        gt_status status = gt_evaluation_scores(&s, t->evaluation);
        if (status != GT_OK) {
            json_decref(o);
            return tool_fail(status, ABOUT_INPUT);
        }
        add_binary(o, &s);
    }
    json_t *rows = json_array();
    for (int32_t i = 0; i < labels; i++) {
        json_t *row = json_array();
        for (int32_t k = 0; k < labels; k++) {
            json_array_append_new(row, json_integer((json_int_t)t->confusion[i * labels + k]));
        }
        json_array_append_new(rows, row);
    }
    json_object_set_new(o, "confusion", rows);
    *out = o;
    return 0;
}
