// json.c: what is JSON and what is not, and slices that keep their bytes.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"

#include "jobs/base/random.h"
#include "jobs/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cJSON.h>
#include <cmocka.h>

#define S(literal)                                                                                 \
    { "" literal, sizeof(literal) - 1 }

static const struct slice good[] = {
    S("null"),
    S("true"),
    S("false"),
    S("0"),
    S("-0"),
    S("-0.0e-0"),
    S("1E+2"),
    S("1e400"),
    S("9007199254740993"),
    S("123456789012345678901234567890"),
    S("0.1"),
    S("\"\""),
    S("[]"),
    S("{}"),
    S(" \t\r\n[ ] \n"),
    S("{\"\":0}"),
    S("{\"a\":1,\"a\":2}"),
    S("[[],[[]],{}]"),
    S("\"\\u0000\\ud800\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    S("\"\\uDBFF\\uDFFF\\uabcd\\uABCD\""),
    S("\"\x7f\""),
    S("\"gr\xc3\xbc\xc3\x9f\xf0\x9f\x98\x80\""),
    S("[1,2 , 3]"),
    S("{ \"a\" : [ { \"b\" : null } ] , \"c\" : \"}\" }"),
    S("\"\xe2\x80\xa8\""),
    S("[1e1,1E1,1e+1,1e-1]"),
    S("\"a string of more than eight bytes, then \\\" and the rest\""),
};

static const struct slice bad[] = {
    S(""),
    S(" "),
    S("nul"),
    S("nulll"),
    S("True"),
    S("NaN"),
    S("Infinity"),
    S("-"),
    S("+1"),
    S("01"),
    S("-01"),
    S("1."),
    S(".5"),
    S("1e"),
    S("1e+"),
    S("0x10"),
    S("1_000"),
    S("1 2"),
    S("'a'"),
    S("\""),
    S("\"\\"),
    S("\"\\\""),
    S("\"\\x\""),
    S("\"\\u12\""),
    S("\"\\u12g4\""),
    S("\"\\u\""),
    S("\"\\U1234\""),
    S("\"tab\there\""),
    S("\"line\nend\""),
    S("\"zero\0byte\""),
    S("["),
    S("]"),
    S("[1"),
    S("[1,]"),
    S("[,1]"),
    S("[1,,2]"),
    S("[1 2]"),
    S("[1}"),
    S("[}"),
    S("{"),
    S("}"),
    S("{]"),
    S("{1:2}"),
    S("{\"a\"}"),
    S("{\"a\":}"),
    S("{\"a\" 1}"),
    S("{\"a\":1,}"),
    S("{,}"),
    S("{\"a\":1 \"b\":2}"),
    S("{a:1}"),
    S("{\"a\":1}}"),
    S("[]]"),
    S("{}{}"),
    S("[1]//"),
    S("/**/1"),
    S("\xef\xbb\xbf{}"),
    S("\"\xff\""),
    S("\"\xc0\x80\""),
    S("\"\xed\xa0\x80\""),
    S("\"\xf4\x90\x80\x80\""),
    S("\"\xe2\x82\""),
    S("\x00"),
    S("1\0"),
    S("\"long enough for a word\x1f and more text\""),
    S("\"1234567\x01"),
    S("[\"a\""),
    S("{\"a\":\"b\""),
};

static void accepts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct json_fault fault = {0};
        if (!json_check(good[i], &fault))
            fail_msg("%.*s: %s at %zu", SLICE_ARG(good[i]), fault.what, fault.offset);
    }
}

static void rejects(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct json_fault fault = {0};
        if (json_check(bad[i], &fault))
            fail_msg("accepted: %.*s", SLICE_ARG(bad[i]));
        assert_non_null(fault.what);
        assert_true(fault.offset <= bad[i].n);
        assert_false(json_check(bad[i], NULL));
    }
    assert_false(json_check(SLICE_NONE, NULL));
}

// Copies in memory of exactly their size, so that a sanitizer sees one byte too many; and every
// beginning of a good text is bad.
static void never_reads_beyond(void **state) {
    (void)state;
    static const char text[] =
        "{\"a\":[1,-2.5e3,\"x\\u00e9\\n\xc3\xbc, long enough\"],\"b\":{\"c\":null}}";
    for (size_t n = 0; n <= sizeof text - 1; n++) {
        char *copy = malloc(n + !n);
        memcpy(copy, text, n);
        assert_int_equal(json_check(slice_of(copy, n), NULL), n == sizeof text - 1);
        free(copy);
    }
}

