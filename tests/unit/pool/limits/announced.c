// announced.c: each provider's headers as they were seen, nonsense in them, and how often one is
// looked up.
// SPDX-License-Identifier: MIT
#include "pool/limits/announced.h"

#include "jobs/base/clock.h"
#include "jobs/base/random.h"
#include "pool/catalogue.h"
#include "tests/unit/pool/test.h"

#include <strings.h>

#define NOW (INT64_C(1795240800) * USEC_PER_SEC) // 2026-11-21T06:00:00Z

struct sent {
    const char *name, *value;
};

struct answer_headers {
    const struct sent *sent; // ends with a NULL name
    int lookups;
};

static struct slice find_header(const void *context, const char *name) {
    struct answer_headers *headers = (struct answer_headers *)(uintptr_t)context;
    headers->lookups++;
    for (const struct sent *s = headers->sent; s->name; s++)
        if (strcasecmp(s->name, name) == 0)
            return slice_str(s->value);
    return SLICE_NONE;
}

struct seen {
    struct announced announced;
    bool found;
    int lookups;
};

static struct seen read_sent_at(const char *provider, const struct sent *sent, int64_t now) {
    struct seen seen;
    struct answer_headers headers = {sent, 0};
    struct http_answer answer = {.status = 200, .header = find_header, .context = &headers};
    const struct provider *p = catalogue_find(slice_str(provider));
    assert_non_null(p);
    memset(&seen, 0x55, sizeof seen);
    seen.found = announced_read(p, &answer, now, &seen.announced);
    seen.lookups = headers.lookups;
    return seen;
}

static struct seen read_sent(const char *provider, const struct sent *sent) {
    return read_sent_at(provider, sent, NOW);
}

static void assert_limit(const struct announced_limit *l, int64_t limit, int64_t remaining,
                         int64_t reset) {
    assert_int_equal(l->limit, limit);
    assert_int_equal(l->remaining, remaining);
    assert_int_equal(l->reset, reset);
}

static void assert_unsaid(const struct announced_limit *l) {
    assert_limit(l, -1, -1, -1);
}

// OpenAI's rate limit guide; with the second pair of 2026 beside them.
static void reads_openai(void **state) {
    (void)state;
    const struct sent sent[] = {{"x-ratelimit-limit-requests", "60"},
                                {"x-ratelimit-limit-tokens", "150000"},
                                {"x-ratelimit-remaining-requests", "59"},
                                {"x-ratelimit-remaining-tokens", "149984"},
                                {"x-ratelimit-reset-requests", "12ms"},
                                {"x-ratelimit-reset-tokens", "6m0s"},
                                {"x-ratelimit-limit-tokens_usage_based", "7"},
                                {"x-ratelimit-remaining-tokens_usage_based", "0"},
                                {0}};
    static const char *const speakers[] = {"openai", "simulate", "bigmodel", "zai", "nvidia"};
    for (size_t i = 0; i < sizeof speakers / sizeof *speakers; i++) {
        struct seen s = read_sent(speakers[i], sent);
        assert_true(s.found);
        assert_limit(&s.announced.requests_minute, 60, 59, 12000);
        assert_limit(&s.announced.tokens_minute, 150000, 149984, INT64_C(360000000));
        assert_unsaid(&s.announced.requests_day);
        assert_unsaid(&s.announced.tokens_day);
        assert_unsaid(&s.announced.input_tokens_minute);
        assert_unsaid(&s.announced.output_tokens_minute);
        assert_int_equal(s.lookups, 6);
    }
}

// console.groq.com/docs/rate-limits
static void groq_counts_requests_by_the_day(void **state) {
    (void)state;
    const struct sent sent[] = {{"x-ratelimit-limit-requests", "14400"},
                                {"x-ratelimit-limit-tokens", "18000"},
                                {"x-ratelimit-remaining-requests", "14370"},
                                {"x-ratelimit-remaining-tokens", "17997"},
                                {"x-ratelimit-reset-requests", "2m59.56s"},
                                {"x-ratelimit-reset-tokens", "7.66s"},
                                {0}};
    struct seen s = read_sent("groq", sent);
    assert_true(s.found);
    assert_limit(&s.announced.requests_day, 14400, 14370, 179560000);
    assert_limit(&s.announced.tokens_minute, 18000, 17997, 7660000);
    assert_unsaid(&s.announced.requests_minute);
    assert_unsaid(&s.announced.tokens_day);
}

