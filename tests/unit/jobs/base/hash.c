// hash.c: SipHash-2-4-128 against published values: key 00 01 … 0f, message 00 01 … (n-1).
// SPDX-License-Identifier: MIT
#include "jobs/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

static const struct {
    size_t n;
    const char *hex; // 16 bytes of output in order
} vectors[] = {
    {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
    {2, "8177228da4a45dc7fca38bdef60affe4"},  {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},
    {8, "3b62a9ba6258f5610f83e264f31497b4"},  {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
    {63, "5150d1772f50834a503e069a973fbd7c"},
};

static void add_hex(char *out, uint64_t word) {
    for (int i = 0; i < 8; i++)
        snprintf(out + 2 * i, 3, "%02x", (unsigned)(word >> (8 * i) & 0xff));
}

static void published_values(void **state) {
    (void)state;
    char message[64], hex[33];
    for (int i = 0; i < 64; i++)
        message[i] = (char)i;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct hash128 h = hash_bytes(slice_of(message, vectors[i].n), key);
        add_hex(hex, h.low);
        add_hex(hex + 16, h.high);
        assert_string_equal(hex, vectors[i].hex);
    }
}

static void the_key_matters(void **state) {
    (void)state;
    const uint64_t other[2] = {key[0] ^ 1, key[1]};
    struct hash128 a = hash_bytes(SLICE("id"), key), b = hash_bytes(SLICE("id"), other);
    assert_true(a.low != b.low && a.high != b.high);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(the_key_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
