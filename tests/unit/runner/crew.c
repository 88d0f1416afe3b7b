// crew.c (test): how many carry, who is next, and when one more pays.
// SPDX-License-Identifier: MIT
#include "runner/crew.h"

#include "jobs/base/clock.h"
#include "tests/unit/check.h"

static void as_many_as_asked_for_cores_and_slots(void **state) {
    (void)state;
    assert_int_equal(crew_size(1, 8, 100), 1);
    assert_int_equal(crew_size(3, 1, 100), 3); // who asks gets them, whatever the cores
    assert_int_equal(crew_size(3, 8, 2), 2);
    assert_int_equal(crew_size(1000, 8, 1000), CREW_MOST);
    assert_int_equal(crew_size(0, 4, 100), 4);
    assert_int_equal(crew_size(0, 64, 1000), CREW_MOST_AUTO);
    assert_int_equal(crew_size(0, 8, 1), 1);
    assert_int_equal(crew_size(0, 0, 100), 1);
    assert_int_equal(crew_size(3, 8, 0), 1);
}

// Gives out so many requests, none of which ends.
static void give_out(size_t *under_way, size_t carriers, size_t requests, double share) {
    for (size_t i = 0; i < requests; i++)
        under_way[crew_choose(under_way, carriers, share)]++;
}

static void alone_it_takes_all(void **state) {
    (void)state;
    size_t under_way[1] = {0};
    give_out(under_way, 1, 100, 0.5);
    assert_int_equal(under_way[0], 100);
}

static void the_loops_own_takes_its_share(void **state) {
    (void)state;
    size_t two[2] = {0}, three[3] = {0}, even[4] = {0};
    give_out(two, 2, 800, 0.6);
    assert_in_range(two[0], 299, 301); // 3 for 5
    give_out(three, 3, 1200, 0.4);
    assert_in_range(three[0], 199, 201); // 2 for 5 and 5
    assert_in_range(three[1], 499, 501);
    assert_in_range(three[2], 499, 501);
    give_out(even, 4, 400, 1);
    for (size_t i = 0; i < 4; i++)
        assert_in_range(even[i], 99, 101);
}

static void without_a_share_it_takes_the_first_few_only(void **state) {
    (void)state;
    size_t five[5] = {0}, most[CREW_MOST] = {0};
    give_out(five, 5, 104, 0);
    assert_int_equal(five[0], 4);
    assert_int_equal(five[4], 25);
    give_out(most, CREW_MOST, 4 + 15, 0);
    assert_int_equal(most[0], 4);
    for (size_t i = 1; i < CREW_MOST; i++)
        assert_int_equal(most[i], 1);
}

static void few_stay_on_the_loops_own(void **state) {
    (void)state;
    size_t under_way[3] = {0};
    for (int i = 0; i < 1000; i++) { // three keys, one request each
        give_out(under_way, 3, 3 - under_way[0], 0.4);
        assert_int_equal(under_way[0], 3);
        under_way[0] -= 1 + (size_t)i % 3;
    }
}

static void who_has_least_is_next(void **state) {
    (void)state;
    size_t under_way[4] = {9, 7, 3, 5};
    assert_int_equal(crew_choose(under_way, 4, 0.2), 2);
    under_way[0] = 0; // idle for once
    assert_int_equal(crew_choose(under_way, 4, 0.2), 2);
    under_way[2] = 5;
    assert_int_equal(crew_choose(under_way, 4, 0.2), 0);
}

// A look when few requests are out and many are back.
static bool look(struct crew_watch *w, int64_t now, int64_t own, int64_t others, size_t count) {
    struct crew_work work = {.own = own, .others = others, .returned = w->before.returned + 1000};
    return crew_look(w, now, &work, (size_t[CREW_MOST]){10, 10}, count);
}

// Looks as often as the loop turns, every millisecond, while it is busy for this share of the time;
// how often it was found full.
static int found_full(struct crew_watch *w, int64_t *now, int64_t *cpu, double busy, int seconds) {
    int full = 0;
    for (int i = 0; i < seconds * 1000; i++) {
        *now += USEC_PER_MS;
        *cpu += (int64_t)(busy * USEC_PER_MS);
        full += crew_is_due(w, *now) && look(w, *now, *cpu, 0, 1);
    }
    return full;
}

