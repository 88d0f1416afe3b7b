// A failure that is returned: what went wrong, in words for a user, and which exit code it means.
//
// The three classes of failure in this program: an outcome (a job's failure is data, outcome.h), an
// error (this; bad configuration, a file that cannot be opened), and a bug (die.h). A function that
// can fail takes `struct error *err` last, fills it once, and returns false (or NULL).
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_ERROR_H
#define JOBS_BASE_ERROR_H

#include <stdbool.h>

enum error_class {
    ERROR_NONE,
    ERROR_USAGE,  // usage, configuration or input: exit 2
    ERROR_OUTPUT, // output could not be written: exit 4
};

struct error {
    enum error_class class;
    char text[600];
};

// Fills err with a message that names the file, line or option and what to do. Returns false, so
// that a caller can `return error_set(…)`. An err that is already filled keeps its first message.
__attribute__((format(printf, 3, 4))) bool error_set(struct error *err, enum error_class class,
                                                     const char *format, ...);

// The exit code of contract section 7 for this class.
int error_exit_code(const struct error *err);

#endif
