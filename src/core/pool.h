/* A fixed pool of threads. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_POOL_H
#define GT_CORE_POOL_H

#include <greentea/status.h>

struct gt_pool;

/* `thread` is 0 to threads - 1, for scratch memory of one's own; `chunk` 0 to chunks - 1. Results
 * must depend on the chunk only, never on the thread: then any number of threads gives the same
 * bits. */
typedef void (*gt_pool_fn)(void *cookie, size_t chunk, int32_t thread);

/* Processors that this process may use: 1 to 1024. */
int32_t gt__processors(void);

/* threads >= 1, the caller's included (1 starts none). */
gt_status gt__pool_create(struct gt_pool **out, int32_t threads);
int32_t gt__pool_threads(const struct gt_pool *pool);
/* Run fn for every chunk and return when all are done. Not re-entrant. Chunks are taken in order by
 * whichever thread is free. Waiting threads spin briefly, then sleep. */
void gt__pool_for(struct gt_pool *pool, size_t chunks, gt_pool_fn fn, void *cookie);
void gt__pool_free(struct gt_pool *pool);

#endif
