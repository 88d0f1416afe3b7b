// budget.c (test): never overspent, whatever the order of starts and ends; and no endless wait.
// SPDX-License-Identifier: MIT
#include "runner/budget.h"

#include "jobs/base/random.h"
#include "tests/unit/check.h"

static const struct need bounded = {.input_tokens = 10, .output_tokens = 100};

static struct usage took(int64_t input, int64_t output) {
    return (struct usage){input, output, -1, -1, -1, -1};
}

static void no_limits_let_everything_pass(void **state) {
    (void)state;
    struct run_budget b = {0};
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(run_budget_may(&b, 1000000), BUDGET_GO);
        run_budget_start(&b, 1000000);
    }
    assert_false(run_budget_note(&b, true));
    assert_int_equal(b.reached, BUDGET_NONE);
}

static void requests_in_flight_count(void **state) {
    (void)state;
    struct run_budget b = {.max_requests = 2};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run_budget_may(&b, 5), BUDGET_GO);
        run_budget_start(&b, 5);
    }
    assert_int_equal(run_budget_may(&b, 5), BUDGET_STOP);
    assert_int_equal(b.reached, BUDGET_REQUESTS);
    run_budget_settle(&b, 5, 1, &USAGE_NOTHING, REQUEST_REFUSED);
    assert_int_equal(run_budget_may(&b, 5), BUDGET_STOP);
}

static void what_is_reserved_may_come_back(void **state) {
    (void)state;
    struct run_budget b = {.max_tokens = 1000};
    run_budget_start(&b, 600);
    assert_int_equal(run_budget_may(&b, 400), BUDGET_GO);
    assert_int_equal(run_budget_may(&b, 401), BUDGET_WAIT);
    run_budget_settle(&b, 600, 10, &(struct usage){50, 50, 100, -1, -1, -1}, REQUEST_ANSWERED);
    assert_int_equal(run_budget_may(&b, 900), BUDGET_GO);
    assert_int_equal(run_budget_may(&b, 901), BUDGET_PASS);
}

static void what_was_not_sent_takes_nothing(void **state) {
    (void)state;
    struct run_budget b = {.max_requests = 1, .max_tokens = 1000};
    run_budget_start(&b, 600);
    run_budget_take_back(&b, 600);
    assert_int_equal(b.in_flight, 0);
    assert_int_equal(run_budget_may(&b, 1000), BUDGET_GO);
}

static void a_row_that_can_never_fit_is_passed_over_at_once(void **state) {
    (void)state;
    struct run_budget b = {.max_tokens = 1000};
    run_budget_start(&b, 600);
    assert_int_equal(run_budget_may(&b, 1001), BUDGET_PASS);
    assert_int_equal(run_budget_may(&b, 300), BUDGET_GO);
    assert_int_equal(b.reached, BUDGET_TOKENS);
}

static void many_that_do_not_fit_end_the_run(void **state) {
    (void)state;
    struct run_budget b = {.max_tokens = 1000};
    for (int i = 0; i < BUDGET_PASS_MOST; i++)
        assert_int_equal(run_budget_may(&b, 1001), BUDGET_PASS);
    assert_int_equal(run_budget_may(&b, 1001), BUDGET_STOP);
    b = (struct run_budget){.max_tokens = 1000};
    run_budget_start(&b, 1000);
    run_budget_settle(&b, 1000, 10, &(struct usage){500, 500, 1000, -1, -1, -1}, REQUEST_ANSWERED);
    assert_int_equal(run_budget_may(&b, 1), BUDGET_STOP); // nothing is left for anybody
}

static void what_was_not_told_counts_as_estimated(void **state) {
    (void)state;
    struct run_budget b = {.max_tokens = 1000};
    run_budget_start(&b, 300);
    run_budget_settle(&b, 300, 10, &USAGE_NONE, REQUEST_ANSWERED);
    assert_int_equal(b.tokens, 300);
    run_budget_start(&b, 300);
    run_budget_settle(&b, 300, 10, &USAGE_NOTHING, REQUEST_REFUSED);
    assert_int_equal(b.tokens, 300);
    run_budget_start(&b, 300);
    run_budget_settle(&b, 300, 10, &(struct usage){1, 2, 40, -1, -1, -1},
                      REQUEST_ANSWERED); // 37 were thoughts
    assert_int_equal(b.tokens, 340);
}

static void numbers_from_hell_stay_numbers(void **state) {
    (void)state;
    struct run_budget b = {.max_tokens = 1000};
    struct usage usage = {INT64_MAX, INT64_MAX, INT64_MAX, -1, -1, -1};
    for (int i = 0; i < 3; i++) {
        run_budget_start(&b, 300);
        run_budget_settle(&b, 300, 0, &usage, REQUEST_ANSWERED);
        assert_true(b.tokens > 0);
    }
    assert_true(run_budget_estimate(&b, &bounded) > 0);
    assert_int_equal(run_budget_may(&b, 1), BUDGET_STOP);
}

