// Tests pool/follow.c and release.c on a virtual clock: what follows from an answer, for its key and its
// limits.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/one_provider.h"

// A key that is refused with one request under way has nothing left to narrow: it rests, or it would be
// asked again at once, for ever.
static void too_many_at_once_narrows_and_one_alone_rests(void **state) {
    (void)state;
    struct fixture f;
    struct lease leases[4];
    int64_t not_before;
    open_pool(&f, 1, 4, COOLDOWN_AUTO);
    for (int i = 0; i < 4; i++)
        leases[i] = take(&f);
    f.now++;
    give(&f, &leases[3], OUTCOME_RATE_LIMITED, BECAUSE_CONCURRENCY, -1);
    assert_int_equal(refuse(&f, &not_before), POOL_BUSY); // three are under way, and not resting
    for (int i = 0; i < 3; i++)
        answer(&f, &leases[i]);
    for (int i = 0; i < 3; i++)
        leases[i] = take(&f);
    assert_int_equal(refuse(&f, &not_before), POOL_BUSY);
    for (int i = 0; i < 3; i++)
        answer(&f, &leases[i]);
    f.now++;
    leases[0] = take(&f);
    give(&f, &leases[0], OUTCOME_RATE_LIMITED, BECAUSE_CONCURRENCY, 2 * SEC);
    assert_int_equal(refuse(&f, &not_before), POOL_LATER);
    assert_true(not_before == f.now + 2 * SEC);
    pool_free(f.pool);
}

// How many the key takes at once once its rest is over.
static int width_after_rest(struct fixture *f) {
    struct lease leases[64], probe = take(f);
    int64_t not_before;
    int count = 0;
    answer(f, &probe);
    while (count < 64 &&
           pool_acquire(f->home, &any, f->now, &leases[count], &not_before) == POOL_LEASED)
        count++;
    for (int i = 0; i < count; i++)
        answer(f, &leases[i]);
    return count;
}

// Whoever else is under way: the wait that is asked for is kept to, and then there are fewer at once.
static void too_many_with_a_wait_narrows_and_rests(void **state) {
    (void)state;
    static const struct {
        enum cause cause;
        int slots, at_once, least, most; // width afterwards
    } cases[] = {
        {BECAUSE_CONCURRENCY, 4, 4, 3, 3},
        {BECAUSE_CONCURRENCY, SLOTS_AUTO, 8, 4, 7},
        {BECAUSE_RATE, SLOTS_AUTO, 8, 4, 7},
        {BECAUSE_RATE, 4, 4, 4, 4}, // as many as were asked for
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        struct lease leases[64];
        int64_t not_before;
        int count = 0;
        open_pool(&f, 1, cases[i].slots, COOLDOWN_AUTO);
        while (count < cases[i].at_once) { // an automatic width doubles with each round
            count = 0;
            while (pool_acquire(f.home, &any, f.now, &leases[count], &not_before) == POOL_LEASED)
                count++;
            for (int k = 0; count < cases[i].at_once && k < count; k++)
                answer(&f, &leases[k]);
            f.now += SEC / 100;
        }
        assert_int_equal(count, cases[i].at_once);
        give(&f, &leases[--count], OUTCOME_RATE_LIMITED, cases[i].cause, 5 * SEC);
        int64_t until = f.now + 5 * SEC;
        while (count) {
            refuse(&f, &not_before); // the rest, or full hands
            assert_true(not_before == until);
            answer(&f, &leases[--count]);
            f.now += SEC / 10;
        }
        f.now = until - 1;
        assert_int_equal(refuse(&f, &not_before), POOL_LATER);
        f.now = until;
        assert_in_range(width_after_rest(&f), cases[i].least, cases[i].most);
        pool_free(f.pool);
    }
}

