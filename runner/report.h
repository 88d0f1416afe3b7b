// The end of a run: from pipeline and pool to the table and the summary file.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_REPORT_H
#define RUNNER_REPORT_H

#include "runner/pipeline.h"

// Prints the table (unless --quiet) and writes --summary. False with err filled (ERROR_OUTPUT) when
// the summary could not be written. Main thread, after the others have ended.
bool report_run(struct pipeline *p, int exit_code, struct error *err);

#endif
