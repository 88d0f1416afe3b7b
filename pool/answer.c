// answer.c: turns a finished transfer into a reply or a verdict. On the thread that owns the
// engine; pure but for scrubbing.
// SPDX-License-Identifier: MIT
#include "pool/answer.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/json.h"
#include "jobs/base/utf8.h"
#include "pool/catalogue.h"
#include "pool/signals/finish_reason.h"
#include "pool/signals/wording.h"

#include <stdio.h>
#include <stdlib.h>

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
    [TRANSFER_STALLED] = {OUTCOME_TIMEOUT, BECAUSE_UPSTREAM, false},
    [TRANSFER_NETWORK] = {OUTCOME_NETWORK, BECAUSE_UPSTREAM, false},
    [TRANSFER_UNPROCESSED] = {OUTCOME_NETWORK, BECAUSE_UPSTREAM, false},
    [TRANSFER_UNTRUSTED] = {OUTCOME_NETWORK, BECAUSE_UPSTREAM, false},
    [TRANSFER_NO_PROXY] = {OUTCOME_NETWORK, BECAUSE_UPSTREAM, false},
    [TRANSFER_GARBLED] = {OUTCOME_BAD_RESPONSE, BECAUSE_UPSTREAM, false},
};

static void fail_too_large(struct verdict *v, size_t max) {
    v->outcome = OUTCOME_TOO_LARGE;
    v->cause = BECAUSE_REQUEST;
    v->final = true;
    snprintf(v->message, sizeof v->message,
             "the answer is larger than %zu bytes (--max-reply-bytes)", max);
}

// Nothing listens where a server of the user's own should be.
static void add_start_hint(const struct provider *provider, struct verdict *v) {
    size_t n = strlen(v->message);
    if (provider->start_hint)
        snprintf(v->message + n, sizeof v->message - n,
                 "; %s, or give its address with -p %s=http://HOST:PORT/v1", provider->start_hint,
                 provider->name);
}

static void read_failure(const struct transfer *t, const struct provider *provider,
                         struct verdict *v) {
    fail(v, of_status[t->status].outcome, t->error);
    v->cause = of_status[t->status].cause;
    v->scope = SCOPE_PROVIDER;
    v->final = of_status[t->status].final;
    if (t->status == TRANSFER_NO_PROXY)
        snprintf(v->message, sizeof v->message, "%s", PROXY_WANTS_PASSWORD);
    if (t->status == TRANSFER_UNTRUSTED)
        snprintf(v->message, sizeof v->message,
                 "%s (--cacert names a file of certificates to trust)", t->error);
    if (t->status == TRANSFER_NETWORK && !transfer_was_sent(t))
        add_start_hint(provider, v);
}

static struct slice header_of(const void *transfer, const char *name) {
    return transfer_header(transfer, name);
}

static struct http_answer http_answer_of(const struct transfer *t) {
    return (struct http_answer){
        .status = t->http_status, .body = buf_slice(t->reply), .header = header_of, .context = t};
}

bool answer_limits(const struct transfer *t, const struct answer_context *context,
                   struct announced *announced) {
    struct http_answer answer = http_answer_of(t);
    return t->http_status &&
           announced_read(context->provider, &answer, context->now_wall, announced);
}

static void read_refusal(const struct transfer *t, const struct answer_context *context,
                         struct verdict *v) {
    struct http_answer answer = http_answer_of(t);
    signals_read(context->provider, &answer, context->now_wall, v);
}