static void says_where(void **state) {
    (void)state;
    struct json_fault fault;
    json_check(SLICE("{\"a\": tru}"), &fault);
    assert_int_equal(fault.offset, 6);
    json_check(SLICE("[1, \"\xff\"]"), &fault);
    assert_int_equal(fault.offset, 5);
    assert_string_equal(fault.what, "invalid UTF-8");
    json_check(SLICE("[] x"), &fault);
    assert_int_equal(fault.offset, 3);
}

// A control character, quote or backslash at every place of a string: the fast steps miss none.
static void every_place_of_a_string(void **state) {
    (void)state;
    for (size_t n = 1; n < 30; n++)
        for (size_t place = 0; place < n; place++)
            for (int c = 0; c < 256; c++) {
                char text[34];
                memset(text, 'x', sizeof text);
                text[0] = text[n + 1] = '"';
                text[1 + place] = (char)c;
                bool fine = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
                assert_int_equal(json_check(slice_of(text, n + 2), NULL), fine);
            }
}

static void depth_is_bounded(void **state) {
    (void)state;
    static char text[2 * (JSON_MAX_DEPTH + 1)];
    for (size_t depth = JSON_MAX_DEPTH; depth <= JSON_MAX_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        struct json_fault fault = {0};
        bool is_good = json_check(slice_of(text, 2 * depth), &fault);
        assert_int_equal(is_good, depth == JSON_MAX_DEPTH);
    }
}

// Random edits of a good text: whatever is accepted is what cJSON accepts as well, as far as the
// two mean the same by JSON.
static void agrees_with_cjson(void **state) {
    (void)state;
    static const char text[] =
        "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\n\"],\"b\":{\"c\":[]},\"d\":\"\"}";
    static const char letters[] = "{}[],:\"\\0123456789.-+eE ntfua";
    struct random random = {7};
    int accepted = 0;
    for (int round = 0; round < 50000; round++) {
        char copy[sizeof text];
        memcpy(copy, text, sizeof text);
        for (int64_t edits = 1 + random_below(&random, 3); edits; edits--)
            copy[random_below(&random, sizeof text - 1)] =
                letters[random_below(&random, sizeof letters - 1)];
        bool ours = json_check(slice_of(copy, sizeof text - 1), NULL);
        if (!ours)
            continue; // cJSON is more generous with numbers and half surrogates are its own affair
        accepted++;
        cJSON *tree = cJSON_ParseWithOpts(copy, NULL, 1);
        if (!tree && !strstr(copy, "\\u"))
            fail_msg("only we accept %s", copy);
        cJSON_Delete(tree);
    }
    assert_true(accepted > 1000);
}

static void types(void **state) {
    (void)state;
    assert_int_equal(json_type(SLICE_NONE), JSON_ABSENT);
    assert_int_equal(json_type(SLICE("  ")), JSON_ABSENT);
    assert_int_equal(json_type(SLICE(" null")), JSON_NULL);
    assert_int_equal(json_type(SLICE("true")), JSON_BOOL);
    assert_int_equal(json_type(SLICE("false")), JSON_BOOL);
    assert_int_equal(json_type(SLICE("-1")), JSON_NUMBER);
    assert_int_equal(json_type(SLICE("\"\"")), JSON_STRING);
    assert_int_equal(json_type(SLICE("[]")), JSON_ARRAY);
    assert_int_equal(json_type(SLICE("{}")), JSON_OBJECT);
}

#define assert_slice(s, text) assert_true(slice_eq(s, SLICE(text)))

static void fields_are_the_bytes(void **state) {
    (void)state;
    struct slice a, b, missing, empty, unescaped;
    const struct json_field fields[] = {
        {"a", &a}, {"missing", &missing}, {"b", &b}, {"", &empty}, {"na\xc3\xafve", &unescaped},
    };
    assert_true(
        json_fields(SLICE(" { \"b\" : 9007199254740993 , \"aa\":1,\"a\" : \"x\\u0000\\\"}\" , "
                          "\"\": [ {\"a\":0} , \"]\" ],\"na\\u00efve\":-0.10e+2 } "),
                    fields, 5));
    assert_slice(a, "\"x\\u0000\\\"}\"");
    assert_slice(b, "9007199254740993");
    assert_slice(empty, "[ {\"a\":0} , \"]\" ]");
    assert_slice(unescaped, "-0.10e+2");
    assert_null(missing.p);
}

static void the_last_of_two_names_counts(void **state) {
    (void)state;
    assert_slice(json_get(SLICE("{\"a\":1,\"b\":2,\"a\":3}"), "a"), "3");
    assert_slice(json_get(SLICE("{\"a\":1,\"\\u0061\":null}"), "a"), "null");
}

