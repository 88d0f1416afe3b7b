// Tests the whole pool with traffic on a virtual clock: nothing stalls, nothing is blamed wrongly.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/world.h"

#include "jobs/base/log.h"

#include <time.h>

// -- every cause at random: whoever waits is told until when --

static void answers_anything(struct world *w, size_t key, struct said *said) {
    static const struct {
        enum outcome outcome;
        enum cause cause;
        int share;
    } all[] = {
        {OUTCOME_OK, BECAUSE_NOTHING, 60},
        {OUTCOME_INVALID_REQUEST, BECAUSE_REQUEST, 5},
        {OUTCOME_RATE_LIMITED, BECAUSE_RATE, 12},
        {OUTCOME_RATE_LIMITED, BECAUSE_CONCURRENCY, 5},
        {OUTCOME_RATE_LIMITED, BECAUSE_UPSTREAM, 3},
        {OUTCOME_SERVER, BECAUSE_UPSTREAM, 8},
        {OUTCOME_QUOTA, BECAUSE_DAY, 2},
        {OUTCOME_QUOTA, BECAUSE_MONEY, 1},
        {OUTCOME_MODEL, BECAUSE_MODEL, 2},
        {OUTCOME_AUTH, BECAUSE_KEY, 1},
        {OUTCOME_AUTH, BECAUSE_FORBIDDEN, 1},
    };
    struct random *random = w->server;
    (void)key;
    int64_t draw = random_below(random, 100);
    size_t i = 0;
    while (draw >= all[i].share)
        draw -= all[i++].share;
    if (all[i].outcome == OUTCOME_OK)
        said_ok(said, 0);
    else
        said_no(said, all[i].outcome, all[i].cause);
    said->latency = random_below(random, 3 * SEC);
    said->verdict.scope = random_below(random, 2) ? SCOPE_GROUP : SCOPE_KEY;
    if (random_below(random, 2))
        said->verdict.hint = random_below(random, 20 * SEC);
    if (random_below(random, 4) == 0) {
        said->announces = true;
        struct announced_limit none = {-1, -1, -1};
        said->announced = (struct announced){none, none, none, none, none, none};
        said->announced.requests_minute =
            (struct announced_limit){10, random_below(random, 11), random_below(random, 60 * SEC)};
    }
}

static void whoever_waits_is_told_until_when(void **state) {
    (void)state;
    log_set_level(LOG_ERROR);
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct random random = {seed};
        struct world w;
        struct world_options o = {.keys = (size_t)random_below(&random, 9) + 1,
                                  .slots = (int)random_below(&random, 4),
                                  .groups = (size_t)random_below(&random, 4),
                                  .strategy = (enum strategy)random_below(&random, STRATEGY_COUNT),
                                  .seed = seed};
        if (random_below(&random, 3) == 0)
            o.limits = (struct key_limits){.rpm = random_below(&random, 100) + 1,
                                           .tpm = random_below(&random, 10000) + 1};
        world_open(&w, &o);
        w.answers = answers_anything;
        w.server = &random;
        world_run(&w, 300);
        if (w.stalled)
            fail_msg("seed %d: nobody goes on, %d jobs left", (int)seed, (int)w.jobs);
        assert_true(w.jobs == 0 || w.stopped != POOL_LEASED);
        int64_t requests = 0;
        for (size_t i = 0; i < pool_key_count(w.pool); i++) {
            const struct key *key = pool_key(w.pool, i);
            const struct key_counts *c = &key->counts;
            assert_true(c->requests == c->ok + c->failed + c->rate_limited + key->in_flight);
            requests += c->requests;
        }
        assert_true(requests == w.calls);
        world_close(&w);
    }
}

// -- one good, one always 429, one always 401 --

static void answers_by_key(struct world *w, size_t key, struct said *said) {
    (void)w;
    if (key == 0)
        said_ok(said, SEC / 10);
    else if (key == 1)
        said_no(said, OUTCOME_RATE_LIMITED, BECAUSE_RATE);
    else
        said_no(said, OUTCOME_AUTH, BECAUSE_KEY);
    said->verdict.scope = SCOPE_KEY;
    if (key == 1 && w->server)
        said->verdict.hint = SEC;
}

