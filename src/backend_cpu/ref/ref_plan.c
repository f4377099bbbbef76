/* Planning of the references. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/ref/ref.h"

/* Measured on plain loops: 0.2 to 1 GFLOP/s and 0.5 to 2 GB/s. The lower ends, so that any kernel
 * made for speed wins. */
static const double flops_per_second = 0.2e9;
static const double bytes_per_second = 0.5e9;

double gt__ref_cost(const struct gt_graph *g, const struct gt_node *node)
{
    const struct gt_op_info *info = gt__ops[node->op];
    double flops = info->flops ? info->flops(g, node) : 0;
    return flops / flops_per_second + gt__cpu_node_bytes(g, node) / bytes_per_second + 1e-6;
}

static gt_layout nchw(const struct gt_graph *g, gt_value v)
{
    return (gt_layout){1, 1, v == GT_NO_VALUE ? GT_KIND_F32 : gt__value(g, v)->kind};
}

/* Inputs that output 0 may overwrite: those read only at the element that is written. */
static uint32_t inplace(enum gt_op op)
{
    switch (op) {
    case GT_OP_bias_fwd:
    case GT_OP_relu_fwd:
        return 1;
    case GT_OP_relu_bwd:
    case GT_OP_add:
        return 3;
    default:
        return 0;
    }
}

bool gt__ref_plan(const struct gt_device *d, const struct gt_graph *g, const struct gt_node *node,
                  unsigned variant, struct gt_plan *out)
{
    (void)d;
    (void)variant;
    uint32_t epilogue = node->op == GT_OP_conv2d_fwd ? GT_EPILOGUE_BIAS | GT_EPILOGUE_RELU : 0;
    if (node->epilogue & ~epilogue) {
        return false;
    }
    for (int32_t i = 0; i < node->n_in; i++) {
        out->in[i] = nchw(g, node->in[i]);
    }
    for (int32_t i = 0; i < node->n_out; i++) {
        out->out[i] = nchw(g, node->out[i]);
    }
    out->inplace = inplace(node->op);
    out->cost = gt__ref_cost(g, node);
    return true;
}
