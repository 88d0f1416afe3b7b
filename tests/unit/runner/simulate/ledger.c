// Tests runner/simulate/ledger.c: who is known, what is admitted, and that the sums are right.
// SPDX-License-Identifier: MIT
#include "runner/simulate/ledger.h"

#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "runner/simulate/bucket.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static int64_t member(struct slice object, const char *name) {
    int64_t value = -1;
    assert_true(json_int(json_get(object, name), &value));
    return value;
}

static void test_find(void **state) {
    (void)state;
    struct ledger *l = ledger_new(&(struct ledger_limits){.keys = 100000}, 0);
    struct buf secret = BUF_INIT(100);
    for (int64_t n = 1; n <= 100002; n += n < 20 ? 1 : 997) {
        buf_clear(&secret);
        ledger_add_secret(n, &secret);
        assert_true(secret.n >= 20);
        assert_int_equal(ledger_find(l, buf_slice(&secret)), n <= 100000 ? n : 0);
        assert_int_equal(ledger_find(l, slice_of(secret.p, secret.n - 1)), 0);
        secret.p[secret.n - 1] ^= 1;
        assert_int_equal(ledger_find(l, buf_slice(&secret)), 0);
    }
    static const char *const bad[] = {"",
                                      "sim-key-",
                                      "sim-key-1",
                                      "sim-key-1-",
                                      "sim-key-01-x",
                                      "sim-key--1-x",
                                      "sk-1",
                                      "sim-key-99999999999999999999-x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ledger_find(l, slice_str(bad[i])), 0);
    assert_int_equal(ledger_find(l, SLICE_NONE), 0);
    buf_free(&secret);
    ledger_free(l);
}

static void settle(struct ledger *l, int64_t key, enum settled how, int64_t now) {
    ledger_settle(l, key, &(struct settlement){how, 10, 20, -1}, now);
}

static void test_limits(void **state) {
    (void)state;
    struct ledger_limits limits = {.keys = 2, .rpm = 3, .tpm = 100, .concurrency = 2};
    struct ledger *l = ledger_new(&limits, 0);
    struct refusal r;
    ledger_arrive(l, 1, true, 0);
    assert_true(ledger_admit(l, 1, 10, 0, &r));
    ledger_arrive(l, 1, false, 0);
    assert_true(ledger_admit(l, 1, 10, 0, &r));
    ledger_arrive(l, 1, false, 0);
    assert_false(ledger_admit(l, 1, 10, 0, &r));
    assert_int_equal(r.kind, LIMIT_CONCURRENCY);
    assert_int_equal(r.used, 2);
    settle(l, 1, SETTLED_RATE_LIMITED, 0);
    settle(l, 1, SETTLED_OK, 0);
    settle(l, 1, SETTLED_OK, 0);
    ledger_arrive(l, 1, false, 0);
    assert_false(ledger_admit(l, 1, 81, 0, &r)); // the refused one has taken no tokens
    assert_int_equal(r.kind, LIMIT_TOKENS);
    assert_int_equal(r.wait, 600000);
    assert_true(ledger_admit(l, 1, 80, 0, &r)); // nor requests
    assert_false(ledger_admit(l, 1, 1, 0, &r));
    assert_int_equal(r.kind, LIMIT_REQUESTS);
    assert_int_equal(r.wait, 20 * SECOND);
    assert_false(ledger_admit(l, 1, 101, 20 * SECOND, &r));
    assert_int_equal(r.wait, BUCKET_NEVER);
    ledger_arrive(l, 2, true, 0);
    assert_true(ledger_admit(l, 2, 100, 0, &r)); // each key has limits of its own
    struct allowance left[LIMIT_COUNT];
    ledger_allowances(l, 2, 0, left);
    assert_int_equal(left[LIMIT_REQUESTS].remaining, 2);
    assert_int_equal(left[LIMIT_TOKENS].remaining, 0);
    assert_int_equal(left[LIMIT_TOKENS].reset, 60 * SECOND);
    assert_int_equal(left[LIMIT_DAY].limit, 0);
    ledger_free(l);
}

// Whatever happens in whatever order, requests = ok + failed + rate_limited + in flight, per key
// and in sum; and tokens are those of what was ok.
static void check_stats(struct ledger *l, const int64_t in_flight[3]) {
    struct buf out = BUF_INIT(10000);
    ledger_stats(l, &out);
    assert_true(json_check(buf_slice(&out), NULL));
    struct json_walk walk = json_walk(json_get(buf_slice(&out), "keys"));
    struct slice key;
    int64_t requests = 0, total = 0;
    for (int i = 0; json_next_element(&walk, &key); i++) {
        int64_t ok = member(key, "ok");
        assert_int_equal(member(key, "in_flight"), in_flight[i]);
        assert_int_equal(member(key, "requests"),
                         ok + member(key, "failed") + member(key, "rate_limited") + in_flight[i]);
        assert_int_equal(member(key, "output_tokens"), 20 * ok);
        assert_true(member(key, "in_flight_max") >= in_flight[i]);
        requests += member(key, "requests");
        total += in_flight[i];
    }
    assert_int_equal(member(buf_slice(&out), "requests"), requests);
    assert_int_equal(member(buf_slice(&out), "in_flight"), total);
    buf_free(&out);
}

static void test_sums(void **state) {
    (void)state;
    struct ledger *l = ledger_new(&(struct ledger_limits){.keys = 3}, 0);
    struct random random = {4};
    int64_t in_flight[3] = {0};
    for (int i = 0; i < 20000; i++) {
        int64_t k = random_below(&random, 3);
        if (random_below(&random, 2) || !in_flight[k]) {
            ledger_arrive(l, k + 1, false, i);
            in_flight[k]++;
        } else {
            settle(l, k + 1, (enum settled)random_below(&random, 3), i);
            in_flight[k]--;
        }
        if (i % 4000 == 3999)
            ledger_reset(l);
        if (i % 100 == 0)
            check_stats(l, in_flight);
    }
    ledger_free(l);
}

static void test_early(void **state) {
    (void)state;
    struct ledger *l = ledger_new(&(struct ledger_limits){.keys = 1}, 0);
    struct buf out = BUF_INIT(10000);
    ledger_arrive(l, 1, true, 0);
    ledger_settle(l, 1, &(struct settlement){SETTLED_RATE_LIMITED, 0, 0, 2 * SECOND}, 0);
    ledger_arrive(l, 1, false, 2 * SECOND);
    settle(l, 1, SETTLED_OK, 2 * SECOND);
    ledger_stats(l, &out);
    assert_int_equal(member(buf_slice(&out), "early"), 0);
    ledger_arrive(l, 1, false, 2 * SECOND - 1);
    buf_clear(&out);
    ledger_stats(l, &out);
    assert_int_equal(member(buf_slice(&out), "early"), 1);
    // the first of them came just in time, and it alone counts
    assert_non_null(strstr(buf_cstr(&out), "\"late_us\":{\"count\":1,\"p50\":0,\"p99\":0}"));
    buf_free(&out);
    ledger_free(l);
}

// Keys of a group share requests, tokens, days and what is open at once; counts stay the keys' own.
static void test_groups(void **state) {
    (void)state;
    struct ledger_limits limits = {
        .keys = 4, .groups = 2, .rpd = 3, .day = 10 * SECOND, .concurrency = 2};
    struct ledger *l = ledger_new(&limits, 0);
    struct refusal r;
    struct buf out = BUF_INIT(10000);
    ledger_arrive(l, 1, true, 0);
    assert_true(ledger_admit(l, 1, 1, 0, &r));
    ledger_arrive(l, 3, true, 0);
    assert_true(ledger_admit(l, 3, 1, 0, &r));
    ledger_arrive(l, 1, false, 0);
    assert_false(ledger_admit(l, 1, 1, 0, &r));
    assert_int_equal(r.kind, LIMIT_CONCURRENCY);
    settle(l, 1, SETTLED_RATE_LIMITED, 0);
    settle(l, 1, SETTLED_OK, 0);
    settle(l, 3, SETTLED_OK, 0);
    ledger_arrive(l, 3, false, SECOND);
    assert_true(ledger_admit(l, 3, 1, SECOND, &r));
    assert_false(ledger_admit(l, 1, 1, SECOND, &r));
    assert_int_equal(r.kind, LIMIT_DAY);
    assert_int_equal(r.wait, 9 * SECOND);
    assert_int_equal(r.used, 3);
    assert_int_equal(ledger_day_left(l, SECOND), 9 * SECOND);
    ledger_arrive(l, 2, true, SECOND);
    assert_true(ledger_admit(l, 2, 1, SECOND, &r)); // the other group
    ledger_stats(l, &out);
    assert_true(json_check(buf_slice(&out), NULL));
    struct json_walk keys = json_walk(json_get(buf_slice(&out), "keys"));
    struct json_walk groups = json_walk(json_get(buf_slice(&out), "groups"));
    struct slice key, group;
    static const int64_t requests[] = {2, 1, 2, 0}, of_groups[] = {4, 1}, at_once[] = {3, 1};
    for (int i = 0; json_next_element(&keys, &key); i++) {
        assert_int_equal(member(key, "requests"), requests[i]);
        assert_int_equal(member(key, "group"), i % 2 + 1);
    }
    for (int i = 0; json_next_element(&groups, &group); i++) {
        assert_int_equal(member(group, "group"), i + 1);
        assert_int_equal(member(group, "requests"), of_groups[i]);
        assert_int_equal(member(group, "in_flight"), 1);
        assert_int_equal(member(group, "in_flight_max"), at_once[i]);
    }
    buf_free(&out);
    ledger_free(l);
}

// A refusal is early when any key of the group has been told to wait longer.
static void test_refused_early(void **state) {
    (void)state;
    struct ledger *l = ledger_new(&(struct ledger_limits){.keys = 3, .groups = 2}, 0);
    struct settlement told = {SETTLED_RATE_LIMITED, 0, 0, 2 * SECOND};
    static const struct {
        int64_t key, at, early;
    } rows[] = {{1, 0, 0}, {1, SECOND, 1}, {3, SECOND, 2}, {2, SECOND, 2}, {3, 3 * SECOND, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = BUF_INIT(10000);
        ledger_arrive(l, rows[i].key, false, rows[i].at);
        ledger_settle(l, rows[i].key, &told, rows[i].at);
        ledger_stats(l, &out);
        assert_int_equal(member(buf_slice(&out), "refused_early"), rows[i].early);
        buf_free(&out);
    }
    ledger_free(l);
}

int main(void) {
    freopen("/dev/null", "w", stdout); // what failed goes to stderr
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),   cmocka_unit_test(test_limits),
        cmocka_unit_test(test_sums),   cmocka_unit_test(test_early),
        cmocka_unit_test(test_groups), cmocka_unit_test(test_refused_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
