/* Damaged model files: malformed headers, truncation, flipped bits.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "model_files.h"

#define CONFIG(net, rest)                                                                          \
    "\"greentea.config\":\"{\\\"net\\\":\\\"" net                                                  \
    "\\\",\\\"labels\\\":[{\\\"name\\\":\\\"\\\",\\\"grey\\\":0},{\\\"name\\\":\\\"\\\","          \
    "\\\"grey\\\":1}],\\\"channels\\\":1," rest "}\""
#define STATE "\"greentea.iteration\":\"1\",\"greentea.key\":\"1\",\"greentea.counter\":\"1\","
#define SHA_EMPTY                                                                                  \
    "\"greentea.sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""

static const struct {
    const char *header;
    uint64_t length;
    size_t zeros;
    gt_status status;
    const char *part;
} cases[] = {
    {"{}", 0, 0, GT_EFORMAT, "not a model of Greentea"},
    {"", 0, 0, GT_EFORMAT, "no JSON object"},
    {"[]", 0, 0, GT_EFORMAT, "no JSON object"},
    {" {}", 0, 0, GT_EFORMAT, "no JSON object"},
    {"{", 0, 0, GT_EFORMAT, "header:"},
    {"{}x", 0, 0, GT_EFORMAT, "header:"},
    {"{}", 100000001, 0, GT_ELIMIT, "above the limit of 100000000"},
    {"{}", UINT64_MAX, 0, GT_ELIMIT, "above the limit"},
    {"{}", 3, 0, GT_EFORMAT, "should have 3 bytes"},
    {"{}", 0, 4, GT_EFORMAT, "cover 0 of 4 bytes"},
    {"{\"a\":1}", 0, 0, GT_EFORMAT, "not dtype, shape and data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     0, 4, GT_EFORMAT, "duplicate"},
    {"{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 0, 4, GT_EFORMAT,
     "has the type F16, expected F32"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 0, 4, GT_EFORMAT,
     "not what its shape needs"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 0, 4, GT_EFORMAT,
     "lie outside the data of 4 bytes"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 0, 4, GT_EFORMAT,
     "lie outside"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 0, 4, GT_EFORMAT,
     "lie outside"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 0, 4, GT_EFORMAT,
     "not dtype, shape and data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,99999999999999999999]}}", 0, 4,
     GT_EFORMAT, "header:"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647,2147483647,4],"
     "\"data_offsets\":[0,4]}}",
     0, 4, GT_EFORMAT, "not what its shape needs"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0, 0, GT_EFORMAT,
     "is not from 1 to"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483648],\"data_offsets\":[0,4]}}", 0, 4, GT_EFORMAT,
     "is not from 1 to"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 0, 4, GT_EFORMAT,
     "is not from 1 to"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,4]}}", 0, 4, GT_EFORMAT,
     "at most 4 numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     0, 4, GT_EFORMAT, "begins at byte 0 of the data, expected 4"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
     0, 12, GT_EFORMAT, "begins at byte 8 of the data, expected 4"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 0, 5, GT_EFORMAT,
     "cover 4 of 5 bytes"},
    {"{\"__metadata__\":[]}", 0, 0, GT_EFORMAT, "__metadata__ is not an object"},
    {"{\"__metadata__\":{\"greentea.format\":1}}", 0, 0, GT_EFORMAT, "is not a string"},
    {"{\"__metadata__\":{\"greentea.format\":\"2\"}}", 0, 0, GT_EFORMAT, "a newer one"},
    {"{\"__metadata__\":{\"greentea.format\":\"0\"}}", 0, 0, GT_EFORMAT, "format 0"},
    {"{\"__metadata__\":{\"greentea.format\":\"1x\"}}", 0, 0, GT_EFORMAT, "expected a number"},
    {"{\"__metadata__\":{\"greentea.format\":\"18446744073709551616\"}}", 0, 0, GT_EFORMAT,
     "expected a number"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\"}}", 0, 0, GT_EFORMAT,
     "greentea.sha256 is missing"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\",\"greentea.sha256\":\"00\"}}", 0, 0, GT_EFORMAT,
     "is damaged"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\"," SHA_EMPTY "}}", 0, 0, GT_EFORMAT,
     "not a model of Greentea"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\",\"greentea.config\":\"{\"," SHA_EMPTY "}}", 0, 0,
     GT_EFORMAT, "configuration:"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\"," CONFIG("v", "\\\"width\\\":1") "," SHA_EMPTY
                                                                                    "}}",
     0, 0, GT_EFORMAT, "the network \"v\" is not known"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\"," CONFIG(
         "u", "\\\"width\\\":1e300") "," SHA_EMPTY "}}",
     0, 0, GT_EFORMAT, "are not a network"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\"," CONFIG("u", "\\\"width\\\":1") "," SHA_EMPTY
                                                                                    "}}",
     0, 0, GT_EFORMAT, "neither flowing nor blocked"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\"," CONFIG(
         "u", "\\\"width\\\":1,\\\"skip_gradient\\\":\\\"flowing\\\"") "," SHA_EMPTY "}}",
     0, 0, GT_EFORMAT, "greentea.iteration is \"\", expected a number"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\"," CONFIG(
         "u", "\\\"width\\\":1,\\\"skip_gradient\\\":\\\"flowing\\\",\\\"preprocessing\\\":"
              "{\\\"normalization\\\":\\\"percentile\\\"}") "," SHA_EMPTY "}}",
     0, 0, GT_EFORMAT, "the scope \"\" is not known"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\"," CONFIG(
         "u", "\\\"width\\\":8,\\\"skip_gradient\\\":\\\"flowing\\\",\\\"preprocessing\\\":"
              "{\\\"normalization\\\":\\\"min-max per page to [-1,1]\\\"}") "," SHA_EMPTY "}}",
     0, 0, GT_EFORMAT, "greentea.iteration is \"\", expected a number"},
    {"{\"__metadata__\":{\"greentea.format\":\"1\"," STATE CONFIG(
         "u", "\\\"width\\\":8,\\\"skip_gradient\\\":\\\"flowing\\\",\\\"preprocessing\\\":"
              "{\\\"normalization\\\":\\\"min-max per page to [-1,1]\\\"}") "," SHA_EMPTY "}}",
     0, 0, GT_EFORMAT, "the tensor conv1.weight is missing"},
};

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gt_model *m = NULL;
        write_raw(in_folder("bad"), cases[i].header, cases[i].length, cases[i].zeros);
        const gt_status status = gt_model_load(&m, in_folder("bad"));
        if (status != cases[i].status || !strstr(gt_error_message(), cases[i].part)) {
            fail_msg("case %zu: %s: %s, expected %s", i, gt_status_name(status), gt_error_message(),
                     cases[i].part);
        }
        assert_null(m);
        assert_int_not_equal(gt__model_file_valid(in_folder("bad"), NULL), GT_OK);
    }
}

static void test_no_file(void **state)
{
    (void)state;
    gt_model *m = NULL;
    assert_int_equal(gt_model_load(&m, in_folder("missing")), GT_EIO);
    HAS("cannot open");
    assert_int_equal(gt_model_load(&m, folder), GT_EIO);
    HAS("not a regular file");
    spit(in_folder("short"), "abc", 3);
    assert_int_equal(gt_model_load(&m, in_folder("short")), GT_EFORMAT);
    assert_int_equal(gt_model_load(NULL, in_folder("short")), GT_EINVAL);
    assert_null(m);
}

/* A tensor that is not the network's, or one too few. */
static void test_other_tensors(void **state)
{
    (void)state;
    gt_model *m = make("sk", 0.03, 3);
    gt_model *r = NULL;
    float value = 1;
    struct gt_file_tensor extra = {"ip9.bias", {1, 1, 1, 1}, 1, &value};
    const struct gt_checkpoint with = {1, 1, 1, NULL, NULL, &extra, 1};
    OK(gt__model_file_write(m, in_folder("e"), &with, false));
    assert_int_equal(gt_model_load(&r, in_folder("e")), GT_EFORMAT);
    HAS("ip9.bias does not belong to the network sk");
    extra.name = "ip3.bias";
    assert_int_equal(gt__model_file_write(m, in_folder("e"), &with, false), GT_EINVAL);
    m->n_tensors--;
    OK(gt__model_file_write(m, in_folder("e"), NULL, false));
    assert_int_equal(gt_model_load(&r, in_folder("e")), GT_EFORMAT);
    HAS("ip3.bias is missing");
    m->n_tensors++;
    m->options.labels = 3; /* the configuration contradicts the shapes */
    OK(gt__model_file_write(m, in_folder("e"), NULL, false));
    assert_int_equal(gt_model_load(&r, in_folder("e")), GT_EFORMAT);
    HAS("ip3.weight has the shape");
    assert_null(r);
    gt_model_free(m);
}

