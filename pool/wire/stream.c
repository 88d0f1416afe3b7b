// stream.c: puts an answer together from its events. Pure; owned by whoever reads the stream.
// SPDX-License-Identifier: MIT
#include "pool/wire/stream.h"

#include "jobs/base/die.h"

#include <stdlib.h>

// What a stream may hold of small things: names, reasons, ids.
#define WORD_MAX    ((size_t)64 << 10)
#define CHOICES_MAX 128
#define KEEP_BYTES  ((size_t)16 << 10)

static void choice_init(struct stream_choice *c, size_t max) {
    *c = (struct stream_choice){0};
    c->text = c->reasoning = c->refusal = c->audio_data = c->audio_transcript = BUF_INIT(max);
    c->finish_reason = c->audio_id = c->audio_expires = BUF_INIT(WORD_MAX);
}

static void choice_free(struct stream_choice *c) {
    struct buf *const bufs[] = {&c->text,          &c->reasoning,       &c->refusal,
                                &c->audio_data,    &c->finish_reason,   &c->audio_id,
                                &c->audio_expires, &c->audio_transcript};
    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_free(bufs[i]);
    stream_calls_free(&c->calls);
}

// For the next answer; what was used the most is kept.
static void choice_clear(struct stream_choice *c, size_t max) {
    struct buf text = c->text, finish_reason = c->finish_reason;
    c->text = c->finish_reason = BUF_INIT(0);
    choice_free(c);
    choice_init(c, max);
    buf_recycle(&text, KEEP_BYTES);
    buf_recycle(&finish_reason, KEEP_BYTES);
    c->text = text;
    c->finish_reason = finish_reason;
}

static void free_more(struct wire_stream *s) {
    for (size_t i = 0; i < s->more_count; i++)
        choice_free(&s->more[i]);
    free(s->more);
    s->more = NULL;
    s->more_count = 0;
}

void wire_stream_init(struct wire_stream *s, const struct wire *wire, size_t max) {
    *s = (struct wire_stream){.wire = wire, .max = max, .left = max, .usage = USAGE_NONE};
    sse_init(&s->sse, max);
    choice_init(&s->first, max);
    s->error = s->whole = s->mended = BUF_INIT(max);
    s->model = s->id = BUF_INIT(WORD_MAX);
}

void wire_stream_clear(struct wire_stream *s) {
    struct buf *const bufs[] = {&s->error, &s->model, &s->id, &s->whole, &s->mended};
    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_recycle(bufs[i], KEEP_BYTES);
    sse_clear(&s->sse);
    choice_clear(&s->first, s->max);
    free_more(s);
    s->at = 0;
    s->left = s->max;
    s->usage = USAGE_NONE;
    s->began = s->blocked = s->complete = s->too_large = false;
    s->broken = NULL;
}

void wire_stream_free(struct wire_stream *s) {
    struct buf *const bufs[] = {&s->error, &s->model, &s->id, &s->whole, &s->mended};
    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_free(bufs[i]);
    sse_free(&s->sse);
    choice_free(&s->first);
    free_more(s);
}

static struct stream_choice *choice_at(const struct wire_stream *s, size_t number) {
    return number ? &s->more[number - 1] : (struct stream_choice *)&s->first;
}

static struct stream_choice *current(struct wire_stream *s) {
    struct stream_choice *c = choice_at(s, s->at);
    c->seen = true;
    return c;
}

bool stream_choose(struct wire_stream *s, int64_t number) {
    if (number < 0 || number >= CHOICES_MAX) {
        stream_set_broken(s, "it has too many choices");
        return false;
    }
    for (; s->more_count < (size_t)number; s->more_count++) {
        s->more = mem_resize(s->more, (s->more_count + 1) * sizeof *s->more);
        choice_init(&s->more[s->more_count], s->max);
    }
    s->at = (size_t)number;
    return true;
}

size_t stream_call_count(const struct wire_stream *s) {
    return choice_at(s, s->at)->calls.count;
}

bool stream_has_call(const struct wire_stream *s, size_t place) {
    return stream_calls_have(&choice_at(s, s->at)->calls, place);
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
    if (json_type(token) != JSON_STRING)
        return;
    current(s)->has_text = true;
    keep_inside(s, &current(s)->text, token);
}

void stream_add_reasoning(struct wire_stream *s, struct slice token) {
    if (wire_words(token).n)
        keep_inside(s, &current(s)->reasoning, token);
}

void stream_add_refusal(struct wire_stream *s, struct slice token) {
    if (wire_words(token).n)
        keep_inside(s, &current(s)->refusal, token);
}

void stream_add_audio(struct wire_stream *s, struct slice object) {
    struct slice id, data, transcript, expires;
    const struct json_field fields[] = {
        {"id", &id}, {"data", &data}, {"transcript", &transcript}, {"expires_at", &expires}};
    if (!json_fields(object, fields, COUNT(fields)))
        return;
    struct stream_choice *c = current(s);
    keep_word(s, &c->audio_id, id);
    if (!c->audio_expires.n && json_type(expires) == JSON_NUMBER)
        keep(s, &c->audio_expires, expires);
    keep_inside(s, &c->audio_data, data);
    keep_inside(s, &c->audio_transcript, transcript);
}

void stream_set_finish_reason(struct wire_stream *s, struct slice token) {
    struct slice reason = wire_reason(token);
    if (!reason.n)
        return;
    buf_clear(&current(s)->finish_reason);
    keep_word(s, &current(s)->finish_reason, reason);
}

void stream_set_blocked(struct wire_stream *s, struct slice reason) {
    stream_set_finish_reason(s, reason);
    s->blocked |= json_type(reason) == JSON_STRING;
}