// A refusal may tell what it took all the same, in the words of an answer.
static void read_refused_usage(const struct transfer *t, const struct answer_context *context,
                               struct result *result) {
    struct reply reply = {.usage = USAGE_NONE};
    const char *what = "";
    if (!t->reply->n || !memmem(t->reply->p, t->reply->n, "\"usage", strlen("\"usage")))
        return;
    if (context->provider->wire->read_reply(buf_slice(t->reply), context->scratch, &reply, &what) !=
        WIRE_NOT_JSON)
        result->reply.usage = reply.usage;
    buf_clear(context->scratch);
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

static void fail_json(struct verdict *v, struct slice body) {
    struct json_fault fault = {0};
    json_check(body, &fault);
    v->outcome = OUTCOME_BAD_RESPONSE;
    v->cause = BECAUSE_UPSTREAM;
    snprintf(v->message, sizeof v->message, "the answer is not JSON: %s at byte %zu of %zu",
             fault.what, fault.offset, body.n);
}

static void fail_bad(struct verdict *v, const char *start, const char *what) {
    v->outcome = OUTCOME_BAD_RESPONSE;
    v->cause = BECAUSE_UPSTREAM;
    snprintf(v->message, sizeof v->message, "%s%s", start, what);
}

// -- whether an answer is a good one, however it came --

// The reason among those of all choices that is the worst.
static struct slice worst_reason(const struct reply *reply) {
    struct json_walk walk = json_walk(reply->choices);
    struct slice worst = reply->finish_reason, choice;
    while (reply->choices.n && json_next_element(&walk, &choice)) {
        struct slice reason = json_get(choice, "finish_reason");
        enum finish finish = signals_finish_reason(reason);
        if (finish >= FINISH_FAILED && finish > signals_finish_reason(worst))
            worst = reason;
    }
    return worst;
}

static void fail_ended(struct verdict *v, struct slice reason, enum finish finish) {
    fail_blocked(v, "the answer ended too early", reason);
    v->final = false;
    v->cause = BECAUSE_UPSTREAM;
    v->outcome = finish == FINISH_FAILED ? OUTCOME_SERVER : OUTCOME_BAD_RESPONSE;
    v->scope = finish == FINISH_FAILED ? SCOPE_PROVIDER : SCOPE_REQUEST;
}

// An answer that ended well, said nothing and counted nothing: the model did not come to it. With tokens
// counted (thinking), without any usage, or at a limit, an empty text is an answer like others. Google
// leaves counts of zero out.
static bool is_empty(const struct reply *reply) {
    const struct usage *usage = &reply->usage;
    bool counted_none =
        usage->output_tokens == 0 || (usage->output_tokens < 0 && usage->input_tokens > 0);
    return counted_none && !wire_says_something(reply) &&
           (reply->finish_reason.n || reply->text.n) &&
           signals_finish_reason(reply->finish_reason) == FINISH_GOOD;
}

static void judge_reply(struct result *result, struct verdict *v) {
    struct reply *reply = &result->reply;
    struct slice reason = worst_reason(reply);
    enum finish finish = signals_finish_reason(reason);
    if (finish == FINISH_FAILED || finish == FINISH_UNUSABLE)
        fail_ended(v, reason, finish);
    else if (is_empty(reply))
        fail_bad(v, "", "the answer is empty, and no token of it was counted");
    else
        v->outcome = OUTCOME_OK;
    if (v->outcome != OUTCOME_OK)
        *reply = (struct reply){.usage = reply->usage};
}

static void judge_error(const struct transfer *t, const struct answer_context *context,
                        struct result *result, struct verdict *v) {
    result->reply = (struct reply){.usage = result->reply.usage};
    read_refusal(t, context, v);
}

// -- answers that come whole --

// A line, an element or a body at a time.
static void take_pieces(struct wire_stream *s, struct slice body, enum wire_answer answer) {
    struct json_walk walk = json_walk(body);
    struct slice piece;
    if (answer == WIRE_PARTS) {
        wire_stream_take(s, body);
        s->complete = true;
    } else if (answer == WIRE_NOT_MINE) {
        while (json_next_element(&walk, &piece))
            wire_stream_take(s, piece);
    } else {
        wire_stream_take_lines(s, body);
    }
}

// Whether a body that is no answer may be one in pieces: an array of them (Gemini without alt=sse), or one
// on each line.
static bool is_in_pieces(enum wire_answer answer, struct slice body) {
    return answer == WIRE_PARTS || (answer == WIRE_NOT_MINE && json_type(body) == JSON_ARRAY) ||
           (answer == WIRE_NOT_JSON && memchr(body.p, '\n', body.n));
}

// Puts it together in scratch, or in place of the body where that is not one JSON value.
static enum wire_answer read_pieces(const struct transfer *t, const struct answer_context *context,
                                    struct result *result, enum wire_answer answer,
                                    const char **what) {
    struct wire_stream s;
    struct buf *out = answer == WIRE_PARTS ? context->scratch : t->reply;
    const char *why = "";
    wire_stream_init(&s, context->provider->wire, t->reply->max);
    take_pieces(&s, buf_slice(t->reply), answer);
    struct usage usage = s.usage;
    struct buf together = BUF_INIT(t->reply->max);
    enum stream_end end = wire_stream_finish(&s, &together, &why);
    if (end == STREAM_WHOLE || end == STREAM_BLOCKED) {
        buf_clear(out);
        buf_add_slice(out, buf_slice(&together));
        out->n = secret_set_scrub(context->secrets, out->p, out->n);
        wire_stream_reply(&s, buf_slice(out), &result->reply);
        result->assembled = answer != WIRE_PARTS;
        answer = end == STREAM_WHOLE ? WIRE_OK : WIRE_BLOCKED;
        *what = why;
    } else if (end == STREAM_ERROR) {
        if (answer != WIRE_PARTS) {
            buf_clear(t->reply);
            buf_add_slice(t->reply, buf_slice(&together));
        }
        result->reply = (struct reply){.usage = usage, .error = buf_slice(t->reply)};
        answer = WIRE_OK;
    } else if (answer == WIRE_PARTS) {
        answer = wire_not_mine(what, why);
    }
    buf_free(&together);
    wire_stream_free(&s);
    return answer;
}

static enum wire_answer read_body(const struct transfer *t, const struct answer_context *context,
                                  struct result *result, const char **what) {
    const struct wire *wire = context->provider->wire;
    struct buf *body = t->reply;
    enum wire_answer answer =
        wire->read_reply(buf_slice(body), context->scratch, &result->reply, what);
    struct buf mended = BUF_INIT(body->max);
    if (answer == WIRE_NOT_JSON && json_mend_numbers(buf_slice(body), &mended)) {
        buf_clear(body);
        buf_add_slice(body, buf_slice(&mended));
        answer = wire->read_reply(buf_slice(body), context->scratch, &result->reply, what);
    }
    buf_free(&mended);
    return is_in_pieces(answer, buf_slice(body)) ? read_pieces(t, context, result, answer, what)
                                                 : answer;
}

// A path of which the wire knows nothing: whatever object comes is its answer.
static bool is_other_answer(const struct result *result, enum wire_answer answer,
                            struct slice body) {
    return answer == WIRE_NOT_MINE && result->other_path && json_type(body) == JSON_OBJECT;
}

static void read_success(const struct transfer *t, const struct answer_context *context,
                         struct result *result, struct verdict *v) {
    const char *what = "";
    enum wire_answer answer = read_body(t, context, result, &what);
    struct slice body = buf_slice(t->reply);
    struct reply *reply = &result->reply;
    bool speaks = answer == WIRE_OK && wire_says_something(reply);
    bool is_error = reply->error.n && !result->assembled && signals_find_error(body, NULL);
    if (!is_error && !speaks && answer != WIRE_NOT_JSON && answer != WIRE_BLOCKED)
        is_error = signals_is_error_body(body);
    if (is_error) {
        judge_error(t, context, result, v);
        return;
    }
    if (is_other_answer(result, answer, body))
        answer = WIRE_OK;
    switch (answer) {
    case WIRE_OK: judge_reply(result, v); break;
    case WIRE_BLOCKED: fail_blocked(v, what, reply->finish_reason); break;
    case WIRE_NOT_JSON: fail_json(v, body); break;
    case WIRE_NOT_MINE:
    case WIRE_PARTS:
        v->outcome = OUTCOME_BAD_RESPONSE;
        v->cause = BECAUSE_UPSTREAM;
        snprintf(v->message, sizeof v->message, "the answer is JSON but no %s answer: %s",
                 context->provider->wire->name, what);
        break;
    }
}

// -- streams --

void answer_stream_init(struct answer_stream *s, size_t max) {
    *s = (struct answer_stream){.max = max};
}

void answer_stream_free(struct answer_stream *s) {
    if (s->parts)
        wire_stream_free(s->parts);
    free(s->parts);
}

static struct wire_stream *parts_of(struct answer_stream *s) {
    if (!s->parts) {
        s->parts = mem_zero(1, sizeof *s->parts);
        wire_stream_init(s->parts, s->wire, s->max);
    }
    return s->parts;
}

// No event begins with a bracket: then it is a whole answer, an error as a rule, under the type that
// was asked for.
static bool on_events(void *context, struct slice bytes) {
    struct answer_stream *s = context;
    if (!s->any && bytes.n)
        s->plain = bytes.p[0] == '{' || bytes.p[0] == '[';
    s->any |= bytes.n > 0;
    if (s->plain) {
        buf_add_slice(s->reply, bytes);
        return !s->reply->failed;
    }
    struct wire_stream *parts = parts_of(s);
    bool more = wire_stream_feed(parts, bytes);
    if (parts->began && !s->first_token)
        s->first_token = clock_now();
    return more;
}

void answer_listen(struct answer_stream *s, const struct wire *wire, struct transfer *t) {
    if (s->parts) {
        wire_stream_clear(s->parts);
        s->parts->wire = wire;
    }
    s->wire = wire;
    s->reply = t->reply;
    s->first_token = 0;
    s->any = s->plain = s->other_path = false;
    t->on_events = on_events;
    t->events_context = s;
}

// The keys, and what else must not be shown of what was sent. Returns the new length.
static size_t scrub(const struct answer_context *context, char *text, size_t n) {
    return secret_set_scrub(context->secrets, text, n);
}

// Some servers put a byte order mark in front of JSON.
static void drop_mark(struct buf *body) {
    if (!slice_starts(buf_slice(body), "\xef\xbb\xbf"))
        return;
    memmove(body->p, body->p + 3, body->n - 3);
    body->n -= 3;
}

static void scrub_reply(const struct transfer *t, const struct answer_context *context) {
    if (t->reply->n)
        t->reply->n = scrub(context, t->reply->p, t->reply->n);
}

// Whether what was read of a stream stands, however its transfer ended.
static bool is_settled(const struct wire_stream *s, enum stream_end end) {
    return s->complete || s->broken || end == STREAM_ERROR || end == STREAM_TOO_LARGE;
}

static void read_stream(const struct transfer *t, const struct answer_context *context,
                        struct result *result, struct verdict *v) {
    struct wire_stream *s = parts_of(context->stream);
    const char *what = "";
    enum stream_end end = wire_stream_finish(s, t->reply, &what);
    result->reply.usage = s->usage;
    if (t->status != TRANSFER_ANSWERED && !is_settled(s, end)) {
        buf_clear(t->reply);
        read_failure(t, context->provider, v);
        return;
    }
    scrub_reply(t, context);
    result->assembled = end == STREAM_WHOLE || end == STREAM_BLOCKED;
    if (result->assembled)
        wire_stream_reply(s, buf_slice(t->reply), &result->reply);
    switch (end) {
    case STREAM_WHOLE: judge_reply(result, v); break;
    case STREAM_OBJECT: read_success(t, context, result, v); break;
    case STREAM_BLOCKED: fail_blocked(v, what, result->reply.finish_reason); break;
    case STREAM_ERROR: read_refusal(t, context, v); break;
    case STREAM_TOO_LARGE: fail_too_large(v, s->max); break;
    case STREAM_BROKEN: fail_bad(v, "the stream is no answer: ", what); break;
    }
}

static int64_t ttft_of(const struct transfer *t, const struct answer_stream *s) {
    if (!t->streamed || !s->first_token)
        return 0;
    return s->first_token > t->started ? s->first_token - t->started : 1;
}

void answer_read(struct transfer *t, const struct answer_context *context, struct result *result,
                 struct verdict *v) {
    *v = (struct verdict){.outcome = OUTCOME_NONE, .hint = -1};
    result->reply = (struct reply){.usage = USAGE_NONE};
    result->http_status = t->http_status;
    result->shape = context->provider->wire->reply;
    result->assembled = false;
    result->other_path = context->stream && context->stream->other_path;
    result->ttft = ttft_of(t, context->stream);
    drop_mark(t->reply);
    scrub_reply(t, context);
    if (t->status == TRANSFER_TOO_LARGE || t->reply->failed)
        fail_too_large(v, t->reply->max);
    else if (t->streamed && !context->stream->plain)
        read_stream(t, context, result, v);
    else if (t->status != TRANSFER_ANSWERED)
        read_failure(t, context->provider, v);
    else if (t->http_status >= 200 && t->http_status < 300)
        read_success(t, context, result, v);
    else {
        read_refusal(t, context, v);
        read_refused_usage(t, context, result);
    }
    // what was taken from headers was not in the body
    v->message[scrub(context, v->message, strlen(v->message))] = '\0';
    v->code[scrub(context, v->code, strlen(v->code))] = '\0';
}
