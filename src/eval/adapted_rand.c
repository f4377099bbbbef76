/* Adapted Rand error. SPDX-License-Identifier: BSD-2-Clause
 *
 * 1 - F of pairs of pixels, restricted to the truth's foreground. Two forms are in use, which
 * differ in the z pixels of it that were predicted 0. SNEMI3D's script and Fiji normalise counts to
 * shares of the n pixels and add (z/n)/n to the sums of squares, z in counts: every such pixel is a
 * segment of its own. CREMI's script adds z/(all pixels) to sums of squares of counts, which is
 * next to nothing. Sources: SNEMI3D and its port in Fiji's Trainable Segmentation; cremi.org. */
#include "eval/eval.h"

static double error(const struct gt_sums *sums, double zeros)
{
    /* 1 - 2 p/(s + t), in a form that is exactly 0 for equal partitions */
    double p = sums->p2 + zeros;
    double s = sums->s2 + zeros;
    return ((s - p) + (sums->t2 - p)) / (s + sums->t2);
}

double gt__adapted_rand(const struct gt_sums *sums)
{
    return error(sums, sums->zeros);
}

double gt__adapted_rand_cremi(const struct gt_sums *sums)
{
    return error(sums, sums->zeros / sums->all);
}
