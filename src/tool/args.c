/* Options, errors, exit codes, signals: what all subcommands need. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/config.h"
#include "tool/tool.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

int tool_fail(gt_status status, enum about about)
{
    int signal_code = tool_signal();
    if (status == GT_ECANCELLED && signal_code) {
        return signal_code;
    }
    fprintf(stderr, "greentea: %s\n", gt_error_message());
    switch (status) {
    case GT_EINVAL:
    case GT_ENOTSUP:
        return EXIT_USAGE;
    case GT_ESHAPE:
        return about == ABOUT_INPUT ? EXIT_INPUT : EXIT_USAGE;
    case GT_EFORMAT:
    case GT_ELIMIT:
        return EXIT_INPUT;
    case GT_EIO:
        return about == ABOUT_OUTPUT ? EXIT_OUTPUT : EXIT_INPUT;
    case GT_ENOMEM:
    case GT_EDEVICE:
        return EXIT_DEVICE;
    case GT_ENUMERIC:
        return about == ABOUT_INPUT ? EXIT_INPUT : EXIT_NUMERIC;
    case GT_ECANCELLED:
    case GT_OK:
        break;
    }
    return EXIT_INTERNAL;
}

int tool_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("greentea: ", stderr);
    vfprintf(stderr, format, args);
    fputs("\n", stderr);
    va_end(args);
    return EXIT_USAGE;
}

static void show_help(poptContext context, const char *about)
{
    printf("%s\n\n", about);
    poptPrintHelp(context, stdout, 0);
}

/* Options that every subcommand has, and what is left of a line. */
struct parsing {
    const struct poptOption *table;
    const char *name; /* "greentea train" */
    char *config;
    int help, print;
    char **positional;
};

/* Read the line into the tables: 0 or EXIT_USAGE. */
static int parse_line(struct parsing *p, int argc, char **argv, const char *about)
{
    struct poptOption config[] = {
        {"config", 0, POPT_ARG_STRING, &p->config, 0,
         "YAML file of these options without --; the command line counts more. Names of files in "
         "it are relative to the working folder",
         "FILE"},
        {"print-config", 0, POPT_ARG_NONE, &p->print, 0, "print all options as such a file, stop",
         NULL},
        POPT_TABLEEND};
    struct poptOption help[] = {{"help", 'h', POPT_ARG_NONE, &p->help, 0, "this help", NULL},
                                POPT_TABLEEND};
    const bool has = config_has(argv[0] + strlen("greentea "));
    struct poptOption all[] = {
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)(uintptr_t)p->table, 0, "Options:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, has ? config : help, 0, NULL, NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, help, 0, NULL, NULL},
        POPT_TABLEEND};
    if (!has) {
        all[2] = (struct poptOption)POPT_TABLEEND;
    }
    poptContext context = poptGetContext(p->name, argc, (const char **)(uintptr_t)argv, all, 0);
    poptSetOtherOptionHelp(context, p->positional ? "[options] [FILE]" : "[options]");
    int result = 0;
    int code = poptGetNextOpt(context);
    if (code < -1) {
        result = tool_usage("%s: %s; `%s --help` lists the options", poptBadOption(context, 0),
                            poptStrerror(code), p->name);
    } else if (p->help) {
        show_help(context, about);
    } else {
        const char *rest = poptGetArg(context);
        if (rest && p->positional) {
            *p->positional = strdup(rest);
            rest = poptGetArg(context);
        }
        if (rest) {
            result = tool_usage("unexpected argument '%s'; `%s --help` lists the options", rest,
                                p->name);
        }
    }
    poptFreeContext(context);
    return result;
}

static int print_config(const char *command, const struct poptOption *table)
{
    json_t *object = config_json(table);
    if (!object) {
        fprintf(stderr, "greentea: no memory to print the configuration\n");
        return EXIT_DEVICE;
    }
    config_print(stdout, command, object, table);
    json_decref(object);
    return -1;
}

