/* Configuration files: every long option of a subcommand is a key. SPDX-License-Identifier:
 * BSD-2-Clause */
#ifndef GT_TOOL_CONFIG_H
#define GT_TOOL_CONFIG_H

#include "tool/tool.h"

#include <jansson.h>

/* Does a subcommand take --config and --print-config? */
bool config_has(const char *command);
/* Set the options of a table as the file says: the keys at its top, then those of the section with
 * the command's name. 0 or an exit code, the reason printed with the line. */
int config_apply(const char *path, const char *command, const struct poptOption *table);

/* The option with a long name, in a table or those it includes; NULL if there is none. */
const struct poptOption *config_option(const struct poptOption *table, const char *key);

/* Are all numbers of a table finite? popt takes "nan". 0 or EXIT_USAGE after a sentence. */
int config_check_finite(const struct poptOption *table);

/* The options of a table and their values, in its order; null stands for a word not given. NULL
 * without memory. The caller owns it. */
json_t *config_json(const struct poptOption *table);
/* Write such an object as a section of a configuration file. With a table, its descriptions stand
 * behind as comments. */
void config_print(FILE *out, const char *section, const json_t *object,
                  const struct poptOption *table);
/* A word, in quotes where it needs them; a number with the fewest digits that mean it. */
void config_put_word(FILE *out, const char *text);
void config_put_real(FILE *out, double value);

/* ---- the configuration of a training, kept in its model ---- */

/* Note in the model those options that decide the result. Not: names of outputs, devices, how
 * progress is shown. 0 or an exit code. */
int config_keep(gt_model *model, const struct poptOption *table);
/* What is kept in a model: {"version": ..., "flags": {...}}; NULL if there is none. */
json_t *config_kept(const gt_model *model);
/* Say on stderr which options differ from those that the model in `path` was trained with. 0, or
 * EXIT_USAGE for the seed, which cannot change. */
int config_compare(const gt_model *former, const struct poptOption *table, const char *path);

#endif
