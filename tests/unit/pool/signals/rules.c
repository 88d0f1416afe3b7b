// rules.c: every line of tests/data/refusals.txt against what is concluded from it, and every row of
// every table against the lines: a row that none of them reaches is a row that nobody has seen work.
//
// A line: providers, status, outcome, cause, scope, flags, hint, body, and headers if it needs some; a tab
// between. Flags: f final, g guessed from the status, s about the request's size, w a wrong address, -
// none. Lines that begin with # say where what follows was seen.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

#include "jobs/base/clock.h"
#include "pool/catalogue.h"
#include "pool/limits/retry_after.h"
#include "tests/unit/pool/test.h"

#include <strings.h>

#define CASES "tests/data/refusals.txt"
#define NOW   (INT64_C(1795240800) * USEC_PER_SEC) // 2026-11-21T06:00:00Z
#define HITS  1024

enum field { PROVIDERS, STATUS, OUTCOME, CAUSE, SCOPE, FLAGS, HINT, BODY, HEADERS, FIELDS };

struct refusal_case {
    char text[8192];
    char *fields[FIELDS];
    int line;
};

static const struct rule *hits[HITS];
static size_t hit_count;

static const char *const scopes[] = {"request", "key", "model", "group", "provider"};

static void note_hit(const struct rule *row) {
    for (size_t i = 0; i < hit_count; i++)
        if (hits[i] == row)
            return;
    assert_true(hit_count < HITS);
    if (row)
        hits[hit_count++] = row;
}

// "Name: value", a | between two.
static struct slice find_header(const void *context, const char *wanted) {
    struct slice rest = slice_str(context), line;
    size_t n = strlen(wanted);
    while (slice_next(&rest, '|', &line)) {
        line = slice_trim(line);
        if (line.n > n && line.p[n] == ':' && strncasecmp(line.p, wanted, n) == 0)
            return slice_trim(slice_of(line.p + n + 1, line.n - n - 1));
    }
    return SLICE_NONE;
}

static bool split_case(struct refusal_case *c) {
    char *p = c->text;
    for (int i = 0; i < FIELDS; i++) {
        c->fields[i] = p;
        if (!p)
            continue;
        p[strcspn(p, "\n")] = '\0';
        if ((p = strchr(p, '\t')))
            *p++ = '\0';
    }
    if (!c->fields[HEADERS])
        c->fields[HEADERS] = c->text + strlen(c->text);
    return c->fields[BODY] != NULL;
}

static void flags_of(const struct verdict *v, char *out) {
    snprintf(out, 8, "%s%s%s%s", v->final ? "f" : "", v->by_status ? "g" : "",
             v->about_size ? "s" : "", v->wrong_address ? "w" : "");
    if (!*out)
        snprintf(out, 8, "-");
}

static int check_as(const struct refusal_case *c, const struct provider *provider) {
    char got[256], wanted[256], flags[8];
    struct verdict v;
    struct refusal r;
    int64_t hint = -1;
    struct http_answer answer = {.status = (int)strtol(c->fields[STATUS], NULL, 10),
                                 .body = slice_str(c->fields[BODY]),
                                 .header = find_header,
                                 .context = c->fields[HEADERS]};
    signals_read(provider, &answer, NOW, &v);
    refusal_read(provider, &answer, NOW, &r);
    note_hit(rules_row(&r));
    flags_of(&v, flags);
    if (strcmp(c->fields[HINT], "none") != 0)
        assert_true(retry_after_parse(slice_str(c->fields[HINT]), NOW, &hint));
    snprintf(got, sizeof got, "%s %s %s %s %lld", outcome_name(v.outcome), cause_name(v.cause),
             scopes[v.scope], flags, (long long)v.hint);
    snprintf(wanted, sizeof wanted, "%s %s %s %s %lld", c->fields[OUTCOME], c->fields[CAUSE],
             c->fields[SCOPE], c->fields[FLAGS], (long long)hint);
    if (strcmp(got, wanted) == 0)
        return 0;
    print_error("%s:%d as %s: %s\n    expected %s\n    %s\n", CASES, c->line, provider->name, got,
                wanted, v.message);
    return 1;
}

static int check_case(const struct refusal_case *c) {
    struct slice rest = slice_str(c->fields[PROVIDERS]), name;
    int wrong = 0;
    while (slice_next(&rest, ' ', &name)) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
        // a provider is known to the rules by its name, whether or not it is built in
        struct provider provider = {.name = text, .wire_name = "openai"};
        wrong += check_as(c, &provider);
    }
    return wrong;
}

static void lines_are_read_right(void **state) {
    (void)state;
    struct refusal_case c = {.line = 0};
    int wrong = 0, count = 0;
    FILE *file = fopen(CASES, "r");
    assert_non_null(file);
    while (fgets(c.text, sizeof c.text, file)) {
        c.line++;
        if (*c.text == '#' || *c.text == '\n')
            continue;
        if (!split_case(&c))
            fail_msg("%s:%d: has too few fields", CASES, c.line);
        wrong += check_case(&c);
        count++;
    }
    fclose(file);
    assert_true(count > 300);
    if (wrong)
        fail_msg("%d of %d lines are not read as they say", wrong, count);
}

static bool is_hit(const struct rule *row) {
    for (size_t i = 0; i < hit_count; i++)
        if (hits[i] == row)
            return true;
    return false;
}

static const char *or_dash(const char *text) {
    return text ? text : "-";
}

static void every_row_has_a_line(void **state) {
    (void)state;
    int missing = 0;
    for (const struct rule *const *table = rules_tables; *table; table++) {
        const struct rule *row = *table;
        for (; row->word || row->text || row->whole || row->quota; row++) {
            if (is_hit(row))
                continue;
            print_error("no line reaches {%d, word %s, text %s, whole %s, quota %s}\n", row->status,
                        or_dash(row->word), or_dash(row->text), or_dash(row->whole),
                        or_dash(row->quota));
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_right),
        cmocka_unit_test(every_row_has_a_line),
    };
    RUN_TESTS(tests);
}