static void a_good_key_carries_the_bad_ones(void **state) {
    (void)state;
    for (int hinted = 0; hinted <= 1; hinted++) {
        struct world w;
        world_open(&w, &(struct world_options){.keys = 3, .slots = 1});
        w.answers = answers_by_key;
        w.server = hinted ? &w : NULL;
        world_run(&w, 3000); // five minutes of work for one key
        assert_int_equal(w.jobs, 0);
        assert_int_equal(w.key_calls[2], 1);
        print_message("the key that always answers 429 was asked %d times in %d s\n",
                      (int)w.key_calls[1], (int)((w.ended - w.begun) / SEC));
        assert_in_range(w.key_calls[1], 3, 14); // gaps that double to a minute
        assert_true(w.ended - w.begun <= 301 * SEC);
        world_close(&w);
    }
}

// -- an outage --

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

static void an_outage_is_nobodys_fault(void **state) {
    (void)state;
    static const struct {
        size_t keys;
        int slots;
    } sizes[] = {{1, 1}, {3, 1}, {4, 8}, {20, 2}, {100, 4}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct world w;
        struct outage o = {0, 0, OUTCOME_SERVER, BECAUSE_UPSTREAM};
        world_open(&w, &(struct world_options){.keys = sizes[i].keys, .slots = sizes[i].slots});
        o.from = w.now + 2 * SEC;
        o.to = o.from + SEC;
        w.answers = answers_but_for_an_outage;
        w.server = &o;
        w.jobs = INT32_MAX;
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
    struct outage o = {0, 0, OUTCOME_SERVER, BECAUSE_UPSTREAM};
    world_open(&w, &(struct world_options){.keys = 4, .slots = 30});
    o.from = w.now + 2 * SEC;
    o.to = o.from + SEC;
    w.answers = answers_but_some_hang;
    w.server = &o;
    w.jobs = INT32_MAX;
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
    struct outage o = {0, 0, OUTCOME_AUTH, BECAUSE_KEY};
    world_open(&w, &(struct world_options){.keys = 5, .slots = 2});
    o.from = w.now + 2 * SEC;
    o.to = o.from + SEC;
    w.answers = answers_but_for_an_outage;
    w.server = &o;
    w.jobs = INT32_MAX;
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
    for (int i = 0; i < 50; i++) {
        assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &when), POOL_LEASED);
        pool_release(w.pool, &lease, &cut, ++w.now);
    }
    const struct key *key = pool_key(w.pool, 0);
    assert_int_equal(key_health(key, w.now), 100);
    assert_int_equal(key->counts.failed, 50);
    for (int i = 0; pool_acquire(w.channel, &w.need, w.now, &lease, &when) == POOL_LEASED; i++) {
        assert_in_range(i, 0, 1);
        pool_release(w.pool, &lease, &failed, ++w.now);
    }
    w.now = when;
    for (int i = 0; i < 3; i++) { // the probe is still to be made
        assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &when), POOL_LEASED);
        pool_release(w.pool, &lease, &cut, ++w.now);
    }
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
            pool_release(w.pool, &leases[i], rounds[round], w.now);
    }
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &when), POOL_LATER);
    for (size_t i = 0; i < 2; i++) {
        w.now = i ? w.now : when;
        assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &leases[i], &when), POOL_LEASED);
        pool_release(w.pool, &leases[i], &broke, w.now);
    }
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &when), POOL_NONE);
    world_close(&w);
}

