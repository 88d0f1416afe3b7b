// What the tests of the wires share: rows, built requests, awkward texts.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_POOL_WIRE_BUILT_H
#define TESTS_UNIT_POOL_WIRE_BUILT_H

#include "pool/wire/wire.h"

#include "jobs/base/random.h"
#include "pool/catalogue.h"
#include "pool/wire/parts.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MAX ((size_t)1 << 20)

static const struct provider openai = {.name = "openai", .batch_prefix = "/v1"};

struct built {
    struct buf path, body;
    struct slice model;
    const char *what;
    enum wire_answer answer;
};

static inline struct built build_with(const struct wire *wire, const struct request *request,
                                      const struct provider *provider,
                                      const struct wire_defaults *defaults) {
    struct built b = {BUF_INIT(MAX), BUF_INIT(MAX), SLICE_NONE, NULL, WIRE_NOT_MINE};
    struct wire_out out = {.path = &b.path, .body = &b.body};
    b.answer = wire->build_request(request, provider, defaults, &out);
    b.model = out.model;
    b.what = out.what;
    return b;
}

static inline struct built build(const struct request *request, const struct provider *provider,
                                 const char *system) {
    struct wire_defaults defaults = {SLICE("\"m\""), slice_str(system), false, NULL};
    return build_with(&wire_openai, request, provider, &defaults);
}

// A row as its reader would fill it in, from JSON.
static inline struct request request_of(const char *row) {
    struct slice object = slice_str(row), body = json_get(object, "params");
    struct request r = {
        .prompt = json_get(object, "prompt"),
        .messages = json_get(object, "messages"),
        .system = json_get(object, "system"),
        .model = json_get(object, "model"),
    };
    for (int i = 0; i < PARAM_COUNT; i++) {
        r.params[i] = json_get(object, param_rules[i].name);
        r.has_params |= r.params[i].n > 0;
    }
    assert_true(json_check(object, NULL));
    r.shape = r.messages.n ? ROW_MESSAGES : ROW_PROMPT;
    if (body.n) {
        r.shape = ROW_BATCH_ANTHROPIC;
        r.body = body;
        r.model = json_get(body, "model");
    }
    if ((body = json_get(object, "request")).n) {
        r.shape = ROW_BATCH_GEMINI;
        r.body = body;
        r.model = json_get(body, "model");
    }
    return r;
}

static inline void built_free(struct built *b) {
    buf_free(&b->path);
    buf_free(&b->body);
}

// Texts that are awkward to pass on and to cut.
static inline void random_text(struct random *random, struct buf *out) {
    static const char *const units[] = {
        "a",
        "word ",
        "\\u0000",
        "\\n",
        "\\\"",
        "\\\\",
        "\xc3\xa9",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
        "\\ud83d\\ude00",
        "\\uD83D\\uDE00",
        " ",
        "\\u00e9",
        "\\/",
        "{",
        "\\uFFFF",
    };
    buf_clear(out);
    buf_add_char(out, '"');
    for (int64_t n = random_below(random, 120); n > 0; n--)
        buf_add_str(out, units[random_below(random, COUNT(units))]);
    buf_add_char(out, '"');
}

static inline struct wire_response response_of(struct slice text, bool tool) {
    return (struct wire_response){
        .id = "chatcmpl-abc",
        .model = SLICE("\"m\\u0031\""),
        .text = text,
        .finish_reason = tool ? "tool_calls" : "stop",
        .tool_name = tool ? SLICE("\"look_up\"") : SLICE_NONE,
        .input_tokens = 3,
        .output_tokens = 4,
        .created = 1700000000,
    };
}

// The arguments of the only call hold {"text": text}.
static inline void expect_arguments(struct slice arguments, struct slice text) {
    struct buf decoded = BUF_INIT(MAX);
    assert_true(json_string_decode(arguments, &decoded));
    assert_true(json_check(buf_slice(&decoded), NULL));
    assert_true(slice_eq(json_get(buf_slice(&decoded), "text"), text));
    buf_free(&decoded);
}

static inline struct slice first_of(struct slice array) {
    struct json_walk walk = json_walk(array);
    struct slice first = SLICE_NONE;
    json_next_element(&walk, &first);
    return first;
}

#define REQUEST                                                                                    \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","   \
    "\"content\":[{\"type\":\"text\",\"text\":\"hi\"},{\"type\":\"image_url\"}]}],\"stream\":"     \
    "true,"                                                                                        \
    "\"stream_options\":{\"include_usage\":true},\"max_tokens\":5,\"tools\":[{\"type\":"           \
    "\"function\",\"function\":{\"name\":\"f\"}}],\"tool_choice\":\"auto\"}"

#endif
