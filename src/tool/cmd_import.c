/* greentea import: files of other programs. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/import.h"

#include <stdlib.h>
#include <string.h>

/* Write the sections of block number `index` of each kind. */
static int convert(struct import *im)
{
    struct proto_field *root = &im->file.root;
    struct proto_field *train = proto_find(root, "train", im->index);
    struct proto_field *process = proto_find(root, "process", im->index);
    struct proto_field *benchmark = proto_find(root, "benchmark", im->index);
    if (!train && !process && !benchmark) {
        return tool_usage("%s has no train, process or benchmark block number %d", im->file.path,
                          im->index);
    }
    import_note(im, "made by greentea %s from block %d of %s", gt_version(), im->index,
                im->file.path);
    if (train) {
        import_open_solver(im, train);
        import_train(im, train);
    }
    if (process && im->code == 0) {
        import_process(im, process);
    }
    if (benchmark && im->code == 0) {
        import_benchmark(im, benchmark);
    }
    for (const struct proto_field *f = root->child; f; f = f->next) {
        if (!f->used) {
            import_note(im, "%s (line %d): not known, left out", f->name, f->line);
        }
    }
    return im->code;
}

static int import_toolparam(const char *path, int index, const char *out)
{
    struct import im = {.index = index};
    char *text = NULL;
    size_t size = 0;
    im.out = open_memstream(&text, &size);
    int code = im.out ? proto_load(&im.file, path) : EXIT_DEVICE;
    code = code ? code : convert(&im);
    if (im.out && fclose(im.out) != 0 && code == 0) {
        code = EXIT_DEVICE;
    }
    if (code == EXIT_DEVICE) {
        fprintf(stderr, "greentea: no memory for the configuration made from %s\n", path);
    }
    if (code == 0 && out) {
        code = tool_write_text(out, text);
    } else if (code == 0) {
        fputs(text, stdout);
    }
    proto_free(&im.file);
    proto_free(&im.solver);
    free(text);
    return code;
}

static int toolparam(int argc, char **argv)
{
    char *out = NULL;
    char *path = NULL;
    int index = 0;
    int overwrite = 0;
    const struct poptOption table[] = {
        {"index", 0, POPT_ARG_INT, &index, 0,
         "which of several train, process and benchmark blocks (default 0, the first)", "N"},
        {"out", 'o', POPT_ARG_STRING, &out, 0, "YAML file to write (default: standard output)",
         "FILE"},
        {"overwrite", 0, POPT_ARG_NONE, &overwrite, 0, "replace an existing file", NULL},
        POPT_TABLEEND};
    char name[] = "import toolparam";
    argv[0] = name;
    int code = tool_parse(argc, argv, table,
                          "Turn a configuration of caffe_neural_tool (prototxt) into one for "
                          "--config. The solver's file is\nlooked for in the working folder and "
                          "beside FILE; what has no counterpart becomes a comment.",
                          &path);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    if (!path) {
        return tool_usage("a FILE is needed; `greentea import toolparam --help` explains");
    }
    if (index < 0) {
        return tool_usage("--index is %d, expected 0 or more", index);
    }
    if (out && tool_exists(out) && !overwrite) {
        return tool_usage("%s exists; --overwrite replaces it", out);
    }
    return import_toolparam(path, index, out);
}

int cmd_import(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        puts("usage: greentea import toolparam FILE [options]\n\n"
             "  toolparam  a configuration of caffe_neural_tool (prototxt) as YAML");
        return EXIT_OK;
    }
    if (argc < 2 || strcmp(argv[1], "toolparam") != 0) {
        return tool_usage("import what? `greentea import toolparam FILE` is there");
    }
    return toolparam(argc - 1, argv + 1);
}
