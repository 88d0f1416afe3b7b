// option_value.c: tests of runner/options/option_value.c: every type, its values, its refusals in words.
// SPDX-License-Identifier: MIT
#include "runner/options/option_value.h"

#include "tests/unit/runner/sample_commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct option *option(const char *name) {
    const struct option *o = sample_options;
    while (strcmp(o->name, name) != 0)
        o++;
    return o;
}

static struct sample_config take(const char *name, const char *text) {
    struct sample_config c = {0};
    struct error err = {0};
    if (!option_set(option(name), "--it", text, &c, &err))
        fail_msg("--%s refused '%s': %s", name, text, err.text);
    return c;
}

static void refuse(const char *name, const char *text, const char *message) {
    struct sample_config c = {0}, before = {0};
    struct error err = {0};
    assert_false(option_set(option(name), "--it", text, &c, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_string_equal(err.text, message);
    assert_memory_equal(&c, &before, sizeof c);
}

static void test_counts(void **state) {
    (void)state;
    assert_int_equal(take("port", "0").port, 0);
    assert_int_equal(take("port", "65535").port, 65535);
    assert_int_equal(take("port", "0012").port, 12);
    assert_int_equal(take("port", "2k").port, 2000);
    static const char *const bad[] = {"65536",
                                      "-1",
                                      "",
                                      "abc",
                                      "1.5",
                                      "1 ",
                                      " 1",
                                      "0x10",
                                      "+1",
                                      "k",
                                      "1kk",
                                      "2M",
                                      "99999999999999999999",
                                      "9223372036854775807k"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[200];
        snprintf(message, sizeof message, "--it: '%s' is not a whole number from 0 to 65535",
                 bad[i]);
        refuse("port", bad[i], message);
    }
}

static void test_count_without_limits(void **state) {
    (void)state;
    struct option any = {.name = "any", .type = OPTION_COUNT, .value = "N"};
    struct option some = {.name = "some", .type = OPTION_COUNT, .value = "N", .min = 1};
    struct error err = {0};
    int64_t value = 0;
    assert_true(option_set(&any, "--any", "9223372036854775807", &value, &err));
    assert_true(value == INT64_MAX);
    assert_true(option_set(&any, "--any", "3G", &value, &err));
    assert_true(value == 3000000000);
    assert_true(option_set(&any, "--any", "3M", &value, &err));
    assert_true(value == 3000000);
    assert_false(option_set(&some, "--some", "0", &value, &err));
    assert_string_equal(err.text, "--some: '0' is not a whole number from 1 up");
    err = (struct error){0};
    assert_false(option_set(&any, "--any", "x", &value, &err));
    assert_string_equal(err.text, "--any: 'x' is not a whole number from 0 up");
}

static void test_sizes(void **state) {
    (void)state;
    assert_int_equal(take("size", "16").size, 16);
    assert_int_equal(take("size", "16B").size, 16);
    assert_int_equal(take("size", "4K").size, 4096);
    assert_int_equal(take("size", "4KiB").size, 4096);
    assert_int_equal(take("size", "1M").size, 1 << 20);
    assert_int_equal(take("size", "1MiB").size, 1 << 20);
    static const char *const bad[] = {"15",   "1048577", "1GiB", "1G",  "",
                                      "1.5K", "4 K",     "MiB",  "1KB", "9223372036854775807MiB"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[200];
        snprintf(message, sizeof message,
                 "--it: '%s' is not a size (such as 4096, 64KiB, 1MiB, 2GiB) from 16 to 1MiB",
                 bad[i]);
        refuse("size", bad[i], message);
    }
}

static void test_durations(void **state) {
    (void)state;
    assert_int_equal(take("pause", "1ms").pause, 1000);
    assert_int_equal(take("pause", "2").pause, 2000000);
    assert_int_equal(take("pause", "0.5s").pause, 500000);
    assert_int_equal(take("pause", "5m").pause, 300000000);
    assert_true(take("pause", "1h").pause == 3600000000);
    static const char *const bad[] = {"0", "61m", "", "s", "-1s", "1x", "1e999", "0x1p3", "nan"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[200];
        snprintf(message, sizeof message,
                 "--it: '%s' is not a duration (such as 500ms, 30s, 5m, 2h) from 1ms to 1h",
                 bad[i]);
        refuse("pause", bad[i], message);
    }
}

static void test_rates(void **state) {
    (void)state;
    assert_true(take("rate", "0").rate == 0);
    assert_true(take("rate", "1").rate == 1);
    assert_true(take("rate", "100%").rate == 1);
    assert_true(take("rate", "5%").rate == 0.05);
    assert_true(take("rate", "0.25").rate == 0.25);
    assert_true(take("rate", "12.5%").rate == 0.125);
    static const char *const bad[] = {"1.1", "101%", "-1%", "",   "%",   "5%%",  "nan",
                                      "inf", "1e-2", "0x1", ".5", "5 %", "1.2.3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[200];
        snprintf(message, sizeof message,
                 "--it: '%s' is not a share from 0%% to 100%%: write 5%% or 0.05", bad[i]);
        refuse("rate", bad[i], message);
    }
}

static void test_flags(void **state) {
    (void)state;
    assert_true(take("loud", "yes").loud);
    assert_true(take("loud", "true").loud);
    assert_true(take("loud", "1").loud);
    assert_false(take("loud", "no").loud);
    assert_false(take("loud", "false").loud);
    assert_false(take("loud", "0").loud);
    refuse("loud", "", "--it: '' is neither yes (true, 1) nor no (false, 0)");
    refuse("loud", "on", "--it: 'on' is neither yes (true, 1) nor no (false, 0)");
    refuse("loud", "YES", "--it: 'YES' is neither yes (true, 1) nor no (false, 0)");
}

static void test_choices(void **state) {
    (void)state;
    assert_int_equal(take("colour", "red").colour, 0);
    assert_int_equal(take("colour", "blue").colour, 2);
    refuse("colour", "blu", "--it: 'blu' is none of red, green, blue; did you mean blue?");
    refuse("colour", "violet", "--it: 'violet' is none of red, green, blue");
    refuse("colour", "", "--it: '' is none of red, green, blue");
}

static void test_texts(void **state) {
    (void)state;
    struct sample_config c = take("fault", "429=5%");
    assert_string_equal(c.fault, "429=5%");
    struct error err = {0};
    assert_true(option_set(option("fault"), "--it", "other", &c, &err)); // the first one is freed
    assert_string_equal(c.fault, "other");
    option_release(option("fault"), &c);
    assert_null(c.fault);
    refuse("fault", "", "--it: the value is empty; it takes KIND=RATE,\xe2\x80\xa6");
}

static char *file_with(const char *bytes, size_t n) {
    static char at_path[40];
    snprintf(at_path, sizeof at_path, "@/tmp/option-value-XXXXXX");
    int fd = mkstemp(at_path + 1);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
    return at_path;
}

static void take_file(const char *bytes, size_t n, const char *expected) {
    char *path = file_with(bytes, n);
    struct sample_config c = take("text", path);
    assert_string_equal(c.text, expected);
    option_release(option("text"), &c);
    unlink(path + 1);
}

static void refuse_file(const char *bytes, size_t n, const char *why) {
    char *path = file_with(bytes, n), message[300];
    snprintf(message, sizeof message, "--it: the file '%s' is no text: %s", path + 1, why);
    refuse("text", path, message);
    unlink(path + 1);
}

static void test_text_files(void **state) {
    (void)state;
    struct sample_config c = take("text", "as it stands @ all");
    assert_string_equal(c.text, "as it stands @ all");
    option_release(option("text"), &c);
    c = take("text", "");
    assert_string_equal(c.text, "");
    option_release(option("text"), &c);
    take_file("", 0, "");
    take_file("two\nlines\n", 10, "two\nlines\n");
    take_file("\xef\xbb\xbfmark", 7, "mark");
    refuse_file("a\0b", 3, "byte 2 is not valid UTF-8");
    refuse_file("ab\xff", 3, "byte 3 is not valid UTF-8");
    refuse("text", "\xc3", "--it: the text '\xef\xbf\xbd' is not valid UTF-8");
    refuse("text", "@/nonexistent/file",
           "--it: cannot read the file '/nonexistent/file': No such file or directory");
    refuse("text", "@/tmp", "--it: cannot read the file '/tmp': Is a directory");
}

// The ceiling itself is allowed, one byte more is not; an endless file ends there too.
static void test_large_files(void **state) {
    (void)state;
    char *path = file_with("", 0), message[300];
    assert_int_equal(truncate(path + 1, OPTION_FILE_MAX + 1), 0);
    snprintf(message, sizeof message, "--it: the file '%s' is larger than 64 MiB", path + 1);
    refuse("text", path, message);
    unlink(path + 1);
    refuse("text", "@/dev/zero", "--it: the file '/dev/zero' is larger than 64 MiB");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),     cmocka_unit_test(test_count_without_limits),
        cmocka_unit_test(test_sizes),      cmocka_unit_test(test_durations),
        cmocka_unit_test(test_rates),      cmocka_unit_test(test_flags),
        cmocka_unit_test(test_choices),    cmocka_unit_test(test_texts),
        cmocka_unit_test(test_text_files), cmocka_unit_test(test_large_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