int tool_parse(int argc, char **argv, const struct poptOption *table, const char *about,
               char **positional)
{
    char name[64];
    char *command = argv[0];
    snprintf(name, sizeof name, "greentea %s", command);
    argv[0] = name; /* what popt's help calls the program */
    struct parsing p = {.table = table, .name = name, .positional = positional};
    int code = parse_line(&p, argc, argv, about);
    if (code == 0 && !p.help && p.config) {
        code = config_apply(p.config, command, table);
        /* once more, so that the line counts more than the file */
        code = code ? code : parse_line(&p, argc, argv, about);
    }
    argv[0] = command;
    if (code || p.help) {
        return code ? code : -1;
    }
    code = config_check_finite(table);
    if (code) {
        return code;
    }
    return p.print ? print_config(command, table) : 0;
}

/* A number with one of the suffixes; factor by its place. */
static bool parse_suffixed(double *out, const char *text, const char *suffixes,
                           const double *factors)
{
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || errno != 0 || !isfinite(value) || value < 0.0) {
        return false;
    }
    if (*end == '\0') {
        *out = value;
        return true;
    }
    const char *at = strchr(suffixes, *end);
    if (!at || end[1] != '\0') {
        return false;
    }
    *out = value * factors[at - suffixes];
    return true;
}

bool tool_parse_time(double *out, const char *text)
{
    static const double factors[] = {1.0, 60.0, 3600.0};
    return parse_suffixed(out, text, "smh", factors);
}

bool tool_parse_bytes(size_t *out, const char *text)
{
    static const double factors[] = {1024.0, 1048576.0, 1073741824.0, 1099511627776.0,
                                     1024.0, 1048576.0, 1073741824.0, 1099511627776.0};
    double value = 0.0;
    if (!parse_suffixed(&value, text, "KMGTkmgt", factors) || value >= 9.0e18) {
        return false;
    }
    *out = (size_t)value;
    return true;
}

int tool_number(float *value, const char *flag, const char *text)
{
    char *end = NULL;
    if (!text) {
        return 0;
    }
    float number = strtof(text, &end);
    if (end == text || *end != '\0' || !isfinite(number)) {
        return tool_usage("--%s is '%s', expected a number", flag, text);
    }
    *value = number;
    return 0;
}

int tool_bytes(size_t *out, const char *flag, const char *text)
{
    if (text && (!tool_parse_bytes(out, text) || *out == 0)) {
        return tool_usage("--%s is '%s', expected for example 512M or 2G", flag, text);
    }
    return 0;
}

int tool_choice(const char *text, const char *const *list)
{
    for (int i = 0; list[i]; i++) {
        if (strcmp(text, list[i]) == 0) {
            return i;
        }
    }
    return -1;
}

int tool_choose(int *out, const char *flag, const char *text, const char *const *list, int absent)
{
    *out = text ? tool_choice(text, list) : absent;
    if (*out >= 0) {
        return 0;
    }
    char all[128] = "";
    for (int i = 0; list[i]; i++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", list[i]);
    }
    return tool_usage("--%s is '%s', expected one of %s", flag, text, all);
}

static volatile sig_atomic_t caught;
static volatile sig_atomic_t caught_at; /* seconds */

/* A second Ctrl-C ends at once. Not one that comes with the first: timeout(1) and terminals whose
 * foreground group it is send the same stop twice, and what was trained would be lost. */
static void on_signal(int number)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now); /* async-signal-safe */
    if (!caught) {
        caught = number;
        caught_at = (sig_atomic_t)now.tv_sec;
    } else if (number == SIGINT && (sig_atomic_t)now.tv_sec - caught_at > 1) {
        _exit(EXIT_INT);
    }
}

void tool_catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int tool_signal(void)
{
    return caught == SIGINT ? EXIT_INT : caught == SIGTERM ? EXIT_TERM : 0;
}

bool tool_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool tool_can_create(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(folder, sizeof folder, "%.*s", (int)n, path);
    return access(n > 0 ? folder : slash ? "/" : ".", W_OK | X_OK) == 0;
}

bool tool_is_image_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcasecmp(dot, ".tif") == 0 || strcasecmp(dot, ".tiff") == 0 ||
                   strcasecmp(dot, ".png") == 0);
}

double tool_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
