// Tests the whole pool against limits: announced ones are kept before they bite, silent ones are felt.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/world.h"

#include "jobs/base/log.h"

#define MOST_KEYS 16

// A provider that keeps token buckets, one per account, and a cap on what is in flight.
struct provider_limits {
    double capacity, per_second;
    bool announces; // as headers, in whole seconds if `coarse`
    bool coarse;
    bool by_minute;  // the limit announced is a minute's, though the bucket holds less
    bool hints;      // a refusal says when to come again
    size_t groups;   // accounts; 0: every key its own
    int concurrency; // per account; 0: no cap
    int64_t latency;
    double latency_spread; // a factor, at most
};

struct limited_server {
    struct provider_limits l;
    double level[MOST_KEYS];
    int64_t at[MOST_KEYS];
    struct random random;
};

static size_t account_of(const struct limited_server *s, size_t key) {
    return s->l.groups ? key % s->l.groups : key;
}

static void refill(struct limited_server *s, size_t i, int64_t now) {
    s->level[i] += (double)(now - s->at[i]) / SEC * s->l.per_second;
    if (s->level[i] > s->l.capacity)
        s->level[i] = s->l.capacity;
    s->at[i] = now;
}

static int in_flight_of(const struct world *w, const struct limited_server *s, size_t account) {
    int n = 0;
    for (size_t i = 0; i + 1 < w->flight_count; i++) // the last is the one that asks
        n += account_of(s, w->flights[i].key) == account;
    return n;
}

static void announce(const struct limited_server *s, size_t i, struct said *said) {
    const struct announced_limit none = {-1, -1, -1};
    int64_t full = (int64_t)((s->l.capacity - s->level[i]) / s->l.per_second * SEC);
    if (s->l.coarse)
        full = (full + SEC - 1) / SEC * SEC;
    said->announces = true;
    said->announced = (struct announced){none, none, none, none, none, none};
    said->announced.requests_minute =
        (struct announced_limit){(int64_t)(s->l.by_minute ? s->l.per_second * 60 : s->l.capacity),
                                 (int64_t)s->level[i], full};
}

static void answers_within_limits(struct world *w, size_t key, struct said *said) {
    struct limited_server *s = w->server;
    size_t i = account_of(s, key);
    refill(s, i, w->now);
    bool crowded = s->l.concurrency && in_flight_of(w, s, i) >= s->l.concurrency;
    bool full = s->l.capacity > 0 && s->level[i] < 1;
    said->verdict.scope = SCOPE_GROUP;
    if (crowded || full) {
        said_no(said, OUTCOME_RATE_LIMITED, BECAUSE_RATE);
        said->verdict.scope = SCOPE_GROUP;
        if (s->l.hints && full)
            said->verdict.hint = (int64_t)((1 - s->level[i]) / s->l.per_second * SEC);
    } else {
        s->level[i] -= 1;
        double factor = 1 + random_unit(&s->random) * s->l.latency_spread;
        said_ok(said, (int64_t)((double)s->l.latency * factor));
    }
    if (s->l.announces)
        announce(s, i, said);
}

static void serve(struct world *w, struct limited_server *s, const struct provider_limits *limits,
                  const struct world_options *options) {
    *s = (struct limited_server){.l = *limits, .random = {options->seed + 77}};
    world_open(w, options);
    for (size_t i = 0; i < MOST_KEYS; i++) {
        s->level[i] = limits->capacity;
        s->at[i] = w->now;
    }
    w->answers = answers_within_limits;
    w->server = s;
}

struct figures {
    double refused, slower; // shares: of the calls, of the ideal time
};

static struct figures measure(const struct provider_limits *limits,
                              const struct world_options *options, int64_t jobs, double ideal) {
    struct world w;
    struct limited_server s;
    serve(&w, &s, limits, options);
    world_run(&w, jobs);
    assert_false(w.stalled);
    assert_int_equal(w.jobs, 0);
    struct figures f = {(double)w.refused / (double)w.calls,
                        (double)(w.ended - w.begun) / SEC / ideal};
    world_close(&w);
    return f;
}

// 4 keys, 400 jobs; the bucket is empty when a quarter is done.
static double ideal_time(const struct provider_limits *l, double accounts, double jobs) {
    return (jobs / accounts - l->capacity) / l->per_second;
}

