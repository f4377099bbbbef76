/* Which layouts a kernel takes a node in. SPDX-License-Identifier: BSD-2-Clause */
#include "check_op.h"

#include <string.h>

static const int16_t blocks[] = {1, GT_BLOCK, GT_BLOCK_ALL};
static const int16_t phases[] = {1, 2, 4, 8};
enum { N_BLOCKS = 3, N_PHASES = 4 };

static bool ask(struct gt_device *device, const struct gt_kernel *kernel,
                const struct check_case *c, unsigned variant, struct gt_plan *plan)
{
    return kernel->plan(device, c->graph, check_tested(c), variant, plan);
}

/* A phase larger than the image only adds empty fragments. */
static bool sensible(gt_shape s, int16_t phase)
{
    return phase <= s.h || phase <= s.w;
}

static gt_layout choose(gt_layout l, int16_t block, int16_t phase, enum gt_kind kind)
{
    if (gt__layout_is_any(l)) {
        l.block = block;
        l.phase = phase;
    }
    l.kind = kind;
    return l;
}

static struct check_layouts fixed(const struct check_case *c, const struct gt_plan *plan,
                                  int16_t block, int16_t phase)
{
    const struct gt_node *node = check_tested(c);
    struct check_layouts l = {.plan = *plan};
    for (int32_t i = 0; i < node->n_in; i++) {
        if (node->in[i] != GT_NO_VALUE) {
            l.in[i] = choose(plan->in[i], block, phase, gt__value(c->graph, node->in[i])->kind);
        }
    }
    for (int32_t o = 0; o < node->n_out; o++) {
        l.out[o] = choose(plan->out[o], block, phase, gt__value(c->graph, node->out[o])->kind);
    }
    return l;
}

/* Reorders are asked with the layouts of both sides already in the plan. */
static size_t reorder_layouts(struct check_layouts *out, struct gt_device *device,
                              const struct gt_kernel *kernel, const struct check_case *c,
                              unsigned variant)
{
    const struct gt_node *node = check_tested(c);
    gt_shape s = check_shape_of(c, node->in[0]);
    enum gt_kind kind = gt__value(c->graph, node->in[0])->kind;
    size_t n = 0;
    enum { EACH = N_BLOCKS * N_PHASES };
    for (size_t k = 0; k < (size_t)EACH * EACH; k++) {
        gt_layout from = {blocks[k % N_BLOCKS], phases[k % EACH / N_BLOCKS], kind};
        gt_layout to = {blocks[k / EACH % N_BLOCKS], phases[k / EACH / N_BLOCKS], kind};
        if (!sensible(s, from.phase) || !sensible(s, to.phase) || gt__layout_equal(from, to)) {
            continue;
        }
        struct gt_plan plan = {.in = {from}, .out = {to}};
        if (ask(device, kernel, c, variant, &plan)) {
            out[n] = (struct check_layouts){.in = {from}, .out = {to}, .plan = plan};
            out[n].plan.inplace = 0;
            n++;
        }
    }
    return n;
}

size_t check_layouts(struct check_layouts *out, struct gt_device *device,
                     const struct gt_kernel *kernel, const struct check_case *c, unsigned variant)
{
    const struct gt_node *node = check_tested(c);
    struct gt_plan plan = {0};
    bool any = false;
    size_t n = 0;
    if (kernel->op == GT_OP_reorder) {
        return reorder_layouts(out, device, kernel, c, variant);
    }
    if (!ask(device, kernel, c, variant, &plan)) {
        return 0;
    }
    gt_shape s = check_shape_of(c, node->in[0]);
    for (int32_t i = 0; i < node->n_in; i++) {
        any |= node->in[i] != GT_NO_VALUE && gt__layout_is_any(plan.in[i]);
    }
    for (int32_t o = 0; o < node->n_out; o++) {
        any |= gt__layout_is_any(plan.out[o]);
    }
    if (!any) {
        out[0] = fixed(c, &plan, 1, 1);
        return 1;
    }
    for (size_t b = 0; b < N_BLOCKS; b++) {
        for (size_t p = 0; p < N_PHASES; p++) {
            struct check_layouts l = fixed(c, &plan, blocks[b], phases[p]);
            struct gt_plan again = {0};
            memcpy(again.in, l.in, sizeof again.in);
            if (sensible(s, phases[p]) && ask(device, kernel, c, variant, &again)) {
                l.any = true;
                out[n++] = l;
            }
        }
    }
    return n;
}
