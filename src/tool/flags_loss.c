/* Flags of what a training minimises, and of the weights it starts from.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tool/flags_loss.h"

static const char *const kinds[] = {"softmax", "malis", "softmax+malis", NULL};
static const char *const forms[] = {"squared", "hinge", NULL};

int loss_fill(gt_train_options *o, const struct loss_flags *f)
{
    int kind = 0;
    int form = 0;
    if (tool_choose(&kind, "loss", f->kind, kinds, GT_LOSS_SOFTMAX) ||
        tool_choose(&form, "malis-form", f->form, forms, GT_MALIS_SQUARED)) {
        return EXIT_USAGE;
    }
    if (f->after < 0) {
        return tool_usage("--malis-after is %lld, expected 0 or more", f->after);
    }
    if (f->after > 0 && kind == GT_LOSS_SOFTMAX) {
        return tool_usage("--malis-after needs --loss malis or softmax+malis");
    }
    o->loss.kind = (gt_loss_kind)kind;
    o->loss.malis_form = (gt_malis_form)form;
    o->loss.softmax_weight = f->softmax_weight;
    o->loss.malis_weight = f->malis_weight;
    o->loss.malis_after = (uint64_t)f->after;
    return 0;
}

int loss_init_model(gt_model *model, const struct loss_flags *f)
{
    gt_status status = f->init_model ? gt_model_load_weights(model, f->init_model) : GT_OK;
    return status == GT_OK ? 0 : tool_fail(status, ABOUT_INPUT);
}
