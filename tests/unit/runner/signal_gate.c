// signal_gate.c (test): on a virtual clock, which deliveries count.
// SPDX-License-Identifier: MIT
#include "runner/signal_gate.h"

#include "tests/unit/quiet.h"

#include <signal.h>

#define MS INT64_C(1000)

static void delivered_twice_counts_once(void **state) {
    struct signal_gate gate = {{0}};
    (void)state;
    assert_true(signal_gate_counts(&gate, SIGINT, 0));
    assert_false(signal_gate_counts(&gate, SIGINT, 0));
    assert_false(signal_gate_counts(&gate, SIGINT, 499 * MS));
    assert_true(signal_gate_counts(&gate, SIGINT, 501 * MS));
}

static void another_signal_counts_by_itself(void **state) {
    struct signal_gate gate = {{0}};
    (void)state;
    assert_true(signal_gate_counts(&gate, SIGINT, 10 * MS));
    assert_true(signal_gate_counts(&gate, SIGTERM, 10 * MS));
    assert_false(signal_gate_counts(&gate, SIGTERM, 20 * MS));
    assert_false(signal_gate_counts(&gate, SIGINT, 20 * MS));
    assert_true(signal_gate_counts(&gate, SIGHUP, 20 * MS));
}

static void pressing_on_gets_through(void **state) {
    struct signal_gate gate = {{0}};
    int counted = 0;
    (void)state;
    for (int i = 0; i < 30; i++) // ten a second for three seconds
        counted += signal_gate_counts(&gate, SIGINT, (1000 + i * 100) * MS);
    assert_int_equal(counted, 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivered_twice_counts_once),
        cmocka_unit_test(another_signal_counts_by_itself),
        cmocka_unit_test(pressing_on_gets_through),
    };
    QUIET_RUN(tests);
}
