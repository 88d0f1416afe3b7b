// Tests pool/pool.c on a virtual clock: rotation, cool-down, probing, removal, slots.
// SPDX-License-Identifier: MIT
#include "pool/pool.h"

#include "jobs/base/clock.h"
#include "jobs/base/log.h"
#include "pool/limits/chance.h"
#include "pool/limits/cooldown.h"
#include "tests/unit/pool/one_provider.h"

#include <stdio.h>
#include <stdlib.h>

static void keys_take_turns(void **state) {
    (void)state;
    struct fixture f;
    open_pool(&f, 5, 1, COOLDOWN_AUTO);
    for (size_t i = 0; i < 23; i++) {
        struct lease lease = take(&f);
        assert_int_equal(index_of(&f, lease.key), i % 5);
        answer(&f, &lease);
    }
    pool_free(f.pool);
}

static void a_key_has_no_more_in_flight_than_slots(void **state) {
    (void)state;
    for (int slots = 1; slots <= 3; slots++) {
        struct fixture f;
        struct lease leases[9];
        int64_t not_before;
        open_pool(&f, 3, slots, COOLDOWN_AUTO);
        for (int i = 0; i < 3 * slots; i++)
            leases[i] = take(&f);
        for (int i = 0; i < 3; i++)
            assert_int_equal(pool_key(f.pool, (size_t)i)->in_flight, slots);
        assert_int_equal(refuse(&f, &not_before), POOL_BUSY);
        assert_true(not_before == TIME_NEVER);
        answer(&f, &leases[1]);
        leases[1] = take(&f);
        assert_int_equal(index_of(&f, leases[1].key), 1);
        for (int i = 0; i < 3 * slots; i++)
            answer(&f, &leases[i]);
        pool_free(f.pool);
    }
}

static void a_limited_key_rests_as_long_as_asked(void **state) {
    (void)state;
    struct fixture f;
    int64_t not_before;
    open_pool(&f, 1, 1, COOLDOWN_AUTO);
    struct lease lease = take(&f);
    limit(&f, &lease, 2 * SEC);
    assert_int_equal(refuse(&f, &not_before), POOL_LATER);
    assert_true(not_before == f.now + 2 * SEC);
    f.now = not_before - 1;
    assert_int_equal(refuse(&f, &not_before), POOL_LATER);
    f.now++;
    lease = take(&f);
    answer(&f, &lease);
    assert_int_equal(key_state(pool_key(f.pool, 0)), KEY_READY);
    pool_free(f.pool);
}

// The monotonic clock of this program goes on while the machine sleeps (jobs/base/clock.h).
static void a_night_asleep_outlasts_every_rest(void **state) {
    (void)state;
    struct fixture f;
    int64_t not_before, wall = INT64_C(1795000000) * SEC;
    open_pool(&f, 1, 1, COOLDOWN_AUTO);
    pool_tell_time(f.pool, f.now, wall);
    struct lease lease = take(&f);
    limit(&f, &lease, 3600 * SEC);
    pool_tell_time(f.pool, f.now, wall + 8 * 3600 * SEC); // somebody set the clock: no time went by
    assert_int_equal(refuse(&f, &not_before), POOL_LATER);
    assert_true(not_before == f.now + 3600 * SEC);
    f.now += 8 * 3600 * SEC;
    pool_tell_time(f.pool, f.now, wall + 16 * 3600 * SEC);
    lease = take(&f);
    answer(&f, &lease);
    assert_int_equal(key_state(pool_key(f.pool, 0)), KEY_READY);
    pool_free(f.pool);
}

static void the_others_go_on_while_one_rests(void **state) {
    (void)state;
    struct fixture f;
    open_pool(&f, 3, 1, COOLDOWN_AUTO);
    struct lease lease = take(&f);
    limit(&f, &lease, 60 * SEC);
    for (int i = 0; i < 10; i++) {
        lease = take(&f);
        assert_int_equal(index_of(&f, lease.key), 1 + i % 2);
        answer(&f, &lease);
    }
    pool_free(f.pool);
}

static void a_key_comes_back_through_one_probe(void **state) {
    (void)state;
    struct fixture f;
    int64_t not_before;
    open_pool(&f, 1, 4, COOLDOWN_AUTO);
    struct lease lease = take(&f), probe;
    limit(&f, &lease, SEC);
    f.now += SEC;
    probe = take(&f);
    assert_int_equal(refuse(&f, &not_before), POOL_LATER); // three slots free, one request allowed
    assert_true(not_before == TIME_NEVER);
    answer(&f, &probe);
    struct lease more[4];
    for (int i = 0; i < 4; i++)
        more[i] = take(&f);
    for (int i = 0; i < 4; i++)
        answer(&f, &more[i]);
    pool_free(f.pool);
}