static void estimates_learn(void **state) {
    (void)state;
    struct run_budget b = {0};
    struct need open = {.input_tokens = 1000, .output_tokens = -1};
    int64_t first = run_budget_estimate(&b, &open);
    assert_true(first > 4 * 1000 + 1000); // every byte a token
    struct usage usage = took(900, 20);
    run_budget_settle(&b, 0, 1000, &usage, REQUEST_ANSWERED);
    int64_t second = run_budget_estimate(&b, &open);
    assert_in_range(second, 1000 + 40, 1000 + 40 + 100);
    usage = took(3000, 500); // a language with more tokens a byte, a longer answer
    run_budget_settle(&b, 0, 1000, &usage, REQUEST_ANSWERED);
    assert_in_range(run_budget_estimate(&b, &open), 3000 + 1000, 3000 + 1000 + 300);
    assert_true(run_budget_estimate(&b, &bounded) < 500); // what the row allows is the most
}

static void room_for_a_copy_is_what_both_limits_leave(void **state) {
    (void)state;
    struct run_budget b = {.max_requests = 2};
    assert_true(run_budget_has_room(&b, 1000000));
    run_budget_start(&b, 5);
    run_budget_start(&b, 5);
    assert_false(run_budget_has_room(&b, 1));
    b = (struct run_budget){.max_tokens = 1000};
    run_budget_start(&b, 600);
    assert_true(run_budget_has_room(&b, 400));
    assert_false(run_budget_has_room(&b, 401)); // what is reserved counts
    assert_int_equal(b.passed_over, 0);         // and nothing follows from asking
    assert_int_equal(b.reached, BUDGET_NONE);
    b = (struct run_budget){.max_requests = 9, .max_tokens = 1000};
    assert_false(run_budget_has_room(&b, 1001)); // requests are left, tokens are not
    b = (struct run_budget){.over = true};
    assert_false(run_budget_has_room(&b, 1));
}

// Half a sum is none: it would count a request as nearly free.
static void a_part_of_a_sum_is_no_sum(void **state) {
    (void)state;
    struct run_budget b = {.max_tokens = 1000};
    const struct usage parts[] = {{40, -1, -1, -1, -1, -1}, {-1, 40, -1, -1, -1, -1}};
    for (int i = 0; i < 2; i++) {
        run_budget_start(&b, 300);
        run_budget_settle(&b, 300, 10, &parts[i], REQUEST_ANSWERED);
        assert_int_equal(b.tokens, 300 * (i + 1));
    }
}

static void one_small_answer_does_not_unlearn_a_large_one(void **state) {
    (void)state;
    struct run_budget b = {0};
    struct need open = {.input_tokens = 1000, .output_tokens = -1};
    struct usage usage = took(3000, 500);
    run_budget_settle(&b, 0, 1000, &usage, REQUEST_ANSWERED);
    int64_t large = run_budget_estimate(&b, &open);
    usage = took(3000, 1); // the answer alone is short
    run_budget_settle(&b, 0, 1000, &usage, REQUEST_ANSWERED);
    assert_int_equal(run_budget_estimate(&b, &open), large);
    usage = took(100, 500); // the prompt alone is cheap
    run_budget_settle(&b, 0, 1000, &usage, REQUEST_ANSWERED);
    assert_int_equal(run_budget_estimate(&b, &open), large);
}

// Large rows here and there end nothing as long as others fit between them.
static void a_row_that_fits_begins_the_count_anew(void **state) {
    (void)state;
    struct run_budget b = {.max_tokens = 1000};
    for (int i = 0; i < 3 * BUDGET_PASS_MOST; i++) {
        assert_int_equal(run_budget_may(&b, 1001), BUDGET_PASS);
        if (i % 50 == 49) {
            assert_int_equal(run_budget_may(&b, 5), BUDGET_GO);
            run_budget_start(&b, 5);
            run_budget_settle(&b, 5, 1, &USAGE_NOTHING, REQUEST_REFUSED);
        }
    }
}

// -- whatever the order --

struct sent {
    int64_t estimate, input_estimate;
    struct usage usage;
};

// The provider takes anything up to what was reserved, and now and then tells nothing.
static struct usage some_usage(struct random *r, int64_t most) {
    if (random_unit(r) < 0.1)
        return random_unit(r) < 0.5 ? USAGE_NONE : USAGE_NOTHING;
    int64_t total = (int64_t)(random_unit(r) * (double)most);
    return took(total / 2, total - total / 2);
}

