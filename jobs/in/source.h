// The input: bytes → rows → jobs, one at a time, never the whole of it in memory.
//
// The caller (the reader thread, the only one to use a source):
//   1. source_open() once;
//   2. source_next(s, job) with an idle, cleared job until SOURCE_END, SOURCE_STOPPED or
//      SOURCE_FAILED;
//   3. source_close().
// A row that is no good is a job too: its result is OUTCOME_BAD_INPUT with a message that says what
// is wrong, and its line number. Blank lines are no rows; nor are records of csv and tsv whose
// cells are all empty. Rows, shapes and fields: contract section 2, jobs/in/row.h and
// jobs/in/csv.h; the manual's section INPUT says the same.
//
// Ids: no two jobs of a source have the same. A row's own id is kept when it is the first to have
// it, also when the row is bad for another reason; a row without one, or with one that cannot be
// read, gets its 1-based data row number. A later row with an id already seen is a bad row, or with
// allow_duplicate_ids a good one, and its id is the first free of id#2, id#3 … either way, so that
// resuming can tell the results of the two apart, also after the option was added. The same input
// gives the same ids in every run.
//
// input: for jsonl the row's JSON as it stands; for csv and tsv an object of its cells by column
// name, as strings; for txt {"prompt":"…"}. A row that is no JSON, a malformed record or a line
// with invalid UTF-8 is handed back as a JSON string of its text (U+FFFD for each invalid byte); a
// row that is too long is not handed back (SLICE_NONE).
//
// Memory: at most about max_line_bytes for reading, and as much as a row takes in job->line. Give
// jobs a ceiling of SOURCE_LINE_ROOM there: it holds the row, what is derived from it (ids, a
// rendered template) and the escapes that csv and txt need in JSON; a row that needs even more is a
// bad row. Ids of their own take below 17 bytes a row (jobs/ids.h), rows without ids nothing.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_SOURCE_H
#define JOBS_IN_SOURCE_H

#include "jobs/base/error.h"
#include "jobs/ids.h"
#include "jobs/job.h"

#define SOURCE_MAX_LINE_BYTES ((size_t)64 * 1024 * 1024)

// A good ceiling of job->line (job_new) for rows of up to so many bytes.
#define SOURCE_LINE_ROOM(max_line_bytes) (2 * (max_line_bytes) + 64 * 1024)

enum input_format { INPUT_AUTO, INPUT_JSONL, INPUT_CSV, INPUT_TSV, INPUT_TXT, INPUT_JSON };

struct source_options {
    const char *path;         // "-" is standard input
    enum input_format format; // INPUT_AUTO: from the name (.jsonl .ndjson .csv .tsv .txt); standard
                              // input and pipes: jsonl
    const char *encoding; // of the text, as iconv names it; NULL: UTF-8, or UTF-16 with its mark
    char delimiter;       // of csv and tsv; 0: a tab for tsv, for csv what the header uses
    const char *prompt_field; // NULL: "prompt". Not together with a template
    const char *id_field;     // NULL: id, custom_id, key (Gemini lines)
    const char *fields;       // --fields: of records, those that steer; NULL: none does
    bool silent;              // fields that are not sent are not told: the input is read again
    const char *template;     // text with {{field}}, or NULL
    size_t max_line_bytes;    // 0: SOURCE_MAX_LINE_BYTES; the line's end is not counted
    bool allow_duplicate_ids; // number them id#2, id#3 …
    int64_t limit;            // stop after so many rows, bad ones included; 0: all
    int wake_fd; // readable: stop, even in the middle of a wait for input; -1: none. Looked at
                 // whenever bytes are read; rows that have been read are handed out first
};

enum source_status {
    SOURCE_JOB,     // job is filled: a good one, or outcome OUTCOME_BAD_INPUT
    SOURCE_END,     // no more rows
    SOURCE_STOPPED, // wake_fd was readable
    SOURCE_FAILED,  // the input cannot be read further; err says why
};

struct source;

struct source *source_open(const struct source_options *options, struct error *err);

// Tells rows apart with this set of the results' ids (output_share_ids()), which must outlive the
// reading; output_look() has to see each job before the next. Before the first source_next(). NULL:
// with a set of its own, as without this call.
void source_share_ids(struct source *s, struct ids *ids);

enum source_status source_next(struct source *s, struct job *job, struct error *err);

// True when the next source_next() may have to wait for bytes (a pipe that is idle): the time to
// hand on what has been read so far.
bool source_may_wait(const struct source *s);

// For progress, readable from any thread: bytes of the rows handed out, and the input's size (-1
// unknown, for a pipe).
int64_t source_bytes_done(const struct source *s);
int64_t source_bytes_total(const struct source *s);

// What of the row in `job` steers it and what is data, as lines for --dry-run.
void source_describe(const struct source *s, const struct job *job, struct buf *out);

// Whether the rows are records, whose fields are data (jobs/in/row.h).
bool source_has_records(const struct source *s);

void source_close(struct source *s); // NULL is fine

#endif
