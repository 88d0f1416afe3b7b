// Tests the whole pool against refusals that come by chance: they say nothing about a limit, so a run takes
// at most twice the shortest possible time, however often they come.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/world.h"

#include "jobs/base/log.h"

#define RUNS 20

struct server {
    double refused;  // share of the requests
    bool alternates; // every other one instead
    int64_t latency; // of answers and of refusals
    struct random random;
};

static void answers_by_chance(struct world *w, size_t key, struct said *said) {
    struct server *s = w->server;
    bool refuses =
        s->alternates ? w->key_calls[key] % 2 == 1 : random_unit(&s->random) < s->refused;
    if (refuses) {
        said_no(said, OUTCOME_RATE_LIMITED, BECAUSE_RATE);
        said->latency = s->latency;
    } else {
        said_ok(said, s->latency);
    }
}

struct load {
    size_t keys;
    int slots;
    int64_t jobs; // for each key
};

// The time over the shortest possible, in which every slot is busy all the time; on average.
static double slower(const struct server *server, const struct load *load) {
    double sum = 0, share = server->alternates ? 0.5 : server->refused;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct world w;
        struct server s = *server;
        s.random.state = seed * 7919 + 1;
        world_open(&w,
                   &(struct world_options){.keys = load->keys, .slots = load->slots, .seed = seed});
        w.answers = answers_by_chance;
        w.server = &s;
        world_run(&w, load->jobs * (int64_t)load->keys);
        assert_false(w.stalled);
        assert_int_equal(w.jobs, 0);
        sum += (double)(w.ended - w.begun) * (1 - share) * load->slots /
               (double)(load->jobs * s.latency);
        world_close(&w);
    }
    return sum / RUNS;
}

static double worst_of(const double *shares, size_t share_count, const int64_t *latencies,
                       size_t latency_count, const struct load *loads, size_t load_count) {
    double worst = 0;
    for (size_t s = 0; s < share_count; s++)
        for (size_t t = 0; t < latency_count; t++)
            for (size_t l = 0; l < load_count; l++) {
                struct server server = {.refused = shares[s], .latency = latencies[t]};
                double times = slower(&server, &loads[l]);
                if (times > 2)
                    print_error("%.0f %% refused, latency %d ms, %zu keys of %d slots: %.2f\n",
                                shares[s] * 100, (int)(latencies[t] / 1000), loads[l].keys,
                                loads[l].slots, times);
                worst = times > worst ? times : worst;
            }
    return worst;
}

static void refusals_by_chance_are_not_taken_for_a_limit(void **state) {
    (void)state;
    static const double shares[] = {0.02, 0.1, 0.3};
    static const int64_t latencies[] = {20000, 100000, 500000};
    static const struct load loads[] = {{1, 1, 100}, {3, 1, 100}, {8, 1, 40}, {3, 1, 400}};
    double worst =
        worst_of(shares, COUNT_OF(shares), latencies, COUNT_OF(latencies), loads, COUNT_OF(loads));
    print_message("| 2, 10 and 30 %% refused by chance: at worst %.2f x the ideal time\n", worst);
    assert_true(worst <= 2);
}

static void nor_are_they_with_several_requests_at_once(void **state) {
    (void)state;
    static const double shares[] = {0.02, 0.1, 0.2};
    static const int64_t latencies[] = {100000, 500000};
    static const struct load loads[] = {{1, 4, 200}, {3, 4, 200}, {8, 2, 100}};
    double worst =
        worst_of(shares, COUNT_OF(shares), latencies, COUNT_OF(latencies), loads, COUNT_OF(loads));
    print_message("| the same of several at once: at worst %.2f x the ideal time\n", worst);
    assert_true(worst <= 2);
}

static void every_other_request_refused_is_no_limit_either(void **state) {
    (void)state;
    struct server server = {.alternates = true, .latency = 100000};
    double alternating = slower(&server, &(struct load){3, 1, 100});
    server = (struct server){.refused = 0.5, .latency = 100000};
    double half = slower(&server, &(struct load){3, 1, 100});
    print_message("| every other one refused: %.2f x, half by chance: %.2f x the ideal time\n",
                  alternating, half);
    assert_true(alternating <= 2);
    assert_true(half <= 3);
}

int main(void) {
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_by_chance_are_not_taken_for_a_limit),
        cmocka_unit_test(nor_are_they_with_several_requests_at_once),
        cmocka_unit_test(every_other_request_refused_is_no_limit_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
