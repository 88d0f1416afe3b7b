// What the tests of the OpenAI wire share: a built request, and one to read.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_POOL_WIRE_BUILT_H
#define TESTS_UNIT_POOL_WIRE_BUILT_H

#include "pool/wire/wire.h"

#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "pool/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define MAX          ((size_t)1 << 20)

static const struct provider openai = {.name = "openai", .batch_prefix = "/v1"};

struct built {
    struct buf path, body;
    struct slice model;
    enum wire_answer answer;
};

static inline struct built build(const struct request *request, const struct provider *provider,
                                 const char *system) {
    struct wire_defaults defaults = {SLICE("\"m\""), slice_str(system)};
    struct built b = {BUF_INIT(MAX), BUF_INIT(MAX), SLICE_NONE, WIRE_NOT_MINE};
    b.answer = wire_openai.build_request(request, provider, &defaults, &b.path, &b.body, &b.model);
    return b;
}

static inline void built_free(struct built *b) {
    buf_free(&b->path);
    buf_free(&b->body);
}

#define REQUEST                                                                                    \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","   \
    "\"content\":[{\"type\":\"text\",\"text\":\"hi\"},{\"type\":\"image_url\"}]}],\"stream\":"     \
    "true,"                                                                                        \
    "\"stream_options\":{\"include_usage\":true},\"max_tokens\":5,\"tools\":[{\"type\":"           \
    "\"function\",\"function\":{\"name\":\"f\"}}],\"tool_choice\":\"auto\"}"

#endif
