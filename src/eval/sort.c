/* Sorting. SPDX-License-Identifier: BSD-2-Clause */
#include "eval/eval.h"

#include <stdlib.h>
#include <string.h>

/* One pass of a radix sort: by the byte at `shift`, stable. false: all keys have the same. */
static bool sort_byte(uint64_t *to, const uint64_t *from, size_t n, int shift)
{
    size_t at[256] = {0};
    for (size_t i = 0; i < n; i++) {
        at[from[i] >> shift & 255]++;
    }
    if (at[from[0] >> shift & 255] == n) {
        return false;
    }
    size_t sum = 0;
    for (size_t k = 0; k < 256; k++) {
        size_t count = at[k];
        at[k] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++) {
        to[at[from[i] >> shift & 255]++] = from[i];
    }
    return true;
}

void gt__sort_u64(uint64_t *keys, uint64_t *scratch, size_t n)
{
    uint64_t *from = keys;
    uint64_t *to = scratch;
    for (int shift = 0; shift < 64 && n > 1; shift += 8) {
        if (sort_byte(to, from, n, shift)) {
            uint64_t *other = from;
            from = to;
            to = other;
        }
    }
    if (from != keys) {
        memcpy(keys, from, n * sizeof *keys);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = ((const struct gt_cell *)a)->key;
    uint64_t y = ((const struct gt_cell *)b)->key;
    return (x > y) - (x < y);
}

void gt__sort_cells(struct gt_cell *cells, size_t n)
{
    if (n > 1) {
        qsort(cells, n, sizeof *cells, compare);
    }
}
