// Tests the pool with providers that fail: nobody is blamed, nobody waits longer than the outage.
// SPDX-License-Identifier: MIT
#include "pool/limits/breaker.h"
#include "pool/outage.h"
#include "tests/unit/pool/world.h"

struct outage {
    int64_t from, to;
    enum outcome outcome;
    enum cause cause;
};

static void answers_but_for_an_outage(struct world *w, size_t key, struct said *said) {
    const struct outage *o = w->server;
    (void)key;
    if (w->now >= o->from && w->now < o->to)
        said_no(said, o->outcome, o->cause);
    else
        said_ok(said, SEC / 20);
    said->verdict.scope = SCOPE_PROVIDER;
}

// A world of more jobs than can be done. The outage's times, counted from now, become the world's.
static void open_world(struct world *w, size_t keys, int slots, struct outage *o) {
    world_open(w, &(struct world_options){.keys = keys, .slots = slots});
    o->from += w->now;
    o->to += w->now;
    w->answers = answers_but_for_an_outage;
    w->server = o;
    w->jobs = INT32_MAX;
}

static void an_outage_is_nobodys_fault(void **state) {
    (void)state;
    static const struct {
        size_t keys;
        int slots;
    } sizes[] = {{1, 1}, {3, 1}, {4, 8}, {20, 2}, {100, 4}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct world w;
        struct outage o = {2 * SEC, 3 * SEC, OUTCOME_SERVER, BECAUSE_UPSTREAM};
        open_world(&w, sizes[i].keys, sizes[i].slots, &o);
        world_run_until(&w, o.from + 1);
        int64_t before = w.failed;
        world_run_until(&w, o.to + SEC);
        int64_t burned = w.failed - before, slots = (int64_t)sizes[i].keys * sizes[i].slots;
        print_message("%zu keys of %d slots: %d calls burned\n", sizes[i].keys, sizes[i].slots,
                      (int)burned);
        assert_true(burned <= (int64_t)sizes[i].keys * 4 + slots);
        assert_true(w.last_ok > o.to && w.flight_count > 0); // at work again within a second …
        world_run_until(&w, o.to + 2 * SEC);
        assert_true((int64_t)w.flight_count == slots); // … and all of them soon after
        for (size_t k = 0; k < sizes[i].keys; k++)
            assert_in_range(key_state(pool_key(w.pool, k)), KEY_READY, KEY_FULL);
        world_close(&w);
    }
}

// What hangs for minutes holds nobody back who could be served again, and when it fails at last, that
// is no news.
static void answers_but_some_hang(struct world *w, size_t key, struct said *said) {
    const struct outage *o = w->server;
    answers_but_for_an_outage(w, key, said);
    if (w->now < o->from && w->now >= o->from - SEC / 20 && w->calls % 3) {
        said_no(said, OUTCOME_TIMEOUT, BECAUSE_UPSTREAM);
        said->latency = 120 * SEC - w->now % SEC;
    }
    said->verdict.scope = SCOPE_PROVIDER;
}

static int64_t answers_in(struct world *w, int64_t time) {
    int64_t before = w->jobs;
    world_run_until(w, w->now + time);
    return before - w->jobs;
}

static void what_hangs_since_an_outage_holds_nobody_back(void **state) {
    (void)state;
    struct world w;
    struct outage o = {2 * SEC, 3 * SEC, OUTCOME_SERVER, BECAUSE_UPSTREAM};
    open_world(&w, 4, 30, &o);
    w.answers = answers_but_some_hang;
    world_run_until(&w, o.to + 3 * SEC);
    int64_t hanging = 0;
    for (size_t i = 0; i < w.flight_count; i++)
        hanging += w.flights[i].done_at > w.now + 10 * SEC;
    int64_t each_second = (120 - hanging) * 20, answers = answers_in(&w, 10 * SEC);
    print_message("%d of 120 hang: %d answers in 10 s\n", (int)hanging, (int)answers);
    assert_in_range(hanging, 60, 100);
    assert_true(answers > each_second * 10 * 9 / 10);
    world_run_until(&w, o.from + 118 * SEC);
    assert_true(answers_in(&w, 4 * SEC) > each_second * 4 * 9 / 10); // here they fail, all at once
    world_close(&w);
}

