// providers.c: the table is aligned and whole, the JSON is JSON, a broken pipe is exit 4.
// SPDX-License-Identifier: MIT
#include "runner/command.h"

#include "jobs/base/json.h"
#include "pool/catalogue.h"
#include "tests/unit/pool/test.h"

#include <fcntl.h>

extern const struct command providers_command;

// What the command prints, and its exit code.
static int run(bool json, struct buf *out) {
    bool *config = calloc(1, providers_command.config_size);
    FILE *file = tmpfile();
    char part[1024];
    size_t n;
    int saved = dup(STDOUT_FILENO);
    assert_string_equal(providers_command.options[0].name, "json");
    *(bool *)((char *)config + providers_command.options[0].offset) = json;
    dup2(fileno(file), STDOUT_FILENO);
    int code = providers_command.run(config, 0, NULL);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    for (rewind(file); (n = fread(part, 1, sizeof part, file)) > 0;)
        buf_add(out, part, n);
    fclose(file);
    free(config);
    return code;
}

static void prints_an_aligned_table(void **state) {
    (void)state;
    struct buf out = BUF_INIT(1 << 16);
    assert_int_equal(run(false, &out), 0);
    const char *text = buf_cstr(&out), *format = strstr(text, "FORMAT");
    assert_non_null(format);
    ptrdiff_t column = format - text;
    size_t row = 0;
    for (const char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1, row++) {
        const struct provider *p = &catalogue[row];
        assert_int_equal(strncmp(line, p->name, strlen(p->name)), 0);
        assert_int_equal(strncmp(line + column, p->wire_name, strlen(p->wire_name)), 0);
        assert_int_equal(line[column - 1], ' ');
    }
    assert_int_equal(row, CATALOGUE_COUNT);
    assert_non_null(strstr(text, "GOOGLE_API_KEY, GEMINI_API_KEY"));
    buf_free(&out);
}

static void prints_json(void **state) {
    (void)state;
    struct buf out = BUF_INIT(1 << 16);
    assert_int_equal(run(true, &out), 0);
    assert_true(json_check(buf_slice(&out), NULL));
    struct json_walk walk = json_walk(buf_slice(&out));
    struct slice row;
    size_t n = 0;
    for (; json_next_element(&walk, &row); n++) {
        assert_true(json_string_is(json_get(row, "name"), catalogue[n].name));
        if (catalogue[n].base_url)
            assert_true(json_string_is(json_get(row, "base_url"), catalogue[n].base_url));
        else
            assert_int_equal(json_type(json_get(row, "base_url")), JSON_NULL);
        assert_true(json_string_is(json_get(row, "format"), catalogue[n].wire_name));
        if (catalogue[n].default_model)
            assert_true(json_string_is(json_get(row, "default_model"), catalogue[n].default_model));
        else
            assert_int_equal(json_type(json_get(row, "default_model")), JSON_NULL);
        assert_int_equal(json_type(json_get(row, "variables")), JSON_ARRAY);
    }
    assert_int_equal(n, CATALOGUE_COUNT);
    buf_free(&out);
}

static void says_when_it_cannot_write(void **state) {
    (void)state;
    bool *config = calloc(1, providers_command.config_size);
    int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY);
    assert_true(full >= 0);
    dup2(full, STDOUT_FILENO);
    struct heard h = hear();
    int code = providers_command.run(config, 0, NULL);
    const char *log = heard(&h);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(full);
    assert_int_equal(code, 4);
    assert_non_null(strstr(log, "standard output cannot be written: No space left"));
    buf_free(&h.text);
    free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_an_aligned_table),
        cmocka_unit_test(prints_json),
        cmocka_unit_test(says_when_it_cannot_write),
    };
    RUN_TESTS(tests);
}
