// A mutator for targets whose input holds JSON: half of the time a token of it is changed as a whole,
// so that what is given stays JSON and reaches what reads it. Include once, in the target's file.
// SPDX-License-Identifier: MIT
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include "tests/fuzz/fuzz.h"

#define MUTATE_TOKENS 512

// From and for libFuzzer.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

struct mutation {
    struct random random;
    struct slice tokens[MUTATE_TOKENS];
    size_t count;
};

static void mutate_collect(struct mutation *m, struct slice token) {
    struct json_walk walk = json_walk(token);
    struct slice part;
    if (m->count == MUTATE_TOKENS)
        return;
    m->tokens[m->count++] = token;
    while (json_next_element(&walk, &part)) // of an object: names and values
        mutate_collect(m, part);
}

static struct slice mutate_pick(struct mutation *m) {
    return m->tokens[random_below(&m->random, (int64_t)m->count)];
}

// The JSON in some line of the input, behind whatever it begins with; SLICE_NONE when it has none.
static struct slice mutate_find(struct mutation *m, struct slice input) {
    struct slice line = input;
    for (int64_t skip = random_below(&m->random, 8); skip >= 0 && input.n; skip--)
        line = fuzz_line(&input);
    while (line.n && *line.p != '{' && *line.p != '[')
        line = slice_of(line.p + 1, line.n - 1);
    line = slice_trim(line);
    return line.n && json_check(line, NULL) ? line : SLICE_NONE;
}

static void mutate_add_value(struct mutation *m, struct buf *out) {
    static const char *const values[] = {
        "null",  "true",        "false",
        "0",     "-1",          "1.5",
        "1e999", "429",         "9223372036854775807",
        "[]",    "{}",          "-9223372036854775809",
        "\"\"",  "\"\\u0000\"", "\"\\ud83d\"",
        "[[]]",  "[{}]",        "\"\\u00e9\\\"\"",
    };
    buf_add_str(out, values[random_below(&m->random, sizeof values / sizeof *values)]);
}

static void mutate_add(struct mutation *m, struct slice token, struct buf *out) {
    switch (random_below(&m->random, 6)) {
    case 0: mutate_add_value(m, out); break;
    case 1: // twice, which an object does not allow
        buf_add_slice(out, token);
        buf_add_char(out, ',');
        buf_add_slice(out, token);
        break;
    case 2: // in an array
        buf_add_char(out, '[');
        buf_add_slice(out, token);
        buf_add_char(out, ']');
        break;
    default: buf_add_slice(out, mutate_pick(m));
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
    struct mutation m = {.random = {seed}};
    struct buf out = BUF_INIT(max);
    struct slice input = fuzz_input(data, size), json = mutate_find(&m, input);
    if (!json.p || random_below(&m.random, 2))
        return LLVMFuzzerMutate(data, size, max);
    mutate_collect(&m, json);
    struct slice token = mutate_pick(&m);
    buf_add(&out, input.p, (size_t)(token.p - input.p));
    mutate_add(&m, token, &out);
    buf_add(&out, token.p + token.n, (size_t)(input.p + input.n - token.p - token.n));
    if (!out.failed && out.n)
        memcpy(data, out.p, size = out.n);
    buf_free(&out);
    return size;
}

#endif
