/* Optimizer updates of parameters and their state, all plain; four elements to a work-item, tensors
 * begin at a multiple of 4 elements. Outputs are the memory of inputs in programs. Formulas in
 * sgd_update_flat_ocl.c and adamw_update_flat_ocl.c. SPDX-License-Identifier: BSD-2-Clause */
#include "layout.clh"

/* Nearer to the bits of other devices. */
#pragma OPENCL FP_CONTRACT OFF

/* The order of enum gt_hyper in src/core/ir.h. */
enum { RATE, DECAY, MOMENTUM, BETA2, EPSILON, CLIP, CORRECT1, CORRECT2 };

/* Factor on the gradient, min(1, clip/sqrt(sumsq)) if clip > 0. */
static inline float clip_scale(float clip, float sumsq)
{
    float norm = sqrt(sumsq);
    return clip > 0.0f && norm > clip ? clip / norm : 1.0f;
}

/* Squared norm of the gradient; without one nothing is clipped. */
static inline float norm_of(global const float *sumsq, ulong at)
{
    return sumsq ? sumsq[at] : 0.0f;
}

kernel void sgd_update(global const float *w, ulong w_at, global const float *dw, ulong dw_at,
                       global const float *v, ulong v_at, global const float *hyper,
                       ulong hyper_at, global const float *sumsq, ulong sumsq_at,
                       global float *new_w, ulong new_w_at, global float *new_v, ulong new_v_at,
                       float rate_mult, float decay_mult, int count)
{
    uint i = (uint)get_global_id(0);
    uint n = (uint)count;
    float norm = norm_of(sumsq, sumsq_at);
    hyper += hyper_at;
    float4 old_w = gt_load4(w + w_at, i, n);
    float4 old_v = gt_load4(v + v_at, i, n);
    float4 g = clip_scale(hyper[CLIP], norm) * gt_load4(dw + dw_at, i, n) +
               hyper[DECAY] * decay_mult * old_w;
    float4 next_v = hyper[MOMENTUM] * old_v + hyper[RATE] * rate_mult * g;
    bool go = isfinite(norm);
    gt_store4(new_v + new_v_at, i, n, go ? next_v : old_v);
    gt_store4(new_w + new_w_at, i, n, go ? old_w - next_v : old_w);
}

kernel void adamw_update(global const float *w, ulong w_at, global const float *dw, ulong dw_at,
                         global const float *m, ulong m_at, global const float *v, ulong v_at,
                         global const float *hyper, ulong hyper_at, global const float *sumsq,
                         ulong sumsq_at, global float *new_w, ulong new_w_at, global float *new_m,
                         ulong new_m_at, global float *new_v, ulong new_v_at, float rate_mult,
                         float decay_mult, int count)
{
    uint i = (uint)get_global_id(0);
    uint n = (uint)count;
    float norm = norm_of(sumsq, sumsq_at);
    hyper += hyper_at;
    float beta1 = hyper[MOMENTUM];
    float beta2 = hyper[BETA2];
    float4 old_w = gt_load4(w + w_at, i, n);
    float4 old_m = gt_load4(m + m_at, i, n);
    float4 old_v = gt_load4(v + v_at, i, n);
    float4 g = clip_scale(hyper[CLIP], norm) * gt_load4(dw + dw_at, i, n);
    float4 next_m = beta1 * old_m + (1.0f - beta1) * g;
    float4 next_v = beta2 * old_v + (1.0f - beta2) * g * g;
    float4 move = next_m * hyper[CORRECT1] / (sqrt(next_v * hyper[CORRECT2]) + hyper[EPSILON]);
    float4 next_w =
        old_w - hyper[RATE] * rate_mult * (move + hyper[DECAY] * decay_mult * old_w);
    bool go = isfinite(norm);
    gt_store4(new_m + new_m_at, i, n, go ? next_m : old_m);
    gt_store4(new_v + new_v_at, i, n, go ? next_v : old_v);
    gt_store4(new_w + new_w_at, i, n, go ? next_w : old_w);
}