static void full_is_busy_for_a_whole_second(void **state) {
    (void)state;
    struct crew_watch w = CREW_WATCH_BEGIN;
    int64_t now = 5000 * USEC_PER_SEC, cpu = 0;
    assert_int_equal(found_full(&w, &now, &cpu, 0.2, 10), 0);
    assert_int_equal(found_full(&w, &now, &cpu, 0.85, 10), 0);
    assert_in_range(found_full(&w, &now, &cpu, 1, 10), 9, 10);
    assert_in_range(found_full(&w, &now, &cpu, 0.5, 10), 0, 1); // the second that began full
    assert_true(w.share == CREW_WATCH_BEGIN.share);             // there was nobody to compare with
}

static void what_it_used_before_the_first_look_does_not_count(void **state) {
    (void)state;
    struct crew_watch w = CREW_WATCH_BEGIN;
    int64_t now = 5000 * USEC_PER_SEC;
    assert_true(crew_is_due(&w, now));
    assert_false(look(&w, now, 4000 * USEC_PER_SEC, 9000 * USEC_PER_SEC, 2));
    assert_false(crew_is_due(&w, now + USEC_PER_MS));
    assert_true(w.share == CREW_WATCH_BEGIN.share);
}

static void a_long_sleep_is_no_work(void **state) {
    (void)state;
    struct crew_watch w = CREW_WATCH_BEGIN;
    int64_t now = 5000 * USEC_PER_SEC, cpu = 0;
    look(&w, now, cpu, 0, 2);
    assert_false(look(&w, now + 600 * USEC_PER_SEC, cpu + 2 * USEC_PER_SEC, 0, 2));
    assert_true(w.share == CREW_WATCH_BEGIN.share);
}

// A run: what a request costs on whichever thread has it, and the loop's other work on each.
struct load {
    double request, rest; // microseconds
    double rate;          // requests a second
    size_t count;
    int64_t now, own, others;
};

// Seconds of it with the shares that come of it; the last second's ratio of the loop's CPU to another's.
static double run_for(struct load *l, struct crew_watch *w, int seconds) {
    double own = 0, other = 1;
    for (int i = 0; i < seconds; i++) {
        double all = w->share + (double)(l->count - 1);
        own = l->rate * (l->rest + w->share / all * l->request);
        other = l->rate / all * l->request;
        l->now += USEC_PER_SEC;
        l->own += (int64_t)own;
        l->others += (int64_t)(other * (double)(l->count - 1));
        assert_true(crew_is_due(w, l->now));
        look(w, l->now, l->own, l->others, l->count);
    }
    return own / other;
}

static void become_equally_busy(struct load *l, struct crew_watch *w, int seconds, double within) {
    double ratio = run_for(l, w, seconds);
    assert_true(ratio > 1 - within && ratio < 1 + within);
}

static void all_are_made_equally_busy(void **state) {
    (void)state;
    const double rest[] = {0.5, 1, 3, 6};
    for (size_t count = 2; count <= 4; count++)
        for (size_t i = 0; i < 4; i++) {
            struct load load = {
                .request = 18, .rest = rest[i], .rate = 30000, .count = count, .now = 1};
            struct crew_watch w = CREW_WATCH_BEGIN;
            become_equally_busy(&load, &w, 20, 0.02);
        }
}

static void the_share_follows_when_the_work_changes(void **state) {
    (void)state;
    struct load load = {.request = 18, .rest = 9, .rate = 90000, .count = 8, .now = 1};
    struct crew_watch w = CREW_WATCH_BEGIN;
    run_for(&load, &w, 10);
    assert_true(w.share == 0); // its other work is more than its part already
    load.rest = 0;
    run_for(&load, &w, 20);
    assert_true(w.share > 0.97 && w.share <= 1);
    load.rate = 300; // nobody is busy: nothing to gain
    load.rest = 100;
    double before = w.share;
    run_for(&load, &w, 10);
    assert_true(w.share == before);
}

static void whoever_is_busy_alone_gets_less(void **state) {
    (void)state;
    struct crew_watch w = CREW_WATCH_BEGIN;
    int64_t now = 5000 * USEC_PER_SEC;
    look(&w, now, 0, 0, 3);
    look(&w, now += USEC_PER_SEC, USEC_PER_SEC / 2, USEC_PER_SEC / 100, 3);
    assert_true(w.share < 0.1);
    look(&w, now + USEC_PER_SEC, USEC_PER_SEC / 2, USEC_PER_SEC, 3);
    assert_true(w.share > 0.5);
}

