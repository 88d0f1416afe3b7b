// dialect.c: the error bodies and durations of the provider that is simulated. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"
#include "jobs/base/utf8.h"
#include "runner/simulate/bucket.h"

#include <inttypes.h>

#define TEXT_MAX 1000

void dialect_add_error(struct buf *out, const struct dialect_error *e) {
    buf_add_str(out, "{\"error\":{\"message\":");
    json_add_string(out, e->message);
    buf_add_str(out, ",\"type\":");
    json_add_string(out, slice_str(e->type));
    buf_add_str(out, ",\"param\":null,\"code\":");
    if (e->code)
        json_add_string(out, slice_str(e->code));
    else
        buf_add_str(out, "null");
    buf_add_str(out, "}}");
}

// 1200 ms as "1.2".
static void add_seconds(struct buf *out, int64_t ms) {
    buf_add_int(out, ms / 1000);
    int fraction = (int)(ms % 1000);
    if (!fraction)
        return;
    buf_add_char(out, '.');
    for (int digit = 100; fraction; fraction %= digit, digit /= 10)
        buf_add_char(out, (char)('0' + fraction / digit));
}

void dialect_add_duration(struct buf *out, int64_t usec) {
    int64_t ms = usec / 1000 + (usec % 1000 != 0), minutes = ms / 60000;
    if (ms && ms < 1000) {
        buf_add_int(out, ms);
        buf_add_str(out, "ms");
        return;
    }
    if (minutes >= 60) {
        buf_add_int(out, minutes / 60);
        buf_add_char(out, 'h');
    }
    if (minutes) {
        buf_add_int(out, minutes % 60);
        buf_add_char(out, 'm');
    }
    add_seconds(out, ms % 60000);
    buf_add_char(out, 's');
}

static const struct limit_words {
    const char *type, *unit;
} limit_words[] = {
    [LIMIT_NONE] = {"requests", "requests per min (RPM)"},
    [LIMIT_REQUESTS] = {"requests", "requests per min (RPM)"},
    [LIMIT_TOKENS] = {"tokens", "tokens per min (TPM)"},
    [LIMIT_CONCURRENCY] = {"requests", "concurrent requests"},
};

void dialect_add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    const struct limit_words *words = &limit_words[r->kind];
    struct buf text = BUF_INIT(TEXT_MAX), name = BUF_INIT(model.n + 1);
    bool too_large = r->wait == BUCKET_NEVER;
    json_string_decode(model, &name);
    buf_add_str(&text, too_large ? "Request too large for " : "Rate limit reached for ");
    buf_add_slice(&text, utf8_cut(buf_slice(&name), 100));
    buf_addf(&text, " in organization org-simulate on %s: Limit %" PRId64, words->unit, r->limit);
    if (!too_large)
        buf_addf(&text, ", Used %" PRId64, r->used);
    buf_addf(&text, ", Requested %" PRId64 ".", r->requested);
    if (!too_large && r->wait >= 0) {
        buf_add_str(&text, " Please try again in ");
        dialect_add_duration(&text, r->wait);
        buf_add_char(&text, '.');
    }
    dialect_add_error(
        out, &(struct dialect_error){buf_slice(&text), words->type, "rate_limit_exceeded"});
    buf_free(&text);
    buf_free(&name);
}

#define MASK_HEAD 8
#define MASK_TAIL 4

// The ends of a key with stars between them; a short one is all stars.
static void add_masked(struct buf *out, struct slice key) {
    bool shown = key.n >= 2 * (MASK_HEAD + MASK_TAIL);
    size_t stars = shown ? key.n - MASK_HEAD - MASK_TAIL : key.n;
    if (shown)
        buf_add(out, key.p, MASK_HEAD);
    for (size_t i = 0; i < stars && i < 100; i++)
        buf_add_char(out, '*');
    if (shown)
        buf_add(out, key.p + key.n - MASK_TAIL, MASK_TAIL);
}

void dialect_add_key_error(struct buf *out, struct slice key) {
    struct buf text = BUF_INIT(TEXT_MAX), clean = BUF_INIT(TEXT_MAX);
    if (!key.n) {
        buf_add_str(&text, "You didn't provide an API key. Send one in an Authorization header "
                           "(Authorization: Bearer YOUR_KEY).");
    } else {
        buf_add_str(&text, "Incorrect API key provided: ");
        add_masked(&text, key);
        buf_add_str(&text, ". The keys of this simulator are those `batch-run simulate "
                           "--write-keys FILE` writes.");
    }
    utf8_add_repaired(&clean, buf_slice(&text));
    dialect_add_error(out, &(struct dialect_error){buf_slice(&clean), "invalid_request_error",
                                                   key.n ? "invalid_api_key" : NULL});
    buf_free(&text);
    buf_free(&clean);
}
