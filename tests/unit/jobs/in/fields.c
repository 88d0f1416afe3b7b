// fields.c: the set of wanted names, and tokens that move with their row.
// SPDX-License-Identifier: MIT
#include "jobs/in/fields.h"

#include "tests/unit/jobs/in/feed.h"

static void each_name_is_wanted_once(void **state) {
    (void)state;
    struct error err = {0};
    struct template *t = template_parse(SLICE("{{a}} {{prompt}} {{a}} {{q}} {{id}}"), &err);
    struct fields f;
    fields_init(&f, "q", "a", t);
    assert_int_equal(f.count, FIELD_KNOWN + 2);
    assert_int_equal(f.prompt, FIELD_KNOWN);
    assert_int_equal(f.id, FIELD_KNOWN + 1);
    assert_int_equal(fields_index(&f, SLICE("prompt")), FIELD_PROMPT);
    assert_int_equal(fields_index(&f, SLICE("seed")), FIELD_PARAM + PARAM_SEED);
    assert_int_equal(fields_index(&f, SLICE("see")), FIELD_NONE);
    assert_int_equal(fields_index(&f, SLICE("")), FIELD_NONE);
    fields_free(&f);
    fields_init(&f, NULL, "id", NULL);
    assert_int_equal(f.count, FIELD_KNOWN);
    assert_int_equal(f.prompt, FIELD_PROMPT);
    assert_int_equal(f.id, FIELD_ID);
    fields_free(&f);
    template_free(t);
}

static void tokens_move_with_the_row(void **state) {
    (void)state;
    struct fields f;
    fields_init(&f, NULL, NULL, NULL);
    struct slice row = SLICE("{\"prompt\": \"p\", \"id\":null, \"seed\":7}");
    char copy[100];
    fields_read(&f, row);
    assert_slice(fields_get(&f, FIELD_PROMPT), "\"p\"");
    assert_absent(fields_get(&f, FIELD_ID)); // null is absent
    memcpy(copy + 3, row.p, row.n);
    fields_move(&f, row, copy + 3);
    assert_ptr_equal(fields_get(&f, FIELD_PROMPT).p, copy + 3 + 11);
    assert_slice(fields_get(&f, FIELD_PARAM + PARAM_SEED), "7");
    assert_absent(fields_get(&f, FIELD_MODEL));
    fields_clear(&f);
    assert_absent(fields_get(&f, FIELD_PROMPT));
    fields_free(&f);
}

static void empty_cells(void **state) {
    (void)state;
    struct fields f;
    fields_init(&f, NULL, NULL, NULL);
    f.found[FIELD_SYSTEM] = SLICE("\"\"");
    assert_slice(fields_get(&f, FIELD_SYSTEM), "\"\"");
    f.cells = true;
    assert_absent(fields_get(&f, FIELD_SYSTEM));
    assert_slice(fields_for_template(&f, SLICE("system")), "\"\"");
    fields_free(&f);
}

static void what_cells_may_be_json(void **state) {
    (void)state;
    struct fields f;
    struct error err = {0};
    fields_init(&f, "seed", NULL, NULL);
    assert_false(fields_is_json_cell(&f, FIELD_PARAM + PARAM_TEMPERATURE)); // data
    assert_true(fields_name(&f, "all", &err));
    assert_true(fields_is_json_cell(&f, FIELD_PARAM + PARAM_TEMPERATURE));
    assert_true(fields_is_json_cell(&f, FIELD_PARAM + PARAM_STOP));
    assert_false(fields_is_json_cell(&f, FIELD_MODEL));
    assert_false(fields_is_json_cell(&f, FIELD_PROMPT));
    assert_false(fields_is_json_cell(&f, FIELD_PARAM + PARAM_SEED)); // it is the prompt here
    fields_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_is_wanted_once),
        cmocka_unit_test(tokens_move_with_the_row),
        cmocka_unit_test(empty_cells),
        cmocka_unit_test(what_cells_may_be_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