static void pauses_double_while_the_probe_is_refused(void **state) {
    (void)state;
    struct fixture f;
    int64_t last = 0, not_before;
    open_pool(&f, 1, 1, COOLDOWN_AUTO);
    for (int i = 0; i < 9; i++) {
        struct lease lease = take(&f);
        limit(&f, &lease, -1);
        refuse(&f, &not_before);
        int64_t pause = not_before - f.now;
        assert_true(i == 0 || i > 6 || pause > last);
        assert_true(pause <= 75 * SEC);
        last = pause;
        f.now = not_before;
    }
    struct lease lease = take(&f);
    answer(&f, &lease);
    for (int i = 0; i <= CHANCE_ALONE; i++) { // a key that has served goes on at first
        f.now++;
        lease = take(&f);
        limit(&f, &lease, -1);
    }
    refuse(&f, &not_before);
    assert_true(not_before - f.now <= 1250000); // an answer cleared the suspicion
    pool_free(f.pool);
}

static void refusals_at_once_are_one_refusal(void **state) {
    (void)state;
    struct fixture f;
    struct lease leases[8];
    int64_t not_before;
    open_pool(&f, 1, 8, COOLDOWN_AUTO);
    for (int i = 0; i < 8; i++)
        leases[i] = take(&f);
    f.now += 100;
    for (int i = 0; i < 8; i++)
        limit(&f, &leases[i], -1);
    refuse(&f, &not_before);
    assert_true(not_before - f.now <= 1250000); // not 2^7 s
    pool_free(f.pool);
}

static void a_weaker_hint_never_shortens(void **state) {
    (void)state;
    struct fixture f;
    int64_t not_before;
    open_pool(&f, 1, 2, COOLDOWN_AUTO);
    struct lease a = take(&f), b = take(&f);
    limit(&f, &a, 30 * SEC);
    limit(&f, &b, SEC);
    refuse(&f, &not_before);
    assert_true(not_before == f.now + 30 * SEC);
    pool_free(f.pool);
}

static void an_old_answer_does_not_end_a_rest(void **state) {
    (void)state;
    struct fixture f;
    int64_t not_before;
    open_pool(&f, 1, 2, COOLDOWN_AUTO);
    struct lease a = take(&f), b = take(&f);
    f.now += SEC;
    limit(&f, &a, 5 * SEC);
    answer(&f, &b); // was sent before the refusal
    assert_int_equal(refuse(&f, &not_before), POOL_LATER);
    assert_true(not_before == f.now + 5 * SEC);
    pool_free(f.pool);
}

static void an_old_answer_does_not_settle_a_probe(void **state) {
    (void)state;
    struct fixture f;
    int64_t not_before;
    open_pool(&f, 1, 2, COOLDOWN_AUTO);
    struct lease a = take(&f), slow = take(&f);
    f.now += SEC;
    limit(&f, &a, SEC);
    f.now += 2 * SEC;
    struct lease probe = take(&f);
    answer(&f, &slow);
    assert_int_equal(key_state(pool_key(f.pool, 0)), KEY_PROBING);
    assert_int_equal(refuse(&f, &not_before), POOL_LATER);
    answer(&f, &probe);
    assert_int_equal(key_state(pool_key(f.pool, 0)), KEY_READY);
    pool_free(f.pool);
}

static void a_refused_key_is_out_and_the_last_one_ends_it(void **state) {
    (void)state;
    struct fixture f;
    int64_t not_before;
    log_set_level(LOG_ERROR);
    open_pool(&f, 2, 1, COOLDOWN_AUTO);
    struct lease a = take(&f), b = take(&f);
    give(&f, &a, OUTCOME_AUTH, BECAUSE_KEY, -1);
    assert_int_equal(refuse(&f, &not_before), POOL_BUSY); // the other may still be good
    assert_false(pool_is_spent(f.pool, &here, f.now));
    give(&f, &b, OUTCOME_QUOTA, BECAUSE_MONEY, -1);
    assert_int_equal(refuse(&f, &not_before), POOL_NONE);
    assert_true(pool_is_spent(f.pool, &here, f.now));
    assert_string_equal(key_state_name(pool_key(f.pool, 0), f.now), "unavailable");
    assert_int_equal(key_health(pool_key(f.pool, 1), f.now), 0);
    f.now += 6 * 3600 * SEC; // the rare probe of an account without money
    struct lease probe = take(&f);
    assert_int_equal(index_of(&f, probe.key), 1);
    answer(&f, &probe);
    assert_int_equal(key_state(pool_key(f.pool, 1)), KEY_READY);
    pool_free(f.pool);
}

