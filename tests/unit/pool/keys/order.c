// order.c: each strategy against a plain model, step by step, and what it does on its own.
// SPDX-License-Identifier: MIT
#include "pool/keys/order.h"

#include "jobs/base/clock.h"
#include "jobs/base/random.h"
#include "tests/unit/check.h"
#include "tests/unit/quiet.h"

#include <math.h>

#define PLACES  40
#define MINUTE  (60 * USEC_PER_SEC)
#define DAY     (24 * 60 * MINUTE)
#define HISTORY 4096

// Everything that happened, kept the long way.
struct model {
    struct order *order;
    enum strategy strategy;
    struct random random;
    int64_t now;
    bool open[PLACES];
    int64_t priority[PLACES];
    int64_t requests[PLACES];
    int64_t turn[PLACES]; // of the last request; never asked: below 0, by place
    int64_t turns;
    size_t last; // the place that last had its turn
    struct {
        size_t place;
        double cost;
        int64_t at;
    } history[HISTORY];
    size_t happened;
};

static struct order *new_order(enum strategy strategy, size_t count) {
    return order_new(&(struct order_options){strategy, count, 7});
}

static void open_all(struct order *o, size_t count) {
    for (size_t i = 0; i < count; i++)
        order_open(o, i);
}

static size_t take(struct order *o, int64_t now) {
    size_t place = order_next(o);
    assert_true(order_is_open(o, place));
    order_took(o, place, 0, now);
    return place;
}

static void model_init(struct model *m, enum strategy strategy) {
    *m = (struct model){.order = new_order(strategy, PLACES), .strategy = strategy};
    m->random.state = 11;
    m->now = 1000 * DAY;
    m->last = PLACES - 1;
    for (size_t i = 0; i < PLACES; i++) {
        m->turn[i] = (int64_t)i - PLACES;
        m->priority[i] = random_below(&m->random, 4) * INT64_C(1000000000000) - 7;
        struct order_standing standing = {.priority = m->priority[i], .has_priority = true};
        order_describe(m->order, i, &standing);
    }
}

static double load_of(const struct model *m, size_t place) {
    double load = 0;
    size_t from = m->happened > HISTORY ? m->happened - HISTORY : 0;
    for (size_t i = from; i < m->happened; i++)
        if (m->history[i % HISTORY].place == place)
            load += m->history[i % HISTORY].cost *
                    exp((double)(m->history[i % HISTORY].at - m->now) / (30.0 * USEC_PER_SEC));
    return load;
}

// Whether a goes before b; both are open.
static bool is_before(const struct model *m, size_t a, size_t b) {
    switch (m->strategy) {
    case STRATEGY_ROUND_ROBIN:
        return (a + PLACES - m->last - 1) % PLACES < (b + PLACES - m->last - 1) % PLACES;
    case STRATEGY_LEAST_USED:
        return m->requests[a] < m->requests[b] || (m->requests[a] == m->requests[b] && a < b);
    case STRATEGY_LEAST_LOADED: return load_of(m, a) < load_of(m, b) * (1 - 1e-9) - 1e-12;
    case STRATEGY_LRU: return m->turn[a] < m->turn[b];
    case STRATEGY_PRIORITY:
        return m->priority[a] < m->priority[b] ||
               (m->priority[a] == m->priority[b] && m->turn[a] < m->turn[b]);
    default: return false;
    }
}

static void check_next(const struct model *m) {
    size_t next = order_next(m->order), count = 0;
    assert_int_equal(order_next(m->order), next);
    for (size_t i = 0; i < PLACES; i++) {
        assert_int_equal(order_is_open(m->order, i), m->open[i]);
        count += m->open[i];
        if (m->open[i])
            assert_false(is_before(m, i, next));
    }
    assert_int_equal(order_open_count(m->order), count);
    assert_true(count ? m->open[next] : next == ORDER_NONE);
}

