/* Networks as objects: weights, geometry, layers, graphs. SPDX-License-Identifier: BSD-2-Clause */
#include "models/model_internal.h"

#include "core/error.h"
#include "core/mem.h"
#include "models/model_json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct gt_net *const nets[] = {
#define GT_NET(name) &gt__net_##name,
#include "models/models.def"
#undef GT_NET
};

/* Output sizes are kept below this, so that no size of a layer overflows 32 bits. */
#define GT_MAX_OUTPUT (1 << 30)

const struct gt_net *gt__net_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof nets / sizeof *nets; i++) {
        if (strcmp(nets[i]->name, name) == 0) {
            return nets[i];
        }
    }
    return NULL;
}

const char *gt_model_net_name(size_t index)
{
    return index < sizeof nets / sizeof *nets ? nets[index]->name : NULL;
}

void gt_model_options_init(gt_model_options *options)
{
    *options = (gt_model_options){
        .net = "u", .labels = 0, .channels = 3, .width = 1, .skip = GT_SKIP_FLOWING};
}

/* Complete the options or say what is wrong with them. */
static gt_status check_options(gt_model_options *o)
{
    const struct gt_net *net = gt__net_find(o->net);
    if (!net) {
        return gt__fail(GT_EINVAL, "no network is called \"%.40s\"; there are sw, sk, u, usk, usk9",
                        o->net ? o->net : "");
    }
    o->net = net->name;
    if (o->labels == 0) {
        o->labels = net->labels;
    }
    if (o->labels < 2 || o->labels > GT_MAX_LABELS) {
        return gt__fail(GT_EINVAL, "%d labels; the number must be 2 to %d", o->labels,
                        GT_MAX_LABELS);
    }
    if (o->channels != 1 && o->channels != 3) {
        return gt__fail(GT_EINVAL, "%d input channels; the number must be 1 or 3", o->channels);
    }
    if (!(o->width > 0 && o->width <= GT_MAX_WIDTH)) {
        return gt__fail(GT_EINVAL, "width %g; it must be above 0 and at most %g", o->width,
                        GT_MAX_WIDTH);
    }
    if (o->skip != GT_SKIP_FLOWING && o->skip != GT_SKIP_BLOCKED) {
        return gt__fail(GT_EINVAL, "unknown kind of skip connection %d", (int)o->skip);
    }
    return GT_OK;
}

static void add_tensor(gt_model *m, size_t layer, const char *suffix, gt_shape shape, int32_t dims)
{
    const size_t lanes = GT_ALIGN / sizeof(float);
    struct gt_model_tensor *t = &m->tensors[m->n_tensors++];
    snprintf(t->name, sizeof t->name, "%s.%s", m->net->layers[layer].name, suffix);
    t->shape = shape;
    t->dims = dims;
    t->layer = layer;
    t->offset = m->count;
    m->count += gt__align_up(gt__count(shape), lanes);
}

gt_status gt__model_skeleton(gt_model **out, const gt_model_options *options)
{
    gt_model_options o = *options;
    GT_TRY(check_options(&o));
    gt_model *m = NULL;
    GT_TRY(gt__alloc(&m, 1, sizeof *m, "model"));
    m->net = gt__net_find(o.net);
    m->options = o;
    gt_preprocess_init(&m->preprocess);
    for (int32_t i = 0; i < o.labels; i++) {
        m->labels[i].grey = -1;
    }
    const gt_model_geometry *g = &m->net->geometry;
    const int32_t input = g->minimum + g->shrink;
    struct gt_layer_size sizes[GT_MAX_LAYERS];
    gt__net_sizes(sizes, m->net, &o, (gt_shape){1, o.channels, input, input});
    for (size_t i = 0; i < m->net->n_layers; i++) {
        const struct gt_layer *layer = &m->net->layers[i];
        if (layer->op != GT_LAYER_CONV) {
            continue;
        }
        const int32_t cout = sizes[i].out.c;
        add_tensor(m, i, "weight", (gt_shape){cout, sizes[i].in.c, layer->kernel, layer->kernel},
                   4);
        add_tensor(m, i, "bias", (gt_shape){1, cout, 1, 1}, 1);
    }
    *out = m;
    return GT_OK;
}

