/* Named values of a graph shown to a caller. SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_CORE_INSPECT_H
#define GT_CORE_INSPECT_H

#include "core/ir.h"

#include <greentea/inspect.h>

/* Mark every named value that a node computes, and its gradient if there is one, as an output. */
gt_status gt__inspect_mark(gt_graph *graph);
/* After a run of a program of the marked graph: show those values in order. */
gt_status gt__inspect_show(gt_program *program, const gt_graph *graph, gt_blob_fn fn, void *cookie);
/* Call fn; GT_ECANCELLED if it says so. */
gt_status gt__inspect_call(const gt_blob *blob, gt_blob_fn fn, void *cookie);

#endif
