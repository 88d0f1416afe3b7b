// key_index.c: against a plain list, with hashes that collide on purpose.
// SPDX-License-Identifier: MIT
#include "pool/keys/key_index.h"

#include "jobs/base/random.h"
#include "tests/unit/pool/test.h"

static void finds_all_and_only_those(void **state) {
    (void)state;
    enum { COUNT = 5000, HASHES = 400 };
    struct key_index index = {0};
    struct random r = {1};
    static uint64_t hashes[COUNT];
    size_t step = 0, entry;
    assert_false(key_index_next(&index, 7, &step, &entry));
    for (size_t i = 0; i < COUNT; i++) {
        hashes[i] = (uint64_t)random_below(&r, HASHES) * UINT64_C(0x100000000);
        key_index_add(&index, hashes[i], i);
    }
    for (uint64_t h = 0; h < HASHES + 10; h++) {
        uint64_t hash = h * UINT64_C(0x100000000);
        size_t expected = 0, found = 0;
        for (size_t i = 0; i < COUNT; i++)
            expected += hashes[i] == hash;
        static bool seen[COUNT];
        memset(seen, 0, sizeof seen);
        for (step = 0; key_index_next(&index, hash, &step, &entry); found++) {
            assert_true(hashes[entry] == hash);
            assert_false(seen[entry]);
            seen[entry] = true;
        }
        assert_int_equal(found, expected);
    }
    key_index_free(&index);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_all_and_only_those)};
    RUN_TESTS(tests);
}