// In one pass or in two: the same, for these bytes in memory of exactly their size.
static void agree_on_fields(const char *bytes, size_t n) {
    struct slice one[4], two[4];
    struct json_field first[4], second[4];
    static const char *const names[] = {"a", "b", "na\xc3\xafve", "a\\nb"};
    for (size_t i = 0; i < 4; i++) {
        first[i] = (struct json_field){names[i], &one[i]};
        second[i] = (struct json_field){names[i], &two[i]};
    }
    char *copy = malloc(n + !n);
    memcpy(copy, bytes, n);
    struct slice text = slice_of(copy, n);
    bool is_good = json_check(text, NULL) && json_fields(text, second, 4);
    if (json_check_fields(text, first, 4, JSON_MAX_DEPTH) != is_good)
        fail_msg("%.*s", SLICE_ARG(text));
    for (size_t i = 0; is_good && i < 4; i++)
        assert_true(one[i].p == two[i].p && one[i].n == two[i].n);
    free(copy);
}

static void checked_in_one_pass(void **state) {
    (void)state;
    static const char text[] = " { \"b\" : {\"a\":[1,{}]} , \"a\\nb\":1,\"na\\u00efve\":-1.5e3, "
                               "\"\\u0061\":\"x\\\"y\" ,\"b\":null} ";
    size_t n = sizeof text - 1;
    char changed[sizeof text];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        agree_on_fields(good[i].p, good[i].n);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        agree_on_fields(bad[i].p, bad[i].n);
    for (size_t cut = 0; cut <= n; cut++)
        agree_on_fields(text, cut);
    for (size_t at = 0; at < n; at++)
        for (int c = 0; c < 256; c++) {
            memcpy(changed, text, n);
            changed[at] = (char)c;
            agree_on_fields(changed, n);
        }
}

// A row as deep as can be is one level deeper in its result.
static void an_object_around_the_deepest(void **state) {
    (void)state;
    static char text[2 * JSON_MAX_DEPTH + 20];
    for (int more = 0; more < 2; more++) {
        int n = snprintf(text, sizeof text, "{\"a\":");
        for (int i = 0; i < JSON_MAX_DEPTH + more; i++)
            text[n++] = '[';
        for (int i = 0; i < JSON_MAX_DEPTH + more; i++)
            text[n++] = ']';
        text[n++] = '}';
        assert_int_equal(json_check_fields(slice_of(text, (size_t)n), NULL, 0, JSON_MAX_DEPTH),
                         !more);
    }
}

static void no_object_no_fields(void **state) {
    (void)state;
    struct slice a = SLICE("old");
    assert_false(json_fields(SLICE("[\"a\",1]"), &(struct json_field){"a", &a}, 1));
    assert_null(a.p);
    assert_null(json_get(SLICE("\"a\""), "a").p);
    assert_null(json_get(SLICE_NONE, "a").p);
    assert_null(json_get(SLICE("{}"), "a").p);
    assert_null(json_get(SLICE("{\"ab\":1}"), "a").p);
    assert_null(json_get(SLICE("{\"a\":1}"), "ab").p);
    assert_null(json_get(SLICE("{\"a\":1}"), "a\\").p);
}

static void walks(void **state) {
    (void)state;
    struct slice name, value;
    struct json_walk w = json_walk(SLICE(" [1 , \"a,]\",[2,[3]],{\"x\":[]} ]"));
    static const char *const elements[] = {"1", "\"a,]\"", "[2,[3]]", "{\"x\":[]}"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(json_next_element(&w, &value));
        assert_true(slice_is(value, elements[i]));
    }
    assert_false(json_next_element(&w, &value));
    assert_false(json_next_element(&w, &value));
    w = json_walk(SLICE("{\"a\\\"\":\"\\\\\",\"b\":{}}"));
    assert_true(json_next_member(&w, &name, &value));
    assert_slice(name, "\"a\\\"\"");
    assert_slice(value, "\"\\\\\"");
    assert_true(json_next_member(&w, &name, &value));
    assert_slice(value, "{}");
    assert_false(json_next_member(&w, &name, &value));
    w = json_walk(SLICE("7"));
    assert_false(json_next_element(&w, &value));
    w = json_walk(SLICE_NONE);
    assert_false(json_next_element(&w, &value));
}

