/* Softmax over channels, cross-entropy and their gradients, one work-item to a pixel: formulas in
 * the C files softmax_*_pixels_ocl.c. Scores and probabilities lie in plain NCHW or with all
 * channels in one block, always in phase 1; labels are plain. A pixel is computed alone and in
 * channel order, so its bits depend neither on its place nor on the layout. Where a function allows
 * an output to be the memory of an input, every element is read before it is written, by the same
 * work-item.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "layout.clh"

#ifndef GROUP
#define GROUP 128 /* work-items of the groups that sum the loss, a power of two */
#endif

/* The same bits in every layout and on most devices. */
#pragma OPENCL FP_CONTRACT OFF

/* Where the channels of a pixel lie: `lanes` stored ones, `step` elements apart. */
typedef struct {
    int at, step, lanes;
} gt_pixel;

static inline gt_pixel pixel_of(gt_tensor t, int i)
{
    gt_pixel p = {i * t.b, 1, t.b};
    if (t.b == 1) {
        int plane = t.h * t.w;
        p.at = (i / plane * t.c) * plane + i % plane;
        p.step = plane;
        p.lanes = t.c;
    }
    return p;
}

/* Lanes beyond the channels are zero. */
static inline void zero_lanes(global float *y, gt_pixel p, int channels)
{
    for (int c = channels; c < p.lanes; c++) {
        y[p.at + c * p.step] = 0.0f;
    }
}

static inline float largest(global const float *x, gt_pixel p, int channels)
{
    float top = x[p.at];
    for (int c = 1; c < channels; c++) {
        float v = x[p.at + c * p.step];
        top = v > top ? v : top;
    }
    return top;
}

static inline float sum_exp(global const float *x, gt_pixel p, int channels, float top)
{
    float sum = 0.0f;
    for (int c = 0; c < channels; c++) {
        sum += exp(x[p.at + c * p.step] - top);
    }
    return sum;
}

/* Taken twice rather than kept: it costs less than memory for it. */
static inline void probabilities(global float *y, global const float *x, gt_pixel p, int channels,
                                 float top, float sum)
{
    for (int c = 0; c < channels; c++) {
        int i = p.at + c * p.step;
        y[i] = exp(x[i] - top) / sum;
    }
    zero_lanes(y, p, channels);
}

/* Class of a pixel, -1: ignored. Compared as a number first: NaN and huge labels do not convert. */
static inline int class_of(float label, int channels)
{
    return label >= 0.0f && label < (float)channels ? (int)label : -1;
}

/* y may be the memory of x. */
kernel void softmax_fwd(global const float *x, ulong x_at, global float *y, ulong y_at, gt_tensor t)
{
    int i = (int)get_global_id(0);
    if (i < t.n * t.h * t.w) {
        gt_pixel p = pixel_of(t, i);
        x += x_at;
        float top = largest(x, p, t.c);
        probabilities(y + y_at, x, p, t.c, top, sum_exp(x, p, t.c, top));
    }
}

/* dx may be the memory of dy or y. */
kernel void softmax_bwd(global const float *dy, ulong dy_at, global const float *y, ulong y_at,
                        global float *dx, ulong dx_at, gt_tensor t)
{
    int i = (int)get_global_id(0);
    if (i < t.n * t.h * t.w) {
        gt_pixel p = pixel_of(t, i);
        float dot = 0.0f;
        dy += dy_at;
        y += y_at;
        dx += dx_at;
        for (int c = 0; c < t.c; c++) {
            int k = p.at + c * p.step;
            dot += dy[k] * y[k];
        }
        for (int c = 0; c < t.c; c++) {
            int k = p.at + c * p.step;
            dx[k] = y[k] * (dy[k] - dot);
        }
        zero_lanes(dx, p, t.c);
    }
}

/* Sums of the work-items of a group, in an order that only GROUP decides; for work-item 0. */
static inline void group_sum(local float *loss, local int *valid)
{
    int me = (int)get_local_id(0);
    for (int n = GROUP / 2; n > 0; n /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < n) {
            loss[me] += loss[me + n];
            valid[me] += valid[me + n];
        }
    }
}

/* Probabilities (not where `prob` is NULL), and of each group the sum of -ln max(p, FLT_MIN) at the
 * pixels that count, and their number: sums[group], and as int sums[groups + group]. NaN stays NaN,
 * so that a diverged network shows in the loss. */
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
softmax_loss_fwd(global const float *restrict x, ulong x_at, global const float *restrict label,
                 ulong label_at, global float *restrict prob, ulong prob_at,
                 global float *restrict sums, ulong sums_at, gt_tensor t)
{
    local float loss[GROUP];
    local int valid[GROUP];
    int i = (int)get_global_id(0);
    int me = (int)get_local_id(0);
    int group = (int)get_group_id(0);
    float mine = 0.0f;
    int counts = 0;
    if (i < t.n * t.h * t.w) {
        gt_pixel p = pixel_of(t, i);
        int wanted = class_of(label[label_at + (ulong)i], t.c);
        x += x_at;
        float top = largest(x, p, t.c);
        float sum = sum_exp(x, p, t.c, top);
        if (prob) {
            probabilities(prob + prob_at, x, p, t.c, top, sum);
        }
        if (wanted >= 0) {
            float v = exp(x[p.at + wanted * p.step] - top) / sum;
            mine = -log(v < FLT_MIN ? FLT_MIN : v);
            counts = 1;
        }
    }
    loss[me] = mine;
    valid[me] = counts;
    group_sum(loss, valid);
    if (me == 0) {
        sums += sums_at;
        sums[group] = loss[0];
        ((global int *)sums)[(int)get_num_groups(0) + group] = valid[0];
    }
}

/* One group: the sums of all groups to the loss and the divisor, which is `batch`, or if that is 0
 * the pixels that count, at least 1. `count` may be NULL. */
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
softmax_loss_sum(global const float *restrict sums, ulong sums_at, global float *restrict result,
                 ulong result_at, global float *restrict count, ulong count_at, int groups,
                 int batch, float weight)
{
    local float loss[GROUP];
    local int valid[GROUP];
    int me = (int)get_local_id(0);
    float mine = 0.0f;
    int counts = 0;
    sums += sums_at;
    for (int i = me; i < groups; i += GROUP) {
        mine += sums[i];
        counts += ((global const int *)sums)[groups + i];
    }
    loss[me] = mine;
    valid[me] = counts;
    group_sum(loss, valid);
    if (me == 0) {
        float n = (float)(batch > 0 ? batch : max(valid[0], 1));
        result[result_at] = weight * loss[0] / n;
        if (count) {
            count[count_at] = n;
        }
    }
}

/* dx may be the memory of prob. */
kernel void softmax_loss_bwd(global const float *prob, ulong prob_at, global const float *label,
                             ulong label_at, global const float *count, ulong count_at,
                             global float *dx, ulong dx_at, gt_tensor t, float weight)
{
    int i = (int)get_global_id(0);
    if (i < t.n * t.h * t.w) {
        gt_pixel p = pixel_of(t, i);
        int wanted = class_of(label[label_at + (ulong)i], t.c);
        float scale = weight / count[count_at];
        prob += prob_at;
        dx += dx_at;
        for (int c = 0; c < t.c; c++) {
            int k = p.at + c * p.step;
            float v = (prob[k] - (c == wanted ? 1.0f : 0.0f)) * scale;
            dx[k] = wanted < 0 ? 0.0f : v;
        }
        zero_lanes(dx, p, t.c);
    }
}
