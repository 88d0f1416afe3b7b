// visible.c: what a terminal would obey or not show is an escape; everything else is as it was.
// SPDX-License-Identifier: MIT
#include "jobs/base/visible.h"

#include "jobs/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check(const char *text, unsigned keep, const char *wanted) {
    struct buf out = BUF_INIT(1 << 16);
    visible_add(&out, slice_str(text), keep);
    assert_string_equal(buf_cstr(&out), wanted);
    buf_free(&out);
}

static void plain_text_stays(void **state) {
    (void)state;
    check("", VISIBLE_ONE_LINE, "");
    check("Grüße, 世界 … 👋🏽", VISIBLE_ONE_LINE, "Grüße, 世界 … 👋🏽");
    check("a\\x1b", VISIBLE_ONE_LINE, "a\\x1b");
}

static void controls_are_escapes(void **state) {
    (void)state;
    check("\033[2J\a\b\x7f", VISIBLE_ONE_LINE, "\\x1b[2J\\x07\\x08\\x7f");
    check("a\nb\rc\td", VISIBLE_ONE_LINE, "a\\nb\\rc\\td");
    check("a\nb\rc\td", VISIBLE_LINES, "a\nb\\rc\td");
    check("\xc2\x9b"
          "31m\xc2\x80\xc2\xa0",
          VISIBLE_ONE_LINE, "\\u009b31m\\u0080\xc2\xa0");
}

static void hidden_characters_are_escapes(void **state) {
    (void)state;
    static const uint32_t hidden[] = {0x61c,  0x200b, 0x200e, 0x200f, 0x2028, 0x2029,
                                      0x202a, 0x202e, 0x2066, 0x2069, 0xfeff};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        char wanted[16];
        struct buf text = BUF_INIT(64);
        utf8_add(&text, hidden[i]);
        snprintf(wanted, sizeof wanted, "\\u%04x", (unsigned)hidden[i]);
        check(buf_cstr(&text), VISIBLE_LINES | VISIBLE_COLORS, wanted);
        buf_free(&text);
    }
    check("\xf3\xa0\x80\x81", VISIBLE_ONE_LINE, "\\udb40\\udc01"); // a tag character
}

static void invalid_bytes_are_escapes(void **state) {
    (void)state;
    check("\x9b"
          "a\xff\xe2\x82",
          VISIBLE_ONE_LINE, "\\x9ba\\xff\\xe2\\x82");
    check("\xed\xa0\x80", VISIBLE_ONE_LINE, "\\xed\\xa0\\x80");
}

static void only_own_colors_stay(void **state) {
    (void)state;
    check("\033[31mx\033[0m", VISIBLE_COLORS, "\033[31mx\033[0m");
    check("\033[31mx\033[0m", VISIBLE_LINES, "\\x1b[31mx\\x1b[0m");
    check("\033[8m\033[3\033[41m\033[1;31m\033", VISIBLE_COLORS,
          "\\x1b[8m\\x1b[3\\x1b[41m\\x1b[1;31m\\x1b");
}

static void credentials_in_addresses_are_masked(void **state) {
    (void)state;
    check("at https://me:pa@ss@host/v1, http://me@host", VISIBLE_ONE_LINE,
          "at https://****@host/v1, http://****@host");
    check("https://host/v1?a=b@c: http://", VISIBLE_ONE_LINE, "https://host/v1?a=b@c: http://");
    check("https://a:b@host", VISIBLE_CREDENTIALS, "https://a:b@host");
    struct buf out = BUF_INIT(1 << 16);
    visible_add_address(&out, SLICE("https://me:pass@host/v1"));
    assert_string_equal(buf_cstr(&out), "https://****@host/v1");
    buf_clear(&out);
    visible_add_address(&out, SLICE("https://host/v1"));
    assert_string_equal(buf_cstr(&out), "https://host/v1");
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),
        cmocka_unit_test(controls_are_escapes),
        cmocka_unit_test(hidden_characters_are_escapes),
        cmocka_unit_test(invalid_bytes_are_escapes),
        cmocka_unit_test(only_own_colors_stay),
        cmocka_unit_test(credentials_in_addresses_are_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
