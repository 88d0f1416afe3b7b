// elements.c: values of arrays, whatever the layout, the length and the pieces they come in.
// SPDX-License-Identifier: MIT
#include "tests/unit/jobs/in/feed.h"

static struct feed json(const char *text, size_t max) {
    return feed_open(slice_str(text), OPTIONS(.format = INPUT_JSON, .max_line_bytes = max));
}

static void layouts(void **state) {
    (void)state;
    static const char *const texts[] = {
        "[\"a\",{\"prompt\":\"b\"}]",    "\xef\xbb\xbf \n[ \"a\" ,\r\n{\"prompt\":\n\"b\"}\n]\n\n",
        "[\"a\",{\"prompt\":\"b\"},]",   "\"a\"{\"prompt\":\"b\"}",
        "\"a\"\n\n{\n\"prompt\":\"b\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct feed f = json(texts[i], 0);
        assert_slice(feed_good(&f)->request.prompt, "\"a\"");
        assert_slice(feed_good(&f)->request.prompt, "\"b\"");
        assert_int_equal(source_bytes_done(f.source) > 0, 1);
        feed_ends(&f);
    }
}

static void brackets_in_strings_and_bad_elements(void **state) {
    (void)state;
    struct feed f = json("[\"],\\\"]\", {\"prompt\":\"}\\\\\"},\n\n[1], {bad}, 7,\n \"last\"]", 0);
    assert_slice(feed_good(&f)->request.prompt, "\"],\\\"]\"");
    assert_slice(feed_good(&f)->request.prompt, "\"}\\\\\"");
    feed_bad(&f, "it is an array");
    assert_int_equal(f.job->line_no, 3);
    feed_bad(&f, "not JSON");
    feed_bad(&f, "it is a number");
    assert_slice(feed_good(&f)->request.prompt, "\"last\"");
    assert_int_equal(f.job->line_no, 4);
    feed_ends(&f);
}

static void too_long_elements_are_passed_over(void **state) {
    (void)state;
    struct buf text = BUF_INIT(1 << 20);
    buf_add_str(&text, "[\"a\",\"");
    for (int i = 0; i < 300000; i++)
        buf_add_char(&text, i % 3 ? '[' : ',');
    buf_add_str(&text, "\",\n\"b\"]");
    struct feed f = json(buf_cstr(&text), 100);
    assert_slice(feed_good(&f)->request.prompt, "\"a\"");
    feed_bad(&f, "longer than 100 bytes");
    assert_slice(feed_good(&f)->request.prompt, "\"b\"");
    feed_ends(&f);
    buf_free(&text);
}

static void what_is_not_whole(void **state) {
    (void)state;
    static const char *const texts[] = {"[", "[\"a\"", "[\"a\",", "[\"a\",\"b", "[\"a\"] \"b\""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct feed f = json(texts[i], 0);
        enum source_status status;
        while ((status = feed_next(&f)) == SOURCE_JOB)
            ;
        assert_int_equal(status, SOURCE_FAILED);
        assert_non_null(strstr(f.err.text, i < 4 ? "ends inside of its array" : "follows"));
        feed_close(&f);
    }
    struct feed f = json(" [ ] ", 0);
    feed_ends(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts),
        cmocka_unit_test(brackets_in_strings_and_bad_elements),
        cmocka_unit_test(too_long_elements_are_passed_over),
        cmocka_unit_test(what_is_not_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
