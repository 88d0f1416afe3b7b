// What the command line has all rows ask for, as results record it (jobs/settings.h).
//
// Main thread, at start; constant afterwards.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_RUN_SETTINGS_H
#define RUNNER_RUN_SETTINGS_H

#include "jobs/settings.h"
#include "runner/plan.h"

void run_settings_make(struct run_settings *settings, const struct plan *plan);
void run_settings_free(struct run_settings *settings);

// What of it matters to this row. Reader thread.
void run_settings_fill(const struct run_settings *settings, const struct plan *plan,
                       struct job *job);

#endif
