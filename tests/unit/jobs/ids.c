// ids.c: the id set against a plain model, and its promise of bytes per id.
// SPDX-License-Identifier: MIT

// The set is compiled in here with a hash that a test can make bad on purpose.
#include "jobs/base/hash.h"
static bool crowd_the_end, few_places;
static struct hash128 test_hash(struct slice bytes, const uint64_t key[2]);
#define hash_bytes test_hash
#include "jobs/ids.c"
#include "jobs/ids_table.c"
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
    if (few_places)
        h.high &= UINT64_C(0xc0000fffffffffff);
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
    int64_t most = (INT64_C(1) << IDS_NUMBER_BITS) - 1;
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
static void check_order(const struct ids_table *t) {
    size_t seen = 0, index = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < t->slot_count; i++) {
        const struct ids_entry *e = t->slots + i;
        if (!e->rest)
            continue;
        while (t->first[index + 1] <= i)
            index++;
        assert_true(t->first[index] <= i);
        uint64_t hash = (uint64_t)index << STORED_BITS | stored_hash(e);
        assert_true(hash >= last);
        for (size_t j = home(t, hash); j <= i; j++)
            assert_true(t->slots[j].rest != 0);
        assert_true(home(t, hash) <= i);
        last = hash;
        seen++;
    }
    assert_int_equal(seen, t->count);
    for (size_t k = 0; t->first && k < INDEX_COUNT; k++)
        assert_true(t->first[k] <= t->first[k + 1]);
}

#define UNIVERSE 20000

// How ids look: all in the table, all numbers, numbers from a million on, or of all kinds.
enum looks { ROWS, NUMBERS, FAR_NUMBERS, MIXED };

static struct slice id_like(char out[32], int64_t n, enum looks looks) {
    static const char *const forms[] = {"%lld",  "0%lld", "+%lld", "%llde3",
                                        " %lld", "%lld ", "-%lld"};
    if (looks == ROWS)
        return id_text(out, n);
    const char *form = looks == MIXED ? forms[n % 7] : "%lld";
    int64_t number = looks == FAR_NUMBERS ? 1000000 + n * 1000003 : looks == MIXED ? n * n / 7 : n;
    return slice_of(out, (size_t)snprintf(out, 32, form, (long long)number));
}

static void agrees_with_model(uint64_t seed, enum looks looks) {
    struct random random = {seed};
    int64_t *model = mem_zero(UNIVERSE, sizeof *model);
    struct ids *ids = ids_new();
    int64_t count = 0, most = (INT64_C(1) << IDS_NUMBER_BITS) - 1;
    char text[32];
    for (int step = 1; step <= 60000; step++) {
        int64_t n = random_below(&random, UNIVERSE);
        struct slice id = id_like(text, n, looks);
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
            check_order(&ids->table);
    }
    for (int64_t n = 0; n < UNIVERSE; n++)
        assert_int_equal(ids_find(ids, id_like(text, n, looks)), model[n]);
    ids_free(ids);
    free(model);
}

static void property(void **state) {
    (void)state;
    agrees_with_model(1, ROWS);
    agrees_with_model(2, NUMBERS);
    agrees_with_model(5, FAR_NUMBERS);
    agrees_with_model(6, MIXED);
}

// All hashes in the last sixteenth: the tail overflows long before the table is full.
static void property_when_crowded(void **state) {
    (void)state;
    crowd_the_end = true;
    agrees_with_model(3, ROWS);
    crowd_the_end = false;
}

// Four places in the index for all: each entry stands far behind its home.
static void property_when_few_are_at_home(void **state) {
    (void)state;
    few_places = true;
    agrees_with_model(4, ROWS);
    few_places = false;
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
        if (n >= 5000 && ids_bytes(ids) >= (size_t)n * 17 + (128 << 10) + 8192)
            fail_msg("%zu bytes for %lld ids", ids_bytes(ids), (long long)n);
    }
#ifndef SANITIZED
    assert_true(peak_kilobytes() - before < 2000000L * 17 / 1024 + 2048 + 256);
#else
    (void)before;
#endif
    for (int64_t n = 1; n <= 2000000; n += 997)
        assert_int_equal(ids_find(ids, id_text(text, n)), n);
    ids_free(ids);
}

// Numbers in about their order take no more than the array, however late some come; scattered ones are
// not worth one.
static void numbers_take_an_array(void **state) {
    (void)state;
    struct ids *ids = ids_new();
    char text[32];
    for (int64_t n = 1; n <= 1000000; n++) {
        int64_t late = n % 100 == 7 ? n : ((n - 1) ^ 63) + 1;
        ids_add(ids, id_like(text, late, NUMBERS), n);
    }
    assert_int_equal(ids->table.count, 0);
    assert_true(ids_bytes(ids) < 8 * 1000100 + sizeof *ids);
    ids_free(ids);
    ids = ids_new();
    for (int64_t n = 1; n <= 100000; n++)
        ids_add(ids, id_like(text, n, FAR_NUMBERS), n);
    assert_int_equal(ids->table.count, 100000);
    assert_int_equal(ids->plain_count, 0);
    ids_free(ids);
}

// Each of a million numbers is found whatever order they came in, be it in the array or in the table.
static void numbers_in_any_order(void **state) {
    (void)state;
    struct ids *ids = ids_new();
    char text[32];
    const int64_t most = 300000, step = 100003;
    for (int64_t n = 1, at = 1; n <= most;
         n++, at = at + step > most ? at + step - most : at + step)
        assert_int_equal(ids_add(ids, id_like(text, at, NUMBERS), at), 0);
    assert_int_equal(ids_count(ids), most);
    assert_true(ids->table.count > 0 && ids->plain_count > 0);
    for (int64_t n = 1; n <= most; n++) {
        struct slice id = id_like(text, n, NUMBERS);
        assert_int_equal(ids_find(ids, id), n);
        assert_int_equal(ids_add(ids, id, n + 1), n);
        ids_change(ids, ids_key(ids, id), n + 2);
        assert_int_equal(ids_find(ids, id), n + 2);
    }
    ids_free(ids);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_promise), // first: it looks at the process's peak
        cmocka_unit_test(empty_takes_nothing),
        cmocka_unit_test(first_number_stays),
        cmocka_unit_test(numbers_take_an_array),
        cmocka_unit_test(numbers_in_any_order),
        cmocka_unit_test(property),
        cmocka_unit_test(property_when_crowded),
        cmocka_unit_test(property_when_few_are_at_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
