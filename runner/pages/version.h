// Which program this is, and which libraries it stands on.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_VERSION_H
#define RUNNER_VERSION_H

#include "jobs/base/buf.h"

// Appends "batch-run 0.1.0" and a line with the libraries' versions.
void version_add(struct buf *out);

#endif
