// foreign.c (test): names of other tools lead to options that the command has.
// SPDX-License-Identifier: MIT
#include "runner/options/foreign.h"

#include "runner/config.h"
#include "tests/unit/quiet.h"

static const struct command run = {.name = "run", .options = run_options};
static const struct option only_port[] = {{.name = "port"}, OPTIONS_END};
static const struct command other = {.name = "other", .options = only_port};

static const char *advice(const char *name) {
    const char *text = foreign_advice(&run, slice_str(name));
    return text ? text : "";
}

static void common_names_lead_to_ours(void **state) {
    static const struct {
        const char *name, *option;
    } rows[] = {
        {"concurrency", "--slots"},
        {"parallel", "--slots-per-key"},
        {"max_workers", "--slots"},
        {"Max-Concurrency", "--slots"},
        {"retries", "--max-retries"},
        {"num-retries", "--max-retries"},
        {"max-attempts", "--max-retries"},
        {"base_url", "--base-url"},
        {"endpoint", "--base-url"},
        {"rate", "--rpm"},
        {"rps", "--rpm"},
        {"verbose", "--log-level"},
        {"output-format", "--format"},
        {"outfile", "--output"},
        {"output_file", "--output"},
        {"resume", "automatic"},
        {"request-timeout", "--timeout"},
        {"system-prompt", "--system"},
        {"engine", "--model"},
        {"input-file", "batch-run INPUT"},
        {"force", "--overwrite"},
        {"proxy", "HTTPS_PROXY"},
        {"retry-delay", "--cooldown"},
        {"key-file", "--keys"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strstr(advice(rows[i].name), rows[i].option))
            fail_msg("--%s: '%s' does not name %s", rows[i].name, advice(rows[i].name),
                     rows[i].option);
    assert_string_equal(advice("zebra"), "");
    assert_string_equal(advice(""), "");
    assert_string_equal(advice("concurrency parallel"), "");
    assert_string_equal(advice("a-name-that-is-much-longer-than-any-option-could-be"), "");
}

static void letters_too(void **state) {
    (void)state;
    assert_non_null(strstr(foreign_letter_advice(&run, 'j'), "--slots-per-key"));
    assert_non_null(strstr(foreign_letter_advice(&run, 'v'), "--log-level"));
    assert_null(foreign_letter_advice(&run, 'Z'));
    assert_null(foreign_letter_advice(&run, '\0'));
}

static void a_command_without_the_option_gets_no_advice(void **state) {
    (void)state;
    assert_null(foreign_advice(&other, slice_str("concurrency")));
    assert_null(foreign_letter_advice(&other, 'j'));
}

static bool is_ours(const char *name, size_t n) {
    for (const struct option *o = run_options; o->name; o++)
        if (slice_is(slice_of(name, n), o->name))
            return true;
    return false;
}

// What an advice names must be there.
static void every_option_named_exists(void **state) {
    (void)state;
    for (char letter = 'A'; letter <= 'z'; letter++) {
        const char *text = foreign_letter_advice(&run, letter);
        while (text && (text = strstr(text, "--"))) {
            size_t n = strspn(text + 2, "abcdefghijklmnopqrstuvwxyz-");
            assert_true(is_ours(text + 2, n));
            text += 2 + n;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(common_names_lead_to_ours),
        cmocka_unit_test(letters_too),
        cmocka_unit_test(a_command_without_the_option_gets_no_advice),
        cmocka_unit_test(every_option_named_exists),
    };
    QUIET_RUN(tests);
}
