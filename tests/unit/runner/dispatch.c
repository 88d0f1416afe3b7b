// dispatch.c: tests of runner/dispatch.c: which command is meant, and what it is given.
// SPDX-License-Identifier: MIT
#include "runner/dispatch.h"

#include "tests/unit/runner/sample_commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct found {
    struct call call;
    struct error err;
    char *argv[8];
    int argc;
    bool good;
};

// As in main: the struct is filled in place, the call points into it.
static void find(struct found *f, const char *const *words) {
    *f = (struct found){.argc = 1, .argv = {(char *)"batch-run"}};
    for (; *words; words++)
        f->argv[f->argc++] = (char *)*words;
    f->good = dispatch_find(f->argc, f->argv, &f->call, &f->err);
}

#define FIND(f, ...) find(f, (const char *const[]){__VA_ARGS__, NULL})

static void assert_found(const struct found *f, const struct command *command, int count) {
    assert_true(f->good);
    assert_ptr_equal(f->call.command, command);
    assert_int_equal(f->call.count, count);
}

static void test_find(void **state) {
    (void)state;
    struct found f;
    FIND(&f, "in.jsonl");
    assert_found(&f, &run_command, 1);
    FIND(&f, "run", "in.jsonl");
    assert_found(&f, &run_command, 1);
    assert_string_equal(f.call.words[0], "in.jsonl");
    FIND(&f, "--provider", "simulate", "in.jsonl"); // a command's name, but not the first word
    assert_found(&f, &run_command, 3);
    FIND(&f, "simulate");
    assert_found(&f, &simulate_command, 0);
    FIND(&f, "./simulate");
    assert_found(&f, &run_command, 1);
    FIND(&f, "-");
    assert_found(&f, &run_command, 1);
    FIND(&f, "");
    assert_found(&f, &run_command, 1);
    FIND(&f, "--", "keys");
    assert_found(&f, &run_command, 2);
}

static void test_reserved(void **state) {
    (void)state;
    static const char *const names[] = {"keys", "serve", "bench"};
    struct found f;
    for (size_t i = 0; i < 3; i++) {
        char message[200], path[20];
        FIND(&f, names[i]);
        assert_false(f.good);
        snprintf(
            message, sizeof message,
            "'%s' is the name of a command of later versions; a file of that name is given as ./%s",
            names[i], names[i]);
        assert_string_equal(f.err.text, message);
        snprintf(path, sizeof path, "./%s", names[i]);
        FIND(&f, path);
        assert_found(&f, &run_command, 1);
    }
}

static void test_misspelt(void **state) {
    (void)state;
    struct found f;
    FIND(&f, "simulat");
    assert_false(f.good);
    assert_string_equal(
        f.err.text, "there is neither a file nor a command 'simulat'; did you mean 'simulate'?");
    FIND(&f, "rum.csv"); // a file, if a missing one
    assert_found(&f, &run_command, 1);
    FIND(&f, "prompts");
    assert_found(&f, &run_command, 1);
    char folder[] = "/tmp/dispatch-XXXXXX", here[1000];
    assert_non_null(getcwd(here, sizeof here));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    fclose(fopen("simulat", "w"));
    FIND(&f, "simulat"); // a file that is there is meant
    assert_found(&f, &run_command, 1);
    unlink("simulat");
    assert_int_equal(chdir(here), 0);
    rmdir(folder);
}

static void test_asks(void **state) {
    (void)state;
    struct found f;
    FIND(&f, "in.jsonl", "--help");
    assert_true(dispatch_asks(&f.call, "--help", "-h"));
    assert_false(dispatch_asks(&f.call, "--version", "-V"));
    FIND(&f, "-h");
    assert_true(dispatch_asks(&f.call, "--help", "-h"));
    FIND(&f, "in.jsonl", "--", "--help");
    assert_false(dispatch_asks(&f.call, "--help", "-h"));
    FIND(&f, "in.jsonl", "--helpful");
    assert_false(dispatch_asks(&f.call, "--help", "-h"));
}

// What the call says on stderr is not looked at here: the end-to-end tests do.
static int run(const char *const *words) {
    struct found f;
    find(&f, words);
    assert_true(f.good);
    int keep = dup(STDERR_FILENO);
    assert_non_null(freopen("/dev/null", "w", stderr));
    int code = dispatch_run(&f.call);
    fflush(stderr);
    dup2(keep, STDERR_FILENO);
    close(keep);
    return code;
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void test_run(void **state) {
    (void)state;
    assert_int_equal(RUN("in.jsonl"), 41); // the command saw one operand
    assert_int_equal(RUN("in.jsonl", "-o", "x", "-q"), 41);
    assert_int_equal(RUN("simulate", "--text", "x"), 40);
    assert_int_equal(RUN("-q"), 2); // INPUT is missing
    assert_int_equal(RUN("a.jsonl", "b.jsonl"), 2);
    assert_int_equal(RUN("simulate", "more"), 2);
    assert_int_equal(RUN("in.jsonl", "--nonsense"), 2);
    assert_int_equal(RUN("help", "nonsense"), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),     cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_misspelt), cmocka_unit_test(test_asks),
        cmocka_unit_test(test_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
