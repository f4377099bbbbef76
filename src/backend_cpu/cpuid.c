/* What this processor is and can do. SPDX-License-Identifier: BSD-2-Clause */
#include "backend_cpu/cpu.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* The compiler's runtime also asks whether the operating system saves the registers. */
uint32_t gt__cpuid_isa(void)
{
    uint32_t isa = GT_ISA_BASE;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        isa |= GT_ISA_AVX2;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("fma")) {
        isa |= GT_ISA_AVX512;
        if (__builtin_cpu_supports("avx512bf16")) {
            isa |= GT_ISA_AVX512_BF16;
        }
    }
    return isa;
}

/* Leaves 0x80000002 to 0x80000004 hold 48 characters, padded with spaces or zeros. */
void gt__cpuid_brand(char *out, size_t size)
{
    unsigned words[12] = {0};
    char text[sizeof words + 1] = "";
    for (unsigned i = 0; i < 3; i++) {
        unsigned *w = words + 4 * i;
        if (!__get_cpuid(0x80000002u + i, &w[0], &w[1], &w[2], &w[3])) {
            break;
        }
    }
    memcpy(text, words, sizeof words);
    size_t end = strlen(text);
    while (end > 0 && text[end - 1] == ' ') {
        text[--end] = '\0';
    }
    const char *start = text + strspn(text, " ");
    snprintf(out, size, "%s", *start ? start : "unknown");
}

#else

uint32_t gt__cpuid_isa(void)
{
    return GT_ISA_BASE;
}

void gt__cpuid_brand(char *out, size_t size)
{
    snprintf(out, size, "unknown");
}

#endif
