// announced.c: any headers as limits that a provider announces: counts and waits, or nothing.
// SPDX-License-Identifier: MIT
#include "pool/limits/announced.h"

#include "jobs/base/clock.h"
#include "pool/catalogue.h"
#include "tests/fuzz/http.h"

#define NOW (INT64_C(1795240800) * USEC_PER_SEC) // 2026-11-21T06:00:00Z

// Whether it says anything.
static bool check_limit(const struct announced_limit *l) {
    HOLDS(l->limit >= -1 && l->remaining >= -1 && l->reset >= -1);
    return l->limit >= 0 || l->remaining >= 0 || l->reset >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_http http;
    fuzz_http_read(&http, fuzz_input(data, size));
    for (const struct provider *p = catalogue; p->name; p++) {
        struct announced a;
        bool said = false;
        memset(&a, 'x', sizeof a);
        bool any = announced_read(p, &http.answer, NOW, &a);
        const struct announced_limit *const limits[] = {
            &a.requests_minute, &a.requests_day,        &a.tokens_minute,
            &a.tokens_day,      &a.input_tokens_minute, &a.output_tokens_minute,
        };
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
            said |= check_limit(limits[i]);
        HOLDS(any == said);
    }
    return 0;
}
