// key_value.c: quotes, lists, placeholders and references in the values of key variables.
// SPDX-License-Identifier: MIT
#include "pool/keys/key_value.h"

#include "tests/unit/pool/test.h"

static void takes_one_pair_of_quotes_off(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected; // NULL: no quotes
    } cases[] = {{"\"a\"", "a"}, {"'a b'", "a b"}, {"`a`", "a"},  {"\"'a'\"", "'a'"},
                 {"\"a'", NULL}, {"\"", NULL},     {"a\"", NULL}, {"", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice value = slice_str(cases[i].text);
        assert_int_equal(value_unquote(&value), cases[i].expected != NULL);
        assert_true(slice_is(value, cases[i].expected ? cases[i].expected : cases[i].text));
    }
}

static void knows_placeholders(void **state) {
    (void)state;
    static const char *const yes[] = {
        "your-api-key-here",
        "YOUR_OPENAI_API_KEY",
        "<your key>",
        "changeme",
        "sk-...",
        "sk-xxxxxxxx",
        "xxx",
        "sk-proj-****",
        "<key>",
        "{{ key }}",
        "placeholder",
        "insert-key",
        "sk-\xe2\x80\xa6",
        "null",
    };
    static const char *const no[] = {"sk-proj-abcxxx", "a",     "AIzaSyYour", "xx",
                                     "gsk_9xXx0aXXX",  "EMPTY", "yourself",   "sk-yourea"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!value_is_placeholder(slice_str(yes[i])))
            fail_msg("%s is a placeholder", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (value_is_placeholder(slice_str(no[i])))
            fail_msg("%s is not a placeholder", no[i]);
}

// The items with '|' between, and the fault behind a '!'.
static void assert_items(const char *text, const char *expected) {
    struct buf scratch = BUF_INIT(4096), b = BUF_INIT(4096);
    struct value_items items = value_items(slice_str(text), &scratch);
    struct slice item;
    while (value_next(&items, &item))
        buf_addf(&b, "%.*s|", SLICE_ARG(item));
    if (items.fault)
        buf_addf(&b, "!%.10s", items.fault);
    assert_string_equal(buf_cstr(&b), expected);
    buf_free(&scratch);
    buf_free(&b);
}

static void takes_lists_apart(void **state) {
    (void)state;
    assert_items("a", "a|");
    assert_items(" a ,, b,", "a|b|");
    assert_items("", "");
    assert_items("[\"a\", \"b\\u0063\", \"\"]", "a|bc|");
    assert_items("[]", "");
    assert_items("[a, b]", "!looks like");
    assert_items("[\"a\", 1]", "a|!is a list ");
    assert_items("['a']", "!looks like");
}

static bool find(void *context, struct slice name, struct slice *value, struct value_fault *fault) {
    (void)context;
    *value = SLICE_NONE;
    if (slice_is(name, "A"))
        *value = SLICE("one");
    else if (slice_is(name, "EMPTY"))
        *value = SLICE("");
    else if (slice_is(name, "BAD"))
        *fault = (struct value_fault){"refers to itself", name};
    return !slice_is(name, "BAD");
}

static void assert_expands(const char *text, const char *expected) {
    struct buf b = BUF_INIT(4096);
    struct value_fault fault = {0};
    const struct value_names names = {find, NULL};
    bool good = value_expand(slice_str(text), &names, &b, &fault);
    if (!good) {
        buf_clear(&b);
        buf_addf(&b, "!%s %.*s", fault.what, SLICE_ARG(fault.name));
    }
    if (strcmp(buf_cstr(&b), expected) != 0)
        fail_msg("%s: \"%s\", expected \"%s\"", text, buf_cstr(&b), expected);
    buf_free(&b);
}

static void resolves_references(void **state) {
    (void)state;
    assert_expands("plain $A $", "plain $A $");
    assert_expands("${A}", "one");
    assert_expands("x${A}y${A}z", "xoneyonez");
    assert_expands("${B:-two}${B-three}${EMPTY:-four}${EMPTY-five}",
                   "twothreefourfive"); // empty is not set
    assert_expands("${B:-${A}-${C:-x}}", "one-x");
    assert_expands("${A:-${NOT_SET}}", "one");
    assert_expands("${B}", "!refers to a variable that is not set B");
    assert_expands("${BAD}", "!refers to itself BAD");
    assert_expands("${A", "!holds a ${ that is not closed ");
    assert_expands("${}", "!holds a ${ that is not a reference to a variable ");
    assert_expands("${A B}", "!holds a ${ that is not a reference to a variable ");
    assert_expands("${A:?x}", "!holds a ${ that is not a reference to a variable ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_one_pair_of_quotes_off),
        cmocka_unit_test(knows_placeholders),
        cmocka_unit_test(takes_lists_apart),
        cmocka_unit_test(resolves_references),
    };
    RUN_TESTS(tests);
}
