// What came of a transfer, for the job and for the key: the one place where HTTP becomes meaning.
//
// The caller: answer_listen() before a request is sent, answer_read() when its transfer is done.
// SPDX-License-Identifier: MIT
#ifndef POOL_ANSWER_H
#define POOL_ANSWER_H

#include "pool/limits/announced.h"
#include "pool/secret_set.h"
#include "pool/signals/signals.h"
#include "pool/transfer/engine.h"
#include "pool/wire/stream.h"

// What is put together of an answer that comes as events. One per request in flight, used again.
struct answer_stream {
    struct wire_stream *parts; // NULL as long as no answer came as events
    size_t max;
    const struct wire *wire; // of the request
    struct buf *reply;       // of the transfer it listens to
    int64_t first_token;     // monotonic; 0: not yet
    bool other_path;         // the request went to a path of which the wire knows no answers
    bool any;                // something has come
    bool plain;              // it is JSON all the same, and goes to reply
};

// max: the most bytes of an answer that are kept.
void answer_stream_init(struct answer_stream *s, size_t max);
void answer_stream_free(struct answer_stream *s);

// Forgets what came before (other_path too, which the caller may then set), and has t hand over what comes as events. t->reply is set.
void answer_listen(struct answer_stream *s, const struct wire *wire, struct transfer *t);

struct answer_context {
    const struct provider *provider;
    const struct secret_set *secrets; // scrubbed from what came before anybody sees it
    struct buf *scratch;              // for text that came in parts; lives as long as the reply
    struct answer_stream *stream;     // that listened to the transfer; NULL: none did
    int64_t now_wall;                 // unix microseconds
};

// Reads a finished transfer. An answer fills result->reply with slices into *t->reply, which a stream
// is put together in; anything else fills the verdict with whose fault it is. The result's
// http_status, ttft, shape and assembled are set either way.
void answer_read(struct transfer *t, const struct answer_context *context, struct result *result,
                 struct verdict *verdict);

// The limits that its headers tell, before engine_give(). False when they tell none.
bool answer_limits(const struct transfer *t, const struct answer_context *context,
                   struct announced *announced);

#endif
