// An answer that comes as server-sent events, put together as it comes.
//
// The caller:
//   1. wire_stream_init() once, wire_stream_clear() before each further answer;
//   2. wire_stream_feed() the bytes as they come, cut anyhow, when the answer has a 2xx status and
//      the type text/event-stream (anything else is a whole answer, for read_reply or the signals);
//      s->began turns true with the first word, thought or call: the time to first token;
//   3. wire_stream_finish() when the transfer is over, however it ended: scratch then holds what came
//      as one JSON object, or the body of an error that came in the stream;
//   4. scrub scratch of the key's secret (that may shrink it), as pool/answer.c does with a body;
//   5. wire_stream_reply() for the same struct reply that read_reply gives; or, for STREAM_ERROR, the
//      signals read scratch like an error body with a 2xx status.
// A stream takes at most `max` bytes of answer, and as much again for one event.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_STREAM_H
#define POOL_WIRE_STREAM_H

#include "pool/wire/parts.h"
#include "pool/wire/sse.h"
#include "pool/wire/stream_calls.h"

// One of the answers to a request: there are several where the request asked for them.
struct stream_choice {
    struct buf text, reasoning, refusal;     // insides of string tokens
    struct buf finish_reason;                // string token
    struct buf audio_id, audio_expires;      // tokens
    struct buf audio_data, audio_transcript; // insides of string tokens
    struct stream_calls calls;
    bool seen;     // something of it came
    bool has_text; // text came, be it empty
};

struct wire_stream {
    const struct wire *wire;
    struct sse sse;
    size_t max, left;           // bytes of answer that may be kept, and still may
    struct stream_choice first; // the choice with number 0
    struct stream_choice *more; // those from number 1 on
    size_t more_count;
    size_t at;            // the choice that is added to
    struct buf model, id; // string tokens
    struct buf error;     // the data of the event that was an error
    struct buf whole;  // a whole answer that came in one of the events: it counts, not the pieces
    struct buf mended; // of an event whose numbers had to be mended
    struct usage usage;
    bool began;         // something of the answer came
    bool blocked;       // the provider's policy refused the request itself
    bool complete;      // nothing follows
    bool too_large;     // beyond max
    const char *broken; // why it cannot be read; static
};

enum stream_end {
    STREAM_WHOLE,
    STREAM_OBJECT,    // scratch holds a whole answer, for read_reply
    STREAM_BLOCKED,   // the provider's policy kept the answer back (WIRE_BLOCKED)
    STREAM_ERROR,     // the provider says that it failed; scratch holds its words
    STREAM_BROKEN,    // it ended too early or makes no sense
    STREAM_TOO_LARGE, // more than max bytes
};

void wire_stream_init(struct wire_stream *s, const struct wire *wire, size_t max);
void wire_stream_clear(struct wire_stream *s);
void wire_stream_free(struct wire_stream *s);

// False when nothing that follows can change the outcome: the answer is complete, an error, broken or
// too large. The transfer may be read to its end or broken off.
bool wire_stream_feed(struct wire_stream *s, struct slice bytes);

// Says how it ended, in *what (static) why for BLOCKED and BROKEN. scratch is cleared first.
enum stream_end wire_stream_finish(struct wire_stream *s, struct buf *scratch, const char **what);

// Slices of what wire_stream_finish() left in scratch, for STREAM_WHOLE and STREAM_BLOCKED.
void wire_stream_reply(const struct wire_stream *s, struct slice scratch, struct reply *reply);

// Takes one piece of an answer that is no event: a line, an element of an array, a whole body.
void wire_stream_take(struct wire_stream *s, struct slice data);

// Takes each line of a text as such a piece. A line that is not JSON breaks the answer.
void wire_stream_take_lines(struct wire_stream *s, struct slice text);

// -- for the wires' read_event: what an event adds. Tokens are copied; absent ones add nothing --

// What follows is of the choice with this number; at first that is 0. False when there are too many.
bool stream_choose(struct wire_stream *s, int64_t number);
// How many calls the choice at hand has.
size_t stream_call_count(const struct wire_stream *s);
// Whether one of them has this place.
bool stream_has_call(const struct wire_stream *s, size_t place);
void stream_add_text(struct wire_stream *s, struct slice token);
void stream_add_reasoning(struct wire_stream *s, struct slice token);
void stream_add_refusal(struct wire_stream *s, struct slice token);
// Spoken words: the members of an object {"id","data","transcript","expires_at"}.
void stream_add_audio(struct wire_stream *s, struct slice object);
// The answer's end; the last one given counts.
void stream_set_finish_reason(struct wire_stream *s, struct slice token);
// The request was refused by policy, for this reason.
void stream_set_blocked(struct wire_stream *s, struct slice reason);
// The event holds the whole answer.
void stream_set_whole(struct wire_stream *s, struct slice object);
// The first ones given count.
void stream_set_names(struct wire_stream *s, struct slice model, struct slice id);
// The event's data are an error.
void stream_set_error(struct wire_stream *s, struct slice data);
void stream_set_broken(struct wire_stream *s, const char *what);

// The call that the piece belongs to (pool/wire/stream_calls.h) takes over what is given of it.
void stream_add_call(struct wire_stream *s, const struct wire_call *part);

#endif
