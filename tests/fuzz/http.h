// An HTTP answer as the fuzz targets are given it: the files of tests/data/signals, or only what is
// behind their line "---".
// SPDX-License-Identifier: MIT
#ifndef TESTS_FUZZ_HTTP_H
#define TESTS_FUZZ_HTTP_H

#include "pool/signals/signals.h"
#include "tests/fuzz/fuzz.h"

#include <strings.h>

struct fuzz_http {
    struct slice headers;
    struct http_answer answer;
};

static inline struct slice fuzz_header(const void *context, const char *wanted) {
    struct slice text = ((const struct fuzz_http *)context)->headers;
    size_t n = strlen(wanted);
    while (text.n) {
        struct slice line = fuzz_line(&text);
        if (line.n > n && line.p[n] == ':' && strncasecmp(line.p, wanted, n) == 0)
            return slice_trim(slice_of(line.p + n + 1, line.n - n - 1));
    }
    return SLICE_NONE;
}

// "HTTP/1.1 429 …"
static inline int fuzz_status(struct slice line) {
    const char *space = memchr(line.p, ' ', line.n);
    int status = 0;
    for (const char *p = space ? space + 1 : NULL; p && p < line.p + line.n && status < 100; p++)
        status = *p >= '0' && *p <= '9' ? status * 10 + *p - '0' : 500;
    return status;
}

static inline void fuzz_http_read(struct fuzz_http *http, struct slice input) {
    const char *rule = memmem(input.p, input.n, "\n---\n", 5);
    if (rule)
        input = slice_of(rule + 5, input.n - (size_t)(rule + 5 - input.p));
    int status = fuzz_status(fuzz_line(&input));
    const char *start = input.p;
    while (input.n && slice_trim(fuzz_line(&input)).n)
        ;
    http->headers = slice_of(start, (size_t)(input.p - start));
    http->answer = (struct http_answer){
        .status = status, .body = input, .header = fuzz_header, .context = http};
}

#endif
