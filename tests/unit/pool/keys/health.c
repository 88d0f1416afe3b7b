// health.c: what lowers and raises the score, on a virtual clock.
// SPDX-License-Identifier: MIT
#include "pool/keys/health.h"

#include "jobs/base/clock.h"
#include "pool/keys/key.h"
#include "tests/unit/check.h"
#include "tests/unit/quiet.h"

#define MINUTE (60 * USEC_PER_SEC)
#define START  INT64_C(86400000000)

static struct health after_failures(int count) {
    struct health h = {0};
    for (int i = 0; i < count; i++)
        health_failed(&h, START);
    return h;
}

static void failures_lower_successes_raise(void **state) {
    (void)state;
    struct health h = {0};
    assert_int_equal(health_score(&h, START), 100);
    health_passed(&h, START);
    assert_int_equal(health_score(&h, START), 100);
    health_failed(&h, START);
    assert_int_equal(health_score(&h, START), 90);
    health_passed(&h, START);
    assert_int_equal(health_score(&h, START), 92);
    for (int i = 0; i < 4; i++)
        health_passed(&h, START);
    assert_int_equal(health_score(&h, START), 100);
    health_passed(&h, START);
    assert_int_equal(health_score(&h, START), 100);
}

static void stays_within_its_bounds(void **state) {
    (void)state;
    struct health h = after_failures(10);
    assert_int_equal(health_score(&h, START), 0);
    health_failed(&h, START);
    assert_int_equal(health_score(&h, START), 0);
    health_passed(&h, START); // no debt below 0
    assert_int_equal(health_score(&h, START), 2);
}

static void is_degraded_below_70(void **state) {
    (void)state;
    struct health h = after_failures(3);
    assert_int_equal(health_score(&h, START), 70);
    assert_false(health_is_degraded(&h, START));
    health_failed(&h, START);
    assert_true(health_is_degraded(&h, START));
    for (int i = 0; i < 4; i++) {
        health_passed(&h, START);
        assert_true(health_is_degraded(&h, START));
    }
    health_passed(&h, START);
    assert_false(health_is_degraded(&h, START));
}

static void five_quiet_minutes_make_it_healthy(void **state) {
    (void)state;
    struct health h = after_failures(9);
    health_passed(&h, START + 4 * MINUTE); // successes do not put it off
    assert_int_equal(health_score(&h, START + 5 * MINUTE - 1), 12);
    assert_true(health_is_degraded(&h, START + 5 * MINUTE - 1));
    assert_int_equal(health_score(&h, START + 5 * MINUTE), 70);
    assert_false(health_is_degraded(&h, START + 5 * MINUTE));
    health_passed(&h, START + 6 * MINUTE); // goes on from there
    assert_int_equal(health_score(&h, START + 6 * MINUTE), 72);
    health_failed(&h, START + 7 * MINUTE);
    assert_int_equal(health_score(&h, START + 7 * MINUTE), 62);
    assert_int_equal(health_score(&h, START + 12 * MINUTE - 1), 62);
    assert_int_equal(health_score(&h, START + 12 * MINUTE), 70);
}

static void each_failure_starts_the_minutes_anew(void **state) {
    (void)state;
    struct health h = after_failures(4);
    health_failed(&h, START + 4 * MINUTE);
    assert_int_equal(health_score(&h, START + 5 * MINUTE), 50);
    assert_int_equal(health_score(&h, START + 9 * MINUTE), 70);
    struct health good = after_failures(1); // recovery takes nothing away
    assert_int_equal(health_score(&good, START + 9 * MINUTE), 90);
}

static void a_key_is_named_by_state_and_score(void **state) {
    (void)state;
    struct key key = {.health = after_failures(4)};
    assert_string_equal(key_state_name(&key, START), "degraded");
    assert_string_equal(key_state_name(&key, START + 5 * MINUTE), "healthy");
    assert_int_equal(key_health(&key, START), 60);
    key_set_state(&key, KEY_FULL);
    assert_string_equal(key_state_name(&key, START), "degraded");
    key_set_state(&key, KEY_COOLING);
    assert_string_equal(key_state_name(&key, START), "rate_limited");
    assert_int_equal(key_health(&key, START), 60);
    key_set_state(&key, KEY_NO_MODEL);
    assert_string_equal(key_state_name(&key, START), "no_model");
    key_set_state(&key, KEY_SUSPENDED);
    assert_string_equal(key_state_name(&key, START), "unavailable");
    assert_int_equal(key_health(&key, START), 0);
    key_set_state(&key, KEY_REMOVED);
    assert_string_equal(key_state_name(&key, START), "unavailable");
    assert_int_equal(key_health(&key, START), 0);
}

static void nothing_is_healthy_before_it_is_known(void **state) {
    (void)state;
    struct key key = {.counts = {.requests = 0}};
    assert_string_equal(key_state_name(&key, START), "unused");
    key.counts.requests = 1;
    health_failed(&key.health, START);
    assert_string_equal(key_state_name(&key, START), "unknown");
    health_passed(&key.health, START); // an answer, be it that the row is refused
    assert_string_equal(key_state_name(&key, START), "healthy");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_lower_successes_raise),
        cmocka_unit_test(stays_within_its_bounds),
        cmocka_unit_test(is_degraded_below_70),
        cmocka_unit_test(five_quiet_minutes_make_it_healthy),
        cmocka_unit_test(a_key_is_named_by_state_and_score),
        cmocka_unit_test(nothing_is_healthy_before_it_is_known),
        cmocka_unit_test(each_failure_starts_the_minutes_anew),
    };
    QUIET_RUN(tests);
}
