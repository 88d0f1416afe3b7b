// Tests runner/simulate/server.c and exchange.c: the whole simulator over real connections.
// SPDX-License-Identifier: MIT
#include "runner/simulate/simulate.h"

#include "jobs/base/clock.h"
#include "jobs/base/json.h"
#include "tests/unit/runner/simulate/call.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_answers(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){.keys = 2});
    struct call call;
    call_init(&call);
    assert_int_equal(call_make(&call, s, 1, CHAT("h\\u0000i \\\"")), 200);
    expect_header(&call, "content-type: application/json\r\n");
    assert_non_null(strstr(buf_cstr(&call.body), "\"content\":\"h\\u0000i \\\"\""));
    assert_true(json_check(buf_slice(&call.body), NULL));
    assert_int_equal(call_make(&call, s, 3, CHAT("a")), 401);
    assert_int_equal(call_make(&call, s, 0, CHAT("a")), 401);
    assert_int_equal(call_make(&call, s, 2, "{"), 400);
    assert_int_equal(call_make(&call, s, 0, NULL), 200); // GET /stats
    struct buf stats = BUF_INIT(MAX);
    simulate_stats(s, &stats);
    assert_true(slice_eq(buf_slice(&call.body), buf_slice(&stats)));
    expect_stats(s, 0, 1, 1, 0);
    expect_stats(s, 1, 1, 0, 0);
    assert_int_equal(stat_of(s, 0, "unknown_key"), 2);
    assert_int_equal(stat_of(s, 0, "input_tokens"), 3); // 11 bytes
    assert_int_equal(stat_of(s, 0, "in_flight_max"), 1);
    assert_int_equal(stat_of(s, 1, "connections"), 1);
    buf_free(&stats);
    call_free(&call);
    simulate_stop(s);
}

static void test_limit_headers(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){.rpm = 1, .tpm = 1000});
    struct call call;
    call_init(&call);
    assert_int_equal(call_make(&call, s, 1, CHAT("a")), 200);
    expect_header(&call, "x-ratelimit-limit-requests: 1\r\n");
    expect_header(&call, "x-ratelimit-remaining-requests: 0\r\n");
    expect_header(&call, "x-ratelimit-limit-tokens: 1000\r\n");
    expect_header(&call, "x-ratelimit-remaining-tokens: 998\r\n");
    expect_header(&call, "x-ratelimit-reset-requests: ");
    assert_null(strstr(buf_cstr(&call.head), "retry-after"));
    assert_int_equal(call_make(&call, s, 1, CHAT("a")), 429);
    expect_header(&call, "retry-after: ");
    expect_header(&call, "retry-after-ms: ");
    assert_non_null(strstr(buf_cstr(&call.body), "\"code\":\"rate_limit_exceeded\""));
    assert_int_equal(call_make(&call, s, 2, CHAT("a")), 200);
    assert_int_equal(call_make(&call, s, 1, CHAT("a")), 429);
    assert_int_equal(stat_of(s, 1, "early"), 1); // it did not wait
    expect_stats(s, 1, 1, 0, 2);
    call_free(&call);
    simulate_stop(s);
}

static void test_retry_after(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){
        .fault = "429=100%", .fault_key = "2", .retry_after = 1500 * USEC_PER_MS});
    struct call call;
    call_init(&call);
    assert_int_equal(call_make(&call, s, 2, CHAT("a")), 429);
    expect_header(&call, "retry-after: 2\r\n");
    expect_header(&call, "retry-after-ms: 1500\r\n");
    assert_int_equal(call_make(&call, s, 1, CHAT("a")), 200);
    call_free(&call);
    simulate_stop(s);
}

static void test_broken_answers(void **state) {
    (void)state;
    static const struct {
        const char *fault;
        long result;
        long os_errno;
    } rows[] = {
        {"reset=1", -CURLE_RECV_ERROR, ECONNRESET},
        {"truncated=1", -CURLE_PARTIAL_FILE, 0},
        {"malformed=1", 200, 0},
        {"html=1", 200, 0},
        {"empty=1", 200, 0},
        {"500=1", 500, 0},
        {"503=1", 503, 0},
        {"401=1", 401, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int delayed = 0; delayed < 2; delayed++) {
            struct simulate_options options = {.fault = rows[i].fault,
                                               .latency = delayed ? "5ms" : NULL};
            struct simulator *s = start(&options);
            struct call call;
            call_init(&call);
            for (int n = 0; n < 3; n++) {
                assert_int_equal(call_make(&call, s, 1, n ? STREAM : CHAT("a")), rows[i].result);
                if (rows[i].os_errno)
                    assert_int_equal(call.os_errno, rows[i].os_errno);
                if (rows[i].result == 200)
                    assert_false(json_check(buf_slice(&call.body), NULL));
            }
            expect_stats(s, 1, 0, 3, 0);
            assert_int_equal(stat_of(s, 1, "output_tokens"), 0);
            call_free(&call);
            simulate_stop(s);
        }
    }
}

