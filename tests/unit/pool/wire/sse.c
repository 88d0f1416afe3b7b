// Tests pool/wire/sse.c: events from bytes, however they are cut.
// SPDX-License-Identifier: MIT
#include "pool/wire/sse.h"

#include "tests/unit/pool/wire/built.h"

// What comes of a stream, as "name=data;" with newlines shown as |, and " failed".
static void add_event(const struct sse_event *event, struct buf *out) {
    buf_add_slice(out, event->name);
    buf_add_char(out, '=');
    for (size_t i = 0; i < event->data.n; i++)
        buf_add_char(out, (char)(event->data.p[i] == '\n' ? '|' : event->data.p[i]));
    buf_add_char(out, ';');
}

static void feed(struct sse *s, struct slice bytes, struct buf *out) {
    struct sse_event event;
    struct buf own = BUF_INIT(MAX); // bytes that go away after the call, so that ASan sees misuse
    buf_add_slice(&own, bytes);
    struct slice rest = buf_slice(&own);
    while (sse_next(s, &rest, &event))
        add_event(&event, out);
    assert_true(s->failed || !rest.n);
    buf_free(&own);
}

static void end(struct sse *s, struct buf *out) {
    struct sse_event event;
    if (sse_end(s, &event))
        add_event(&event, out);
    if (s->failed)
        buf_add_str(out, " failed");
}

static const char *read_cut(struct slice bytes, size_t max, const size_t cuts[2], struct buf *out) {
    struct sse s;
    sse_init(&s, max);
    buf_clear(out);
    feed(&s, slice_of(bytes.p, cuts[0]), out);
    feed(&s, slice_of(bytes.p + cuts[0], cuts[1] - cuts[0]), out);
    feed(&s, slice_of(bytes.p + cuts[1], bytes.n - cuts[1]), out);
    end(&s, out);
    sse_free(&s);
    return buf_cstr(out);
}

static void expect(struct slice bytes, size_t max, const char *wanted) {
    struct buf out = BUF_INIT(MAX);
    for (size_t i = 0; i <= bytes.n; i++)
        for (size_t j = i; j <= bytes.n; j++) {
            const size_t cuts[2] = {i, j};
            const char *got = read_cut(bytes, max, cuts, &out);
            if (strcmp(got, wanted) != 0)
                fail_msg("cut at %zu and %zu: \"%s\" instead of \"%s\" of \"%s\"", i, j, got,
                         wanted, bytes.p);
        }
    buf_free(&out);
}

static void test_events(void **state) {
    (void)state;
    static const struct {
        struct slice bytes;
        const char *events;
    } rows[] = {
        {SLICE("data: a\n\n"), "=a;"},
        {SLICE("data: a\r\n\r\ndata: b\r\rdata: c\n\n"), "=a;=b;=c;"},
        {SLICE("data: a\r\ndata: b\rdata: c\ndata:\n\n"), "=a|b|c|;"},
        {SLICE("event: x\ndata: a\n\ndata: b\n\n"), "x=a;=b;"},
        {SLICE("event: x\n\ndata: b\n\n"), "=b;"}, // no data: no event, and no name left over
        {SLICE("event: x\nevent: y\ndata: b\n\n"), "y=b;"},
        {SLICE("\xef\xbb\xbf"
               "data: a\n\n"),
         "=a;"},
        {SLICE("\xef\xbb\xbf\n\xef\xbb\xbf"
               "data: a\n\n"),
         ""},
        {SLICE(": comment\n:\ndata: a\n: x\n\n\n\n"), "=a;"},
        {SLICE("data:a\n\ndata:  b\n\ndata\n\n"), "=a;= b;=;"},
        {SLICE("id: 1\nretry: 10\nother: x\nDATA: y\n data: z\n\n"), ""},
        {SLICE("data: a"), "=a;"},
        {SLICE("data: a\n"), "=a;"},
        {SLICE("event: x\ndata: a\r"), "x=a;"},
        {SLICE("data: a:b: c\n\n"), "=a:b: c;"},
        {SLICE("\n\r\n\r"), ""},
        {SLICE(""), ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(rows[i].bytes, 100, rows[i].events);
}

static void test_ceiling(void **state) {
    (void)state;
    expect(SLICE("data: 3456789\n\ndata: 34567890\n\ndata: x\n\n"), 13, "=3456789; failed");
    expect(SLICE("data: 1\ndata: 2\n\n"), 13, "=1|2;");
    expect(SLICE("data: 12345\ndata: 12345\ndata: 1\n\n"), 12, " failed");
    expect(SLICE(":34567890\n:23456789\ndata: a\n\n"), 9, "=a;");
    expect(SLICE(":345678901\ndata: a\n\n"), 9, " failed");
}

// Against a plain reader of whole text: lines split, then fields.
static void model(struct slice bytes, struct buf *out) {
    struct buf data = BUF_INIT(MAX), name = BUF_INIT(MAX);
    bool has = false;
    for (size_t i = 0; i < bytes.n;) {
        size_t n = 0;
        while (i + n < bytes.n && bytes.p[i + n] != '\n' && bytes.p[i + n] != '\r')
            n++;
        struct slice line = slice_of(bytes.p + i, n);
        i += n + 1;
        if (i < bytes.n && bytes.p[i - 1] == '\r' && bytes.p[i] == '\n')
            i++;
        if (slice_starts(line, "data:")) {
            if (has)
                buf_add_char(&data, '\n');
            size_t skip = line.n > 5 && line.p[5] == ' ' ? 6 : 5;
            buf_add(&data, line.p + skip, line.n - skip);
            has = true;
        } else if (slice_starts(line, "event:")) {
            size_t skip = line.n > 6 && line.p[6] == ' ' ? 7 : 6;
            buf_clear(&name);
            buf_add(&name, line.p + skip, line.n - skip);
        }
        if (line.n && i < bytes.n)
            continue;
        if (has)
            add_event(&(struct sse_event){buf_slice(&name), buf_slice(&data)}, out);
        buf_clear(&data);
        buf_clear(&name);
        has = false;
    }
    buf_free(&data);
    buf_free(&name);
}

static void test_against_a_model(void **state) {
    (void)state;
    static const char *const units[] = {"data:", "data: ", "event: ", "event:", "\n", "\r",
                                        "\r\n",  "a",      "bc",      ":",      " ",  "id: 1"};
    struct random random = {3};
    struct buf bytes = BUF_INIT(MAX), wanted = BUF_INIT(MAX), out = BUF_INIT(MAX);
    for (int i = 0; i < 20000; i++) {
        buf_clear(&bytes);
        buf_clear(&wanted);
        for (int64_t n = random_below(&random, 20); n > 0; n--)
            buf_add_str(&bytes, units[random_below(&random, COUNT(units))]);
        buf_add_str(&bytes, "\n");
        model(buf_slice(&bytes), &wanted);
        size_t a = (size_t)random_below(&random, (int64_t)bytes.n + 1);
        const size_t cuts[2] = {a, a + (size_t)random_below(&random, (int64_t)(bytes.n - a) + 1)};
        assert_string_equal(read_cut(buf_slice(&bytes), 1000, cuts, &out), buf_cstr(&wanted));
    }
    buf_free(&bytes);
    buf_free(&wanted);
    buf_free(&out);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_against_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