static void five_looks_are_enough(void **state) {
    (void)state;
    struct load load = {.request = 18, .rest = 1, .rate = 30000, .count = 2, .now = 1};
    struct crew_watch w = CREW_WATCH_BEGIN;
    become_equally_busy(&load, &w, 6, 0.05);
}

static void one_more_thread_is_one_of_the_others(void **state) {
    (void)state;
    struct load load = {.request = 18, .rest = 3, .rate = 30000, .count = 2, .now = 1};
    struct crew_watch w = CREW_WATCH_BEGIN;
    run_for(&load, &w, 12);
    double before = w.share;
    load.count = 3;
    run_for(&load, &w, 1);
    assert_true(w.share < before && w.share > before - 0.3);
    become_equally_busy(&load, &w, 20, 0.02);
}

// Answers that take up to so many seconds, in tenths of a second.
#define SLOWEST 100

// A run in which answers take from `least` to `most` tenths of a second, after it has settled: by how much
// the busier thread was the busier one on average, with as many requests as keep two threads busy.
static double unbalance(int least, int most, size_t slots) {
    struct crew_watch w = CREW_WATCH_BEGIN;
    size_t under_way[2] = {0}, due[SLOWEST + 1][2] = {{0}};
    struct crew_work work = {0}, before = {0};
    double cpu[2] = {0}, busier = 0, all = 0;
    double request =
        (double)(least + most) / 2 * 1e5 / (double)slots; // two threads, half their time
    unsigned spread = 0;
    for (int tenth = 0; tenth < 1200; tenth++) {
        size_t *back = due[tenth % (SLOWEST + 1)];
        for (size_t i = 0; i < 2; i++) {
            under_way[i] -= back[i];
            work.returned += (int64_t)back[i];
            cpu[i] += request / 2 * (double)back[i];
            back[i] = 0;
        }
        while (under_way[0] + under_way[1] < slots) {
            size_t to = crew_choose(under_way, 2, w.share);
            int takes = least + (int)(spread++ * 7919 % (unsigned)(most - least + 1));
            under_way[to]++;
            due[(tenth + takes) % (SLOWEST + 1)][to]++;
            cpu[to] += request / 2;
            cpu[0] += request / 10;
        }
        if (tenth % 10 != 9)
            continue;
        work.own = (int64_t)cpu[0];
        work.others = (int64_t)cpu[1];
        crew_look(&w, (tenth + 1) * USEC_PER_SEC / 10, &work, under_way, 2);
        double own = (double)(work.own - before.own), other = (double)(work.others - before.others);
        if (tenth >= 600) {
            busier += own > other ? own : other;
            all += own + other;
        }
        before = work;
    }
    return busier / (all / 2);
}

// What is out stays where it is: a share that is set by what was done before it shows swings.
static void slow_answers_do_not_make_it_swing(void **state) {
    (void)state;
    assert_true(unbalance(1, 1, 500) < 1.05);
    assert_true(unbalance(5, 10, 5000) < 1.05);
    assert_true(unbalance(20, 40, 9600) < 1.08);
    assert_true(unbalance(30, 70, 16000) < 1.08);
    assert_true(unbalance(60, 100, 20000) < 1.08);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_asked_for_cores_and_slots),
        cmocka_unit_test(alone_it_takes_all),
        cmocka_unit_test(the_loops_own_takes_its_share),
        cmocka_unit_test(without_a_share_it_takes_the_first_few_only),
        cmocka_unit_test(few_stay_on_the_loops_own),
        cmocka_unit_test(who_has_least_is_next),
        cmocka_unit_test(full_is_busy_for_a_whole_second),
        cmocka_unit_test(what_it_used_before_the_first_look_does_not_count),
        cmocka_unit_test(a_long_sleep_is_no_work),
        cmocka_unit_test(all_are_made_equally_busy),
        cmocka_unit_test(the_share_follows_when_the_work_changes),
        cmocka_unit_test(whoever_is_busy_alone_gets_less),
        cmocka_unit_test(five_looks_are_enough),
        cmocka_unit_test(slow_answers_do_not_make_it_swing),
        cmocka_unit_test(one_more_thread_is_one_of_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
