// error.c: fills and reads struct error.
// SPDX-License-Identifier: MIT
#include "jobs/base/error.h"

#include <stdarg.h>
#include <stdio.h>

bool error_set(struct error *err, enum error_class class, const char *format, ...) {
    if (err->class != ERROR_NONE)
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->class = class;
    return false;
}

int error_exit_code(const struct error *err) {
    switch (err->class) {
    case ERROR_NONE: return 0;
    case ERROR_USAGE: return 2;
    case ERROR_OUTPUT: return 4;
    }
    return 2;
}
