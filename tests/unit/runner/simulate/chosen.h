// A dialect by its name, for tests.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_RUNNER_SIMULATE_CHOSEN_H
#define TESTS_UNIT_RUNNER_SIMULATE_CHOSEN_H

#include "runner/simulate/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static inline const struct dialect *chosen(const char *name) {
    for (int i = 0; dialect_choices[i]; i++)
        if (strcmp(dialect_choices[i], name) == 0)
            return dialect_chosen(i);
    fail_msg("no dialect %s", name);
    return NULL;
}

#endif
