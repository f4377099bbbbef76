/* Proves every kernel of every device against the references compiled in double, then the
 * references' gradients by finite differences; with --bench it times them instead.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * --kernel, --case, --device  only these; --device takes a part of the name ("ocl")
 * --without                   not the kernels with this in their name
 * --few                       a few small cases of every kernel, nothing behind the tensors: for
 *                             checkers of memory, which are slow
 * --peak N                    only the CPU's ceilings with N threads (0: all), as a line "threads
 *                             GFLOP/s GB/s"
 * GT_QUICK=1                  thins out cases and layouts
 * GT_REQUIRE_OCL=1            fails without an OpenCL device */
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

static void close_all(struct check_context *ctx)
{
    check_close_devices(ctx);
    for (size_t op = 0; op < GT_OP_COUNT; op++) {
        for (size_t i = 0; ctx->cases[op] && i < check_families[op]->count; i++) {
            check_case_free(ctx->cases[op][i]);
        }
        free(ctx->cases[op]);
    }
}

/* ---- one test per kernel: all devices, cases, variants, layouts ---- */

enum { MAX_DEVICES = 16, MAX_FAILURES = 5, MAX_VARIANTS = 64 };
struct kernel_test {
    struct check_context *ctx;
    const struct gt_kernel *kernel;
    size_t runs, failures;
    bool seen_phase;
    uint64_t ran[MAX_DEVICES]; /* bit v: variant v ran on the device */
};

static bool has_kernel(const struct check_device *where, const struct gt_kernel *kernel)
{
    const struct gt_kernel *const *kernels = where->open[0]->backend->kernels;
    for (size_t k = 0; kernels[k]; k++) {
        if (kernels[k] == kernel) {
            return true;
        }
    }
    return false;
}

static bool is_heavy(enum gt_op op)
{
    return op == GT_OP_conv2d_fwd || op == GT_OP_conv2d_bwd_data || op == GT_OP_conv2d_bwd_weight;
}

/* For slow checkers: plain and channels last, with and without phases. */
static bool is_basic(gt_layout l)
{
    return (l.block == 1 && l.phase == 1) || (l.block == GT_BLOCK_ALL && l.phase <= 2);
}

/* Of the many layouts of a kernel that takes any. */
static bool thinned(const struct check_options *o, const struct check_layouts *layouts, size_t k,
                    size_t n, size_t i)
{
    if (o->few) {
        return !is_basic(layouts[k].in[0]) || !is_basic(layouts[k].out[0]);
    }
    return o->quick && k > 0 && k + 1 < n && (k + i) % 8 != 0;
}

/* For slow checkers: a convolution in a phase above 1 is looked at once, it takes seconds. */
static bool seen_phase(struct kernel_test *t, const struct check_layouts *layouts)
{
    bool above = layouts->in[0].phase > 1 || layouts->out[0].phase > 1;
    bool seen = t->seen_phase;
    if (!t->ctx->options.few || !is_heavy(t->kernel->op) || !above) {
        return false;
    }
    t->seen_phase = true;
    return seen;
}

/* The suffix of a kernel's name tells which set of instructions it needs. */
static uint32_t needs(const struct gt_kernel *kernel)
{
    static const struct {
        const char *suffix;
        uint32_t isa;
    } sets[] = {
        {"_avx512bf16", GT_ISA_AVX512_BF16}, {"_avx512", GT_ISA_AVX512}, {"_avx2", GT_ISA_AVX2}};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const char *at = strstr(kernel->name, sets[i].suffix);
        if (at && at[strlen(sets[i].suffix)] == '\0') {
            return sets[i].isa;
        }
    }
    return 0;
}

/* True if the kernel takes the case. */
static bool prove_variant(struct kernel_test *t, size_t d, struct check_case *c, unsigned v)
{
    struct check_layouts layouts[CHECK_MAX_LAYOUTS];
    const struct check_device *where = &t->ctx->devices[d];
    size_t n = check_layouts(layouts, where->open[0], t->kernel, c, v);
    if (n > 0 && where->cpu && needs(t->kernel) & ~gt__cpu(where->open[0])->isa) {
        fail_msg("%s runs on %s, which lacks its instructions", t->kernel->name, where->name);
    }
    if (n > 0) {
        check_case_solve(c, check_families[c->op]);
    }
    for (size_t k = 0; k < n && t->failures < MAX_FAILURES; k++) {
        if (!thinned(&t->ctx->options, layouts, k, n, c->index) && !seen_phase(t, &layouts[k])) {
            t->runs++;
            t->ran[d] |= (uint64_t)1 << v;
            t->failures += !check_prove(where, t->kernel, v, c, &layouts[k]);
        }
    }
    return n > 0;
}

