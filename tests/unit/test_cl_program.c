/* Program binaries on disk: a second device takes them, damaged files are ignored and replaced, and
 * without a folder everything works as well. SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#ifdef GT_WITH_OCL
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/ocl_devices.h"
#include "../support/ocl_shim.h"
#include "../support/tiny.h"
#include "backend_ocl/ocl.h"

static const char source[] = "#ifndef N\n#define N 1\n#endif\n"
                             "kernel void one(global int *x) { x[get_global_id(0)] = N; }\n"
                             "kernel void two(global int *x) { x[get_global_id(0)] = 2 * N; }\n";
static const char other[] = "kernel void one(global int *x) { x[get_global_id(0)] = 7; }\n";

static struct ocl_layer *layer;
static char folder[64]; /* XDG_CACHE_HOME */
static char file[512];  /* the last cache file that list() saw */
static size_t index_of_device;
static bool there;

/* Number of files in the cache, those half written included. */
static int list(void)
{
    char path[128];
    int n = 0;
    snprintf(path, sizeof path, "%s/greentea", folder);
    DIR *dir = opendir(path);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (e->d_name[0] != '.') {
            snprintf(file, sizeof file, "%s/%s", path, e->d_name);
            n++;
        }
    }
    if (dir) {
        closedir(dir);
    }
    return n;
}

static void empty(void)
{
    while (list() > 0) {
        assert_int_equal(unlink(file), 0);
    }
}

/* Build on a fresh device and run: `builds` from the source, `loads` from the cache. */
static void expect(const char *text, const char *defines, int32_t value, long builds, long loads)
{
    gt_device *device = ocl_open(index_of_device);
    struct gt_buffer *buffer = NULL;
    cl_kernel function = NULL;
    cl_kernel again = NULL;
    int32_t result = -1;
    size_t one = 1;
    ocl_shim_reset(layer);
    tiny_ok(gt__ocl_kernel(&function, device, "test", text, defines, "one"));
    tiny_ok(gt__ocl_kernel(&again, device, "test", text, defines, "one"));
    assert_ptr_equal(function, again);
    tiny_ok(device->backend->alloc(&buffer, device, 64));
    struct gt_ocl_call call = gt__ocl_call(device, function);
    cl_mem memory = ((struct gt_ocl_buffer *)(void *)buffer)->memory;
    gt__ocl_arg(&call, &memory, sizeof memory);
    tiny_ok(gt__ocl_launch(&call, 1, &one, &one));
    tiny_ok(device->backend->read(device, buffer, 0, &result, sizeof result));
    device->backend->free(buffer);
    gt_device_free(device);
    assert_int_equal(result, value);
    assert_int_equal(atomic_load(&layer->builds), builds);
    assert_int_equal(atomic_load(&layer->loads), loads);
}

static void test_second_time(void **state)
{
    (void)state;
    if (!there) {
        return;
    }
    empty();
    expect(source, "", 1, 1, 0);
    assert_int_equal(list(), 1);
    expect(source, "", 1, 0, 1);
    expect(source, "-DN=5", 5, 1, 0);
    assert_int_equal(list(), 2);
    expect(other, "", 7, 1, 0);
    assert_int_equal(list(), 3);
    expect(source, "-DN=5", 5, 0, 1);
    expect(other, "", 7, 0, 1);
    expect(source, "", 1, 0, 1);
    assert_int_equal(list(), 3);
}

/* Several functions of one program, several programs on one device. */
static void test_memory(void **state)
{
    (void)state;
    cl_kernel f[4];
    if (!there) {
        return;
    }
    gt_device *device = ocl_open(index_of_device);
    ocl_shim_reset(layer);
    tiny_ok(gt__ocl_kernel(&f[0], device, "a", source, "-DN=3", "one"));
    tiny_ok(gt__ocl_kernel(&f[1], device, "a", source, "-DN=3", "two"));
    tiny_ok(gt__ocl_kernel(&f[2], device, "a", source, "-DN=4", "one"));
    tiny_ok(gt__ocl_kernel(&f[3], device, "b", other, "-DN=3", "one"));
    assert_int_equal(atomic_load(&layer->builds) + atomic_load(&layer->loads), 3);
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < i; k++) {
            assert_ptr_not_equal(f[i], f[k]);
        }
    }
    assert_int_equal(gt__ocl_kernel(&f[0], device, "a", source, "-DN=3", "three"), GT_EDEVICE);
    assert_non_null(strstr(gt_error_message(), "CL_INVALID_KERNEL_NAME"));
    assert_int_equal(gt__ocl_kernel(&f[0], device, "c", "kernel oops", "", "one"), GT_EDEVICE);
    assert_non_null(strstr(gt_error_message(), "building c"));
    assert_non_null(strstr(gt_error_message(), "CL_BUILD_PROGRAM_FAILURE"));
    gt_device_free(device);
}

