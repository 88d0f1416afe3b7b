// Tests pool/limits/window.c: no period ever holds more than the limit, and little is given away.
// SPDX-License-Identifier: MIT
#include "pool/limits/window.h"

#include "jobs/base/clock.h"
#include "jobs/base/random.h"

#include "tests/unit/check.h"

#include <stdbool.h>
#include <stdlib.h>

#define SEC    USEC_PER_SEC
#define MINUTE (60 * SEC)

struct taken {
    int64_t at, amount;
};

// The most that any period held, by looking at all of them.
static int64_t most_in_a_period(const struct taken *taken, int n, int64_t period) {
    int64_t sum = 0, most = 0;
    for (int first = 0, i = 0; i < n; i++) {
        sum += taken[i].amount;
        while (taken[i].at - taken[first].at >= period)
            sum -= taken[first++].amount;
        most = sum > most ? sum : most;
    }
    return most;
}

static void the_limit_holds_in_every_period(void **state) {
    (void)state;
    enum { TAKES = 3000 };
    static struct taken taken[TAKES];
    static const int64_t limits[] = {1, 3, 60, 1000, 150000};
    static const int64_t periods[] = {1, 50, SEC, MINUTE, 86400 * SEC};
    for (size_t i = 0; i < COUNT_OF(limits) * COUNT_OF(periods); i++) {
        int64_t limit = limits[i % COUNT_OF(limits)], period = periods[i / COUNT_OF(limits)];
        struct random random = {i + 1};
        struct window w;
        int64_t now = 1000 * SEC;
        window_init(&w, limit, period);
        for (int n = 0; n < TAKES; n++) {
            int64_t amount = 1 + random_below(&random, limit < 20 ? 1 : limit / 20);
            now = window_ready_at(&w, amount, now);
            window_take(&w, amount, now);
            taken[n] = (struct taken){now, amount};
            now += random_below(&random, 4) ? 0 : random_below(&random, period / 10 + 1);
        }
        assert_true(most_in_a_period(taken, TAKES, period) <= limit);
    }
}

static void little_is_given_away(void **state) {
    (void)state;
    struct window w;
    int64_t now = 0;
    window_init(&w, 60, MINUTE);
    for (int i = 0; i < 6000; i++) {
        now = window_ready_at(&w, 1, now);
        window_take(&w, 1, now);
    }
    assert_in_range(now, 99 * MINUTE, 99 * MINUTE * 64 / 63 + MINUTE / 63);
}

static void ready_means_ready(void **state) {
    (void)state;
    struct random random = {1};
    struct window w;
    int64_t now = 0;
    window_init(&w, 500, SEC);
    for (int i = 0; i < 20000; i++) {
        int64_t amount = random_below(&random, 700); // now and then more than the limit
        int64_t at = window_ready_at(&w, amount, now);
        assert_true(at >= now && at <= now + WINDOW_SLOTS * w.span);
        assert_true(at == now || window_ready_at(&w, amount, at - 1) >= at);
        assert_true(window_ready_at(&w, amount, at) == at);
        now = at + random_below(&random, SEC / 100);
        window_take(&w, amount, now);
    }
}

static void too_much_waits_for_an_empty_window(void **state) {
    (void)state;
    struct window w;
    window_init(&w, 100, MINUTE);
    assert_true(window_ready_at(&w, 5000, SEC) == SEC);
    window_take(&w, 1, SEC);
    int64_t at = window_ready_at(&w, 5000, SEC);
    assert_in_range(at, SEC + MINUTE, SEC + MINUTE + w.span);
    window_take(&w, 5000, at);
    assert_true(window_ready_at(&w, 1, at) >= at + MINUTE);
}

static void a_cost_is_corrected_where_it_was_taken(void **state) {
    (void)state;
    struct window w;
    window_init(&w, 100, MINUTE);
    window_take(&w, 80, SEC);
    window_take(&w, 20, 30 * SEC);
    window_change(&w, SEC, -50, 31 * SEC);
    assert_true(window_ready_at(&w, 50, 31 * SEC) == 31 * SEC);
    assert_true(window_ready_at(&w, 51, 31 * SEC) >= SEC + MINUTE);
    window_change(&w, 30 * SEC, 60, 32 * SEC); // 110 in all: above it, but it was true
    assert_true(window_ready_at(&w, 1, 32 * SEC) >= SEC + MINUTE);
    window_change(&w, SEC, -9999, 33 * SEC); // never below nothing
    assert_true(w.used == 80);
    window_change(&w, SEC, 70, 10 * MINUTE); // long out of the window
    assert_true(w.used == 0 && window_ready_at(&w, 100, 10 * MINUTE) == 10 * MINUTE);
}

static void time_may_jump(void **state) {
    (void)state;
    struct window w;
    window_init(&w, 10, MINUTE);
    window_take(&w, 10, 5 * SEC);
    int64_t far = INT64_MAX / 4;
    assert_true(window_ready_at(&w, 10, far) == far);
    window_take(&w, 10, far);
    assert_true(window_ready_at(&w, 1, far) > far);
    // back: time stands still, and what is taken then counts as new
    assert_true(window_ready_at(&w, 1, SEC) > far);
    window_take(&w, 3, SEC);
    window_change(&w, far + MINUTE, -1, SEC);
    assert_true(w.used == 12);
}

static void huge_limits_stay_whole(void **state) {
    (void)state;
    struct window w;
    window_init(&w, INT64_MAX, MINUTE);
    assert_true(window_ready_at(&w, INT64_MAX, SEC) == SEC);
    window_take(&w, INT64_MAX, SEC);
    window_take(&w, INT64_MAX, SEC);
    assert_true(w.used == UINT32_MAX && window_ready_at(&w, 1, SEC) > SEC);
}

// A settlement so late that its sub-period's place counts another one by now changes nothing.
static void what_is_a_period_old_is_settled_nowhere(void **state) {
    (void)state;
    struct window w;
    window_init(&w, 10, 60 * INT64_C(1000000));
    window_take(&w, 10, 0);
    int64_t now = WINDOW_SLOTS * w.span;
    window_take(&w, 10, now);
    window_change(&w, 0, -10, now);
    assert_int_equal(w.used, 10);
    assert_true(window_ready_at(&w, 1, now) > now);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_a_period_old_is_settled_nowhere),
        cmocka_unit_test(the_limit_holds_in_every_period),
        cmocka_unit_test(little_is_given_away),
        cmocka_unit_test(ready_means_ready),
        cmocka_unit_test(too_much_waits_for_an_empty_window),
        cmocka_unit_test(a_cost_is_corrected_where_it_was_taken),
        cmocka_unit_test(time_may_jump),
        cmocka_unit_test(huge_limits_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
