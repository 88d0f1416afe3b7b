// lines.c: lines against a plain model, however the bytes come in.
// SPDX-License-Identifier: MIT
#include "jobs/in/lines.h"

#include "jobs/base/io.h"
#include "jobs/base/random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

// A file that is a piece of memory, read in random pieces and with interruptions.
static struct {
    struct slice rest;
    struct random random;
    size_t piece;
} file;

static ssize_t read_piece(int fd, void *p, size_t n) {
    (void)fd;
    if (random_below(&file.random, 8) == 0) {
        errno = random_below(&file.random, 2) ? EINTR : EAGAIN;
        return -1;
    }
    size_t size = 1 + (size_t)random_below(&file.random, (int64_t)file.piece);
    if (size > n)
        size = n;
    if (size > file.rest.n)
        size = file.rest.n;
    memcpy(p, file.rest.p, size);
    file.rest = slice_of(file.rest.p + size, file.rest.n - size);
    return (ssize_t)size;
}

static struct lines over(struct slice bytes, size_t max, size_t piece) {
    static int fd = -1; // readable at all times, for poll
    if (fd < 0)
        fd = eventfd(1, 0);
    file.rest = bytes;
    file.piece = piece;
    io_read = read_piece;
    return (struct lines){.fd = fd, .wake_fd = -1, .name = "test", .max = max};
}

static enum lines_status next(struct lines *l, struct line *line) {
    struct error err = {0};
    return lines_next(l, line, &err);
}

static void every_kind_of_end(void **state) {
    (void)state;
    static const char *const texts[] = {"one", "", "two\r", "\rx", "", "last\r"};
    for (size_t piece = 1; piece < 5; piece++) {
        struct lines l = over(SLICE("one\n\ntwo\r\r\n\rx\n\r\nlast\r"), 100, piece);
        struct line line;
        for (size_t i = 0; i < 6; i++) {
            assert_int_equal(next(&l, &line), LINES_LINE);
            if (!slice_is(line.text, texts[i]))
                fail_msg("line %zu", i + 1);
            assert_int_equal(line.number, i + 1);
        }
        assert_int_equal(next(&l, &line), LINES_END);
        assert_int_equal(next(&l, &line), LINES_END);
        assert_int_equal(lines_offset(&l), 21);
        lines_free(&l);
    }
}

static void marks_at_the_start(void **state) {
    (void)state;
    struct line line;
    struct lines l = over(SLICE("\xef\xbb\xbf{}\n\xef\xbb\xbf"), 100, 1);
    assert_int_equal(next(&l, &line), LINES_LINE);
    assert_true(slice_is(line.text, "{}"));
    assert_int_equal(lines_offset(&l), 6);
    assert_int_equal(next(&l, &line), LINES_LINE); // only the first is a mark
    assert_true(slice_is(line.text, "\xef\xbb\xbf"));
    lines_free(&l);
    l = over(SLICE("\xef\xbb\xbf"), 100, 5);
    assert_int_equal(next(&l, &line), LINES_END);
    lines_free(&l);
    l = over(SLICE("\xef\xbb"), 100, 5);
    assert_int_equal(next(&l, &line), LINES_LINE);
    assert_int_equal(line.text.n, 2);
    lines_free(&l);
    l = over(SLICE("PK\n"), 100, 5);
    assert_int_equal(next(&l, &line), LINES_LINE);
    lines_free(&l);
    l = over(SLICE(""), 100, 5);
    assert_int_equal(next(&l, &line), LINES_END);
    lines_free(&l);
}

