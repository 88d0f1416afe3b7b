// What the user asked of `batch-run INPUT`: filled once from options, constant afterwards.
//
// There is one of it, passed down as `const struct config *`; no other place holds settings.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_CONFIG_H
#define RUNNER_CONFIG_H

#include "runner/command.h"

#include <stdbool.h>
#include <stdint.h>

enum affinity_by { AFFINITY_BY_NOTHING, AFFINITY_BY_PREFIX };

// Whether requests carry an idempotency key: where the provider takes one, or whoever it is.
enum idempotency_keys { IDEMPOTENCY_AUTO, IDEMPOTENCY_ALWAYS, IDEMPOTENCY_NEVER };

enum dry_run_form { DRY_RUN_NO, DRY_RUN_TEXT, DRY_RUN_JSON };

enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_OFF };

struct config {
    // Input
    int input_format;     // enum input_format, in its order
    const char *encoding; // of the input, as iconv names it; NULL: UTF-8
    int delimiter;        // of csv: auto , ; | tab
    const char *prompt_field;
    const char *id_field;
    const char *fields;      // --fields of records that steer; NULL: none
    const char *param;       // --param, one a line; NULL: none
    const char *temperature; // as written, or NULL
    int64_t max_tokens;      // of rows that say none; 0: none
    const char *system;      // --system TEXT|@FILE
    const char *template;    // --template TEXT|@FILE
    int64_t max_line_bytes;
    bool allow_duplicate_ids;
    bool strict;
    int64_t limit;

    // Keys and providers
    const char *provider;   // as written; NULL: the only one with keys
    int64_t fallback_after; // microseconds
    const char *base_url;
    const char *model;
    const char *keys;
    const char *tag; // as written; NULL: all keys
    const char *env_file;
    bool no_memory;       // what earlier runs knew of the keys is left alone
    const char *simulate; // options for the simulator of --provider simulate

    // The run
    int64_t slots_per_key;      // 0: auto
    int64_t slots;              // 0: no cap
    int64_t threads;            // that carry requests; 0: auto
    int strategy;               // enum strategy; -1: the pool file's, else round-robin
    int64_t rpm, tpm, rpd, tpd; // of each key; 0: none
    int affinity;               // enum affinity_by
    const char *cooldown;       // "auto" or a duration
    int64_t max_retries;
    int64_t outage_patience;        // microseconds; 0: 10 minutes, or 30 s for what never answered
    int64_t timeout;                // microseconds, one attempt
    int64_t connect_timeout;        // microseconds
    int64_t deadline;               // microseconds, one job; 0: none
    int64_t max_requests;           // of the run; 0: none
    int64_t max_tokens_total;       // of the run; 0: none
    const char *stop_on_error_rate; // as written; NULL: never
    double hedge;                   // 0 to 1, of the rows; 0: nothing is sent twice
    bool stream;                    // answers are asked for as server-sent events
    int64_t stall_timeout;          // microseconds between two pieces of such an answer
    int idempotency_keys;           // enum idempotency_keys
    const char *cacert;
    int http; // enum http_version
    int64_t max_reply_bytes;
    int dry_run; // enum dry_run_form

    // Output
    const char *output; // NULL: from the input's name
    int format;         // enum output_format
    bool include_response;
    bool no_input;
    bool ordered;
    bool overwrite;
    int changed; // enum output_changed
    bool no_retry_failed;
    int sync; // enum output_sync
    const char *summary;

    // Screen
    int progress; // enum progress_mode
    bool quiet;
    int log_level; // enum log_level
};

// The options that fill it: the table of `run`.
extern const struct option run_options[];

#endif
