// options.c: tests of runner/options/options.c: words, environment, defaults, and what is refused.
// SPDX-License-Identifier: MIT
#include "tests/unit/runner/sample_commands.h"

#include "jobs/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define WORDS_MAX 12

// The words that were parsed, with what came of them.
struct parsed {
    struct sample_config c;
    struct error err;
    char *words[WORDS_MAX];
    int operands;
    bool good;
};

static struct parsed parse_words(const char *const *words) {
    struct parsed p = {0};
    int n = 0;
    for (; words[n]; n++)
        p.words[n] = (char *)words[n];
    p.good = options_parse(&simulate_command, n, p.words, &p.c, &p.operands, &p.err);
    return p;
}

#define PARSE(...) parse_words((const char *const[]){__VA_ARGS__, NULL})

static void let_go(struct parsed *p) {
    options_free(&simulate_command, &p->c);
}

static void assert_refused(struct parsed p, const char *message) {
    static const struct sample_config nothing;
    assert_false(p.good);
    assert_int_equal(p.err.class, ERROR_USAGE);
    assert_string_equal(p.err.text, message);
    assert_memory_equal(&p.c, &nothing, sizeof nothing); // nothing is left to free
}

static void test_defaults(void **state) {
    (void)state;
    struct parsed p = parse_words((const char *const[]){NULL});
    assert_true(p.good);
    assert_int_equal(p.operands, 0);
    assert_true(p.c.rate == 0.25);
    assert_int_equal(p.c.pause, 1500000);
    assert_int_equal(p.c.size, 4096);
    assert_int_equal(p.c.colour, 1);
    assert_int_equal(p.c.port, 0);
    assert_null(p.c.fault);
    assert_false(p.c.loud);
}

