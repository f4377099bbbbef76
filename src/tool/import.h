/* From the configuration of the tool of 2015 to ours. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_IMPORT_H
#define GT_TOOL_IMPORT_H

#include "tool/proto_text.h"
#include "tool/tool.h"

struct import {
    struct proto_file file, solver;
    int index; /* which train, process and benchmark block is taken */
    FILE *out; /* the YAML text */
    int code;  /* exit code of the first mistake, its sentence printed; else 0 */
    char solver_path[1024];
    char model[1024]; /* the model file that train writes and process reads */
    const char *net;  /* NULL: not recognised */
};

/* ---- reading: false if the field is absent, or wrong: then code is set ---- */

bool import_integer(struct import *im, long long *out, struct proto_field *block, const char *name);
bool import_real(struct import *im, double *out, struct proto_field *block, const char *name);
/* The value of a switch; absent is false. */
bool import_switch(struct import *im, struct proto_field *block, const char *name);
/* NULL if absent or a block. */
const char *import_text(struct import *im, struct proto_field *block, const char *name);
/* The block of this name, NULL if there is none. */
struct proto_field *import_block(struct proto_field *block, const char *name);

/* ---- writing "  key: value" lines and "  # ..." lines ---- */

void import_put_text(struct import *im, const char *key, const char *value);
void import_put_integer(struct import *im, const char *key, long long value);
void import_put_real(struct import *im, const char *key, double value);
void import_note(struct import *im, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A note for every field inside that nobody asked for. */
void import_note_rest(struct import *im, const struct proto_field *block, const char *prefix);

/* ---- parts ---- */

/* Find and read the solver's file, and choose the name of the model. */
void import_open_solver(struct import *im, struct proto_field *train);
/* Its keys. */
void import_solver(struct import *im);
/* Sections; each takes a block of the file. */
void import_train(struct import *im, struct proto_field *train);
void import_process(struct import *im, struct proto_field *process);
void import_benchmark(struct import *im, struct proto_field *benchmark);

#endif