static void announced_limits_are_kept_before_they_bite(void **state) {
    (void)state;
    static const double rates[] = {0.5, 1, 5, 20};
    double worst_refused = 0, worst_slower = 0;
    for (size_t r = 0; r < COUNT_OF(rates); r++)
        for (int shape = 0; shape < 32; shape++) {
            struct provider_limits l = {.capacity = 25,
                                        .per_second = rates[r],
                                        .announces = true,
                                        .by_minute = (shape & 16) && rates[r] * 60 >= 25,
                                        .coarse = shape & 1,
                                        .hints = shape & 2,
                                        .latency_spread = 3};
            struct world_options o = {
                .keys = 4, .slots = shape & 4 ? 3 : 1, .seed = (uint64_t)shape};
            l.latency = (int64_t)(SEC / rates[r] / (shape & 8 ? 20 : 8));
            l.groups = shape & 8 ? 4 : 0;
            struct figures f = measure(&l, &o, 400, ideal_time(&l, 4, 400));
            if (l.by_minute && rates[r] >= 20) { // resets of a second say little about 50 ms
                assert_true(f.refused <= 0.15 && f.slower <= 1.25);
                continue;
            }
            worst_refused = f.refused > worst_refused ? f.refused : worst_refused;
            worst_slower = f.slower > worst_slower ? f.slower : worst_slower;
            if (f.refused > 0.02 || f.slower > 1.10)
                print_error("rate %g shape %d: %.1f %% refused, %.3f x ideal\n", rates[r], shape,
                            f.refused * 100, f.slower);
        }
    print_message("| announced: at worst %.1f %% refused, %.3f x the ideal time\n",
                  worst_refused * 100, worst_slower);
    assert_true(worst_refused <= 0.02 && worst_slower <= 1.10);
}

static void silent_limits_are_felt(void **state) {
    (void)state;
    static const double rates[] = {1, 5, 20};
    double worst_refused = 0, worst_slower = 0;
    for (size_t r = 0; r < COUNT_OF(rates); r++)
        for (int shape = 0; shape < 16; shape++) {
            // at 20 a second a small bucket is full long before a pause of a second ends
            struct provider_limits l = {.capacity = shape & 1 && rates[r] < 20 ? 5 : 25,
                                        .per_second = rates[r],
                                        .hints = shape & 2,
                                        .latency_spread = 3};
            struct world_options o = {.keys = 4,
                                      .slots = shape & 4 ? 3 : 1,
                                      .groups = shape & 8 ? 2 : 0,
                                      .seed = (uint64_t)shape};
            l.latency = (int64_t)(SEC / rates[r] / 8);
            l.groups = o.groups;
            double accounts = o.groups ? 2 : 4;
            struct figures f = measure(&l, &o, 400, ideal_time(&l, accounts, 400));
            worst_refused = f.refused > worst_refused ? f.refused : worst_refused;
            worst_slower = f.slower > worst_slower ? f.slower : worst_slower;
            if (f.refused > 0.15 || f.slower > 1.5)
                print_error("rate %g shape %d: %.1f %% refused, %.3f x ideal\n", rates[r], shape,
                            f.refused * 100, f.slower);
        }
    print_message("| silent: at worst %.1f %% refused, %.3f x the ideal time\n",
                  worst_refused * 100, worst_slower);
    assert_true(worst_refused <= 0.15 && worst_slower <= 1.5);
}

static void a_hidden_cap_on_what_is_in_flight_is_found(void **state) {
    (void)state;
    double worst = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct provider_limits l = {.concurrency = 3, .latency = SEC / 2, .latency_spread = 2};
        struct world_options o = {.keys = 4, .slots = SLOTS_AUTO, .seed = seed};
        struct figures f = measure(&l, &o, 400, 400.0 / 4 / 3 * 1.0);
        worst = f.slower > worst ? f.slower : worst;
        if (f.slower > 2)
            print_error("seed %d: %.3f x ideal, %.1f %% refused\n", (int)seed, f.slower,
                        f.refused * 100);
    }
    print_message("| hidden cap of 3: at worst %.3f x the ideal time\n", worst);
    assert_true(worst <= 2);
}

// -- refusals that are no limit --

struct moody {
    int percent;
    int64_t hint, latency;
    struct random random;
};

static void answers_moodily(struct world *w, size_t key, struct said *said) {
    struct moody *s = w->server;
    (void)key;
    if (random_below(&s->random, 100) < s->percent) {
        said_no(said, OUTCOME_RATE_LIMITED, BECAUSE_RATE);
        said->verdict.hint = s->hint;
        said->latency = s->latency;
    } else {
        said_ok(said, s->latency);
    }
}

