// help_text.c: tests of runner/pages/help_text.c: everything is there, in the width that was promised.
// SPDX-License-Identifier: MIT
#include "runner/pages/help_text.h"

#include "tests/unit/runner/pages/pages.h"
#include "tests/unit/runner/sample_commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct help_style plain = {"", ""};

static void assert_has(const char *page, const char *text) {
    if (!strstr(page, text))
        fail_msg("not in the page: %s", text);
}

static void assert_options(const char *page, const struct command *command) {
    int listed = 0;
    for (const struct option *o = command->options; o->name; o++) {
        char line[100];
        snprintf(line, sizeof line, o->letter ? "\n  -%c, --%s" : "\n %c    --%s",
                 o->letter ? o->letter : ' ', o->name);
        if (occurrences(page, line) < 1)
            fail_msg("--%s is missing", o->name);
        listed++;
    }
    assert_int_equal(occurrences(page, "\n      --") + occurrences(page, ", --"), listed);
}

static void test_command(void **state) {
    (void)state;
    struct buf b = BUF_INIT(100000);
    help_add_command(&b, &run_command, &plain);
    const char *page = buf_cstr(&b);
    assert_has(page, "run: Send every row of INPUT\n\nUsage: batch-run [run] INPUT [options]\n");
    assert_has(page, "\nSends rows.\n\nWrites results.\n");
    assert_options(page, &run_command);
    assert_has(page, "[64MiB]\n");
    assert_has(page, "--progress auto|bar|plain|json|off\n");
    assert_has(page, "BATCH_RUN_INPUT_FORMAT for --input-format");
    assert_true(longest_line(page) <= 100);
    assert_int_equal(occurrences(page, "\033"), 0);
    assert_int_equal(occurrences(page, " \n"), 0);
    buf_free(&b);
}

static void test_other_commands(void **state) {
    (void)state;
    struct buf b = BUF_INIT(100000);
    help_add_command(&b, &simulate_command, &plain);
    assert_has(buf_cstr(&b), "Usage: batch-run simulate [options]\n");
    assert_has(buf_cstr(&b), "BATCH_RUN_SIMULATE_PORT for --port");
    assert_has(buf_cstr(&b), "\nFaults:\n      --fault KIND=RATE,\xe2\x80\xa6  ");
    assert_options(buf_cstr(&b), &simulate_command);
    buf_clear(&b);
    help_add_command(&b, &help_command, &plain);
    assert_has(buf_cstr(&b), "Usage: batch-run help [COMMAND|manual]\n");
    assert_has(buf_cstr(&b), "\n    batch-run help manual | man -l -\n");
    assert_int_equal(occurrences(buf_cstr(&b), "Environment"), 0);
    buf_free(&b);
}

static void test_overview(void **state) {
    (void)state;
    struct buf b = BUF_INIT(100000);
    help_add_overview(&b, &plain);
    const char *page = buf_cstr(&b);
    assert_has(page, "\n  run INPUT  ");
    assert_has(page, "\n  simulate   ");
    assert_options(page, &run_command);
    static const char *const codes[] = {"\n    0  ", "\n    1  ", "\n    2  ",
                                        "\n    3  ", "\n    4  ", "\n  130  "};
    for (size_t i = 0; i < 6; i++)
        assert_has(page, codes[i]);
    assert_has(page, "\nExamples:\n  batch-run ");
    assert_true(longest_line(page) <= 100);
    assert_int_equal(page[strlen(page) - 1], '\n');
    buf_free(&b);
}

// Bold marks headings and names; taken out again, the page is the plain one.
static void test_bold(void **state) {
    (void)state;
    struct buf bold = BUF_INIT(100000), bare = BUF_INIT(100000), stripped = BUF_INIT(100000);
    help_add_overview(&bold, &(struct help_style){"<b>", "</b>"});
    help_add_overview(&bare, &plain);
    assert_int_equal(occurrences(buf_cstr(&bold), "<b>"), occurrences(buf_cstr(&bold), "</b>"));
    for (const char *p = buf_cstr(&bold); *p; p++) {
        if (strncmp(p, "<b>", 3) == 0)
            p += 2;
        else if (strncmp(p, "</b>", 4) == 0)
            p += 3;
        else
            buf_add_char(&stripped, *p);
    }
    assert_string_equal(buf_cstr(&stripped), buf_cstr(&bare));
    buf_free(&bold);
    buf_free(&bare);
    buf_free(&stripped);
}

static void test_no_colours_without_terminal(void **state) {
    (void)state;
    FILE *file = tmpfile();
    assert_string_equal(help_style_for(fileno(file)).bold, "");
    fclose(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_other_commands),
        cmocka_unit_test(test_overview),
        cmocka_unit_test(test_bold),
        cmocka_unit_test(test_no_colours_without_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
