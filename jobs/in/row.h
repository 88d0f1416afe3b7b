// One row → one job: shape, prompt, steering fields and id. Bytes in, a filled job out; no reading.
//
// Each call fills one idle, cleared job whose index and line_no are set. What the job keeps is
// copied to job->line; the text given may go away afterwards. A row that is no good fails the job
// with OUTCOME_BAD_INPUT. Reader thread only.
//
// A row is a request or a record. It is a request when it says itself what is asked, with `prompt` or
// `messages` or as a batch line, and neither --template nor --prompt-field is given: its fields then
// steer it. All others (csv, tsv, any row under a template or a prompt field) are records: their
// fields are data, and only those named with --fields steer.
//
// The shape of a JSON row, in this order:
//   1. with a template, the prompt it renders;
//   2. with --prompt-field, that field;
//   3. else exactly one of: `prompt`; `messages`; an object `body` or `params` beside `custom_id`;
//   an
//      object `request` beside `key` or `custom_id`. Two of them: a bad row, since either could be
//      meant. `body`, `params` or `request` of a row without those ids are data like any other.
// A bare string is a row whose only field is `prompt`, and so is a line of txt. In csv and tsv only
// the prompt column or a template makes the prompt. In a batch line the body is sent as it stands:
// beside id and `provider`, the other fields of the row are not looked at.
//
// The id: --id-field alone if given, else `id`, else `custom_id`, else, in a Gemini line, `key`.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_ROW_H
#define JOBS_IN_ROW_H

#include "jobs/in/fields.h"
#include "jobs/in/rowid.h"
#include "jobs/in/unsent.h"

// What can be done about text that is not valid.
#define ENCODING_HINT                                                                              \
    " (--encoding NAME, such as WINDOWS-1252 or GB18030, if it is in another encoding)"

// What is the same for all rows of a run.
struct rows {
    struct fields fields;
    struct template *template; // or NULL
    struct rowids ids;
    struct unsent unsent; // what was told of fields that are not sent
    struct buf rendered;  // the prompt a template made
    struct buf built;     // a row's JSON, for formats that have none
};

// The text of a jsonl line.
void row_from_json(struct rows *rows, struct slice text, struct job *job);

// The text of a txt line.
void row_from_text(struct rows *rows, struct slice text, struct job *job);

// The first `object` bytes of `text` are the row as a JSON object, fields.found its tokens
// somewhere in text.
void row_from_fields(struct rows *rows, struct slice text, size_t object, struct job *job);

// A row that cannot be read: the job has failed already. Its input is the text as a JSON string,
// invalid UTF-8 replaced; none when text is SLICE_NONE.
void row_from_garbage(struct rows *rows, struct slice text, struct job *job);

// A row that does not fit job->line: fails the job and keeps nothing of the row.
void row_too_big(struct rows *rows, struct job *job);

#endif
