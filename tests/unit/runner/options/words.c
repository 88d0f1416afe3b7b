// words.c: tests of runner/options/words.c.
// SPDX-License-Identifier: MIT
#include "runner/options/words.h"

#include "jobs/base/random.h"
#include "jobs/base/slice.h"
#include "jobs/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

// What a line is split into, with | between words.
static void assert_split(const char *line, const char *expected) {
    struct words w;
    struct error err = {0};
    struct buf joined = BUF_INIT(10000);
    assert_true(words_split(line, &w, &err));
    for (int i = 0; i < w.count; i++)
        buf_addf(&joined, "%s%s", i ? "|" : "", w.word[i]);
    assert_string_equal(buf_cstr(&joined), expected);
    assert_null(w.word[w.count]);
    buf_free(&joined);
    words_free(&w);
}

static void test_split(void **state) {
    (void)state;
    assert_split("", "");
    assert_split("  \t\n ", "");
    assert_split("a b", "a|b");
    assert_split(" a\t\nb ", "a|b");
    assert_split("'a b' c", "a b|c");
    assert_split("\"a b\"c d", "a bc|d");
    assert_split("'' x", "|x");
    assert_split("\"\"", "");
    assert_split("a\\ b", "a b");
    assert_split("'a\\b'", "a\\b");
    assert_split("\"a\\\"b\"", "a\"b");
    assert_split("\"it's\" 'say \"hi\"'", "it's|say \"hi\"");
    assert_split("end\\", "end\\");
    assert_split("--latency lognormal:250ms,0.4", "--latency|lognormal:250ms,0.4");
    assert_split("a b c d e f g", "a|b|c|d|e|f|g"); // as many words as fit into the line
}

static void test_open_quotes(void **state) {
    (void)state;
    static const char *const lines[] = {"'", "\"", "a 'b", "a \"b\\\"", "'a'\"", "x\"y z"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct words w;
        struct error err = {0};
        assert_false(words_split(lines[i], &w, &err));
        assert_string_equal(err.text, "a quotation mark is not closed");
    }
}

// Whatever bytes a word has: quoted like this, it comes back.
static void test_quoted_words_come_back(void **state) {
    (void)state;
    struct random r = {11};
    for (int round = 0; round < 20000; round++) {
        char word[12];
        size_t n = (size_t)random_below(&r, 11);
        for (size_t i = 0; i < n; i++)
            word[i] = " '\"\\ab\t\n=-"[random_below(&r, 10)];
        word[n] = '\0';
        struct buf line = BUF_INIT(200);
        buf_add_str(&line, "x \"");
        for (size_t i = 0; i < n; i++)
            buf_addf(&line, strchr("\"\\", word[i]) ? "\\%c" : "%c", word[i]);
        buf_add_str(&line, "\" y");
        struct words w;
        struct error err = {0};
        assert_true(words_split(buf_cstr(&line), &w, &err));
        assert_int_equal(w.count, 3);
        assert_string_equal(w.word[1], word);
        words_free(&w);
        buf_free(&line);
    }
}

static void test_show(void **state) {
    (void)state;
    assert_string_equal(word_show("abc").text, "abc");
    assert_string_equal(word_show("").text, "");
    assert_string_equal(word_show("a\033[31mb\nc\x7f").text, "a?[31mb?c?");
    assert_string_equal(word_show("\xff").text, "\xef\xbf\xbd");
    char bytes[300];
    struct random r = {3};
    for (int round = 0; round < 5000; round++) {
        size_t n = (size_t)random_below(&r, 299);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)(1 + random_below(&r, 255));
        bytes[n] = '\0';
        struct word_shown shown = word_show(bytes);
        assert_non_null(memchr(shown.text, 0, sizeof shown.text));
        assert_true(utf8_is_valid(slice_str(shown.text)));
    }
    memset(bytes, 'x', 299);
    bytes[299] = '\0';
    struct word_shown shown = word_show(bytes);
    assert_true(strlen(shown.text) < 70);
    assert_string_equal(shown.text + strlen(shown.text) - 4, "x...");
}

static void test_secret_words(void **state) {
    (void)state;
    static const char *const secrets[] = {
        "sk-abcdefghijklmnopqrstuvwx",
        "sk-proj-Abc_123-abcdefghijkl",
        "gsk_abcdefghijklmnopqrstuvwx",
        "AIzaSyA1234567890abcdefgh",
        "nvapi-abcdefghijklmnopqrstuv",
        "Bearer sk-abcdefghijklmnopqrst",
        "0123456789abcdef0123456789abcdef.AbCdEfGh12345678",
        "OPENAI_API_KEY=x",
        "zai_api_key_2=x",
    };
    static const char *const plain[] = {
        "",
        "-",
        "in.jsonl",
        "sk-short",
        "sk-my-very-long-file-name.jsonl",
        "rows/sk-abcdefghijklmnopqrst",
        "sk-notes about something long",
        "0123456789abcdef0123456789abcdef.jsonl",
        "0123456789abcdef0123456789abcdef",
        "field=value",
        "--keys=keys.txt",
        "keys",
        "Bearer of news",
    };
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (!word_is_secret(secrets[i]))
            fail_msg("not taken for a secret: %s", secrets[i]);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (word_is_secret(plain[i]))
            fail_msg("taken for a secret: %s", plain[i]);
}

static bool names_secret(const char *name) {
    return word_names_secret(name, strlen(name));
}

static void test_secret_names(void **state) {
    (void)state;
    assert_true(names_secret("key"));
    assert_true(names_secret("api-key"));
    assert_true(names_secret("API_KEY"));
    assert_true(names_secret("openai-api-key-12"));
    assert_true(names_secret("token"));
    assert_true(names_secret("bearer"));
    assert_false(names_secret(""));
    assert_false(names_secret("123"));
    assert_false(names_secret("tokens"));
    assert_false(names_secret("timeout"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_open_quotes),
        cmocka_unit_test(test_quoted_words_come_back),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_secret_words),
        cmocka_unit_test(test_secret_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
