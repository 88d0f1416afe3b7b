// answer.c: turns a finished transfer into a reply or a verdict. Loop thread; pure but for scrubbing.
// SPDX-License-Identifier: MIT
#include "pool/answer.h"

#include "jobs/base/json.h"
#include "jobs/base/utf8.h"
#include "pool/catalogue.h"

#include <stdio.h>

static void fail(struct verdict *v, enum outcome outcome, const char *message) {
    v->outcome = outcome;
    snprintf(v->message, sizeof v->message, "%s", message);
}

static const struct {
    enum outcome outcome;
    enum cause cause;
    bool final;
} of_status[] = {
    [TRANSFER_TIMEOUT] = {OUTCOME_TIMEOUT, BECAUSE_UPSTREAM, false},
    [TRANSFER_NETWORK] = {OUTCOME_NETWORK, BECAUSE_UPSTREAM, false},
    [TRANSFER_UNTRUSTED] = {OUTCOME_NETWORK, BECAUSE_UPSTREAM, true},
    [TRANSFER_GARBLED] = {OUTCOME_BAD_RESPONSE, BECAUSE_UPSTREAM, false},
    [TRANSFER_TOO_LARGE] = {OUTCOME_TOO_LARGE, BECAUSE_REQUEST, true},
};

static void read_failure(const struct transfer *t, struct verdict *v) {
    fail(v, of_status[t->status].outcome, t->error);
    v->cause = of_status[t->status].cause;
    v->final = of_status[t->status].final;
    if (t->status == TRANSFER_TOO_LARGE)
        snprintf(v->message, sizeof v->message,
                 "the answer is larger than %zu bytes (--max-reply-bytes)", t->reply->max);
    if (t->status == TRANSFER_UNTRUSTED)
        snprintf(v->message, sizeof v->message,
                 "%s (--cacert names a file of certificates to trust)", t->error);
}

static struct slice header_of(const void *transfer, const char *name) {
    return transfer_header(transfer, name);
}

static void read_refusal(const struct transfer *t, const struct answer_context *context,
                         struct verdict *v) {
    struct http_answer answer = {
        .status = t->http_status, .body = buf_slice(t->reply), .header = header_of, .context = t};
    signals_read(context->provider, &answer, context->now_wall, v);
}

// Kept back by policy: another attempt meets the same policy.
static void fail_blocked(struct verdict *v, const char *what, struct slice reason) {
    char word[sizeof v->code * 2];
    struct buf b = {.p = word, .cap = sizeof word, .max = sizeof word - 1};
    v->outcome = OUTCOME_CONTENT_FILTER;
    v->cause = BECAUSE_REQUEST;
    v->final = true;
    json_string_decode(reason, &b);
    snprintf(v->code, sizeof v->code, "%.*s",
             SLICE_ARG(utf8_cut(buf_slice(&b), sizeof v->code - 1)));
    snprintf(v->message, sizeof v->message, "%s%s%s", what, v->code[0] ? ": " : "", v->code);
}

static void read_answer(struct slice body, const struct answer_context *context,
                        struct result *result, struct verdict *v) {
    const char *what = "";
    switch (context->provider->wire->read_reply(body, context->scratch, &result->reply, &what)) {
    case WIRE_OK: v->outcome = OUTCOME_OK; break;
    case WIRE_BLOCKED: fail_blocked(v, what, result->reply.finish_reason); break;
    case WIRE_NOT_MINE:
        v->outcome = OUTCOME_BAD_RESPONSE;
        v->cause = BECAUSE_UPSTREAM;
        snprintf(v->message, sizeof v->message, "the answer is JSON but no %s answer: %s",
                 context->provider->wire->name, what);
        break;
    }
}

static void read_success(const struct transfer *t, const struct answer_context *context,
                         struct result *result, struct verdict *v) {
    struct slice body = buf_slice(t->reply);
    struct json_fault fault;
    if (!json_check(body, &fault)) {
        v->outcome = OUTCOME_BAD_RESPONSE;
        v->cause = BECAUSE_UPSTREAM;
        snprintf(v->message, sizeof v->message, "the answer is not JSON: %s at byte %zu of %zu",
                 fault.what, fault.offset, body.n);
    } else if (signals_is_error_body(body)) {
        read_refusal(t, context, v);
    } else {
        read_answer(body, context, result, v);
    }
}

void answer_read(struct transfer *t, const struct answer_context *context, struct result *result,
                 struct verdict *v) {
    *v = (struct verdict){.outcome = OUTCOME_NONE, .hint = -1};
    result->reply = (struct reply){.usage = USAGE_NONE};
    result->http_status = t->http_status;
    if (t->reply->n)
        t->reply->n = secret_scrub(context->secret, t->reply->p, t->reply->n);
    if (t->status != TRANSFER_ANSWERED)
        read_failure(t, v);
    else if (t->http_status >= 200 && t->http_status < 300)
        read_success(t, context, result, v);
    else
        read_refusal(t, context, v);
    // what was taken from headers was not in the body
    v->message[secret_scrub(context->secret, v->message, strlen(v->message))] = '\0';
    v->code[secret_scrub(context->secret, v->code, strlen(v->code))] = '\0';
}
