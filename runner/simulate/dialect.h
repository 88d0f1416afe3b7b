// How providers word their limits and refusals: rate-limit headers, statuses, error bodies.
//
// One dialect for each provider of the catalogue, in a file of its own that names its sources, and one
// for Google's endpoint of OpenAI's shape. Sentences keep the parts that clients read ("Please try
// again in 1.2s"). Pure: everything that a dialect says depends on what it is given.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_SIMULATE_DIALECT_H
#define RUNNER_SIMULATE_DIALECT_H

#include "runner/simulate/ledger.h"

enum problem {
    PROBLEM_REQUEST,     // what is asked makes no sense
    PROBLEM_JSON,        // it is not JSON
    PROBLEM_URL,         // nothing is served there
    PROBLEM_METHOD,      // not with this method
    PROBLEM_TOO_LARGE,   // the body
    PROBLEM_NO_KEY,      // none was given
    PROBLEM_KEY,         // not this one
    PROBLEM_SERVER,      // it failed: 500
    PROBLEM_UNAVAILABLE, // it is not there: 503
    PROBLEM_OVERLOADED,  // it is too busy, in the status the provider has for that
    PROBLEM_MONEY,       // the account is empty
    PROBLEM_MODEL,       // this account has not this model
    PROBLEM_FORBIDDEN,   // 403
    PROBLEM_COUNT
};

// The names of one limit's headers; a NULL name is not sent.
struct limit_headers {
    enum limit_kind kind;
    const char *limit, *remaining, *reset;
};

struct dialect {
    const char *name; // of the provider, as the catalogue has it
    // As the provider says it; a NULL message is the caller's affair. In a message {model} stands for
    // the model, {key} for the client's key with stars in it, {secret} for the key as it is: there are
    // providers that echo it.
    struct dialect_words {
        int status;
        const char *type;
        const char *code; // NULL: null, or none
        const char *message;
    } words[PROBLEM_COUNT];
    // Appends an error's whole body.
    void (*add_body)(struct buf *out, const struct dialect_words *words, struct slice message);
    // The same for a limit. Returns the status: 429, but for requests that can never pass there may
    // be another. model is a string token.
    int (*add_refusal)(struct buf *out, const struct refusal *refusal, struct slice model);
    const struct limit_headers
        *headers;                    // up to one of kind LIMIT_NONE; NULL: the provider sends none
    const char *cost_header;         // the tokens that this request took
    bool reset_is_date;              // an RFC 3339 time in whole seconds, else a Go duration
    bool tells_wait;                 // somewhere, if it is known: in the body or in a header
    bool says_seconds;               // retry-after
    bool says_milliseconds;          // retry-after-ms
    bool day_refills;                // a day's quota comes back evenly, not all at once
    int64_t day_wait_max;            // the most it tells to wait for a day's quota; 0: the truth
    const struct dialect *on_openai; // how the provider speaks on OpenAI's wire; NULL: the same
};

extern const struct dialect dialect_openai, dialect_anthropic, dialect_google,
    dialect_google_openai;
extern const struct dialect dialect_groq, dialect_mistral, dialect_nvidia;
extern const struct dialect dialect_bigmodel, dialect_zai, dialect_k2think;

// What --dialect takes: "path", then the providers by name; NULL-terminated.
extern const char *const dialect_choices[];

// The dialect at this place of the choices; NULL for the first: the path decides.
const struct dialect *dialect_chosen(int choice);

// -- refusals --

// What an error may be about; absent parts leave a gap in the sentence.
struct problem_about {
    struct slice message; // plain text instead of the dialect's own
    struct slice model;   // string token
    struct slice key;     // the client's
};

// Appends the body and returns the status.
int dialect_add_error(struct buf *out, const struct dialect *d, enum problem problem,
                      const struct problem_about *about);

// How long the client is told to wait: -1 not at all, BUCKET_NEVER that waiting cannot help.
int64_t dialect_told_wait(const struct dialect *d, const struct refusal *refusal);

// -- headers --

#define HEADERS_MAX 12

struct header_list {
    struct header {
        const char *name;
        char value[40];
    } header[HEADERS_MAX];
    int count;
};

// What the rate-limit headers tell.
struct announcement {
    const struct allowance *allowances; // LIMIT_COUNT of them
    int64_t tokens;                     // what this request took
    int64_t now_wall;
};

void dialect_add_limits(const struct dialect *d, const struct announcement *announcement,
                        struct header_list *headers);

// retry-after and its kin; wait as dialect_told_wait() has it, which -1 and NEVER leave out.
void dialect_add_wait(const struct dialect *d, int64_t wait, struct header_list *headers);

// -- for the dialects --

// Appends a duration as Go prints it, rounded up to milliseconds: "12ms", "1.2s", "6m0s", "1h0m3.5s".
void dialect_add_duration(struct buf *out, int64_t usec);

// Appends what a model's string token means, cut to a hundred bytes.
void dialect_add_model(struct buf *out, struct slice model);

// Appends " Please try again in 1.2s." where a wait is to be told.
void dialect_add_try_again(struct buf *out, const struct refusal *refusal);

// Appends ,"name":"text", or null without text.
void dialect_add_member(struct buf *out, const char *name, const char *text);

#endif
