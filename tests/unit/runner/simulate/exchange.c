// Tests runner/simulate/exchange.c over real connections: answers that stop, and answers with errors.
// SPDX-License-Identifier: MIT
#include "runner/simulate/exchange.h"

#include "jobs/base/clock.h"
#include "tests/unit/runner/simulate/call.h"

#include <dirent.h>
#include <unistd.h>

static int open_files(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

// A connection whose client has gone is given up, though nothing is to be sent on it.
static void expect_closed(int files) {
    for (int i = 0; i < 1000 && open_files() > files; i++)
        usleep(10000);
    assert_int_equal(open_files(), files);
}

// What stops is counted as failed at once: the client that gives up and comes again on the only slot
// of its key is let in.
static void test_stop(void **state) {
    (void)state;
    static const struct {
        const char *fault, *body, *holds;
    } rows[] = {
        {"stall=1", STREAM, "\"content\":\"one two three \""},
        {"stall=1", CHAT("a"), "\"chat.completion\""},
        {"hang=1", STREAM, ""},
        {"hang=1", CHAT("a"), ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct simulator *s =
            start(&(struct simulate_options){.fault = rows[i].fault, .concurrency = 1});
        int files = open_files();
        for (int n = 1; n <= 3; n++) {
            struct call call;
            call_init(&call);
            curl_easy_setopt(call.easy, CURLOPT_TIMEOUT_MS, 150L); // beyond the first look at it
            int64_t before = clock_now();
            assert_int_equal(call_make(&call, s, 1, rows[i].body), -CURLE_OPERATION_TIMEDOUT);
            assert_true(clock_now() - before >= 140 * USEC_PER_MS);
            assert_non_null(strstr(buf_cstr(&call.body), rows[i].holds));
            assert_null(strstr(buf_cstr(&call.body), "[DONE]"));
            assert_false(json_check(buf_slice(&call.body), NULL));
            call_free(&call);
            expect_stats(s, 1, 0, n, 0);
        }
        expect_closed(files);
        simulate_stop(s);
    }
}

// Connections that hang do not keep the simulator from ending, nor others from being served.
static void test_end_with_hanging(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){.fault = "hang=1", .fault_key = "1"});
    struct call held, other;
    CURLM *multi = curl_multi_init();
    call_init(&held);
    call_prepare(&held, s, 1, CHAT("a"));
    curl_multi_add_handle(multi, held.easy);
    run_until(multi, s, "failed", 1);
    call_init(&other);
    assert_int_equal(call_make(&other, s, 2, CHAT("a")), 200);
    call_free(&other);
    simulate_stop(s);
    curl_multi_remove_handle(multi, held.easy);
    call_free(&held);
    curl_multi_cleanup(multi);
}

static void test_stream_error(void **state) {
    (void)state;
    for (int delayed = 0; delayed < 2; delayed++) {
        struct simulator *s = start(&(struct simulate_options){.fault = "stream-error=1",
                                                               .latency = delayed ? "40ms" : NULL});
        struct call call;
        call_init(&call);
        assert_int_equal(call_make(&call, s, 1, STREAM), 200);
        expect_header(&call, "content-type: text/event-stream; charset=utf-8\r\n");
        assert_non_null(strstr(buf_cstr(&call.body), "\n\ndata: {\"error\":{"));
        assert_int_equal(call_make(&call, s, 1, CHAT("a")), 200);
        expect_header(&call, "content-type: application/json\r\n");
        assert_true(json_get(buf_slice(&call.body), "error").n > 0);
        expect_stats(s, 1, 0, 2, 0);
        assert_int_equal(stat_of(s, 1, "connections"), 1);
        call_free(&call);
        simulate_stop(s);
    }
}

// What was told at admission is sent when the answer is.
static void test_headers(void **state) {
    (void)state;
    struct simulator *s =
        start(&(struct simulate_options){.rpm = 600, .burst = 2, .latency = "250ms"});
    struct call call;
    call_init(&call);
    assert_int_equal(call_make(&call, s, 1, CHAT("a")), 200);
    expect_header(&call, "x-ratelimit-limit-requests: 600\r\n");
    expect_header(&call, "x-ratelimit-remaining-requests: 1\r\n");
    expect_header(&call, "x-ratelimit-reset-requests: 100ms\r\n");
    call_free(&call);
    simulate_stop(s);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_end_with_hanging),
        cmocka_unit_test(test_stream_error),
        cmocka_unit_test(test_headers),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