gt_status gt__model_allocate(gt_model *model)
{
    assert(!model->weights);
    GT_TRY(gt__alloc(&model->weights, model->count, sizeof(float), "weights"));
    for (size_t i = 0; i < model->n_tensors; i++) {
        model->tensors[i].data = model->weights + model->tensors[i].offset;
    }
    return GT_OK;
}

gt_status gt_model_create(gt_model **out, const gt_model_options *options)
{
    gt_model_options o;
    gt_model_options_init(&o);
    if (options) {
        o = *options;
    }
    if (!out) {
        return gt__fail(GT_EINVAL, "no place for the model");
    }
    gt_model *m = NULL;
    gt_status status = GT_OK;
    GT_TRY_OUT(gt__model_skeleton(&m, &o));
    GT_TRY_OUT(gt__model_allocate(m));
    GT_TRY_OUT(gt__config_write(&m->config, m, NULL));
    *out = m;
    m = NULL;
out:
    gt_model_free(m);
    return status;
}

void gt_model_free(gt_model *model)
{
    if (model) {
        gt__free(model->weights);
        gt__free(model->config);
        gt__free(model);
    }
}

void gt_model_get_options(const gt_model *model, gt_model_options *out)
{
    *out = model->options;
}

uint64_t gt_model_parameters(const gt_model *model)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < model->n_tensors; i++) {
        sum += gt__count(model->tensors[i].shape);
    }
    return sum;
}

void gt_model_get_geometry(const gt_model *model, gt_model_geometry *out)
{
    *out = model->net->geometry;
}

gt_status gt_model_check_size(const gt_model *model, int32_t output)
{
    const gt_model_geometry *g = &model->net->geometry;
    const char *title = model->net->title;
    if (g->step == 0) {
        return output == g->minimum ? GT_OK
                                    : gt__fail(GT_ESHAPE, "%s has output size %d only, not %d",
                                               title, g->minimum, output);
    }
    if (output > GT_MAX_OUTPUT) {
        return gt__fail(GT_ESHAPE, "output size %d is above the limit of %d", output,
                        GT_MAX_OUTPUT);
    }
    if (output >= g->minimum && (output - g->minimum) % g->step == 0) {
        return GT_OK;
    }
    char rule[64];
    const int32_t rest = g->minimum % g->step;
    if (g->step == 1) {
        snprintf(rule, sizeof rule, "%d or more", g->minimum);
    } else if (rest == 0) {
        snprintf(rule, sizeof rule, "multiples of %d", g->step);
    } else {
        snprintf(rule, sizeof rule, "%d modulo %d", rest, g->step);
    }
    if (output < g->minimum) {
        return gt__fail(GT_ESHAPE, "%s output sizes are %s; nearest to %d: %d", title, rule, output,
                        g->minimum);
    }
    const int32_t below = output - (output - g->minimum) % g->step;
    return gt__fail(GT_ESHAPE, "%s output sizes are %s; nearest to %d: %d, %d", title, rule, output,
                    below, below + g->step);
}

static const char *layer_op_name(enum gt_layer_op op)
{
    static const char *const names[] = {[GT_LAYER_CONV] = "conv2d",
                                        [GT_LAYER_POOL] = "maxpool",
                                        [GT_LAYER_UPCONV] = "upsample",
                                        [GT_LAYER_MERGECROP] = "mergecrop"};
    return names[op];
}