// --cooldown is for refusals of a rate, whatever the hint; a day that is used up lasts to its end.
static void a_stated_rest_is_kept_and_a_day_lasts_to_its_end(void **state) {
    (void)state;
    struct fixture f;
    int64_t not_before, wall = INT64_C(1795000000) * SEC; // 46400 s before midnight UTC
    open_pool(&f, 1, 1, 3 * SEC);
    pool_tell_time(f.pool, f.now, wall);
    for (int i = 0; i < 6; i++) {
        struct lease lease = take(&f);
        limit(&f, &lease, i % 2 ? 20 * SEC : -1);
        assert_int_equal(refuse(&f, &not_before), POOL_LATER);
        assert_true(not_before == f.now + 3 * SEC);
        f.now = not_before;
        wall += 3 * SEC;
        pool_tell_time(f.pool, f.now, wall);
    }
    struct lease lease = take(&f);
    give(&f, &lease, OUTCOME_QUOTA, BECAUSE_DAY, -1);
    assert_int_equal(refuse(&f, &not_before), POOL_LATER);
    assert_true(not_before == f.now + 46400 * SEC - 18 * SEC);
    pool_tell_time(f.pool, f.now, wall + 3600 * SEC); // the clock was an hour slow
    assert_int_equal(refuse(&f, &not_before), POOL_LATER);
    assert_true(not_before == f.now + 46400 * SEC - 18 * SEC - 3600 * SEC);
    pool_free(f.pool);
}

static void a_key_that_may_not_is_left_alone(void **state) {
    (void)state;
    struct fixture f;
    int64_t not_before;
    log_set_level(LOG_ERROR);
    open_pool(&f, 2, 1, COOLDOWN_AUTO);
    struct lease lease = take(&f);
    give(&f, &lease, OUTCOME_AUTH, BECAUSE_FORBIDDEN, -1);
    for (int i = 0; i < 5; i++) {
        lease = take(&f);
        assert_int_equal(index_of(&f, lease.key), 1);
        answer(&f, &lease);
    }
    lease = take(&f);
    assert_int_equal(refuse(&f, &not_before), POOL_BUSY);
    assert_true(not_before == f.now + COOLDOWN_MONEY_PROBE);
    answer(&f, &lease);
    pool_free(f.pool);
}

// What was sent before anything was announced counts against the first announcement.
static void the_first_announcement_knows_nothing_of_what_is_under_way(void **state) {
    (void)state;
    struct fixture f;
    struct lease leases[5], more;
    int64_t not_before;
    struct announced_limit none = {-1, -1, -1};
    struct announced announced = {{10, 4, 36 * SEC}, none, none, none, none, none};
    struct verdict ok = {.outcome = OUTCOME_OK, .hint = -1};
    open_pool(&f, 1, 8, COOLDOWN_AUTO);
    for (int i = 0; i < 5; i++) {
        leases[i] = take(&f);
        f.now += SEC / 1000;
    }
    pool_release(
        &leases[0],
        &(struct pool_report){.verdict = &ok, .usage = USAGE_NONE, .announced = &announced}, f.now);
    assert_int_equal(pool_acquire(f.home, &any, f.now, &more, &not_before), POOL_LATER);
    for (int i = 1; i < 5; i++)
        answer(&f, &leases[i]);
    pool_free(f.pool);
}

static void failures_are_held_against_a_key_and_answers_for_it(void **state) {
    (void)state;
    struct fixture f;
    open_pool(&f, 2, 1, COOLDOWN_AUTO);
    struct lease lease = take(&f);
    give(&f, &lease, OUTCOME_SERVER, BECAUSE_UPSTREAM, -1);
    assert_int_equal(key_health(pool_key(f.pool, 0), f.now), 90);
    lease = take(&f);
    answer(&f, &lease);
    lease = take(&f);
    assert_int_equal(index_of(&f, lease.key), 0);
    answer(&f, &lease);
    assert_int_equal(key_health(pool_key(f.pool, 0), f.now), 92);
    pool_free(f.pool);
}

// One key with stated limits.
static void open_limited(struct fixture *f, struct key_limits limits) {
    open_pool(f, 1, 2, COOLDOWN_AUTO);
    pool_free(f->pool);
    f->pool = pool_new(&(struct pool_options){
        .keyring = &f->ring, .slots_per_key = 2, .limits = limits, .feels_nothing = true});
    f->home = pool_channel(f->pool, &here, SLICE("\"m\""));
}

