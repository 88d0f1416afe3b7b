// Tests pool/limits/breaker.c on a virtual clock.
// SPDX-License-Identifier: MIT
#include "pool/limits/breaker.h"

#include "jobs/base/clock.h"
#include "jobs/base/random.h"
#include "tests/unit/check.h"

#define SEC INT64_C(1000000)

static int64_t told(const struct breaker *b, int64_t now) {
    int64_t when;
    assert_false(breaker_admits(b, now, &when));
    return when;
}

static bool admits(const struct breaker *b, int64_t now) {
    int64_t when;
    return breaker_admits(b, now, &when);
}

// A breaker that pauses since `now`, after answers before.
static struct breaker open_at(int64_t now) {
    struct breaker b = {.keys = 10};
    breaker_passed(&b, now - SEC, now - SEC);
    for (int i = 1; i < BREAKER_FAILURES; i++)
        assert_false(breaker_failed(&b, now, false, -1, now));
    assert_true(admits(&b, now));
    assert_true(breaker_failed(&b, now, false, -1, now));
    return b;
}

static void failures_in_a_row_pause_all(void **state) {
    (void)state;
    struct breaker b = open_at(10 * SEC);
    assert_true(told(&b, 10 * SEC) == 10 * SEC + BREAKER_FIRST);
    assert_true(admits(&b, 10 * SEC + BREAKER_FIRST));
}

static void an_answer_in_between_keeps_it_closed(void **state) {
    (void)state;
    struct breaker b = {.keys = 10};
    for (int i = 0; i < 100; i++) {
        assert_false(breaker_failed(&b, i, false, -1, i));
        if (i % 4 == 3)
            breaker_passed(&b, 0, i); // however long ago it was sent
    }
    assert_true(admits(&b, 100));
}

// What fails now and then, long ago, does not make it deaf to an outage.
static void good_times_make_it_quick_again(void **state) {
    (void)state;
    struct breaker b = {.keys = 10};
    for (int64_t t = 1; t <= 40; t++)
        for (int i = 0; i < 4; i++) {
            if (i < 2)
                assert_false(breaker_failed(&b, t, false, -1, t));
            else
                breaker_passed(&b, t, t);
        }
    for (int64_t t = 41; t <= 600; t++)
        breaker_passed(&b, t, t);
    for (int i = 1; i < BREAKER_FAILURES; i++)
        assert_false(breaker_failed(&b, 601, false, -1, 601));
    assert_true(breaker_failed(&b, 601, false, -1, 601));
}

static void few_keys_need_fewer_failures(void **state) {
    (void)state;
    for (size_t keys = 1; keys < 8; keys++) {
        struct breaker b = {.keys = keys};
        int n = 1;
        while (!breaker_failed(&b, 0, false, -1, 0))
            n++;
        assert_int_equal(n, keys < 3 ? (int)keys * 2 : 5);
    }
}

static void one_word_of_the_provider_is_enough(void **state) {
    (void)state;
    struct breaker b = {.keys = 10};
    assert_true(breaker_failed(&b, 0, true, 3 * SEC, 0));
    assert_true(told(&b, 0) == 3 * SEC);
    b = (struct breaker){.keys = 10};
    assert_true(breaker_failed(&b, 0, true, 86400 * SEC, 0));
    assert_true(told(&b, 0) == BREAKER_HINT_MOST);
}

static void one_probe_at_a_time_and_longer_pauses(void **state) {
    (void)state;
    int64_t now = 10 * SEC, last = BREAKER_FIRST;
    struct breaker b = open_at(now);
    for (int i = 0; i < 12; i++) {
        now = told(&b, now);
        assert_true(breaker_took(&b, now));
        assert_true(told(&b, now) == now + BREAKER_PROBE_MOST); // a second one only if it hangs
        now += SEC / 100;
        assert_false(breaker_failed(&b, now - SEC / 100, false, -1, now));
        int64_t pause = told(&b, now) - now;
        assert_true(pause == (last * 2 < BREAKER_MOST ? last * 2 : BREAKER_MOST));
        last = pause;
    }
}