// What is refused at random is not taken for a limit: the pace stays what the cool-downs allow.
static void moods_are_no_limits(void **state) {
    (void)state;
    static const struct moody moods[] = {
        {1, 20000, 5000, {1}}, {6, 20000, 5000, {2}}, {30, 20000, 5000, {3}},  {1, -1, 5000, {4}},
        {6, -1, 100000, {5}},  {2, SEC, SEC, {6}},    {10, 2 * SEC, SEC, {7}},
    };
    for (size_t i = 0; i < COUNT_OF(moods); i++) {
        int64_t passed[2];
        for (int feeling = 0; feeling <= 1; feeling++) {
            struct world w;
            struct moody s = moods[i];
            world_open(&w, &(struct world_options){.keys = 3, .slots = 3, .deaf = !feeling});
            w.answers = answers_moodily;
            w.server = &s;
            w.jobs = INT32_MAX;
            world_run_until(&w, w.now + 600 * SEC);
            passed[feeling] = INT32_MAX - w.jobs;
            world_close(&w);
        }
        print_message("| %d %% refused at random, hint %.2f s, latency %.3f s: %.2f of the pace\n",
                      moods[i].percent, (double)moods[i].hint / SEC, (double)moods[i].latency / SEC,
                      (double)passed[1] / (double)passed[0]);
        assert_true((double)passed[1] >= 0.5 * (double)passed[0]);
    }
}

// The same in runs that are over soon.
static void moods_do_not_hold_up_short_runs(void **state) {
    (void)state;
    static const struct moody moods[] = {
        {16, -1, 50000, {1}},   {16, 200000, 50000, {2}}, {30, 200000, 5000, {3}},
        {30, SEC, 300000, {4}}, {5, SEC, SEC, {5}},       {50, 2 * SEC, SEC, {6}},
        {16, -1, SEC, {7}},     {30, -1, 300000, {8}},
    };
    for (size_t i = 0; i < COUNT_OF(moods); i++) {
        double took[2] = {0, 0};
        for (int run = 0; run < 10; run++) {
            struct world w;
            struct moody s = moods[i];
            s.random.state += (uint64_t)run / 2 * 100;
            world_open(&w, &(struct world_options){.keys = 5, .slots = 1, .deaf = run % 2});
            w.answers = answers_moodily;
            w.server = &s;
            world_run(&w, 300);
            took[run % 2] += (double)(w.ended - w.begun) / SEC / 5;
            world_close(&w);
        }
        print_message("| 300 jobs, 5 keys, %d %% refused at random, hint %.2f s, latency %.3f s: "
                      "%.1f s, %.1f s unfelt\n",
                      moods[i].percent, (double)moods[i].hint / SEC, (double)moods[i].latency / SEC,
                      took[0], took[1]);
        assert_true(took[0] < 4 * took[1]);
    }
}

// A limit that is raised or lowered half way is followed.
static void changed_limits_are_followed(void **state) {
    (void)state;
    for (int raised = 0; raised <= 1; raised++) {
        struct world w;
        struct limited_server s;
        struct provider_limits l = {
            .capacity = 10, .per_second = raised ? 2 : 10, .announces = true, .latency = SEC / 50};
        struct world_options o = {.keys = 2, .slots = 1};
        serve(&w, &s, &l, &o);
        w.jobs = INT32_MAX;
        world_run_until(&w, w.now + 30 * SEC);
        s.l.per_second = raised ? 10 : 2;
        world_run_until(&w, w.now + 5 * SEC);
        int64_t calls = w.calls, refused = w.refused;
        world_run_until(&w, w.now + 30 * SEC);
        double ideal = 30 * 2 * s.l.per_second, got = (double)(w.calls - calls);
        print_message("| %s limit: %.2f of what is allowed, %d refused\n",
                      raised ? "raised" : "lowered", got / ideal, (int)(w.refused - refused));
        assert_true(got >= 0.9 * ideal && got <= 1.1 * ideal);
        assert_true((double)(w.refused - refused) <= 0.03 * got);
        world_close(&w);
    }
}

static void stated_limits_are_never_exceeded(void **state) {
    (void)state;
    struct world w;
    struct limited_server s;
    struct provider_limits l = {
        .capacity = 60, .per_second = 1, .latency = SEC / 10, .latency_spread = 5};
    struct world_options o = {.keys = 3, .slots = 4, .limits = {.rpm = 60}};
    serve(&w, &s, &l, &o);
    world_run(&w, 900);
    assert_int_equal(w.jobs, 0);
    assert_int_equal(w.refused, 0);
    print_message("| 60 a minute stated, 3 keys, 900 jobs: %.0f s\n",
                  (double)(w.ended - w.begun) / SEC);
    assert_true(w.ended - w.begun <= 250 * SEC); // 4 minutes: 60 at once, then 60 each minute
    world_close(&w);
}

int main(void) {
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(announced_limits_are_kept_before_they_bite),
        cmocka_unit_test(silent_limits_are_felt),
        cmocka_unit_test(a_hidden_cap_on_what_is_in_flight_is_found),
        cmocka_unit_test(moods_are_no_limits),
        cmocka_unit_test(moods_do_not_hold_up_short_runs),
        cmocka_unit_test(changed_limits_are_followed),
        cmocka_unit_test(stated_limits_are_never_exceeded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
