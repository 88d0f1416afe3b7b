// refusals.c: any HTTP answer as a refusal of every provider: a verdict that hangs together, in words
// that can be shown.
// SPDX-License-Identifier: MIT
#include "pool/signals/signals.h"

#include "jobs/base/clock.h"
#include "pool/catalogue.h"
#include "tests/fuzz/http.h"
#include "tests/fuzz/mutate.h"

#define NOW (INT64_C(1795240800) * USEC_PER_SEC) // 2026-11-21T06:00:00Z

static void check_text(const char *text, size_t size) {
    HOLDS(strlen(text) < size && utf8_is_valid(slice_str(text)));
    for (; *text; text++)
        HOLDS((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_verdict(const struct verdict *v) {
    HOLDS(v->outcome > OUTCOME_BAD_INPUT && v->outcome < OUTCOME_COUNT);
    HOLDS(v->cause > BECAUSE_NOTHING && v->cause < CAUSE_COUNT);
    HOLDS((v->cause == BECAUSE_REQUEST) == (v->scope == SCOPE_REQUEST));
    HOLDS((v->cause == BECAUSE_UPSTREAM) == (v->scope == SCOPE_PROVIDER));
    HOLDS(v->cause != BECAUSE_MODEL || v->scope == SCOPE_MODEL);
    HOLDS(v->cause != BECAUSE_DAY || v->hint >= 0);
    HOLDS(v->cause != BECAUSE_REQUEST || v->final);
    HOLDS(v->hint >= -1);
    HOLDS(v->message[0]);
    check_text(v->message, sizeof v->message);
    check_text(v->code, sizeof v->code);
}

static bool is_same(const struct verdict *a, const struct verdict *b) {
    return a->outcome == b->outcome && a->scope == b->scope && a->cause == b->cause &&
           a->hint == b->hint && a->final == b->final && strcmp(a->code, b->code) == 0 &&
           strcmp(a->message, b->message) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_http http;
    struct verdict first = {0}, again;
    fuzz_http_read(&http, fuzz_input(data, size));
    for (const struct provider *p = catalogue; p->name; p++) {
        struct verdict v;
        memset(&v, 'x', sizeof v);
        signals_read(p, &http.answer, NOW, &v);
        check_verdict(&v);
        if (p == catalogue)
            first = v;
    }
    signals_read(catalogue, &http.answer, NOW, &again);
    HOLDS(is_same(&first, &again));
    if (json_check(http.answer.body, NULL))
        signals_is_error_body(http.answer.body);
    return 0;
}
