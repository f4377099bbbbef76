/* What PoCL and its compiler keep of contexts and programs that were released is none of our leaks;
 * the objects that we forget to release are counted in tests/ocl_layer. Asked by the leak check of
 * AddressSanitizer. SPDX-License-Identifier: BSD-2-Clause */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libpocl\nleak:libLLVM\nleak:libclang\n";
}
