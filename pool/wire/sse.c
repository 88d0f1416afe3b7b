// sse.c: an incremental reader of server-sent events. Pure; owned by whoever reads the stream.
// SPDX-License-Identifier: MIT
#include "pool/wire/sse.h"

// Beyond this the memory of one stream is not kept for the next.
#define KEEP_BYTES ((size_t)16 << 10)
// No provider names an event with more.
#define NAME_BYTES 256

void sse_init(struct sse *s, size_t max) {
    *s = (struct sse){.line = BUF_INIT(max), .data = BUF_INIT(max), .name = BUF_INIT(NAME_BYTES)};
}

void sse_free(struct sse *s) {
    buf_free(&s->line);
    buf_free(&s->data);
    buf_free(&s->name);
}

void sse_clear(struct sse *s) {
    buf_recycle(&s->line, KEEP_BYTES);
    buf_recycle(&s->data, KEEP_BYTES);
    buf_clear(&s->name);
    s->has_data = s->given = s->started = s->after_cr = s->failed = false;
}

static struct slice past(struct slice s, size_t n) {
    return slice_of(s.p + n, s.n - n);
}

static const char *line_end(struct slice bytes) {
    const char *lf = memchr(bytes.p, '\n', bytes.n);
    const char *cr = memchr(bytes.p, '\r', lf ? (size_t)(lf - bytes.p) : bytes.n);
    return cr ? cr : lf;
}

static void take_field(struct sse *s, struct slice name, struct slice value) {
    if (slice_is(name, "data")) {
        if (s->has_data)
            buf_add_char(&s->data, '\n');
        buf_add_slice(&s->data, value);
        s->has_data = true;
    } else if (slice_is(name, "event")) {
        buf_clear(&s->name);
        buf_add_slice(&s->name, value);
    }
    s->failed = s->data.failed || s->name.failed;
}

// True when the line ends an event.
static bool take_line(struct sse *s, struct slice line) {
    if (!s->started && slice_starts(line, "\xef\xbb\xbf"))
        line = past(line, 3);
    s->started = true;
    if (!line.n) {
        if (!s->has_data)
            buf_clear(&s->name);
        return s->has_data;
    }
    const char *colon = memchr(line.p, ':', line.n);
    struct slice name = colon ? slice_of(line.p, (size_t)(colon - line.p)) : line;
    struct slice value = past(line, colon ? name.n + 1 : name.n);
    if (value.n && value.p[0] == ' ')
        value = past(value, 1);
    if (name.n)
        take_field(s, name, value);
    return false;
}

static bool hand_out(struct sse *s, struct sse_event *event) {
    s->given = true;
    event->name = s->name.n ? buf_slice(&s->name) : SLICE("");
    event->data = s->data.n ? buf_slice(&s->data) : SLICE("");
    return true;
}

static void take_back(struct sse *s) {
    if (!s->given)
        return;
    s->given = s->has_data = false;
    buf_clear(&s->name);
    buf_clear(&s->data);
}

// A whole line from the front of *bytes, joined with what came before; false when it is not whole.
static bool next_line(struct sse *s, struct slice *bytes, struct slice *line) {
    const char *end = line_end(*bytes);
    *line = slice_of(bytes->p, end ? (size_t)(end - bytes->p) : bytes->n);
    s->failed = line->n > s->line.max - s->line.n;
    if (s->failed)
        return false;
    if (!end || s->line.n) {
        buf_add_slice(&s->line, *line);
        *bytes = past(*bytes, line->n);
    }
    if (!end)
        return false;
    s->after_cr = *end == '\r';
    if (s->line.n) {
        *line = buf_slice(&s->line);
        *bytes = past(*bytes, 1);
    } else {
        *bytes = past(*bytes, line->n + 1);
    }
    return true;
}

bool sse_next(struct sse *s, struct slice *bytes, struct sse_event *event) {
    struct slice line;
    take_back(s);
    while (bytes->n && !s->failed) {
        if (s->after_cr && bytes->p[0] == '\n') {
            s->after_cr = false;
            *bytes = past(*bytes, 1);
            continue;
        }
        s->after_cr = false;
        if (!next_line(s, bytes, &line))
            break;
        bool whole = take_line(s, line);
        buf_clear(&s->line);
        if (whole)
            return hand_out(s, event);
    }
    return false;
}

bool sse_end(struct sse *s, struct sse_event *event) {
    take_back(s);
    if (s->line.n && !s->failed)
        take_line(s, buf_slice(&s->line));
    buf_clear(&s->line);
    return s->has_data && !s->failed && hand_out(s, event);
}
