// affinity.c: what is kept, what is replaced, and that it stays within its bounds.
// SPDX-License-Identifier: MIT
#include "pool/keys/affinity.h"

#include "jobs/base/random.h"
#include "tests/unit/check.h"
#include "tests/unit/quiet.h"

static void finds_what_was_set(void **state) {
    (void)state;
    struct affinity a = {0};
    assert_true(affinity_find(&a, 5) == AFFINITY_NONE);
    affinity_set(&a, 5, 0);
    affinity_set(&a, 6, 99999);
    assert_int_equal(affinity_find(&a, 5), 0);
    assert_int_equal(affinity_find(&a, 6), 99999);
    affinity_set(&a, 5, 7); // moved
    assert_int_equal(affinity_find(&a, 5), 7);
    assert_true(affinity_find(&a, 7) == AFFINITY_NONE);
    affinity_free(&a);
    assert_true(affinity_find(&a, 5) == AFFINITY_NONE);
}

static void no_kind_is_never_found(void **state) {
    (void)state;
    struct affinity a = {0};
    affinity_set(&a, 0, 3);
    assert_true(affinity_find(&a, 0) == AFFINITY_NONE);
    affinity_set(&a, 1, 3);
    assert_true(affinity_find(&a, 0) == AFFINITY_NONE);
    affinity_free(&a);
}

static void a_few_thousand_are_all_kept(void **state) {
    (void)state;
    enum { KINDS = 10000 };
    struct affinity a = {0};
    struct random r = {1}, again = {1};
    for (size_t i = 0; i < KINDS; i++)
        affinity_set(&a, random_next(&r), i);
    for (size_t i = 0; i < KINDS; i++)
        assert_int_equal(affinity_find(&a, random_next(&again)), i);
    assert_true(a.cap < AFFINITY_MAX);
    affinity_free(&a);
}

static void a_small_one_stays_small(void **state) {
    (void)state;
    struct affinity a = {0};
    for (uint64_t round = 0; round < 1000; round++)
        for (uint64_t kind = 1; kind <= 10; kind++)
            affinity_set(&a, kind * 1000003, round);
    assert_true(a.cap <= 64);
    affinity_free(&a);
}

// A million kinds pass by; those in use stay, however many come once only.
static void the_unused_give_way(void **state) {
    (void)state;
    enum { USED = 100 };
    struct affinity a = {0};
    struct random r = {2};
    uint64_t used[USED];
    size_t lost = 0, fresh = 0;
    for (size_t i = 0; i < USED; i++)
        affinity_set(&a, used[i] = random_next(&r), i);
    for (size_t n = 0; n < 1000000; n++) {
        uint64_t once = random_next(&r);
        size_t i = n % USED, place = affinity_find(&a, used[i]);
        lost += place != i;
        affinity_set(&a, once, n);
        fresh += affinity_find(&a, once) == n;
    }
    assert_int_equal(a.cap, AFFINITY_MAX);
    assert_int_equal(lost, 0);
    assert_int_equal(fresh, 1000000);
    affinity_free(&a);
}

static void hashes_that_all_collide_do_no_harm(void **state) {
    (void)state;
    struct affinity a = {0};
    for (uint64_t i = 1; i <= 1000; i++) {
        affinity_set(&a, i << 40, i);
        assert_int_equal(affinity_find(&a, i << 40), i);
    }
    assert_true(a.cap <= AFFINITY_MAX);
    affinity_set(&a, 0, 1);                // takes nobody's place
    for (uint64_t i = 985; i <= 1000; i++) // as many as have room, and the newest of them
        assert_int_equal(affinity_find(&a, i << 40), i);
    assert_true(affinity_find(&a, UINT64_C(984) << 40) == AFFINITY_NONE);
    affinity_free(&a);
}

static void turns_wrap_around(void **state) {
    (void)state;
    struct affinity a = {.turn = UINT32_MAX - 8};
    for (uint64_t i = 1; i <= 40; i++)
        affinity_set(&a, i << 40, i);
    for (uint64_t i = 25; i <= 40; i++)
        assert_int_equal(affinity_find(&a, i << 40), i);
    affinity_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_set),
        cmocka_unit_test(no_kind_is_never_found),
        cmocka_unit_test(a_few_thousand_are_all_kept),
        cmocka_unit_test(a_small_one_stays_small),
        cmocka_unit_test(the_unused_give_way),
        cmocka_unit_test(hashes_that_all_collide_do_no_harm),
        cmocka_unit_test(turns_wrap_around),
    };
    QUIET_RUN(tests);
}