static void it_comes_back_step_by_step(void **state) {
    (void)state;
    int64_t now = 10 * SEC;
    struct breaker b = open_at(now);
    now = told(&b, now);
    breaker_took(&b, now);
    breaker_passed(&b, now, now + 1);
    now++;
    for (int room = 2; room < 63; room++) {
        for (int i = 0; i < room; i++) {
            assert_true(admits(&b, now));
            breaker_took(&b, now);
        }
        assert_false(admits(&b, now));
        breaker_passed(&b, now - 1, now); // sent before: it took no room
        for (int i = 0; i < room; i++) {
            assert_int_equal(b.in_flight, room - i);
            breaker_left(&b, now);
        }
    }
    for (int i = 0; i < 100; i++)
        breaker_passed(&b, now, now + 1);
    assert_int_equal(b.state, BREAKER_CLOSED);
}

static void a_failure_on_the_way_back_pauses_again(void **state) {
    (void)state;
    int64_t now = 10 * SEC;
    struct breaker b = open_at(now);
    now = told(&b, now);
    breaker_took(&b, now);
    breaker_passed(&b, now, now + 1);
    assert_false(breaker_failed(&b, now - SEC, false, -1, now + 2)); // sent before: no news
    assert_true(admits(&b, now + 2));
    for (int i = 0; i < (BREAKER_FAILURES + 1) / 2; i++)
        breaker_failed(&b, now + 1, false, -1, now + 2);
    assert_true(told(&b, now + 2) > now + 2);
}

// The share of the time that is spent waiting over so many requests of 10 ms.
static double waiting(int percent, int requests, uint64_t seed) {
    struct breaker b = {.keys = 3};
    struct random random = {seed};
    int64_t now = 0, waited = 0;
    for (int i = 0; i < requests; i++) {
        int64_t when, sent_at;
        if (!breaker_admits(&b, now, &when)) {
            waited += when - now;
            now = when;
        }
        breaker_took(&b, now);
        sent_at = now;
        now += 10000;
        if (random_below(&random, 100) < percent)
            breaker_failed(&b, sent_at, false, -1, now);
        else
            breaker_passed(&b, sent_at, now);
    }
    return (double)waited / (double)now;
}

// What fails by chance is no outage: most of the time is not spent waiting, nor the first time.
static void single_failures_are_lived_with(void **state) {
    (void)state;
    for (int percent = 5; percent <= 40; percent += 5) {
        double first = 0, worst = 0, later = waiting(percent, 100000, 7);
        for (uint64_t seed = 1; seed <= 100; seed++) {
            double share = waiting(percent, 400, seed);
            first += share / 100;
            worst = share > worst ? share : worst;
        }
        print_message("%d %% fail: waiting is %.1f %% of the time, of the first 400 %.1f %%, "
                      "at worst %.0f %%\n",
                      percent, 100 * later, 100 * first, 100 * worst);
        assert_true(later < 0.1 && first < 0.1 && worst < 0.9);
    }
}

static void the_last_of_the_good_time_does_not_end_a_pause(void **state) {
    (void)state;
    struct breaker b = open_at(10 * SEC);
    breaker_passed(&b, 9 * SEC, 10 * SEC + 1);
    assert_int_equal(b.state, BREAKER_OPEN);
    breaker_passed(&b, 10 * SEC, 10 * SEC + 1);
    assert_int_equal(b.state, BREAKER_RAMP);
}

static void a_probe_that_was_not_sent_is_still_to_be_made(void **state) {
    (void)state;
    struct breaker b = open_at(10 * SEC);
    int64_t now = told(&b, 10 * SEC);
    breaker_took(&b, now);
    breaker_left(&b, now);
    assert_true(admits(&b, now));
}

// Answers that take minutes do not make the way back hours long, and one that hangs is no end.
static void time_without_a_failure_widens_it_too(void **state) {
    (void)state;
    int64_t now = 10 * SEC, when;
    struct breaker b = open_at(now);
    now = told(&b, now);
    breaker_took(&b, now);
    breaker_passed(&b, now, now + 1);
    int64_t began = ++now;
    for (int sent = 0; sent < 100; sent++) {
        if (!breaker_admits(&b, now, &when)) {
            assert_in_range(when, now + 1, now + 2 * SEC);
            now = when;
            assert_true(admits(&b, now));
        }
        breaker_took(&b, now);
    }
    assert_in_range(now, began + 2 * SEC, began + 8 * SEC);
    breaker_passed(&b, now, now);
    assert_int_equal(b.state, BREAKER_CLOSED);
}

// Those that hung since the outage began fail minutes later, all at once.
static void old_failures_are_no_news(void **state) {
    (void)state;
    int64_t now = 10 * SEC;
    struct breaker b = open_at(now);
    now = told(&b, now);
    breaker_took(&b, now);
    for (int i = 0; i < 200; i++)
        breaker_passed(&b, now, now + 1 + i);
    assert_int_equal(b.state, BREAKER_CLOSED);
    for (int i = 0; i < 100; i++)
        assert_false(breaker_failed(&b, 10 * SEC, false, -1, now + SEC));
    assert_true(admits(&b, now + SEC));
}

