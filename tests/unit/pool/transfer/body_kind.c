// Tests pool/transfer/body_kind.c and body_unpack.c: what an answer's first bytes tell, and packed answers.
// SPDX-License-Identifier: MIT
#include "pool/transfer/body_unpack.h"

#include "tests/unit/pool/test.h"

#include <zlib.h>

static void tells_events_by_bytes(void **state) {
    (void)state;
    static const struct {
        const char *start;
        enum body_kind unnamed, named;
    } rows[] = {
        {"", BODY_UNKNOWN, BODY_UNKNOWN},
        {"\xef\xbb", BODY_UNKNOWN, BODY_UNKNOWN},
        {"\xef\xbb\xbf", BODY_UNKNOWN, BODY_UNKNOWN},
        {" \r\n", BODY_UNKNOWN, BODY_UNKNOWN},
        {"data:", BODY_EVENTS, BODY_EVENTS},
        {"\xef\xbb\xbf\n\ndata: {", BODY_EVENTS, BODY_EVENTS},
        {": ping", BODY_EVENTS, BODY_EVENTS},
        {"event: x", BODY_EVENTS, BODY_EVENTS},
        {"id:7", BODY_EVENTS, BODY_EVENTS},
        {"retry: 5", BODY_EVENTS, BODY_EVENTS},
        {"dat", BODY_UNKNOWN, BODY_EVENTS},
        {"e", BODY_UNKNOWN, BODY_EVENTS},
        {"date: today", BODY_PLAIN, BODY_EVENTS},
        {"<html>", BODY_PLAIN, BODY_EVENTS},
        {"{\"a\"", BODY_PLAIN, BODY_PLAIN},
        {"\xef\xbb\xbf [", BODY_PLAIN, BODY_PLAIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(body_kind_of(slice_str(rows[i].start), false), rows[i].unnamed);
        assert_int_equal(body_kind_of(slice_str(rows[i].start), true), rows[i].named);
    }
}

static void tells_packed_ones(void **state) {
    (void)state;
    assert_int_equal(body_packing(SLICE("\x1f"), SLICE_NONE), PACKING_ZLIB);
    assert_int_equal(body_packing(SLICE("\x78\x9c"), SLICE_NONE), PACKING_ZLIB);
    assert_int_equal(body_packing(SLICE("x"), SLICE("deflate")), PACKING_ZLIB);
    assert_int_equal(body_packing(SLICE("xyz"), SLICE_NONE), PACKING_NONE);
    assert_int_equal(body_packing(SLICE("\xab\x56"), SLICE("Deflate")), PACKING_RAW);
    assert_int_equal(body_packing(SLICE("{\"a\""), SLICE("gzip")), PACKING_NONE);
    assert_int_equal(body_packing(SLICE("{\"a\""), SLICE("deflate")), PACKING_NONE);
    assert_int_equal(body_packing(SLICE("data: "), SLICE("utf-8")), PACKING_NONE);
}

static bool take(void *context, struct slice bytes) {
    struct buf *out = context;
    buf_add_slice(out, bytes);
    return !out->failed;
}

static size_t pack(const char *text, size_t n, int bits, unsigned char *out, size_t room) {
    z_stream z = {0};
    deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (unsigned char *)text;
    z.avail_in = (unsigned)n;
    z.next_out = out;
    z.avail_out = (unsigned)room;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return room - z.avail_out;
}

static void unpacks_however_it_is_cut(void **state) {
    (void)state;
    static char text[40000];
    static unsigned char packed[50000];
    static const int kinds[] = {15, 15 + 16, -15};
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i * i % 23);
    for (size_t k = 0; k < 3; k++)
        for (size_t step = 1; step < 40000; step = step * 7 + 1) {
            size_t n = pack(text, sizeof text, kinds[k], packed, sizeof packed);
            struct body_unpack *u = body_unpack_new(kinds[k] < 0 ? PACKING_RAW : PACKING_ZLIB);
            struct buf out = BUF_INIT(sizeof text);
            for (size_t at = 0; at < n; at += step) {
                assert_false(body_unpack_is_whole(u));
                size_t size = step < n - at ? step : n - at;
                assert_true(body_unpack_feed(u, slice_of((char *)packed + at, size), take, &out));
            }
            assert_true(body_unpack_is_whole(u) && !body_unpack_is_damaged(u));
            assert_true(slice_eq(buf_slice(&out), slice_of(text, sizeof text)));
            buf_free(&out);
            body_unpack_free(u);
        }
}

static void stops_at_the_ceiling_and_at_damage(void **state) {
    (void)state;
    static char zeros[1 << 20];
    static unsigned char packed[8000];
    size_t n = pack(zeros, sizeof zeros, 31, packed, sizeof packed);
    struct buf out = BUF_INIT(100000);
    struct body_unpack *u = body_unpack_new(PACKING_ZLIB);
    assert_false(body_unpack_feed(u, slice_of((char *)packed, n), take, &out));
    assert_true(out.n <= 100000 && out.failed && !body_unpack_is_damaged(u));
    body_unpack_free(u);
    buf_free(&out);
    u = body_unpack_new(PACKING_ZLIB);
    out = BUF_INIT(1 << 20);
    packed[20] ^= 0x55;
    packed[21] ^= 0xff;
    memset(packed + 40, 0xff, 200);
    assert_false(body_unpack_feed(u, slice_of((char *)packed, n), take, &out));
    assert_true(body_unpack_is_damaged(u));
    body_unpack_free(u);
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_events_by_bytes),
        cmocka_unit_test(tells_packed_ones),
        cmocka_unit_test(unpacks_however_it_is_cut),
        cmocka_unit_test(stops_at_the_ceiling_and_at_damage),
    };
    RUN_TESTS(tests);
}
