/* Greentea: computing devices. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GREENTEA_DEVICE_H
#define GREENTEA_DEVICE_H

#include <greentea/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A device opened for computing. Used by one thread at a time; different devices are independent.
 * */
typedef struct gt_device gt_device;

/** Instruction sets that kernels may use; gt_device_options.isa is a mask of them. */
typedef enum gt_isa {
    GT_ISA_BASE = 0,
    GT_ISA_AVX2 = 1 << 0,        /**< AVX2 and FMA */
    GT_ISA_AVX512 = 1 << 1,      /**< AVX-512 F, BW, DQ, VL */
    GT_ISA_AVX512_BF16 = 1 << 2, /**< products of bfloat16; only with GT_PRECISION_BF16 */
    GT_ISA_ALL = 0x7fffffff
} gt_isa;

typedef struct gt_device_options {
    int32_t threads; /**< CPU threads, 1 to 1024; 0 (default): as many as the process may use */
    uint32_t isa;    /**< mask of gt_isa that may be used if the CPU has it; default GT_ISA_ALL */
    int32_t profile; /**< 1: measure every step on an OpenCL device, which makes it slower; default
                        0 */
    gt_log_fn log;   /**< receives diagnostics; default NULL: none */
    void *cookie;    /**< handed to log */
} gt_device_options;

typedef struct gt_device_info {
    char name[128];        /**< "CPU (Intel Xeon ...)", "NVIDIA H200" */
    char backend[16];      /**< "cpu" or "ocl" */
    uint64_t memory_bytes; /**< memory of the device; 0 if unknown */
    int32_t compute_units; /**< processors the process may use; OpenCL: compute units */
    int32_t platform;      /**< number of the OpenCL platform; -1: not an OpenCL device */
    int32_t device;        /**< number of the device on its platform; -1: not an OpenCL device */
    int32_t gpu;           /**< 1: a GPU; 2: another accelerator with memory of its own; 0: a
                                processor, which computes in the host's memory */
    int32_t bf16;     /**< 1: has kernels for GT_PRECISION_BF16; 0: computes in fp32 then too */
    char driver[64];  /**< version of the OpenCL driver, "" for the CPU */
    char detail[128]; /**< instruction sets, or platform and version */
} gt_device_info;

/** Write the defaults. */
GT_API void gt_device_options_init(gt_device_options *options);

/**
 * Find a device by name.
 * index  receives its number as gt_device_list() counts
 * name   "cpu" (the library's own kernels; also NULL), "gpu" (the first GPU), an index ("1"), the
 *        numbers of an OpenCL platform and of a device in it ("0.1"), or a part of a device's name,
 *        in any case; of several devices with one name the first
 * GT_EDEVICE  none, or several with different names: the message lists them
 */
GT_API gt_status gt_device_find(size_t *index, const char *name);

/**
 * Open a device.
 * out      receives the device; the caller owns it; free with gt_device_free()
 * name     as for gt_device_find(); NULL means "cpu"
 * options  NULL means the defaults
 * A device may be opened several times.
 * Opening a CPU device sets OpenBLAS to one thread, process-wide, because the device's own threads
 * call it; freeing the last CPU device restores the former number. Other devices open a CPU device
 * of their own when a program needs an operation that they have no kernel for (MALIS).
 * GT_EDEVICE  no such device; GT_EINVAL  an option out of range; GT_ENOMEM
 */
GT_API gt_status gt_device_open(gt_device **out, const char *name,
                                const gt_device_options *options);

/** Number of devices found, the CPU included; at least 1. */
GT_API gt_status gt_device_count(size_t *out);

/** Describe device `index` (0 to count - 1). GT_EDEVICE  no such index. */
GT_API gt_status gt_device_list(gt_device_info *out, size_t index);

/** Describe an open device. */
GT_API void gt_device_describe(const gt_device *device, gt_device_info *out);

/** Threads that the device computes with (1 for devices without threads of ours). */
GT_API int32_t gt_device_threads(const gt_device *device);

/** Close. Everything created on the device must have been freed before. NULL is accepted. */
GT_API void gt_device_free(gt_device *device);

#ifdef __cplusplus
}
#endif
#endif
