// secret.c: masks, scrubbing in every disguise, and memory that is wiped.
// SPDX-License-Identifier: MIT
#include "pool/secret_set.h"

#include "jobs/base/clock.h"
#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "tests/unit/pool/test.h"

static void assert_mask(const char *text, const char *expected) {
    char mask[SECRET_MASK_SIZE];
    struct secret *s = secret_new(slice_str(text));
    secret_mask(s, mask);
    assert_string_equal(mask, expected);
    secret_free(s);
}

static void masks(void **state) {
    (void)state;
    assert_mask("", "****");
    assert_mask("abcdefghijklmno", "****");
    assert_mask("abcdefghijklmnop", "abcd****mnop");
    assert_mask("sk-proj-0123456789abcdefWXYZ", "sk-p****WXYZ");
}

// Among others, which leave the text alone.
static void assert_set_scrubs(const char *secret, const char *text, const char *expected) {
    struct secret_set *set = secret_set_new();
    secret_set_add_text(set, SLICE("ZZ-another-key-0123456789"));
    secret_set_add_text(set, slice_str(secret));
    secret_set_add_text(set, SLICE("YY-a-third-key-0123456789"));
    secret_set_ready(set);
    struct buf b = BUF_INIT(1 << 16);
    buf_add_str(&b, text);
    b.n = secret_set_scrub(set, b.p, b.n);
    assert_string_equal(buf_cstr(&b), expected);
    buf_free(&b);
    secret_set_free(set);
}

static void assert_scrubbed(const char *secret, const char *text, const char *expected) {
    assert_set_scrubs(secret, text, expected);
    struct secret *s = secret_new(slice_str(secret));
    struct buf b = BUF_INIT(1 << 16);
    buf_add_str(&b, text);
    size_t n = secret_scrub(s, b.p, b.n);
    assert_true(n <= b.n);
    b.n = n;
    assert_string_equal(buf_cstr(&b), expected);
    buf_free(&b);
    secret_free(s);
}

static void scrubs_what_stands_as_it_is(void **state) {
    (void)state;
    assert_scrubbed("hunter2", "a hunter2 and hunter2hunter2", "a **** and ********");
    assert_scrubbed("hunter2", "hunter hunte2r Hunter2", "hunter hunte2r Hunter2");
    assert_scrubbed("aaaaab", "aaaaaab", "a****");
    assert_scrubbed("abcdefghijklmnopqrst", "key abcdefghijklmnopqrst!", "key abcd****qrst!");
    assert_scrubbed("abcde", "abcde is too short to look for: abcde",
                    "abcde is too short to look for: abcde");
    assert_scrubbed("abcdef", "abcdef", "****");
    assert_scrubbed("abcdef", "", "");
}

static void scrubs_what_is_escaped(void **state) {
    (void)state;
    assert_scrubbed("ab/cd+ef", "{\"m\":\"bad ab\\/cd+ef!\"}", "{\"m\":\"bad ****!\"}");
    assert_scrubbed("ab/cd+ef", "bad ab\\\\\\/cd+ef!", "bad ****!");
    assert_scrubbed("ab/cd+ef", "bad ab\\u002Fcd\\u002bef!", "bad ****!");
    assert_scrubbed("ab/cd+ef", "?key=ab%2fcd%2Bef&x", "?key=****&x");
    assert_scrubbed("abc\\def/gh", "abc%5Cdef%2fgh abc%5cdef/gh", "**** ****");
    assert_scrubbed("abc\\\\def", "abc%5C%5Cdef", "****");
    assert_scrubbed("abcdef\\", "[\"abcdef\\\\\\\" x\"]", "[\"****\\\" x\"]");
    assert_scrubbed("a\"b\\c/d", "x a\\\"b\\\\c\\/d y", "x **** y");
    assert_scrubbed("a\\\\b\\\\c", "x a\\\\\\\\b\\\\\\\\c y", "x **** y");
    assert_scrubbed("a\\\\b\\\\c", "x a\\\\b\\\\c y", "x **** y");
    assert_scrubbed("/abcdef", "\\/abcdef", "****");
    assert_scrubbed("nabcdef", "line\\nnabcdef", "line\\n****");
    assert_scrubbed("abcdef", "C:\\\\abcdef", "C:****"); // one backslash too many is no harm
}

