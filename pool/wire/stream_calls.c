// stream_calls.c: tells to which tool call a piece of a stream belongs. Pure; owned by its stream.
// SPDX-License-Identifier: MIT
#include "pool/wire/stream_calls.h"

#include "jobs/base/die.h"

#include <stdlib.h>

#define WORD_MAX  ((size_t)64 << 10)
#define CALLS_MAX 1024

struct stream_call {
    struct buf id, name, signature; // string tokens
    struct buf arguments;           // inside of a string token
    size_t place;
    bool custom;
};

void stream_calls_free(struct stream_calls *calls) {
    for (size_t i = 0; i < calls->count; i++) {
        buf_free(&calls->items[i].id);
        buf_free(&calls->items[i].name);
        buf_free(&calls->items[i].signature);
        buf_free(&calls->items[i].arguments);
    }
    free(calls->items);
    *calls = (struct stream_calls){0};
}

// Behind the others of its place, so that the order is that of the places.
static struct stream_call *add_item(struct stream_calls *calls, size_t place, size_t max) {
    size_t at = calls->count;
    if (calls->count == CALLS_MAX)
        return NULL;
    if (calls->count == calls->room) {
        calls->room = (calls->room + 2) * 2;
        calls->items = mem_resize(calls->items, calls->room * sizeof *calls->items);
    }
    for (; at && calls->items[at - 1].place > place; at--)
        calls->items[at] = calls->items[at - 1];
    calls->items[at] = (struct stream_call){.id = BUF_INIT(WORD_MAX),
                                            .name = BUF_INIT(WORD_MAX),
                                            .signature = BUF_INIT(max),
                                            .arguments = BUF_INIT(max),
                                            .place = place};
    calls->count++;
    calls->last = at;
    return &calls->items[at];
}

static struct stream_call *with_id(struct stream_calls *calls, struct slice id) {
    for (size_t i = calls->count; i-- > 0;)
        if (slice_eq(buf_slice(&calls->items[i].id), id)) {
            calls->last = i;
            return &calls->items[i];
        }
    return NULL;
}

// The newest one at this place.
static struct stream_call *at_place(struct stream_calls *calls, size_t place) {
    for (size_t i = calls->count; i-- > 0;)
        if (calls->items[i].place == place) {
            calls->last = i;
            return &calls->items[i];
        }
    return NULL;
}

static bool has_other_name(const struct stream_call *call, const struct wire_call *piece) {
    return piece->name.n && call->name.n && !slice_eq(buf_slice(&call->name), piece->name);
}

// Whether a piece at the place of this call begins another one. Some servers give each piece a new id, so
// an id alone says little: a call that begins has a name too.
static bool begins_another(const struct stream_call *call, const struct wire_call *piece) {
    bool other_id = piece->id.n && call->id.n && !slice_eq(buf_slice(&call->id), piece->id);
    return piece->name.n && (other_id || has_other_name(call, piece));
}

bool stream_calls_have(const struct stream_calls *calls, size_t place) {
    for (size_t i = 0; i < calls->count; i++)
        if (calls->items[i].place == place)
            return true;
    return false;
}

static size_t place_of(const struct stream_calls *calls, const struct wire_call *piece) {
    if (!piece->unplaced)
        return piece->number;
    return calls->count ? calls->items[calls->last].place : 0;
}

struct stream_call *stream_calls_find(struct stream_calls *calls, const struct wire_call *piece,
                                      size_t max) {
    struct stream_call *call = piece->id.n ? with_id(calls, piece->id) : NULL;
    if (call && !has_other_name(call, piece))
        return call;
    size_t place = place_of(calls, piece);
    call = at_place(calls, place);
    bool another = call && (begins_another(call, piece) ||
                            (piece->unplaced && piece->id.n && call->id.n && call->name.n));
    if (!call || another)
        return add_item(calls, another && piece->unplaced ? place + 1 : place, max);
    return call;
}

static void add_word(struct buf *b, struct slice token) {
    if (!b->n)
        buf_add_slice(b, token);
}

// {} beside a name means as a rule that the arguments are yet to come.
static void add_input(struct buf *arguments, struct slice input) {
    if (input.n && !wire_is_empty(input))
        json_add_escaped(arguments, input);
}

bool stream_call_add(struct stream_call *call, const struct wire_call *piece) {
    add_word(&call->id, piece->id);
    add_word(&call->name, piece->name);
    add_word(&call->signature, piece->signature);
    buf_add_slice(&call->arguments, piece->arguments);
    add_input(&call->arguments, piece->input);
    call->custom |= piece->custom;
    return !call->id.failed && !call->name.failed && !call->signature.failed &&
           !call->arguments.failed;
}

static void write_call(struct buf *out, size_t start, const struct stream_call *call,
                       size_t number) {
    bool empty = !call->arguments.n && !call->custom;
    struct wire_call whole = {
        .id = buf_slice(&call->id),
        .number = number,
        .name = buf_slice(&call->name),
        .arguments = empty ? SLICE("{}") : buf_slice(&call->arguments),
        .signature = buf_slice(&call->signature),
        .custom = call->custom,
    };
    wire_add_call(out, start, &whole);
}

void stream_calls_write(const struct stream_calls *calls, struct buf *out) {
    size_t before = out->n, count = 0;
    if (!calls->count)
        return;
    json_add_name(out, "tool_calls");
    size_t start = out->n;
    for (size_t i = 0; i < calls->count; i++)
        if (calls->items[i].name.n)
            write_call(out, start, &calls->items[i], count++);
    if (count)
        buf_add_char(out, ']');
    else if (!out->failed)
        out->n = before;
}
