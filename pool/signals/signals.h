// What a provider's answer means: for the job, for the key, for everybody.
//
// Rules judge by provider, then status and code, then words in their context: a sentence that denies
// ("No credits were charged") or repeats the request does not count, nor does a firewall's page. Where no
// words are known the status decides, and by_status says so: such a 401, 402 or 403 proves nothing.
//
// Sizes: what exceeds a limit per minute or what the account can pay is OUTCOME_TOO_LARGE (final: no
// waiting helps); what exceeds the model (its context) is OUTCOME_INVALID_REQUEST; a rate limit on tokens
// that may be the one or the other stays OUTCOME_RATE_LIMITED with about_size.
//
// A verdict separates what an attempt came to (outcome) from why (cause) and from whose fault it is
// (scope): that a key is refused, an account is empty, a model is unknown and a provider is down are
// four different things, though all may arrive as 429. What follows comes from cause and scope.
// Sources: the providers' error documentation and threads, named per row in rules_*.c.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_SIGNALS_H
#define POOL_SIGNALS_SIGNALS_H

#include "jobs/base/slice.h"
#include "jobs/outcome.h"

#include <stdint.h>

struct provider;

#define VERDICT_MESSAGE_MAX 500

// Whose fault it is, and so who is affected: a refusal applies to the level it names.
enum scope {
    SCOPE_REQUEST,  // what was asked; nobody else
    SCOPE_KEY,      // this key
    SCOPE_MODEL,    // this key with this model
    SCOPE_GROUP,    // the account or organisation of the key, all its keys
    SCOPE_PROVIDER, // everybody: the provider, or the model there
};

// Why it refused, whatever the status said: what follows depends on it.
enum cause {
    BECAUSE_NOTHING,     // it did not refuse
    BECAUSE_REQUEST,     // what was asked: the job's own failure, no retry
    BECAUSE_KEY,         // the key is not accepted, for good
    BECAUSE_MONEY,       // the account is empty or blocked: a rare probe
    BECAUSE_DAY,         // the day's (or week's, or plan's) quota is used up: until it starts anew
    BECAUSE_RATE,        // too many for now: until the hint
    BECAUSE_CONCURRENCY, // too many at once: fewer at once
    BECAUSE_MODEL,       // this account has not this model
    BECAUSE_UPSTREAM,    // the provider is overloaded or down: nobody's fault here
    BECAUSE_FORBIDDEN,   // refused for a reason that is not known to be for good: a rare probe
    CAUSE_COUNT
};

// "nothing", "request", "rate" …: for tests and debug logs.
const char *cause_name(enum cause cause);

struct verdict {
    enum outcome outcome;
    enum scope scope;
    enum cause cause;
    // "not before": microseconds from now, -1 not said; unclamped. Always said with BECAUSE_DAY.
    int64_t hint;
    bool final;     // another attempt of the job cannot help, whatever the outcome
    int status;     // the HTTP status that counts; 0: not known
    bool by_status; // no known words: concluded from the status alone
    bool
        names_request; // the error's type or shape says that the request is wrong, whatever its words
    bool about_size;   // the words speak of this request's tokens, size or price
    // Nothing speaks this wire there: a path that the server does not know, a redirect, http where https
    // is spoken, a proxy that wants a password. The message names --base-url or what to set. With
    // BECAUSE_UPSTREAM: no row is to blame, and no key.
    bool wrong_address;
    char code[64]; // the provider's error code or type, "" if none
    char message[VERDICT_MESSAGE_MAX];
};

// An HTTP answer as the signals need it. Header values are absent (SLICE_NONE) when not sent.
struct http_answer {
    int status;
    struct slice body;
    struct slice (*header)(const void *context, const char *name);
    const void *context;
};

// Reads what this provider answered with a status outside 2xx, or an error object inside a 2xx one.
// now_wall (unix microseconds) serves to turn dates into waits. Whatever the bytes, the verdict is
// whole: never OUTCOME_OK, never BECAUSE_NOTHING, a message and a code in printable UTF-8.
void signals_read(const struct provider *provider, const struct http_answer *answer,
                  int64_t now_wall, struct verdict *verdict);

// The error inside a checked JSON body with a 2xx status, whether or not an answer stands beside it:
//   {"error": {…} or "…"}, in an array too, at the top, in a choice or in `response`
//   {"base_resp": {"status_code": 1008, …}} with another code than 0
//   {"code": …, "message" or "msg": "…"} with a code that does not mean success; error_code, header
//   {"success": false, …}, {"status": "error" or "failed", …}, {"object": "error", …}
//   {"errors": […]}, {"fault": {…}}, {"Response": {"Error": {…}}}, {"__type": …}, {"detail": …}
// *error is the token of the innermost of these objects, or of the body itself. null, {} and "" are no
// errors. To learn what it means, hand the whole answer to signals_read(). error may be NULL.
bool signals_find_error(struct slice body, struct slice *error);

// Whether a checked JSON body with a 2xx status is an error in disguise: it holds an error, or only a
// message, and no answer (choices, content, candidates, data, output … with something in it).
bool signals_is_error_body(struct slice body);

#endif
