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
        felt_passed(state, r->serial, r->sent_at, now);
}

struct setting {
    const char *name;
    enum server_kind kind;
    double capacity; // of a bucket; of windows: the period in seconds
    int slots;
    double latency; // seconds
    bool shared;    // four keys of one account
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
    struct server server = {.kind = set->kind,
                            .rate = rate,
                            .capacity = set->capacity,
                            .period = (int64_t)(set->capacity * 1e6),
                            .phase = (int64_t)(seed * 37 % 100) * (int64_t)(set->capacity * 1e4),
                            .latency = (int64_t)(set->latency * 1e6),
                            .spread = 0.4,
                            .way = 5 * USEC_PER_MS};
    int jobs = set->kind == TOKEN_BUCKET ? 0 : (int)(8 * rate * set->capacity);
    loop = (struct loop){.keys = set->shared ? 4 : 1,
                         .jobs = jobs > 400 ? jobs : 400,
                         .slots = set->slots,
                         .seed = seed,
                         .rest_together = set->shared,
                         .tries_first = getenv("TRIES")};
    struct paced paced = {.ready_at = ready_at, .take = take, .answered = answered};
    for (int i = 0; i < loop.keys; i++) {
        loop.servers[i] = &server;
        paced.state[i] = &felt;
    }
    *ideal = ideal_time(set, &server, loop.jobs);
    return loop_run(&loop, &paced);
}

static void silent_limits_are_felt(void **state) {
    (void)state;
    static const struct setting settings[] = {
        {"bucket of 1", TOKEN_BUCKET, 1, 8, 0.05, false},
        {"bucket of 2", TOKEN_BUCKET, 2, 8, 0.3, false},
        {"bucket of 10", TOKEN_BUCKET, 10, 8, 0.3, false},
        {"bucket of 10, slow", TOKEN_BUCKET, 10, 32, 5, false},
        {"bucket of 10, very slow", TOKEN_BUCKET, 10, 32, 30, false},
        {"bucket of 60", TOKEN_BUCKET, 60, 16, 0.3, false},
        {"bucket of 60, 4 keys", TOKEN_BUCKET, 60, 4, 0.3, true},
        {"windows of a second", FIXED_WINDOW, 1, 8, 0.05, false},
        {"windows of 10 s", FIXED_WINDOW, 10, 8, 0.3, false},
        {"windows of a minute", FIXED_WINDOW, 60, 8, 0.3, false},
        {"windows of a minute, 4 keys", FIXED_WINDOW, 60, 4, 0.3, true},
        {"sliding, 1 s", SLIDING_WINDOW, 1, 8, 0.05, false},
        {"sliding, 10 s", SLIDING_WINDOW, 10, 8, 0.3, false},
        {"sliding, a minute", SLIDING_WINDOW, 60, 8, 0.3, false},
    };
    static const double rates[] = {1, 2, 5, 10, 20};
    print_message(
        "silent limits, 400 jobs: refused, time over ideal (mean and worst of 20 seeds)\n");
    for (size_t i = 0; i < COUNT_OF(settings); i++)
        for (size_t k = 0; k < COUNT_OF(rates); k++) {
            double refused = 0, time = 0, ideal, mr = 0, mt = 0;
            for (uint64_t seed = 1; seed <= 20; seed++) {
                struct figures f = run(&settings[i], rates[k], seed, &ideal);
                refused = fmax(refused, refused_share(&f));
                time = fmax(time, f.seconds / ideal);
                mr += refused_share(&f) / 20, mt += f.seconds / ideal / 20;
            }
            print_message("  %-28s %4.0f/s %6.2f %% %6.2f %%  %5.2f %5.2f %s\n", settings[i].name,
                          rates[k], mr * 100, refused * 100, mt, time,
                          refused > .15 || time > 1.5 ? "<<<" : "");
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_limits_are_felt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
