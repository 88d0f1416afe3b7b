// json_mend.c: text that would be JSON but for numbers that JSON does not have. Pure; any thread.
// SPDX-License-Identifier: MIT
#include "jobs/base/json_parts.h"

// How long a number that is none begins here, 0 when there is none.
static size_t odd_number(const char *p, const char *end) {
    static const char *const words[] = {"NaN", "nan", "Infinity", "infinity", "Inf", "inf"};
    size_t sign = p < end && (*p == '-' || *p == '+');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(end - p) >= sign + n && memcmp(p + sign, words[i], n) == 0)
            return sign + n;
    }
    return 0;
}

static const char *behind_string(const char *p, const char *end) {
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\' && p + 1 < end;
    return p < end ? p + 1 : end;
}

bool json_mend_numbers(struct slice text, struct buf *out) {
    const char *p = text.p ? text.p : "", *end = p + text.n, *kept = p;
    bool any = false;
    buf_clear(out);
    while (p < end) {
        size_t n = strchr("+-NnIi", *p) && *p ? odd_number(p, end) : 0;
        if (n) {
            buf_add(out, kept, (size_t)(p - kept));
            buf_add(out, "null", 4);
            any = true;
            kept = p += n;
        } else {
            p = *p == '"' ? behind_string(p, end) : p + 1;
        }
    }
    buf_add(out, kept, (size_t)(end - kept));
    return any && !out->failed && json_check(buf_slice(out), NULL);
}
