// The input: bytes → rows → jobs, one at a time, never the whole of it in memory.
//
// The caller (the reader thread, the only one to use a source):
//   1. source_open() once;
//   2. source_next(s, job) with an idle, cleared job until SOURCE_END, SOURCE_STOPPED or
//      SOURCE_FAILED;
//   3. source_close().
// A row that is no good is a job too: its result is OUTCOME_BAD_INPUT with a message that says what
// is wrong, and its line number. Blank lines are no rows. Memory is bounded by max_line_bytes.
// Rows, shapes and fields: contract section 2; the manual's section INPUT says the same.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_SOURCE_H
#define JOBS_IN_SOURCE_H

#include "jobs/base/error.h"
#include "jobs/job.h"

enum input_format { INPUT_AUTO, INPUT_JSONL, INPUT_CSV, INPUT_TSV, INPUT_TXT };

struct source_options {
    const char *path;         // "-" is standard input
    enum input_format format; // INPUT_AUTO: from the name (.jsonl .ndjson .csv .tsv .txt); stdin: jsonl
    const char *prompt_field; // NULL: "prompt"
    const char *id_field;     // NULL: id, custom_id, key (Gemini lines)
    const char *system;       // text for rows without their own, or NULL
    const char *template;     // text with {{field}}, or NULL
    size_t max_line_bytes;    // 0: 64 MiB
    bool allow_duplicate_ids; // number them id, id#2, …
    int64_t limit;            // stop after so many rows; 0: all
    int wake_fd;              // readable: stop, even in the middle of a wait for input; -1: none
};

enum source_status {
    SOURCE_JOB,     // job is filled: a good one, or outcome OUTCOME_BAD_INPUT
    SOURCE_END,     // no more rows
    SOURCE_STOPPED, // wake_fd was readable
    SOURCE_FAILED,  // the input cannot be read further; err says why
};

struct source;

struct source *source_open(const struct source_options *options, struct error *err);
enum source_status source_next(struct source *s, struct job *job, struct error *err);

// True when the next source_next() may have to wait for bytes (a pipe that is idle): the time to
// hand on what has been read so far.
bool source_may_wait(const struct source *s);

// For progress, readable from any thread: bytes of the rows handed out, and the input's size (-1
// unknown, for a pipe).
int64_t source_bytes_done(const struct source *s);
int64_t source_bytes_total(const struct source *s);

// Whether the input is a regular file, which can be read twice.
bool source_is_rereadable(const struct source *s);

void source_close(struct source *s); // NULL is fine

#endif
