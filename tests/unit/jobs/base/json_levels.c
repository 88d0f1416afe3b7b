// Tests json_check_places() of jobs/base/json.c: many levels found in one pass.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"

#include "tests/unit/check.h"

#define assert_slice(s, text) assert_true(slice_eq(s, SLICE(text)))

struct found {
    struct slice list, first, a, deep, last, settings, setting, number, escaped;
};

#define IN(member) offsetof(struct found, member)

static const struct json_place in_a[] = {JSON_PLACE("b", IN(deep), NULL), {0}};
static const struct json_place in_first[] = {
    JSON_PLACE("a", IN(a), in_a), JSON_PLACE("c", IN(last), NULL), {0}};
static const struct json_place in_list[] = {JSON_PLACE("0", IN(first), in_first), {0}};
static const struct json_place in_setting[] = {JSON_PLACE("n", IN(number), NULL), {0}};
static const struct json_place in_settings[] = {JSON_PLACE("0", IN(setting), in_setting), {0}};
static const struct json_place places[] = {JSON_PLACE("list", IN(list), in_list),
                                           JSON_PLACE("settings", IN(settings), in_settings),
                                           JSON_PLACE("e\"", IN(escaped), in_setting),
                                           {0}};

static void tokens_of_many_levels(void **state) {
    struct found f;
    (void)state;
    assert_true(
        json_check_places(SLICE("{\"x\":{\"list\":[1]},\"list\" : [ "
                                "{\"a\":{\"x\":[{\"b\":0}],\"b\":[\"]\"]},\"c\":2, \"list\":3},"
                                "{\"c\":4}] ,\"settings\":{\"n\":5},\"e\\u0022\":[{\"n\":6}]}"),
                          places, &f));
    assert_slice(f.list,
                 "[ {\"a\":{\"x\":[{\"b\":0}],\"b\":[\"]\"]},\"c\":2, \"list\":3},{\"c\":4}]");
    assert_slice(f.first, "{\"a\":{\"x\":[{\"b\":0}],\"b\":[\"]\"]},\"c\":2, \"list\":3}");
    assert_slice(f.a, "{\"x\":[{\"b\":0}],\"b\":[\"]\"]}");
    assert_slice(f.deep, "[\"]\"]");
    assert_slice(f.last, "2");
    assert_slice(f.settings, "{\"n\":5}");
    assert_null(f.setting.p);
    assert_null(f.number.p);
    assert_slice(f.escaped, "[{\"n\":6}]");
}

// Of the first one nothing is left, whatever the second is.
static void the_last_of_two_levels_counts(void **state) {
    struct found f;
    (void)state;
    assert_true(json_check_places(
        SLICE("{\"list\":[{\"c\":1,\"a\":{\"b\":2}}],\"list\":[{\"c\":3}]}"), places, &f));
    assert_slice(f.last, "3");
    assert_null(f.a.p);
    assert_null(f.deep.p);
    assert_true(json_check_places(SLICE("{\"list\":[{\"c\":1}],\"list\":\"0\"}"), places, &f));
    assert_slice(f.list, "\"0\"");
    assert_null(f.first.p);
    assert_null(f.last.p);
    assert_true(json_check_places(SLICE("{\"list\":[]}"), places, &f));
    assert_slice(f.list, "[]");
    assert_null(f.first.p);
    assert_false(json_check_places(SLICE("[{\"list\":1}]"), places, &f));
    assert_null(f.list.p);
}

// An object in memory of exactly its size is taken when json_check() takes it, and only then.
static void agree(const char *bytes, size_t n) {
    struct found f;
    char *copy = malloc(n + !n);
    memcpy(copy, bytes, n);
    struct slice text = slice_of(copy, n);
    bool is_good = json_check(text, NULL) && json_type(text) == JSON_OBJECT;
    if (json_check_places(text, places, &f) != is_good)
        fail_msg("%.*s", SLICE_ARG(text));
    free(copy);
}

static void checked_on_the_way(void **state) {
    static const char text[] = " {\"list\": [{\"a\":{\"b\":[1.5,{}]},\"c\":\"x\\\"y\"}, true ] , "
                               "\"l\\u0069st\":null,\"settings\":{\"n\":-1e3},\"x\":[ ]} ";
    size_t n = sizeof text - 1;
    char changed[sizeof text];
    (void)state;
    for (size_t cut = 0; cut <= n; cut++)
        agree(text, cut);
    for (size_t at = 0; at < n; at++)
        for (int c = 0; c < 256; c++) {
            memcpy(changed, text, n);
            changed[at] = (char)c;
            agree(changed, n);
        }
}

// Levels that are looked into count like those that are not.
static void as_deep_as_others(void **state) {
    static const char head[] = "{\"list\":[{\"a\":{\"b\":";
    static char text[2 * JSON_MAX_DEPTH + sizeof head];
    (void)state;
    for (int more = -1; more < 2; more++) {
        size_t inside = (size_t)(JSON_MAX_DEPTH - 4 + more), n = sizeof head - 1;
        memcpy(text, head, n);
        memset(text + n, '[', inside);
        memset(text + n + inside, ']', inside);
        n += 2 * inside;
        memcpy(text + n, "}}]}", 4);
        agree(text, n + 4);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_many_levels),
        cmocka_unit_test(the_last_of_two_levels_counts),
        cmocka_unit_test(checked_on_the_way),
        cmocka_unit_test(as_deep_as_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