static void test_slow(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){.fault = "slow=1"});
    struct call call;
    call_init(&call);
    int64_t before = clock_now();
    assert_int_equal(call_make(&call, s, 1, CHAT("abc")), 200);
    assert_true(clock_now() - before > 2 * USEC_PER_SEC);
    assert_true(json_check(buf_slice(&call.body), NULL));
    expect_stats(s, 1, 1, 0, 0);
    call_free(&call);
    simulate_stop(s);
}

static void test_streams(void **state) {
    (void)state;
    for (int delayed = 0; delayed < 2; delayed++) {
        struct simulate_options options = {.latency = delayed ? "40ms" : "0"};
        struct simulator *s = start(&options);
        struct call call;
        call_init(&call);
        int64_t before = clock_now();
        for (int i = 0; i < 3; i++) {
            assert_int_equal(call_make(&call, s, 1, STREAM), 200);
            expect_header(&call, "content-type: text/event-stream; charset=utf-8\r\n");
            expect_header(&call, "Transfer-Encoding: chunked\r\n");
            assert_non_null(strstr(buf_cstr(&call.body), "\"content\":\"one two three \""));
            assert_non_null(strstr(buf_cstr(&call.body), "data: [DONE]\n\n"));
        }
        assert_true(!delayed || clock_now() - before >= 3 * 40 * USEC_PER_MS);
        expect_stats(s, 1, 3, 0, 0);
        assert_int_equal(stat_of(s, 1, "connections"), 1);
        call_free(&call);
        simulate_stop(s);
    }
}

static void test_latency(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){.latency = "uniform:10ms-30ms"});
    struct call call;
    call_init(&call);
    for (int i = 0; i < 5; i++) {
        int64_t before = clock_now();
        assert_int_equal(call_make(&call, s, 1, CHAT("a")), 200);
        assert_true(clock_now() - before >= 10 * USEC_PER_MS);
    }
    call_free(&call);
    simulate_stop(s);
}

// A client with one request at a time per key is never told that it has two.
static void test_correct_client_is_not_refused(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){.concurrency = 1});
    struct call call;
    call_init(&call);
    for (int i = 0; i < 1500; i++)
        assert_int_equal(call_make(&call, s, 1, i % 3 ? CHAT("a") : STREAM), 200);
    assert_int_equal(stat_of(s, 1, "in_flight_max"), 1);
    expect_stats(s, 1, 1500, 0, 0);
    call_free(&call);
    simulate_stop(s);
}

static void test_concurrency_and_stop(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){.concurrency = 2, .latency = "1h"});
    struct call held[2], third;
    CURLM *multi = curl_multi_init();
    for (int i = 0; i < 2; i++) {
        call_init(&held[i]);
        call_prepare(&held[i], s, 1, CHAT("a"));
        curl_multi_add_handle(multi, held[i].easy);
    }
    run_until(multi, s, "in_flight", 2);
    call_init(&third);
    assert_int_equal(call_make(&third, s, 1, CHAT("a")), 429);
    assert_non_null(strstr(buf_cstr(&third.body), "concurrent requests: Limit 2, Used 2"));
    assert_int_equal(stat_of(s, 1, "rate_limited"), 1);
    assert_int_equal(stat_of(s, 1, "in_flight"), 2);
    simulate_stop(s); // with two answers waiting for an hour
    for (int i = 0; i < 2; i++) {
        curl_multi_remove_handle(multi, held[i].easy);
        call_free(&held[i]);
    }
    call_free(&third);
    curl_multi_cleanup(multi);
}

static void test_client_that_gives_up(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){.latency = "300ms"});
    struct call call;
    call_init(&call);
    curl_easy_setopt(call.easy, CURLOPT_TIMEOUT_MS, 50L);
    assert_int_equal(call_make(&call, s, 1, CHAT("a")), -CURLE_OPERATION_TIMEDOUT);
    call_free(&call);
    for (int i = 0; i < 1000 && stat_of(s, 0, "in_flight"); i++)
        usleep(10000);
    expect_stats(s, 1, 0, 1, 0);
    simulate_stop(s);
}

#define PARALLEL 200