// mistralai/client-ts #169
static void reads_mistral(void **state) {
    (void)state;
    const struct sent sent[] = {{"x-ratelimit-limit-tokens-minute", "5000000"},
                                {"x-ratelimit-remaining-tokens-minute", "4999911"},
                                {"x-ratelimit-tokens-query-cost", "52"},
                                {"x-ratelimit-limit-req-minute", "720"},
                                {"x-ratelimit-remaining-req-minute", "717"},
                                {0}};
    struct seen s = read_sent("mistral", sent);
    assert_true(s.found);
    assert_limit(&s.announced.requests_minute, 720, 717, -1);
    assert_limit(&s.announced.tokens_minute, 5000000, 4999911, -1);
    assert_false(read_sent("openai", sent).found);
}

// docs.claude.com/en/api/rate-limits
static void reads_anthropic(void **state) {
    (void)state;
    const struct sent sent[] = {{"anthropic-ratelimit-requests-limit", "50"},
                                {"anthropic-ratelimit-requests-remaining", "49"},
                                {"anthropic-ratelimit-requests-reset", "2026-11-21T06:00:01Z"},
                                {"anthropic-ratelimit-tokens-limit", "60000"},
                                {"anthropic-ratelimit-tokens-remaining", "59000"},
                                {"anthropic-ratelimit-tokens-reset", "2026-11-21T06:00:02.5Z"},
                                {"anthropic-ratelimit-input-tokens-limit", "50000"},
                                {"anthropic-ratelimit-input-tokens-remaining", "0"},
                                {"anthropic-ratelimit-input-tokens-reset", "2026-11-21T06:00:30Z"},
                                {"anthropic-ratelimit-output-tokens-limit", "10000"},
                                {"anthropic-ratelimit-output-tokens-remaining", "10000"},
                                {"anthropic-ratelimit-output-tokens-reset", "2026-11-21T05:59:59Z"},
                                {"anthropic-priority-input-tokens-remaining", "1"},
                                {"anthropic-ratelimit-unified-5h-status", "allowed"},
                                {0}};
    struct seen s = read_sent("anthropic", sent);
    assert_true(s.found);
    assert_limit(&s.announced.requests_minute, 50, 49, 1000000);
    assert_limit(&s.announced.tokens_minute, 60000, 59000, 2500000);
    assert_limit(&s.announced.input_tokens_minute, 50000, 0, 30000000);
    assert_limit(&s.announced.output_tokens_minute, 10000, 10000, 0);
    assert_unsaid(&s.announced.requests_day);
    // the time until a date of whole seconds is none that is finer
    s = read_sent_at("anthropic", sent, NOW - 300 * USEC_PER_MS);
    assert_limit(&s.announced.input_tokens_minute, 50000, 0, 30000000);
}

// Every good answer is looked at: where nothing is told, that must cost next to nothing.
static void silence_is_cheap(void **state) {
    (void)state;
    const struct sent sent[] = {{"content-type", "application/json"}, {0}};
    for (const struct provider *p = catalogue; p->name; p++) {
        struct seen s = read_sent(p->name, sent);
        assert_false(s.found);
        assert_unsaid(&s.announced.requests_minute);
        assert_unsaid(&s.announced.output_tokens_minute);
        assert_true(s.lookups <= (strcmp(p->name, "anthropic") == 0 ? 4 : 2));
    }
    assert_int_equal(read_sent("google", sent).lookups, 0);
    struct announced announced;
    struct http_answer bare = {.status = 200};
    assert_false(announced_read(&catalogue[0], &bare, NOW, &announced));
    assert_unsaid(&announced.tokens_minute);
}

