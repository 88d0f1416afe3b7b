// How providers word their refusals: statuses, error bodies, rate-limit headers.
//
// One dialect for each wire: OpenAI's (platform.openai.com/docs/guides/error-codes and its rate limit
// guide), Anthropic's (docs.claude.com/en/api/errors and /rate-limits), Google's (google.rpc.Status as
// ai.google.dev/gemini-api/docs/troubleshooting and issue threads show it). Sentences keep the parts
// that clients read ("Please try again in 1.2s").
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_DIALECT_H
#define RUNNER_SIMULATE_DIALECT_H

#include "runner/simulate/ledger.h"

enum problem {
    PROBLEM_REQUEST,    // what is asked makes no sense
    PROBLEM_JSON,       // it is not JSON
    PROBLEM_URL,        // nothing is served there
    PROBLEM_METHOD,     // not with this method
    PROBLEM_TOO_LARGE,  // the body
    PROBLEM_NO_KEY,     // none was given
    PROBLEM_KEY,        // not this one
    PROBLEM_SERVER,     // it failed
    PROBLEM_OVERLOADED, // it is too busy
    PROBLEM_COUNT
};

struct dialect {
    // As the provider says it; a NULL message is the caller's affair.
    struct dialect_words {
        int status;
        const char *type;
        const char *code; // NULL: null, or none
        const char *message;
    } words[PROBLEM_COUNT];
    // Appends an error's whole body.
    void (*add_body)(struct buf *out, const struct dialect_words *words, struct slice message);
    // The same for a rate limit, always status 429; model is a string token.
    void (*add_refusal)(struct buf *out, const struct refusal *refusal, struct slice model);
    // Names of limit, remaining, reset; NULL: the provider sends none.
    const char *request_headers[3], *token_headers[3];
    bool reset_is_date;     // an RFC 3339 time, else a duration
    bool says_seconds;      // retry-after
    bool says_milliseconds; // retry-after-ms
    const char *event_end;  // what its streams put behind an event
};

extern const struct dialect dialect_openai, dialect_anthropic, dialect_google;

// Appends the body and returns the status. An absent message is the dialect's own.
int dialect_add_error(struct buf *out, const struct dialect *d, enum problem problem,
                      struct slice message);

// For a key that is not accepted; OpenAI shows it masked. SLICE_NONE: none was given.
int dialect_add_key_error(struct buf *out, const struct dialect *d, struct slice key);

// Appends a duration as Go prints it, rounded up to milliseconds: "12ms", "1.2s", "6m0s", "1h0m3.5s".
void dialect_add_duration(struct buf *out, int64_t usec);

#endif
