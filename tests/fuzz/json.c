// json.c: any bytes as JSON: what is accepted is what cJSON accepts too, and every token of it is
// whole, means what it says, and can be written back.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"

#include "tests/fuzz/mutate.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>

// cJSON refuses half surrogate pairs, which are legal.
static void check_beside_cjson(struct slice text) {
    if (memmem(text.p, text.n, "\\u", 2))
        return;
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(text.p, text.n, &end, false);
    HOLDS(tree && end <= text.p + text.n);
    cJSON_Delete(tree);
}

static void check_meaning(struct slice token, const char *text) {
    cJSON *value = cJSON_ParseWithLength(token.p, token.n);
    HOLDS(cJSON_IsString(value) && strcmp(value->valuestring, text) == 0);
    cJSON_Delete(value);
}

static void check_string(struct slice token) {
    struct buf text = BUF_INIT(FUZZ_MAX), back = BUF_INIT(FUZZ_MAX), again = BUF_INIT(FUZZ_MAX);
    bool whole = json_string_decode(token, &text); // half a pair: U+FFFD
    HOLDS(!text.failed && text.n <= token.n * 3 && utf8_is_valid(buf_slice(&text)));
    json_add_string(&back, buf_slice(&text));
    HOLDS(fuzz_is_token(buf_slice(&back), JSON_STRING));
    HOLDS(json_string_decode(buf_slice(&back), &again));
    HOLDS(slice_eq(buf_slice(&text), buf_slice(&again)));
    bool plain = !memchr(text.p ? text.p : "", '\0', text.n);
    HOLDS(!plain || json_string_is(buf_slice(&back), buf_cstr(&text)));
    if (plain && whole)
        check_meaning(token, buf_cstr(&text));
    buf_free(&text);
    buf_free(&back);
    buf_free(&again);
}

static bool is_integer(const char *digits) {
    digits += *digits == '-';
    return digits[strspn(digits, "0123456789")] == '\0';
}

static void check_number(struct slice token) {
    char copy[64];
    int64_t value;
    double real;
    bool is_int = json_int(token, &value);
    HOLDS(json_double(token, &real) == (token.n < sizeof copy));
    if (token.n >= sizeof copy)
        return;
    memcpy(copy, token.p, token.n);
    copy[token.n] = '\0';
    errno = 0;
    long long expected = strtoll(copy, NULL, 10);
    HOLDS(is_int == (is_integer(copy) && errno != ERANGE));
    HOLDS(!is_int || value == expected);
}

// The last member of a name is the one that is found by it.
static void check_member(struct slice object, struct slice name, struct slice value, bool last) {
    struct buf text = BUF_INIT(FUZZ_MAX);
    bool plain = json_string_decode(name, &text) && !memchr(text.p ? text.p : "", '\0', text.n);
    struct slice found = plain ? json_get(object, buf_cstr(&text)) : value;
    HOLDS(found.p >= value.p && fuzz_is_within(found, object));
    HOLDS(!last || found.p == value.p);
    buf_free(&text);
}

// Tokens of containers are looked at down to this depth: each level is checked anew.
static void check_token(struct slice token, int depth) {
    enum json_type type = json_type(token);
    struct json_walk walk = json_walk(token);
    struct slice name, value;
    HOLDS(token.n && json_check(token, NULL));
    if (type == JSON_STRING)
        check_string(token);
    if (type == JSON_NUMBER)
        check_number(token);
    if (!depth)
        return;
    while (type == JSON_ARRAY && json_next_element(&walk, &value))
        check_token(value, depth - 1);
    while (type == JSON_OBJECT && json_next_member(&walk, &name, &value)) {
        struct json_walk rest = walk;
        struct slice next_name, next_value;
        check_token(name, 0);
        check_token(value, depth - 1);
        check_member(token, name, value, !json_next_member(&rest, &next_name, &next_value));
    }
    HOLDS((type != JSON_ARRAY && type != JSON_OBJECT) || walk.p == token.p + token.n - 1);
}

// What is left of a container or string that breaks off is never whole.
static void check_cuts(struct slice token) {
    enum json_type type = json_type(token);
    struct random random = fuzz_random(token);
    bool closed = type == JSON_STRING || type == JSON_ARRAY || type == JSON_OBJECT;
    for (int i = 0; closed && i < 8; i++) {
        size_t n = (size_t)random_below(&random, (int64_t)token.n);
        HOLDS(!json_check(slice_of(token.p, n), NULL));
    }
}

static void check_repair(struct slice text) {
    struct buf repaired = BUF_INIT(FUZZ_MAX);
    utf8_add_repaired(&repaired, text);
    HOLDS(utf8_is_valid(buf_slice(&repaired)));
    HOLDS(!utf8_is_valid(text) || slice_eq(text, buf_slice(&repaired)));
    for (size_t n = 0; n < 40; n++) {
        struct slice cut = utf8_cut(buf_slice(&repaired), n);
        HOLDS(cut.n <= n && utf8_is_valid(cut) && (cut.n + 3 >= n || cut.n == repaired.n));
    }
    buf_free(&repaired);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct slice text = fuzz_input(data, size);
    struct json_fault fault = {SIZE_MAX, NULL};
    check_repair(text);
    if (json_check(text, &fault)) {
        check_beside_cjson(text);
        check_token(slice_trim(text), 6);
        check_cuts(slice_trim(text));
    } else {
        HOLDS(fault.what && fault.offset <= size);
    }
    return 0;
}