void stream_set_whole(struct wire_stream *s, struct slice object) {
    s->left = s->max; // what came in pieces counts no more
    buf_clear(&s->whole);
    keep(s, &s->whole, object);
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

void stream_add_call(struct wire_stream *s, const struct wire_call *piece) {
    struct stream_call *call = stream_calls_find(&current(s)->calls, piece, s->max);
    size_t n = piece->arguments.n + piece->input.n;
    if (!call) {
        stream_set_broken(s, "it calls too many tools");
        return;
    }
    s->too_large |= n > s->left;
    if (s->too_large)
        return;
    s->left -= n;
    s->too_large = !stream_call_add(call, piece);
    s->began = true;
}

// -- events in --

static bool is_finished(const struct wire_stream *s) {
    bool any = false;
    for (size_t i = 0; i <= s->more_count; i++) {
        const struct stream_choice *c = choice_at(s, i);
        if (c->seen && !c->finish_reason.n)
            return false;
        any |= c->seen;
    }
    return any;
}

void wire_stream_take(struct wire_stream *s, struct slice data) {
    s->at = 0;
    s->wire->read_event(s, SLICE(""), data);
}

static void take_line(struct wire_stream *s, struct slice line) {
    if (json_type(line) == JSON_OBJECT && json_check(line, NULL))
        wire_stream_take(s, line);
    else if (line.n)
        stream_set_broken(s, "a line of it is not JSON");
}

void wire_stream_take_lines(struct wire_stream *s, struct slice text) {
    while (text.n && !s->broken && !s->too_large) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        take_line(s, slice_trim(slice_of(text.p, n)));
        n += end != NULL;
        text = slice_of(text.p + n, text.n - n);
    }
}

static void take_event(struct wire_stream *s, const struct sse_event *event) {
    struct slice data = slice_trim(event->data);
    s->at = 0;
    if (slice_is(data, "[DONE]"))
        s->complete = true;
    else if (json_check(data, NULL))
        s->wire->read_event(s, event->name, data);
    else if (json_mend_numbers(data, &s->mended))
        s->wire->read_event(s, event->name, buf_slice(&s->mended));
    else if (data.n)
        stream_set_broken(s, "an event of it is not JSON");
}

// An event that lacks its end: if it was cut off behind the answer's end, that answer stands.
static void take_last(struct wire_stream *s, const struct sse_event *event) {
    if (!is_finished(s) || json_check(event->data, NULL))
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

static void add_audio(struct buf *out, const struct stream_choice *c) {
    if (!c->audio_id.n && !c->audio_data.n && !c->audio_transcript.n)
        return;
    json_add_name(out, "audio");
    buf_add_char(out, '{');
    wire_add_member(out, "id", buf_slice(&c->audio_id));
    wire_add_member(out, "expires_at", buf_slice(&c->audio_expires));
    if (c->audio_data.n)
        add_text(out, "data", &c->audio_data);
    if (c->audio_transcript.n)
        add_text(out, "transcript", &c->audio_transcript);
    buf_add_char(out, '}');
}

static void add_choice(struct buf *out, const struct stream_choice *c) {
    if (c->has_text)
        add_text(out, "text", &c->text);
    if (c->reasoning.n)
        add_text(out, "reasoning", &c->reasoning);
    if (c->refusal.n)
        add_text(out, "refusal", &c->refusal);
    stream_calls_write(&c->calls, out);
    add_audio(out, c);
    wire_add_member(out, "finish_reason", buf_slice(&c->finish_reason));
}

// All of them, when there are several.
static void add_choices(const struct wire_stream *s, struct buf *out) {
    size_t count = 0;
    for (size_t i = 0; i <= s->more_count; i++)
        count += choice_at(s, i)->seen;
    if (count < 2)
        return;
    json_add_name(out, "choices");
    buf_add_char(out, '[');
    for (size_t i = 0; i <= s->more_count; i++) {
        const struct stream_choice *c = choice_at(s, i);
        if (!c->seen)
            continue;
        buf_add_str(out, out->p && out->p[out->n - 1] == '[' ? "{\"index\":" : ",{\"index\":");
        buf_add_int(out, (int64_t)i);
        add_choice(out, c);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static const struct stream_choice *first_seen(const struct wire_stream *s) {
    for (size_t i = 0; i <= s->more_count; i++)
        if (choice_at(s, i)->seen)
            return choice_at(s, i);
    return &s->first;
}

static void assemble(const struct wire_stream *s, struct buf *out) {
    buf_add_char(out, '{');
    add_choice(out, first_seen(s));
    add_choices(s, out);
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
    if (s->whole.n) {
        buf_add_slice(scratch, buf_slice(&s->whole));
        return scratch->failed ? STREAM_TOO_LARGE : STREAM_OBJECT;
    }
    if (!s->complete && !is_finished(s))
        return broken(what, "it ended before the answer was complete");
    const struct stream_choice *first = first_seen(s);
    if (!s->began && !first->has_text && !first->finish_reason.n)
        return broken(what, "it ended without an answer");
    assemble(s, scratch);
    if (scratch->failed)
        return STREAM_TOO_LARGE;
    wire_stream_reply(s, buf_slice(scratch), &reply);
    if (s->blocked && !wire_says_something(&reply)) {
        *what = "the provider's policy blocked the prompt";
        return STREAM_BLOCKED;
    }
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
        {"audio", &reply->audio},
        {"choices", &reply->choices},
        {"finish_reason", &reply->finish_reason},
        {"model", &reply->model},
        {"id", &reply->request_id},
    };
    json_fields(scratch, fields, COUNT(fields));
}