static void settle_any(struct run_budget *b, struct sent *out, int *count, struct random *r) {
    int i = (int)(random_unit(r) * *count);
    run_budget_settle(b, out[i].estimate, out[i].input_estimate, &out[i].usage, REQUEST_ANSWERED);
    out[i] = out[--*count];
}

static void check(const struct run_budget *b) {
    assert_true(!b->max_requests || b->requests <= b->max_requests);
    assert_true(!b->max_tokens || b->tokens + b->reserved <= b->max_tokens);
    assert_true(b->reserved >= 0 && b->in_flight >= 0);
}

static void one_run(uint64_t seed) {
    enum { SLOTS = 24 };
    struct random r = {.state = seed};
    struct sent out[SLOTS];
    struct run_budget b = {.max_requests = seed % 3 ? 1 + (int64_t)(random_unit(&r) * 300) : 0,
                           .max_tokens = (int64_t)(random_unit(&r) * 50000) + 1};
    int count = 0;
    for (int step = 0; step < 5000; step++) {
        struct need need = {.input_tokens = (int64_t)(random_unit(&r) * 200),
                            .output_tokens = random_unit(&r) < 0.5 ? -1 : 50};
        int64_t estimate = run_budget_estimate(&b, &need);
        enum budget_answer answer = count < SLOTS ? run_budget_may(&b, estimate) : BUDGET_WAIT;
        if (answer == BUDGET_GO) {
            run_budget_start(&b, estimate);
            out[count++] = (struct sent){estimate, need.input_tokens, some_usage(&r, estimate)};
        }
        check(&b);
        assert_true(answer != BUDGET_WAIT || count > 0); // somebody's end is waited for
        if (count && (answer != BUDGET_GO || random_unit(&r) < 0.4))
            settle_any(&b, out, &count, &r);
        check(&b);
        if (answer == BUDGET_STOP && !count)
            return;
    }
    fail_msg("seed %d: the run never ends", (int)seed);
}

static void never_overspent_in_any_order(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++)
        one_run(seed);
}

static void it_says_what_was_reached(void **state) {
    (void)state;
    struct run_budget b = {.max_requests = 1};
    struct buf text = BUF_INIT(1000);
    run_budget_start(&b, 5);
    run_budget_may(&b, 5);
    run_budget_describe(&b, &text);
    assert_string_equal(buf_cstr(&text), "--max-requests 1 is reached: 1 request made");
    assert_string_equal(run_budget_name(b.reached), "max-requests");
    buf_free(&text);
    b = (struct run_budget){.max_tokens = 900};
    assert_int_equal(
        run_budget_may(
            &b, run_budget_estimate(&b, &(struct need){.input_tokens = 3, .output_tokens = -1})),
        BUDGET_PASS);
    text = BUF_INIT(1000);
    run_budget_describe(&b, &text);
    assert_string_equal(
        buf_cstr(&text),
        "--max-tokens-total 900 is too little to send a row: until the first answer "
        "its bytes count as tokens, and 1024 more if it sets no max_tokens");
    buf_free(&text);
}

static void failures_end_it_once(void **state) {
    (void)state;
    struct run_budget b = {.errors = {.share = 0.5, .window = 10}};
    for (int i = 0; i < 9; i++)
        assert_false(run_budget_note(&b, true));
    assert_true(run_budget_note(&b, true));
    assert_int_equal(b.reached, BUDGET_ERRORS);
    for (int i = 0; i < 8; i++) // what was in flight when it ended
        assert_false(run_budget_note(&b, false));
    struct buf text = BUF_INIT(1000);
    run_budget_describe(&b, &text);
    assert_string_equal(buf_cstr(&text),
                        "--stop-on-error-rate 50% is reached: 10 of the last 10 rows failed");
    buf_free(&text);
    assert_int_equal(run_budget_may(&b, 1), BUDGET_STOP);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_limits_let_everything_pass),
        cmocka_unit_test(requests_in_flight_count),
        cmocka_unit_test(what_is_reserved_may_come_back),
        cmocka_unit_test(what_was_not_sent_takes_nothing),
        cmocka_unit_test(a_row_that_can_never_fit_is_passed_over_at_once),
        cmocka_unit_test(many_that_do_not_fit_end_the_run),
        cmocka_unit_test(what_was_not_told_counts_as_estimated),
        cmocka_unit_test(numbers_from_hell_stay_numbers),
        cmocka_unit_test(estimates_learn),
        cmocka_unit_test(room_for_a_copy_is_what_both_limits_leave),
        cmocka_unit_test(a_part_of_a_sum_is_no_sum),
        cmocka_unit_test(one_small_answer_does_not_unlearn_a_large_one),
        cmocka_unit_test(a_row_that_fits_begins_the_count_anew),
        cmocka_unit_test(never_overspent_in_any_order),
        cmocka_unit_test(it_says_what_was_reached),
        cmocka_unit_test(failures_end_it_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