static void a_long_outage_is_waited_for_and_a_dead_address_is_not(void **state) {
    (void)state;
    struct world w;
    struct outage o = {0, 0, OUTCOME_NETWORK, BECAUSE_UPSTREAM};
    world_open(&w, &(struct world_options){.keys = 3, .slots = 1});
    o.from = w.now + 10 * SEC;
    o.to = o.from + 300 * SEC;
    w.answers = answers_but_for_an_outage;
    w.server = &o;
    w.jobs = INT32_MAX;
    world_run_until(&w, o.to);
    print_message("five minutes of outage: %d calls burned\n", (int)w.failed);
    assert_true(w.failed < 90);
    world_run_until(&w, o.to + 6 * SEC);
    assert_true(w.last_ok > o.to);
    world_close(&w);

    world_open(&w, &(struct world_options){.keys = 3, .slots = 1});
    o = (struct outage){0, TIME_NEVER, OUTCOME_NETWORK, BECAUSE_UPSTREAM};
    w.answers = answers_but_for_an_outage;
    w.server = &o;
    w.jobs = INT32_MAX;
    world_run_until(&w, w.now + 20 * SEC);
    assert_true(w.failed > 200); // jobs fail as they would, the run comes to its end
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

// -- days --

struct day_server {
    int64_t quota, used, day_began;
};

static const struct provider google = {.name = "google"}, zai = {.name = "zai"};

// A quota a day that starts anew at the provider's midnight; the signals name that time.
static void answers_so_many_a_day(struct world *w, size_t key, struct said *said) {
    struct day_server *s = w->server;
    int64_t wall = w->now + w->wall_offset;
    (void)key;
    if (day_end(w->provider, wall) != s->day_began) {
        s->day_began = day_end(w->provider, wall);
        s->used = 0;
    }
    if (s->used >= s->quota) {
        said_no(said, OUTCOME_QUOTA, BECAUSE_DAY);
        said->verdict.scope = SCOPE_GROUP;
        said->verdict.hint = s->day_began - wall;
        return;
    }
    s->used++;
    said_ok(said, SEC);
}

static void days_end_at_the_providers_midnight(void **state) {
    (void)state;
    const struct provider *providers[] = {&google, &zai, &world_provider};
    for (size_t i = 0; i < COUNT_OF(providers); i++) {
        struct world w;
        struct day_server s = {.quota = 1000};
        world_open(&w, &(struct world_options){
                           .keys = 2, .slots = 1, .groups = 1, .provider = providers[i]});
        w.answers = answers_so_many_a_day;
        w.server = &s;
        world_run(&w, 3500);
        assert_int_equal(w.jobs, 0);
        print_message("%s: 3500 jobs at 1000 a day in %.2f days with %d calls too many\n",
                      providers[i]->name, (double)(w.ended - w.begun) / 86400 / SEC,
                      (int)(w.calls - 3500));
        assert_in_range(w.ended - w.begun, 2 * 86400 * SEC, 4 * 86400 * SEC);
        assert_true(w.calls - 3500 <= 4 * 3);
        world_close(&w);
    }
}

static void stated_days_are_never_exceeded(void **state) {
    (void)state;
    struct world w;
    struct day_server s = {.quota = 500};
    world_open(&w, &(struct world_options){
                       .keys = 1, .slots = 3, .provider = &google, .limits = {.rpd = 500}});
    w.answers = answers_so_many_a_day;
    w.server = &s;
    world_run(&w, 1800);
    assert_int_equal(w.jobs, 0);
    assert_int_equal(w.calls, 1800); // not one refused
    world_close(&w);
}

static void a_wall_clock_that_jumps_moves_the_days(void **state) {
    (void)state;
    struct world w;
    struct day_server s = {.quota = 10};
    world_open(&w, &(struct world_options){.keys = 1, .slots = 1, .provider = &zai});
    w.answers = answers_so_many_a_day;
    w.server = &s;
    w.jobs = 15;
    world_run_until(&w, w.now + 60 * SEC);
    assert_int_equal(w.jobs, 5);
    w.wall_offset += 24 * 3600 * SEC; // a laptop that slept: the monotonic clock stood still
    world_run_until(&w, w.now + 60 * SEC);
    assert_int_equal(w.jobs, 0);
    w.jobs = 15;
    world_run_until(&w, w.now + 60 * SEC);
    assert_int_equal(w.jobs, 10);
    w.wall_offset -= 3 * 3600 * SEC; // set back: the day is three hours longer
    world_run_until(&w, w.now + 60 * SEC);
    assert_int_equal(w.jobs, 10);
    world_run_until(&w, w.now + 27 * 3600 * SEC);
    assert_int_equal(w.jobs, 0);
    world_close(&w);
}

// A laptop that slept over midnight: a quota that is stated is whole again, too.
static void a_jump_over_midnight_renews_stated_days(void **state) {
    (void)state;
    for (size_t groups = 0; groups <= 1; groups++) {
        struct world w;
        struct day_server s = {.quota = 1000};
        char name[] = "group 0";
        struct key_group group = {&world_provider, name, {.rpd = 10}};
        struct world_options o = {.keys = 1, .slots = 1, .groups = groups};
        if (groups)
            o.group = &group;
        else
            o.limits.rpd = 10;
        world_open(&w, &o);
        w.answers = answers_so_many_a_day;
        w.server = &s;
        w.jobs = 15;
        world_run_until(&w, w.now + 60 * SEC);
        assert_int_equal(w.jobs, 5);
        w.wall_offset += 24 * 3600 * SEC;
        world_run_until(&w, w.now + 60 * SEC);
        assert_int_equal(w.jobs, 0);
        world_close(&w);
    }
}

// Set back by days: midnight was never further away than a day.
static void no_bench_outlasts_a_day_whatever_the_wall_clock_does(void **state) {
    (void)state;
    struct world w;
    struct day_server s = {.quota = 10};
    world_open(&w, &(struct world_options){.keys = 1, .slots = 1});
    w.answers = answers_so_many_a_day;
    w.server = &s;
    w.jobs = 15;
    world_run_until(&w, w.now + 60 * SEC);
    assert_int_equal(w.jobs, 5);
    w.wall_offset -= 10 * 24 * 3600 * SEC;
    world_run_until(&w, w.now + 27 * 3600 * SEC);
    assert_int_equal(w.jobs, 0);
    world_close(&w);
}

// -- groups --

// One request at a time for all of them, and then none for an hour: nobody waits for an answer.
static void a_crowded_group_that_is_benched_is_not_busy(void **state) {
    (void)state;
    struct world w;
    struct lease lease, other;
    int64_t when;
    char name[] = "group 0";
    struct key_group group = {&world_provider, name, {.concurrency = 1}};
    struct verdict no = {
        .outcome = OUTCOME_RATE_LIMITED, .cause = BECAUSE_RATE, .hint = 3600 * SEC};
    struct pool_report report = {.verdict = &no, .usage = USAGE_NONE, .latency = SEC};
    world_open(&w, &(struct world_options){.keys = 3, .slots = 1, .groups = 1, .group = &group});
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &when), POOL_LEASED);
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &other, &when), POOL_BUSY);
    pool_release(w.pool, &lease, &report, w.now);
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &other, &when), POOL_LATER);
    assert_in_range(when - w.now, 3600 * SEC, 3601 * SEC);
    world_close(&w);
}