static enum pool_answer ask(struct fixture *f, int64_t input, int64_t output, struct lease *lease) {
    struct need need = {.input_tokens = input, .output_tokens = output};
    int64_t not_before;
    return pool_acquire(f->home, &need, f->now, lease, &not_before);
}

static void end(struct fixture *f, struct lease *lease, enum outcome outcome, int64_t input,
                int64_t output) {
    enum cause cause = outcome == OUTCOME_OK ? BECAUSE_NOTHING : BECAUSE_REQUEST;
    struct verdict verdict = {.outcome = outcome, .cause = cause, .hint = -1};
    struct pool_report report = {.verdict = &verdict,
                                 .usage = {input, output, -1, -1, -1, -1},
                                 .end = outcome == OUTCOME_INVALID_REQUEST ? REQUEST_REFUSED
                                                                           : REQUEST_ANSWERED,
                                 .latency = 1000};
    pool_release(lease, &report, f->now);
}

// What counts against stated tokens is what the provider says; nothing for what was not answered; else
// the estimate.
static void stated_tokens_are_settled(void **state) {
    (void)state;
    static const struct {
        enum outcome outcome;
        int64_t input, output;
        int64_t taken;
    } cases[] = {
        {OUTCOME_OK, 500, 490, 990},
        {OUTCOME_OK, 0, 0, 0},
        {OUTCOME_OK, -1, -1, 700},
        {OUTCOME_OK, 500, -1, 900},
        {OUTCOME_OK, -1, 100, 400},
        {OUTCOME_INVALID_REQUEST, -1, -1, 0},
        {OUTCOME_INVALID_REQUEST, 500, -1, 500},
        {OUTCOME_CONTENT_FILTER, 500, 400, 900},
        {OUTCOME_CONTENT_FILTER, -1, -1, 700},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        struct lease lease;
        open_limited(&f, (struct key_limits){.tpm = 1000});
        assert_int_equal(ask(&f, 300, 400, &lease), POOL_LEASED);
        end(&f, &lease, cases[i].outcome, cases[i].input, cases[i].output);
        if (cases[i].taken) // more than the limit goes when nothing is taken
            assert_int_equal(ask(&f, 1000 - cases[i].taken, 1, &lease), POOL_LATER);
        pool_free(f.pool);
        open_limited(&f, (struct key_limits){.tpm = 1000});
        assert_int_equal(ask(&f, 300, 400, &lease), POOL_LEASED);
        end(&f, &lease, cases[i].outcome, cases[i].input, cases[i].output);
        assert_int_equal(ask(&f, 1000 - cases[i].taken, 0, &lease), POOL_LEASED);
        end(&f, &lease, OUTCOME_OK, 0, 0);
        pool_free(f.pool);
    }
}

static void a_returned_lease_takes_nothing_from_stated_limits(void **state) {
    (void)state;
    struct fixture f;
    struct lease lease;
    open_limited(&f, (struct key_limits){.rpm = 1, .rpd = 1});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(&f, 1, 1, &lease), POOL_LEASED);
        pool_return(&lease, f.now);
    }
    assert_int_equal(ask(&f, 1, 1, &lease), POOL_LEASED);
    answer(&f, &lease);
    assert_int_equal(ask(&f, 1, 1, &lease), POOL_LATER);
    pool_free(f.pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_many_at_once_narrows_and_one_alone_rests),
        cmocka_unit_test(too_many_with_a_wait_narrows_and_rests),
        cmocka_unit_test(a_stated_rest_is_kept_and_a_day_lasts_to_its_end),
        cmocka_unit_test(a_key_that_may_not_is_left_alone),
        cmocka_unit_test(the_first_announcement_knows_nothing_of_what_is_under_way),
        cmocka_unit_test(failures_are_held_against_a_key_and_answers_for_it),
        cmocka_unit_test(stated_tokens_are_settled),
        cmocka_unit_test(a_returned_lease_takes_nothing_from_stated_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
