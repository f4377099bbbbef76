/* greentea report: the page of a training, made again from its log. SPDX-License-Identifier:
 * BSD-2-Clause */
#include "tool/report.h"

#include <errno.h>
#include <string.h>

int cmd_report(int argc, char **argv)
{
    char *log = NULL;
    char *out = NULL;
    int overwrite = 0;
    const struct poptOption table[] = {
        {"log", 'l', POPT_ARG_STRING, &log, 0, "log that `train --log` or --report wrote",
         "FILE.jsonl"},
        {"out", 'o', POPT_ARG_STRING, &out, 0, "page to write", "FILE.html"},
        {"overwrite", 0, POPT_ARG_NONE, &overwrite, 0, "replace an existing page", NULL},
        POPT_TABLEEND};
    struct history h = {0};
    int code = tool_parse(argc, argv, table,
                          "Write the page of a training from its log, without the pictures.", NULL);
    if (code) {
        return code < 0 ? EXIT_OK : code;
    }
    if (!log || !out) {
        return tool_usage("--log and --out are needed; `greentea report --help` lists the options");
    }
    if (tool_exists(out) && !overwrite) {
        return tool_usage("%s exists; --overwrite replaces it", out);
    }
    if (!tool_can_create(out)) {
        fprintf(stderr, "greentea: %s cannot be written: %s\n", out, strerror(errno));
        return EXIT_OUTPUT;
    }
    code = history_read(&h, log);
    code = code ? code : report_write(out, &h, NULL);
    history_close(&h);
    return code;
}
