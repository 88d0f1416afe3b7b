// Tests pool/limits/learned.c in a closed loop: budgets that providers announce are kept, and used.
// SPDX-License-Identifier: MIT
#include "pool/limits/learned.h"

#include "tests/unit/pool/limits/loop.h"

static int64_t ready_at(void *state, const struct spend *spend, int64_t now) {
    return learned_ready_at(state, spend, now);
}

static void take(void *state, struct request *r, int64_t now) {
    (void)now;
    learned_take(state, &r->charge);
}

static void answered(void *state, const struct request *r, int64_t now) {
    struct spend real = {1, r->real_tokens, 0};
    learned_settle(state, &r->charge, &real, now);
    learned_observe(state, &r->announced, &r->charge, now);
}

struct setting {
    const char *name;
    enum header_style style;
    bool counts_early;
    int slots;
    int64_t latency;
    double rate, capacity;
    double tokens; // a second, and key
    bool refunds;
    int64_t estimate, real;
};

static struct figures run(const struct setting *set, uint64_t seed, double *ideal) {
    struct server servers[4];
    struct learned states[4];
    struct loop loop = {.keys = 4, .jobs = 400, .slots = set->slots, .seed = seed, .hints = true};
    struct paced paced = {.ready_at = ready_at, .take = take, .answered = answered};
    memset(servers, 0, sizeof servers);
    memset(states, 0, sizeof states);
    loop.estimate = set->estimate;
    loop.real = set->real;
    for (int i = 0; i < 4; i++) {
        servers[i] = (struct server){.kind = TOKEN_BUCKET,
                                     .rate = set->rate,
                                     .capacity = set->capacity,
                                     .latency = set->latency,
                                     .spread = set->latency > 10 * SEC ? 0.1 : 0.4,
                                     .way = 10 * USEC_PER_MS,
                                     .tokens = set->tokens,
                                     .refunds = set->refunds,
                                     .counts_early = set->counts_early,
                                     .style = set->style};
        loop.servers[i] = &servers[i];
        paced.state[i] = &states[i];
    }
    double requests = (100 - set->capacity) / set->rate;
    double cost = (double)(set->refunds ? set->real : set->estimate);
    double tokens = set->tokens > 0 ? (100 * cost - set->tokens * 60) / set->tokens : 0;
    *ideal = fmax(requests, tokens) + (double)set->latency / 1e6;
    return loop_run(&loop, &paced);
}

#define FEW 10, 12

static void announced_limits_are_kept_and_used(void **state) {
    (void)state;
    static const struct setting settings[] = {
        {"OpenAI at the answer", OPENAI, false, 8, SEC / 4, 25 / 60.0, 25, 0, false, 0, 0},
        {"OpenAI at admission", OPENAI, true, 8, SEC / 4, 25 / 60.0, 25, 0, false, 0, 0},
        {"Anthropic, whole seconds", ANTHROPIC, false, 8, SEC, 25 / 60.0, 25, 0, false, 0, 0},
        {"Anthropic at admission", ANTHROPIC, true, 8, SEC, 25 / 60.0, 25, 0, false, 0, 0},
        {"Mistral, no reset", MISTRAL, true, 8, SEC, 25 / 60.0, 25, 0, false, 0, 0},
        {"Mistral at the answer", MISTRAL, false, 16, 5 * SEC, 25 / 60.0, 25, 0, false, 0, 0},
        {"one at a time", OPENAI, true, 1, SEC / 2, 25 / 60.0, 25, 0, false, 0, 0},
        {"slow answers", OPENAI, true, 16, 20 * SEC, 25 / 60.0, 25, 0, false, 0, 0},
        {"slow answers, late headers", OPENAI, false, 16, 20 * SEC, 25 / 60.0, 25, 0, false, 0, 0},
        {"fast: 10 a second", OPENAI, true, 16, SEC / 4, 10, 25, 0, false, 0, 0},
        {"fast, whole seconds", ANTHROPIC, false, 16, SEC / 4, 10, 25, 0, false, 0, 0},
        {"a limit by the day", OPENAI, true, 4, SEC, 1 / 60.0, 25, 0, false, 0, 0},
        {"tokens, not refunded", OPENAI, true, 8, SEC, 5, 300, 500, false, 1000, 300},
        {"tokens, refunded", OPENAI, true, 8, SEC, 5, 300, 150, true, 1000, 300},
        {"tokens, refunded, late", OPENAI, false, 8, SEC, 5, 300, 150, true, 1000, 300},
        {"tokens, underestimated", ANTHROPIC, false, 8, SEC, 5, 300, 150, true, 300, 500},
    };
    print_message("announced limits, 4 keys, 400 jobs: refused, time over ideal (worst of 10)\n");
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        double refused = 0, time = 0, ideal;
        for (uint64_t seed = 1; seed <= 10; seed++) {
            struct figures f = run(&settings[i], seed, &ideal);
            refused = fmax(refused, refused_share(&f));
            time = fmax(time, f.seconds / ideal);
        }
        print_message("  %-28s %5.2f %%  %5.3f\n", settings[i].name, refused * 100, time);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(announced_limits_are_kept_and_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
