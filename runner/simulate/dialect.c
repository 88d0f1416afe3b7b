// dialect.c: what the dialects have in common: sentences, durations, headers. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/json.h"
#include "jobs/base/utf8.h"
#include "runner/simulate/bucket.h"

#define TEXT_MAX 1000

const char *const dialect_choices[] = {"path", "openai",  "anthropic", "google",
                                       "groq", "mistral", "nvidia",    "bigmodel",
                                       "zai",  "k2think", NULL};

const struct dialect *dialect_chosen(int choice) {
    static const struct dialect *const dialects[] = {
        NULL,          &dialect_openai,  &dialect_anthropic, &dialect_google,
        &dialect_groq, &dialect_mistral, &dialect_nvidia,    &dialect_bigmodel,
        &dialect_zai,  &dialect_k2think,
    };
    BUG_IF(choice < 0 || choice >= (int)(sizeof dialects / sizeof *dialects));
    return dialects[choice];
}

// -- sentences --

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

void dialect_add_model(struct buf *out, struct slice model) {
    struct buf name = BUF_INIT(model.n + 1);
    json_string_decode(model, &name);
    buf_add_slice(out, utf8_cut(buf_slice(&name), 100));
    buf_free(&name);
}

// Appends what stands for the placeholder at p; returns the length of that, 0 when it is none.
static size_t add_placeholder(struct buf *out, struct slice p, const struct problem_about *about) {
    if (slice_starts(p, "{model}")) {
        dialect_add_model(out, about->model);
        return strlen("{model}");
    }
    if (slice_starts(p, "{key}")) {
        add_masked(out, about->key);
        return strlen("{key}");
    }
    if (slice_starts(p, "{secret}")) {
        buf_add_slice(out, about->key);
        return strlen("{secret}");
    }
    return 0;
}

static void add_sentence(struct buf *out, const char *text, const struct problem_about *about) {
    struct slice rest = slice_str(text);
    while (rest.n) {
        size_t n = add_placeholder(out, rest, about);
        if (!n) {
            buf_add_char(out, *rest.p);
            n = 1;
        }
        rest = slice_of(rest.p + n, rest.n - n);
    }
}

int dialect_add_error(struct buf *out, const struct dialect *d, enum problem problem,
                      const struct problem_about *about) {
    const struct dialect_words *words = &d->words[problem];
    struct buf text = BUF_INIT(TEXT_MAX), clean = BUF_INIT(3 * TEXT_MAX);
    if (about->message.n)
        buf_add_slice(&text, utf8_cut(about->message, TEXT_MAX));
    else
        add_sentence(&text, words->message ? words->message : "", about);
    utf8_add_repaired(&clean, buf_slice(&text)); // keys are any bytes
    d->add_body(out, words, buf_slice(&clean));
    buf_free(&text);
    buf_free(&clean);
    return words->status;
}

void dialect_add_member(struct buf *out, const char *name, const char *text) {
    json_add_name(out, name);
    if (text)
        json_add_string(out, slice_str(text));
    else
        buf_add_str(out, "null");
}

// -- waits --

int64_t dialect_told_wait(const struct dialect *d, const struct refusal *r) {
    if (r->wait == BUCKET_NEVER)
        return BUCKET_NEVER;
    if (r->silent || !d->tells_wait)
        return -1;
    if (r->kind == LIMIT_DAY && d->day_wait_max && r->wait > d->day_wait_max)
        return d->day_wait_max;
    return r->wait;
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

void dialect_add_try_again(struct buf *out, const struct refusal *r) {
    if (r->wait < 0 || r->wait == BUCKET_NEVER)
        return;
    buf_add_str(out, " Please try again in ");
    dialect_add_duration(out, r->wait);
    buf_add_char(out, '.');
}

// -- headers --

// The value of the next header, to be filled; what is beyond the list's room is left out.
static void add_header(struct header_list *list, const char *name, struct slice value) {
    if (!name || list->count == HEADERS_MAX)
        return;
    struct header *h = &list->header[list->count++];
    size_t n = value.n < sizeof h->value ? value.n : sizeof h->value - 1;
    h->name = name;
    memcpy(h->value, value.p, n);
    h->value[n] = '\0';
}

static void add_number(struct header_list *list, const char *name, int64_t value) {
    char memory[32];
    struct buf text = {.p = memory, .cap = sizeof memory, .max = sizeof memory};
    buf_add_int(&text, value);
    add_header(list, name, buf_slice(&text));
}

// In whole seconds, never too early: 2026-11-21T06:00:01Z.
static void add_date(struct buf *out, int64_t wall) {
    int64_t second = (wall + USEC_PER_SEC - 1) / USEC_PER_SEC;
    clock_add_rfc3339(out, second * USEC_PER_SEC);
    out->n -= strlen(".000Z");
    buf_add_char(out, 'Z');
}

static void add_reset(const struct dialect *d, const char *name, int64_t reset, int64_t now_wall,
                      struct header_list *list) {
    char memory[64];
    struct buf text = {.p = memory, .cap = sizeof memory, .max = sizeof memory};
    if (d->reset_is_date)
        add_date(&text, now_wall + reset);
    else
        dialect_add_duration(&text, reset);
    add_header(list, name, buf_slice(&text));
}

void dialect_add_limits(const struct dialect *d, const struct announcement *a,
                        struct header_list *list) {
    for (const struct limit_headers *h = d->headers; h && h->kind != LIMIT_NONE; h++) {
        const struct allowance *allowance = &a->allowances[h->kind];
        if (!allowance->limit)
            continue;
        add_number(list, h->limit, allowance->limit);
        add_number(list, h->remaining, allowance->remaining);
        if (h->reset)
            add_reset(d, h->reset, allowance->reset, a->now_wall, list);
        if (h->kind == LIMIT_TOKENS)
            add_number(list, d->cost_header, a->tokens);
    }
}

void dialect_add_wait(const struct dialect *d, int64_t wait, struct header_list *list) {
    if (wait < 0 || wait == BUCKET_NEVER)
        return;
    if (d->says_seconds)
        add_number(list, "retry-after", (wait + USEC_PER_SEC - 1) / USEC_PER_SEC);
    if (d->says_milliseconds)
        add_number(list, "retry-after-ms", (wait + USEC_PER_MS - 1) / USEC_PER_MS);
}
