// A wire: how a provider is spoken to, both directions, one file per format.
//
// build_request, read_reply and read_event serve the run; read_request, build_reply and build_stream
// serve those who play the provider: the simulator, later the gateway. One file knows a format in
// both directions and is tested by round trip. Pure: bytes in, bytes out; any thread.
// A row in OpenAI's shape (a prompt, messages) goes to every wire, translated; a provider's own batch
// line goes to its own wire only, as it stands.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_WIRE_H
#define POOL_WIRE_WIRE_H

#include "jobs/base/buf.h"
#include "jobs/job.h"
#include "jobs/reply.h"

struct provider;
struct wire_stream; // pool/wire/stream.h

// What every request of a run has in common.
struct wire_defaults {
    struct slice model;  // string token for rows that name none; never absent
    struct slice system; // string token for rows that have none, or SLICE_NONE
    bool stream;         // the answer is wanted as server-sent events; a batch line's own body
                         // says that itself
    const struct slice *params; // for rows that have none of that name: PARAM_COUNT tokens, or NULL
};

#define WIRE_TAKES(shape) (1u << (shape))

// A parameter that a wire cannot say.
struct wire_refusal {
    enum param param;
    const char *why; // of its value; NULL: there is no word for the parameter at all. Static
};

enum wire_answer {
    WIRE_OK,
    WIRE_NOT_MINE, // build_request: this wire cannot say it; read_*: not this wire's shape
    WIRE_NOT_JSON, // read_reply
    WIRE_PARTS,    // read_reply: an answer whose parts read_event puts together
    WIRE_BLOCKED,  // read_reply: the provider's policy kept the answer back, now and later
};

// What build_request makes. The caller sets the buffers, both cleared.
struct wire_out {
    struct buf *path;   // gets what follows the base URL ("/chat/completions")
    struct buf *body;   // gets the JSON
    struct slice model; // string token: what is asked for; in the job or in defaults
    bool other_path;  // it is none of the wire's own, whose answers read_reply knows: any object is
                      // its answer
    const char *what; // why not, when it is WIRE_NOT_MINE; static, for a person
};

// What a request on the wire asks for, as the side that answers sees it. Slices point into the
// request's bytes.
struct wire_request {
    struct slice model;     // string token; absent where the path names it (Gemini)
    struct slice prompt;    // string token: the last text of the last user message; may be absent
    struct slice tool_name; // string token: the first tool offered, or SLICE_NONE
    int64_t max_tokens;     // -1: not given
    bool stream;            // as the body says; Gemini's path says it instead
    bool stream_usage;      // usage is wanted in the stream
    size_t prompt_bytes;    // of all message text, for counting tokens
};

// What the answering side says. Tokens are JSON tokens.
struct wire_response {
    const char *id;     // "chatcmpl-…"; plain text. A wire puts its own prefix before the dash
    struct slice model; // string token
    struct slice text;  // string token
    const char *finish_reason; // "stop", "length", "tool_calls"; a wire says it in its own words
    struct slice tool_name;    // string token: answer with a call of this tool instead of text
    int64_t input_tokens;
    int64_t cached_tokens; // of these
    int64_t output_tokens;
    int64_t created; // seconds since 1970
};

struct wire {
    const char *name;           // "openai", as `batch-run providers` shows it
    const char *auth_prefix;    // header up to the secret: "Authorization: Bearer "
    const char *const *headers; // further constant headers of every request, NULL-terminated
    enum reply_shape reply;     // what read_reply reads
    unsigned shapes;            // WIRE_TAKES(shape) bits: the row shapes build_request can send

    // MUST. Whether the parameters of a prompt or of messages can be said, row and run together. Cheap;
    // asked of each row that has any, before it is sent anywhere. False with *refusal filled.
    bool (*says)(const struct request *request, const struct provider *provider,
                 const struct wire_defaults *defaults, struct wire_refusal *refusal);

    // MUST. For requests that says() lets pass. WIRE_NOT_MINE with out->what set when the row asks for what this wire has no words for;
    // what is in the buffers then means nothing. A body beyond its ceiling shows in body->failed.
    enum wire_answer (*build_request)(const struct request *request,
                                      const struct provider *provider,
                                      const struct wire_defaults *defaults, struct wire_out *out);

    // Why this provider cannot be asked what the row asks for, in words that go behind "this batch line"
    // (static); NULL when it can. Told before anything is sent. May be NULL: it never refuses.
    const char *(*refuses)(const struct request *request, const struct provider *provider);

    // MUST. Reads a body that came with a 2xx status, and checks it: nobody did before. WIRE_NOT_MINE
    // when it is not an answer (no choices …), WIRE_BLOCKED when it says that there will be none; what
    // is wrong is left in *what (static text), the provider's word for a block in
    // reply->finish_reason. What is put together from parts is in scratch (cleared first), which must
    // then live as long as the reply.
    enum wire_answer (*read_reply)(struct slice body, struct buf *scratch, struct reply *reply,
                                   const char **what);

    // MUST. Takes what one event of a stream adds to the answer; data is checked JSON, name is "" for
    // an event without one. Called by wire_stream_feed() alone: pool/wire/stream.h is how a stream is
    // read, from its first byte to the same struct reply.
    void (*read_event)(struct wire_stream *stream, struct slice name, struct slice data);

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

extern const struct wire wire_openai;    // OpenAI chat completions, and what is compatible with it
extern const struct wire wire_anthropic; // Anthropic Messages
extern const struct wire wire_gemini;    // Gemini generateContent

#endif
