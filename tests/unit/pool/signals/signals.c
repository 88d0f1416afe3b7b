// signals.c: every file of tests/data/signals against what is concluded from it; and any bytes at
// all.
//
// A file is a few lines of what is expected, a line "---", and an answer as it comes over the wire:
//
//     source: where this was seen (needed)
//     provider: groq | bigmodel zai | any (who says this; each of them must be read so)
//     outcome: rate_limited
//     cause: rate
//     scope: request | key | model | group | provider
//     hint: 5.289s | none
//     final: yes | no
//     code: the code that is reported ("none": empty)
//     message: a part of what is reported; may be given several times
//     not: what the message must not hold; optional
//     error-body: yes | no, what signals_is_error_body() says; optional
//     now: 2026-11-21T06:00:00Z, the wall clock; optional
//     ---
//     HTTP/1.1 429 Too Many Requests
//     Retry-After: 6
//
//     {"error": …}
//
// The body is all that follows the blank line, without the file's last newline. What was read right
// is shown as a table, a row per provider and a column per cause.
// SPDX-License-Identifier: MIT
#include "pool/signals/signals.h"

#include "jobs/base/clock.h"
#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "jobs/base/utf8.h"
#include "pool/catalogue.h"
#include "pool/limits/retry_after.h"
#include "tests/unit/pool/test.h"

#include <dirent.h>
#include <strings.h>

#define DIRECTORY "tests/data/signals"
#define NOW       (INT64_C(1795240800) * USEC_PER_SEC) // 2026-11-21T06:00:00Z

static const char *const scopes[] = {[SCOPE_REQUEST] = "request",
                                     [SCOPE_KEY] = "key",
                                     [SCOPE_MODEL] = "model",
                                     [SCOPE_GROUP] = "group",
                                     [SCOPE_PROVIDER] = "provider"};

struct expectation {
    char provider[64], outcome[32], cause[32], scope[32];
    char final[8], code[64], hint[64], error_body[8];
    struct slice message[4], not [4];
    size_t messages, nots;
    bool source;
    int64_t now;
};

struct fixture {
    const char *name;
    struct slice headers; // behind the status line
    struct http_answer answer;
    struct expectation expected;
    struct buf wrong; // what does not agree
};

static struct slice take_line(struct slice *text) {
    const char *newline = text->n ? memchr(text->p, '\n', text->n) : NULL;
    size_t n = newline ? (size_t)(newline - text->p) : text->n;
    struct slice line = slice_trim(slice_of(text->p, n));
    size_t step = newline ? n + 1 : n;
    *text = slice_of(text->p + step, text->n - step);
    return line;
}

static bool split(struct slice line, struct slice *name, struct slice *value) {
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    if (!colon)
        return false;
    size_t n = (size_t)(colon - line.p);
    *name = slice_of(line.p, n);
    *value = slice_trim(slice_of(colon + 1, line.n - n - 1));
    return true;
}

static struct slice find_header(const void *context, const char *wanted) {
    struct slice text = *(const struct slice *)context, name, value;
    while (text.n)
        if (split(take_line(&text), &name, &value) && name.n == strlen(wanted) &&
            strncasecmp(name.p, wanted, name.n) == 0)
            return value;
    return SLICE_NONE;
}

