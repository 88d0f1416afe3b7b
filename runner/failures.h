// Failures of providers: whether a request's failure is the row's own, so that it uses up one of
// --max-retries, or the provider's, so that the row waits until it is over. Loop thread.
//
// A failure counts
//   - when another request for the same provider and model that was sent no earlier was served;
//   - when hardly any other row is left to tell, the provider has answered before in this run, and
//     the failure is of a kind that a single row can cause.
// What cannot be told yet is looked at again with the row's next failure.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_FAILURES_H
#define RUNNER_FAILURES_H

#include "runner/loop.h"

// An answer that nobody gives who serves such requests (no such path, a redirect, plain HTTP where TLS
// is spoken), from a provider that has not answered otherwise in this run: the address is wrong, and
// the row is not to blame. Before the key is released.
void failures_judge(const struct flight *f, struct verdict *verdict);

// Again or done, after the key's release. Counts what counts in job->retries.
struct retry_decision failures_decide(struct loop *l, const struct flight *f,
                                      const struct verdict *verdict);

// Why a lane's providers cannot serve it any more: appends the reason in words. False: no outage.
bool failures_describe(const struct loop *l, const struct job_lane *lane, struct buf *out);

#endif
