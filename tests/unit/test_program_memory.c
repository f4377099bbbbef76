/* Memory of programs: what lives at the same time never overlaps, the plan tells the truth, and
 * every failing allocation comes back as GT_ENOMEM. SPDX-License-Identifier: BSD-2-Clause */
#include "program_rig.h"

static const enum rig_kind kinds[] = {RIG_INFER, RIG_SGD, RIG_ADAMW, RIG_SOFTMAX, RIG_MALIS};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

/* ---- the arena ---- */

/* Bytes of the arena and the steps during which they are needed. */
struct span {
    size_t offset, size;
    int32_t first, last;
    gt_value value; /* GT_NO_VALUE: scratch */
};

struct spans {
    struct span *all;
    size_t n;
};

static struct span *span_of(struct spans *s, gt_value v, const struct gt_view *view)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->all[i].value == v) {
            /* one value has one home */
            assert_int_equal(s->all[i].offset, view->offset);
            assert_int_equal(s->all[i].size, view->size);
            return &s->all[i];
        }
    }
    s->all[s->n] = (struct span){view->offset, view->size, INT32_MAX, -1, v};
    return &s->all[s->n++];
}

/* Derived from the steps alone: an input of the program lives from before the first step, a value
 * that is read by the caller until after the last. */
static struct spans find_spans(const gt_program *p)
{
    struct gt_step *steps = NULL;
    int32_t n = (int32_t)gt__program_steps(p, &steps);
    struct spans s = {0};
    s.all = (struct span *)rig_calloc((size_t)n * (GT_MAX_IN + GT_MAX_OUT + 1), sizeof *s.all);
    for (int32_t i = 0; i < n; i++) {
        const struct gt_node *node = steps[i].node;
        for (int32_t k = 0; k < node->n_in; k++) {
            if (node->in[k] != GT_NO_VALUE && steps[i].in[k].buffer == p->arena) {
                struct span *span = span_of(&s, node->in[k], &steps[i].in[k]);
                if (span->first == INT32_MAX) { /* nobody wrote it: the caller does */
                    assert_int_equal(p->graph->values[node->in[k]].role, GT_ROLE_INPUT);
                    span->first = -1;
                }
                span->last = i;
            }
        }
        for (int32_t k = 0; k < node->n_out; k++) {
            if (node->out[k] != GT_NO_VALUE && steps[i].out[k].buffer == p->arena) {
                struct span *span = span_of(&s, node->out[k], &steps[i].out[k]);
                span->first = span->first < i ? span->first : i;
                span->last = p->graph->values[node->out[k]].wanted ? n : i;
            }
        }
        if (steps[i].scratch.buffer) {
            assert_ptr_equal(steps[i].scratch.buffer, p->arena);
            s.all[s.n++] =
                (struct span){steps[i].scratch.offset, steps[i].scratch.size, i, i, GT_NO_VALUE};
        }
    }
    return s;
}

/* Output 0 of step i may lie exactly on an input that is read there for the last time, if the plan
 * says so. */
static bool in_place(const gt_program *p, const struct span *a, const struct span *b)
{
    int32_t i = b->first;
    if (a->last != i || a->offset != b->offset || i < 0) {
        return false;
    }
    const struct gt_node *node = p->steps[i].node;
    for (int32_t k = 0; k < node->n_in; k++) {
        if (node->in[k] == a->value && node->out[0] == b->value) {
            return p->plans[i].inplace & 1u << k;
        }
    }
    return false;
}

static void check_arena(const gt_program *p)
{
    struct spans s = find_spans(p);
    size_t peak = 0;
    for (size_t i = 0; i < s.n; i++) {
        const struct span *a = &s.all[i];
        assert_int_equal(a->offset % GT_ALIGN, 0);
        assert_true(a->offset + a->size <= p->memory.arena_bytes);
        peak = a->offset + a->size > peak ? a->offset + a->size : peak;
        for (size_t k = i + 1; k < s.n; k++) {
            const struct span *b = &s.all[k];
            bool together = a->first <= b->last && b->first <= a->last;
            bool overlap = a->offset < b->offset + b->size && b->offset < a->offset + a->size;
            if (together && overlap && !in_place(p, a, b) && !in_place(p, b, a)) {
                fail_msg("value %d (steps %d to %d) and value %d (%d to %d) overlap", a->value,
                         a->first, a->last, b->value, b->first, b->last);
            }
        }
    }
    /* Nothing is allocated in vain, but for alignment. */
    assert_true(p->memory.arena_bytes - peak < GT_ALIGN);
    free(s.all);
}

static void check_packed(const gt_program *p)
{
    struct gt_step *steps = NULL;
    size_t n = gt__program_steps(p, &steps);
    for (size_t i = 0; i < n; i++) {
        const struct gt_view *a = &steps[i].packed;
        assert_true(!a->buffer || a->offset + a->size <= p->memory.packed_bytes);
        for (size_t k = i + 1; a->buffer && k < n; k++) {
            const struct gt_view *b = &steps[k].packed;
            assert_true(!b->buffer || a->offset + a->size <= b->offset ||
                        b->offset + b->size <= a->offset);
        }
    }
}

static size_t buffer_size(const struct gt_buffer *buffer)
{
    return buffer ? buffer->size : 0;
}