static void test_many_at_once(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){
        .keys = 4, .latency = "uniform:1ms-60ms", .fault = "500=20%", .seed = 5});
    static struct call calls[PARALLEL];
    static char bodies[PARALLEL][200];
    CURLM *multi = curl_multi_init();
    int64_t ok[5] = {0}, failed[5] = {0};
    for (int i = 0; i < PARALLEL; i++) {
        snprintf(bodies[i], sizeof bodies[i], CHAT("row-%d-"), i);
        call_init(&calls[i]);
        call_prepare(&calls[i], s, 1 + i % 4, bodies[i]);
        curl_multi_add_handle(multi, calls[i].easy);
    }
    int running = 1;
    while (running) {
        curl_multi_perform(multi, &running);
        curl_multi_poll(multi, NULL, 0, 100, NULL);
    }
    for (int i = 0; i < PARALLEL; i++) {
        char own[40];
        snprintf(own, sizeof own, "\"row-%d-\"", i);
        call_done(&calls[i], CURLE_OK);
        if (calls[i].status == 200)
            assert_non_null(strstr(buf_cstr(&calls[i].body), own));
        ok[1 + i % 4] += calls[i].status == 200;
        failed[1 + i % 4] += calls[i].status == 500;
        curl_multi_remove_handle(multi, calls[i].easy);
        call_free(&calls[i]);
    }
    for (int key = 1; key <= 4; key++)
        expect_stats(s, key, ok[key], failed[key], 0);
    assert_int_equal(stat_of(s, 0, "requests"), PARALLEL);
    assert_true(stat_of(s, 0, "in_flight_max") <= PARALLEL);
    curl_multi_cleanup(multi);
    simulate_stop(s);
}

static int connect_to(struct simulator *s) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)simulate_port(s)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

// Two hundred requests written at once on one connection are answered in order.
static void test_pipelining(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){.concurrency = 1});
    struct buf sent = BUF_INIT(MAX), got = BUF_INIT(MAX);
    for (int i = 0; i < PARALLEL; i++) {
        char body[200], own[40];
        snprintf(own, sizeof own, "%d", i);
        snprintf(body, sizeof body, CHAT("row-%d-"), i);
        buf_addf(&sent, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ");
        simulate_key(1, &sent);
        buf_addf(&sent, "\r\nContent-Length: %zu\r\n%s\r\n%s", strlen(body),
                 i == PARALLEL - 1 ? "Connection: close\r\n" : "", body);
    }
    int fd = connect_to(s);
    size_t written = 0;
    while (written < sent.n) {
        ssize_t n = write(fd, sent.p + written, sent.n - written);
        assert_true(n > 0);
        written += (size_t)n;
    }
    char part[65536];
    for (ssize_t n; (n = read(fd, part, sizeof part)) > 0;)
        buf_add(&got, part, (size_t)n);
    const char *at = buf_cstr(&got);
    for (int i = 0; i < PARALLEL; i++) {
        char own[40];
        snprintf(own, sizeof own, "\"row-%d-\"", i);
        at = strstr(at, own);
        assert_non_null(at);
    }
    expect_stats(s, 1, PARALLEL, 0, 0);
    close(fd);
    buf_free(&sent);
    buf_free(&got);
    simulate_stop(s);
}

static void test_large_body(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){0});
    struct call call;
    size_t n = (size_t)8 << 20;
    struct buf body = BUF_INIT(MAX);
    buf_add_str(&body, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"");
    buf_reserve(&body, n + 10);
    memset(body.p + body.n, 'x', n);
    body.n += n;
    buf_add_str(&body, "\"}]}");
    call_init(&call);
    assert_int_equal(call_make(&call, s, 1, buf_cstr(&body)), 200);
    assert_true(call.body.n > n && call.body.n < n + 1000);
    assert_int_equal(stat_of(s, 1, "output_tokens"), (int64_t)n / 4);
    call_free(&call);
    buf_free(&body);
    simulate_stop(s);
}

static void test_cannot_start(void **state) {
    (void)state;
    struct simulator *s = start(&(struct simulate_options){0});
    struct simulate_options same = {.port = simulate_port(s)}, wrong = {.port = 70000},
                            odd = {.latency = "soon"};
    struct error err = {0};
    assert_null(simulate_start(&same, &err));
    assert_non_null(strstr(err.text, "--port"));
    assert_non_null(strstr(err.text, "in use"));
    err = (struct error){0};
    assert_null(simulate_start(&wrong, &err));
    assert_non_null(strstr(err.text, "--port"));
    err = (struct error){0};
    assert_null(simulate_start(&odd, &err));
    assert_non_null(strstr(err.text, "--latency soon"));
    simulate_stop(s);
    simulate_stop(NULL);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_limit_headers),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_broken_answers),
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_correct_client_is_not_refused),
        cmocka_unit_test(test_concurrency_and_stop),
        cmocka_unit_test(test_client_that_gives_up),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_pipelining),
        cmocka_unit_test(test_large_body),
        cmocka_unit_test(test_cannot_start),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
