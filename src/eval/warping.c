/* Topology-preserving warping. SPDX-License-Identifier: BSD-2-Clause
 *
 * The source (truth) is changed towards the target (prediction) by flipping simple points among
 * the pixels that differ, in passes over them in a fixed order, until a pass flips none. A pixel
 * that was not simple is worth another look only after one of its neighbours was flipped, so that
 * instead of whole passes a heap holds what has to be looked at, by pass and place in the order:
 * the same flips as whole passes in O(m log m) for m differing pixels.
 * Source: Jain et al. 2010, doi 10.1109/CVPR.2010.5539950; order and passes as in Fiji. */
#include "eval/eval.h"

#include <string.h>

enum { SAME = 0, DIFFERS = 1, WAITS = 2 };

/* Yokoi's connectivity number for 4-adjacent foreground: the times that the foreground around the
 * point begins. Source: Yokoi et al. 1975, doi 10.1016/S0146-664X(75)80015-5. */
bool gt__simple_point(uint32_t mask)
{
    uint32_t number = 0;
    for (uint32_t k = 0; k < 8; k += 2) {
        uint32_t a = mask >> k & 1;
        uint32_t b = mask >> (k + 1) & 1;
        uint32_t c = mask >> (k + 2) % 8 & 1;
        number += a & ~(b & c) & 1;
    }
    return number == 1;
}

static uint32_t neighbours(const uint8_t *image, const int32_t *step)
{
    uint32_t mask = 0;
    for (uint32_t k = 0; k < 8; k++) {
        mask |= (uint32_t)image[step[k]] << k;
    }
    return mask;
}

/* Keys of differing pixels: the surest first, then by columns. Values above 0 compare as the bits
 * that they are made of do. */
static size_t collect(const struct gt_warping *w, const struct gt_grid *g, const float *sure)
{
    size_t n = 0;
    for (int32_t x = 0; x < g->width; x++) {
        for (int32_t y = 0; y < g->height; y++) {
            int32_t p = gt__grid_row(g, y) + x;
            float value = sure[(size_t)y * (size_t)g->width + (size_t)x];
            w->state[p] = SAME;
            if (w->source[p] != w->target[p] && value >= 0) {
                uint32_t bits;
                memcpy(&bits, &value, sizeof bits);
                w->state[p] = WAITS;
                w->order[n++] =
                    (uint64_t)(INT32_MAX - bits) << 32 | (uint32_t)(x * (int64_t)g->height + y);
            }
        }
    }
    gt__sort_u64(w->order, w->heap, n);
    for (size_t i = 0; i < n; i++) {
        int32_t place = (int32_t)(w->order[i] & UINT32_MAX);
        int32_t p = gt__grid_row(g, place % g->height) + place / g->height;
        w->order[i] = (uint64_t)p;
        w->rank[p] = (int32_t)i;
        w->heap[i] = i; /* ascending, so a heap; all of the first pass */
    }
    return n;
}

static void push(uint64_t *heap, size_t *n, uint64_t key)
{
    size_t i = (*n)++;
    while (i > 0 && heap[(i - 1) / 2] > key) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = key;
}

static uint64_t pop(uint64_t *heap, size_t *n)
{
    uint64_t least = heap[0];
    uint64_t key = heap[--*n];
    size_t i = 0;
    for (size_t k = 1; k < *n; k = 2 * i + 1) {
        k += k + 1 < *n && heap[k + 1] < heap[k];
        if (heap[k] >= key) {
            break;
        }
        heap[i] = heap[k];
        i = k;
    }
    heap[i] = key;
    return least;
}

size_t gt__warp(const struct gt_warping *w, const struct gt_grid *grid, const float *sure)
{
    const int32_t row = grid->stride;
    const int32_t step[8] = {1, 1 - row, -row, -1 - row, -1, row - 1, row, row + 1};
    size_t left = collect(w, grid, sure);
    size_t waiting = left;
    while (waiting > 0) {
        uint64_t key = pop(w->heap, &waiting);
        int32_t rank = (int32_t)(key & UINT32_MAX);
        int32_t p = (int32_t)w->order[rank];
        w->state[p] = DIFFERS;
        if (!gt__simple_point(neighbours(w->source + p, step))) {
            continue;
        }
        w->source[p] ^= 1;
        w->state[p] = SAME;
        left--;
        for (int32_t k = 0; k < 8; k++) {
            int32_t q = p + step[k];
            if (w->state[q] == DIFFERS) {
                /* What comes earlier in the order had its turn in this pass. */
                uint64_t pass = (key >> 32) + (w->rank[q] < rank);
                w->state[q] = WAITS;
                push(w->heap, &waiting, pass << 32 | (uint32_t)w->rank[q]);
            }
        }
    }
    return left;
}
