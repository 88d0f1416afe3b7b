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
        assert_true(refused <= 0.02);
        assert_true(time <= (settings[i].refunds ? 1.15 : 1.10));
    }
}

// The limit is doubled, or halved, half way; and somebody else uses the account too.
static void changes_are_followed(void **state) {
    (void)state;
    static const double factors[] = {2, 0.5, 1};
    for (size_t i = 0; i < COUNT_OF(factors); i++) {
        static struct loop loop;
        struct learned learned = {0};
        struct server server = {.kind = TOKEN_BUCKET,
                                .rate = 2,
                                .capacity = 120,
                                .latency = SEC,
                                .spread = 0.4,
                                .way = 10 * USEC_PER_MS,
                                .counts_early = true,
                                .style = OPENAI,
                                .change_at = 300 * SEC,
                                .change_rate = 2 * factors[i],
                                .others = factors[i] == 1 ? 1.0 : 0};
        double rate = 2 - server.others;
        loop = (struct loop){.keys = 1, .slots = 8, .seed = 3, .hints = true};
        loop.jobs = (int)(120 + 300 * rate + 300 * rate * factors[i]);
        loop.servers[0] = &server;
        struct paced paced = {
            .state = {&learned}, .ready_at = ready_at, .take = take, .answered = answered};
        struct figures f = loop_run(&loop, &paced);
        print_message("limit times %.1f, others take %.0f/s: %.2f %% refused, %.3f of ideal\n",
                      factors[i], server.others, refused_share(&f) * 100, f.seconds / 601);
        assert_true(refused_share(&f) <= 0.02);
        assert_true(f.seconds <= 601 * 1.10);
    }
}

static struct charge charge_at(int64_t now, int64_t input, int64_t output) {
    return (struct charge){.at = now, .spend = {1, input, output}};
}

static struct announced nothing(void) {
    struct announced announced;
    memset(&announced, -1, sizeof announced);
    return announced;
}

static void each_budget_counts_its_own(void **state) {
    (void)state;
    static const struct {
        size_t offset;
        struct spend fits, too_much;
    } rows[] = {
        {offsetof(struct announced, requests_minute), {10, 99, 99}, {11, 0, 0}},
        {offsetof(struct announced, requests_day), {10, 99, 99}, {11, 0, 0}},
        {offsetof(struct announced, tokens_minute), {99, 5, 5}, {0, 6, 5}},
        {offsetof(struct announced, tokens_day), {99, 5, 5}, {0, 6, 5}},
        {offsetof(struct announced, input_tokens_minute), {99, 10, 99}, {0, 11, 0}},
        {offsetof(struct announced, output_tokens_minute), {99, 99, 10}, {0, 0, 11}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct learned l = {0};
        struct announced announced = nothing();
        struct announced_limit *said = (void *)((char *)&announced + rows[i].offset);
        *said = (struct announced_limit){100, 10, -1};
        struct charge charge = charge_at(SEC, 1, 1);
        learned_take(&l, &charge);
        assert_true(learned_ready_at(&l, &rows[i].too_much, SEC) == SEC); // not known yet
        learned_observe(&l, &announced, &charge, SEC);
        assert_true(learned_ready_at(&l, &rows[i].fits, SEC) == SEC);
        assert_true(learned_ready_at(&l, &rows[i].too_much, SEC) > SEC);
    }
}

static void what_was_not_sent_is_given_back(void **state) {
    (void)state;
    struct learned l = {0};
    struct announced announced = nothing();
    announced.requests_minute = (struct announced_limit){60, 2, -1};
    struct charge first = charge_at(SEC, 0, 0), second = charge_at(SEC, 0, 0);
    learned_take(&l, &first);
    learned_observe(&l, &announced, &first, SEC);
    struct spend two = {2, 0, 0};
    learned_take(&l, &second);
    assert_true(learned_ready_at(&l, &two, SEC) == 2 * SEC);
    learned_return(&l, &second, SEC);
    assert_true(learned_ready_at(&l, &two, SEC) == SEC);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(announced_limits_are_kept_and_used),
        cmocka_unit_test(changes_are_followed),
        cmocka_unit_test(each_budget_counts_its_own),
        cmocka_unit_test(what_was_not_sent_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
