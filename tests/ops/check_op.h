/* Kernels against the double oracles: what the files of this program share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TESTS_CHECK_OP_H
#define GT_TESTS_CHECK_OP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/backend.h"
#include "core/random.h"

/* ---- oracles: plain NCHW, double for f32 values, uint8_t for u8 values ---- */

/* Evaluate one node. The epilogue is applied here, not by the oracle, so that it is proved too. An
 * output that the node writes in place receives a copy of its input first. */
void check_oracle(const struct gt_graph *g, const struct gt_node *node, void *const in[],
                  void *const out[]);

/* One array per value of a graph. */
struct check_values {
    const struct gt_graph *graph;
    void **data;
};
struct check_values check_values_create(const struct gt_graph *g);
void check_values_free(struct check_values *v);
/* Evaluate nodes first to n_nodes - 1 in order; with `round`, every result is rounded to float. */
void check_values_run(struct check_values *v, size_t first, size_t n_nodes, bool round);
static inline double *check_f64(const struct check_values *v, gt_value value)
{
    return (double *)v->data[value];
}
size_t check_bytes(const struct gt_value_info *info);
void *check_calloc(size_t count, size_t size);

/* ---- cases ---- */

enum check_fill_kind {
    CHECK_UNIFORM,  /* floats in [low, high) */
    CHECK_INTEGERS, /* whole numbers low to high, for ties and labels */
    CHECK_LIST      /* `list` over and over */
};
struct check_fill {
    enum check_fill_kind kind;
    double low, high;
    const float *list;
    size_t n_list;
};
#define CHECK_SIGNED ((struct check_fill){.kind = CHECK_UNIFORM, .low = -1, .high = 1})

#define CHECK_MAX_VALUES 24

/* The last node of the graph is under test; those before it make its inputs. */
struct check_case {
    enum gt_op op;
    size_t index;
    uint64_t seed;
    char name[160];
    bool bench;   /* for timing only: too large for the oracle */
    double terms; /* L, the length of the sum */
    struct gt_graph *graph;
    struct check_fill fill[CHECK_MAX_VALUES];
    void *in[GT_MAX_IN];   /* inputs as the kernel gets them, NCHW */
    void *ref[GT_MAX_OUT]; /* the oracle's outputs */
    double *bound[GT_MAX_OUT];
};

struct check_family {
    enum gt_op op;
    size_t count;
    void (*build)(struct check_case *c, size_t i);
    /* Largest |y - ref| of output `out`, element by element; NULL: check_bound_sum. */
    void (*bound)(const struct check_case *c, int32_t out, double *bound);
};

/* Expanded from the list below; one file cases_<op>.c defines what belongs together. */
#define CHECK_FAMILIES(X)                                                                          \
    X(conv2d_fwd)                                                                                  \
    X(conv2d_bwd_data)                                                                             \
    X(conv2d_bwd_weight)                                                                           \
    X(bias_fwd)                                                                                    \
    X(bias_bwd)                                                                                    \
    X(relu_fwd)                                                                                    \
    X(relu_bwd)                                                                                    \
    X(maxpool_fwd)                                                                                 \
    X(maxpool_bwd)                                                                                 \
    X(upsample_fwd)                                                                                \
    X(upsample_bwd)                                                                                \
    X(mergecrop_fwd)                                                                               \
    X(mergecrop_bwd)                                                                               \
    X(add)                                                                                         \
    X(softmax_fwd)                                                                                 \
    X(softmax_bwd)                                                                                 \
    X(softmax_loss_fwd)                                                                            \
    X(softmax_loss_bwd)                                                                            \
    X(malis)                                                                                       \
    X(sumsq)                                                                                       \
    X(sgd_update)                                                                                  \
    X(adamw_update)                                                                                \
    X(reorder)
#define CHECK_DECLARE(name) extern const struct check_family check_##name;
CHECK_FAMILIES(CHECK_DECLARE)
#undef CHECK_DECLARE

/* For builders. */
gt_value check_leaf(struct check_case *c, gt_shape shape, enum gt_role role,
                    struct check_fill fill);
/* Append; the node's outputs are filled in. */
struct gt_node check_node(struct check_case *c, struct gt_node node);
const struct gt_node *check_tested(const struct check_case *c);
gt_shape check_shape_of(const struct check_case *c, gt_value v);

struct check_case *check_case_create(const struct check_family *family, size_t i, uint64_t seed);
/* Fill the leaves and make the inputs of the node under test. Does nothing the second time. */
void check_case_fill(struct check_case *c);
/* The same, and evaluate the oracle and derive the bounds. */
void check_case_solve(struct check_case *c, const struct check_family *family);
void check_case_free(struct check_case *c);