static unsigned char *load_file(size_t *size)
{
    FILE *f = fopen(file, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *size = (size_t)ftell(f);
    rewind(f);
    unsigned char *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, f), *size);
    fclose(f);
    return bytes;
}

static void save_file(const unsigned char *bytes, size_t size)
{
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

/* What is in `file` is not used, and replaced by what was there. */
static void expect_replaced(const unsigned char *good, size_t size)
{
    size_t now = 0;
    expect(source, "", 1, 1, 0);
    assert_int_equal(list(), 1);
    unsigned char *bytes = load_file(&now);
    /* Binaries may hold the time of the build: of the head only the key must be the same. */
    assert_true(now > 72 && size > 72);
    assert_memory_equal(bytes, good, 40);
    free(bytes);
    expect(source, "", 1, 0, 1);
}

static void test_damage(void **state)
{
    (void)state;
    size_t size = 0;
    if (!there) {
        return;
    }
    empty();
    expect(source, "", 1, 1, 0);
    assert_int_equal(list(), 1);
    unsigned char *good = load_file(&size);
    const size_t lengths[] = {0, 1, 8, 40, 71, 72, 73, size / 2, size - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        save_file(good, lengths[i]);
        expect_replaced(good, size);
    }
    const size_t places[] = {0, 7, 8, 39, 40, 71, 72, size / 2, size - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        good[places[i]] ^= 1;
        save_file(good, size);
        good[places[i]] ^= 1;
        expect_replaced(good, size);
    }
    good[size] = 0;
    save_file(good, size + 1);
    expect_replaced(good, size);
    free(good);
}

/* The file of another program under the name of this one. */
static void test_foreign(void **state)
{
    (void)state;
    size_t size = 0;
    size_t foreign_size = 0;
    if (!there) {
        return;
    }
    empty();
    expect(other, "", 7, 1, 0);
    assert_int_equal(list(), 1);
    unsigned char *foreign = load_file(&foreign_size);
    empty();
    expect(source, "", 1, 1, 0);
    assert_int_equal(list(), 1);
    unsigned char *good = load_file(&size);
    save_file(foreign, foreign_size);
    expect_replaced(good, size);
    free(good);
    free(foreign);
}

static void test_no_folder(void **state)
{
    (void)state;
    char path[256];
    if (!there) {
        return;
    }
    empty();
    snprintf(path, sizeof path, "%s/greentea", folder);
    rmdir(path);
    /* a file where the folder should be */
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    expect(source, "", 1, 1, 0);
    expect(source, "", 1, 1, 0);
    assert_int_equal(unlink(path), 0);
    /* a folder that cannot be made */
    setenv("XDG_CACHE_HOME", "/dev/null/cache", 1);
    expect(source, "", 1, 1, 0);
    /* no folder at all; a relative one counts as none */
    setenv("XDG_CACHE_HOME", "relative", 1);
    unsetenv("HOME");
    expect(source, "", 1, 1, 0);
    unsetenv("XDG_CACHE_HOME");
    expect(source, "", 1, 1, 0);
    /* below HOME, with the folders between */
    setenv("HOME", folder, 1);
    expect(source, "", 1, 1, 0);
    expect(source, "", 1, 0, 1);
    snprintf(path, sizeof path, "rm -r '%s/.cache'", folder);
    assert_int_equal(system(path), 0);
    setenv("XDG_CACHE_HOME", folder, 1);
    expect(source, "", 1, 1, 0);
    assert_int_equal(list(), 1);
}

/* A binary that the driver refuses. */
static void test_refused(void **state)
{
    (void)state;
    cl_kernel function = NULL;
    if (!there) {
        return;
    }
    empty();
    expect(source, "", 1, 1, 0);
    gt_device *device = ocl_open(index_of_device);
    ocl_shim_reset(layer);
    atomic_store(&layer->fail_at, 1);
    tiny_ok(gt__ocl_kernel(&function, device, "test", source, "", "one"));
    assert_string_equal(layer->name, "clCreateProgramWithBinary");
    assert_int_equal(atomic_load(&layer->builds), 1);
    gt_device_free(device);
    expect(source, "", 1, 0, 1);
}

static int prepare(void **state)
{
    (void)state;
    size_t index[OCL_MAX_DEVICES] = {0};
    strcpy(folder, "/tmp/greentea-cache-XXXXXX");
    if (!mkdtemp(folder) || setenv("XDG_CACHE_HOME", folder, 1) != 0) {
        return -1;
    }
    layer = ocl_shim_load();
    there = ocl_devices(index) > 0;
    index_of_device = index[0];
    return 0;
}

/* PoCL keeps files there too. */
static int clean(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_time), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_damage),      cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests_name("OpenCL programs", tests, prepare, clean);
}
#else
int main(void)
{
    return EXIT_SUCCESS;
}
#endif
