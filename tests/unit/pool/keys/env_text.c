// env_text.c: .env files as people and tools write them.
// SPDX-License-Identifier: MIT
#include "pool/keys/env_text.h"

#include "jobs/base/random.h"
#include "tests/unit/pool/test.h"

// What is read from text, as "line:NAME=[value]" or "line!fault", one after the other.
static void assert_reads(const char *text, const char *expected) {
    size_t n = strlen(text);
    char *copy = malloc(n ? n : 1);
    memcpy(copy, text, n);
    struct env_reader reader = env_reader(copy, n);
    struct env_variable v;
    struct buf b = BUF_INIT(1 << 16);
    while (env_next(&reader, &v)) {
        buf_addf(&b, "%zu", v.line);
        if (v.fault)
            buf_addf(&b, "!%s;", v.fault);
        else
            buf_addf(&b, ":%.*s=[%.*s];", SLICE_ARG(v.name), SLICE_ARG(v.value));
    }
    if (strcmp(buf_cstr(&b), expected) != 0)
        fail_msg("%s\ngives    %s\nexpected %s", text, buf_cstr(&b), expected);
    buf_free(&b);
    free(copy);
}

static void reads_plain_lines(void **state) {
    (void)state;
    assert_reads("", "");
    assert_reads("\n\n  \n# remark\n  # another\n", "");
    assert_reads("A=1\nB=2", "1:A=[1];2:B=[2];");
    assert_reads("A=1\r\nB=2\r\n", "1:A=[1];2:B=[2];");
    assert_reads("\xef\xbb\xbf"
                 "A=1\n",
                 "1:A=[1];");
    assert_reads("export A=1\nexport\tB=2\n  export   C = 3 \n", "1:A=[1];2:B=[2];3:C=[3];");
    assert_reads("A =  1 # remark\nB=x#y\nC=#\nD= \nE=", "1:A=[1];2:B=[x#y];3:C=[];4:D=[];5:E=[];");
    assert_reads("A=b=c==\n", "1:A=[b=c==];");
    assert_reads("A=$B and ${C}\n", "1:A=[$B and ${C}];");
    assert_reads("exported=1\nexport=2", "1:exported=[1];2:export=[2];");
    assert_reads("_a1=1", "1:_a1=[1];");
}

static void reads_quotes(void **state) {
    (void)state;
    assert_reads("A='x y'\nB=\"x y\"", "1:A=[x y];2:B=[x y];");
    assert_reads("A='it\\'s \\n \\\\'", "1:A=[it's \\n \\];");
    assert_reads("A=\"q\\\"q \\$x \\\\ \\t\\z\"", "1:A=[q\"q $x \\ \t\\z];");
    assert_reads("A='a # b' # remark\nB=2", "1:A=[a # b];2:B=[2];");
    assert_reads("A=\"one\ntwo\"\nB=2", "1:A=[one\ntwo];3:B=[2];");
    assert_reads("PEM=\"-----BEGIN\nOPENAI_API_KEY=no\n-----END\"\nA=1",
                 "1:PEM=[-----BEGIN\nOPENAI_API_KEY=no\n-----END];4:A=[1];");
    assert_reads("A=''\nB=\"\"", "1:A=[];2:B=[];");
    assert_reads("A=x'y'", "1:A=[x'y'];");
}

static void names_what_is_wrong(void **state) {
    (void)state;
    assert_reads("hello\nA=1", "1!this is no NAME=VALUE;2:A=[1];");
    assert_reads("1A=2", "1!this is no NAME=VALUE;");
    assert_reads("=2", "1!this is no NAME=VALUE;");
    assert_reads("A B=2", "1!this is no NAME=VALUE;");
    assert_reads("export A", "1!this is no NAME=VALUE;");
    assert_reads("A='open\nB=2", "1!a quote is not closed;2:B=[2];");
    assert_reads("A=\"x\\\"\nB=2", "1!a quote is not closed;2:B=[2];");
    assert_reads("A='x'y\nB=2", "1!something follows the closing quote;2:B=[2];");
}

// Any bytes: lines only grow, nothing outside the text is touched.
static void takes_any_text(void **state) {
    (void)state;
    static const char letters[] = "AB=='\"\\\n\r #x\t$";
    struct random r = {3};
    for (int i = 0; i < 100000; i++) {
        size_t n = (size_t)random_below(&r, 40), line = 0;
        char *text = malloc(n ? n : 1);
        for (size_t k = 0; k < n; k++)
            text[k] = letters[random_below(&r, sizeof letters - 1)];
        struct env_reader reader = env_reader(text, n);
        struct env_variable v;
        while (env_next(&reader, &v)) {
            assert_true(v.line > line);
            assert_true(!v.value.p || (v.value.p >= text && v.value.p + v.value.n <= text + n));
            line = v.line;
        }
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_lines),
        cmocka_unit_test(reads_quotes),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(takes_any_text),
    };
    RUN_TESTS(tests);
}
