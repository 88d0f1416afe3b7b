// Tests pool/limits/budget.c: what an announcement may and may not change.
// SPDX-License-Identifier: MIT
#include "pool/limits/budget.h"

#include "jobs/base/clock.h"

#include "tests/unit/check.h"

#define SEC    USEC_PER_SEC
#define MINUTE (60 * SEC)

static void observe(struct budget *b, struct announced_limit said, int64_t now) {
    struct sight sight = {.said = &said, .period = MINUTE, .sent_at = now};
    budget_observe(b, &sight, now);
}

static int64_t wait_for(const struct budget *b, int64_t amount, int64_t now) {
    return budget_ready_at(b, amount, now) - now;
}

static void nothing_known_stops_nothing(void **state) {
    (void)state;
    struct budget b = {0};
    budget_take(&b, 1000000, SEC);
    assert_true(wait_for(&b, 1000000, SEC) == 0);
}

static void nonsense_is_no_announcement(void **state) {
    (void)state;
    static const struct announced_limit rows[] = {
        {-1, -1, -1}, {0, 0, 0}, {0, -1, 0}, {-1, 0, 60 * SEC}, {0, 100, SEC}, {INT64_MIN, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct budget b = {0};
        observe(&b, rows[i], SEC);
        assert_true(wait_for(&b, 5, SEC) == 0);
        observe(&b, (struct announced_limit){60, 10, -1}, SEC);
        struct budget before = b;
        observe(&b, rows[i], SEC);
        assert_true(b.limit == before.limit && b.level == before.level);
    }
}

static void an_empty_one_refills_as_stated(void **state) {
    (void)state;
    struct budget b = {0};
    observe(&b, (struct announced_limit){60, 0, -1}, SEC);
    assert_true(wait_for(&b, 1, SEC) == SEC);
    assert_true(wait_for(&b, 60, SEC) == MINUTE);
    assert_true(wait_for(&b, 6000, SEC) == MINUTE); // more than it holds: when it is full
    assert_true(wait_for(&b, 60, SEC + MINUTE) == 0);
    budget_take(&b, 6000, SEC + MINUTE);
    assert_true(wait_for(&b, 1, SEC + MINUTE) <= 62 * SEC);
}

static void a_limit_without_a_level_starts_full(void **state) {
    (void)state;
    struct budget b = {0};
    struct announced_limit said = {60, -1, -1};
    struct sight sight = {.said = &said, .period = MINUTE, .sent_at = SEC, .taken_since = 5};
    budget_observe(&b, &sight, SEC);
    assert_true(wait_for(&b, 55, SEC) == 0 && wait_for(&b, 56, SEC) > 0);
    budget_take(&b, 50, SEC);
    budget_observe(&b, &sight, SEC); // it still says nothing about the level
    assert_true(wait_for(&b, 6, SEC) > 0);
}

// Five sent, answered after ten seconds at one a second: what was announced first to the first of
// them allows for the other four, or for their refill, and our count is kept where it is possible.
static void our_count_is_kept_within_the_bounds(void **state) {
    (void)state;
    static const struct { double level, kept; } rows[] = {{40, 46}, {48, 48}, {50, 50}, {55, 52}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct announced_limit said = {60, 46, -1};
        struct sight sight = {.said = &said, .period = MINUTE, .sent_at = SEC, .taken_since = 4};
        struct budget b = {0};
        observe(&b, (struct announced_limit){60, 30, -1}, 11 * SEC);
        b.level = rows[i].level;
        budget_observe(&b, &sight, 11 * SEC);
        assert_true(b.level == rows[i].kept);
    }
}

static void none_left_may_be_less(void **state) {
    (void)state;
    struct budget b = {0};
    observe(&b, (struct announced_limit){60, 10, -1}, SEC);
    budget_take(&b, 30, SEC); // it cost more than there was
    observe(&b, (struct announced_limit){60, 0, -1}, SEC);
    assert_true(wait_for(&b, 1, SEC) == 21 * SEC);
    observe(&b, (struct announced_limit){60, 3, -1}, SEC);
    assert_true(wait_for(&b, 3, SEC) == 0);
}

// OpenAI states a day's limit under the same name as a minute's: only the reset tells.
static void a_reset_shows_the_true_refill(void **state) {
    (void)state;
    static const struct {
        struct announced_limit said;
        int64_t wait; // for one of an empty one
    } rows[] = {
        {{200, 150, 50 * 432 * SEC}, 432 * SEC}, // 200 a day
        {{60, 30, 30 * SEC}, SEC},               // a minute's, exact
        {{60, 30, 34 * SEC}, SEC},               // rounded, clocks differ
        {{60, 59, SEC}, SEC},                    // too coarse to tell
        {{25, 15, SEC}, SEC / 10},               // 10 a second
        {{60, 40, 0}, SEC},                      // no reset at all
        {{60, 70, 10 * SEC}, SEC},               // more left than it holds
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct budget b = {0};
        observe(&b, rows[i].said, SEC);
        b.level = 0;
        assert_in_range(wait_for(&b, 1, SEC), rows[i].wait - 1, rows[i].wait + 1);
    }
}

// 900 a minute, of which the bucket holds few: it is full again soon and still refills as stated. Or
// it is one of 10 a second.
static void a_bucket_smaller_than_its_limit_refills_as_stated(void **state) {
    (void)state;
    static const struct {
        struct announced_limit said[2];
        int64_t wait; // for one of an empty one
    } rows[] = {
        {{{900, 24, 67 * USEC_PER_MS}, {900, 5, 1333 * USEC_PER_MS}}, SEC / 15},
        {{{900, 24, SEC}, {900, 5, 2 * SEC}}, SEC / 15},
        {{{900, 22, SEC}, {900, 1, SEC}}, SEC / 15}, // each second rounded its own way
        {{{900, 299, 67 * USEC_PER_MS}, {900, 270, 2 * SEC - 1}}, SEC / 15},
        {{{900, 0, 67 * USEC_PER_MS}, {900, 0, 67 * USEC_PER_MS}}, SEC / 15},
        {{{25, 24, 100 * USEC_PER_MS}, {25, 3, 2200 * USEC_PER_MS}}, SEC / 10},
        {{{900, 20, 88 * SEC}, {900, 10, 89 * SEC}}, SEC / 10}, // ten a second, however empty
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct budget b = {0};
        observe(&b, rows[i].said[0], SEC);
        for (int n = 0; n < BUDGET_RATES; n++)
            observe(&b, rows[i].said[1], SEC);
        b.level = 0;
        assert_in_range(wait_for(&b, 1, SEC), rows[i].wait - SEC / 50, rows[i].wait + SEC / 50);
    }
}

static void one_odd_header_changes_no_refill(void **state) {
    (void)state;
    static const int64_t odd[] = {1, SEC, 86400 * SEC, 30000 * (86400 * SEC)};
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        struct budget b = {0};
        for (int n = 0; n < 3; n++)
            observe(&b, (struct announced_limit){60, 20, 40 * SEC}, SEC);
        observe(&b, (struct announced_limit){60, 20, odd[i]}, SEC);
        assert_true(wait_for(&b, 21, SEC) == SEC);
    }
}

