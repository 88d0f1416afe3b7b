// manual_page.c: tests of runner/pages/manual_page.c: sections, options, and text that roff leaves alone.
// SPDX-License-Identifier: MIT
#include "runner/pages/manual.h"

#include "tests/unit/runner/pages/pages.h"
#include "tests/unit/runner/sample_commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct buf page;

static int make_page(void **state) {
    (void)state;
    page = BUF_INIT(1 << 20);
    manual_add_page(&page);
    return page.failed;
}

static int drop_page(void **state) {
    (void)state;
    buf_free(&page);
    return 0;
}

static void assert_has(const char *text) {
    if (!strstr(buf_cstr(&page), text))
        fail_msg("not in the page: %s", text);
}

static void test_sections(void **state) {
    (void)state;
    static const char *const titles[] = {"NAME",
                                         "SYNOPSIS",
                                         "DESCRIPTION",
                                         "COMMANDS",
                                         "OPTIONS",
                                         "INPUT",
                                         "KEYS AND PROVIDERS",
                                         "PROVIDERS OF YOUR OWN",
                                         "SEVERAL PROVIDERS",
                                         "WHICH KEY, AND WHEN",
                                         "MORE CORES",
                                         "RESULTS",
                                         "WHAT IS A GOOD ANSWER",
                                         "RESUMING",
                                         "STRAGGLERS",
                                         "ORDER",
                                         "STREAMS",
                                         "BUDGETS",
                                         "OUTAGES",
                                         "SUMMARY",
                                         "WHAT IS REMEMBERED",
                                         "ENVIRONMENT",
                                         "FILES",
                                         "SIGNALS",
                                         "EXIT STATUS",
                                         "EXAMPLES",
                                         "SEE ALSO"};
    const char *at = buf_cstr(&page);
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        char line[60];
        snprintf(line, sizeof line, "\n.Sh %s\n", titles[i]);
        at = strstr(at, line);
        if (!at)
            fail_msg("the section %s is missing or out of order", titles[i]);
    }
    assert_int_equal(occurrences(buf_cstr(&page), "\n.Sh "), sizeof titles / sizeof *titles);
}

// The name as the page writes it: every hyphen is a minus, so that it can be copied.
static void escape(const char *name, char *out) {
    for (; *name; name++) {
        if (*name == '-')
            *out++ = '\\';
        *out++ = *name;
    }
    *out = '\0';
}

static void test_options_and_variables(void **state) {
    (void)state;
    int options = 0, variables = 0;
    for (size_t i = 0; commands[i]; i++)
        for (const struct option *o = commands[i]->options; o && o->name; o++) {
            char name[100], line[300], variable[OPTION_VARIABLE_MAX];
            escape(o->name, name);
            snprintf(line, sizeof line, "Fl \\-%s%s", name, o->type == OPTION_FLAG ? "\n" : " Ar ");
            assert_has(line);
            options++;
            if (!option_variable(commands[i], o, variable))
                continue;
            snprintf(line, sizeof line, "\n.It Ev %s\n", variable);
            assert_has(line);
            variables++;
        }
    assert_int_equal(occurrences(buf_cstr(&page), "\n.It Fl "), options);
    assert_int_equal(occurrences(buf_cstr(&page), "\n.It Ev "), variables);
}

static void test_nothing_roff_would_take(void **state) {
    (void)state;
    assert_has(
        "What\\(aqs \\(dqwrong\\(dq [or not]: \\&.dots, \\e and \\fBmarks\\fR.\nEnds here.\n");
    assert_has("KIND=RATE,\\[u2026]\n");
    for (size_t i = 0; i < page.n; i++)
        assert_true((unsigned char)page.p[i] < 0x80);
    assert_true(longest_line(buf_cstr(&page)) <= 130); // escapes included; mandoc lints the rest
    assert_int_equal(occurrences(buf_cstr(&page), "\n\n"), 0);
    assert_int_equal(occurrences(buf_cstr(&page), " \n"), 0);
    assert_int_equal(occurrences(buf_cstr(&page), "\n'"), 0);
    assert_int_equal(occurrences(buf_cstr(&page), "\\fB"), occurrences(buf_cstr(&page), "\\fR"));
}

static void test_defaults(void **state) {
    (void)state;
    assert_has("Default: 600s\n");
    assert_has("Default: 64MiB\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_options_and_variables),
        cmocka_unit_test(test_nothing_roff_would_take),
        cmocka_unit_test(test_defaults),
    };
    return cmocka_run_group_tests(tests, make_page, drop_page);
}
