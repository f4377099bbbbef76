/* Flags of the solver: how long, how fast, on which patches. SPDX-License-Identifier: BSD-2-Clause
 */
#include "tool/flags_solver.h"

static const char *const augments[] = {"auto", "none", "flips", "d4", NULL};
static const char *const solvers[] = {"sgd", "adamw", NULL};
static const char *const policies[] = {"fixed", "inv", "step", "poly", "cosine", NULL};
static const char *const normalizes[] = {"valid", "batch", NULL};

int solver_fill(gt_train_options *o, const struct solver_flags *f)
{
    int solver = 0;
    int policy = 0;
    int augment = 0;
    int normalize = 0;
    if (tool_choose(&solver, "solver", f->solver, solvers, GT_ADAMW) ||
        tool_choose(&policy, "policy", f->policy, policies, GT_POLICY_COSINE) ||
        tool_choose(&augment, "augment", f->augment, augments, GT_AUGMENT_AUTO) ||
        tool_choose(&normalize, "normalize", f->normalize, normalizes, GT_NORMALIZE_VALID)) {
        return EXIT_USAGE;
    }
    if (f->time_limit &&
        (!tool_parse_time(&o->time_limit, f->time_limit) || o->time_limit <= 0.0)) {
        return tool_usage("--time-limit is '%s', expected for example 90s, 10m or 1.5h",
                          f->time_limit);
    }
    if (f->iterations < 1 || f->step < 1 || f->warmup < 0) {
        return tool_usage(
            "--iterations %lld and --step %lld must be 1 or more, --warmup %lld 0 or more",
            f->iterations, f->step, f->warmup);
    }
    o->solver = (gt_solver)solver;
    o->policy = (gt_policy)policy;
    o->augment = (gt_augment)augment;
    o->normalize = (gt_normalize)normalize;
    o->patch = f->patch;
    o->batch = f->batch;
    o->iterations = (uint64_t)f->iterations;
    o->rate = f->rate;
    o->gamma = f->gamma;
    o->power = f->power;
    o->step = (uint64_t)f->step;
    o->warmup = (uint64_t)f->warmup;
    o->beta2 = f->beta2;
    o->decay = f->decay;
    o->clip = f->clip;
    o->seed = (uint64_t)f->seed;
    o->deterministic = f->deterministic;
    return tool_number(solver == GT_SGD ? &o->momentum : &o->beta1, "momentum", f->momentum);
}
