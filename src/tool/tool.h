/* What the subcommands of the tool share. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TOOL_TOOL_H
#define GT_TOOL_TOOL_H

#include <greentea/greentea.h>
#include <popt.h>
#include <stdbool.h>
#include <stdio.h>

enum exit_code {
    EXIT_OK = 0,
    EXIT_INTERNAL = 1,
    EXIT_USAGE = 2,
    EXIT_INPUT = 3,
    EXIT_DEVICE = 4,
    EXIT_OUTPUT = 5,
    EXIT_NUMERIC = 6,
    EXIT_INT = 130,
    EXIT_TERM = 143
};

/* What a failing call was about; decides the exit code of sizes, formats and files. */
enum about { ABOUT_OPTION, ABOUT_INPUT, ABOUT_OUTPUT };

/* Print the library's message ("greentea: ...") and return the exit code of a status. */
int tool_fail(gt_status status, enum about about);
/* Print a sentence and return EXIT_USAGE. */
int tool_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- options ---- */

/* Parse argv[0] = "greentea train"; prints help and returns -1 after --help, EXIT_USAGE on a
 * mistake, else 0. positional: receives up to one argument, or NULL to refuse any. */
int tool_parse(int argc, char **argv, const struct poptOption *table, const char *about,
               char **positional);
/* "10m", "90s", "1.5h" or "90" to seconds; "512M", "1.5G" or "65536" to bytes. false: not such a
 * thing. */
bool tool_parse_time(double *out, const char *text);
bool tool_parse_bytes(size_t *out, const char *text);
/* The bytes of --flag, 1 or more, into *out, which is left where the flag is not given (NULL). 0 or
 * EXIT_USAGE. */
int tool_bytes(size_t *out, const char *flag, const char *text);
/* The number of --flag into *value, which is left where the flag is not given (NULL). 0 or
 * EXIT_USAGE. */
int tool_number(float *value, const char *flag, const char *text);
/* Index of text in a NULL-terminated list, -1 if it is not there. */
int tool_choice(const char *text, const char *const *list);
/* The same for the text of --flag; `absent` when it is NULL. 0 or EXIT_USAGE, with the list. */
int tool_choose(int *out, const char *flag, const char *text, const char *const *list, int absent);

/* Device flags that every computing subcommand takes. */
struct device_flags {
    char *device;
    int threads;
    int profile; /* measure steps on the device */
    int silent;  /* do not say which device was chosen */
};
/* more: what else the subcommand takes, "" for nothing. */
#define DEVICE_OPTIONS(flags, more)                                                                \
    {"device",                                                                                     \
     'd',                                                                                          \
     POPT_ARG_STRING,                                                                              \
     &(flags).device,                                                                              \
     0,                                                                                            \
     "cpu, gpu, an index or platform.device of `greentea devices`, or a part of a name" more       \
     " (default: GREENTEA_DEVICE or cpu)",                                                         \
     "NAME"},                                                                                      \
    {                                                                                              \
        "threads", 't', POPT_ARG_INT, &(flags).threads, 0,                                         \
            "CPU threads (default: all; or GREENTEA_THREADS)", "N"                                 \
    }
/* Open the device of the flags, GREENTEA_DEVICE or the CPU, and say on stderr which it is. 0 or an
 * exit code. */
int tool_open_device(gt_device **out, const struct device_flags *flags);

/* The same for one or several: "0,1" or "all" (every device that `greentea devices` lists). */
enum { TOOL_DEVICES = 64 };
struct device_set {
    gt_device *devices[TOOL_DEVICES];
    size_t n;
};
int tool_open_devices(struct device_set *set, const struct device_flags *flags);
void tool_close_devices(struct device_set *set);

/* ---- progress ---- */

enum progress_mode { PROGRESS_AUTO, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };
struct progress {
    enum progress_mode mode;
    bool tty;
    char device[64];
    double start, last;
    bool begun;
    bool drawn;  /* a line stands on the terminal without its end */
    double from; /* share done before, at the first call: a resumed training */
};
#define PROGRESS_OPTIONS(text, quiet)                                                              \
    {                                                                                              \
        "progress", 0, POPT_ARG_STRING, &(text), 0, "auto, plain, json or none (default auto)",    \
        "HOW"},                                                                                    \
    {                                                                                              \
        "quiet", 'q', POPT_ARG_NONE, &(quiet), 0, "no progress", NULL                              \
    }
/* 0 or EXIT_USAGE. */
int progress_open(struct progress *p, const char *how, int quiet, const gt_device *device);
/* Is nothing but progress to be on stderr? With --quiet, and where the lines are JSON. */
bool progress_alone(const char *how, int quiet);
/* Show that done of total units are done; `extra` stands behind the rate ("loss 0.31").
 * json_extra: members for json mode (", \"loss\": 0.31"). Draws at most about 4 times a second on
 * a terminal and every 10 s elsewhere; last = true always draws and ends the line. */
void progress_show(struct progress *p, double share, const char *counts, const char *extra,
                   const char *json_extra, bool last);
/* End a line that is being redrawn, before a sentence about what went wrong. */
void progress_break(struct progress *p);
double tool_now(void);

/* ---- signals ---- */

/* From now on SIGINT and SIGTERM only set a flag; a second SIGINT ends the program. */
void tool_catch_signals(void);
/* 0, or the exit code of the signal that came (130, 143). */
int tool_signal(void);

/* ---- images ---- */

/* Does a path exist? */
bool tool_exists(const char *path);
/* Can a file of this name be made? Looks at its folder; errno tells why not. */
bool tool_can_create(const char *path);
/* Does it end like an image file (.tif, .tiff, .png)? */
bool tool_is_image_name(const char *path);

/* Write a text beside and rename it to path. 0, or EXIT_OUTPUT after a sentence. */
int tool_write_text(const char *path, const char *text);
/* Make a folder unless it exists. 0, or EXIT_OUTPUT after a sentence. */
int tool_make_folder(const char *path);

/* ---- subcommands ---- */

int cmd_train(int argc, char **argv);
int cmd_process(int argc, char **argv);
int cmd_evaluate(int argc, char **argv);
int cmd_benchmark(int argc, char **argv);
int cmd_tune(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_import(int argc, char **argv);

#endif
