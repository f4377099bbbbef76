/* Smooth random displacements. SPDX-License-Identifier: BSD-2-Clause */
#include "data/elastic.h"

#include <assert.h>
#include <math.h>

/* Largest norm of the field's derivative, a 2 x 2 matrix. Below 1 the map position + displacement
 * is one to one; the rest keeps it far from folding. The derivative is looked at LOOKS times per
 * node spacing and axis. */
#define STEEPEST 0.7F
#define LOOKS 4

/* Beyond its ends an axis goes on linearly. */
static void extend(float node[GT_ELASTIC_SIDE][GT_ELASTIC_SIDE], int32_t n)
{
    for (int32_t i = 1; i <= n; i++) {
        node[i][0] = 2 * node[i][1] - node[i][2];
        node[i][n + 1] = 2 * node[i][n] - node[i][n - 1];
    }
    for (int32_t j = 0; j <= n + 1; j++) {
        node[0][j] = 2 * node[1][j] - node[2][j];
        node[n + 1][j] = 2 * node[n][j] - node[n - 1][j];
    }
}

/* Weights of four neighbouring nodes at t in [0, 1] between the middle two. */
static void weigh(float w[4], float t)
{
    w[0] = ((-0.5F * t + 1) * t - 0.5F) * t;
    w[1] = (1.5F * t - 2.5F) * t * t + 1;
    w[2] = ((-1.5F * t + 2) * t + 0.5F) * t;
    w[3] = (0.5F * t - 0.5F) * t * t;
}

/* Their derivatives in t. */
static void weigh_slope(float w[4], float t)
{
    w[0] = (-1.5F * t + 2) * t - 0.5F;
    w[1] = (4.5F * t - 5) * t;
    w[2] = (-4.5F * t + 4) * t + 0.5F;
    w[3] = (1.5F * t - 1) * t;
}

static float sum(const float node[GT_ELASTIC_SIDE][GT_ELASTIC_SIDE], int32_t i, int32_t j,
                 const float wy[4], const float wx[4])
{
    float s = 0;
    for (int32_t a = 0; a < 4; a++) {
        for (int32_t b = 0; b < 4; b++) {
            s += wy[a] * wx[b] * node[i + a][j + b];
        }
    }
    return s;
}

/* Squared norm of the derivative, in pixels per pixel, at (ty, tx) of cell (i, j). */
static float steepness(const struct gt_elastic *f, int32_t i, int32_t j, float ty, float tx)
{
    float wy[4];
    float wx[4];
    float vy[4];
    float vx[4];
    weigh(wy, ty);
    weigh(wx, tx);
    weigh_slope(vy, ty);
    weigh_slope(vx, tx);
    float d[4] = {sum(f->y, i, j, vy, wx), sum(f->y, i, j, wy, vx), sum(f->x, i, j, vy, wx),
                  sum(f->x, i, j, wy, vx)};
    return (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + d[3] * d[3]) / (f->spacing * f->spacing);
}

static void limit(struct gt_elastic *f)
{
    float most = 0;
    for (int32_t i = 0; i <= (f->nodes - 1) * LOOKS; i++) {
        for (int32_t j = 0; j <= (f->nodes - 1) * LOOKS; j++) {
            int32_t row = i / LOOKS < f->nodes - 1 ? i / LOOKS : f->nodes - 2;
            int32_t column = j / LOOKS < f->nodes - 1 ? j / LOOKS : f->nodes - 2;
            float s = steepness(f, row, column, (float)(i - row * LOOKS) / LOOKS,
                                (float)(j - column * LOOKS) / LOOKS);
            most = s > most ? s : most;
        }
    }
    if (most > STEEPEST * STEEPEST) {
        float factor = STEEPEST / sqrtf(most);
        for (int32_t i = 0; i < f->nodes + 2; i++) {
            for (int32_t j = 0; j < f->nodes + 2; j++) {
                f->y[i][j] *= factor;
                f->x[i][j] *= factor;
            }
        }
    }
}

void gt__elastic_draw(struct gt_elastic *f, struct gt_random *random, int32_t nodes, int32_t side,
                      float sigma)
{
    assert(nodes >= 2 && nodes <= GT_ELASTIC_NODES && side >= 1);
    f->nodes = nodes;
    f->spacing = (float)(side > 1 ? side - 1 : 1) / (float)(nodes - 1);
    for (int32_t i = 1; i <= nodes; i++) {
        for (int32_t j = 1; j <= nodes; j++) {
            f->y[i][j] = sigma * (float)gt__random_normal(random);
            f->x[i][j] = sigma * (float)gt__random_normal(random);
        }
    }
    extend(f->y, nodes);
    extend(f->x, nodes);
    limit(f);
}

/* The cell that a coordinate lies in, and where in it. */
static int32_t find_cell(float *t, const struct gt_elastic *f, int32_t pixel)
{
    float at = (float)pixel / f->spacing;
    int32_t cell = (int32_t)at;
    cell = cell < f->nodes - 1 ? cell : f->nodes - 2;
    *t = at - (float)cell;
    return cell;
}

/* Pixels first to end - 1, all in the cell whose left node is at `left`: cubic c. */
static void fill(float *d, const float c[4], const struct gt_elastic *f, float left, int32_t first,
                 int32_t end)
{
    float scale = 1 / f->spacing;
    for (int32_t j = first; j < end; j++) {
        float t = ((float)j - left) * scale;
        *d++ = ((c[3] * t + c[2]) * t + c[1]) * t + c[0];
    }
}

/* The cubic of a cell from the four nodes around it. */
static void expand(float c[4], const float p[4])
{
    c[0] = p[1];
    c[1] = 0.5F * (p[2] - p[0]);
    c[2] = p[0] - 2.5F * p[1] + 2 * p[2] - 0.5F * p[3];
    c[3] = 0.5F * (p[3] - p[0]) + 1.5F * (p[1] - p[2]);
}

void gt__elastic_row(float *dy, float *dx, const struct gt_elastic *f, int32_t row, int32_t first,
                     int32_t count)
{
    float t = 0;
    float w[4];
    float y[GT_ELASTIC_SIDE];
    float x[GT_ELASTIC_SIDE];
    int32_t i = find_cell(&t, f, row);
    weigh(w, t);
    for (int32_t j = 0; j < f->nodes + 2; j++) {
        y[j] = w[0] * f->y[i][j] + w[1] * f->y[i + 1][j] + w[2] * f->y[i + 2][j] +
               w[3] * f->y[i + 3][j];
        x[j] = w[0] * f->x[i][j] + w[1] * f->x[i + 1][j] + w[2] * f->x[i + 2][j] +
               w[3] * f->x[i + 3][j];
    }
    int32_t at = first;
    for (int32_t cell = find_cell(&t, f, first); at < first + count; cell++) {
        float c[4];
        float left = (float)cell * f->spacing;
        int32_t end = first + count;
        if (cell < f->nodes - 2 && (float)end > left + f->spacing) {
            end = (int32_t)ceilf(left + f->spacing);
        }
        expand(c, y + cell);
        fill(dy + (at - first), c, f, left, at, end);
        expand(c, x + cell);
        fill(dx + (at - first), c, f, left, at, end);
        at = end > at ? end : at;
    }
}
