// Why attempts and rows failed: for each class how many, in the provider's words, with an example.
//
// One entry per class of error (jobs/outcome.h), so memory is bounded whatever comes. Texts are copied:
// they are as the results have them, secrets masked. Each thread that notes has a struct of its own;
// they are added up once the threads have ended.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_REASONS_H
#define RUNNER_REASONS_H

#include "jobs/job.h"

#define REASON_ID_MAX 120

struct reason {
    int64_t rows;                  // that failed for good with this class
    int64_t attempts;              // failed attempts, those of rows that succeeded later among them
    char message[JOB_MESSAGE_MAX]; // of the first row that failed so; before that, of an attempt
    char example_id[REASON_ID_MAX]; // that row's id, cut at a code point
    const char *key;                // name of the key it was asked with, the pool's; or NULL
};

struct reasons {
    struct reason of[OUTCOME_COUNT]; // by enum outcome; OUTCOME_OK and OUTCOME_NONE stay empty
};

// An attempt of the job ended like this.
void reasons_add_attempt(struct reasons *r, const struct job *job, enum outcome outcome,
                         const char *message);

// The job has failed for good, as its result says.
void reasons_add_row(struct reasons *r, const struct job *job);

void reasons_merge(struct reasons *into, const struct reasons *from);

#endif