static void an_outage_of_what_checks_keys_costs_no_key(void **state) {
    (void)state;
    struct world w;
    struct outage o = {2 * SEC, 3 * SEC, OUTCOME_AUTH, BECAUSE_KEY};
    open_world(&w, 5, 2, &o);
    world_run_until(&w, o.to + 2 * SEC);
    for (size_t k = 0; k < 5; k++)
        assert_in_range(key_state(pool_key(w.pool, k)), KEY_READY, KEY_FULL);
    assert_true(w.stopped == POOL_LEASED);
    // but what goes on being refused is out in the end
    o.to = TIME_NEVER;
    o.from = w.now;
    world_run_until(&w, w.now + 2 * SEC);
    assert_int_equal(w.stopped, POOL_NONE);
    world_close(&w);
}

// One request, and what came of it so much later.
static void ask(struct world *w, const struct pool_report *report, int64_t took) {
    struct lease lease;
    int64_t when;
    assert_int_equal(pool_acquire(w->channel, &w->need, w->now, &lease, &when), POOL_LEASED);
    w->now += took;
    pool_release(&lease, report, w->now);
}

// A row's deadline ends its request early: nobody failed. Not even a probe is answered by that.
static void what_we_break_off_ourselves_says_nothing(void **state) {
    (void)state;
    struct world w;
    struct lease lease;
    int64_t when;
    struct verdict late = {.outcome = OUTCOME_TIMEOUT, .cause = BECAUSE_UPSTREAM, .hint = -1};
    struct pool_report cut = {.verdict = &late, .usage = USAGE_NONE, .is_cut_short = true};
    struct pool_report failed = {.verdict = &late, .usage = USAGE_NONE};
    world_open(&w, &(struct world_options){.keys = 1, .slots = 1});
    for (int i = 0; i < 50; i++)
        ask(&w, &cut, 1);
    const struct key *key = pool_key(w.pool, 0);
    assert_int_equal(key_health(key, w.now), 100);
    assert_int_equal(key->counts.failed, 50);
    for (int i = 0; pool_acquire(w.channel, &w.need, w.now, &lease, &when) == POOL_LEASED; i++) {
        assert_in_range(i, 0, 1);
        pool_release(&lease, &failed, ++w.now);
    }
    w.now = when;
    for (int i = 0; i < 3; i++) // the probe is still to be made
        ask(&w, &cut, 1);
    world_close(&w);
}

// In doubt is who may be good all the same; who then turns out to have no money is out.
static void an_empty_key_is_out_even_if_it_was_in_doubt(void **state) {
    (void)state;
    struct world w;
    struct lease leases[2], lease;
    int64_t when;
    struct verdict ok = {.outcome = OUTCOME_OK, .hint = -1};
    struct verdict bad = {.outcome = OUTCOME_AUTH, .cause = BECAUSE_KEY, .hint = -1};
    struct verdict empty = {.outcome = OUTCOME_QUOTA, .cause = BECAUSE_MONEY, .hint = -1};
    struct pool_report good = {.verdict = &ok, .usage = USAGE_NONE, .latency = SEC};
    struct pool_report refused = {.verdict = &bad, .usage = USAGE_NONE, .latency = SEC};
    struct pool_report broke = {.verdict = &empty, .usage = USAGE_NONE, .latency = SEC};
    const struct pool_report *rounds[] = {&good, &refused};
    world_open(&w, &(struct world_options){.keys = 2, .slots = 1});
    for (size_t round = 0; round < COUNT_OF(rounds); round++) {
        w.now += SEC;
        for (size_t i = 0; i < 2; i++)
            pool_acquire(w.channel, &w.need, w.now, &leases[i], &when);
        for (size_t i = 0; i < 2; i++)
            pool_release(&leases[i], rounds[round], w.now);
    }
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &when), POOL_LATER);
    w.now = when;
    for (int i = 0; i < 2; i++)
        ask(&w, &broke, 0);
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &when), POOL_NONE);
    world_close(&w);
}

