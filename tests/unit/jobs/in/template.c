// template.c: placeholders, braces, escapes.
// SPDX-License-Identifier: MIT
#include "jobs/in/template.h"

#include "jobs/base/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

// A row with a few fields; the context counts how often it was asked.
static struct slice field(void *row, struct slice name) {
    ++*(int *)row;
    if (slice_is(name, "s"))
        return SLICE("\"a\\u0000\\\"\\n\xc3\xbc\"");
    if (slice_is(name, "n"))
        return SLICE("9007199254740993");
    if (slice_is(name, "o"))
        return SLICE("{\"x\": [1, \"\\n\"]}");
    if (slice_is(name, "two words"))
        return SLICE("\"2\"");
    if (slice_is(name, "empty"))
        return SLICE("\"\"");
    return SLICE_NONE;
}

static const struct {
    const char *text, *token;
} cases[] = {
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"{{s}}", "\"a\\u0000\\\"\\n\xc3\xbc\""},
    {"say \"{{n}}\"\n", "\"say \\\"9007199254740993\\\"\\n\""},
    {"{{o}}", "\"{\\\"x\\\": [1, \\\"\\\\n\\\"]}\""},
    {"{{ n }}{{n}}{{\tn\n}}", "\"900719925474099390071992547409939007199254740993\""},
    {"{{two words}}", "\"2\""},
    {"<{{empty}}>", "\"<>\""},
    {"{{{{n}}", "\"{{n}}\""},
    {"{{{{{{n}}", "\"{{9007199254740993\""},
    {"{{{n}}}", "\"{9007199254740993}\""},
    {"{{{{{n}}", "\"{{{n}}\""},
    {"{{{{{{{{", "\"{{{{\""},
    {"{ {n} }}", "\"{ {n} }}\""},
    {"{", "\"{\""},
    {"{\"q\": {{n}}}", "\"{\\\"q\\\": 9007199254740993}\""},
    {"\x01\\", "\"\\u0001\\\\\""},
};

static void renders(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        struct template *t = template_parse(slice_str(cases[i].text), &err);
        struct buf out = BUF_INIT(1000);
        struct slice missing = SLICE_NONE;
        int asked = 0;
        assert_non_null(t);
        assert_true(template_render(t, field, &asked, &out, &missing));
        if (!slice_is(buf_slice(&out), cases[i].token))
            fail_msg("%s: %s", cases[i].text, buf_cstr(&out));
        assert_true(json_check(buf_slice(&out), NULL));
        buf_free(&out);
        template_free(t);
    }
}

static void names_what_is_missing(void **state) {
    (void)state;
    struct error err = {0};
    struct template *t = template_parse(SLICE("{{n}} {{ nowhere }} {{nothing}}"), &err);
    struct buf out = BUF_INIT(1000);
    struct slice missing = SLICE_NONE;
    int asked = 0;
    assert_false(template_render(t, field, &asked, &out, &missing));
    assert_true(slice_is(missing, "nowhere"));
    assert_int_equal(asked, 2);
    assert_true(slice_is(template_name(t, 0), "n"));
    assert_true(slice_is(template_name(t, 2), "nothing"));
    assert_null(template_name(t, 3).p);
    assert_null(template_name(t, 99).p);
    buf_free(&out);
    template_free(t);
}

static const struct {
    const char *text, *says;
} faults[] = {
    {"{{", "not closed"},
    {"{{n", "not closed"},
    {"{{n}", "not closed"},
    {"{{n} }", "not closed"},
    {"one\ntwo {{n and {{n}}", "line 2"},
    {"{{}}", "name of a field"},
    {"\n\n{{  }}", "line 3"},
    {"gr\xff", "byte 3"},
};

static void says_what_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct error err = {0};
        assert_null(template_parse(slice_str(faults[i].text), &err));
        assert_int_equal(err.class, ERROR_USAGE);
        if (!strstr(err.text, faults[i].says) || !strstr(err.text, "--template"))
            fail_msg("%s: %s", faults[i].text, err.text);
    }
    template_free(NULL);
}

static void the_ceiling_holds(void **state) {
    (void)state;
    struct error err = {0};
    struct template *t = template_parse(SLICE("{{n}}{{n}}"), &err);
    struct buf out = BUF_INIT(20);
    struct slice missing;
    int asked = 0;
    template_render(t, field, &asked, &out, &missing);
    assert_true(out.failed);
    buf_free(&out);
    template_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders),
        cmocka_unit_test(names_what_is_missing),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(the_ceiling_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
