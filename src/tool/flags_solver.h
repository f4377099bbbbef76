/* Flags of the solver: how long, how fast, on which patches. SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef GT_TOOL_FLAGS_SOLVER_H
#define GT_TOOL_FLAGS_SOLVER_H

#include "tool/tool.h"

struct solver_flags {
    char *time_limit, *augment, *solver, *policy, *normalize, *momentum;
    long long iterations, seed, step, warmup;
    int patch, batch, deterministic;
    float rate, gamma, power, beta2, decay, clip;
};
#define SOLVER_DEFAULTS                                                                            \
    {                                                                                              \
        .iterations = 10000, .seed = 1, .step = 10000, .warmup = 100, .rate = 1e-3f,               \
        .gamma = 1e-4f, .power = 0.75f, .beta2 = 0.999f, .decay = 1e-4f, .clip = 1.0f              \
    }
/* The formatter would indent every entry of the list further than the one before. */
/* clang-format off */
#define SOLVER_OPTIONS(f)                                                                          \
    {"iterations", 'i', POPT_ARG_LONGLONG, &(f).iterations, 0, "in all (default 10000)", "N"},     \
    {"time-limit", 0, POPT_ARG_STRING, &(f).time_limit, 0, "stop after 90s, 10m, 1.5h", "T"},      \
    {"patch", 'p', POPT_ARG_INT, &(f).patch, 0, "output size of a patch (default: up to 128)",     \
     "P"},                                                                                         \
    {"batch", 'b', POPT_ARG_INT, &(f).batch, 0, "patches per iteration (default 1; sw: 32)", "N"}, \
    {"augment", 0, POPT_ARG_STRING, &(f).augment, 0,                                               \
     "none, flips or d4 (default: d4 for 2 labels, none for more)", "HOW"},                        \
    {"solver", 0, POPT_ARG_STRING, &(f).solver, 0, "adamw (default) or sgd", "NAME"},              \
    {"rate", 0, POPT_ARG_FLOAT, &(f).rate, 0, "learning rate (default 0.001)", "R"},               \
    {"policy", 0, POPT_ARG_STRING, &(f).policy, 0, "fixed, inv, step, poly, cosine (default)",     \
     "NAME"},                                                                                      \
    {"gamma", 0, POPT_ARG_FLOAT, &(f).gamma, 0, "of inv and step (default 0.0001)", "G"},          \
    {"power", 0, POPT_ARG_FLOAT, &(f).power, 0, "of inv and poly (default 0.75)", "P"},            \
    {"step", 0, POPT_ARG_LONGLONG, &(f).step, 0, "of step (default 10000)", "N"},                  \
    {"warmup", 0, POPT_ARG_LONGLONG, &(f).warmup, 0, "iterations of rising rate (default 100)",    \
     "N"},                                                                                         \
    {"momentum", 0, POPT_ARG_STRING, &(f).momentum, 0, "sgd: default 0.99; adamw's beta1: 0.9",     \
     "M"},                                                                                         \
    {"beta2", 0, POPT_ARG_FLOAT, &(f).beta2, 0, "of adamw (default 0.999)", "B"},                  \
    {"decay", 0, POPT_ARG_FLOAT, &(f).decay, 0, "weight decay (default 0.0001)", "D"},             \
    {"clip", 0, POPT_ARG_FLOAT, &(f).clip, 0, "largest gradient norm, 0: any (default 1)", "C"},   \
    {"normalize", 0, POPT_ARG_STRING, &(f).normalize, 0, "loss divided by valid pixels or batch",  \
     "HOW"},                                                                                       \
    {"seed", 's', POPT_ARG_LONGLONG, &(f).seed, 0, "of weights and patches (default 1)", "S"},     \
    {"deterministic", 0, POPT_ARG_NONE, &(f).deterministic, 0,                                     \
     "only position-independent sums", NULL}
/* clang-format on */
/* 0 or EXIT_USAGE. */
int solver_fill(gt_train_options *o, const struct solver_flags *f);

#endif
