// Tests runner/commands/simulate.c: what scripts see of the command, in a process of its own.
// SPDX-License-Identifier: MIT
#include "runner/simulate/simulate.h"

#include "runner/command.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct command simulate_command;

struct child {
    pid_t pid;
    int out, err;
};

static struct child start(const struct simulate_options *options) {
    int out[2], err[2];
    assert_int_equal(pipe(out) | pipe(err), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        close(out[0]);
        close(err[0]);
        _exit(simulate_command.run(options, 0, NULL));
    }
    close(out[1]);
    close(err[1]);
    return (struct child){pid, out[0], err[0]};
}

static int finish(struct child *child, char *text, size_t size) {
    size_t n = 0;
    int status;
    for (ssize_t got; (got = read(child->err, text + n, size - n - 1)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    waitpid(child->pid, &status, 0);
    close(child->out);
    close(child->err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void read_file(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, size - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
}

static void test_listening_line(void **state) {
    (void)state;
    for (int quiet = 0; quiet < 2; quiet++) {
        struct simulate_options options = {.keys = 2, .quiet = quiet};
        struct child child = start(&options);
        char line[100], text[4000];
        int port = 0;
        ssize_t n = read(child.out, line, sizeof line - 1);
        assert_true(n > 0);
        line[n] = '\0';
        assert_int_equal(sscanf(line, "listening on http://127.0.0.1:%d\n", &port), 1);
        assert_true(port > 0 && line[n - 1] == '\n');
        kill(child.pid, quiet ? SIGINT : SIGTERM);
        assert_int_equal(finish(&child, text, sizeof text), 0);
        assert_int_equal(strstr(text, "--base-url") != NULL, !quiet);
        assert_int_equal(strstr(text, "total") != NULL, !quiet);
        assert_null(strstr(text, "sim-key-")); // secrets are for the file alone
    }
}

static void test_key_file(void **state) {
    (void)state;
    char path[] = "/tmp/batch-run-test-XXXXXX", text[4000], expected[200];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (int64_t keys = 30; keys >= 2; keys -= 28) { // the second time it replaces its own file
        struct simulate_options options = {.keys = keys, .write_keys = path, .quiet = true};
        struct child child = start(&options);
        assert_true(read(child.out, text, sizeof text) > 0);
        kill(child.pid, SIGTERM);
        assert_int_equal(finish(&child, text, sizeof text), 0);
        struct buf key = BUF_INIT(100);
        simulate_key((int)keys, &key);
        snprintf(expected, sizeof expected, "\nSIMULATE_API_KEY_%d=%s\n", (int)keys,
                 buf_cstr(&key));
        buf_free(&key);
        read_file(path, text, sizeof text);
        assert_non_null(strstr(text, expected));
    }
    assert_null(strstr(text, "_3="));
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0077, 0);
    unlink(path);
}

static void test_foreign_file_is_kept(void **state) {
    (void)state;
    char path[] = "/tmp/batch-run-test-XXXXXX", text[4000];
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "OPENAI_API_KEY=x\n", 17), 17);
    close(fd);
    struct simulate_options options = {.keys = 1, .write_keys = path};
    struct child child = start(&options);
    assert_int_equal(finish(&child, text, sizeof text), 2);
    assert_non_null(strstr(text, path));
    read_file(path, text, sizeof text);
    assert_string_equal(text, "OPENAI_API_KEY=x\n");
    unlink(path);
}

static void test_bad_option(void **state) {
    (void)state;
    struct simulate_options options = {.keys = 1, .fault = "oops=1"};
    struct child child = start(&options);
    char text[4000];
    assert_int_equal(finish(&child, text, sizeof text), 2);
    assert_non_null(strstr(text, "--fault oops=1"));
}

// Each row of the table points at a field of its own, inside the struct.
static void test_table(void **state) {
    (void)state;
    assert_int_equal(simulate_command.config_size, sizeof(struct simulate_options));
    for (const struct option *o = simulate_command.options; o->name; o++) {
        assert_true(o->offset < sizeof(struct simulate_options));
        assert_true(o->help && o->group && (o->value || o->type == OPTION_FLAG));
        for (const struct option *other = simulate_command.options; other < o; other++)
            assert_true(other->offset != o->offset && strcmp(other->name, o->name) != 0);
    }
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listening_line),
        cmocka_unit_test(test_key_file),
        cmocka_unit_test(test_foreign_file_is_kept),
        cmocka_unit_test(test_bad_option),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