/* Kernels of many variants, each some seconds under a sanitizer. */
static bool is_transform(const struct gt_kernel *kernel)
{
    return strstr(kernel->name, "_winograd") || strstr(kernel->name, "_fft");
}

/* A mask hides kernels and changes none: there each variant runs once. In a hurry transforms run one
 * case, other devices every second one, but every variant runs. */
static bool skipped(const struct kernel_test *t, size_t d, size_t i, unsigned v)
{
    const struct check_options *o = &t->ctx->options;
    if (o->only_case) {
        return strtoull(o->only_case, NULL, 10) != i;
    }
    bool mask = t->ctx->devices[d].cpu && d > 0;
    bool again = (t->ran[d] & (uint64_t)1 << v) != 0;
    bool thin = t->ctx->devices[d].cpu ? is_transform(t->kernel) : d > 0 && i % 2 != 0;
    return again && (mask || (o->quick && thin));
}

static double case_work(const struct check_case *c)
{
    const struct gt_node *node = check_tested(c);
    double work = gt__ops[node->op]->flops ? gt__ops[node->op]->flops(c->graph, node) : 0;
    for (int32_t i = 0; i < node->n_in; i++) {
        work += node->in[i] ? (double)gt__count(check_shape_of(c, node->in[i])) : 0;
    }
    for (int32_t o = 0; o < node->n_out; o++) {
        work += node->out[o] ? (double)gt__count(check_shape_of(c, node->out[o])) : 0;
    }
    return work;
}

/* The smallest cases that a variant takes, leaving out those too small to tell anything. */
static void prove_few(struct kernel_test *t, size_t d, unsigned v)
{
    enum gt_op op = t->kernel->op;
    bool heavy = is_heavy(op);
    double last = heavy ? 3000 : 500;
    for (int taken = 0, few = heavy ? 1 : 2; taken < few;) {
        struct check_case *least = NULL;
        for (size_t i = 0; i < check_families[op]->count; i++) {
            struct check_case *c = check_get_case(t->ctx, op, i);
            if (!c->bench && case_work(c) > last && (!least || case_work(c) < case_work(least))) {
                least = c;
            }
        }
        if (!least) {
            return;
        }
        last = case_work(least);
        taken += prove_variant(t, d, least, v);
    }
}

static void prove_device(struct kernel_test *t, size_t d)
{
    for (unsigned v = 0; v < t->kernel->n_variants; v++) {
        if (t->ctx->options.few) {
            prove_few(t, d, v);
            continue;
        }
        for (size_t i = 0; i < check_families[t->kernel->op]->count; i++) {
            struct check_case *c = check_get_case(t->ctx, t->kernel->op, i);
            if (!c->bench && !skipped(t, d, i, v)) {
                prove_variant(t, d, c, v);
            }
        }
    }
}

/* Some kernels of OpenCL are made for processors; where all devices are GPUs they have no run. */
static bool only_gpus(const struct check_context *ctx, const struct gt_kernel *kernel)
{
    bool gpus = true;
    for (size_t d = 0; d < ctx->n_devices; d++) {
        gpus = gpus &&
               (!has_kernel(&ctx->devices[d], kernel) || ctx->devices[d].open[0]->info.gpu == 1);
    }
    return gpus;
}

/* Does no device have what the kernel needs? */
static bool lacks(const struct check_context *ctx, const struct gt_kernel *kernel)
{
    uint32_t isa = 0;
    for (size_t d = 0; d < ctx->n_devices; d++) {
        isa |= ctx->devices[d].cpu ? gt__cpu(ctx->devices[d].open[0])->isa : 0;
    }
    return (needs(kernel) & ~isa) != 0;
}

