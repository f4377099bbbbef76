/* What stands around CLBlast's matrix product in a 1x1 convolution: packing of weights, bias and
 * ReLU. SPDX-License-Identifier: BSD-2-Clause */
#include "layout.clh"

/* to[c][o] = weight[o][c]; zero beyond the true channels, so that lanes beyond them become zero. to
 * has cp rows of np. */
kernel void clblast_pack(global const float *weight, ulong weight_at, global float *to, ulong to_at,
                         int cin, int cout, int cp, int np)
{
    int i = (int)get_global_id(0);
    int c = i / np;
    int o = i % np;
    if (c < cp) {
        to[to_at + (ulong)i] =
            c < cin && o < cout ? weight[weight_at + (ulong)(o * cin + c)] : 0.0f;
    }
}

/* y = epilogue(y) in place, four channels to a work-item; what lies beyond the true shape becomes
 * zero. epilogue: 1 bias, 2 ReLU. Channels last, lanes are a multiple of 4. */
kernel void clblast_finish(global const float *bias, ulong bias_at, global float *y, ulong y_at,
                           gt_tensor t, int epilogue)
{
    int i = (int)get_global_id(0);
    if (i < gt_stored(t) / 4) {
        int4 e = gt_element(t, 4 * i);
        int lanes = e.z < t.h && e.w < t.w ? t.c - e.y : 0;
        global float4 *at = (global float4 *)(y + y_at) + i;
        float4 v = *at;
        if (epilogue & 1) {
            bias += bias_at + (ulong)e.y;
            v.x += lanes > 0 ? bias[0] : 0.0f;
            v.y += lanes > 1 ? bias[1] : 0.0f;
            v.z += lanes > 2 ? bias[2] : 0.0f;
            v.w += lanes > 3 ? bias[3] : 0.0f;
        }
        if (epilogue & 2) {
            v = select(v, (float4)(0.0f), isless(v, (float4)(0.0f)));
        }
        *at = lanes > 0 ? v : (float4)(0.0f);
    }
}
