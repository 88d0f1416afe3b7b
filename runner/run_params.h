// The parameters that the command line gives to all rows: --param, --temperature, --max-tokens.
//
// Main thread, at start; constant afterwards.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_RUN_PARAMS_H
#define RUNNER_RUN_PARAMS_H

#include "jobs/base/buf.h"
#include "jobs/base/error.h"
#include "jobs/params.h"
#include "runner/config.h"

struct run_params {
    struct slice of[PARAM_COUNT]; // tokens in `text`; SLICE_NONE: not given
    struct buf text;
};

// A name given twice has its last value. False with err filled: an unknown name, a wrong value.
bool run_params_read(struct run_params *params, const struct config *config, struct error *err);
void run_params_free(struct run_params *params);

#endif