static void answers_groups_alike(struct world *w, size_t key, struct said *said) {
    int64_t *until = w->server; // group 0 is refused until then
    said->verdict.scope = SCOPE_GROUP;
    if (key % 2 == 0 && w->now < *until) {
        said_no(said, OUTCOME_RATE_LIMITED, BECAUSE_RATE);
        said->verdict.hint = *until - w->now;
    } else {
        said_ok(said, SEC / 10);
    }
}

static void a_group_is_refused_once_and_probed_once(void **state) {
    (void)state;
    struct world w;
    int64_t until;
    world_open(&w, &(struct world_options){.keys = 20, .slots = 1, .groups = 2, .deaf = true});
    until = w.now + 30 * SEC;
    w.answers = answers_groups_alike;
    w.server = &until;
    w.jobs = INT32_MAX;
    world_run_until(&w, w.now + 35 * SEC);
    assert_in_range(w.refused, 10, 11); // those at once; then the account was left alone
    assert_int_equal(w.flight_count, 20);
    world_close(&w);
}

// -- models --

static void a_model_that_an_account_has_not_is_asked_elsewhere(void **state) {
    (void)state;
    struct world w;
    world_open(&w, &(struct world_options){.keys = 2, .slots = 1});
    struct lease lease, other;
    int64_t when;
    struct verdict no = {.outcome = OUTCOME_MODEL, .cause = BECAUSE_MODEL, .hint = -1};
    struct pool_report report = {.verdict = &no, .usage = USAGE_NONE, .latency = SEC};
    struct channel *second = pool_channel(w.pool, w.provider, SLICE("\"other\""));
    assert_ptr_not_equal(second, w.channel);
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &when), POOL_LEASED);
    pool_release(w.pool, &lease, &report, w.now);
    for (int i = 0; i < 5; i++) { // the first key serves the other model as before
        assert_int_equal(pool_acquire(second, &w.need, w.now, &lease, &when), POOL_LEASED);
        assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &other, &when),
                         i % 2 ? POOL_BUSY : POOL_LEASED);
        pool_return(&lease, w.now);
        if (!(i % 2))
            pool_return(&other, w.now);
    }
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &when), POOL_LEASED);
    pool_release(w.pool, &lease, &report, w.now);
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &when), POOL_NO_MODEL);
    world_close(&w);
}

