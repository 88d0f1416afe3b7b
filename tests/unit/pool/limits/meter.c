// Tests pool/limits/meter.c: stated limits by the minute and the day, and wall clocks that jump.
// SPDX-License-Identifier: MIT
#include "pool/limits/meter.h"

#include "jobs/base/clock.h"

#include "tests/unit/check.h"

#define SEC  USEC_PER_SEC
#define HOUR (3600 * SEC)
#define DAY  (24 * HOUR)

static const struct spend one = {1, 0, 0};

// A monotonic moment and a wall clock of days from 1970, in UTC.
static struct moment at(int64_t now, int64_t now_wall) {
    return (struct moment){now, now_wall, (now_wall / DAY + 1) * DAY};
}

static int take_all(struct meter *m, const struct spend *spend, struct moment moment) {
    int taken = 0;
    for (; meter_ready_at(m, spend, &moment) == moment.now && taken < 100000; taken++)
        meter_take(m, spend, &moment);
    return taken;
}

static void nothing_stated_is_no_meter(void **state) {
    (void)state;
    struct moment moment = at(SEC, 5 * DAY);
    struct charge charge = {.at = SEC, .spend = one};
    assert_null(meter_new(&(struct key_limits){.concurrency = 3}));
    meter_take(NULL, &one, &moment);
    meter_settle(NULL, &charge, &one, &moment);
    meter_return(NULL, &charge, &moment);
    assert_true(meter_ready_at(NULL, &one, &moment) == SEC);
    meter_free(NULL);
}

static void every_limit_holds(void **state) {
    (void)state;
    static const struct spend tokens = {1, 60, 40};
    static const struct {
        struct key_limits limits;
        int fit;          // of one request and 100 tokens each
        int64_t wait_for; // seconds at least
    } rows[] = {
        {{.rpm = 7}, 7, 60},         {{.tpm = 950}, 9, 60},         {{.rpm = 7, .tpm = 550}, 5, 60},
        {{.rpd = 12}, 12, 6 * 3600}, {{.tpd = 1200}, 12, 6 * 3600}, {{.rpm = 3, .rpd = 12}, 3, 60},
        {{.tpm = 50}, 1, 60},       // more than the limit goes alone
        {{.tpd = 50}, 1, 6 * 3600}, // the same
    };
    struct moment moment = at(HOUR, 5 * DAY + 18 * HOUR);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct meter *m = meter_new(&rows[i].limits);
        assert_int_equal(take_all(m, &tokens, moment), rows[i].fit);
        int64_t wait = meter_ready_at(m, &tokens, &moment) - moment.now;
        assert_in_range(wait, rows[i].wait_for * SEC, rows[i].wait_for * SEC * 102 / 100);
        meter_free(m);
    }
}

static void a_day_ends_at_its_midnight(void **state) {
    (void)state;
    struct meter *m = meter_new(&(struct key_limits){.rpd = 5});
    struct moment moment = at(HOUR, 5 * DAY + 23 * HOUR);
    assert_int_equal(take_all(m, &one, moment), 5);
    assert_true(meter_ready_at(m, &one, &moment) == 2 * HOUR);
    moment = at(2 * HOUR - 1, 6 * DAY - 1);
    assert_int_equal(take_all(m, &one, moment), 0);
    assert_int_equal(take_all(m, &one, at(2 * HOUR, 6 * DAY)), 5);
    meter_free(m);
}

static void what_it_really_took_counts(void **state) {
    (void)state;
    struct meter *m = meter_new(&(struct key_limits){.tpm = 1000, .tpd = 2000});
    struct moment moment = at(HOUR, 5 * DAY);
    struct charge charge = {.at = HOUR, .spend = {1, 500, 500}};
    struct spend half = {1, 0, 500}, all = {1, 500, 500};
    meter_take(m, &charge.spend, &moment);
    assert_true(meter_ready_at(m, &half, &moment) > moment.now);
    meter_settle(m, &charge, &(struct spend){1, 100, -1}, &moment); // 600, the output not known
    assert_true(meter_ready_at(m, &half, &moment) > moment.now);
    meter_settle(m, &charge, &(struct spend){1, -1, 400}, &moment); // 500
    assert_true(meter_ready_at(m, &half, &moment) == moment.now);
    meter_take(m, &all, &moment);
    meter_return(m, &charge, &moment);
    assert_true(meter_ready_at(m, &half, &moment) == moment.now);
    meter_free(m);
}

