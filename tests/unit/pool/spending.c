// Tests that limits are charged with what a request took, whatever came of it: never less than the provider
// told, the estimate where its answer was lost, nothing for what was never sent.
// SPDX-License-Identifier: MIT
#include "tests/unit/pool/world.h"

#include "jobs/base/log.h"
#include "pool/limits/cost.h"
#include "pool/pool_parts.h"

#define INPUT  300
#define OUTPUT 400
#define LIMIT  100000

static const struct usage told[] = {
    {-1, -1, -1, -1, -1, -1},  {0, 0, 0, -1, -1, -1},
    {20, 30, 50, -1, -1, -1},  {500, 490, 990, -1, -1, -1},
    {500, -1, -1, -1, -1, -1}, {-1, 900, -1, -1, -1, -1},
    {-1, -1, 40, -1, -1, -1},  {-1, -1, 2000, -1, -1, -1},
    {10, 20, 700, -1, -1, -1}, // reasoning that only the sum has
};

static int64_t told_sum(const struct usage *usage) {
    int64_t input = usage->input_tokens > 0 ? usage->input_tokens : 0;
    int64_t output = usage->output_tokens > 0 ? usage->output_tokens : 0;
    return usage->total_tokens > input + output ? usage->total_tokens : input + output;
}

static bool is_told(const struct usage *usage) {
    return (usage->input_tokens >= 0 && usage->output_tokens >= 0) || usage->total_tokens >= 0;
}

// What may still be taken of a limit of LIMIT tokens a minute.
static int64_t room_left(struct seat *seat, const struct moment *m) {
    int64_t least = 0, most = LIMIT;
    while (least < most) {
        struct spend spend = {0, (least + most + 1) / 2, 0};
        if (meter_ready_at(seat->key->meter, &spend, m) <= m->now)
            least = spend.input_tokens;
        else
            most = spend.input_tokens - 1;
    }
    return least;
}

static void check_charge(int64_t charged, const struct usage *usage, enum request_end end) {
    if (end == REQUEST_UNSENT) {
        assert_int_equal(charged, 0);
        return;
    }
    assert_true(charged >= told_sum(usage));
    if (is_told(usage) && end != REQUEST_LOST)
        assert_int_equal(charged, told_sum(usage));
    if (end == REQUEST_LOST)
        assert_true(charged >= INPUT + OUTPUT);
    if (end == REQUEST_REFUSED)
        assert_int_equal(charged, told_sum(usage));
}

static void spend_once(enum outcome outcome, const struct usage *usage, enum request_end end) {
    struct world w;
    struct lease lease;
    int64_t not_before;
    static const enum cause causes[OUTCOME_COUNT] = {[OUTCOME_OK] = BECAUSE_NOTHING,
                                                     [OUTCOME_AUTH] = BECAUSE_KEY,
                                                     [OUTCOME_QUOTA] = BECAUSE_MONEY,
                                                     [OUTCOME_RATE_LIMITED] = BECAUSE_RATE,
                                                     [OUTCOME_MODEL] = BECAUSE_MODEL,
                                                     [OUTCOME_SERVER] = BECAUSE_UPSTREAM,
                                                     [OUTCOME_TIMEOUT] = BECAUSE_UPSTREAM,
                                                     [OUTCOME_NETWORK] = BECAUSE_UPSTREAM,
                                                     [OUTCOME_BAD_RESPONSE] = BECAUSE_UPSTREAM,
                                                     [OUTCOME_CONTENT_FILTER] = BECAUSE_REQUEST,
                                                     [OUTCOME_TOO_LARGE] = BECAUSE_REQUEST,
                                                     [OUTCOME_INVALID_REQUEST] = BECAUSE_REQUEST};
    struct verdict verdict = {.outcome = outcome, .cause = causes[outcome], .hint = -1};
    struct pool_report report = {.verdict = &verdict, .usage = *usage, .end = end, .latency = SEC};
    world_open(&w, &(struct world_options){
                       .keys = 1, .slots = 1, .limits = {.tpm = LIMIT, .rpm = 2}, .deaf = true});
    w.need = (struct need){.input_tokens = INPUT, .output_tokens = OUTPUT};
    assert_int_equal(pool_acquire(w.channel, &w.need, w.now, &lease, &not_before), POOL_LEASED);
    struct seat *seat = lease.seat;
    struct learned learned = {.budgets = {[2] = {.limit = LIMIT, .level = LIMIT, .rate = 1e-9}}};
    learned.budgets[2].at = learned.budgets[2].heard_at = w.now;
    seat->tab->learned = mem_zero(1, sizeof learned);
    *seat->tab->learned = learned;
    learned_take(seat->tab->learned, &lease.charge);
    struct moment m = pool_moment(w.channel->home, w.now);
    pool_release(&lease, &report, w.now);
    check_charge(LIMIT - room_left(seat, &m), usage, end);
    int64_t level = (int64_t)seat->tab->learned->budgets[2].level;
    if (end == REQUEST_UNSENT)
        assert_int_equal(level, LIMIT);
    else // announced limits get back what was too much when they say so themselves
        assert_true(LIMIT - level >= told_sum(usage) && LIMIT - level >= INPUT + OUTPUT);
    struct spend two = {2, 0, 0};
    assert_int_equal(meter_ready_at(seat->key->meter, &two, &m) <= w.now, end == REQUEST_UNSENT);
    const struct key_counts *counts = &seat->key->counts;
    assert_true(counts->input_tokens >= usage->input_tokens);
    assert_true(counts->output_tokens >= usage->output_tokens);
    world_close(&w);
}

static void charges_are_never_less_than_what_was_told(void **state) {
    (void)state;
    log_set_level(LOG_ERROR);
    for (int outcome = OUTCOME_OK; outcome < OUTCOME_COUNT; outcome++)
        for (size_t i = 0; i < COUNT_OF(told); i++)
            for (int end = REQUEST_ANSWERED; end <= REQUEST_UNSENT; end++)
                if (outcome != OUTCOME_BAD_INPUT && outcome != OUTCOME_NO_KEY &&
                    outcome != OUTCOME_DEADLINE)
                    spend_once((enum outcome)outcome, &told[i], (enum request_end)end);
}

static void absurd_counts_stay_within_bounds(void **state) {
    (void)state;
    const struct spend estimate = {1, 10, 20};
    const struct usage absurd = {INT64_MAX, INT64_MAX, INT64_MAX, -1, -1, -1};
    for (int end = REQUEST_ANSWERED; end <= REQUEST_LOST; end++) {
        struct spend cost = cost_of(&estimate, &absurd, (enum request_end)end);
        assert_true(cost.input_tokens == TOKENS_MOST && cost.output_tokens == TOKENS_MOST);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charges_are_never_less_than_what_was_told),
        cmocka_unit_test(absurd_counts_stay_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