// Fails for ever, each request after `took`; how long after the first one it is given up. *calls: the
// requests that were made.
static int64_t patience(struct breaker b, int64_t now, int64_t took, int64_t hint, int *calls) {
    int64_t when, began = now;
    for (*calls = 0; !b.given_up; ++*calls) {
        if (!breaker_admits(&b, now, &when))
            now = when;
        assert_true(now - began < 2 * BREAKER_PATIENCE);
        int64_t sent_at = now;
        breaker_took(&b, now);
        breaker_failed(&b, sent_at, false, hint, now += took);
    }
    assert_false(breaker_admits(&b, now, &when));
    assert_true(when == TIME_NEVER); // it is not asked again
    breaker_passed(&b, now, now);    // unless something was on its way, and passes
    assert_true(admits(&b, now));
    return now - began;
}

static void patience_ends(void **state) {
    (void)state;
    int calls;
    struct breaker fresh = {.keys = 3}, own = {.keys = 3, .patience = 7 * SEC};
    struct breaker known_own = open_at(10 * SEC);
    known_own.patience = 7 * SEC;
    assert_in_range(patience(fresh, 0, 1000, -1, &calls), 25 * SEC, BREAKER_PATIENCE_NEW);
    assert_in_range(calls, 5, 20);
    assert_in_range(patience(open_at(10 * SEC), 10 * SEC, 1000, -1, &calls),
                    BREAKER_PATIENCE - BREAKER_MOST, BREAKER_PATIENCE);
    assert_in_range(calls, 100, 150);
    assert_in_range(patience(own, 0, 1000, -1, &calls), 5 * SEC, 7 * SEC);
    assert_in_range(patience(known_own, 10 * SEC, 1000, -1, &calls), 5 * SEC, 7 * SEC);
    // connections that time out
    assert_in_range(patience(fresh, 0, 10 * SEC, -1, &calls), 15 * SEC, BREAKER_PATIENCE_NEW);
    // what hangs is waited for, twice at least
    assert_in_range(patience(fresh, 0, 600 * SEC, -1, &calls), 600 * SEC, 1300 * SEC);
    assert_in_range(calls, 2, 3);
    // and so is the time that the provider itself names
    assert_in_range(patience(fresh, 0, 1000, 50 * SEC, &calls), 50 * SEC, 51 * SEC);
}

// What fails at its first attempt tells how often any attempt does; rows that always fail do not.
static void chance_is_told_by_first_attempts(void **state) {
    (void)state;
    struct breaker b = {.keys = 3};
    struct random random = {3};
    for (int i = 0; i < 10; i++)
        breaker_note_first(&b, true);
    assert_int_equal(breaker_by_chance(&b, 1e-7), 0); // too few to tell
    for (int i = 0; i < 500; i++)
        breaker_note_first(&b, random_below(&random, 100) < 50);
    assert_in_range(breaker_by_chance(&b, 1e-7), 16, 40);
    for (int i = 0; i < 500; i++)
        breaker_note_first(&b, random_below(&random, 100) < 2);
    assert_in_range(breaker_by_chance(&b, 1e-7), 2, 6);
    for (int i = 0; i < 2000; i++)
        breaker_note_first(&b, true);
    assert_int_equal(breaker_by_chance(&b, 1e-7), BREAKER_CHANCE_MOST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_in_a_row_pause_all),
        cmocka_unit_test(an_answer_in_between_keeps_it_closed),
        cmocka_unit_test(good_times_make_it_quick_again),
        cmocka_unit_test(few_keys_need_fewer_failures),
        cmocka_unit_test(one_word_of_the_provider_is_enough),
        cmocka_unit_test(one_probe_at_a_time_and_longer_pauses),
        cmocka_unit_test(it_comes_back_step_by_step),
        cmocka_unit_test(a_failure_on_the_way_back_pauses_again),
        cmocka_unit_test(single_failures_are_lived_with),
        cmocka_unit_test(the_last_of_the_good_time_does_not_end_a_pause),
        cmocka_unit_test(a_probe_that_was_not_sent_is_still_to_be_made),
        cmocka_unit_test(time_without_a_failure_widens_it_too),
        cmocka_unit_test(old_failures_are_no_news),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(chance_is_told_by_first_attempts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
