// Tests pool/limits/width.c in a closed loop: hidden caps, queues, latencies that mean nothing.
// SPDX-License-Identifier: MIT
#include "pool/limits/width.h"

#include "tests/unit/pool/limits/loop.h"

static int64_t ready_at(void *state, const struct spend *spend, int64_t now) {
    (void)state, (void)spend;
    return now;
}

static void take(void *state, struct request *r, int64_t now) {
    (void)state, (void)r, (void)now;
}

static void answered(void *state, const struct request *r, int64_t now) {
    if (r->refused)
        width_refused(state, r->in_flight, r->sent_at, now);
    else
        width_passed(state, now - r->sent_at, r->in_flight, now);
}

static int width_of(void *state) {
    return width_now(state);
}

static struct figures run(struct server *server, struct width *width, int jobs, uint64_t seed) {
    static struct loop loop;
    struct paced paced = {
        .ready_at = ready_at, .take = take, .answered = answered, .width = width_of};
    loop = (struct loop){.keys = 1, .jobs = jobs, .seed = seed, .tries_first = true};
    loop.servers[0] = server;
    paced.state[0] = width;
    return loop_run(&loop, &paced);
}

#define SEEDS 20

static void a_hidden_cap_is_found(void **state) {
    (void)state;
    static const double latencies[] = {0.05, 0.3, 1, 5, 30};
    static const int caps[] = {1, 2, 3, 5, 10, 40};
    print_message("hidden cap, 400 jobs from cold: refused, time over ideal (worst of %d)\n",
                  SEEDS);
    for (size_t i = 0; i < COUNT_OF(caps) * COUNT_OF(latencies); i++) {
        int cap = caps[i / COUNT_OF(latencies)];
        double latency = latencies[i % COUNT_OF(latencies)], time = 0, refused = 0;
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct server server = {.at_once = cap,
                                    .latency = (int64_t)(latency * 1e6),
                                    .spread = 0.4,
                                    .way = 5 * USEC_PER_MS};
            struct width width;
            width_init(&width, 0);
            struct figures f = run(&server, &width, 400, seed);
            refused = fmax(refused, refused_share(&f));
            time = fmax(time, f.seconds / (400 * latency / cap + latency));
        }
        print_message("  cap %2d, latency %5.2f s  %5.2f %%  %5.3f\n", cap, latency, refused * 100,
                      time);
        assert_true(refused <= 0.15);
        assert_true(cap > 5 || time <= 2); // of more, 400 jobs are over before all is tried
    }
}

// Whether throughput and latency are those of the best width, for latencies that vary little or much.
static void a_queue_is_kept_short(void **state) {
    (void)state;
    static const double spreads[] = {0.1, 0.4, 0.8};
    static const int cores[] = {1, 3, 8, 20, 50};
    print_message("queue: throughput over best, latency over base (average of %d)\n", SEEDS);
    for (size_t i = 0; i < COUNT_OF(cores) * COUNT_OF(spreads); i++) {
        int n = cores[i / COUNT_OF(spreads)];
        double spread = spreads[i % COUNT_OF(spreads)], latency = 0, throughput = 0;
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct server server = {
                .cores = n, .latency = SEC, .spread = spread, .way = 5 * USEC_PER_MS};
            struct width width;
            width_init(&width, 0);
            int jobs = 200 * n > 1000 ? 200 * n : 1000;
            struct figures f = run(&server, &width, jobs, seed);
            throughput += ((double)jobs / n + 1) / f.seconds / SEEDS;
            latency += f.latency / SEEDS;
        }
        print_message("  %2d at once, spread %.1f  %5.3f  %5.2f\n", n, spread, throughput, latency);
        assert_true(throughput >= (spread < 0.5 ? 0.9 : 0.8));
        assert_true(latency <= (spread < 0.5 ? 2 : 2.1));
    }
}

// Latencies that mean nothing, thirty times what they were and wildly different, leave it wide.
static void noise_does_not_collapse_it(void **state) {
    (void)state;
    struct random random = {5};
    struct width w;
    width_init(&w, 0);
    double sum = 0;
    for (int i = 0; i < 20000; i++) {
        double latency = exp(0.8 * loop_normal(&random)) * (i < 10000 ? 1e6 : 30e6);
        width_passed(&w, (int64_t)latency, width_now(&w), i * SEC);
        sum += i >= 2000 ? width_now(&w) / 18000.0 : 0;
    }
    print_message("noise: width %.1f on average\n", sum);
    assert_true(sum > 40);
}

static void pass_rounds(struct width *w, int rounds, int64_t now) {
    for (int i = 0; i < rounds; i++)
        for (int left = 2 * width_now(w) + 24; left > 0; left--)
            width_passed(w, SEC, width_now(w), now);
}

