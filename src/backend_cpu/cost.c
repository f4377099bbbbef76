/* Estimates of time. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/cpu.h"

/* A typical share of main memory for one process; only the ratio to arithmetic matters. */
static const double bytes_per_second = 10e9;
static const double dispatch_seconds = 1e-6;
/* Not the device's: a choice of kernels that depended on the threads would make the bits depend on
 * them. */
static const double nominal_threads = 2.0;

double gt__cpu_cost(const struct gt_device *d, double flops, double rate, double bytes)
{
    (void)d;
    double arithmetic = flops / (rate * nominal_threads);
    double memory = bytes / bytes_per_second;
    double longer = arithmetic > memory ? arithmetic : memory;
    double shorter = arithmetic > memory ? memory : arithmetic;
    /* They overlap, but never wholly: of kernels that wait for memory the faster one is better. */
    return longer + shorter / 8 + dispatch_seconds;
}

static double value_bytes(const struct gt_graph *g, gt_value v)
{
    if (v == GT_NO_VALUE) {
        return 0;
    }
    const struct gt_value_info *info = gt__value(g, v);
    return (double)gt__count(info->shape) * (double)gt__kind_size(info->kind);
}

double gt__cpu_node_bytes(const struct gt_graph *g, const struct gt_node *node)
{
    double bytes = 0;
    for (int32_t i = 0; i < node->n_in; i++) {
        bytes += value_bytes(g, node->in[i]);
    }
    for (int32_t i = 0; i < node->n_out; i++) {
        bytes += value_bytes(g, node->out[i]);
    }
    return bytes;
}