static void a_returned_lease_leaves_no_trace(void **state) {
    (void)state;
    struct fixture f;
    open_pool(&f, 1, 1, COOLDOWN_AUTO);
    struct lease lease = take(&f);
    pool_return(&lease, f.now);
    assert_true(pool_key(f.pool, 0)->counts.requests == 0);
    lease = take(&f);
    limit(&f, &lease, SEC);
    f.now += SEC;
    lease = take(&f);
    pool_return(&lease, f.now); // a probe that was not sent is still to be made
    lease = take(&f);
    answer(&f, &lease);
    pool_free(f.pool);
}

static void providers_keep_apart(void **state) {
    (void)state;
    struct fixture f;
    open_pool(&f, 2, 1, COOLDOWN_AUTO);
    pool_free(f.pool);
    f.entries[1].provider = &there;
    f.pool = pool_new(&(struct pool_options){.keyring = &f.ring, .slots_per_key = 1});
    f.home = pool_channel(f.pool, &there, SLICE("\"m\""));
    struct lease lease = take(&f);
    assert_int_equal(index_of(&f, lease.key), 1);
    answer(&f, &lease);
    assert_null(pool_channel(f.pool, &(struct provider){.name = "here"}, SLICE("\"m\"")));
    pool_free(f.pool);
}

// Random traffic for a simulated day: no key over its slots, none used while it rests, counts that
// add up, and turns that are fair.
static void a_day_of_traffic_keeps_the_rules(void **state) {
    (void)state;
    enum { KEYS = 7, SLOTS = 2, HELD = KEYS * SLOTS };
    struct fixture f;
    struct lease held[HELD];
    struct random random = {77};
    int64_t rest_until[KEYS] = {0}, used[KEYS] = {0}, taken = 0;
    int count = 0;
    open_pool(&f, KEYS, SLOTS, COOLDOWN_AUTO);
    for (int64_t end = f.now + 86400 * SEC; f.now < end; f.now += random_below(&random, SEC)) {
        struct lease lease;
        int64_t not_before;
        while (pool_acquire(f.home, &any, f.now, &lease, &not_before) == POOL_LEASED) {
            size_t i = index_of(&f, lease.key);
            assert_true(lease.key->in_flight <= SLOTS);
            assert_true(f.now >= rest_until[i]);
            used[i]++;
            taken++;
            held[count++] = lease;
        }
        assert_true(not_before > f.now);
        if (!count)
            continue;
        int which = (int)random_below(&random, count);
        if (random_below(&random, 50) == 0) {
            int64_t pause = random_below(&random, 20 * SEC) + SEC;
            int64_t *until = &rest_until[index_of(&f, held[which].key)];
            limit(&f, &held[which], pause);
            *until = f.now + pause > *until ? f.now + pause : *until;
        } else {
            answer(&f, &held[which]);
        }
        held[which] = held[--count];
    }
    while (count)
        answer(&f, &held[--count]);
    int64_t sum = 0;
    for (size_t i = 0; i < KEYS; i++) {
        const struct key_counts *c = &pool_key(f.pool, i)->counts;
        assert_true(c->requests == c->ok + c->rate_limited && c->requests == used[i]);
        assert_in_range(used[i], taken / KEYS * 8 / 10, taken / KEYS * 12 / 10);
        sum += used[i];
    }
    assert_true(sum == taken && taken > 100000);
    pool_free(f.pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_take_turns),
        cmocka_unit_test(a_key_has_no_more_in_flight_than_slots),
        cmocka_unit_test(a_limited_key_rests_as_long_as_asked),
        cmocka_unit_test(a_night_asleep_outlasts_every_rest),
        cmocka_unit_test(the_others_go_on_while_one_rests),
        cmocka_unit_test(a_key_comes_back_through_one_probe),
        cmocka_unit_test(pauses_double_while_the_probe_is_refused),
        cmocka_unit_test(refusals_at_once_are_one_refusal),
        cmocka_unit_test(a_weaker_hint_never_shortens),
        cmocka_unit_test(an_old_answer_does_not_end_a_rest),
        cmocka_unit_test(an_old_answer_does_not_settle_a_probe),
        cmocka_unit_test(a_refused_key_is_out_and_the_last_one_ends_it),
        cmocka_unit_test(a_returned_lease_leaves_no_trace),
        cmocka_unit_test(providers_keep_apart),
        cmocka_unit_test(a_day_of_traffic_keeps_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
