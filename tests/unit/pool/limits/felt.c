// Tests pool/limits/felt.c in a closed loop: limits that nobody announces are found from refusals.
// SPDX-License-Identifier: MIT
#include "pool/limits/felt.h"

#include "tests/unit/pool/limits/loop.h"

static int64_t ready_at(void *state, const struct spend *spend, int64_t now) {
    (void)spend;
    return felt_ready_at(state, now);
}

static void take(void *state, struct request *r, int64_t now) {
    r->serial = felt_take(state, now);
}

static void answered(void *state, const struct request *r, int64_t now) {
    if (r->refused)
        felt_refused(state, r->serial, r->sent_at, now);
    else
        felt_passed(state, r->serial);
}

struct setting {
    const char *name;
    enum server_kind kind;
    double capacity; // of a bucket; of windows: the period in seconds
    int slots;
    double latency;   // seconds
    bool shared;      // four keys of one account
    bool tries_first; // after a pause one request goes alone
};

// Everything as early as the provider would have allowed it.
static double ideal_time(const struct setting *set, const struct server *server, int jobs) {
    double rate = server->rate, stock = server->capacity, limited;
    if (set->kind == TOKEN_BUCKET)
        limited = fmax(0, (jobs - stock) / rate);
    else // a window's worth at once, each; the first one may be half over
        limited = fmax(0, ceil(jobs / (rate * stock)) - 1) * stock;
    if (set->kind == FIXED_WINDOW && limited > 0)
        limited -= (double)((LOOP_START + server->phase) % server->period) / 1e6;
    double slots = jobs * set->latency / (set->slots * (set->shared ? 4 : 1));
    return fmax(limited, slots) + set->latency;
}

static struct figures run(const struct setting *set, double rate, uint64_t seed, double *ideal) {
    static struct loop loop;
    struct felt felt = {0};
    int64_t period = (int64_t)(set->capacity * 1e6);
    struct server server = {.kind = set->kind,
                            .rate = rate,
                            .capacity = set->capacity,
                            .period = period,
                            .phase = (int64_t)(seed * 37 % 100) * period / 100,
                            .latency = (int64_t)(set->latency * 1e6),
                            .spread = 0.4,
                            .way = 5 * USEC_PER_MS};
    // of windows at least eight: by fewer, the pauses between decide and not the pace
    int jobs = set->kind == TOKEN_BUCKET ? 0 : (int)(8 * rate * set->capacity);
    loop = (struct loop){.keys = set->shared ? 4 : 1,
                         .jobs = jobs > 400 ? jobs : 400,
                         .slots = set->slots,
                         .seed = seed,
                         .rest_together = set->shared,
                         .tries_first = set->tries_first};
    struct paced paced = {.ready_at = ready_at, .take = take, .answered = answered};
    for (int i = 0; i < loop.keys; i++) {
        loop.servers[i] = &server;
        paced.state[i] = &felt;
    }
    *ideal = ideal_time(set, &server, loop.jobs);
    return loop_run(&loop, &paced);
}

#define SEEDS 20

struct total {
    double refused, refused_worst, time, time_worst;
};

static struct total run_seeds(const struct setting *set, double rate) {
    struct total total = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        double ideal;
        struct figures f = run(set, rate, seed, &ideal);
        double refused = refused_share(&f), time = f.seconds / ideal;
        total.refused += refused / SEEDS;
        total.refused_worst = fmax(total.refused_worst, refused);
        total.time += time / SEEDS;
        total.time_worst = fmax(total.time_worst, time);
    }
    return total;
}