static void what_is_no_text(void **state) {
    (void)state;
    static const struct {
        struct slice bytes;
        const char *says;
    } cases[] = {
        {{"\xff\xfe{", 3}, "cut off"},
        {{"\xfe\xff\0{\0", 5}, "cut off"},
        {{"\x1f\x8b\x08", 3}, "cut off"},
        {{"\x28\xb5\x2f\xfd", 4}, "cut off"},
        {{"\x1f\x8b\xff\0\0\0\0\0\0\0\0\0", 12}, "damaged"},
        {{"PK\x03\x04", 4}, "spreadsheet"},
        {{"PAR1", 4}, "Parquet"},
        {{"BZh9", 4}, "bunzip2"},
        {{"%PDF-1.7", 8}, "PDF"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lines l = over(cases[i].bytes, 100, 2);
        struct error err = {0};
        struct line line;
        assert_int_equal(lines_next(&l, &line, &err), LINES_FAILED);
        assert_non_null(strstr(err.text, cases[i].says));
        lines_free(&l);
    }
}

static void exact_limit(void **state) {
    (void)state;
    struct line line;
    for (size_t piece = 1; piece < 12; piece++) {
        struct lines l = over(SLICE("\xef\xbb\xbf"
                                    "12345\n12345\r\n123456\n123456\r\n1234567\n12345\r\r\n"
                                    "12345678901234567890123\nok\n123456"),
                              5, piece);
        static const bool fits[] = {true, true, false, false, false, false, false, true, false};
        for (size_t i = 0; i < sizeof fits; i++) {
            assert_int_equal(next(&l, &line), fits[i] ? LINES_LINE : LINES_TOO_LONG);
            assert_int_equal(l.line_no, i + 1);
        }
        assert_int_equal(next(&l, &line), LINES_END);
        lines_free(&l);
    }
}

// A line of many megabytes is passed over in little memory.
static void long_lines_take_no_memory(void **state) {
    (void)state;
    size_t n = 20 << 20;
    char *text = malloc(n + 3);
    memset(text, 'x', n);
    memcpy(text + n, "\nok", 3);
    struct lines l = over(slice_of(text, n + 3), 1000, 1 << 20);
    struct line line;
    assert_int_equal(next(&l, &line), LINES_TOO_LONG);
    assert_true(l.data.cap < 300000);
    assert_int_equal(next(&l, &line), LINES_LINE);
    assert_true(slice_is(line.text, "ok"));
    assert_int_equal(lines_offset(&l), n + 3);
    lines_free(&l);
    // and one that is allowed takes memory only while it is there
    l = over(slice_of(text, n + 3), n, 1 << 20);
    assert_int_equal(next(&l, &line), LINES_LINE);
    assert_int_equal(line.text.n, n);
    assert_true(l.data.cap < n * 2);
    next(&l, &line);
    next(&l, &line);
    assert_true(l.data.cap < 300000);
    lines_free(&l);
    free(text);
}

static char *random_text(struct random *random, size_t n) {
    static const char letters[] = "aab\"\r\n\n";
    char *text = malloc(n + 1);
    int64_t variety = random_below(random, sizeof letters - 2) + 1; // some texts have no line ends
    for (size_t i = 0; i < n; i++)
        text[i] = letters[random_below(random, variety + 1)];
    return text;
}

// Cuts one line off a text.
static struct slice model_line(struct slice *rest) {
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    size_t n = end ? (size_t)(end - rest->p) : rest->n, taken = n + (end ? 1 : 0);
    struct slice text = slice_of(rest->p, end && n && rest->p[n - 1] == '\r' ? n - 1 : n);
    *rest = slice_of(rest->p + taken, rest->n - taken);
    return text;
}

static void property(void **state) {
    (void)state;
    struct random random = {11};
    for (int round = 0; round < 3000; round++) {
        size_t n = (size_t)random_below(&random, 400), max = 1 + (size_t)random_below(&random, 30);
        char *text = random_text(&random, n);
        struct slice rest = slice_of(text, n);
        struct lines l = over(rest, max, 1 + (size_t)random_below(&random, 40));
        struct line line;
        while (rest.n) {
            struct slice want = model_line(&rest);
            enum lines_status got = next(&l, &line);
            assert_int_equal(got, want.n > max ? LINES_TOO_LONG : LINES_LINE);
            if (got == LINES_LINE) {
                assert_true(slice_eq(line.text, want));
                assert_true(slice_eq(lines_record(&l), want));
            }
            assert_int_equal(lines_offset(&l), n - rest.n);
        }
        assert_int_equal(next(&l, &line), LINES_END);
        lines_free(&l);
        free(text);
    }
}

// Records of a random number of lines, some of them given back.
static void property_of_records(void **state) {
    (void)state;
    struct random random = {12};
    for (int round = 0; round < 3000; round++) {
        size_t n = (size_t)random_below(&random, 400), max = 5 + (size_t)random_below(&random, 60);
        char *text = random_text(&random, n);
        struct slice rest = slice_of(text, n);
        struct lines l = over(rest, max, 1 + (size_t)random_below(&random, 40));
        struct line line;
        while (rest.n) {
            const char *start = rest.p;
            struct slice want = model_line(&rest), after_first = rest;
            enum lines_status got = next(&l, &line);
            assert_int_equal(got, want.n > max ? LINES_TOO_LONG : LINES_LINE);
            if (got != LINES_LINE)
                continue;
            int64_t number = l.line_no;
            for (int64_t more = random_below(&random, 4); more && rest.n; more--) {
                struct slice before = rest;
                struct error err = {0};
                want = model_line(&rest);
                bool fits = (size_t)(want.p + want.n - start) <= max;
                got = lines_more(&l, &line, &err);
                assert_int_equal(got, fits ? LINES_LINE : LINES_TOO_LONG);
                if (!fits) {
                    rest = before;
                    break;
                }
                assert_true(slice_eq(line.text, want));
                assert_true(
                    slice_eq(lines_record(&l), slice_of(start, (size_t)(want.p + want.n - start))));
            }
            if (random_below(&random, 2)) {
                lines_back(&l);
                rest = after_first;
                assert_int_equal(l.line_no, number);
            }
            assert_int_equal(lines_offset(&l), n - rest.n);
        }
        assert_int_equal(next(&l, &line), LINES_END);
        lines_free(&l);
        free(text);
    }
}

static void whole_records_are_seen(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool plain, quotes;
    } cases[] = {
        {"", false, false},        {"\n\n \t\r\n", false, false}, {"a", false, false},
        {"a\n", true, true},       {"\n\na\n", true, true},       {"\"a\n", true, false},
        {"\"a\n\"", true, false},  {"\"a\n\"\n", true, true},     {"\n\"\"\n", true, true},
        {"\"\n\n\n", true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lines l = {.wake_fd = -1, .max = 100, .data = BUF_INIT(1000)};
        buf_add_str(&l.data, cases[i].text);
        assert_int_equal(lines_has_record(&l, false), cases[i].plain);
        assert_int_equal(lines_has_record(&l, true), cases[i].quotes);
        lines_free(&l);
    }
}

static ssize_t read_fails(int fd, void *p, size_t n) {
    (void)fd, (void)p, (void)n;
    errno = EIO;
    return -1;
}

static void failures_are_told(void **state) {
    (void)state;
    struct lines l = over(SLICE("a\nb\n"), 100, 2);
    struct error err = {0};
    struct line line;
    assert_int_equal(next(&l, &line), LINES_LINE);
    io_read = read_fails;
    enum lines_status got;
    while ((got = lines_next(&l, &line, &err)) == LINES_LINE)
        ;
    assert_int_equal(got, LINES_FAILED);
    assert_non_null(strstr(err.text, "cannot read test"));
    lines_free(&l);
}

static void stops_when_told(void **state) {
    (void)state;
    struct lines l = over(SLICE("a\n"), 100, 20);
    struct line line;
    l.wake_fd = eventfd(1, 0);
    assert_int_equal(next(&l, &line), LINES_STOPPED);
    close(l.wake_fd);
    lines_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_end),         cmocka_unit_test(marks_at_the_start),
        cmocka_unit_test(what_is_no_text),           cmocka_unit_test(exact_limit),
        cmocka_unit_test(long_lines_take_no_memory), cmocka_unit_test(property),
        cmocka_unit_test(property_of_records),       cmocka_unit_test(whole_records_are_seen),
        cmocka_unit_test(failures_are_told),         cmocka_unit_test(stops_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