static void test_truncated(void **state)
{
    (void)state;
    gt_model *m = make("sk", 0.02, 3);
    OK(gt_model_save(m, in_folder("t")));
    struct blob b = slurp(in_folder("t"));
    for (size_t n = 0; n < b.size; n += 64) {
        gt_model *r = NULL;
        spit(in_folder("cut"), b.data, n);
        assert_int_equal(gt_model_load(&r, in_folder("cut")), GT_EFORMAT);
        assert_null(r);
    }
    spit(in_folder("cut"), b.data, b.size + 1); /* slurp has one byte more */
    assert_int_equal(gt__model_file_valid(in_folder("cut"), NULL), GT_EFORMAT);
    free(b.data);
    gt_model_free(m);
}

/* Any flipped bit of the data is found. In the header it gives an error or, where it hits a number
 * or a name, a model of the same weights. */
static void test_flipped(void **state)
{
    (void)state;
    gt_model *m = make("sk", 0.02, 3);
    OK(gt_model_save(m, in_folder("t")));
    struct blob b = slurp(in_folder("t"));
    const size_t start = 8 + ((size_t)b.data[0] | (size_t)b.data[1] << 8);
    struct gt_random random = gt__random_open(1, GT_STREAM_TEST, 0);
    for (size_t i = 0; i < 600; i++) {
        const bool header = i % 2 == 0;
        const uint64_t size = header ? start : b.size - start;
        const size_t at = (header ? 0 : start) + (size_t)gt__random_below(&random, size);
        const uint8_t bit = (uint8_t)(1u << gt__random_below(&random, 8));
        gt_model *r = NULL;
        b.data[at] ^= bit;
        spit(in_folder("flip"), b.data, b.size);
        b.data[at] ^= bit;
        const gt_status status = gt_model_load(&r, in_folder("flip"));
        if (status == GT_OK) {
            assert_true(header);
            assert_int_equal(r->n_tensors, m->n_tensors);
        } else {
            assert_true(strlen(gt_error_message()) > 0);
            assert_null(r);
        }
        gt_model_free(r);
    }
    free(b.data);
    gt_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed),     cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_other_tensors), cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
