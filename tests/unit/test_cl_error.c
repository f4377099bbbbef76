/* Names and statuses of OpenCL's and CLBlast's error codes. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#ifdef GT_WITH_OCL
#include <stdio.h>

#include "backend_ocl/ocl.h"
#include "core/backend.h"

#include <clblast_c.h> /* after the version of OpenCL is chosen */

static const char unknown[] = "unknown OpenCL error";

/* 0 to -19 and -30 to -68 are in use in OpenCL 1.2. */
static void test_opencl(void **state)
{
    (void)state;
    for (int32_t code = 0; code >= -68; code--) {
        const char *name = gt__ocl_error_name(code);
        bool used = code >= -19 || code <= -30;
        if (used != (strcmp(name, unknown) != 0) || (used && strncmp(name, "CL_", 3) != 0)) {
            fail_msg("%d: %s", (int)code, name);
        }
    }
    assert_string_equal(gt__ocl_error_name(CL_OUT_OF_RESOURCES), "CL_OUT_OF_RESOURCES");
    assert_string_equal(gt__ocl_error_name(CL_BUILD_PROGRAM_FAILURE), "CL_BUILD_PROGRAM_FAILURE");
    assert_string_equal(gt__ocl_error_name(CL_INVALID_KERNEL_ARGS), "CL_INVALID_KERNEL_ARGS");
    assert_string_equal(gt__ocl_error_name(-1001), "CL_PLATFORM_NOT_FOUND_KHR");
    assert_string_equal(gt__ocl_error_name(12345), unknown);
    assert_string_equal(gt__ocl_error_name(INT32_MIN), unknown);
}

static void test_clblast(void **state)
{
    (void)state;
    static const int32_t codes[] = {
        CLBlastNotImplemented,
        CLBlastInvalidMatrixA,
        CLBlastInvalidMatrixB,
        CLBlastInvalidMatrixC,
        CLBlastInvalidVectorX,
        CLBlastInvalidVectorY,
        CLBlastInvalidDimension,
        CLBlastInvalidLeadDimA,
        CLBlastInvalidLeadDimB,
        CLBlastInvalidLeadDimC,
        CLBlastInvalidIncrementX,
        CLBlastInvalidIncrementY,
        CLBlastInsufficientMemoryA,
        CLBlastInsufficientMemoryB,
        CLBlastInsufficientMemoryC,
        CLBlastInsufficientMemoryX,
        CLBlastInsufficientMemoryY,
        CLBlastInsufficientMemoryTemp,
        CLBlastInvalidBatchCount,
        CLBlastInvalidOverrideKernel,
        CLBlastMissingOverrideParameter,
        CLBlastInvalidLocalMemUsage,
        CLBlastNoHalfPrecision,
        CLBlastNoDoublePrecision,
        CLBlastInvalidVectorScalar,
        CLBlastInsufficientMemoryScalar,
        CLBlastDatabaseError,
        CLBlastUnknownError,
        CLBlastUnexpectedError,
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        const char *name = gt__ocl_error_name(codes[i]);
        if (strncmp(name, "CLBlast", 7) != 0) {
            fail_msg("%d: %s", (int)codes[i], name);
        }
    }
    assert_string_equal(gt__ocl_error_name(CLBlastInvalidLeadDimB), "CLBlastInvalidLeadDimB");
    /* These are OpenCL's. */
    assert_string_equal(gt__ocl_error_name(CLBlastOpenCLOutOfResources), "CL_OUT_OF_RESOURCES");
}

static void test_status(void **state)
{
    (void)state;
    struct gt_device device = {.backend = NULL};
    snprintf(device.info.name, sizeof device.info.name, "Some GPU");
    assert_int_equal(gt__ocl_status(CL_SUCCESS, NULL, "clFlush"), GT_OK);
    assert_int_equal(gt__ocl_status(CL_OUT_OF_RESOURCES, &device, "clFlush"), GT_ENOMEM);
    assert_string_equal(gt_error_message(), "clFlush: CL_OUT_OF_RESOURCES (-5) on Some GPU");
    assert_int_equal(gt__ocl_status(CL_MEM_OBJECT_ALLOCATION_FAILURE, NULL, "x"), GT_ENOMEM);
    assert_int_equal(gt__ocl_status(CL_OUT_OF_HOST_MEMORY, NULL, "x"), GT_ENOMEM);
    assert_int_equal(gt__ocl_status(CL_INVALID_KERNEL, NULL, "clSetKernelArg"), GT_EDEVICE);
    assert_string_equal(gt_error_message(), "clSetKernelArg: CL_INVALID_KERNEL (-48)");
    assert_int_equal(gt__ocl_status(-9999, NULL, "x"), GT_EDEVICE);
}
#else
static void test_nothing(void **state)
{
    (void)state;
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef GT_WITH_OCL
        cmocka_unit_test(test_opencl),
        cmocka_unit_test(test_clblast),
        cmocka_unit_test(test_status),
#else
        cmocka_unit_test(test_nothing),
#endif
    };
    return cmocka_run_group_tests_name("OpenCL errors", tests, NULL, NULL);
}