static gt_status describe_layer(gt_layer_info *out, const struct gt_layer *layer,
                                const struct gt_layer_size *size)
{
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%s", layer->name);
    snprintf(out->op, sizeof out->op, "%s", layer_op_name(layer->op));
    out->in = size->in;
    out->out = size->out;
    out->kernel = layer->kernel;
    out->stride = layer->stride;
    out->dilation = layer->dilation;
    out->relu = layer->relu;
    if (layer->op == GT_LAYER_CONV) {
        const uint64_t taps =
            (uint64_t)size->in.c * (uint64_t)layer->kernel * (uint64_t)layer->kernel;
        const uint64_t weights = taps * (uint64_t)size->out.c;
        const uint64_t pixels = (uint64_t)size->out.h * (uint64_t)size->out.w;
        out->parameters = weights + (uint64_t)size->out.c;
        if (__builtin_mul_overflow(weights, pixels, &out->macs)) {
            return gt__fail(GT_ESHAPE, "%s: operations for %d x %d pixels exceed 64 bits",
                            layer->name, size->out.w, size->out.h);
        }
    }
    return GT_OK;
}

gt_status gt_model_layers(gt_layer_info *layers, size_t capacity, size_t *n_layers,
                          const gt_model *model, int32_t output)
{
    if (!n_layers || (!layers && capacity > 0)) {
        return gt__fail(GT_EINVAL, "no place for the layers");
    }
    GT_TRY(gt_model_check_size(model, output));
    const struct gt_net *net = model->net;
    const int32_t input = output + net->geometry.shrink;
    struct gt_layer_size sizes[GT_MAX_LAYERS];
    gt__net_sizes(sizes, net, &model->options,
                  (gt_shape){1, model->options.channels, input, input});
    for (size_t i = 0; i < net->n_layers && i < capacity; i++) {
        GT_TRY(describe_layer(&layers[i], &net->layers[i], &sizes[i]));
    }
    *n_layers = net->n_layers;
    return GT_OK;
}

size_t gt_model_tensors(const gt_model *model)
{
    return model->n_tensors;
}

gt_status gt_model_tensor(const char **name, gt_shape *shape, float **data, gt_model *model,
                          size_t index)
{
    if (index >= model->n_tensors) {
        return gt__fail(GT_EINVAL, "tensor %zu of %zu", index, model->n_tensors);
    }
    struct gt_model_tensor *t = &model->tensors[index];
    if (name) {
        *name = t->name;
    }
    if (shape) {
        *shape = t->shape;
    }
    if (data) {
        *data = t->data;
    }
    return GT_OK;
}

gt_status gt_model_set_label(gt_model *model, int32_t index, const gt_label_info *info)
{
    if (index < 0 || index >= model->options.labels || !info) {
        return gt__fail(GT_EINVAL, "label %d of %d", index, model->options.labels);
    }
    if (!memchr(info->name, 0, sizeof info->name) || info->grey < -1) {
        return gt__fail(GT_EINVAL, "label %d: name above %zu bytes or grey value below -1", index,
                        sizeof info->name - 1);
    }
    const gt_label_info former = model->labels[index];
    model->labels[index] = *info;
    char *config = NULL;
    gt_status status = gt__config_write(&config, model, NULL);
    if (status != GT_OK) {
        model->labels[index] = former;
        return status;
    }
    gt__free(model->config);
    model->config = config;
    return GT_OK;
}

gt_status gt_model_get_label(gt_label_info *out, const gt_model *model, int32_t index)
{
    if (index < 0 || index >= model->options.labels) {
        return gt__fail(GT_EINVAL, "label %d of %d", index, model->options.labels);
    }
    *out = model->labels[index];
    return GT_OK;
}

uint64_t gt_model_iteration(const gt_model *model)
{
    return model->iteration;
}

const char *gt_model_config(const gt_model *model)
{
    return model->config;
}

void gt__model_set_iteration(gt_model *model, uint64_t iteration)
{
    model->iteration = iteration;
}

void gt__model_set_random(gt_model *model, uint64_t key, uint64_t counter)
{
    model->key = key;
    model->counter = counter;
}

gt_status gt__model_set_solver(gt_model *model, const char *json)
{
    char *config = NULL;
    GT_TRY(gt__config_write(&config, model, json ? json : ""));
    gt__free(model->config);
    model->config = config;
    return GT_OK;
}
