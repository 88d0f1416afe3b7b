// waits.c: any text as a wait that a provider asks for, in a header or in a message: never negative,
// and never longer the later it is looked at.
// SPDX-License-Identifier: MIT
#include "pool/limits/retry_after.h"

#include "jobs/base/clock.h"
#include "tests/fuzz/fuzz.h"

#define NOW (INT64_C(1795240800) * USEC_PER_SEC) // 2026-11-21T06:00:00Z

static void check_header(struct slice text) {
    int64_t usec, trimmed, later;
    bool good = retry_after_parse(text, NOW, &usec);
    HOLDS(retry_after_parse(slice_trim(text), NOW, &trimmed) == good);
    HOLDS(retry_after_parse(text, NOW + 3600 * USEC_PER_SEC, &later) == good);
    HOLDS(!good || (usec >= 0 && usec == trimmed && later >= 0 && later <= usec));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct slice text = fuzz_input(data, size);
    int64_t usec;
    HOLDS(!retry_after_in_text(text, NOW, &usec) || usec >= 0);
    check_header(text);
    return 0;
}