/* |y - ref| <= (L + 4) * FLT_EPSILON * S, S the same operation on absolute values. */
void check_bound_sum(const struct check_case *c, int32_t out, double *bound);
/* Nothing is computed, only moved or chosen. */
void check_bound_exact(const struct check_case *c, int32_t out, double *bound);
/* Softmax: FLT_EPSILON times (C + 8 + 2 * range of the scores at the position), relative. */
double check_softmax_error(gt_shape s, const double *x, int32_t n, int32_t h, int32_t w);

/* ---- running kernels ---- */

enum { CHECK_THREADS = 4 };

/* The same device opened with several numbers of threads; the first is the main one. */
struct check_device {
    char name[96];
    bool cpu; /* of the CPU's backend: its threads and instruction sets are ours to vary */
    struct gt_device *open[CHECK_THREADS];
};

struct check_options {
    uint64_t seed;
    const char *kernel, *only_case; /* filters, NULL: all */
    const char *without, *device;   /* parts of a kernel's and a device's name */
    bool list, bench, json, quick;
    const char *peak; /* threads to measure the peak with; else NULL */
    bool few;         /* for slow checkers: some small cases of each kernel and variant */
};

struct check_context {
    struct check_options options;
    struct check_device *devices;
    size_t n_devices;
    /* Lazily made; [op][case]. */
    struct check_case **cases[GT_OP_COUNT];
};
extern const struct check_family *const check_families[GT_OP_COUNT];
struct check_case *check_get_case(struct check_context *ctx, enum gt_op op, size_t i);

gt_status check_open_devices(struct check_context *ctx);
void check_close_devices(struct check_context *ctx);

struct check_layouts {
    gt_layout in[GT_MAX_IN], out[GT_MAX_OUT];
    struct gt_plan plan; /* as answered on the main device */
    bool any;            /* the kernel leaves the layout to the planner */
};
/* Layouts in which a kernel takes a node; at most CHECK_MAX_LAYOUTS. 0: refused. */
enum { CHECK_MAX_LAYOUTS = 160 };
size_t check_layouts(struct check_layouts *out, struct gt_device *device,
                     const struct gt_kernel *kernel, const struct check_case *c, unsigned variant);

/* No guard zone behind tensors: for checkers that find reads beyond the end of a buffer. */
extern bool check_tight;

/* A kernel bound to memory with guard zones around every tensor. */
struct check_job {
    const struct check_device *where;
    struct gt_device *device;
    const struct gt_kernel *kernel;
    unsigned variant;
    const struct check_case *c;
    const struct check_layouts *layouts;
    int32_t inplace; /* input that output 0 overwrites, -1: none */
    uint32_t absent; /* bit o: nobody reads output o, so it has no memory */
};
struct check_memory {
    struct gt_buffer *buffer;
    uint8_t *image; /* what is written before a run, guards included */
    size_t bytes, total;
    bool made;   /* the image is */
    bool shared; /* belongs to another tensor of the job */
};
struct check_bound_job {
    struct gt_node node; /* the case's, less absent outputs */
    struct gt_step step;
    struct check_memory in[GT_MAX_IN], out[GT_MAX_OUT], scratch, packed;
};
gt_status check_bind(struct check_bound_job *b, const struct check_job *job);
void check_unbind(struct check_bound_job *b, const struct check_job *job);
/* Write inputs, NaN into outputs and scratch (and packed, if step.pack). */
gt_status check_reset(struct check_bound_job *b, const struct check_job *job);
gt_status check_submit(struct check_bound_job *b, const struct check_job *job);

/* Everything there is to prove for one kernel, variant, case and layout; false (and printed) on
 * failure. */
bool check_prove(const struct check_device *where, const struct gt_kernel *kernel, unsigned variant,
                 const struct check_case *c, const struct check_layouts *layouts);

int check_bench(struct check_context *ctx);

/* ---- check_ceiling.c: what the machine can do ---- */

struct check_ceiling {
    double flops, bytes; /* per second */
};
struct check_ceiling check_ceiling(struct gt_device *device);

/* Print the CPU's for so many threads (0: all): threads, GFLOP/s, GB/s. */
int check_peak(int32_t threads);

/* Seconds of a steady clock. */
double check_now(void);
/* Gradients: a cmocka group; returns the number of failures. */
int check_gradients(void);

/* `rounds` times 16 vector multiply-adds in registers (4, 8, 16 floats); the result keeps them
 * alive. */
float check_peak_base(size_t rounds);
float check_peak_avx2(size_t rounds);
float check_peak_avx512(size_t rounds);

#endif