static void a_long_outage_is_waited_for_and_a_dead_address_is_not(void **state) {
    (void)state;
    struct world w;
    struct outage o = {10 * SEC, 310 * SEC, OUTCOME_NETWORK, BECAUSE_UPSTREAM};
    open_world(&w, 3, 1, &o);
    world_run_until(&w, o.to);
    print_message("five minutes of outage: %d calls burned\n", (int)w.failed);
    assert_true(w.failed < 90);
    world_run_until(&w, o.to + 6 * SEC);
    assert_true(w.last_ok > o.to);
    world_close(&w);

    o = (struct outage){0, 0, OUTCOME_NETWORK, BECAUSE_UPSTREAM};
    open_world(&w, 3, 1, &o);
    o.to = TIME_NEVER;
    world_run_until(&w, w.now + 20 * SEC);
    assert_true(w.stopped == POOL_LEASED);
    world_run_until(&w, w.now + 10 * SEC);
    assert_int_equal(w.stopped, POOL_NONE); // nobody waits for it any longer
    print_message("a dead address: %d calls\n", (int)w.failed);
    assert_true(w.failed < 25);
    world_close(&w);
}

// What the screen says while nothing passes, and after it.
static void an_outage_is_reported(void **state) {
    (void)state;
    struct world w;
    struct outage o = {10 * SEC, 70 * SEC, OUTCOME_NETWORK, BECAUSE_UPSTREAM};
    struct outage_report report;
    open_world(&w, 3, 1, &o);
    assert_false(pool_outage(w.pool, w.provider, &report));
    world_run_until(&w, o.from + 30 * SEC);
    assert_true(pool_outage(w.pool, w.provider, &report));
    assert_in_range(report.since, o.from, o.from + SEC);
    assert_in_range(report.next_try, w.now, w.now + BREAKER_MOST);
    assert_false(report.never_answered || report.given_up || pool_has_given_up(w.pool, w.provider));
    world_run_until(&w, o.to + 6 * SEC);
    assert_false(pool_outage(w.pool, w.provider, &report));
    world_close(&w);

    o = (struct outage){0, 0, OUTCOME_NETWORK, BECAUSE_UPSTREAM};
    open_world(&w, 3, 1, &o);
    o.to = TIME_NEVER;
    world_run_until(&w, w.now + 40 * SEC);
    assert_true(pool_outage(w.pool, w.provider, &report));
    assert_true(report.never_answered && report.given_up && pool_has_given_up(w.pool, w.provider));
    world_close(&w);
}

// A quarter of all requests fails, but each for itself: the run goes on.
static void answers_shakily(struct world *w, size_t key, struct said *said) {
    struct random *random = w->server;
    (void)key;
    int64_t draw = random_below(random, 100);
    if (draw < 25)
        said_no(said, OUTCOME_SERVER, BECAUSE_UPSTREAM);
    else if (draw < 31)
        said_no(said, OUTCOME_RATE_LIMITED, BECAUSE_RATE);
    else
        said_ok(said, 0);
    said->verdict.scope = draw < 25 ? SCOPE_PROVIDER : SCOPE_KEY;
    said->verdict.hint = draw < 25 ? -1 : SEC / 50;
    said->latency = random_below(random, SEC / 500);
}

static void single_failures_are_no_outage(void **state) {
    (void)state;
    int64_t worst = 0, sum = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random random = {seed};
        struct world w;
        world_open(&w, &(struct world_options){.keys = 3, .slots = 20, .deaf = true, .seed = seed});
        w.answers = answers_shakily;
        w.server = &random;
        world_run(&w, 400);
        assert_int_equal(w.jobs, 0);
        int64_t took = w.ended - w.begun;
        sum += took;
        worst = took > worst ? took : worst;
        world_close(&w);
    }
    print_message("400 jobs, a quarter of the requests fails: %.2f s, at worst %.2f s\n",
                  (double)sum / 200 / SEC, (double)worst / SEC);
    assert_true(sum / 200 < SEC && worst < 8 * SEC);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outage_is_nobodys_fault),
        cmocka_unit_test(what_hangs_since_an_outage_holds_nobody_back),
        cmocka_unit_test(an_outage_of_what_checks_keys_costs_no_key),
        cmocka_unit_test(what_we_break_off_ourselves_says_nothing),
        cmocka_unit_test(an_empty_key_is_out_even_if_it_was_in_doubt),
        cmocka_unit_test(a_long_outage_is_waited_for_and_a_dead_address_is_not),
        cmocka_unit_test(single_failures_are_no_outage),
        cmocka_unit_test(an_outage_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
