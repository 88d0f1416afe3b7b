// A wire: how a provider is spoken to, both directions, one file per format.
//
// build_request and read_reply serve the run; read_request and build_reply (with its stream form)
// serve those who play the provider: the simulator, later the gateway. One file knows a format in
// both directions and is tested by round trip. Pure: bytes in, bytes out; any thread.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_WIRE_H
#define POOL_WIRE_WIRE_H

#include "jobs/base/buf.h"
#include "jobs/job.h"
#include "jobs/reply.h"

struct provider;

// What every request of a run has in common.
struct wire_defaults {
    struct slice model;  // string token for rows that name none; never absent
    struct slice system; // string token for rows that have none, or SLICE_NONE
};

#define WIRE_TAKES(shape) (1u << (shape))

enum wire_answer {
    WIRE_OK,
    WIRE_NOT_MINE, // build_request: a batch line of another wire; read_*: not this wire's shape
};

// What a request on the wire asks for, as the side that answers sees it. Slices point into the
// request's bytes.
struct wire_request {
    struct slice model;     // string token
    struct slice prompt;    // string token: the last text of the last user message; may be absent
    struct slice tool_name; // string token: the first tool offered, or SLICE_NONE
    int64_t max_tokens;     // -1: not given
    bool stream;
    bool stream_usage;   // usage is wanted in the stream
    size_t prompt_bytes; // of all message text, for counting tokens
};

// What the answering side says. Tokens are JSON tokens.
struct wire_response {
    const char *id;            // "chatcmpl-…"; plain text
    struct slice model;        // string token
    struct slice text;         // string token
    const char *finish_reason; // "stop", "length", "tool_calls"
    struct slice tool_name;    // string token: answer with a call of this tool instead of text
    int64_t input_tokens;
    int64_t output_tokens;
    int64_t created; // seconds since 1970
};

struct wire {
    const char *name;           // "openai", as `batch-run providers` shows it
    const char *auth_prefix;    // header up to the secret: "Authorization: Bearer "
    const char *const *headers; // further constant headers of every request, NULL-terminated
    unsigned shapes;            // WIRE_TAKES(shape) bits: the row shapes build_request can send

    // MUST. Appends to path what follows the base URL ("/chat/completions") and to body the JSON. The
    // model that is asked for is left in *model (string token, in the job or in defaults). False only
    // through body->failed.
    enum wire_answer (*build_request)(const struct request *request,
                                      const struct provider *provider,
                                      const struct wire_defaults *defaults, struct buf *path,
                                      struct buf *body, struct slice *model);

    // MUST. Reads a checked JSON body that came with a 2xx status. WIRE_NOT_MINE when it is not an
    // answer (no choices …); what is wrong is left in *what (static text). Text that came in several
    // parts is joined in scratch (cleared first), which must then live as long as the reply.
    enum wire_answer (*read_reply)(struct slice body, struct buf *scratch, struct reply *reply,
                                   const char **what);

    // MUST. Reads a request body (checked JSON) as the provider would. WIRE_NOT_MINE with *what set
    // when the provider would answer 400.
    enum wire_answer (*read_request)(struct slice body, struct wire_request *request,
                                     const char **what);

    // MUST. Appends a whole reply body.
    void (*build_reply)(const struct wire_response *response, struct buf *out);

    // MUST. Appends the same reply as server-sent events, cut into pieces of a few words; usage in
    // the last event if wanted.
    void (*build_stream)(const struct wire_response *response, bool usage, struct buf *out);
};

extern const struct wire wire_openai; // OpenAI chat completions, and what is compatible with it

#endif