// -- affinity --

static size_t served_by(struct world *w, enum outcome outcome, enum cause cause) {
    struct need need = {.input_tokens = 10, .output_tokens = -1, .affinity = 7};
    struct verdict verdict = {.outcome = outcome, .cause = cause, .hint = -1};
    struct pool_report report = {.verdict = &verdict, .usage = USAGE_NONE, .latency = SEC};
    struct lease lease;
    int64_t when;
    assert_int_equal(pool_acquire(w->channel, &need, w->now, &lease, &when), POOL_LEASED);
    size_t place = lease.key->place;
    pool_release(w->pool, &lease, &report, w->now);
    return place;
}

static void rows_alike_find_a_new_home_when_theirs_is_gone(void **state) {
    (void)state;
    struct world w;
    world_open(&w, &(struct world_options){.keys = 4, .slots = 1});
    size_t home = served_by(&w, OUTCOME_OK, BECAUSE_NOTHING);
    assert_int_equal(served_by(&w, OUTCOME_AUTH, BECAUSE_KEY), home);
    size_t next = served_by(&w, OUTCOME_OK, BECAUSE_NOTHING);
    assert_int_not_equal(next, home);
    for (int i = 0; i < 5; i++)
        assert_int_equal(served_by(&w, OUTCOME_OK, BECAUSE_NOTHING), next);
    world_close(&w);
}

// -- many keys --

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_hundred_thousand_keys_are_chosen_from_quickly(void **state) {
    (void)state;
    for (int strategy = 0; strategy < STRATEGY_COUNT; strategy++) {
        struct world w;
        enum { KEYS = 100000, ROUNDS = 300000 };
        double began = seconds();
        world_open(&w, &(struct world_options){
                           .keys = KEYS, .slots = 1, .strategy = (enum strategy)strategy});
        double opened = seconds();
        struct verdict ok = {.outcome = OUTCOME_OK, .hint = -1};
        struct verdict limited = {
            .outcome = OUTCOME_RATE_LIMITED, .cause = BECAUSE_RATE, .hint = 5 * SEC};
        for (int i = 0; i < ROUNDS; i++) {
            struct lease lease;
            int64_t when;
            w.now += 10;
            if (pool_acquire(w.channel, &w.need, w.now, &lease, &when) != POOL_LEASED)
                fail_msg("none of 100,000");
            struct pool_report report = {
                .verdict = i % 50 ? &ok : &limited, .usage = USAGE_NONE, .latency = SEC};
            pool_release(w.pool, &lease, &report, w.now);
        }
        double each = (seconds() - opened) / ROUNDS * 1e6;
        print_message("%-12s start %.3f s, acquire and release %.2f us\n", strategy_names[strategy],
                      opened - began, each);
        assert_true(each < 40); // the promise is below 2 us; this only catches a scan
        world_close(&w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_waits_is_told_until_when),
        cmocka_unit_test(a_good_key_carries_the_bad_ones),
        cmocka_unit_test(an_outage_is_nobodys_fault),
        cmocka_unit_test(what_hangs_since_an_outage_holds_nobody_back),
        cmocka_unit_test(an_outage_of_what_checks_keys_costs_no_key),
        cmocka_unit_test(what_we_break_off_ourselves_says_nothing),
        cmocka_unit_test(an_empty_key_is_out_even_if_it_was_in_doubt),
        cmocka_unit_test(a_long_outage_is_waited_for_and_a_dead_address_is_not),
        cmocka_unit_test(single_failures_are_no_outage),
        cmocka_unit_test(days_end_at_the_providers_midnight),
        cmocka_unit_test(stated_days_are_never_exceeded),
        cmocka_unit_test(a_wall_clock_that_jumps_moves_the_days),
        cmocka_unit_test(a_jump_over_midnight_renews_stated_days),
        cmocka_unit_test(no_bench_outlasts_a_day_whatever_the_wall_clock_does),
        cmocka_unit_test(a_crowded_group_that_is_benched_is_not_busy),
        cmocka_unit_test(a_group_is_refused_once_and_probed_once),
        cmocka_unit_test(a_model_that_an_account_has_not_is_asked_elsewhere),
        cmocka_unit_test(rows_alike_find_a_new_home_when_theirs_is_gone),
        cmocka_unit_test(a_hundred_thousand_keys_are_chosen_from_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