static void yesterdays_answer_is_not_todays(void **state) {
    (void)state;
    struct meter *m = meter_new(&(struct key_limits){.tpd = 1000});
    struct moment before = at(HOUR, 6 * DAY - SEC), after = at(HOUR + 2 * SEC, 6 * DAY + SEC);
    struct charge charge = {.at = HOUR, .spend = {1, 300, 300}};
    struct spend all = {1, 1000, 0};
    meter_take(m, &charge.spend, &before);
    meter_take(m, &(struct spend){1, 400, 0}, &after);
    meter_settle(m, &charge, &(struct spend){1, 0, 0}, &after);
    assert_true(meter_ready_at(m, &(struct spend){1, 601, 0}, &after) > after.now);
    assert_true(meter_ready_at(m, &(struct spend){1, 600, 0}, &after) == after.now);
    meter_return(m, &charge, &after);
    assert_true(meter_ready_at(m, &all, &after) > after.now);
    meter_free(m);
}

// The clock was days ahead and is put right: locked until that day's end, not for days.
static void a_clock_put_back_does_not_lock(void **state) {
    (void)state;
    struct meter *m = meter_new(&(struct key_limits){.rpd = 5});
    assert_int_equal(take_all(m, &one, at(HOUR, 40 * DAY)), 5);
    struct moment moment = at(2 * HOUR, 5 * DAY + 20 * HOUR);
    assert_true(meter_ready_at(m, &one, &moment) == 6 * HOUR);
    assert_int_equal(take_all(m, &one, at(6 * HOUR, 6 * DAY)), 5);
    meter_free(m);
}

// Ahead over midnight and back: the day's requests were made, before and after.
static void a_clock_ahead_and_back_gives_no_second_day(void **state) {
    (void)state;
    struct meter *m = meter_new(&(struct key_limits){.rpd = 10});
    struct moment moment = at(HOUR, 5 * DAY + HOUR);
    for (int i = 0; i < 6; i++)
        meter_take(m, &one, &moment);
    moment = at(HOUR + SEC, 6 * DAY + HOUR);
    for (int i = 0; i < 3; i++)
        meter_take(m, &one, &moment);
    assert_int_equal(take_all(m, &one, at(HOUR + 2 * SEC, 5 * DAY + HOUR)), 1);
    meter_free(m);
}

// A clock that is corrected by seconds around midnight does not bring the old day back, nor a third.
static void a_small_correction_at_midnight_is_nothing(void **state) {
    (void)state;
    struct meter *m = meter_new(&(struct key_limits){.rpd = 10});
    assert_int_equal(take_all(m, &one, at(HOUR, 6 * DAY - SEC)), 10);
    struct moment moment = at(HOUR + 2 * SEC, 6 * DAY + SEC);
    for (int i = 0; i < 4; i++)
        meter_take(m, &one, &moment);
    assert_int_equal(take_all(m, &one, at(HOUR + 3 * SEC, 6 * DAY - SEC)), 6);
    assert_int_equal(take_all(m, &one, at(HOUR + 5 * SEC, 6 * DAY + SEC)), 0);
    meter_free(m);
}

static void nonsense_from_the_clock_neither_spins_nor_hangs(void **state) {
    (void)state;
    struct meter *m = meter_new(&(struct key_limits){.rpd = 1});
    struct moment past = {HOUR, 5 * DAY, 4 * DAY}, far = {HOUR, 5 * DAY, 500 * DAY};
    meter_take(m, &one, &past);
    assert_true(meter_ready_at(m, &one, &past) == HOUR + SEC);
    meter_take(m, &one, &far);
    assert_true(meter_ready_at(m, &one, &far) <= HOUR + 26 * HOUR);
    meter_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_stated_is_no_meter),
        cmocka_unit_test(every_limit_holds),
        cmocka_unit_test(a_day_ends_at_its_midnight),
        cmocka_unit_test(what_it_really_took_counts),
        cmocka_unit_test(yesterdays_answer_is_not_todays),
        cmocka_unit_test(a_clock_put_back_does_not_lock),
        cmocka_unit_test(a_clock_ahead_and_back_gives_no_second_day),
        cmocka_unit_test(a_small_correction_at_midnight_is_nothing),
        cmocka_unit_test(nonsense_from_the_clock_neither_spins_nor_hangs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
