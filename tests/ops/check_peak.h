/* Multiply-adds in registers: what the processor can do at most. The including file names the
 * function and the number of floats per vector; its suffix chooses the instructions.
 * SPDX-License-Identifier: BSD-2-Clause */
typedef float vector __attribute__((vector_size(CHECK_WIDTH * 4)));

/* 16 independent chains hide the latency of any multiply-add unit known (4 cycles, 2 units: 8 would
 * do). */
float CHECK_NAME(size_t rounds)
{
    enum { CHAINS = 16 };
    vector sum[CHAINS];
    vector a = {0};
    vector b = {0};
    for (int i = 0; i < CHECK_WIDTH; i++) {
        a[i] = 0.999F;
        b[i] = 1e-3F;
    }
    for (int k = 0; k < CHAINS; k++) {
        sum[k] = b + (float)k;
    }
    for (size_t r = 0; r < rounds; r++) {
        for (int k = 0; k < CHAINS; k++) {
            sum[k] = sum[k] * a + b;
        }
    }
    float total = 0;
    for (int k = 0; k < CHAINS; k++) {
        for (int i = 0; i < CHECK_WIDTH; i++) {
            total += sum[k][i];
        }
    }
    return total;
}