static void note_cost(struct model *m, size_t place, double cost, int64_t at) {
    size_t i = m->happened++ % HISTORY;
    m->history[i].place = place;
    m->history[i].cost = cost;
    m->history[i].at = at;
}

static void model_took(struct model *m, size_t place) {
    int64_t tokens = random_below(&m->random, 5000);
    if (place == order_next(m->order))
        m->last = place;
    order_took(m->order, place, tokens, m->now);
    m->requests[place]++;
    m->turn[place] = m->turns++;
    note_cost(m, place, 1 + (double)tokens / 1000, m->now);
    if (random_below(&m->random, 2)) {
        int64_t difference = random_below(&m->random, 3000) - tokens;
        order_settle(m->order, place, difference, m->now);
        note_cost(m, place, (double)difference / 1000, m->now);
    }
}

static void step(struct model *m) {
    size_t place = (size_t)random_below(&m->random, PLACES);
    switch (random_below(&m->random, 8)) {
    case 0:
    case 1:
        order_open(m->order, place);
        m->open[place] = true;
        break;
    case 2:
        order_close(m->order, place);
        m->open[place] = false;
        break;
    case 3: model_took(m, place); break; // not the one whose turn it is; maybe closed
    default:
        if (order_open_count(m->order))
            model_took(m, order_next(m->order));
    }
    m->now += random_below(&m->random, 4 * USEC_PER_SEC);
}

static void agrees_with_a_plain_model(void **state) {
    (void)state;
    static const enum strategy exact[] = {STRATEGY_ROUND_ROBIN, STRATEGY_LEAST_USED,
                                          STRATEGY_LEAST_LOADED, STRATEGY_LRU, STRATEGY_PRIORITY};
    static struct model m;
    for (size_t i = 0; i < COUNT_OF(exact); i++) {
        model_init(&m, exact[i]);
        // about nine hours: the scale of loads moves on the way
        for (int n = 0; n < (exact[i] == STRATEGY_LEAST_LOADED ? 16000 : 100000); n++) {
            if (exact[i] != STRATEGY_LEAST_LOADED || n % 8 == 0)
                check_next(&m);
            step(&m);
        }
        order_free(m.order);
    }
}

static void nobody_is_open_at_first(void **state) {
    (void)state;
    for (int s = 0; s < STRATEGY_COUNT; s++) {
        struct order *o = new_order((enum strategy)s, 3);
        assert_true(order_next(o) == ORDER_NONE);
        order_close(o, 1);
        order_open(o, 1);
        order_open(o, 1);
        assert_int_equal(order_open_count(o), 1);
        assert_int_equal(order_next(o), 1);
        order_close(o, 1);
        order_close(o, 1);
        assert_int_equal(order_open_count(o), 0);
        assert_true(order_next(o) == ORDER_NONE);
        order_free(o);
        order_free(new_order((enum strategy)s, 0));
    }
}

static void fresh_keys_come_in_order(void **state) {
    (void)state;
    static const enum strategy all[] = {STRATEGY_ROUND_ROBIN, STRATEGY_LEAST_USED,
                                        STRATEGY_LEAST_LOADED, STRATEGY_LRU, STRATEGY_PRIORITY};
    for (size_t s = 0; s < COUNT_OF(all); s++) {
        struct order *o = new_order(all[s], 10);
        open_all(o, 10);
        for (size_t i = 0; i < 20; i++) // alike in load, too: one request each
            assert_int_equal(take(o, DAY + (int64_t)i), i % 10);
        order_free(o);
    }
}

// Affinity may ask a place out of turn: the others keep their turns.
static void an_extra_request_costs_nobody_a_turn(void **state) {
    (void)state;
    struct order *o = new_order(STRATEGY_ROUND_ROBIN, 8);
    open_all(o, 8);
    assert_int_equal(take(o, 0), 0);
    order_took(o, 5, 0, 0);
    assert_int_equal(take(o, 0), 1);
    order_free(o);
}