static void test_forms(void **state) {
    (void)state;
    static const char *const forms[][3] = {
        {"--port", "80"}, {"--port=80"}, {"-p", "80"}, {"-p80"}, {"-lp80"}, {"-lsp", "80"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct parsed p = parse_words(forms[i]);
        assert_true(p.good);
        assert_int_equal(p.c.port, 80);
        assert_int_equal(p.c.loud, forms[i][0][1] == 'l');
    }
    struct parsed p = PARSE("--fault=a=b", "--text=", "--loud", "--still=no", "-c", "blue");
    assert_true(p.good);
    assert_string_equal(p.c.fault, "a=b"); // only the first = parts name and value
    assert_string_equal(p.c.text, "");
    assert_true(p.c.loud);
    assert_false(p.c.still);
    assert_int_equal(p.c.colour, 2);
    let_go(&p);
    p = PARSE("--fault", "--loud", "--text", "-"); // the word after an option is its value
    assert_string_equal(p.c.fault, "--loud");
    assert_string_equal(p.c.text, "-");
    assert_false(p.c.loud);
    let_go(&p);
    p = PARSE("--port", "1", "--fault", "x", "--port=2", "--fault=y", "-l",
              "--loud=0"); // the last counts
    assert_int_equal(p.c.port, 2);
    assert_string_equal(p.c.fault, "y");
    assert_false(p.c.loud);
    let_go(&p);
}

static void test_operands(void **state) {
    (void)state;
    struct parsed p = PARSE("a", "--port", "1", "-", "-l", "b", "--", "--port", "-l", "--");
    assert_true(p.good);
    assert_int_equal(p.operands, 6);
    static const char *const expected[] = {"a", "-", "b", "--port", "-l", "--"};
    for (int i = 0; i < 6; i++)
        assert_string_equal(p.words[i], expected[i]);
    assert_int_equal(p.c.port, 1);
}

// A model: whatever mixture of options and operands, each operand is found, in order, and the last
// value of each option counts.
static void test_mixtures(void **state) {
    (void)state;
    static const char *const operands[] = {"a", "-", "b.jsonl", ""};
    struct random r = {5};
    for (int round = 0; round < 20000; round++) {
        const char *words[WORDS_MAX] = {0}, *expected[WORDS_MAX];
        int n = 0, count = 0, port = 0;
        bool loud = false, over = false;
        while (n < WORDS_MAX - 3) {
            int64_t kind = random_below(&r, 6);
            if (kind == 0 && !over) {
                words[n++] = "--port";
                words[n++] = "7", port = 7;
            } else if (kind == 1 && !over) {
                words[n++] = "-p9", port = 9;
            } else if (kind == 2 && !over) {
                words[n++] = "-l", loud = true;
            } else if (kind == 3 && !over) {
                words[n++] = "--", over = true;
            } else if (kind == 4 && over) {
                words[n++] = expected[count++] = "--port";
            } else {
                words[n++] = expected[count++] = operands[random_below(&r, 4)];
            }
        }
        struct parsed p = parse_words(words);
        assert_true(p.good);
        assert_int_equal(p.operands, count);
        for (int i = 0; i < count; i++)
            assert_string_equal(p.words[i], expected[i]);
        assert_int_equal(p.c.port, port);
        assert_int_equal(p.c.loud, loud);
    }
}

static void test_refusals(void **state) {
    (void)state;
    assert_refused(PARSE("--prot", "1"), "unknown option --prot; did you mean --port?");
    assert_refused(PARSE("--fault-rate"), "unknown option --fault-rate");
    assert_refused(PARSE("--zebra=stripes"), "unknown option --zebra");
    assert_refused(PARSE("--=1"), "unknown option --");
    assert_refused(PARSE("--a\033[2J"), "unknown option --a?[2J");
    assert_refused(PARSE("-x"), "unknown option -x");
    assert_refused(PARSE("-lx"), "unknown option -x");
    assert_refused(PARSE("--port"), "--port: its value is missing; it takes N");
    assert_refused(PARSE("--fault", "kept", "-p"), "-p: its value is missing; it takes N");
    assert_refused(PARSE("-c"), "-c: its value is missing; it takes one of its words");
    assert_refused(PARSE("-px"), "-p: 'x' is not a whole number from 0 to 65535");
    assert_refused(PARSE("--text", "kept", "--port=-1"),
                   "--port: '-1' is not a whole number from 0 to 65535");
    assert_refused(PARSE("--loud=maybe"),
                   "--loud: 'maybe' is neither yes (true, 1) nor no (false, 0)");
}

static const char key_refused[] =
    "an API key never goes on the command line, where other users and the shell's history see it: "
    "put "
    "it into a file for --keys FILE, into .env, or into a variable such as OPENAI_API_KEY";

static void test_no_secrets(void **state) {
    (void)state;
    assert_refused(PARSE("--key=hunter2"), key_refused);
    assert_refused(PARSE("--api-key", "hunter2"), key_refused);
    assert_refused(PARSE("--OPENAI_API_KEY=hunter2"), key_refused);
    assert_refused(PARSE("--token=hunter2"), key_refused);
    assert_refused(PARSE("-key=hunter2"), key_refused);
    assert_refused(PARSE("--sk-abcdefghijklmnopqrstuvwx"), key_refused);
    assert_refused(PARSE("in.jsonl", "sk-abcdefghijklmnopqrstuvwx"), key_refused);
    assert_refused(PARSE("--", "sk-abcdefghijklmnopqrstuvwx"), key_refused);
    assert_refused(PARSE("OPENAI_API_KEY=hunter2"), key_refused);
    assert_refused(PARSE("--fault", "sk-abcdefghijklmnopqrstuvwx"), key_refused);
    assert_refused(PARSE("--port=sk-abcdefghijklmnopqrstuvwx"), key_refused);
    // a misspelt option with a value: only its name is repeated
    assert_refused(PARSE("--prot=hunter2"), "unknown option --prot; did you mean --port?");
}

static void test_environment(void **state) {
    (void)state;
    setenv("BATCH_RUN_SIMULATE_PORT", "81", 1);
    setenv("BATCH_RUN_SIMULATE_LOUD", "yes", 1);
    setenv("BATCH_RUN_SIMULATE_FAULT", "", 1); // as if it were not set
    setenv("BATCH_RUN_SIMULATE_TEXT", "from afar", 1);
    setenv("BATCH_RUN_PORT", "82", 1); // of a run, were there such an option
    struct parsed p = PARSE("--text", "from near");
    assert_true(p.good);
    assert_int_equal(p.c.port, 81);
    assert_true(p.c.loud);
    assert_null(p.c.fault);
    assert_string_equal(p.c.text, "from near");
    let_go(&p);
    p = PARSE("--loud=no", "-p1");
    assert_false(p.c.loud);
    assert_int_equal(p.c.port, 1);
    let_go(&p);
    setenv("BATCH_RUN_SIMULATE_LOUD", "on", 1);
    assert_refused(PARSE("-p1"),
                   "BATCH_RUN_SIMULATE_LOUD: 'on' is neither yes (true, 1) nor no (false, 0)");
    setenv("BATCH_RUN_SIMULATE_PORT", "many", 1);
    assert_refused(PARSE("-p1"),
                   "BATCH_RUN_SIMULATE_PORT: 'many' is not a whole number from 0 to 65535");
    struct sample_config c = {0};
    struct error err = {0};
    assert_true(
        options_parse_line(&simulate_command, "--text x", &c, &err)); // knows no environment
    assert_int_equal(c.port, 0);
    options_free(&simulate_command, &c);
    static const char *const names[] = {"SIMULATE_PORT", "SIMULATE_LOUD", "SIMULATE_FAULT",
                                        "SIMULATE_TEXT", "PORT"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, "BATCH_RUN_%s", names[i]);
        unsetenv(name);
    }
}