static void test_kernel(void **state)
{
    struct kernel_test *t = (struct kernel_test *)*state;
    assert_in_range(t->kernel->n_variants, 1, MAX_VARIANTS);
    for (size_t d = 0; d < t->ctx->n_devices; d++) {
        if (has_kernel(&t->ctx->devices[d], t->kernel)) {
            prove_device(t, d);
        }
    }
    print_message("%zu runs\n", t->runs);
    if (t->runs == 0 && !t->ctx->options.only_case && !t->ctx->options.few &&
        !only_gpus(t->ctx, t->kernel) && !lacks(t->ctx, t->kernel)) {
        fail_msg("%s accepts no case on any device", t->kernel->name);
    }
    if (t->failures > 0) {
        fail_msg("%s: %zu failures", t->kernel->name, t->failures);
    }
}

/* ---- what ran where ---- */

/* Kernels and variants of one operation that ran on a device, or on its next `span` ones. */
static size_t count_ran(const struct kernel_test *tests, size_t n, enum gt_op op, size_t d,
                        size_t span, size_t *variants)
{
    size_t kernels = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t ran = 0;
        for (size_t k = d; k < d + span && tests[i].kernel->op == op; k++) {
            ran |= tests[i].ran[k];
        }
        kernels += ran != 0;
        for (; ran != 0; ran &= ran - 1) {
            *variants += 1;
        }
    }
    return kernels;
}

/* Operations that devices may leave to the CPU. */
static bool may_fall_back(enum gt_op op)
{
    return op == GT_OP_malis;
}

/* One line per operation. Every device must be able to run every other operation. */
static int print_table(const struct check_context *ctx, const struct kernel_test *tests, size_t n)
{
    int missing = 0;
    size_t masks = 0;
    while (masks < ctx->n_devices && ctx->devices[masks].cpu) {
        masks++;
    }
    for (size_t op = 0; op < GT_OP_COUNT; op++) {
        fprintf(stderr, "%s:", gt__op_name((enum gt_op)op));
        for (size_t d = 0; d < ctx->n_devices; d += d < masks ? masks : 1) {
            size_t variants = 0;
            size_t kernels =
                count_ran(tests, n, (enum gt_op)op, d, d < masks ? masks : 1, &variants);
            fprintf(stderr, "%s %s (%zu kernel%s, %zu variants)", d > 0 ? "," : "",
                    ctx->devices[d].name, kernels, kernels == 1 ? "" : "s", variants);
            missing += kernels == 0 && (ctx->devices[d].cpu || !may_fall_back((enum gt_op)op));
        }
        fprintf(stderr, "\n");
    }
    if (missing > 0) {
        fprintf(stderr, "%d times no kernel of a device ran an operation: see \"(0 kernels\"\n",
                missing);
    }
    return missing;
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
            const char *without = ctx->options.without;
            bool wanted = !filter || strcmp(filter, kernels[k]->name) == 0;
            wanted = wanted && !(without && strstr(kernels[k]->name, without));
            if (!known && n < room && wanted) {
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
    int failures = _cmocka_run_group_tests("kernels", units, n, NULL, NULL);
    bool all = !ctx->options.kernel && !ctx->options.without && !ctx->options.only_case;
    return all ? failures + print_table(ctx, tests, n) : failures;
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
        } else if (strcmp(argv[i], "--without") == 0 && value) {
            o->without = value;
            i++;
        } else if (strcmp(argv[i], "--device") == 0 && value) {
            o->device = value;
            i++;
        } else if (strcmp(argv[i], "--peak") == 0 && value) {
            o->peak = value;
            i++;
        } else if (strcmp(argv[i], "--few") == 0) {
            o->few = check_tight = true;
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
        fprintf(stderr, "usage: check_op [--seed N] [--kernel NAME] [--without PART] [--case N] "
                        "[--device PART] [--few] [--list] [--bench [--json]] [--peak N]\n");
        return 2;
    }
    if (ctx.options.peak) {
        return check_peak((int32_t)strtol(ctx.options.peak, NULL, 10));
    }
    if (check_open_devices(&ctx) != GT_OK) {
        fprintf(stderr, "%s\n", gt_error_message());
    } else if (ctx.options.list) {
        list_all(&ctx);
        failures = 0;
    } else if (ctx.options.bench) {
        failures = check_bench(&ctx);
    } else {
        fprintf(stderr, "seed %llu\n", (unsigned long long)ctx.options.seed);
        failures = prove_all(&ctx);
        failures += ctx.options.kernel || ctx.options.device ? 0 : check_gradients();
    }
    close_all(&ctx);
    return failures ? 1 : 0;
}