// However many backslashes stand before it, which mean themselves.
static void scrubs_behind_backslashes(void **state) {
    (void)state;
    char run[128], text[256];
    memset(run, '\\', sizeof run);
    for (int n = 0; n < 100; n += 2) {
        snprintf(text, sizeof text, "[\"%.*s\\u0061bcdef/g\"]", n, run);
        struct secret *s = secret_new(SLICE("abcdef/g"));
        size_t left = secret_scrub(s, text, strlen(text));
        assert_true(json_check(slice_of(text, left), NULL));
        assert_non_null(memmem(text, left, "****\"]", 6));
        assert_null(memmem(text, left, "bcdef", 5));
        secret_free(s);
    }
}

static void scrubs_what_is_cut_off(void **state) {
    (void)state;
    const char *key = "sk-proj-0123456789abcdef";
    assert_scrubbed(key, "the key sk-proj-012345", "the key sk-p****cdef");
    assert_scrubbed(key, "the key sk-pro", "the key ******");
    assert_scrubbed(key, "the key sk-p", "the key sk-p"); // as much as a mask shows
    assert_scrubbed(key, "the key sk-proj-012345 of", "the key sk-proj-012345 of");
    assert_scrubbed("abcdefg/ijk", "abcdefg\\u00", "****");
    assert_scrubbed("abcdefg/ijk", "{\"a\":\"abcdefg\\n\"}", "{\"a\":\"abcdefg\\n\"}");
}

// A key of digits may stand in a number, where a mask would make an answer unreadable.
static void leaves_numbers_numbers(void **state) {
    (void)state;
    const char *key = "123456";
    assert_scrubbed(key, "{\"created\":1712345678,\"n\":[123456,-0.123456]}",
                    "{\"created\":17178,\"n\":[1,-0.1]}");
    assert_scrubbed(key, " [1234567, \"123456\\\" 123456\", 123456]",
                    " [17, \"****\\\" ****\", 1]");
    assert_scrubbed(key, "{\"m\":\"key \\u0031\\u0032\\u0033456\"}", "{\"m\":\"key ****\"}");
    assert_scrubbed(key, "the key 123456 of", "the key **** of");
    assert_scrubbed(key, "[\"a\\u0123456 \\\\u0123456 \\u0012123456\"]",
                    "[\"a**** \\\\u0**** \\u0012****\"]");
    assert_scrubbed("k23456", "{\"n\":k23456}", "{\"n\":****}");
}

// Random keys of hard characters in random text, escaped at random: never found again, and what was
// JSON is JSON afterwards.
static void leaves_json_json(void **state) {
    (void)state;
    static const char hard[] = "ab/\\\"%u0+n<2F";
    struct random r = {7};
    for (int round = 0; round < 20000; round++) {
        char key[40];
        size_t n = 8 + (size_t)random_below(&r, 24);
        for (size_t i = 0; i < n; i++)
            key[i] = hard[random_below(&r, sizeof hard - 1)];
        struct secret *s = secret_new(slice_of(key, n));
        struct buf b = BUF_INIT(4096), again = BUF_INIT(4096);
        buf_add_str(&b, "{\"m\":\"x");
        for (size_t i = 0; i < n; i++) {
            // a backslash as \u005c beside others is one disguise too many
            if (key[i] != '\\' && random_below(&r, 6) == 0)
                buf_addf(&b, "\\u00%02x", (unsigned)key[i]);
            else if (key[i] == '/' && random_below(&r, 2))
                buf_add_str(&b, "\\/");
            else
                json_add_escaped(&b, slice_of(&key[i], 1));
        }
        buf_add_str(&b, " y\"}");
        assert_true(json_check(buf_slice(&b), NULL));
        char *before = strndup(b.p, b.n);
        b.n = secret_scrub(s, b.p, b.n);
        if (!json_check(buf_slice(&b), NULL))
            fail_msg("key %.*s: %s became %s", (int)n, key, before, buf_cstr(&b));
        if (!memmem(b.p, b.n, "****", 4))
            fail_msg("key %.*s is not found in %s", (int)n, key, before);
        free(before);
        json_string_decode(json_get(buf_slice(&b), "m"), &again);
        assert_null(memmem(again.p, again.n, key, n));
        buf_free(&b);
        buf_free(&again);
        secret_free(s);
    }
}

