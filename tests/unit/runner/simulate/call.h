// A client of a simulator over real connections, and what the simulator counted.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_RUNNER_SIMULATE_CALL_H
#define TESTS_UNIT_RUNNER_SIMULATE_CALL_H

#include "jobs/base/json.h"
#include "runner/simulate/simulate.h"
#include "tests/unit/check.h"

#include <curl/curl.h>

#define MAX        ((size_t)64 << 20)
#define CHAT(text) "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]}"
#define STREAM                                                                                     \
    "{\"stream\":true,\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"               \
    "\"one two three four five six seven eight nine ten eleven\"}]}"

struct call {
    CURL *easy;
    struct curl_slist *headers;
    struct buf head, body;
    CURLcode code;
    long status, os_errno;
};

static inline size_t add_bytes(char *p, size_t size, size_t n, void *to) {
    buf_add(to, p, size * n);
    return size * n;
}

static inline struct simulator *start(const struct simulate_options *options) {
    struct error err = {0};
    struct simulator *s = simulate_start(options, &err);
    assert_string_equal(err.text, "");
    assert_non_null(s);
    return s;
}

static inline void call_init(struct call *call) {
    *call = (struct call){.easy = curl_easy_init(), .head = BUF_INIT(MAX), .body = BUF_INIT(MAX)};
}

// key 0: no Authorization header. body NULL: GET.
static inline void call_prepare(struct call *call, struct simulator *s, int key, const char *body) {
    struct buf text = BUF_INIT(300);
    buf_addf(&text, "http://127.0.0.1:%d/%s", simulate_port(s),
             body ? "v1/chat/completions" : "stats");
    curl_easy_setopt(call->easy, CURLOPT_URL, buf_cstr(&text));
    buf_clear(&text);
    buf_add_str(&text, "Authorization: Bearer ");
    simulate_key(key, &text);
    curl_slist_free_all(call->headers);
    call->headers = key ? curl_slist_append(NULL, buf_cstr(&text)) : NULL;
    buf_free(&text);
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(call->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(call->easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, add_bytes);
    curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, &call->body);
    curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, &call->head);
    curl_easy_setopt(call->easy, CURLOPT_HTTPGET, 1L);
    if (body) {
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, body);
    }
    buf_clear(&call->head);
    buf_clear(&call->body);
}

static inline void call_done(struct call *call, CURLcode code) {
    call->code = code;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &call->status);
    curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &call->os_errno);
}

static inline long call_make(struct call *call, struct simulator *s, int key, const char *body) {
    call_prepare(call, s, key, body);
    call_done(call, curl_easy_perform(call->easy));
    return call->code == CURLE_OK ? call->status : -(long)call->code;
}

static inline void call_free(struct call *call) {
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    buf_free(&call->head);
    buf_free(&call->body);
}

// key 0: the sum.
static inline int64_t stat_of(struct simulator *s, int key, const char *name) {
    struct buf out = BUF_INIT(MAX);
    int64_t value = -1;
    simulate_stats(s, &out);
    struct slice object = buf_slice(&out);
    struct json_walk walk = json_walk(json_get(object, "keys"));
    for (int i = 0; i < key; i++)
        json_next_element(&walk, &object);
    assert_true(json_int(json_get(object, name), &value));
    buf_free(&out);
    return value;
}

// Sums as a client counts them.
static inline void expect_stats(struct simulator *s, int key, int64_t ok, int64_t failed,
                                int64_t limited) {
    assert_int_equal(stat_of(s, key, "ok"), ok);
    assert_int_equal(stat_of(s, key, "failed"), failed);
    assert_int_equal(stat_of(s, key, "rate_limited"), limited);
    assert_int_equal(stat_of(s, key, "requests"), ok + failed + limited);
    assert_int_equal(stat_of(s, key, "in_flight"), 0);
}

static inline void expect_header(struct call *call, const char *line) {
    if (!strstr(buf_cstr(&call->head), line))
        fail_msg("no %s in\n%s", line, buf_cstr(&call->head));
}

// Drives transfers until the simulator has counted so many.
static inline void run_until(CURLM *multi, struct simulator *s, const char *stat, int64_t wanted) {
    int running = 1;
    for (int i = 0; i < 10000 && stat_of(s, 0, stat) != wanted; i++) {
        curl_multi_perform(multi, &running);
        curl_multi_poll(multi, NULL, 0, 1, NULL);
    }
    assert_int_equal(stat_of(s, 0, stat), wanted);
}

#endif