static const struct {
    const char *remaining, *limit, *reset;
    bool found;
    struct announced_limit expected;
} odd[] = {
    // openai-dotnet #838: limits that are none
    {"-1", "-1", "-1", false, {-1, -1, -1}},
    {"0", "0", "0", false, {-1, -1, -1}},
    {"0", "-1", "30", false, {-1, -1, -1}},
    {"99", "-1", "30", false, {-1, -1, -1}},
    // Azure: plain seconds; no limit beside what remains
    {"59", "60", "30", true, {60, 59, 30000000}},
    {"0", NULL, "86400", true, {-1, 0, INT64_C(86400000000)}},
    {"59", NULL, NULL, true, {-1, 59, -1}},
    {"59", "60", "soon", true, {60, 59, -1}},
    {"59", "60", "-1", true, {60, 59, -1}},
    {"59", "60", "1795240802", true, {60, 59, 2000000}},
    {"61", "60", "1s", true, {60, 60, 1000000}},
    {" 7 ", "60 ", "1s", true, {60, 7, 1000000}},
    {"7.5", "60", "1s", false, {-1, -1, -1}},
    {"many", "60", "1s", false, {-1, -1, -1}},
    {"", "60", "1s", false, {-1, -1, -1}},
    {"0x10", "60", "1s", false, {-1, -1, -1}},
    {"999999999999999", "999999999999999", NULL, true, {999999999999999, 999999999999999, -1}},
    {"9999999999999999", "60", NULL, false, {-1, -1, -1}},
    {"7", "9999999999999999999999", NULL, false, {-1, -1, -1}},
    {NULL, "60", "1s", false, {-1, -1, -1}},
};

static void takes_nonsense_for_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct sent sent[4] = {{0}};
        const struct sent all[] = {{"x-ratelimit-remaining-tokens", odd[i].remaining},
                                   {"x-ratelimit-limit-tokens", odd[i].limit},
                                   {"x-ratelimit-reset-tokens", odd[i].reset}};
        for (size_t k = 0, n = 0; k < 3; k++)
            if (all[k].value)
                sent[n++] = all[k];
        struct seen s = read_sent("openai", sent);
        if (s.found != odd[i].found ||
            memcmp(&s.announced.tokens_minute, &odd[i].expected, sizeof odd[i].expected) != 0)
            fail_msg("row %zu: %d, limit %lld, remaining %lld, reset %lld", i, s.found,
                     (long long)s.announced.tokens_minute.limit,
                     (long long)s.announced.tokens_minute.remaining,
                     (long long)s.announced.tokens_minute.reset);
        assert_unsaid(&s.announced.requests_minute);
    }
}

static char any_text[16];

static struct slice any_header(const void *context, const char *name) {
    (void)name;
    struct random *r = (struct random *)(uintptr_t)context;
    static const char letters[] = "0123456789.:-+smhTZ ";
    size_t n = (size_t)random_below(r, sizeof any_text);
    for (size_t i = 0; i < n; i++)
        any_text[i] = letters[random_below(r, sizeof letters - 1)];
    return slice_of(any_text, n);
}

static void takes_any_value(void **state) {
    (void)state;
    struct random r = {23};
    struct http_answer answer = {.status = 200, .header = any_header, .context = &r};
    for (int i = 0; i < 100000; i++) {
        struct announced announced;
        bool found = announced_read(&catalogue[i % CATALOGUE_COUNT], &answer, NOW, &announced);
        const struct announced_limit *limits = &announced.requests_minute;
        bool any = false;
        for (size_t k = 0; k < sizeof announced / sizeof *limits; k++) {
            assert_true(limits[k].limit == -1 || limits[k].limit > 0);
            assert_true(limits[k].remaining >= -1 && limits[k].reset >= -1);
            assert_true(limits[k].limit == -1 || limits[k].remaining <= limits[k].limit);
            any |= limits[k].remaining >= 0;
        }
        assert_int_equal(any, found);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_openai),     cmocka_unit_test(groq_counts_requests_by_the_day),
        cmocka_unit_test(reads_mistral),    cmocka_unit_test(reads_anthropic),
        cmocka_unit_test(silence_is_cheap), cmocka_unit_test(takes_nonsense_for_nothing),
        cmocka_unit_test(takes_any_value),
    };
    RUN_TESTS(tests);
}
