/* Rows of reorder_tiled.c for one element type: T is the type, NAME(x) puts its suffix behind x.
 * Included once per type. SPDX-License-Identifier: BSD-2-Clause */

enum { NAME(TILE) = 16 };

/* Blocked to blocked: whole pixels, pad lanes included (zero in the source). */
static void NAME(row_pixels)(T *restrict y, const T *restrict x, const struct reorder_row *r)
{
    if (r->x_column == GT_BLOCK && r->y_column == GT_BLOCK) {
        memcpy(y, x, (size_t)r->n * GT_BLOCK * sizeof *y);
        return;
    }
    for (ptrdiff_t j = 0; j < r->n; j++) {
        memcpy(y + j * r->y_column, x + j * r->x_column, GT_BLOCK * sizeof *y);
    }
}

/* Plain to plain: channel by channel. */
static void NAME(row_planes)(T *restrict y, const T *restrict x, const struct reorder_row *r)
{
    for (int32_t c = 0; c < r->channels; c++) {
        T *to = y + c * r->y_channel;
        const T *from = x + c * r->x_channel;
        if (r->x_column == 1 && r->y_column == 1) {
            memcpy(to, from, (size_t)r->n * sizeof *y);
        } else if (r->x_column == 2 && r->y_column == 1) {
            for (ptrdiff_t j = 0; j < r->n; j++) {
                to[j] = from[2 * j];
            }
        } else {
            for (ptrdiff_t j = 0; j < r->n; j++) {
                to[j * r->y_column] = from[j * r->x_column];
            }
        }
    }
}

/* Plain to blocked, TILE columns at a time so that the pixels stay in the first cache. */
static void NAME(row_gather)(T *restrict y, const T *restrict x, const struct reorder_row *r)
{
    for (ptrdiff_t j0 = 0; j0 < r->n; j0 += NAME(TILE)) {
        ptrdiff_t j1 = j0 + NAME(TILE) < r->n ? j0 + NAME(TILE) : r->n;
        if (r->channels == GT_BLOCK) {
            for (ptrdiff_t j = j0; j < j1; j++) {
                const T *from = x + j * r->x_column;
                T *to = y + j * r->y_column;
                for (ptrdiff_t c = 0; c < GT_BLOCK; c++) {
                    to[c] = from[c * r->x_channel];
                }
            }
            continue;
        }
        for (ptrdiff_t j = j0; j < j1; j++) {
            const T *from = x + j * r->x_column;
            T *to = y + j * r->y_column;
            memset(to, 0, GT_BLOCK * sizeof *y);
            for (ptrdiff_t c = 0; c < r->channels; c++) {
                to[c] = from[c * r->x_channel];
            }
        }
    }
}

/* Blocked to plain. */
static void NAME(row_scatter)(T *restrict y, const T *restrict x, const struct reorder_row *r)
{
    for (ptrdiff_t j0 = 0; j0 < r->n; j0 += NAME(TILE)) {
        ptrdiff_t n = r->n - j0 < NAME(TILE) ? r->n - j0 : NAME(TILE);
        const T *from = x + j0 * r->x_column;
        T *to = y + j0 * r->y_column;
        for (ptrdiff_t c = 0; c < r->channels; c++) {
            if (n == NAME(TILE) && r->y_column == 1) {
                for (ptrdiff_t j = 0; j < NAME(TILE); j++) {
                    to[c * r->y_channel + j] = from[j * r->x_column + c];
                }
            } else {
                for (ptrdiff_t j = 0; j < n; j++) {
                    to[c * r->y_channel + j * r->y_column] = from[j * r->x_column + c];
                }
            }
        }
    }
}

/* Zero columns `from` to w - 1 of the channels of a group. */
static void NAME(row_clear)(T *y, const struct job *job, int32_t channels, int32_t from)
{
    ptrdiff_t b = job->ey.b;
    size_t bytes = (size_t)(job->ey.w - from) * (size_t)b * sizeof *y;
    ptrdiff_t plane = (ptrdiff_t)gt__extent_plane(job->ey);
    for (ptrdiff_t c = 0; c < (b == 1 ? channels : 1); c++) {
        memset(y + c * plane + from * b, 0, bytes);
    }
}

/* Row i (true row h) of a destination fragment whose columns are w = j*q + fj, nw of them true. The
 * columns come from one source fragment if q >= p, else from p/q of them in turn. */
static void NAME(fill_row)(const struct job *job, T *y, const struct place *at, int32_t h)
{
    int32_t p = job->p;
    int32_t q = job->q;
    int32_t bx = job->ex.b;
    int32_t by = job->ey.b;
    int32_t turns = p > q ? p / q : 1;
    int32_t skip = q > p ? q / p : 1;
    struct reorder_row r = {.x_channel = bx == 1 ? (ptrdiff_t)gt__extent_plane(job->ex) : 1,
                            .y_channel = by == 1 ? (ptrdiff_t)gt__extent_plane(job->ey) : 1,
                            .x_column = (ptrdiff_t)skip * bx,
                            .y_column = (ptrdiff_t)turns * by,
                            .channels = at->channels};
    for (int32_t turn = 0; turn < turns; turn++) {
        int32_t w = turn * q + at->fj;
        r.n = gt__ceil_div(at->nw - turn, turns);
        if (turn >= at->nw) {
            break;
        }
        size_t image = (size_t)(at->n * p * p + h % p * p + w % p);
        size_t block = bx == 1 ? (size_t)at->group * GT_BLOCK : (size_t)at->group;
        const T *x = (const T *)job->x +
                     (image * (size_t)job->ex.cb + block) * gt__extent_plane(job->ex) +
                     (size_t)(h / p) * gt__extent_row(job->ex) + (size_t)(w / p) * (size_t)bx;
        T *to = y + (ptrdiff_t)turn * by;
        if (bx == 1) {
            (by == 1 ? NAME(row_planes) : NAME(row_gather))(to, x, &r);
        } else {
            (by == 1 ? NAME(row_scatter) : NAME(row_pixels))(to, x, &r);
        }
    }
}

static void NAME(reorder_chunk)(void *cookie, size_t chunk, int32_t thread)
{
    (void)thread;
    const struct job *job = cookie;
    struct gt_row_span span = gt__row_span(&job->rows, chunk);
    struct place at = place_of(job, span.plane);
    int32_t q = job->q;
    size_t image = span.plane / (size_t)job->groups;
    size_t block = job->ey.b == 1 ? (size_t)at.group * GT_BLOCK : (size_t)at.group;
    T *plane = (T *)job->y + (image * (size_t)job->ey.cb + block) * gt__extent_plane(job->ey);
    for (int32_t i = span.from; i < span.to; i++) {
        T *y = plane + (size_t)i * gt__extent_row(job->ey);
        int32_t h = i * q + at.fi;
        bool inside = h < job->shape.h;
        if (inside) {
            NAME(fill_row)(job, y, &at, h);
        }
        NAME(row_clear)(y, job, at.channels, inside ? at.nw : 0);
    }
}