// The pauses outside weigh in single runs: they double past the end of an exhausted window, and are
// a second of twenty where a run takes no longer. So the average of the seeds is held to 1.5.
static void silent_limits_are_felt(void **state) {
    (void)state;
    static const struct setting settings[] = {
        {"bucket of 1", TOKEN_BUCKET, 1, 8, 0.05, false, false},
        {"bucket of 2", TOKEN_BUCKET, 2, 8, 0.3, false, false},
        {"bucket of 2, a probe first", TOKEN_BUCKET, 2, 8, 0.3, false, true},
        {"bucket of 10", TOKEN_BUCKET, 10, 8, 0.3, false, false},
        {"bucket of 10, answers of 5 s", TOKEN_BUCKET, 10, 32, 5, false, false},
        {"bucket of 10, answers of 30 s", TOKEN_BUCKET, 10, 32, 30, false, false},
        {"bucket of 60", TOKEN_BUCKET, 60, 16, 0.3, false, false},
        {"bucket of 60, 4 keys", TOKEN_BUCKET, 60, 4, 0.3, true, true},
        {"windows of a second", FIXED_WINDOW, 1, 8, 0.05, false, false},
        {"windows of 10 s", FIXED_WINDOW, 10, 8, 0.3, false, true},
        {"windows of a minute", FIXED_WINDOW, 60, 8, 0.3, false, false},
        {"windows of a minute, 4 keys", FIXED_WINDOW, 60, 4, 0.3, true, true},
        {"sliding second", SLIDING_WINDOW, 1, 8, 0.05, false, false},
        {"sliding 10 s", SLIDING_WINDOW, 10, 8, 0.3, false, true},
        {"sliding minute", SLIDING_WINDOW, 60, 8, 0.3, false, false},
    };
    static const double rates[] = {0.2, 1, 2, 5, 10, 20};
    print_message("silent limits, 400 jobs: refused and time over ideal, average and worst of %d\n",
                  SEEDS);
    for (size_t i = 0; i < COUNT_OF(settings) * COUNT_OF(rates); i++) {
        const struct setting *set = &settings[i / COUNT_OF(rates)];
        double rate = rates[i % COUNT_OF(rates)];
        if (set->kind != TOKEN_BUCKET && rate * set->capacity < 1)
            continue; // a window of none
        struct total t = run_seeds(set, rate);
        print_message("  %-30s %4.1f/s  %5.2f %% %5.2f %%  %5.2f %5.2f\n", set->name, rate,
                      t.refused * 100, t.refused_worst * 100, t.time, t.time_worst);
        assert_true(t.refused <= 0.15);
        assert_true(t.refused_worst <= (set->kind == TOKEN_BUCKET ? 0.15 : 0.2));
        assert_true(t.time <= 1.5);
        assert_true(t.time_worst <= 1.8);
    }
}

// The limit becomes five times as high, or a fifth, half way through.
static void changed_limits_are_followed(void **state) {
    (void)state;
    static const double rates[][2] = {{2, 10}, {10, 2}, {4, 0.8}};
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        static struct loop loop;
        struct felt felt = {0};
        struct server server = {.kind = TOKEN_BUCKET,
                                .rate = rates[i][0],
                                .capacity = 10,
                                .latency = SEC / 5,
                                .spread = 0.4,
                                .change_at = 300 * SEC,
                                .change_rate = rates[i][1]};
        int jobs = (int)(300 * rates[i][0] + 300 * rates[i][1]);
        loop = (struct loop){.keys = 1, .jobs = jobs, .slots = 8, .seed = 7};
        loop.servers[0] = &server;
        struct paced paced = {
            .state = {&felt}, .ready_at = ready_at, .take = take, .answered = answered};
        struct figures f = loop_run(&loop, &paced);
        print_message("from %.1f/s to %.1f/s: %.2f %% refused, %.2f of ideal\n", rates[i][0],
                      rates[i][1], refused_share(&f) * 100, f.seconds / 600);
        assert_true(refused_share(&f) <= 0.15);
        assert_true(f.seconds <= 600 * 1.5);
    }
}

static void nothing_felt_paces_nothing(void **state) {
    (void)state;
    struct felt f = {0};
    for (int i = 0; i < 100; i++) {
        assert_true(felt_ready_at(&f, SEC) == SEC);
        assert_true(felt_take(&f, SEC) == (uint64_t)i);
        felt_passed(&f, (uint64_t)i);
    }
}

// The second of two requests at the start is refused: the pace is a guess, of four a second.
static void begin_refused(struct felt *f) {
    felt_take(f, 0);
    felt_refused(f, felt_take(f, 0), 0, SEC);
}

// Twenty at once, of which five are refused: one sign, not five.
static void refused_together_counts_once(void **state) {
    (void)state;
    struct felt one = {0}, five = {0};
    for (int i = 0; i < 20; i++)
        felt_take(&one, i * SEC / 10), felt_take(&five, i * SEC / 10);
    felt_refused(&one, 15, 15 * SEC / 10, 2 * SEC);
    for (uint64_t serial = 15; serial < 20; serial++)
        felt_refused(&five, serial, (int64_t)serial * SEC / 10, 2 * SEC);
    assert_true(one.rate == five.rate);
    assert_true(felt_ready_at(&five, 2 * SEC) > 2 * SEC);
}

