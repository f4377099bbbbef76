/* Proves every kernel of every device against the references compiled in double, then the
 * references' gradients by finite differences; with --bench it times them instead. check_op [--seed
 * N] [--kernel NAME] [--case N] [--list] [--bench [--json]] SPDX-License-Identifier: BSD-2-Clause
 */
#include "check_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend_cpu/cpu.h"

const struct check_family *const check_families[GT_OP_COUNT] = {
#define CHECK_ENTRY(name) [GT_OP_##name] = &check_##name,
    CHECK_FAMILIES(CHECK_ENTRY)
#undef CHECK_ENTRY
};

struct check_case *check_get_case(struct check_context *ctx, enum gt_op op, size_t i)
{
    const struct check_family *family = check_families[op];
    if (!ctx->cases[op]) {
        ctx->cases[op] = (struct check_case **)check_calloc(family->count, sizeof *ctx->cases[op]);
    }
    if (!ctx->cases[op][i]) {
        ctx->cases[op][i] = check_case_create(family, i, ctx->options.seed);
    }
    return ctx->cases[op][i];
}

/* ---- devices ---- */

/* Several numbers of threads once only: a mask hides kernels, it does not change them. */
static gt_status open_device(struct check_device *d, const char *name, const char *index,
                             uint32_t isa, bool quick)
{
    static const int32_t threads[CHECK_THREADS] = {2, 3, 1, 8};
    size_t count = isa != GT_ISA_ALL ? 1 : quick ? 2 : CHECK_THREADS;
    snprintf(d->name, sizeof d->name, "%s", name);
    for (size_t t = 0; t < count; t++) {
        gt_device_options options;
        gt_device_options_init(&options);
        options.threads = threads[t];
        options.isa = isa;
        GT_TRY(gt_device_open(&d->open[t], index, &options));
    }
    return GT_OK;
}

/* The CPU once for each set of instructions that makes a difference, other devices once. */
static gt_status open_devices(struct check_context *ctx)
{
    static const struct {
        const char *name;
        uint32_t isa;
    } masks[] = {{"", GT_ISA_ALL}, {" AVX2", GT_ISA_AVX2}, {" base", GT_ISA_BASE}};
    size_t count = 0;
    GT_TRY(gt_device_count(&count));
    ctx->devices = (struct check_device *)check_calloc(count + 2, sizeof *ctx->devices);
    for (size_t i = 0; i < count; i++) {
        gt_device_info info;
        char index[24];
        GT_TRY(gt_device_list(&info, i));
        snprintf(index, sizeof index, "%zu", i);
        bool cpu = strcmp(info.backend, "cpu") == 0;
        uint32_t last = UINT32_MAX;
        for (size_t m = 0; m < (cpu ? 3 : 1); m++) {
            uint32_t isa = cpu ? gt__cpuid_isa() & masks[m].isa : 0;
            char name[96];
            if (isa == last) {
                continue;
            }
            last = isa;
            snprintf(name, sizeof name, "%s%s", info.backend, masks[m].name);
            GT_TRY(open_device(&ctx->devices[ctx->n_devices++], name, index, masks[m].isa,
                               ctx->options.quick));
        }
    }
    return GT_OK;
}

static void close_all(struct check_context *ctx)
{
    for (size_t d = 0; d < ctx->n_devices; d++) {
        for (size_t t = 0; t < CHECK_THREADS; t++) {
            gt_device_free(ctx->devices[d].open[t]);
        }
    }
    free(ctx->devices);
    for (size_t op = 0; op < GT_OP_COUNT; op++) {
        for (size_t i = 0; ctx->cases[op] && i < check_families[op]->count; i++) {
            check_case_free(ctx->cases[op][i]);
        }
        free(ctx->cases[op]);
    }
}

/* ---- one test per kernel: all devices, cases, variants, layouts ---- */

struct kernel_test {
    struct check_context *ctx;
    const struct gt_kernel *kernel;
    size_t runs, failures;
};
enum { MAX_FAILURES = 5 };

static void prove_case(struct kernel_test *t, const struct check_device *where, size_t i)
{
    struct check_layouts layouts[CHECK_MAX_LAYOUTS];
    struct check_case *c = check_get_case(t->ctx, t->kernel->op, i);
    if (c->bench) {
        return;
    }
    for (unsigned v = 0; v < t->kernel->n_variants; v++) {
        size_t n = check_layouts(layouts, where->open[0], t->kernel, c, v);
        if (n > 0) {
            check_case_solve(c, check_families[c->op]);
        }
        for (size_t k = 0; k < n && t->failures < MAX_FAILURES; k++) {
            if (t->ctx->options.quick && k > 0 && k + 1 < n && (k + i) % 8 != 0) {
                continue;
            }
            t->runs++;
            t->failures += !check_prove(where, t->kernel, v, c, &layouts[k]);
        }
    }
}