static void a_changed_limit_is_taken_over_at_once(void **state) {
    (void)state;
    struct budget b = {0};
    for (int n = 0; n < 5; n++)
        observe(&b, (struct announced_limit){60, 20, 40 * SEC}, SEC);
    observe(&b, (struct announced_limit){600, 540, 6 * SEC}, SEC);
    assert_true(wait_for(&b, 540, SEC) == 0 && wait_for(&b, 550, SEC) == SEC);
    observe(&b, (struct announced_limit){6, 5, 10 * SEC}, SEC);
    assert_true(wait_for(&b, 5, SEC) == 0 && wait_for(&b, 6, SEC) == 10 * SEC);
    assert_true(wait_for(&b, 100, SEC) == 10 * SEC);
}

static void what_is_not_announced_again_is_forgotten(void **state) {
    (void)state;
    struct budget b = {0};
    observe(&b, (struct announced_limit){100, 0, 86400 * SEC}, SEC); // a day's
    assert_true(wait_for(&b, 1, SEC) == BUDGET_FORGOTTEN_AFTER);
    assert_true(wait_for(&b, 100, SEC + BUDGET_FORGOTTEN_AFTER) == 0);
}

static void a_clock_that_goes_back_refills_nothing(void **state) {
    (void)state;
    struct budget b = {0};
    observe(&b, (struct announced_limit){60, 10, -1}, 100 * SEC);
    budget_take(&b, 10, 50 * SEC);
    assert_true(budget_ready_at(&b, 1, 100 * SEC) == 101 * SEC);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_known_stops_nothing),
        cmocka_unit_test(nonsense_is_no_announcement),
        cmocka_unit_test(an_empty_one_refills_as_stated),
        cmocka_unit_test(a_limit_without_a_level_starts_full),
        cmocka_unit_test(our_count_is_kept_within_the_bounds),
        cmocka_unit_test(none_left_may_be_less),
        cmocka_unit_test(a_reset_shows_the_true_refill),
        cmocka_unit_test(a_bucket_smaller_than_its_limit_refills_as_stated),
        cmocka_unit_test(one_odd_header_changes_no_refill),
        cmocka_unit_test(a_changed_limit_is_taken_over_at_once),
        cmocka_unit_test(what_is_not_announced_again_is_forgotten),
        cmocka_unit_test(a_clock_that_goes_back_refills_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
