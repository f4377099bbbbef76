/* Lifetimes to offsets: largest block first, at the lowest place that is free over its whole life.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "core/planner.h"

#include <stdlib.h>

struct order {
    size_t size, index;
};

static int by_size(const void *a, const void *b)
{
    const struct order *x = a;
    const struct order *y = b;
    if (x->size != y->size) {
        return x->size < y->size ? 1 : -1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Lowest offset for `block` among `placed` (indices sorted by offset). */
static size_t lowest(const struct gt_block *blocks, const size_t *placed, size_t n_placed,
                     const struct gt_block *block)
{
    size_t offset = 0;
    for (size_t i = 0; i < n_placed; i++) {
        const struct gt_block *other = &blocks[placed[i]];
        if (other->last < block->first || block->last < other->first) {
            continue;
        }
        if (other->offset >= offset + block->size) {
            break;
        }
        if (other->offset + other->size > offset) {
            offset = other->offset + other->size;
        }
    }
    return offset;
}

gt_status gt__arena(size_t *total, struct gt_block *blocks, size_t n)
{
    gt_status status = GT_OK;
    struct order *order = NULL;
    size_t *placed = NULL;
    GT_TRY_OUT(gt__alloc(&order, n, sizeof *order, "planner"));
    GT_TRY_OUT(gt__alloc(&placed, n, sizeof *placed, "planner"));
    for (size_t i = 0; i < n; i++) {
        blocks[i].size = gt__align_up(blocks[i].size, GT_ALIGN);
        order[i] = (struct order){blocks[i].size, i};
    }
    qsort(order, n, sizeof *order, by_size);
    *total = 0;
    for (size_t k = 0; k < n; k++) {
        struct gt_block *block = &blocks[order[k].index];
        block->offset = lowest(blocks, placed, k, block);
        if (block->offset + block->size > *total) {
            *total = block->offset + block->size;
        }
        size_t at = k;
        while (at > 0 && blocks[placed[at - 1]].offset > block->offset) {
            placed[at] = placed[at - 1];
            at--;
        }
        placed[at] = order[k].index;
    }
out:
    gt__free(placed);
    gt__free(order);
    return status;
}