static void it_doubles_until_the_first_sign(void **state) {
    (void)state;
    struct width w;
    width_init(&w, 0);
    for (int expected = 1; expected <= 32; expected *= 2) {
        assert_true(width_now(&w) == expected);
        for (int i = 0; i < expected; i++)
            width_passed(&w, SEC, expected, SEC);
    }
    assert_true(width_now(&w) == WIDTH_MOST);
    pass_rounds(&w, 3, SEC);
    assert_true(width_now(&w) == WIDTH_MOST);
}

static void a_refused_width_waits_ever_longer(void **state) {
    (void)state;
    struct width w;
    int64_t now = 1000 * SEC;
    width_init(&w, 8);
    for (int64_t quiet = 10 * SEC; quiet <= 80 * SEC; quiet *= 2) {
        width_refused(&w, 8, now, now);
        assert_true(width_now(&w) == 7);
        int64_t refused_at = now;
        for (; width_now(&w) < 8; now += SEC / 10)
            width_passed(&w, SEC, width_now(&w), now);
        assert_in_range(now - refused_at, quiet, quiet + 3 * SEC);
    }
    pass_rounds(&w, 2, now); // it went well: forgiven
    width_refused(&w, 8, now, now);
    pass_rounds(&w, 2, now + 11 * SEC);
    assert_true(width_now(&w) == 8);
}

static void several_at_once_halve_it(void **state) {
    (void)state;
    struct width w;
    width_init(&w, 10);
    for (int i = 0; i < 9; i++)
        width_refused(&w, 10 - i, SEC, 2 * SEC);
    assert_true(width_now(&w) == 5);
    width_refused(&w, 5, 3 * SEC, 4 * SEC); // sent afterwards: news
    assert_true(width_now(&w) == 4);
}

static void what_was_alone_was_not_too_many(void **state) {
    (void)state;
    struct width w;
    width_init(&w, 4);
    width_refused(&w, 1, SEC, 2 * SEC);
    assert_true(width_now(&w) == 4);
}

// A fixed number gives way to refusals alone, and comes back, no further.
static void a_fixed_number_ignores_latency(void **state) {
    (void)state;
    struct width w;
    width_init(&w, 6);
    pass_rounds(&w, 2, SEC);
    for (int i = 0; i < 500; i++)
        width_passed(&w, 100 * SEC, 6, 2 * SEC);
    assert_true(width_now(&w) == 6);
    width_refused(&w, 6, 3 * SEC, 4 * SEC);
    assert_true(width_now(&w) == 5);
    pass_rounds(&w, 9, 2000 * SEC);
    assert_true(width_now(&w) == 6);
}

// A provider that worked on all at once, later on ten only: what is more waits there.
static void it_falls_when_latency_climbs_later(void **state) {
    (void)state;
    struct width w;
    width_init(&w, 0);
    pass_rounds(&w, 20, SEC);
    assert_true(width_now(&w) == WIDTH_MOST);
    for (int i = 0; i < 20000; i++) {
        int width = width_now(&w);
        width_passed(&w, SEC * (width > 10 ? width : 10) / 10, width, 2 * SEC + i);
        assert_true(i < 2000 || (width >= 9 && width <= 22));
    }
}

static void answers_in_no_time_are_no_sign(void **state) {
    (void)state;
    struct width w;
    width_init(&w, 0);
    for (int i = 0; i < 1000; i++)
        width_passed(&w, 0, width_now(&w), SEC);
    assert_true(width_now(&w) == WIDTH_MOST);
}

// A refusal between a fall by latency and the average after it: that average compares other widths.
static void a_refusal_ends_the_test_of_a_fall(void **state) {
    (void)state;
    struct width w;
    width_init(&w, 0);
    for (int i = 0; i < 63; i++)
        width_passed(&w, SEC, width_now(&w), SEC);
    assert_true(width_now(&w) == 64);
    for (int i = 0; i < 1000 && width_now(&w) == 64; i++)
        width_passed(&w, 20 * SEC, 64, SEC + i);
    int fallen = width_now(&w);
    assert_true(fallen < 64);
    width_refused(&w, fallen, 3 * SEC, 4 * SEC);
    for (int i = 0; i < 2 * fallen + 24; i++)
        width_passed(&w, 19 * SEC, width_now(&w), 5 * SEC);
    assert_true(width_now(&w) < fallen);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_falls_when_latency_climbs_later),
        cmocka_unit_test(answers_in_no_time_are_no_sign),
        cmocka_unit_test(a_refusal_ends_the_test_of_a_fall),
        cmocka_unit_test(a_hidden_cap_is_found),
        cmocka_unit_test(a_queue_is_kept_short),
        cmocka_unit_test(noise_does_not_collapse_it),
        cmocka_unit_test(it_doubles_until_the_first_sign),
        cmocka_unit_test(a_refused_width_waits_ever_longer),
        cmocka_unit_test(several_at_once_halve_it),
        cmocka_unit_test(what_was_alone_was_not_too_many),
        cmocka_unit_test(a_fixed_number_ignores_latency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