static void test_kernel(void **state)
{
    struct kernel_test *t = (struct kernel_test *)*state;
    const struct check_options *o = &t->ctx->options;
    assert_true(t->kernel->n_variants >= 1);
    for (size_t d = 0; d < t->ctx->n_devices; d++) {
        const struct check_device *where = &t->ctx->devices[d];
        bool has = false;
        for (size_t k = 0; where->open[0]->backend->kernels[k]; k++) {
            has |= where->open[0]->backend->kernels[k] == t->kernel;
        }
        for (size_t i = 0; has && i < check_families[t->kernel->op]->count; i++) {
            /* Masks again show the kernels that need no instruction set. */
            bool skip = o->quick && d > 0 && i % 4 != 0;
            if (o->only_case ? strtoull(o->only_case, NULL, 10) == i : !skip) {
                prove_case(t, where, i);
            }
        }
    }
    print_message("%zu runs\n", t->runs);
    if (t->runs == 0 && !o->only_case) {
        fail_msg("%s accepts no case on any device", t->kernel->name);
    }
    if (t->failures > 0) {
        fail_msg("%s: %zu failures", t->kernel->name, t->failures);
    }
}

/* Kernels of all devices, each once. */
static size_t collect(struct kernel_test *out, size_t room, struct check_context *ctx)
{
    size_t n = 0;
    for (size_t d = 0; d < ctx->n_devices; d++) {
        const struct gt_kernel *const *kernels = ctx->devices[d].open[0]->backend->kernels;
        for (size_t k = 0; kernels[k]; k++) {
            bool known = false;
            for (size_t i = 0; i < n; i++) {
                known |= out[i].kernel == kernels[k];
            }
            const char *filter = ctx->options.kernel;
            if (!known && n < room && (!filter || strcmp(filter, kernels[k]->name) == 0)) {
                out[n++] = (struct kernel_test){.ctx = ctx, .kernel = kernels[k]};
            }
        }
    }
    return n;
}

enum { MAX_KERNELS = 256 };

static int prove_all(struct check_context *ctx)
{
    static struct kernel_test tests[MAX_KERNELS];
    static struct CMUnitTest units[MAX_KERNELS];
    size_t n = collect(tests, MAX_KERNELS, ctx);
    for (size_t i = 0; i < n; i++) {
        units[i] = (struct CMUnitTest){
            .name = tests[i].kernel->name, .test_func = test_kernel, .initial_state = &tests[i]};
    }
    if (n == 0) {
        fprintf(stderr, "no such kernel\n");
        return 1;
    }
    return _cmocka_run_group_tests("kernels", units, n, NULL, NULL);
}

static void list_all(struct check_context *ctx)
{
    static struct kernel_test tests[MAX_KERNELS];
    size_t n = collect(tests, MAX_KERNELS, ctx);
    for (size_t i = 0; i < n; i++) {
        printf("%s\n", tests[i].kernel->name);
        for (size_t k = 0; k < check_families[tests[i].kernel->op]->count; k++) {
            const struct check_case *c = check_get_case(ctx, tests[i].kernel->op, k);
            printf("  %3zu %s%s\n", k, c->name, c->bench ? " (bench)" : "");
        }
    }
}

static bool parse(struct check_options *o, int argc, char **argv)
{
    const char *quick = getenv("GT_QUICK");
    *o = (struct check_options){.seed = 1, .quick = quick && *quick && strcmp(quick, "0") != 0};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--list") == 0) {
            o->list = true;
        } else if (strcmp(argv[i], "--bench") == 0) {
            o->bench = true;
        } else if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (strcmp(argv[i], "--seed") == 0 && value) {
            o->seed = strtoull(value, NULL, 0);
            i++;
        } else if (strcmp(argv[i], "--kernel") == 0 && value) {
            o->kernel = value;
            i++;
        } else if (strcmp(argv[i], "--case") == 0 && value) {
            o->only_case = value;
            i++;
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct check_context ctx = {0};
    int failures = 1;
    if (!parse(&ctx.options, argc, argv)) {
        fprintf(stderr, "usage: check_op [--seed N] [--kernel NAME] [--case N] [--list] "
                        "[--bench [--json]]\n");
        return 2;
    }
    if (open_devices(&ctx) != GT_OK) {
        fprintf(stderr, "%s\n", gt_error_message());
    } else if (ctx.options.list) {
        list_all(&ctx);
        failures = 0;
    } else if (ctx.options.bench) {
        failures = check_bench(&ctx);
    } else {
        fprintf(stderr, "seed %llu\n", (unsigned long long)ctx.options.seed);
        failures = prove_all(&ctx);
        failures += ctx.options.kernel ? 0 : check_gradients();
    }
    close_all(&ctx);
    return failures ? 1 : 0;
}
