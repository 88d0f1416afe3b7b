// A simulator without sockets, on a clock that tests set.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_RUNNER_SIMULATE_RIG_H
#define TESTS_UNIT_RUNNER_SIMULATE_RIG_H

#include "runner/simulate/answer.h"
#include "tests/unit/check.h"

#define MAX        ((size_t)1 << 20)
#define CHAT(text) "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]}"

struct rig {
    struct answerer answerer;
    struct answer answer;
    struct buf out;
    int64_t now;
};

static inline void rig_start(struct rig *rig, const struct simulate_options *options) {
    struct error err = {0};
    rig->out = BUF_INIT(MAX);
    rig->now = 0;
    assert_true(answerer_init(&rig->answerer, options, 0, &err));
}

static inline void rig_stop(struct rig *rig) {
    answerer_free(&rig->answerer);
    buf_free(&rig->out);
}

// Asks with the secret of a key (any number) and settles at once; the status.
static inline int ask(struct rig *rig, int key, const char *method, const char *path,
                      const char *body) {
    struct buf authorization = BUF_INIT(200);
    buf_add_str(&authorization, "Bearer ");
    ledger_add_secret(key, &authorization);
    struct ask question = {.method = method,
                           .path = path,
                           .authorization = buf_slice(&authorization),
                           .body = slice_str(body)};
    answer_make(&rig->answerer, &question, rig->now, &rig->answer, &rig->out);
    if (rig->answer.key)
        ledger_settle(rig->answerer.ledger, rig->answer.key, &rig->answer.settlement, rig->now);
    buf_free(&authorization);
    return rig->answer.status;
}

static inline int chat(struct rig *rig, int key, const char *body) {
    return ask(rig, key, "POST", "/v1/chat/completions", body);
}

// A dialect's place in the choices.
static inline int choice(const char *name) {
    int i = 0;
    while (dialect_choices[i] && strcmp(dialect_choices[i], name) != 0)
        i++;
    assert_non_null(dialect_choices[i]);
    return i;
}

#endif
