// Result → one line of text, and what such a line says. Pure: a job in, bytes out.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_LINE_H
#define JOBS_OUT_LINE_H

#include "jobs/job.h"

enum output_format {
    OUTPUT_NATIVE,
    OUTPUT_OPENAI,
    OUTPUT_ANTHROPIC,
    OUTPUT_GEMINI,
    OUTPUT_FORMATS // how many
};

struct line_options {
    enum output_format format;
    bool no_input;                       // leave `input` out
    const struct run_settings *settings; // recorded with each line; NULL: not
    bool tell_settings;                  // and their texts with it
    bool include_response;               // add `response`, the provider's body byte for byte
};

// Appends the line for a finished job, with its newline. Native: contract section 5. The others are
// the lines of the providers' own batch services, with the key's name and what was sent added, and
// always with the reply. The last member of each is "settings" (jobs/settings.h):
//   OpenAI     {"id","custom_id","response":{"status_code","request_id","body"},"error","key"}; "id" is
//              made from the row's id and job.sent, so it is the same in every run
//   Anthropic  {"custom_id","result":{"type":"succeeded","message"},"key"}, or {"type":"errored","error"}
//   Gemini     {"key","response","api_key"}, or {"key","error","api_key"}; "key" is the row's id there
// What was sent is told by `input`, in OpenAI's line by "id", in all others by "input_hash" (16
// hexadecimal digits), their last member. In a line without it a row is known by its id alone.
// A reply that came in another shape, or as a stream, is put into the shape of the line.
//
// What came as JSON goes out with its bytes. The one exception: line breaks between tokens of a
// pretty-printed reply become spaces, because a result is one line. A reply that is no JSON becomes
// a JSON string (invalid UTF-8 repaired), or null when there was no answer at all.
void line_add(struct buf *out, const struct job *job, const struct line_options *options);

// What a line of a results file says of its row. Slices point into the line; id_token is a string
// token.
struct line_facts {
    struct slice id_token;
    bool ok;
    bool bad_input;           // the row itself was no good: nothing was sent for it
    struct slice input;       // the row as it was handed back, or SLICE_NONE
    struct settings settings; // if has_settings
    bool has_settings, tells_settings;
    uint64_t sent; // job.sent if the line tells it by itself, else 0
};

// False when the line is no result of this format. The newline may be there or not.
bool line_read(struct slice line, enum output_format format, struct line_facts *facts);

// Whether these bytes may be what is left of a line of this format that was cut short, or one that
// lacks nothing but its newline: somebody's own one-line file is not.
bool line_may_begin_with(struct slice piece, enum output_format format);

#endif
