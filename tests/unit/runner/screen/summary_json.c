// summary_json.c (test): the JSON of the contract, and a file that is whole or not there.
// SPDX-License-Identifier: MIT
#include "runner/screen/summary.h"

#include "jobs/base/json.h"
#include "tests/unit/jobs/out/files.h"

static const struct summary_key two[] = {
    {"bigmodel-1", "bigmodel", "bae6****RLh1", "healthy", 98, 35, 33, 1, 1, 1200, 3400, 1100,
     812400, 1240001, INT64_C(1795240800123456), 0, NULL, 0},
    {"odd\"\xff\n", "bigmodel", "****", "rate_limited", 0, 69, 65, 1, 3, 0, 0, 0, 0, 0, 0,
     INT64_C(1795240801000000), "429", 0},
};

static const struct summary_error errors[] = {
    {"invalid_request", 2, 2, "too long", "r\"17", NULL},
    {"rate_limited", 0, 4, "slow", "r3", NULL},
};

static const struct summary run = {.total = 100,
                                   .ok = 98,
                                   .failed = 2,
                                   .attempts = 104,
                                   .rate_limited = 4,
                                   .elapsed = 12300000,
                                   .input_tokens = INT64_C(9007199254740993),
                                   .output_tokens = 3400,
                                   .cached_tokens = 1100,
                                   .latency = {1, 20, 300, 4000, INT64_C(86400000000000)},
                                   .keys = two,
                                   .key_count = 2,
                                   .errors = errors,
                                   .error_count = 2};

static const char expected[] =
    "{\"jobs\":{\"total\":100,\"ok\":98,\"failed\":2,\"skipped\":0},\"attempts\":104,"
    "\"rate_limited\":4,\"sent_again\":0,\"elapsed_s\":12.3,\"requests_per_s\":8.455,"
    "\"rows_per_s\":8.13,"
    "\"tokens\":{\"input\":9007199254740993,\"output\":3400,\"cached_tokens\":1100},"
    "\"latency_ms\":{\"p50\":0.001,\"p90\":0.02,\"p95\":0.3,\"p99\":4,\"max\":86400000000},"
    "\"stopped\":null,\"errors\":{\"invalid_request\":{\"rows\":2,\"attempts\":2,\"message\":"
    "\"too long\",\"example_id\":\"r\\\"17\"},\"rate_limited\":{\"rows\":0,\"attempts\":4,"
    "\"message\":\"slow\",\"example_id\":\"r3\"}},\"keys\":[{\"key\":\"bigmodel-1\",\"provider\":"
    "\"bigmodel\",\"masked\":"
    "\"bae6****RLh1\","
    "\"state\":\"healthy\",\"health\":98,\"requests\":35,\"ok\":33,\"failed\":1,"
    "\"rate_limited\":1,\"sent_again\":0,\"input_tokens\":1200,\"output_tokens\":3400,\"cached_"
    "tokens\":1100,"
    "\"latency_ms\":{\"p50\":812.4,\"p95\":1240.001},"
    "\"last_used_at\":\"2026-11-21T06:00:00.123Z\",\"cooling_until\":null,\"reason\":null},"
    "{\"key\":\"odd\\\"\xef\xbf\xbd\\n\",\"provider\":\"bigmodel\",\"masked\":\"****\","
    "\"state\":\"rate_limited\",\"health\":0,\"requests\":69,\"ok\":65,\"failed\":1,"
    "\"rate_limited\":3,\"sent_again\":0,\"input_tokens\":0,\"output_tokens\":0,\"cached_tokens\":"
    "0,"
    "\"latency_ms\":{\"p50\":null,\"p95\":null},\"last_used_at\":null,"
    "\"cooling_until\":\"2026-11-21T06:00:01.000Z\",\"reason\":\"429\"}]}\n";

static void the_contracts_json(void **state) {
    (void)state;
    struct error err = {0};
    assert_true(summary_write(&run, results, &err));
    assert_file(results, expected);
    assert_int_equal(folder_count(), 1);
    assert_true(json_check(read_file(results), NULL));
}

static void first_tokens_when_streaming(void **state) {
    (void)state;
    struct error err = {0};
    struct summary s = run;
    s.streaming = true;
    assert_true(summary_write(&s, results, &err));
    assert_true(slice_is(json_get(read_file(results), "ttft_ms"),
                         "{\"p50\":null,\"p90\":null,\"p95\":null,\"p99\":null,\"max\":null}"));
    s.ttft = (struct summary_times){1, 20, 300, 4000, 50000};
    assert_true(summary_write(&s, results, &err));
    assert_true(slice_is(json_get(read_file(results), "ttft_ms"),
                         "{\"p50\":0.001,\"p90\":0.02,\"p95\":0.3,\"p99\":4,\"max\":50}"));
}

