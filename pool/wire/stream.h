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

struct stream_call;

struct wire_stream {
    const struct wire *wire;
    struct sse sse;
    size_t max, left;                    // bytes of answer that may be kept, and still may
    struct buf text, reasoning, refusal; // insides of string tokens
    struct buf finish_reason, model, id; // string tokens
    struct buf error;                    // the data of the event that was an error
    struct stream_call *calls;
    size_t call_count, call_room;
    struct usage usage;
    bool has_text;      // text came, be it empty
    bool began;         // something of the answer came
    bool finished;      // its end came; usage may follow
    bool complete;      // nothing follows
    bool too_large;     // beyond max
    const char *broken; // why it cannot be read; static
};

enum stream_end {
    STREAM_WHOLE,
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

// -- for the wires' read_event: what an event adds. Tokens are copied; absent ones add nothing --

void stream_add_text(struct wire_stream *s, struct slice token);
void stream_add_reasoning(struct wire_stream *s, struct slice token);
void stream_add_refusal(struct wire_stream *s, struct slice token);
// The answer's end; the last one given counts.
void stream_set_finish_reason(struct wire_stream *s, struct slice token);
// The first ones given count.
void stream_set_names(struct wire_stream *s, struct slice model, struct slice id);
// The event's data are an error.
void stream_set_error(struct wire_stream *s, struct slice data);
void stream_set_broken(struct wire_stream *s, const char *what);

// The call at this place takes over what is given of it: a name and an id that it does not have yet;
// arguments are appended, input as the text it is.
void stream_add_call(struct wire_stream *s, const struct wire_call *part);

#endif
