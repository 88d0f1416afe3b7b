// stream.c: puts an answer together from its events. Pure; owned by whoever reads the stream.
// SPDX-License-Identifier: MIT
#include "pool/wire/stream.h"

#include "jobs/base/die.h"

#include <stdlib.h>

// What a stream may hold of small things: names, reasons, ids.
#define WORD_MAX   ((size_t)64 << 10)
#define CALLS_MAX  1024
#define KEEP_BYTES ((size_t)16 << 10)

struct stream_call {
    struct buf id, name, signature; // string tokens
    struct buf arguments;           // inside of a string token
};

void wire_stream_init(struct wire_stream *s, const struct wire *wire, size_t max) {
    *s = (struct wire_stream){.wire = wire, .max = max, .left = max, .usage = USAGE_NONE};
    sse_init(&s->sse, max);
    s->text = s->reasoning = s->refusal = s->error = BUF_INIT(max);
    s->finish_reason = s->model = s->id = BUF_INIT(WORD_MAX);
}

static void free_call(struct stream_call *call) {
    buf_free(&call->id);
    buf_free(&call->name);
    buf_free(&call->signature);
    buf_free(&call->arguments);
}

static void free_calls(struct wire_stream *s) {
    for (size_t i = 0; i < s->call_count; i++)
        free_call(&s->calls[i]);
    free(s->calls);
    s->calls = NULL;
    s->call_count = s->call_room = 0;
}

void wire_stream_clear(struct wire_stream *s) {
    struct buf *const bufs[] = {&s->text,          &s->reasoning, &s->refusal, &s->error,
                                &s->finish_reason, &s->model,     &s->id};
    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_recycle(bufs[i], KEEP_BYTES);
    sse_clear(&s->sse);
    free_calls(s);
    s->left = s->max;
    s->usage = USAGE_NONE;
    s->has_text = s->began = s->finished = s->complete = s->too_large = false;
    s->broken = NULL;
}

void wire_stream_free(struct wire_stream *s) {
    struct buf *const bufs[] = {&s->text,          &s->reasoning, &s->refusal, &s->error,
                                &s->finish_reason, &s->model,     &s->id};
    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_free(bufs[i]);
    sse_free(&s->sse);
    free_calls(s);
}

// -- what events add --

static void keep(struct wire_stream *s, struct buf *b, struct slice bytes) {
    if (bytes.n > s->left) {
        s->too_large = true;
        return;
    }
    s->left -= bytes.n;
    buf_add_slice(b, bytes);
    s->too_large |= b->failed;
}

static void keep_inside(struct wire_stream *s, struct buf *b, struct slice token) {
    if (json_type(token) != JSON_STRING)
        return;
    keep(s, b, wire_inside(token));
    s->began |= token.n > 2;
}

// A string token into a place that has none yet.
static void keep_word(struct wire_stream *s, struct buf *b, struct slice token) {
    if (!b->n && json_type(token) == JSON_STRING)
        keep(s, b, token);
}

void stream_add_text(struct wire_stream *s, struct slice token) {
    s->has_text |= json_type(token) == JSON_STRING;
    keep_inside(s, &s->text, token);
}

void stream_add_reasoning(struct wire_stream *s, struct slice token) {
    keep_inside(s, &s->reasoning, token);
}

void stream_add_refusal(struct wire_stream *s, struct slice token) {
    keep_inside(s, &s->refusal, token);
}

void stream_set_finish_reason(struct wire_stream *s, struct slice token) {
    if (json_type(token) != JSON_STRING)
        return;
    buf_clear(&s->finish_reason);
    keep_word(s, &s->finish_reason, token);
    s->finished = true;
}

void stream_set_names(struct wire_stream *s, struct slice model, struct slice id) {
    keep_word(s, &s->model, model);
    keep_word(s, &s->id, id);
}

void stream_set_error(struct wire_stream *s, struct slice data) {
    if (!s->error.n)
        keep(s, &s->error, data);
}

void stream_set_broken(struct wire_stream *s, const char *what) {
    if (!s->broken)
        s->broken = what;
}

static struct stream_call *call_at(struct wire_stream *s, size_t number) {
    if (number >= CALLS_MAX) {
        stream_set_broken(s, "it calls too many tools");
        return NULL;
    }
    if (number >= s->call_room) {
        s->call_room = (number + 1) * 2;
        s->calls = mem_resize(s->calls, s->call_room * sizeof *s->calls);
    }
    for (; s->call_count <= number; s->call_count++)
        s->calls[s->call_count] = (struct stream_call){BUF_INIT(WORD_MAX), BUF_INIT(WORD_MAX),
                                                       BUF_INIT(s->max), BUF_INIT(s->max)};
    return &s->calls[number];
}