static void a_pace_is_even(void **state) {
    (void)state;
    struct felt f = {0};
    begin_refused(&f);
    int64_t now = 100 * SEC; // however long it was idle: no burst
    for (int i = 0; i < 10; i++) {
        assert_true(felt_ready_at(&f, now) == now);
        felt_take(&f, now);
        int64_t next = felt_ready_at(&f, now);
        assert_in_range(next - now, (int64_t)(0.8 / f.rate), (int64_t)(1 / f.rate));
        now = next;
    }
}

// Passing at a slower pace than ours proves nothing about ours.
static void little_demand_raises_no_pace(void **state) {
    (void)state;
    struct felt f = {0};
    begin_refused(&f);
    double rate = f.rate;
    int64_t now = SEC;
    for (int i = 0; i < 100; i++)
        felt_passed(&f, felt_take(&f, now += 10 * SEC));
    assert_true(f.rate == rate);
    for (int i = 0; i < 10; i++)
        felt_passed(&f, felt_take(&f, now = felt_ready_at(&f, now)));
    assert_true(f.rate > rate);
}

static void it_is_forgotten(void **state) {
    (void)state;
    struct felt f = {0};
    begin_refused(&f);
    f.rate = 1e-12; // one in eleven days: but nothing holds longer than it is remembered
    felt_take(&f, SEC);
    assert_true(felt_ready_at(&f, 2 * SEC) == FELT_FORGOTTEN_AFTER);
    assert_true(felt_ready_at(&f, FELT_FORGOTTEN_AFTER) == FELT_FORGOTTEN_AFTER);
    felt_take(&f, FELT_FORGOTTEN_AFTER);
    assert_true(felt_ready_at(&f, FELT_FORGOTTEN_AFTER) == FELT_FORGOTTEN_AFTER);
}

// Rows that cannot be sent at all must not hold up those that can.
static void what_is_given_back_costs_no_time(void **state) {
    (void)state;
    struct felt f = {0};
    int64_t now = 1000 * SEC;
    uint64_t serial = 0;
    for (int i = 0; i < 10; i++)
        serial = felt_take(&f, now += SEC / 10);
    felt_refused(&f, serial, now, now + 1);
    now = felt_ready_at(&f, now);
    assert_true(f.rate > 0);
    for (int i = 0; i < 100; i++)
        felt_return(&f, felt_take(&f, now));
    assert_true(felt_ready_at(&f, now) <= now + (int64_t)(1 / f.rate));
}

// Before the first request nothing is known of the pace.
static void the_first_refusal_tells_no_pace(void **state) {
    (void)state;
    struct felt f = {0};
    felt_refused(&f, felt_take(&f, 0), 0, 1);
    assert_true(f.rate == 0);
    assert_true(felt_ready_at(&f, SEC) == SEC);
}

// What may be chance is measured first; the eighth sets the pace, that of the requests so far.
static void what_may_be_chance_is_measured_first(void **state) {
    (void)state;
    struct felt f = {0};
    int64_t now = SEC;
    for (int refusal = 1; refusal <= 8; refusal++) {
        for (int i = 0; i < 9; i++, now += SEC / 100)
            felt_passed(&f, felt_take(&f, now));
        felt_refused_perhaps(&f, felt_take(&f, now), now, now);
        now += SEC / 100;
        assert_true((f.rate > 0) == (refusal == 8));
    }
    assert_in_range((int)(f.rate * SEC), 80, 110);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_limits_are_felt),
        cmocka_unit_test(changed_limits_are_followed),
        cmocka_unit_test(nothing_felt_paces_nothing),
        cmocka_unit_test(refused_together_counts_once),
        cmocka_unit_test(a_pace_is_even),
        cmocka_unit_test(little_demand_raises_no_pace),
        cmocka_unit_test(what_is_given_back_costs_no_time),
        cmocka_unit_test(it_is_forgotten),
        cmocka_unit_test(the_first_refusal_tells_no_pace),
        cmocka_unit_test(what_may_be_chance_is_measured_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
