// completion_script.c: tests of runner/completion_*.c: each shell knows each option and no other.
// SPDX-License-Identifier: MIT
#include "runner/pages/completion_script.h"

#include "tests/unit/runner/pages/pages.h"
#include "tests/unit/runner/sample_commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct option *option(const struct command *command, const char *name) {
    const struct option *o = command->options;
    while (strcmp(o->name, name) != 0)
        o++;
    return o;
}

static void test_kinds(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum completion_kind kind;
    } cases[] = {
        {"strict", COMPLETE_NOTHING}, {"timeout", COMPLETE_ANY},  {"progress", COMPLETE_WORDS},
        {"keys", COMPLETE_FILE},      {"output", COMPLETE_FILE},  {"template", COMPLETE_AT_FILE},
        {"cacert", COMPLETE_FILE},    {"summary", COMPLETE_FILE}, {"provider", COMPLETE_PROVIDER},
        {"limit", COMPLETE_ANY},      {"cooldown", COMPLETE_ANY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(completion_kind_of(option(&run_command, cases[i].name)), cases[i].kind);
}

// The form in which each shell's script names an option.
static void name_in(const char *shell, const struct option *o, char *text, size_t size) {
    if (strcmp(shell, "bash") == 0)
        snprintf(text, size, " --%s ", o->name);
    else if (strcmp(shell, "fish") == 0)
        snprintf(text, size, " -l %s ", o->name);
    else if (o->letter)
        snprintf(text, size, ",--%s%s}'[", o->name, o->type == OPTION_FLAG ? "" : "=");
    else
        snprintf(text, size, " '--%s%s[", o->name, o->type == OPTION_FLAG ? "" : "=");
}

static void test_all_options(void **state) {
    (void)state;
    for (const struct completion_shell *s = completion_shells; s->name; s++) {
        struct buf b = BUF_INIT(1 << 20);
        s->add_script(&b, "alpha beta");
        assert_false(b.failed);
        for (size_t i = 0; commands[i]; i++)
            for (const struct option *o = commands[i]->options; o && o->name; o++) {
                char text[100];
                name_in(s->name, o, text, sizeof text);
                if (!strstr(buf_cstr(&b), text) && !strstr(buf_cstr(&b), text + 1))
                    fail_msg("%s does not know --%s", s->name, o->name);
            }
        assert_non_null(strstr(buf_cstr(&b), "alpha beta"));
        assert_non_null(strstr(buf_cstr(&b), "red green blue"));
        buf_free(&b);
    }
}

static void test_quoting(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1 << 20);
    completion_add_zsh(&b, "");
    assert_non_null(strstr(buf_cstr(&b), "What'\\''s \"wrong\" \\[or not\\]\\: .dots, \\\\ and"));
    buf_clear(&b);
    completion_add_fish(&b, "");
    assert_non_null(strstr(buf_cstr(&b), "-d 'What\\'s \"wrong\" [or not]: .dots, \\\\ and"));
    buf_free(&b);
}

static void test_operands(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1000);
    assert_true(completion_add_operands(&b, &help_command));
    assert_string_equal(buf_cstr(&b), "run simulate help manual");
    assert_false(completion_add_operands(&b, &run_command));
    assert_false(completion_add_operands(&b, &simulate_command));
    buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_all_options),
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