void stream_add_call(struct wire_stream *s, const struct wire_call *part) {
    struct stream_call *call = call_at(s, part->number);
    if (!call)
        return;
    keep_word(s, &call->id, part->id);
    keep_word(s, &call->name, part->name);
    keep_word(s, &call->signature, part->signature);
    keep(s, &call->arguments, part->arguments);
    s->too_large |= part->input.n > s->left;
    if (s->too_large)
        return;
    s->left -= part->input.n;
    json_add_escaped(&call->arguments, part->input);
    s->too_large = call->arguments.failed;
    s->began = true;
}

// -- events in --

static void take_event(struct wire_stream *s, const struct sse_event *event) {
    struct slice data = slice_trim(event->data);
    if (slice_is(data, "[DONE]"))
        s->complete = true;
    else if (json_check(data, NULL))
        s->wire->read_event(s, event->name, data);
    else if (data.n)
        stream_set_broken(s, "an event of it is not JSON");
}

// An event that lacks its end: if it was cut off behind the answer's end, that answer stands.
static void take_last(struct wire_stream *s, const struct sse_event *event) {
    if (!s->finished || json_check(event->data, NULL))
        take_event(s, event);
}

static bool is_over(const struct wire_stream *s) {
    return s->error.n || s->broken || s->too_large;
}

bool wire_stream_feed(struct wire_stream *s, struct slice bytes) {
    struct sse_event event;
    while (!is_over(s) && !s->complete && sse_next(&s->sse, &bytes, &event))
        take_event(s, &event);
    s->too_large |= s->sse.failed;
    return !is_over(s) && !s->complete;
}

// -- the end --

static void add_text(struct buf *out, const char *name, const struct buf *inside) {
    json_add_name(out, name);
    buf_add_char(out, '"');
    buf_add_slice(out, buf_slice(inside));
    buf_add_char(out, '"');
}

static void add_call(struct buf *out, size_t start, const struct stream_call *call, size_t number) {
    struct wire_call whole = {
        .id = buf_slice(&call->id),
        .number = number,
        .name = buf_slice(&call->name),
        .arguments = call->arguments.n ? buf_slice(&call->arguments) : SLICE("{}"),
        .signature = buf_slice(&call->signature),
    };
    wire_add_call(out, start, &whole);
}

// A place without a name is none of the caller's tools.
static void add_calls(const struct wire_stream *s, struct buf *out) {
    size_t before = out->n, count = 0;
    json_add_name(out, "tool_calls");
    size_t start = out->n;
    for (size_t i = 0; i < s->call_count; i++)
        if (s->calls[i].name.n)
            add_call(out, start, &s->calls[i], count++);
    if (count)
        buf_add_char(out, ']');
    else if (!out->failed)
        out->n = before;
}

static void assemble(const struct wire_stream *s, struct buf *out) {
    buf_add_char(out, '{');
    if (s->has_text)
        add_text(out, "text", &s->text);
    if (s->reasoning.n)
        add_text(out, "reasoning", &s->reasoning);
    if (s->refusal.n)
        add_text(out, "refusal", &s->refusal);
    add_calls(s, out);
    wire_add_member(out, "finish_reason", buf_slice(&s->finish_reason));
    wire_add_member(out, "model", buf_slice(&s->model));
    wire_add_member(out, "id", buf_slice(&s->id));
    buf_add_char(out, '}');
}

static enum stream_end broken(const char **what, const char *why) {
    *what = why;
    return STREAM_BROKEN;
}

enum stream_end wire_stream_finish(struct wire_stream *s, struct buf *scratch, const char **what) {
    struct sse_event event;
    struct reply reply;
    buf_clear(scratch);
    if (!is_over(s) && !s->complete && sse_end(&s->sse, &event))
        take_last(s, &event);
    if (s->error.n) {
        buf_add_slice(scratch, buf_slice(&s->error));
        return scratch->failed ? STREAM_TOO_LARGE : STREAM_ERROR;
    }
    if (s->too_large || s->sse.failed)
        return STREAM_TOO_LARGE;
    if (s->broken)
        return broken(what, s->broken);
    if (!s->complete && !s->finished)
        return broken(what, "it ended before the answer was complete");
    if (!s->began && !s->has_text && !s->finish_reason.n)
        return broken(what, "it ended without an answer");
    assemble(s, scratch);
    if (scratch->failed)
        return STREAM_TOO_LARGE;
    wire_stream_reply(s, buf_slice(scratch), &reply);
    if (!wire_is_blocked(&reply))
        return STREAM_WHOLE;
    *what = "the provider's policy held the answer back";
    return STREAM_BLOCKED;
}

void wire_stream_reply(const struct wire_stream *s, struct slice scratch, struct reply *reply) {
    *reply = (struct reply){.usage = s->usage};
    const struct json_field fields[] = {
        {"text", &reply->text},
        {"reasoning", &reply->reasoning},
        {"refusal", &reply->refusal},
        {"tool_calls", &reply->tool_calls},
        {"finish_reason", &reply->finish_reason},
        {"model", &reply->model},
        {"id", &reply->request_id},
    };
    json_fields(scratch, fields, COUNT(fields));
}
