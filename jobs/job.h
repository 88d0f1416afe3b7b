// A job: one row of the input, on its way to one line of the output.
//
//   row ──▶ WAITING ──take──▶ LEASED ──send──▶ IN_FLIGHT ──answered──▶ FINISHED ──written──▶ IDLE
//              ▲                 │ not before t    │
//              └───── time ── PARKED ◀─────────────┘ may be tried again; else FINISHED
//
// A row that waits for another key than those that refused it is PARKED too, straight from WAITING.
//
// A job is owned by whoever holds the pointer: the reader while it is filled, a queue, the loop, the
// writer, and between rows the credit store (runner/credits.h), from which it is taken and to which
// it returns. There is never a second holder, so there are no locks and no reference counts in it.
// Jobs are used again and again: their buffers keep their memory between rows.
// SPDX-License-Identifier: MIT
#ifndef JOBS_JOB_H
#define JOBS_JOB_H

#include "jobs/base/buf.h"
#include "jobs/base/heap.h"
#include "jobs/base/list.h"
#include "jobs/outcome.h"
#include "jobs/params.h"
#include "jobs/refusals.h"
#include "jobs/reply.h"
#include "jobs/settings.h"

#include <stdint.h>

enum job_state { JOB_IDLE, JOB_WAITING, JOB_LEASED, JOB_IN_FLIGHT, JOB_PARKED, JOB_FINISHED };

// How a row says what is to be sent.
enum row_shape {
    ROW_PROMPT,       // one prompt: `prompt` is set
    ROW_MESSAGES,     // an OpenAI-shaped conversation: `messages` is set
    ROW_BATCH_OPENAI, // {custom_id, method?, url?, body}: `body`, and `url` if given; also BigModel
    ROW_BATCH_ANTHROPIC, // {custom_id, params}: `body`
    ROW_BATCH_GEMINI,    // {key, request}: `body`
    ROW_BATCH_MISTRAL,   // {custom_id, body} without url: `body`
};

// What the row asks for: everything that its request is made of, beside what all rows have in common
// (struct wire_defaults). All slices point into job.line; SLICE_NONE where the row has no such field.
struct request {
    enum row_shape shape;
    struct slice prompt;   // string token
    struct slice messages; // array token
    struct slice body;     // object token, sent as it stands
    struct slice url;      // plain text: the path of a batch line, "/v1/chat/completions"
    struct slice provider; // plain text: the row's own choice of provider
    struct slice system;   // string token
    struct slice model;    // string token; for batch shapes the model inside the body
    struct slice
        params[PARAM_COUNT]; // tokens of the types that jobs/params.h names, each obeying its
                             // rule; those of the run are in wire_defaults.params
    bool has_params;         // some of them is set
};

#define JOB_MESSAGE_MAX 500

// What came of it. Slices point into job.body (the provider's bytes) or job.scratch unless said
// otherwise.
struct result {
    enum outcome outcome;
    const char *provider; // catalogue's name, static; NULL if no attempt was made
    const char *key;      // name of the key of the last attempt, owned by the pool; or NULL
    struct slice
        model_sent;         // string token in job.line or the provider's memory: what was asked for
    struct reply reply;     // valid when ok
    enum reply_shape shape; // of job.body
    bool assembled; // job.body is no provider's: it was put together from events, and holds the
                    // reply's tokens only
    bool
        other_path; // job.body is the answer of a path that is none of the wire's own: it stays as it
                    // is in every format
    int http_status;    // of the last attempt; 0 when there was no HTTP answer
    int attempts;       // HTTP requests made for this job, refused ones included
    int64_t started_at; // wall clock, start of the last attempt; 0 if none
    int64_t latency;    // microseconds, the last attempt from start to its last byte
    int64_t ttft;       // microseconds, the same to its first token; 0: it did not come as a stream
    int64_t wait;       // microseconds from being read to being finished, not spent in attempts
    char code[64];      // the provider's own error code, "" if none
    const char *message; // error in words, secrets masked, valid UTF-8; "" if none
};

// What is known of attempts whose answers are not in the results file (jobs/out/inflight.h).
struct job_notes {
    uint32_t number;   // of its record, which stays with the job; 0: has had none yet
    uint32_t earlier;  // of the record that an earlier run left of this row; 0: none
    uint32_t in_doubt; // attempts that may have been paid, and nothing on disk to show for it
    uint32_t answers;  // attempts that were answered, but not with a result
    uint64_t salt;     // of the idempotency keys of an earlier run that it goes on with; 0: none
};

struct job_lane;

struct job {
    struct list node;       // in the one list or queue that holds it
    struct heap_node timer; // PARKED: due when it may be tried again
    enum job_state state;

    // From the reader.
    int64_t index;      // 0-based data row
    int64_t sequence;   // 0-based, among the rows that are to get a line in this run
    int64_t line_no;    // 1-based line of the input where the row starts
    struct slice id;    // UTF-8 text in `line`
    struct slice input; // JSON token in `line`: the row as it is handed back; SLICE_NONE: not kept
    struct request request;
    uint64_t sent; // what tells this request from others (jobs/out/line_sent.h); 0: not known
    struct settings settings; // what it asks for that is common to all rows
    int64_t replaces; // number of the result line that this row's new one takes the place of, or 0
    struct job_notes notes;
    struct buf line;       // owns the row's bytes and what the reader derived from them
    size_t bytes_credited; // what this row took from the byte credit
    size_t reply_credited; // the same for its reply

    // From the loop.
    int64_t accepted_at;   // monotonic, when the loop first saw it
    struct job_lane *lane; // where it waits, or did (runner/lanes.h); NULL: nowhere
    int64_t in_attempts;   // microseconds spent in attempts so far
    uint64_t affinity;     // the same for rows that begin alike (pool/wire/prefix.h); 0: no matter
    int retries;           // attempts that counted against --max-retries
    struct row_refusals refused;
    int64_t in_doubt_at; // when the attempt was sent whose failure has not counted so far; 0: none
    int sent_again;      // times that a kept connection ended before its answer
    bool copied;         // a second request was sent for it while the first was out
    int64_t not_after;   // monotonic deadline, or TIME_NEVER
    struct result result;
    struct buf body;    // the provider's last reply
    struct buf scratch; // text of the reply that came in parts, joined; as a rule empty
    struct buf message; // owns result.message; as a rule empty
};

// A new job: idle, with no memory of rows. line and body get these ceilings.
struct job *job_new(size_t line_max, size_t body_max);
void job_free(struct job *job);

// Forgets the row, keeps modest buffers for the next. Call when idle.
void job_clear(struct job *job);

// The only place that writes job->state: a move that the drawing does not show is a bug.
void job_set_state(struct job *job, enum job_state state);

// Fills in a failure that ends the job (or would, if no retry follows). The text is cut at a code
// point and repaired to valid UTF-8.
__attribute__((format(printf, 3, 4))) void job_fail(struct job *job, enum outcome outcome,
                                                    const char *format, ...);

#endif