static void a_settled_request_weighs_what_it_cost(void **state) {
    (void)state;
    struct order *o = new_order(STRATEGY_LEAST_LOADED, 3);
    open_all(o, 3);
    order_took(o, 0, 9000, 0);
    order_took(o, 1, 2000, 0);
    order_took(o, 2, 3000, 0);
    assert_int_equal(order_next(o), 1);
    order_settle(o, 0, -9000, 0);
    assert_int_equal(order_next(o), 0);
    order_settle(o, 0, 2500, 0);
    assert_int_equal(order_next(o), 1);
    order_settle(o, 2, -900000, 0); // a settlement never makes a load negative
    assert_int_equal(order_next(o), 2);
    order_took(o, 2, 3000, 0);
    order_took(o, 0, 0, 2 * MINUTE); // what is two minutes old is nearly nothing
    assert_int_equal(order_next(o), 1);
    order_free(o);
}

static void priority_is_strict(void **state) {
    (void)state;
    struct order *o = new_order(STRATEGY_PRIORITY, 4);
    static const int64_t priority[] = {10, INT64_MIN, 0, 10};
    for (size_t i = 0; i < 4; i++)
        if (i != 2) // states nothing: 0
            order_describe(o, i, &(struct order_standing){0, priority[i], false, true});
    open_all(o, 4);
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(o, 0), 1);
    order_close(o, 1);
    assert_int_equal(take(o, 0), 2);
    order_close(o, 2);
    assert_int_equal(take(o, 0), 0);
    assert_int_equal(take(o, 0), 3);
    assert_int_equal(take(o, 0), 0);
    order_open(o, 2);
    assert_int_equal(take(o, 0), 2);
    order_free(o);
}

static void random_is_even_and_seeded(void **state) {
    (void)state;
    enum { COUNT = 64, DRAWS = 64000 };
    struct order *o = new_order(STRATEGY_RANDOM, COUNT * 2);
    struct order *same = new_order(STRATEGY_RANDOM, COUNT * 2);
    int64_t drawn[COUNT * 2] = {0};
    open_all(o, COUNT * 2);
    open_all(same, COUNT * 2);
    for (size_t i = 0; i < COUNT; i++)
        order_close(o, i * 2), order_close(same, i * 2);
    for (int i = 0; i < DRAWS; i++) {
        size_t peeked = order_next(o), place = take(o, 0);
        assert_int_equal(peeked, place);
        assert_int_equal(take(same, 0), place);
        drawn[place]++;
        order_close(o, place), order_close(same, place);
        order_open(o, place), order_open(same, place);
    }
    double chi = 0, expected = (double)DRAWS / COUNT;
    for (size_t i = 0; i < COUNT * 2; i++)
        chi += i % 2 ? pow((double)drawn[i] - expected, 2) / expected : (double)drawn[i];
    // 63 degrees of freedom: beyond these bounds once in a thousand each
    assert_true(chi > 33 && chi < 104);
    order_free(o);
    order_free(same);
}

// -- weighted --

static void count_takes(struct order *o, size_t n, int64_t taken[]) {
    for (size_t i = 0; i < n; i++)
        taken[take(o, 0)]++;
}

static void assert_near(int64_t taken, double expected) {
    if (fabs((double)taken - expected) > expected * 0.02)
        fail_msg("%lld requests instead of %.0f", (long long)taken, expected);
}

static void weights_are_kept(void **state) {
    (void)state;
    struct order *o = new_order(STRATEGY_WEIGHTED, 4);
    order_describe(o, 0, &(struct order_standing){2.5, 99, true, true});
    order_describe(o, 1, &(struct order_standing){0, 4, false, true}); // priority as a weight
    order_describe(o, 2, &(struct order_standing){0, 0, false, false});
    order_describe(o, 3, &(struct order_standing){0, 5, true, true});
    open_all(o, 4);
    // each round goes beyond where the virtual time begins anew
    for (int round = 0; round < 3; round++) {
        int64_t taken[4] = {0};
        order_close(o, 0);
        order_open(o, 0);
        count_takes(o, 750000, taken);
        assert_near(taken[0], 250000);
        assert_near(taken[1], 400000);
        assert_near(taken[2], 100000);
        assert_int_equal(taken[3], 0); // weight 0
    }
    for (size_t i = 0; i < 3; i++)
        order_close(o, i);
    assert_int_equal(order_next(o), 3);
    order_free(o);
}

