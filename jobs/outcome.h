// What came of an attempt or a job, in one word. The word alone drives retry, cool-down and report.
//
// The names are those of `error.class` in a result line (see the manual, RESULTS).
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUTCOME_H
#define JOBS_OUTCOME_H

enum outcome {
    OUTCOME_NONE,            // not finished
    OUTCOME_OK,              // answered
    OUTCOME_BAD_INPUT,       // the row: not JSON, no prompt, a wrong type …; nothing was sent
    OUTCOME_INVALID_REQUEST, // the provider refuses what was asked, whoever asks
    OUTCOME_CONTENT_FILTER,  // the provider's policy refuses the content
    OUTCOME_AUTH,            // the key is not accepted
    OUTCOME_QUOTA,           // the account's money or plan is used up
    OUTCOME_RATE_LIMITED,    // too many requests or tokens for now
    OUTCOME_MODEL,           // the model is unknown, retired or closed to this key
    OUTCOME_SERVER,          // the provider failed (5xx)
    OUTCOME_TIMEOUT,         // no whole answer in time
    OUTCOME_NETWORK,         // no connection, or it broke
    OUTCOME_BAD_RESPONSE,    // the answer cannot be read
    OUTCOME_TOO_LARGE, // the answer is beyond --max-reply-bytes, or the request beyond what a minute or
                       // the account's money allows
    OUTCOME_NO_KEY,   // no key may serve this row
    OUTCOME_DEADLINE, // the job's --deadline passed
    OUTCOME_COUNT
};

// "bad_input", "rate_limited" …; "ok" for OUTCOME_OK, "none" for OUTCOME_NONE.
const char *outcome_name(enum outcome outcome);

#endif