// Any bytes at all: never beyond the end, never longer, at once.
static void takes_any_text(void **state) {
    (void)state;
    struct random r = {11};
    struct secret *s = secret_new(SLICE("\\\\aa%aa\\u0061/aaaa"));
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)random_below(&r, 60);
        char *text = malloc(n ? n : 1);
        for (size_t i = 0; i < n; i++)
            text[i] = "\\a%u061/\xff"[random_below(&r, 9)];
        assert_true(secret_scrub(s, text, n) <= n);
        free(text);
    }
    secret_free(s);
}

static void compares_and_hashes(void **state) {
    (void)state;
    const uint64_t key[2] = {1, 2};
    struct secret *a = secret_new(SLICE("one key")), *b = secret_new(SLICE("one key"));
    struct secret *c = secret_new(SLICE("one kez"));
    assert_true(secret_eq(a, b));
    assert_false(secret_eq(a, c));
    assert_true(secret_hash(a, key).low == secret_hash(b, key).low);
    assert_false(secret_hash(a, key).low == secret_hash(c, key).low);
    secret_free(a);
    assert_true(secret_eq(b, b)); // its neighbour is untouched
    secret_free(b);
    secret_free(c);
    secret_free(NULL);
}

static void writes_a_header(void **state) {
    (void)state;
    struct secret *s = secret_new(SLICE("tok/en"));
    struct buf b = BUF_INIT(100);
    secret_add_header(s, "Authorization: Bearer ", &b);
    assert_string_equal(buf_cstr(&b), "Authorization: Bearer tok/en");
    char *p = b.p;
    size_t cap = b.cap;
    buf_wipe(&b);
    assert_int_equal(b.n, 0);
    for (size_t i = 0; i < cap; i++)
        assert_int_equal(p[i], 0);
    buf_free(&b);
    secret_free(s);
}

// How often text stands in the memory that secrets have.
static size_t blocks_not_dumped(void) {
    FILE *f = fopen("/proc/self/smaps", "r");
    char line[512];
    size_t count = 0;
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f))
        count += strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dd");
    fclose(f);
    return count;
}

static void is_left_out_of_core_files(void **state) {
    (void)state;
    size_t before = blocks_not_dumped();
    struct secret *s = secret_new(SLICE("a secret"));
    size_t with = blocks_not_dumped();
    secret_free(s);
    assert_true(with > before);
    assert_true(blocks_not_dumped() < with);
}

static void many_are_small(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    struct secret **all = calloc(COUNT, sizeof *all);
    char text[64];
    for (int i = 0; i < COUNT; i++) {
        int n = snprintf(text, sizeof text, "sk-proj-%040d", i);
        all[i] = secret_new(slice_of(text, (size_t)n));
    }
    char *large = calloc(1, 200000);
    memset(large, 'x', 200000);
    struct secret *huge = secret_new(slice_of(large, 200000));
    for (int i = 0; i < COUNT; i++) {
        struct buf b = BUF_INIT(200);
        snprintf(text, sizeof text, "sk-proj-%040d", i);
        secret_add_header(all[i], "", &b);
        assert_string_equal(buf_cstr(&b), text);
        buf_free(&b);
    }
    assert_true(secret_scrub(huge, large, 200000) < 20);
    free(large);
    secret_free(huge);
    for (int i = 0; i < COUNT; i++)
        secret_free(all[i]);
    free(all);
}

static void a_set_finds_what_is_encoded(void **state) {
    (void)state;
    static const char key[] = "sk-proj-Ab+/9~xyz0123456789QRST", mask[] = "[sk-p****QRST]";
    struct buf text = BUF_INIT(1 << 16);
    for (int way = 0; way < 3; way++) {
        static const char *const formats[] = {"%02x", "%02X", "%%%02x"};
        buf_clear(&text);
        buf_add_char(&text, '[');
        for (size_t i = 0; key[i]; i++)
            buf_addf(&text, i % 5 == 2 && way == 0 ? "%02X" : formats[way], (unsigned)key[i]);
        buf_add_char(&text, ']');
        assert_set_scrubs(key, buf_cstr(&text), mask);
    }
    buf_free(&text);
}

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void add_base64(struct buf *out, const char *text, bool for_url) {
    size_t n = strlen(text);
    for (size_t bit = 0; bit < 8 * n; bit += 6) {
        unsigned value = 0;
        for (size_t i = bit; i < bit + 6; i++)
            value = value << 1 | (i < 8 * n ? (unsigned char)text[i / 8] >> (7 - i % 8) & 1u : 0);
        char c = letters[value];
        buf_add_char(out, for_url && c == '+' ? '-' : for_url && c == '/' ? '_' : c);
    }
}