static void test_variable_names(void **state) {
    (void)state;
    char name[OPTION_VARIABLE_MAX];
    int without = 0;
    for (const struct option *o = run_options; o->name; o++) {
        if (!option_variable(&run_command, o, name)) {
            without++;
            continue;
        }
        assert_memory_equal(name, "BATCH_RUN_", 10);
        assert_int_equal(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), strlen(name));
        if (strcmp(o->name, "max-retries") == 0)
            assert_string_equal(name, "BATCH_RUN_MAX_RETRIES");
    }
    assert_int_equal(without, 3); // output, overwrite, dry-run
}

static void test_line(void **state) {
    (void)state;
    struct sample_config c;
    struct error err = {0};
    assert_true(options_parse_line(&simulate_command, "", &c, &err));
    assert_int_equal(c.colour, 1);
    options_free(&simulate_command, &c);
    assert_true(options_parse_line(
        &simulate_command, " --port=5 --text 'two words' --fault \"a \\\"b\\\"\" -l", &c, &err));
    assert_int_equal(c.port, 5);
    assert_string_equal(c.text, "two words");
    assert_string_equal(c.fault, "a \"b\"");
    assert_true(c.loud);
    options_free(&simulate_command, &c);
    static const char *const bad[][2] = {
        {"--port 5 left", "'left' is not an option: options begin with --"},
        {"--port '5", "a quotation mark is not closed"},
        {"--text kept --prot 5", "unknown option --prot; did you mean --port?"},
        {"--text kept --port", "--port: its value is missing; it takes N"},
        {"--key=hunter2", key_refused},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct error){0};
        assert_false(options_parse_line(&simulate_command, bad[i][0], &c, &err));
        assert_string_equal(err.text, bad[i][1]);
        assert_null(c.text);
    }
}

static void test_command_without_options(void **state) {
    (void)state;
    struct error err = {0};
    char *words[] = {(char *)"a", (char *)"--nothing", NULL};
    char config;
    int operands;
    assert_true(options_parse(&help_command, 1, words, &config, &operands, &err));
    assert_int_equal(operands, 1);
    assert_false(options_parse(&help_command, 2, words, &config, &operands, &err));
    assert_string_equal(err.text, "unknown option --nothing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),    cmocka_unit_test(test_forms),
        cmocka_unit_test(test_operands),    cmocka_unit_test(test_mixtures),
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_no_secrets),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_variable_names),
        cmocka_unit_test(test_line),        cmocka_unit_test(test_command_without_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