static void test_arena(void **state)
{
    static const uint32_t masks[] = {GT_ISA_ALL, GT_ISA_BASE};
    (void)state;
    for (size_t k = 0; k < (size_t)N_KINDS * 8; k++) {
        struct rig rig;
        gt_program *p = NULL;
        gt_program_memory plan;
        gt_program_memory memory;
        gt_device *device = rig_device(2, masks[k / N_KINDS % 2]);
        gt_program_options options = {.deterministic = k / N_KINDS / 2 % 2};
        int32_t size = k / N_KINDS / 4 ? 14 : 70;
        assert_int_equal(rig_build(&rig, kinds[k % N_KINDS], size, size + 6), GT_OK);
        assert_int_equal(gt_program_plan(&plan, device, rig.graph, &options), GT_OK);
        assert_int_equal(gt_program_create(&p, device, rig.graph, &options), GT_OK);
        gt_program_get_memory(p, &memory);
        assert_int_equal(plan.arena_bytes, memory.arena_bytes);
        assert_int_equal(plan.packed_bytes, memory.packed_bytes);
        assert_int_equal(plan.kept_bytes, memory.kept_bytes);
        assert_true(plan.seconds > 0 && plan.seconds == memory.seconds);
        assert_int_equal(buffer_size(p->arena), memory.arena_bytes);
        assert_int_equal(buffer_size(p->packed), memory.packed_bytes);
        assert_int_equal(buffer_size(p->kept), memory.kept_bytes);
        check_arena(p);
        check_packed(p);
        gt_program_free(p);
        gt_graph_free(rig.graph);
        gt_device_free(device);
    }
}

/* Reuse must be worth something: less than all values of the training program side by side. */
static void test_reuse(void **state)
{
    (void)state;
    struct rig rig;
    gt_program *p = NULL;
    gt_device *device = rig_device(1, GT_ISA_ALL);
    assert_int_equal(rig_build(&rig, RIG_INFER, 70, 70), GT_OK);
    assert_int_equal(gt_program_create(&p, device, rig.graph, NULL), GT_OK);
    struct spans s = find_spans(p);
    size_t sum = 0;
    for (size_t i = 0; i < s.n; i++) {
        sum += s.all[i].size;
    }
    assert_true(p->memory.arena_bytes < sum);
    free(s.all);
    gt_program_free(p);
    gt_graph_free(rig.graph);
    gt_device_free(device);
}

/* ---- failing allocations ---- */

struct counter {
    size_t calls, fail_at; /* the fail_at-th call fails, 0: none */
    size_t live;
};

static void *count_allocate(void *cookie, size_t size, size_t alignment)
{
    struct counter *c = (struct counter *)cookie;
    void *memory = NULL;
    c->calls++;
    if (c->calls == c->fail_at || posix_memalign(&memory, alignment, size ? size : 1) != 0) {
        return NULL;
    }
    c->live++;
    return memory;
}

static void count_release(void *cookie, void *memory)
{
    struct counter *c = (struct counter *)cookie;
    c->live--;
    free(memory);
}

/* Everything from opening a device to the text of the program; running allocates nothing. */
static gt_status whole_life(struct counter *c, enum rig_kind kind)
{
    struct rig rig = {0};
    gt_device *device = NULL;
    gt_program *p = NULL;
    char *text = NULL;
    gt_program_memory plan;
    gt_device_options options;
    gt_status status = GT_OK;
    gt_device_options_init(&options);
    options.threads = 2;
    GT_TRY_OUT(gt_device_open(&device, NULL, &options));
    GT_TRY_OUT(rig_build(&rig, kind, 14, 16));
    GT_TRY_OUT(gt_program_plan(&plan, device, rig.graph, NULL));
    GT_TRY_OUT(gt_program_create(&p, device, rig.graph, NULL));
    GT_TRY_OUT(rig_fill(&rig, p));
    size_t before = c->calls;
    GT_TRY_OUT(gt_program_run(p));
    assert_int_equal(c->calls, before);
    GT_TRY_OUT(gt_program_dump(&text, p));
    gt_free(text);
    text = NULL;
    GT_TRY_OUT(gt_graph_dump(&text, rig.graph));
out:
    gt_free(text);
    gt_program_free(p);
    gt_graph_free(rig.graph);
    gt_device_free(device);
    return status;
}

static void test_allocations(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_KINDS; k++) {
        struct counter c = {0};
        gt_allocator allocator = {count_allocate, count_release, &c};
        gt_set_allocator(&allocator);
        gt_status status = whole_life(&c, kinds[k]);
        size_t total = c.calls;
        size_t failed = 0;
        for (size_t n = 1; status == GT_OK && n <= total; n++) {
            c = (struct counter){.fail_at = n};
            gt_status got = whole_life(&c, kinds[k]);
            failed += got == GT_ENOMEM && c.live == 0;
            if (failed != n) {
                print_error("allocation %zu of %zu: %s \"%s\", %zu blocks left\n", n, total,
                            gt_status_name(got), gt_error_message(), c.live);
                break;
            }
        }
        gt_set_allocator(NULL);
        assert_int_equal(status, GT_OK);
        assert_true(total > 20);
        assert_int_equal(failed, total);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
