// Result → one line of text, and what such a line says. Pure: a job in, bytes out.
// SPDX-License-Identifier: MIT
#ifndef JOBS_OUT_LINE_H
#define JOBS_OUT_LINE_H

#include "jobs/job.h"

enum output_format { OUTPUT_NATIVE, OUTPUT_OPENAI };

struct line_options {
    enum output_format format;
    bool no_input;         // leave `input` out
    bool include_response; // add `response`, the provider's body byte for byte
};

// Appends the line for a finished job, with its newline. Native: contract section 5. OpenAI: the
// Batch output line ({"id","custom_id","response":{"status_code","request_id","body"},"error"})
// with "key" added; its "id" is made from the row's id alone, so it is the same in every run.
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
    bool bad_input; // the row itself was no good: nothing was sent for it
};

// False when the line is no result of this format. The newline may be there or not.
bool line_read(struct slice line, enum output_format format, struct line_facts *facts);

#endif
