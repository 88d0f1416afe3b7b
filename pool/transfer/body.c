// body.c: takes an answer's bytes as they come: unpacked, and as events where they are. On its engine's
// thread.
// SPDX-License-Identifier: MIT
#include "pool/transfer/easy.h"

#include "jobs/base/clock.h"

#include <strings.h>

// A stream may have so many times the bytes that a reply may: each word comes in some 300 bytes of JSON.
#define EVENTS_TO_REPLY 64
// What a stream gets to end by itself once all of it is known: its connection can then be used again.
#define END_TIME USEC_PER_SEC

static bool is_event_stream(CURL *easy) {
    static const char events[] = "text/event-stream";
    const size_t n = sizeof events - 1;
    char *type = NULL;
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    return type && strncasecmp(type, events, n) == 0 && strchr("; \t", type[n]);
}

static bool may_be_events(const struct transfer *t) {
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return t->on_events && status >= 200 && status <= 299;
}

// As long as bytes flow in faster than they are read, libcurl does not come back to look at any timer:
// so both ends are looked for here. False: no more.
static bool is_in_bounds(struct transfer *t, size_t n) {
    t->event_bytes += n;
    t->late = !t->over && t->last_byte >= t->end_at;
    t->too_large = !t->late && t->event_bytes > EVENTS_TO_REPLY * t->reply->max;
    return !t->late && !t->too_large;
}

// The timer is not moved with every byte: when it comes, it is set anew for the last one.
static bool take_events(struct transfer *t, struct slice bytes) {
    t->last_byte = engine_time(t);
    if (!is_in_bounds(t, bytes.n) || t->over)
        return !t->too_large && !t->late;
    t->over = !t->on_events(t->events_context, bytes);
    if (t->over)
        engine_look_by(t, t->last_byte + END_TIME);
    else if (t->stall_timeout)
        engine_look_by(t, t->last_byte + t->stall_timeout);
    return true;
}

// Bytes as they are after unpacking.
static bool take_body(void *context, struct slice bytes) {
    struct transfer *t = context;
    bool first = t->kind == BODY_UNKNOWN;
    if (first && t->reply->n) { // too few came to tell
        buf_add_slice(t->reply, bytes);
        bytes = buf_slice(t->reply);
    }
    if (first)
        t->kind = may_be_events(t) ? body_kind_of(bytes, is_event_stream(t->easy)) : BODY_PLAIN;
    t->streamed = t->kind == BODY_EVENTS;
    bool goes_on = true, is_kept = bytes.p == t->reply->p;
    if (t->streamed)
        goes_on = take_events(t, bytes);
    if (t->streamed && is_kept)
        buf_clear(t->reply);
    if (!t->streamed && !is_kept)
        buf_add_slice(t->reply, bytes);
    t->too_large |= t->reply->failed;
    return goes_on && !t->reply->failed;
}

static void note_packing(struct transfer *t, struct slice start) {
    enum packing packing = body_packing(start, transfer_header(t, "Content-Encoding"));
    if (packing != PACKING_NONE)
        t->unpack = body_unpack_new(packing);
}

size_t easy_on_body(char *p, size_t size, size_t count, void *context) {
    struct transfer *t = context;
    struct slice bytes = slice_of(p, size * count);
    if (!t->any && bytes.n && bytes.p[0] != '{')
        note_packing(t, bytes);
    t->any |= bytes.n > 0;
    bool goes_on =
        t->unpack ? body_unpack_feed(t->unpack, bytes, take_body, t) : take_body(t, bytes);
    return goes_on ? bytes.n : 0;
}

enum transfer_status easy_status_by(const struct transfer *t, int64_t now, int64_t *due) {
    int64_t end = t->end_at, silent = TIME_NEVER;
    if (t->streamed && t->stall_timeout)
        silent = t->last_byte + t->stall_timeout;
    *due = end < silent ? end : silent;
    if (t->over || *due > now)
        return TRANSFER_ANSWERED;
    return end <= now ? TRANSFER_TIMEOUT : TRANSFER_STALLED;
}
