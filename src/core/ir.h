/* The inside of a graph: values and nodes. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_IR_H
#define GT_CORE_IR_H

#include "core/error.h"
#include "core/layout.h"
#include "core/mem.h"

#define GT_MAX_IN 6
#define GT_MAX_OUT 3
#define GT_NAME_SIZE 64

enum gt_op {
#define GT_OP(name) GT_OP_##name,
#include "core/ops.def"
#undef GT_OP
    GT_OP_COUNT
};

enum gt_role {
    GT_ROLE_INNER, /* computed and dead after its last reader */
    GT_ROLE_INPUT, /* written by the caller before each run */
    GT_ROLE_PARAM, /* kept, trainable */
    GT_ROLE_STATE  /* kept, optimizer state */
};

struct gt_value_info {
    gt_shape shape;
    enum gt_kind kind;
    enum gt_role role;
    int32_t producer;            /* index of the node, -1 for inputs, parameters and state */
    int32_t wanted;              /* 1: output of the graph */
    gt_value gradient;           /* after gt_graph_gradient */
    int32_t needs_gradient;      /* 1: a parameter, or computed from one */
    float rate_mult, decay_mult; /* of parameters */
    char name[GT_NAME_SIZE];
};

/* What a node needs beyond its inputs; unused fields are 0. */
struct gt_attr {
    int32_t kernel_h, kernel_w; /* conv (from the weights), maxpool (equal) */
    int32_t stride;             /* maxpool */
    int32_t dilation;           /* conv, maxpool */
    gt_shape shape; /* output shape where inputs do not tell it: maxpool_bwd, mergecrop_bwd */
    int32_t forward[2], backward[2], which; /* mergecrop */
    gt_normalize normalize;                 /* softmax loss */
    float weight;                           /* softmax loss */
    gt_malis_options malis;                 /* malis, its weight too */
    float rate_mult, decay_mult;            /* updates */
};

/* Folded in by fuse.c. Bias and ReLU, in this order: into the convolution that makes their input.
 * Doubling (nearest, as upsample_fwd): into the MergeCrop whose input 0 it makes. */
enum gt_epilogue { GT_EPILOGUE_BIAS = 1, GT_EPILOGUE_RELU = 2, GT_PROLOGUE_DOUBLE = 4 };

struct gt_node {
    enum gt_op op;
    int32_t n_in, n_out;
    gt_value in[GT_MAX_IN];   /* bias of a fused convolution is in[2] */
    gt_value out[GT_MAX_OUT]; /* updates name their kept inputs here: written in place */
    struct gt_attr attr;
    uint32_t epilogue; /* mask of gt_epilogue, the prologue too */
    int32_t backward;  /* 1: appended by differentiation */
    int32_t layer;     /* number of the layer in gt_graph.layers, from 1; 0: of none */
};

/* A part of a network under one name; for reports only. */
struct gt_layer_name {
    char name[GT_NAME_SIZE];
};

struct gt_graph {
    struct gt_value_info *values; /* values[0] is unused */
    size_t n_values, values_capacity;
    struct gt_node *nodes;
    size_t n_nodes, nodes_capacity;
    struct gt_layer_name *layers;
    size_t n_layers, layers_capacity;
    int32_t in_backward; /* nodes appended now belong to the backward part */
    int32_t layer;       /* and to this layer; 0: none */
};

/* Elements of the `hyper` input of the updates, shape [1][1][1][GT_HYPER_COUNT]. */
enum gt_hyper {
    GT_HYPER_RATE,
    GT_HYPER_DECAY,
    GT_HYPER_MOMENTUM, /* SGD momentum; AdamW beta1 */
    GT_HYPER_BETA2,
    GT_HYPER_EPSILON,
    GT_HYPER_CLIP,     /* 0: none. Gradients are scaled by min(1, clip/sqrt(sumsq)) */
    GT_HYPER_CORRECT1, /* AdamW 1/(1 - beta1^t) */
    GT_HYPER_CORRECT2, /* AdamW 1/(1 - beta2^t) */
    GT_HYPER_COUNT
};

struct gt_op_info {
    const char *name;
    /* Check inputs, fill shape and kind of every output and n_out (attr may be completed). */
    gt_status (*infer)(const struct gt_graph *, struct gt_node *, gt_shape *shape,
                       enum gt_kind *kind);
    /* Append nodes computing gradients of in[] from gradients of out[] (dout[i], GT_NO_VALUE where
     * none), and report each with gt__grad_add. NULL: no gradient. */
    gt_status (*gradient)(struct gt_graph *, size_t node, const gt_value *dout);
    /* Floating point operations of one run. */
    double (*flops)(const struct gt_graph *, const struct gt_node *);
};
extern const struct gt_op_info *const gt__ops[GT_OP_COUNT];

static inline const struct gt_value_info *gt__value(const struct gt_graph *g, gt_value v)
{
    return &g->values[v];
}

/* Append a node (copied); outputs become new values unless node->out[i] is preset (in place). */
gt_status gt__graph_append(struct gt_graph *g, struct gt_node *node);
gt_status gt__graph_value(gt_value *out, struct gt_graph *g, gt_shape shape, enum gt_kind kind,
                          enum gt_role role, const char *name);

/* Nodes appended from now on belong to a layer of this name, and so will their gradients. NULL: to
 * none. */
gt_status gt__graph_layer(struct gt_graph *g, const char *name);

/* Differentiate from y with the given gradient of y (GT_NO_VALUE for loss nodes); for tests and
 * gt_graph_gradient. */
gt_status gt__graph_backward(struct gt_graph *g, gt_value y, gt_value dy);
/* In an op's gradient: `value` receives a further gradient term (summed with add nodes). */
gt_status gt__grad_add(struct gt_graph *g, gt_value value, gt_value gradient);

/* Append optimizer updates for all parameters that have a gradient and a rate_mult above 0: state
 * values named "<slot>.<param>" are appended. *out receives what the
 * trainer needs. */
enum gt_update { GT_UPDATE_SGD, GT_UPDATE_ADAMW };
struct gt_update_values {
    gt_value hyper; /* input, GT_HYPER_COUNT floats */
    gt_value sumsq; /* output: squared norm of the whole gradient */
};
gt_status gt__graph_updates(struct gt_update_values *out, struct gt_graph *g, enum gt_update kind);

/* Name a value; it must be of the graph. */
void gt__graph_name_value(struct gt_graph *g, gt_value value, const char *name);
gt_status gt__graph_clone(struct gt_graph **out, const struct gt_graph *g);
/* Is the value an input of an update or otherwise written by a later node in place? */
bool gt__node_in_place(const struct gt_node *node, int32_t out);

#endif