// At each place in a longer text; of what is left, less than two characters of the key can be told.
static void a_set_finds_base64_inside_of_base64(void **state) {
    (void)state;
    static const char *const keys[] = {"sk-proj-\xff\xfe?>~~~0123456789QRST",
                                       "gsk_0123456789abcdefgh"};
    static const char *const before[] = {"", "u", "us", "user", "user:"};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 10; i++) {
            struct secret_set *set = secret_set_new();
            secret_set_add_text(set, slice_str(keys[k]));
            secret_set_ready(set);
            struct buf whole = BUF_INIT(1 << 12), text = BUF_INIT(1 << 12);
            buf_addf(&whole, "%s%s and more", before[i / 2], keys[k]);
            add_base64(&text, buf_cstr(&whole), i % 2);
            size_t was = text.n;
            text.n = secret_set_scrub(set, text.p, text.n);
            assert_non_null(strstr(buf_cstr(&text), "****"));
            assert_true(text.n + strlen(keys[k]) * 4 / 3 - 3 - 12 <= was);
            buf_free(&whole);
            buf_free(&text);
            secret_set_free(set);
        }
}

static void a_set_holds_what_opens_an_address(void **state) {
    (void)state;
    struct secret_set *set = secret_set_new();
    secret_set_add_address(set, SLICE("https://me:pass@word@host/v1"));
    secret_set_add_address(set, SLICE("https://host/v1?a@b"));
    secret_set_ready(set);
    char text[] = "pass@word host";
    text[secret_set_scrub(set, text, strlen(text))] = '\0';
    assert_string_equal(text, "**** host");
    secret_set_free(set);
}

// A thousand keys cost a reply hardly more than one.
static void a_set_is_quick(void **state) {
    (void)state;
    static const char prose[] = "{\"content\":\"A risk, a task; ask\\nwhich 0f3a 42 w\\u00e9 \"}, ";
    struct secret_set *set = secret_set_new();
    struct random r = {7};
    char text[701];
    for (int i = 0; i < 1000; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s%016llx%016llx", i % 2 ? "sk-proj-" : "",
                 (unsigned long long)random_next(&r), (unsigned long long)random_next(&r));
        secret_set_add_text(set, slice_str(key));
    }
    secret_set_ready(set);
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = prose[i % (sizeof prose - 1)];
    text[sizeof text - 1] = '\0';
    int64_t began = clock_now();
    for (int i = 0; i < 1000; i++)
        assert_int_equal(secret_set_scrub(set, text, sizeof text - 1), sizeof text - 1);
    double each = (double)(clock_now() - began) / 1000;
    print_message("a reply of 700 bytes, 1,000 keys: %.1f us\n", each);
    assert_true(each < 200); // ten are usual
    secret_set_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks),
        cmocka_unit_test(scrubs_what_stands_as_it_is),
        cmocka_unit_test(scrubs_what_is_escaped),
        cmocka_unit_test(scrubs_behind_backslashes),
        cmocka_unit_test(scrubs_what_is_cut_off),
        cmocka_unit_test(leaves_numbers_numbers),
        cmocka_unit_test(leaves_json_json),
        cmocka_unit_test(takes_any_text),
        cmocka_unit_test(compares_and_hashes),
        cmocka_unit_test(writes_a_header),
        cmocka_unit_test(is_left_out_of_core_files),
        cmocka_unit_test(many_are_small),
        cmocka_unit_test(a_set_finds_what_is_encoded),
        cmocka_unit_test(a_set_finds_base64_inside_of_base64),
        cmocka_unit_test(a_set_holds_what_opens_an_address),
        cmocka_unit_test(a_set_is_quick),
    };
    RUN_TESTS(tests);
}
