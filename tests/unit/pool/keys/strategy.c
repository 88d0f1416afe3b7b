// strategy.c: names as users and pool files write them.
// SPDX-License-Identifier: MIT
#include "pool/keys/strategy.h"

#include "tests/unit/check.h"
#include "tests/unit/quiet.h"

static void every_name_is_found(void **state) {
    (void)state;
    int count = 0;
    for (; strategy_names[count]; count++) {
        enum strategy found = STRATEGY_COUNT;
        assert_true(strategy_find(slice_str(strategy_names[count]), &found));
        assert_int_equal(found, count);
    }
    assert_int_equal(count, STRATEGY_COUNT);
}

static void spellings(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum strategy strategy;
    } rows[] = {
        {"round_robin", STRATEGY_ROUND_ROBIN},
        {"ROUND-ROBIN", STRATEGY_ROUND_ROBIN},
        {"Least_Used", STRATEGY_LEAST_USED},
        {"least_loaded", STRATEGY_LEAST_LOADED},
        {"LRU", STRATEGY_LRU},
        {"Random", STRATEGY_RANDOM},
        {"WEIGHTED", STRATEGY_WEIGHTED},
        {"Priority", STRATEGY_PRIORITY},
        {"", STRATEGY_COUNT},
        {"round robin", STRATEGY_COUNT},
        {"lru ", STRATEGY_COUNT},
        {"lr", STRATEGY_COUNT},
        {"roundrobin", STRATEGY_COUNT},
        {"least--used", STRATEGY_COUNT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum strategy found = STRATEGY_COUNT;
        bool known = strategy_find(slice_str(rows[i].text), &found);
        assert_int_equal(found, rows[i].strategy);
        assert_int_equal(known, found != STRATEGY_COUNT);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found),
        cmocka_unit_test(spellings),
    };
    QUIET_RUN(tests);
}
