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

static void a_hidden_cap_is_found(void **state) {
    (void)state;
    static const double latencies[] = {0.05, 0.3, 1, 5, 30};
    static const int caps[] = {1, 2, 3, 5, 10, 40};
    static const int jobs[] = {60, 400};
    print_message("hidden cap, from cold: refused, time over ideal (worst of 20)\n");
    for (size_t c = 0; c < COUNT_OF(caps); c++)
        for (size_t i = 0; i < COUNT_OF(latencies); i++)
            for (size_t j = 0; j < COUNT_OF(jobs); j++) {
                double time = 0, refused = 0;
                for (uint64_t seed = 1; seed <= 20; seed++) {
                    struct server server = {.at_once = caps[c],
                                            .latency = (int64_t)(latencies[i] * 1e6),
                                            .spread = 0.4,
                                            .way = 5 * USEC_PER_MS};
                    struct width width;
                    width_init(&width, 0);
                    struct figures f = run(&server, &width, jobs[j], seed);
                    refused = fmax(refused, refused_share(&f));
                    double ideal = jobs[j] * latencies[i] / caps[c] + latencies[i];
                    time = fmax(time, f.seconds / ideal);
                }
                print_message("  cap %2d  latency %5.2f s  %3d jobs  %5.2f %%  %5.3f%s\n", caps[c],
                              latencies[i], jobs[j], refused * 100, time, time > 2 ? "<<<" : "");
            }
}

static void a_queue_is_kept_short(void **state) {
    (void)state;
    static const double spreads[] = {0.1, 0.4, 0.8};
    static const int cores[] = {1, 3, 8, 20, 50};
    print_message("queue: time over best, latency over base (mean and worst of 20)\n");
    for (size_t c = 0; c < COUNT_OF(cores); c++)
        for (size_t i = 0; i < COUNT_OF(spreads); i++) {
            double time = 0, latency = 0, mt = 0, ml = 0;
            for (uint64_t seed = 1; seed <= 20; seed++) {
                struct server server = {.cores = cores[c],
                                        .latency = SEC,
                                        .spread = spreads[i],
                                        .way = 5 * USEC_PER_MS};
                struct width width;
                width_init(&width, 0);
                int jobs = 200 * cores[c] > 1000 ? 200 * cores[c] : 1000;
                struct figures f = run(&server, &width, jobs, seed);
                double best = (double)jobs / cores[c] + 1;
                time = fmax(time, f.seconds / best);
                latency = fmax(latency, f.latency);
                mt += f.seconds / best / 20, ml += f.latency / 20;
            }
            print_message("  %2d cores  spread %.1f   %5.3f %5.3f   %5.2f %5.2f%s\n", cores[c],
                          spreads[i], mt, time, ml, latency,
                          time > 1 / .9 || latency > 2 ? "<<<" : "");
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hidden_cap_is_found),
        cmocka_unit_test(a_queue_is_kept_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
