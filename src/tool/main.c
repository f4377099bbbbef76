/* The greentea tool: finds the subcommand. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/tool.h"

#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"train", cmd_train, "train a network on labelled images"},
    {"process", cmd_process, "label every pixel of images with a trained model"},
    {"evaluate", cmd_evaluate, "compare probabilities with the true labels"},
    {"report", cmd_report, "the page of a training, from its log"},
    {"benchmark", cmd_benchmark, "time a network on a device"},
    {"tune", cmd_tune, "measure the kernels of a device, to plan by it later"},
    {"info", cmd_info, "describe a network or a model file"},
    {"devices", cmd_devices, "list the devices to compute on"},
    {"import", cmd_import, "turn a configuration of caffe_neural_tool into ours"},
    {"demo", cmd_demo, "make data, train, label and show a picture, in about two minutes"},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(void)
{
    printf("greentea %s: pixelwise classification of images with convolutional networks\n\n"
           "usage: greentea COMMAND [options]\n\ncommands:\n",
           gt_version());
    for (int i = 0; i < N_COMMANDS; i++) {
        printf("  %-10s %s\n", commands[i].name, commands[i].about);
    }
    printf(
        "\n`greentea COMMAND --help` lists the options of a command; for the longer ones they can\n"
        "stand in a YAML file, --config FILE.\n"
        "Exit codes: 0 done, 1 internal error, 2 usage, 3 bad input, 4 device or memory,\n"
        "5 output, 6 not a number in training, 130 or 143 stopped by a signal.\n");
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        return tool_usage("no command given; `greentea --help` lists them");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("greentea %s\n", gt_version());
        return EXIT_OK;
    }
    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    return tool_usage("unknown command '%s'; `greentea --help` lists them", argv[1]);
}

int main(int argc, char **argv)
{
    int code = run(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_OK) {
        fprintf(stderr, "greentea: the results could not be written to standard output\n");
        code = EXIT_OUTPUT;
    }
    return code;
}