static void a_run_without_keys_and_time(void **state) {
    (void)state;
    struct error err = {0};
    assert_true(summary_write(&(struct summary){0}, results, &err));
    struct slice json = read_file(results);
    assert_true(json_check(json, NULL));
    assert_true(slice_is(json_get(json, "keys"), "[]"));
    assert_true(slice_is(json_get(json, "errors"), "{}"));
    assert_true(slice_is(json_get(json, "requests_per_s"), "0"));
    assert_true(slice_is(json_get(json_get(json, "latency_ms"), "max"), "null"));
}

static void a_total_that_is_not_sure(void **state) {
    (void)state;
    struct error err = {0};
    struct summary s = run;
    s.at_least = true;
    assert_true(summary_write(&s, results, &err));
    assert_true(
        slice_is(json_get(json_get(read_file(results), "jobs"), "total_is"), "\"at_least\""));
}

static void a_hundred_thousand_keys_are_valid_json(void **state) {
    (void)state;
    enum { KEYS = 100000 };
    struct error err = {0};
    struct summary_key *keys = calloc(KEYS, sizeof *keys);
    for (size_t i = 0; i < KEYS; i++)
        keys[i] = two[i % 2];
    assert_true(summary_write(&(struct summary){.keys = keys, .key_count = KEYS}, results, &err));
    struct slice json = read_file(results), element;
    assert_true(json_check(json, NULL));
    struct json_walk walk = json_walk(json_get(json, "keys"));
    size_t count = 0;
    while (json_next_element(&walk, &element))
        count += json_type(element) == JSON_OBJECT;
    assert_int_equal(count, KEYS);
    free(keys);
}

static void a_failure_leaves_what_was_there(void **state) {
    (void)state;
    bool through = false;
    for (int at = 1; !through; at++) {
        struct error err = {0};
        write_file(results, SLICE("before"));
        set_fault(FAULT_ERRNO, at, ENOSPC, at % 2 ? 10 : 0);
        bool good = summary_write(&run, results, &err);
        through = fault.calls < at;
        set_fault(FAULT_NONE, 0, 0, 0);
        assert_int_equal(good, through);
        assert_file(results, good ? expected : "before");
        assert_int_equal(folder_count(), 1);
        if (good)
            continue;
        assert_int_equal(err.class, ERROR_OUTPUT);
        assert_non_null(strstr(err.text, results));
        assert_non_null(strstr(err.text, strerror(ENOSPC)));
    }
}

static void paths_that_cannot_be_meant(void **state) {
    (void)state;
    char path[100];
    struct error err = {0};
    assert_false(summary_check_path("-", &err));
    assert_int_equal(err.class, ERROR_USAGE);
    err = (struct error){0};
    assert_false(summary_check_path(folder, &err));
    assert_non_null(strstr(err.text, folder));
    snprintf(path, sizeof path, "%s/none/s.json", folder);
    err = (struct error){0};
    assert_false(summary_check_path(path, &err));
    assert_non_null(strstr(err.text, path));
    err = (struct error){0};
    assert_true(summary_check_path(results, &err));
    assert_true(summary_check_path("s.json", &err));
    assert_true(summary_check_path("/s.json", &err));
}

static void a_link_stays_and_a_device_is_not_replaced(void **state) {
    (void)state;
    char link[100];
    struct error err = {0};
    struct stat st;
    snprintf(link, sizeof link, "%s/link", folder);
    write_file(results, SLICE(""));
    assert_int_equal(symlink("r.jsonl", link), 0);
    assert_true(summary_write(&run, link, &err));
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_file(results, expected);
    assert_true(summary_write(&run, "/dev/null", &err));
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    assert_false(summary_write(&run, "/dev/full", &err));
    assert_int_equal(err.class, ERROR_OUTPUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_contracts_json),
        TEST(first_tokens_when_streaming),
        TEST(a_run_without_keys_and_time),
        TEST(a_total_that_is_not_sure),
        TEST(a_hundred_thousand_keys_are_valid_json),
        TEST(a_failure_leaves_what_was_there),
        TEST(paths_that_cannot_be_meant),
        TEST(a_link_stays_and_a_device_is_not_replaced),
    };
    QUIET_RUN(tests);
}