static void health_counts(void **state) {
    (void)state;
    struct order *o = new_order(STRATEGY_WEIGHTED, 2);
    int64_t half[2] = {0}, none[2] = {0}, well[2] = {0};
    open_all(o, 2);
    order_set_health(o, 1, 50);
    count_takes(o, 30000, half);
    assert_near(half[0], 20000);
    order_set_health(o, 1, -3);
    count_takes(o, 101050, none);
    assert_near(none[1], 1000);
    order_set_health(o, 1, 100); // no debts from then
    count_takes(o, 200, well);
    assert_true(well[1] >= 99 && well[1] <= 101);
    order_free(o);
}

static void nothing_missed_is_caught_up(void **state) {
    (void)state;
    struct order *o = new_order(STRATEGY_WEIGHTED, 3);
    int64_t alone[3] = {0}, after[3] = {0};
    open_all(o, 3);
    count_takes(o, 300, alone);
    order_close(o, 0);
    count_takes(o, 100000, alone);
    order_open(o, 0);
    count_takes(o, 300, after);
    for (size_t i = 0; i < 3; i++)
        assert_true(after[i] >= 99 && after[i] <= 101);
    order_close(o, 1);
    order_close(o, 2);
    count_takes(o, 100000, alone); // who served alone has no debts either
    order_open(o, 1);
    order_open(o, 2);
    count_takes(o, 300, after);
    for (size_t i = 0; i < 3; i++)
        assert_true(after[i] >= 198 && after[i] <= 202);
    order_free(o);
}

// Affinity again: who was asked out of turn runs ahead of the others, and takes nobody along.
static void an_extra_request_moves_only_its_own(void **state) {
    (void)state;
    struct order *o = new_order(STRATEGY_WEIGHTED, 3);
    int64_t taken[3] = {0};
    open_all(o, 3);
    for (int i = 0; i < 1000; i++)
        order_took(o, 0, 0, 0);
    order_close(o, 1);
    order_open(o, 1);
    count_takes(o, 1000, taken);
    assert_int_equal(taken[0], 0);
    assert_near(taken[1], 500);
    order_free(o);
}

// With one slot each, a place closes with every request and is soon back.
static void blinking_keeps_the_weights(void **state) {
    (void)state;
    struct order *o = new_order(STRATEGY_WEIGHTED, 3);
    int64_t taken[3] = {0};
    for (size_t i = 0; i < 3; i++)
        order_describe(o, i, &(struct order_standing){(double)(i * i + 1), 0, true, false});
    open_all(o, 3);
    for (int i = 0; i < 80000; i++) {
        size_t place = take(o, 0);
        taken[place]++;
        order_close(o, place);
        order_open(o, place);
    }
    for (size_t i = 0; i < 3; i++)
        assert_near(taken[i], 10000.0 * (double)(i * i + 1));
    order_free(o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_plain_model),
        cmocka_unit_test(nobody_is_open_at_first),
        cmocka_unit_test(fresh_keys_come_in_order),
        cmocka_unit_test(an_extra_request_costs_nobody_a_turn),
        cmocka_unit_test(a_settled_request_weighs_what_it_cost),
        cmocka_unit_test(priority_is_strict),
        cmocka_unit_test(random_is_even_and_seeded),
        cmocka_unit_test(weights_are_kept),
        cmocka_unit_test(health_counts),
        cmocka_unit_test(nothing_missed_is_caught_up),
        cmocka_unit_test(an_extra_request_moves_only_its_own),
        cmocka_unit_test(blinking_keeps_the_weights),
    };
    QUIET_RUN(tests);
}
