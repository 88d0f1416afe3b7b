// ids.c: the id set against a plain model, and its promise of bytes per id.
// SPDX-License-Identifier: MIT

// The set is compiled in here with a hash that a test can make bad on purpose.
#include "jobs/base/hash.h"
static bool crowd_the_end, few_values;
static struct hash128 test_hash(struct slice bytes, const uint64_t key[2]);
#define hash_bytes test_hash
#include "jobs/ids.c"
#undef hash_bytes

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

static struct hash128 test_hash(struct slice bytes, const uint64_t key[2]) {
    struct hash128 h = hash_bytes(bytes, key);
    if (crowd_the_end)
        h.high = ~(h.high >> 4);
    if (few_values)
        h.high &= UINT64_C(0xfff) << 52;
    return h;
}

static struct slice id_text(char out[32], int64_t n) {
    return slice_of(out, (size_t)snprintf(out, 32, "row-%lld", (long long)n));
}

static void empty_takes_nothing(void **state) {
    (void)state;
    struct ids *ids = ids_new();
    assert_int_equal(ids_count(ids), 0);
    assert_int_equal(ids_find(ids, SLICE("x")), 0);
    assert_true(ids_bytes(ids) < 200);
    ids_free(ids);
    ids_free(NULL);
}

static void first_number_stays(void **state) {
    (void)state;
    struct ids *ids = ids_new();
    int64_t most = (INT64_C(1) << 40) - 1;
    assert_int_equal(ids_add(ids, SLICE("a"), most), 0);
    assert_int_equal(ids_add(ids, SLICE(""), 1), 0);
    assert_int_equal(ids_add(ids, SLICE("a\0b"), 2), 0);
    assert_int_equal(ids_add(ids, SLICE("a"), 3), most);
    assert_int_equal(ids_find(ids, SLICE("a")), most);
    assert_int_equal(ids_find(ids, SLICE("")), 1);
    assert_int_equal(ids_find(ids, SLICE("a\0b")), 2);
    assert_int_equal(ids_find(ids, SLICE("a\0c")), 0);
    assert_int_equal(ids_count(ids), 3);
    ids_free(ids);
}

// The table's own rules, looked at from inside.
static void check_order(const struct ids *ids) {
    size_t seen = 0;
    const struct entry *last = NULL;
    for (size_t i = 0; i < ids->slot_count; i++) {
        const struct entry *e = ids->slots + i;
        if (!e->rest)
            continue;
        assert_true(!last || is_before(ids, *last, *e));
        for (size_t j = home(ids, e->hash); j <= i; j++)
            assert_true(ids->slots[j].rest != 0);
        assert_true(home(ids, e->hash) <= i);
        last = e;
        seen++;
    }
    assert_int_equal(seen, ids->count);
}

#define UNIVERSE 20000

static void agrees_with_model(uint64_t seed, unsigned number_bits) {
    struct random random = {seed};
    int64_t *model = mem_zero(UNIVERSE, sizeof *model);
    struct ids *ids = ids_new_wide(number_bits);
    int64_t count = 0, most = (int64_t)number_mask(ids);
    char text[32];
    for (int step = 1; step <= 60000; step++) {
        int64_t n = random_below(&random, UNIVERSE);
        struct slice id = id_text(text, n);
        assert_int_equal(ids_find(ids, id), model[n]);
        if (random_below(&random, 2)) {
            int64_t number = most - step, before = model[n];
            struct ids_key key = ids_key(ids, id);
            ids_prefetch(ids, key);
            assert_int_equal(ids_add_key(ids, key, number), before);
            if (before && step % 3 == 0)
                ids_change(ids, key, number);
            if (!before || step % 3 == 0)
                model[n] = number;
            count += !before;
        }
        assert_int_equal(ids_count(ids), count);
        if (step % 5000 == 0)
            check_order(ids);
    }
    for (int64_t n = 0; n < UNIVERSE; n++)
        assert_int_equal(ids_find(ids, id_text(text, n)), model[n]);
    ids_free(ids);
    free(model);
}

static void property(void **state) {
    (void)state;
    agrees_with_model(1, NUMBER_BITS);
    agrees_with_model(2, IDS_NUMBER_BITS_MOST);
}

// All hashes in the last sixteenth: the tail overflows long before the table is full.
static void property_when_crowded(void **state) {
    (void)state;
    crowd_the_end = true;
    agrees_with_model(3, NUMBER_BITS);
    crowd_the_end = false;
}

// Ids that agree in the first 64 bits are told apart by the other 24.
static void property_when_halves_agree(void **state) {
    (void)state;
    few_values = true;
    agrees_with_model(4, NUMBER_BITS);
    few_values = false;
}

static long peak_kilobytes(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void keeps_its_promise(void **state) {
    (void)state;
    struct ids *ids = ids_new();
    long before = peak_kilobytes();
    char text[32];
    for (int64_t n = 1; n <= 2000000; n++) {
        assert_int_equal(ids_add(ids, id_text(text, n), n), 0);
        if (n >= 5000 && ids_bytes(ids) >= (size_t)n * 24)
            fail_msg("%zu bytes for %lld ids", ids_bytes(ids), (long long)n);
    }
#ifndef SANITIZED
    assert_true(peak_kilobytes() - before < 2000000L * 24 / 1024);
#else
    (void)before;
#endif
    for (int64_t n = 1; n <= 2000000; n += 997)
        assert_int_equal(ids_find(ids, id_text(text, n)), n);
    ids_free(ids);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_promise), // first: it looks at the process's peak
        cmocka_unit_test(empty_takes_nothing),
        cmocka_unit_test(first_number_stays),
        cmocka_unit_test(property),
        cmocka_unit_test(property_when_crowded),
        cmocka_unit_test(property_when_halves_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
