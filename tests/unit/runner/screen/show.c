// show.c (test): numbers and foreign text on the screen.
// SPDX-License-Identifier: MIT
#include "runner/screen/show.h"

#include "jobs/base/random.h"
#include "jobs/base/utf8.h"
#include "tests/unit/quiet.h"

static struct buf out = BUF_INIT(4096);

static void assert_shown(const char *expected) {
    assert_string_equal(buf_cstr(&out), expected);
    buf_clear(&out);
}

static void counts(void **state) {
    (void)state;
    static const struct {
        int64_t n;
        const char *shown;
    } cases[] = {{0, "0"},
                 {999, "999"},
                 {1000, "1,000"},
                 {1234567, "1,234,567"},
                 {1000007, "1,000,007"},
                 {-1000, "-1,000"},
                 {INT64_MAX, "9,223,372,036,854,775,807"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show_count(&out, cases[i].n);
        assert_shown(cases[i].shown);
    }
}

static void spans(void **state) {
    (void)state;
    static const struct {
        int64_t seconds_tenths;
        const char *shown;
    } cases[] = {{-5, "0.0s"},      {0, "0.0s"},      {4, "0.4s"},      {99, "9.9s"},
                 {100, "10s"},      {599, "59s"},     {600, "1m00s"},   {2000, "3m20s"},
                 {35999, "59m59s"}, {36000, "1h00m"}, {75000, "2h05m"}, {864000, "1d00h"},
                 {3564000, "4d03h"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show_span(&out, cases[i].seconds_tenths * 100000);
        assert_shown(cases[i].shown);
    }
}

static void latencies_and_rates(void **state) {
    (void)state;
    static const struct {
        int64_t usec;
        const char *shown;
    } cases[] = {{800, "0.8 ms"},     {9949, "9.9 ms"},    {9950, "10 ms"},
                 {812400, "812 ms"},  {999499, "999 ms"},  {999500, "1.00 s"},
                 {1240000, "1.24 s"}, {9995000, "10.0 s"}, {75000000, "75.0 s"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show_latency(&out, cases[i].usec);
        assert_shown(cases[i].shown);
    }
    show_rate(&out, 0.44);
    assert_shown("0.4");
    show_rate(&out, 99.96);
    assert_shown("100");
    show_rate(&out, 1520.4);
    assert_shown("1520");
}

static void foreign_text_cannot_steer_a_terminal(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int most;
        const char *shown;
        int count;
    } cases[] = {
        {"openai-1", 40, "openai-1", 8},
        {"\033[2Jx\r\n\177", 40, "?[2Jx???", 8},
        {"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", 40, "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", 3},
        {"\xc2\x9b"
         "5m",
         40, "?5m", 3}, // a C1 control: the same as ESC [
        {"\xff\xc3", 40, "??", 2},
        {"abcdef", 3, "abc", 3},
        {"\xc3\xa9\xc3\xa9", 1, "\xc3\xa9", 1},
        {"", 5, "", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(show_plain(&out, cases[i].text, cases[i].most), cases[i].count);
        assert_shown(cases[i].shown);
    }
}

static void any_bytes_become_printable(void **state) {
    (void)state;
    struct random random = {3};
    for (int i = 0; i < 20000; i++) {
        char text[12] = "";
        for (size_t k = 0; k < sizeof text - 1; k++)
            text[k] = (char)(1 + random_below(&random, 255));
        int count = show_plain(&out, text, 100), seen = 0;
        assert_true(utf8_is_valid(buf_slice(&out)));
        for (size_t k = 0; k < out.n; k++) {
            unsigned char c = (unsigned char)out.p[k];
            assert_true(c >= 0x20 && c != 0x7f);
            assert_false(c == 0xc2 && (unsigned char)out.p[k + 1] < 0xa0);
            seen += (c & 0xc0) != 0x80;
        }
        assert_int_equal(seen, count);
        buf_clear(&out);
    }
}

static void names_lose_their_middle(void **state) {
    static const struct {
        const char *text;
        int most;
        const char *shown;
    } cases[] = {
        {"openai-1", 8, "openai-1"},
        {"openai-12", 8, "open\xe2\x80\xa6-12"},
        {"\xc3\xa4\xc3\xb6\xc3\xbc-x-1", 5, "\xc3\xa4\xc3\xb6\xe2\x80\xa6-1"},
        {"abc", 1, "\xe2\x80\xa6"},
        {"a\033[2Jc", 3,
         "a\xe2\x80\xa6"
         "c"},
        {"", 5, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show_middle(&out, cases[i].text, cases[i].most);
        assert_shown(cases[i].shown);
    }
}

static void lines_are_folded_at_spaces(void **state) {
    (void)state;
    show_folded(&out, SLICE("one two three"), 0, 2);
    assert_shown("one two three\n");
    show_folded(&out, SLICE("one two three"), 13, 2);
    assert_shown("one two three\n");
    show_folded(&out, SLICE("one two three"), 12, 2);
    assert_shown("one two\n  three\n");
    show_folded(&out, SLICE("    one two three"), 9, 4);
    assert_shown("    one\n    two\n    three\n");
    show_folded(&out, SLICE("muchtoolong for it"), 5, 1);
    assert_shown("muchtoolong\n for\n it\n");
    show_folded(&out, SLICE(""), 5, 1);
    assert_shown("\n");
}

static int free_out(void **state) {
    (void)state;
    buf_free(&out);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(spans),
        cmocka_unit_test(latencies_and_rates),
        cmocka_unit_test(foreign_text_cannot_steer_a_terminal),
        cmocka_unit_test(names_lose_their_middle),
        cmocka_unit_test(lines_are_folded_at_spaces),
        cmocka_unit_test_teardown(any_bytes_become_printable, free_out),
    };
    QUIET_RUN(tests);
}