static void expect_member(struct fixture *f, struct slice name, struct slice value) {
    struct expectation *e = &f->expected;
    const struct {
        const char *name;
        char *out;
        size_t size;
    } texts[] = {
        {"provider", e->provider, sizeof e->provider},
        {"outcome", e->outcome, sizeof e->outcome},
        {"cause", e->cause, sizeof e->cause},
        {"scope", e->scope, sizeof e->scope},
        {"final", e->final, sizeof e->final},
        {"code", e->code, sizeof e->code},
        {"hint", e->hint, sizeof e->hint},
        {"error-body", e->error_body, sizeof e->error_body},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (slice_is(name, texts[i].name)) {
            snprintf(texts[i].out, texts[i].size, "%.*s", SLICE_ARG(value));
            return;
        }
    if (slice_is(name, "source"))
        e->source = value.n > 0;
    else if (slice_is(name, "message") && e->messages < 4)
        e->message[e->messages++] = value;
    else if (slice_is(name, "not") && e->nots < 4)
        e->not [e->nots++] = value;
    else if (!slice_is(name, "now") || !retry_after_parse(value, 0, &e->now))
        buf_addf(&f->wrong, "  cannot read \"%.*s\"\n", SLICE_ARG(name));
}

static void read_fixture(struct fixture *f, struct slice text) {
    struct slice line, name, value;
    f->expected.now = NOW;
    while (text.n && !slice_is(line = take_line(&text), "---"))
        if (line.n && split(line, &name, &value))
            expect_member(f, name, value);
    line = take_line(&text);
    if (line.n > 9 && slice_starts(line, "HTTP/"))
        f->answer.status = (int)strtol((const char *)memchr(line.p, ' ', line.n), NULL, 10);
    struct slice start = text;
    while (text.n && (line = take_line(&text)).n)
        continue;
    f->headers = slice_of(start.p, (size_t)(text.p - start.p));
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    f->answer.body = text;
    f->answer.header = find_header;
    f->answer.context = &f->headers;
}

static void compare(struct fixture *f, const char *what, const char *expected, const char *got) {
    if (strcmp(expected, got) != 0)
        buf_addf(&f->wrong, "  %s: %s, expected %s\n", what, got,
                 *expected ? expected : "(not said)");
}

static void compare_hint(struct fixture *f, int64_t hint) {
    int64_t expected = -1;
    bool none = strcmp(f->expected.hint, "none") == 0;
    if (!none && !retry_after_parse(slice_str(f->expected.hint), f->expected.now, &expected))
        buf_addf(&f->wrong, "  no hint is said (\"none\" or a duration)\n");
    else if (expected != hint)
        buf_addf(&f->wrong, "  hint: %lld us, expected %s\n", (long long)hint, f->expected.hint);
}

static void compare_all(struct fixture *f, const struct verdict *v) {
    const struct expectation *e = &f->expected;
    if (!e->source)
        buf_addf(&f->wrong, "  no source is named\n");
    if (!e->messages)
        buf_addf(&f->wrong, "  no message is expected\n");
    compare(f, "outcome", e->outcome, outcome_name(v->outcome));
    compare(f, "cause", e->cause, cause_name(v->cause));
    compare(f, "scope", e->scope, scopes[v->scope]);
    compare(f, "final", e->final, v->final ? "yes" : "no");
    compare(f, "code", e->code, v->code[0] ? v->code : "none");
    compare_hint(f, v->hint);
    for (size_t i = 0; i < e->messages; i++)
        if (!memmem(v->message, strlen(v->message), e->message[i].p, e->message[i].n))
            buf_addf(&f->wrong, "  message: \"%s\", expected \"%.*s\" in it\n", v->message,
                     SLICE_ARG(e->message[i]));
    for (size_t i = 0; i < e->nots; i++)
        if (memmem(v->message, strlen(v->message), e->not [i].p, e->not [i].n))
            buf_addf(&f->wrong, "  message: \"%s\", which holds \"%.*s\"\n", v->message,
                     SLICE_ARG(e->not [i]));
    if (e->error_body[0])
        compare(f, "error-body", e->error_body,
                signals_is_error_body(f->answer.body) ? "yes" : "no");
}

static struct buf read_whole(const char *path) {
    struct buf text = BUF_INIT(1 << 22);
    char part[4096];
    size_t n;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while ((n = fread(part, 1, sizeof part, file)) > 0)
        buf_add(&text, part, n);
    fclose(file);
    return text;
}

static bool is_named(const struct expectation *e, const char *provider) {
    struct slice rest = slice_str(e->provider);
    while (rest.n) {
        const char *space = memchr(rest.p, ' ', rest.n);
        size_t n = space ? (size_t)(space - rest.p) : rest.n;
        if (slice_is(slice_of(rest.p, n), provider))
            return true;
        rest = space ? slice_of(space + 1, rest.n - n - 1) : SLICE_NONE;
    }
    return strcmp(e->provider, "any") == 0;
}

// How many files there are of each provider and cause, and how many were read right. What any
// provider may say counts in a row of its own.
#define ANY CATALOGUE_COUNT
struct tally {
    int files[CATALOGUE_COUNT + 1][CAUSE_COUNT], right[CATALOGUE_COUNT + 1][CAUSE_COUNT];
};

static enum cause cause_of(const char *name) {
    for (int c = 0; c < CAUSE_COUNT; c++)
        if (strcmp(name, cause_name((enum cause)c)) == 0)
            return (enum cause)c;
    return BECAUSE_NOTHING;
}

// One file, read as each provider that it names.
static void read_as(struct fixture *f, struct tally *tally) {
    enum cause cause = cause_of(f->expected.cause);
    bool any = strcmp(f->expected.provider, "any") == 0, good = true;
    int readers = 0;
    for (size_t i = 0; i < CATALOGUE_COUNT; i++) {
        if (!is_named(&f->expected, catalogue[i].name))
            continue;
        struct verdict verdict;
        size_t before = f->wrong.n;
        signals_read(&catalogue[i], &f->answer, f->expected.now, &verdict);
        compare_all(f, &verdict);
        if (f->wrong.n > before)
            buf_addf(&f->wrong, "  (read as %s)\n", catalogue[i].name);
        readers++;
        good &= f->wrong.n == before;
        tally->files[i][cause] += !any;
        tally->right[i][cause] += !any && f->wrong.n == before;
    }
    tally->files[ANY][cause] += any;
    tally->right[ANY][cause] += any && good;
    if (!readers)
        buf_addf(&f->wrong, "  no known provider is named\n");
}

static int is_fixture(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

// Calls use() with every file, by name; how many there are.
static int each_fixture(void (*use)(struct fixture *f, void *context), void *context) {
    struct dirent **names;
    int count = scandir(DIRECTORY, &names, is_fixture, alphasort);
    for (int i = 0; i < count; i++) {
        char path[600];
        snprintf(path, sizeof path, DIRECTORY "/%s", names[i]->d_name);
        struct buf text = read_whole(path);
        struct fixture f = {.name = path, .wrong = BUF_INIT(1 << 16)};
        read_fixture(&f, buf_slice(&text));
        use(&f, context);
        buf_free(&f.wrong);
        buf_free(&text);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return count;
}

static void count_right(struct fixture *f, void *tally) {
    read_as(f, tally);
}

static void complain(struct fixture *f, void *bad) {
    struct tally tally = {0};
    read_as(f, &tally);
    if (f->wrong.n)
        print_error("%s\n%s", f->name, buf_cstr(&f->wrong));
    *(int *)bad += f->wrong.n > 0;
}

static void fixtures_are_read_right(void **state) {
    (void)state;
    struct tally tally = {0};
    int bad = 0, count = each_fixture(complain, &bad);
    assert_true(count >= 300); // the directory is there, and nobody emptied it
    if (bad)
        fail_msg("%d of %d files of " DIRECTORY " are not read as they say", bad, count);
    each_fixture(count_right, &tally);
    // every provider up to the simulator has a table worth the name
    for (size_t i = 0; strcmp(catalogue[i].name, "simulate") != 0; i++)
        assert_true(tally.files[i][BECAUSE_RATE] > 0 && tally.files[i][BECAUSE_KEY] > 0 &&
                    tally.files[i][BECAUSE_UPSTREAM] > 0);
}

#define CELL 5

static void show_cell(const char *text, enum cause cause) {
    int width = (int)strlen(cause_name(cause));
    printf(" | %*s", width > CELL ? width : CELL, text);
}

static void show_row(const char *name, const int *files, const int *right) {
    int all = 0, good = 0;
    printf("| %-9s", name);
    for (enum cause c = BECAUSE_NOTHING + 1; c < CAUSE_COUNT; c++) {
        char cell[32] = "";
        if (files[c])
            snprintf(cell, sizeof cell, "%d/%d", right[c], files[c]);
        show_cell(cell, c);
        all += files[c];
        good += right[c];
    }
    printf(" | %d/%d |\n", good, all);
}

// The table of the test output: tests/run.sh passes lines on that begin with a bar.
static void show_table(void) {
    struct tally tally = {0};
    each_fixture(count_right, &tally);
    printf("| refusals ");
    for (enum cause c = BECAUSE_NOTHING + 1; c < CAUSE_COUNT; c++)
        show_cell(cause_name(c), c);
    printf(" | right |\n");
    for (size_t i = 0; i < CATALOGUE_COUNT; i++)
        show_row(catalogue[i].name, tally.files[i], tally.right[i]);
    show_row("(any)", tally.files[ANY], tally.right[ANY]);
    fflush(stdout);
}

// What must hold whatever was sent.
static void check_verdict(const struct verdict *v) {
    assert_true(v->outcome > OUTCOME_OK && v->outcome < OUTCOME_COUNT);
    assert_true(v->cause > BECAUSE_NOTHING && v->cause < CAUSE_COUNT);
    assert_int_equal(v->cause == BECAUSE_REQUEST, v->scope == SCOPE_REQUEST);
    assert_int_equal(v->cause == BECAUSE_UPSTREAM, v->scope == SCOPE_PROVIDER);
    assert_true(v->cause != BECAUSE_MODEL || v->scope == SCOPE_MODEL);
    assert_true(v->cause != BECAUSE_DAY || v->hint >= 0);
    assert_true(v->hint >= -1);
    // what no key can do is no key's fault, and the request's fault is final
    assert_true(v->cause != BECAUSE_REQUEST || v->final);
}

static void check_any(const struct provider *provider, const struct http_answer *answer) {
    struct verdict v;
    memset(&v, 0x55, sizeof v);
    signals_read(provider, answer, NOW, &v);
    check_verdict(&v);
    assert_true(strlen(v.message) > 0 && strlen(v.message) < sizeof v.message);
    assert_true(strlen(v.code) < sizeof v.code);
    assert_true(utf8_is_valid(slice_str(v.message)));
    assert_true(utf8_is_valid(slice_str(v.code)));
    for (const char *c = v.message; *c; c++)
        assert_true((unsigned char)*c >= ' ');
}

// BigModel's and Z.AI's codes mean the same under every status: older endpoints send them with 200.
static void try_statuses(struct fixture *f, void *tried) {
    static const int statuses[] = {200, 400, 401, 418, 429, 500, 503};
    const struct expectation *e = &f->expected;
    if (!is_named(e, "bigmodel") || strlen(e->code) != 4 || e->code[0] != '1')
        return;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct verdict v;
        f->answer.status = statuses[i];
        signals_read(catalogue_find(SLICE("bigmodel")), &f->answer, NOW, &v);
        compare(f, "cause", e->cause, cause_name(v.cause));
        compare(f, "outcome", e->outcome, outcome_name(v.outcome));
        if (f->wrong.n)
            fail_msg("%s with status %d:\n%s", f->name, statuses[i], buf_cstr(&f->wrong));
    }
    ++*(int *)tried;
}

static void codes_count_whatever_the_status(void **state) {
    (void)state;
    int tried = 0;
    each_fixture(try_statuses, &tried);
    assert_true(tried > 50);
}

static void spoil(struct fixture *f, void *random) {
    for (int round = 0; round < 300; round++) {
        size_t n = (size_t)random_below(random, (int64_t)f->answer.body.n + 1);
        char *body = malloc(n ? n : 1);
        memcpy(body, f->answer.body.p, n);
        for (int k = 0; n && k < 4; k++)
            body[random_below(random, (int64_t)n)] = (char)random_below(random, 256);
        struct http_answer answer = f->answer;
        answer.body = slice_of(body, n);
        answer.status = (int)random_below(random, 700);
        check_any(&catalogue[round % CATALOGUE_COUNT], &answer);
        if (json_check(answer.body, NULL))
            signals_is_error_body(answer.body);
        free(body);
    }
}

// Real bodies with bytes changed, taken out and cut: always an answer, always printable.
static void takes_any_body(void **state) {
    (void)state;
    struct random r = {13};
    assert_true(each_fixture(spoil, &r) > 0);
}

// Whole bodies under statuses and from providers that never had them.
static void read_by_all(struct fixture *f, void *random) {
    for (const struct provider *p = catalogue; p->name; p++) {
        f->answer.status = (int)random_below(random, 700);
        check_any(p, &f->answer);
    }
}

static void anybody_may_say_anything(void **state) {
    (void)state;
    struct random r = {29};
    for (int round = 0; round < 5; round++)
        assert_true(each_fixture(read_by_all, &r) > 0);
}

static void every_status_has_a_meaning(void **state) {
    (void)state;
    for (int status = 0; status < 1000; status++)
        for (const struct provider *p = catalogue; p->name; p++)
            check_any(p, &(struct http_answer){.status = status, .body = SLICE_NONE});
}

static void takes_huge_and_deep_bodies(void **state) {
    (void)state;
    enum { SIZE = 4 << 20 };
    static const char *const parts[] = {"[",  "{\"error\":", "<", "\xff",
                                        "\\", " ",           "x", "<script>"};
    char *body = malloc(SIZE);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n = strlen(parts[i]);
        for (size_t k = 0; k + n <= SIZE; k += n)
            memcpy(body + k, parts[i], n);
        check_any(&catalogue[i % CATALOGUE_COUNT],
                  &(struct http_answer){.status = 500, .body = slice_of(body, SIZE)});
    }
    free(body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixtures_are_read_right),
        cmocka_unit_test(codes_count_whatever_the_status),
        cmocka_unit_test(takes_any_body),
        cmocka_unit_test(anybody_may_say_anything),
        cmocka_unit_test(every_status_has_a_meaning),
        cmocka_unit_test(takes_huge_and_deep_bodies),
    };
    show_table();
    RUN_TESTS(tests);
}
