// --dry-run: shows the plan and the first requests as they would be sent. Sends nothing.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_DRY_RUN_H
#define RUNNER_DRY_RUN_H

#include "runner/plan.h"

// Prints to stderr through log_text(). Returns an exit code: 0, 1 when rows among those shown are no
// good, or 2 with err filled.
int dry_run(const struct plan *plan, struct error *err);

#endif
