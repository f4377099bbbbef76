/* What a log says about the machine, the data and the files of a training.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tool/facts.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

enum { CHUNK = 1 << 16 };
static const long long HASH_BYTES = 1LL << 30; /* seconds at most */

json_t *facts_environment(gt_device *device)
{
    gt_device_info info;
    struct utsname os;
    char text[512];
    gt_device_describe(device, &info);
    json_t *o = json_object();
    json_object_set_new(o, "device", json_string(info.name));
    json_object_set_new(o, "backend", json_string(info.backend));
    json_object_set_new(o, "detail", json_string(info.detail));
    if (info.driver[0]) {
        json_object_set_new(o, "driver", json_string(info.driver));
    }
    if (info.memory_bytes > 0) {
        snprintf(text, sizeof text, "%.1f GiB", (double)info.memory_bytes / 1073741824.0);
        json_object_set_new(o, "memory", json_string(text));
    }
    json_object_set_new(o, "compute_units", json_integer(info.compute_units));
    json_object_set_new(o, "threads", json_integer(gt_device_threads(device)));
    json_object_set_new(o, "greentea", json_string(gt_version()));
    if (uname(&os) == 0) {
        snprintf(text, sizeof text, "%s %s, %s", os.sysname, os.release, os.machine);
        json_object_set_new(o, "system", json_string(text));
    }
    return o;
}

json_t *facts_network(const gt_model *model)
{
    gt_model_options m;
    gt_model_get_options(model, &m);
    return json_pack("{s:s, s:f, s:i, s:i, s:s, s:I}", "net", m.net, "width", m.width, "labels",
                     (int)m.labels, "channels", (int)m.channels, "skip_gradient",
                     m.skip == GT_SKIP_BLOCKED ? "blocked" : "flowing", "parameters",
                     (json_int_t)gt_model_parameters(model));
}

json_t *facts_labels(const gt_model *model)
{
    gt_model_options m;
    json_t *list = json_array();
    gt_model_get_options(model, &m);
    for (int32_t i = 0; i < m.labels; i++) {
        gt_label_info label;
        if (gt_model_get_label(&label, model, i) == GT_OK) {
            json_array_append_new(
                list, json_pack("{s:s, s:i}", "name", label.name, "grey", (int)label.grey));
        }
    }
    return list;
}

/* false: the file cannot be read. */
static bool sha256_file(char hex[crypto_hash_sha256_BYTES * 2 + 1], const char *path)
{
    crypto_hash_sha256_state state;
    unsigned char digest[crypto_hash_sha256_BYTES];
    unsigned char *chunk = malloc(CHUNK);
    FILE *in = fopen(path, "rb");
    bool good = chunk && in && sodium_init() >= 0;
    if (good) {
        size_t n = 0;
        crypto_hash_sha256_init(&state);
        while ((n = fread(chunk, 1, CHUNK, in)) > 0) {
            crypto_hash_sha256_update(&state, chunk, n);
        }
        good = !ferror(in);
        crypto_hash_sha256_final(&state, digest);
        sodium_bin2hex(hex, crypto_hash_sha256_BYTES * 2 + 1, digest, sizeof digest);
    }
    if (in) {
        fclose(in);
    }
    free(chunk);
    return good;
}

json_t *facts_file(const char *role, const char *path)
{
    char hex[crypto_hash_sha256_BYTES * 2 + 1];
    struct stat info;
    json_t *o = json_pack("{s:s, s:s}", "role", role, "path", path);
    if (!o || stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
        return o;
    }
    json_object_set_new(o, "bytes", json_integer((json_int_t)info.st_size));
    if (info.st_size <= HASH_BYTES && sha256_file(hex, path)) {
        json_object_set_new(o, "sha256", json_string(hex));
    }
    return o;
}

json_t *facts_images(const char *role, const char *path)
{
    gt_image_reader *reader = NULL;
    gt_page_info page;
    json_t *o = facts_file(role, path);
    if (o && gt_image_reader_open(&reader, path, NULL) == GT_OK) {
        json_object_set_new(o, "pages", json_integer((json_int_t)gt_image_reader_pages(reader)));
        if (gt_image_reader_page(&page, reader, 0) == GT_OK) {
            json_object_set_new(o, "width", json_integer(page.width));
            json_object_set_new(o, "height", json_integer(page.height));
        }
    }
    gt_image_reader_free(reader);
    return o;
}

json_t *facts_time(void)
{
    char text[40] = "";
    struct tm tm;
    time_t now = time(NULL);
    if (gmtime_r(&now, &tm)) {
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm);
    }
    return json_string(text);
}
