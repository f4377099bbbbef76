/* Building programs. A built program is kept by the device; its binary is kept on disk for the next
 * process, in $XDG_CACHE_HOME/greentea (or $HOME/.cache/greentea).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "backend_ocl/cl_cache.h"
#include "backend_ocl/ocl_internal.h"

#include <stdio.h>
#include <string.h>

/* Of one program: several kernels of the catalogue may take theirs from it. */
enum { PROGRAM_FUNCTIONS = 8 };

struct gt_ocl_function {
    char name[64];
    cl_kernel kernel;
};
struct gt_ocl_built {
    struct gt_ocl_built *next;
    const char *name; /* of the source, a constant */
    char *defines;
    cl_program program;
    struct gt_ocl_function functions[PROGRAM_FUNCTIONS];
};

static const char options[] = "-cl-std=CL1.2";

static void free_built(struct gt_ocl_built *b)
{
    for (size_t i = 0; i < PROGRAM_FUNCTIONS; i++) {
        if (b->functions[i].kernel) {
            clReleaseKernel(b->functions[i].kernel);
        }
    }
    if (b->program) {
        clReleaseProgram(b->program);
    }
    gt__free(b->defines);
    gt__free(b);
}

void gt__ocl_programs_free(struct gt_ocl_device *d)
{
    while (d->built) {
        struct gt_ocl_built *next = d->built->next;
        free_built(d->built);
        d->built = next;
    }
}

/* Start of the compiler's report, on one line. */
static gt_status build_failed(struct gt_ocl_device *d, cl_program program, const char *name,
                              cl_int error)
{
    char *log = NULL;
    char line[400] = "";
    size_t size = 0;
    clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    if (error == CL_BUILD_PROGRAM_FAILURE && size > 1 &&
        gt__alloc(&log, size + 1, 1, "build log") == GT_OK) {
        clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, size, log, NULL);
        for (size_t i = 0; log[i]; i++) {
            log[i] = log[i] == '\n' ? ' ' : log[i];
        }
        snprintf(line, sizeof line, ": %.380s", log);
    }
    gt__free(log);
    char what[512];
    snprintf(what, sizeof what, "building %s%s", name, line);
    return gt__ocl_status(error, &d->base, what);
}

/* A program from the binary on disk; NULL where there is none of use. */
static cl_program from_cache(struct gt_ocl_device *d, const struct gt_cl_key *key,
                             const char *all_options)
{
    unsigned char *binary = NULL;
    size_t size = 0;
    cl_int error = CL_SUCCESS;
    cl_int loaded = CL_SUCCESS;
    if (!gt__cl_cache_read(&binary, &size, key)) {
        return NULL;
    }
    const unsigned char *bytes = binary;
    cl_program program =
        clCreateProgramWithBinary(d->context, 1, &d->id, &size, &bytes, &loaded, &error);
    gt__free(binary);
    if (program && !error && !loaded &&
        clBuildProgram(program, 1, &d->id, all_options, NULL, NULL) == CL_SUCCESS) {
        return program;
    }
    if (program) {
        clReleaseProgram(program);
    }
    return NULL;
}

/* No cache is no failure. */
static void to_cache(cl_program program, const struct gt_cl_key *key)
{
    size_t size = 0;
    unsigned char *binary = NULL;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) || size == 0 ||
        gt__alloc_raw(&binary, size, 1, "program binary") != GT_OK) {
        return;
    }
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) ==
        CL_SUCCESS) {
        gt__cl_cache_write(key, binary, size);
    }
    gt__free(binary);
}

static gt_status build(cl_program *out, struct gt_ocl_device *d, const char *name,
                       const char *source, const char *defines)
{
    struct gt_cl_key key;
    struct gt_text text = {0};
    char *all_options = NULL;
    cl_program program = NULL;
    gt_status status = GT_OK;
    cl_int error = CL_SUCCESS;
    gt__text_add(&text, "%s %s", options, defines);
    GT_TRY(gt__text_take(&all_options, &text));
    bool cached = gt__cl_cache_key(&key, d, source, all_options);
    program = cached ? from_cache(d, &key, all_options) : NULL;
    if (!program) {
        program = clCreateProgramWithSource(d->context, 1, &source, NULL, &error);
        GT_TRY_OUT(gt__ocl_status(error, &d->base, "clCreateProgramWithSource"));
        error = clBuildProgram(program, 1, &d->id, all_options, NULL, NULL);
        GT_TRY_OUT(error ? build_failed(d, program, name, error) : GT_OK);
        if (cached) {
            to_cache(program, &key);
        }
    }
    *out = program;
    program = NULL;
out:
    if (program) {
        clReleaseProgram(program);
    }
    gt__free(all_options);
    return status;
}

static gt_status find_built(struct gt_ocl_built **out, struct gt_ocl_device *d, const char *name,
                            const char *source, const char *defines)
{
    struct gt_ocl_built *b = d->built;
    gt_status status = GT_OK;
    while (b && (strcmp(b->name, name) != 0 || strcmp(b->defines, defines) != 0)) {
        b = b->next;
    }
    if (b) {
        *out = b;
        return GT_OK;
    }
    GT_TRY(gt__alloc(&b, 1, sizeof *b, "OpenCL program"));
    b->name = name;
    GT_TRY_OUT(gt__strdup(&b->defines, defines));
    GT_TRY_OUT(build(&b->program, d, name, source, defines));
    b->next = d->built;
    d->built = b;
    *out = b;
    b = NULL;
out:
    if (b) {
        free_built(b);
    }
    return status;
}

gt_status gt__ocl_kernel(cl_kernel *out, struct gt_device *device, const char *name,
                         const char *source, const char *defines, const char *function)
{
    struct gt_ocl_built *b = NULL;
    cl_int error = CL_SUCCESS;
    GT_TRY(find_built(&b, gt__ocl(device), name, source, defines));
    for (size_t i = 0; i < PROGRAM_FUNCTIONS; i++) {
        struct gt_ocl_function *f = &b->functions[i];
        if (f->kernel && strcmp(f->name, function) == 0) {
            *out = f->kernel;
            return GT_OK;
        }
        if (!f->kernel) {
            f->kernel = clCreateKernel(b->program, function, &error);
            if (error) {
                f->kernel = NULL;
                return gt__ocl_status(error, device, "clCreateKernel");
            }
            snprintf(f->name, sizeof f->name, "%s", function);
            *out = f->kernel;
            return GT_OK;
        }
    }
    return gt__fail(GT_ENOTSUP, "%s: more than %d functions", name, PROGRAM_FUNCTIONS);
}