static void decodes(void **state) {
    (void)state;
    static const struct {
        struct slice token, text;
        bool whole;
    } cases[] = {
        {S("\"\""), S(""), true},
        {S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), S("\"\\/\b\f\n\r\t"), true},
        {S("\"a\\u0000b\""), S("a\0b"), true},
        {S("\"\\u00e9\\u20AC\\ud83d\\ude00\""), S("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), true},
        {S("\"\\ud83d\""), S("\xef\xbf\xbd"), false},
        {S("\"\\ude00x\""), S("\xef\xbf\xbdx"), false},
        {S("\"\\ud83d\\n\""), S("\xef\xbf\xbd\n"), false},
        {S("\"\\ud83d\\ud83d\\ude00\""), S("\xef\xbf\xbd\xf0\x9f\x98\x80"), false},
    };
    struct buf b = BUF_INIT(100);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&b);
        assert_int_equal(json_string_decode(cases[i].token, &b), cases[i].whole);
        assert_true(slice_eq(buf_slice(&b), cases[i].text));
    }
    buf_free(&b);
}

static void string_is(void **state) {
    (void)state;
    assert_true(json_string_is(SLICE("\"POST\""), "POST"));
    assert_true(json_string_is(SLICE("\"P\\u004fST\""), "POST"));
    assert_true(json_string_is(SLICE("\"\""), ""));
    assert_false(json_string_is(SLICE("\"POST\\u0000\""), "POST"));
    assert_false(json_string_is(SLICE("\"POS\""), "POST"));
    assert_false(json_string_is(SLICE("POST"), "POST"));
    assert_false(json_string_is(SLICE("\"\\n\""), "\\n")); // the escape is not its spelling
    assert_true(json_string_is(SLICE("\"\\\\n\""), "\\n"));
}

// Any text survives being written and read again.
static void writes_what_it_reads(void **state) {
    (void)state;
    struct random random = {3};
    struct buf text = BUF_INIT(1000), token = BUF_INIT(10000), again = BUF_INIT(1000);
    for (int round = 0; round < 5000; round++) {
        buf_clear(&text);
        buf_clear(&token);
        buf_clear(&again);
        for (int64_t n = random_below(&random, 30); n; n--) {
            static const uint32_t ranges[] = {0x20, 0x80, 0x800, 0xd800, 0x110000};
            uint32_t c = (uint32_t)random_below(&random, ranges[random_below(&random, 5)]);
            utf8_add(&text, c >= 0xd800 && c <= 0xdfff ? 'x' : c);
        }
        json_add_string(&token, buf_slice(&text));
        assert_true(json_check(buf_slice(&token), NULL));
        assert_true(json_string_decode(buf_slice(&token), &again));
        assert_true(slice_eq(buf_slice(&text), buf_slice(&again)));
    }
    buf_free(&text);
    buf_free(&token);
    buf_free(&again);
}

static void escapes_only_what_it_must(void **state) {
    (void)state;
    struct buf b = BUF_INIT(200);
    json_add_string(&b, SLICE("a\"\\/\b\f\n\r\t\x01\x1f\x7f\0\xc3\xbc"));
    assert_slice(buf_slice(&b), "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\xc3\xbc\"");
    buf_clear(&b);
    buf_add_char(&b, '{');
    json_add_name(&b, "a");
    buf_add_char(&b, '1');
    json_add_name(&b, "b");
    assert_slice(buf_slice(&b), "{\"a\":1,\"b\":");
    buf_free(&b);
}

static void numbers(void **state) {
    (void)state;
    int64_t i;
    double d;
    assert_true(json_int(SLICE("9223372036854775807"), &i) && i == INT64_MAX);
    assert_true(json_int(SLICE("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_false(json_int(SLICE("9223372036854775808"), &i));
    assert_false(json_int(SLICE("-9223372036854775809"), &i));
    assert_false(json_int(SLICE("99999999999999999999"), &i));
    assert_false(json_int(SLICE("1.0"), &i));
    assert_false(json_int(SLICE("1e2"), &i));
    assert_false(json_int(SLICE("-"), &i));
    assert_false(json_int(SLICE("\"1\""), &i));
    assert_false(json_int(SLICE_NONE, &i));
    assert_true(json_double(SLICE("-1.5e1"), &d) && d == -15);
    assert_false(json_double(SLICE("\"1\""), &d));
    assert_false(json_double(SLICE_NONE, &d));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(rejects),
        cmocka_unit_test(never_reads_beyond),
        cmocka_unit_test(says_where),
        cmocka_unit_test(every_place_of_a_string),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(agrees_with_cjson),
        cmocka_unit_test(types),
        cmocka_unit_test(fields_are_the_bytes),
        cmocka_unit_test(the_last_of_two_names_counts),
        cmocka_unit_test(checked_in_one_pass),
        cmocka_unit_test(an_object_around_the_deepest),
        cmocka_unit_test(no_object_no_fields),
        cmocka_unit_test(walks),
        cmocka_unit_test(decodes),
        cmocka_unit_test(string_is),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(escapes_only_what_it_must),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
