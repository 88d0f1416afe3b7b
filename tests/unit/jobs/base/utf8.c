// utf8.c: validity against a slow definition, repair, cutting.
// SPDX-License-Identifier: MIT
#include "jobs/base/utf8.h"

#include "jobs/base/random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

// RFC 3629, section 4, as it stands there: the ranges of each byte of a sequence.
static const struct {
    size_t n;
    unsigned char low[4], high[4];
} forms[] = {
    {1, {0x00}, {0x7f}},
    {2, {0xc2, 0x80}, {0xdf, 0xbf}},
    {3, {0xe0, 0xa0, 0x80}, {0xe0, 0xbf, 0xbf}},
    {3, {0xe1, 0x80, 0x80}, {0xec, 0xbf, 0xbf}},
    {3, {0xed, 0x80, 0x80}, {0xed, 0x9f, 0xbf}},
    {3, {0xee, 0x80, 0x80}, {0xef, 0xbf, 0xbf}},
    {4, {0xf0, 0x90, 0x80, 0x80}, {0xf0, 0xbf, 0xbf, 0xbf}},
    {4, {0xf1, 0x80, 0x80, 0x80}, {0xf3, 0xbf, 0xbf, 0xbf}},
    {4, {0xf4, 0x80, 0x80, 0x80}, {0xf4, 0x8f, 0xbf, 0xbf}},
};

static size_t model_sequence(const unsigned char *p, size_t n) {
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        size_t i = 0;
        while (i < forms[f].n && i < n && p[i] >= forms[f].low[i] && p[i] <= forms[f].high[i])
            i++;
        if (i == forms[f].n)
            return i;
    }
    return 0;
}

static size_t model_prefix(struct slice s) {
    size_t i = 0, n;
    while (i < s.n && (n = model_sequence((const unsigned char *)s.p + i, s.n - i)))
        i += n;
    return i;
}

static void every_start(void **state) {
    (void)state;
    static const unsigned char edge[] = {0x00, 0x7f, 0x80, 0x8f, 0x90,
                                         0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++)
            for (size_t c = 0; c < sizeof edge; c++)
                for (size_t d = 0; d < sizeof edge; d++) {
                    char text[4] = {(char)a, (char)b, (char)edge[c], (char)edge[d]};
                    struct slice s = slice_of(text, 4);
                    if (utf8_valid_prefix(s) != model_prefix(s))
                        fail_msg("%02x %02x %02x %02x", a, b, edge[c], edge[d]);
                }
}

// A fault at every place of a text, so that the eight-byte steps meet it in every position.
static void every_place(void **state) {
    (void)state;
    char text[40];
    for (size_t place = 0; place < sizeof text; place++) {
        memset(text, 'a', sizeof text);
        text[place] = (char)0xff;
        assert_int_equal(utf8_valid_prefix(slice_of(text, sizeof text)), place);
    }
    assert_int_equal(utf8_valid_prefix(SLICE("gr\xc3\xbc\xc3")), 4); // cut in a sequence
    assert_int_equal(utf8_valid_prefix(SLICE_NONE), 0);
}

static void repairs(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1000);
    utf8_add_repaired(&b, SLICE("a\xff\xc3\xbc\xed\xa0\x80z\xe2\x82"));
    assert_true(slice_is(buf_slice(&b), "a\xef\xbf\xbd\xc3\xbc\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"
                                        "\xef\xbf\xbd\xef\xbf\xbd"));
    struct random random = {5};
    for (int round = 0; round < 20000; round++) {
        char text[12];
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)random_next(&random);
        buf_clear(&b);
        utf8_add_repaired(&b, slice_of(text, sizeof text));
        assert_true(utf8_is_valid(buf_slice(&b)));
    }
    buf_free(&b);
}

static void adds_every_code_point(void **state) {
    (void)state;
    struct buf b = BUF_INIT(8);
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        buf_clear(&b);
        utf8_add(&b, c);
        if (model_sequence((const unsigned char *)b.p, b.n) != b.n)
            fail_msg("U+%04X", c);
    }
    buf_free(&b);
}

static void cuts_between_code_points(void **state) {
    (void)state;
    struct slice s = SLICE("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80");
    static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t max = 0; max < sizeof kept / sizeof *kept; max++)
        assert_int_equal(utf8_cut(s, max).n, kept[max]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_start),
        cmocka_unit_test(every_place),
        cmocka_unit_test(repairs),
        cmocka_unit_test(adds_every_code_point),
        cmocka_unit_test(cuts_between_code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
