/* ReLU, y = x < 0 ? 0 : x (NaN stays NaN), over all stored elements, so in any layout; zero tails
 * stay zero. x and y may be the same memory. SPDX-License-Identifier: BSD-2-Clause */

kernel void relu_fwd(global const float *x, ulong x_at, global float *y, ulong y_at, int count)
{
    int i = (int)get_global_id(0);
    if (i < count) {
        float v = x[x_at + (ulong)i];
        y[y_at + (ulong)i] = v < 0.0f ? 0.0f : v;
    }
}
