// Tests jobs/base/bits.c against a plain array of flags.
// SPDX-License-Identifier: MIT
#include "jobs/base/bits.h"

#include "jobs/base/die.h"
#include "jobs/base/random.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static size_t next_by_hand(const bool *flags, size_t size, size_t from) {
    for (size_t i = from; i < size; i++)
        if (flags[i])
            return i;
    return BITS_NONE;
}

static void check_against_flags(size_t size, int moves) {
    struct random random = {size};
    struct bits bits;
    bool *flags = mem_zero(size, sizeof *flags);
    bits_init(&bits, size);
    for (int i = 0; i < moves; i++) {
        size_t at = (size_t)random_below(&random, (int64_t)size);
        bool set = random_next(&random) % 3 == 0; // sparse: the tree's upper levels matter
        flags[at] = set;
        (set ? bits_set : bits_clear)(&bits, at);
        assert_int_equal(bits_has(&bits, at), set);
        size_t from = (size_t)random_below(&random, (int64_t)size + 1);
        size_t next = next_by_hand(flags, size, from);
        assert_int_equal(bits_next(&bits, from), next);
        size_t round = next != BITS_NONE ? next : next_by_hand(flags, size, 0);
        assert_int_equal(bits_next_round(&bits, from), round);
    }
    bits_free(&bits);
    free(flags);
}

static void next_is_what_a_search_finds(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 63, 64, 65, 127, 4095, 4096, 4097, 10000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        check_against_flags(sizes[i], 3000);
}

static void far_apart_members_are_found(void **state) {
    (void)state;
    struct bits bits;
    bits_init(&bits, 16000000);
    assert_int_equal(bits_next(&bits, 0), BITS_NONE);
    bits_set(&bits, 15999999);
    assert_int_equal(bits_next(&bits, 0), 15999999);
    bits_set(&bits, 5000000);
    assert_int_equal(bits_next(&bits, 1), 5000000);
    assert_int_equal(bits_next(&bits, 5000001), 15999999);
    bits_clear(&bits, 5000000);
    bits_clear(&bits, 15999999);
    assert_int_equal(bits_next_round(&bits, 12345), BITS_NONE);
    bits_free(&bits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_is_what_a_search_finds),
        cmocka_unit_test(far_apart_members_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
