// table.c (test): numbers come back from wherever they are, and take no more memory than agreed.
// SPDX-License-Identifier: MIT
#include "jobs/out/table.h"

#include "jobs/base/random.h"
#include "tests/unit/jobs/out/files.h"

// More places than the cache has room for.
#define PLACES (6 * (int64_t)(TABLE_BYTES / sizeof(int64_t)))

static void what_was_not_set_is_zero(void **state) {
    (void)state;
    struct table *t = table_new();
    assert_int_equal(table_get(t, 0), 0);
    assert_int_equal(table_get(t, PLACES * 1000), 0);
    assert_int_equal(table_file_bytes(t), 0);
    table_free(t);
    table_free(NULL);
}

static void numbers_come_back(void **state) {
    (void)state;
    struct table *t = table_new();
    for (int64_t i = 0; i < PLACES; i += 2)
        table_set(t, i, i * 7 + 1);
    assert_true(table_file_bytes(t) > 0);
    for (int64_t i = 0; i < PLACES; i++)
        assert_int_equal(table_get(t, i), i % 2 ? 0 : i * 7 + 1);
    table_set(t, 4, -1);
    for (int64_t i = PLACES - 1; i > 4; i--)
        assert_int_equal(table_get(t, i), i % 2 ? 0 : i * 7 + 1);
    assert_int_equal(table_get(t, 4), -1);
    assert_int_equal(table_failure(t), 0);
    table_free(t);
}

static void at_random_places_too(void **state) {
    (void)state;
    struct table *t = table_new();
    struct random random = {.state = 7};
    int64_t *model = mem_zero((size_t)PLACES, sizeof *model);
    for (int i = 0; i < 100000; i++) {
        int64_t place = (int64_t)(random_next(&random) % (uint64_t)PLACES);
        assert_int_equal(table_get(t, place), model[place]);
        model[place] = i + 1;
        table_set(t, place, i + 1);
    }
    free(model);
    table_free(t);
}

// A window of places that moves on: neither memory nor file grow with the way it has come.
static void dropped_places_take_no_room(void **state) {
    (void)state;
    int64_t window = PLACES / 2 + 5000, most = 0;
    struct table *t = table_new();
    for (int64_t i = 0; i < 10 * PLACES; i++) {
        table_set(t, i, i + 1);
        if (i < window)
            continue;
        assert_int_equal(table_get(t, i - window), i - window + 1);
        table_drop(t, i - window);
        if (i % 100000 == 0 && table_file_bytes(t) > most)
            most = table_file_bytes(t);
    }
    assert_int_equal(table_failure(t), 0);
    assert_true(most <= (window + PLACES / 2) * (int64_t)sizeof(int64_t));
    table_free(t);
}

static void a_failure_sticks(void **state) {
    (void)state;
    for (int at = 1; at <= 2; at++) {
        struct table *t = table_new();
        set_fault(FAULT_ERRNO, at, ENOSPC, 0);
        for (int64_t i = 0; i < PLACES; i += 512)
            table_set(t, i, 1);
        assert_int_equal(table_failure(t), ENOSPC);
        set_fault(FAULT_NONE, 0, 0, 0);
        table_free(t);
    }
    setenv("TMPDIR", "/nowhere", 1);
    struct table *t = table_new();
    for (int64_t i = 0; i < PLACES; i += 512)
        table_set(t, i, 1);
    assert_int_equal(table_failure(t), ENOENT);
    unsetenv("TMPDIR");
    table_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_set_is_zero), cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(at_random_places_too),     cmocka_unit_test(dropped_places_take_no_room),
        cmocka_unit_test(a_failure_sticks),
    };
    QUIET_RUN(tests);
}
