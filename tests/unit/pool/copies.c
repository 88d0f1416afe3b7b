// Tests pool_acquire_other(): a second key for a request that is under way, or none.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/world.h"

#include "pool/limits/cooldown.h"

static void nobody_answers(struct world *w, size_t key, struct said *said) {
    (void)w, (void)key, (void)said;
}

static void open_world(struct world *w, size_t keys, size_t groups, int slots) {
    world_open(w, &(struct world_options){.keys = keys, .groups = groups, .slots = slots});
    w->answers = nobody_answers;
}

static struct lease take(struct world *w) {
    struct lease lease;
    int64_t not_before;
    assert_int_equal(pool_acquire(w->channel, &w->need, w->now, &lease, &not_before), POOL_LEASED);
    return lease;
}

static bool take_other(struct world *w, const struct lease *first, struct lease *other) {
    return pool_acquire_other(first, &w->need, w->now, other);
}

static void give(struct world *w, struct lease *lease, enum outcome outcome, enum cause cause) {
    struct verdict verdict = {.outcome = outcome, .cause = cause, .hint = -1};
    pool_release(lease, &(struct pool_report){.verdict = &verdict, .usage = USAGE_NONE}, w->now);
}

static void answer(struct world *w, struct lease *lease) {
    give(w, lease, OUTCOME_OK, BECAUSE_NOTHING);
}

// Nobody else gets the request: it ends with the first, and the world with it.
static void end_without_other(struct world *w, struct lease *first) {
    struct lease other;
    assert_false(take_other(w, first, &other));
    answer(w, first);
    world_close(w);
}

static void never_the_same_account(void **state) {
    (void)state;
    struct world w;
    for (size_t groups = 2; groups <= 3; groups++) {
        open_world(&w, 6, groups, 1);
        struct lease first = take(&w), other[6];
        size_t count = 0;
        while (take_other(&w, &first, &other[count])) {
            assert_string_not_equal(other[count].key->entry->group, first.key->entry->group);
            count++;
        }
        assert_int_equal(count, 6 - 6 / groups); // all the others, and each slot once
        while (count)
            answer(&w, &other[--count]);
        answer(&w, &first);
        world_close(&w);
    }
}

static void one_account_has_no_other(void **state) {
    (void)state;
    struct world w;
    open_world(&w, 6, 1, 1);
    struct lease first = take(&w);
    end_without_other(&w, &first);
}

static void the_one_with_least_to_do(void **state) {
    (void)state;
    struct world w;
    struct lease other;
    open_world(&w, 3, 0, 2);
    struct lease first = take(&w), second = take(&w);
    assert_true(take_other(&w, &first, &other));
    assert_string_equal(other.key->entry->name, "here-3");
    assert_int_equal(other.key->in_flight, 1);
    assert_int_equal(other.key->counts.requests, 1);
    answer(&w, &other);
    answer(&w, &second);
    answer(&w, &first);
    world_close(&w);
}

static void not_while_anybody_cools(void **state) {
    (void)state;
    struct world w;
    struct lease other;
    open_world(&w, 4, 0, 1);
    struct lease first = take(&w), refused = take(&w);
    give(&w, &refused, OUTCOME_RATE_LIMITED, BECAUSE_RATE);
    assert_false(take_other(&w, &first, &other));
    w.now += 120 * SEC; // its cool-down is over, but it has not shown that
    pool_tell_time(w.pool, w.now, w.now + w.wall_offset);
    end_without_other(&w, &first);
}

static void not_while_one_is_out_of_money_but_without_the_removed(void **state) {
    (void)state;
    struct world w;
    struct lease other;
    open_world(&w, 4, 0, 1);
    struct lease first = take(&w), dead = take(&w);
    give(&w, &dead, OUTCOME_AUTH, BECAUSE_KEY);
    assert_true(take_other(&w, &first, &other));
    give(&w, &other, OUTCOME_QUOTA, BECAUSE_MONEY);
    end_without_other(&w, &first);
}

static void not_while_the_provider_fails(void **state) {
    (void)state;
    struct world w;
    struct lease failing;
    int64_t not_before;
    open_world(&w, 8, 0, 1);
    struct lease first = take(&w);
    for (int i = 0; i < 20; i++)
        if (pool_acquire(w.channel, &w.need, w.now, &failing, &not_before) == POOL_LEASED)
            give(&w, &failing, OUTCOME_SERVER, BECAUSE_UPSTREAM);
    end_without_other(&w, &first);
}

// The loser is broken off: it says nothing about its key.
static void a_copy_that_is_broken_off_blames_nobody(void **state) {
    (void)state;
    struct world w;
    struct lease other;
    open_world(&w, 2, 0, 1);
    for (int i = 0; i < 100; i++) {
        struct lease first = take(&w);
        struct verdict broken = {.outcome = OUTCOME_NETWORK, .hint = -1};
        assert_true(take_other(&w, &first, &other));
        answer(&w, &other);
        pool_release(
            &first,
            &(struct pool_report){.verdict = &broken, .usage = USAGE_NONE, .is_cut_short = true},
            w.now);
        w.now += SEC;
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(key_state(pool_key(w.pool, i)), KEY_READY);
        assert_int_equal(pool_key(w.pool, i)->counts.requests, 100);
    }
    world_close(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_the_same_account),
        cmocka_unit_test(one_account_has_no_other),
        cmocka_unit_test(the_one_with_least_to_do),
        cmocka_unit_test(not_while_anybody_cools),
        cmocka_unit_test(not_while_one_is_out_of_money_but_without_the_removed),
        cmocka_unit_test(not_while_the_provider_fails),
        cmocka_unit_test(a_copy_that_is_broken_off_blames_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
