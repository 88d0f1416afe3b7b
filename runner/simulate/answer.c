// answer.c: decides what the simulator says to a request. Runs on the simulator's thread.
// SPDX-License-Identifier: MIT
#include "runner/simulate/answer.h"

#include "jobs/base/clock.h"
#include "jobs/base/hash.h"
#include "jobs/base/json.h"
#include "jobs/base/utf8.h"
#include "pool/wire/prefix.h"
#include "runner/simulate/answer_parts.h"
#include "runner/simulate/words.h"

// -- the answer --

// Tokens as they are counted here: a quarter of the bytes of text, rounded up.
static int64_t tokens_in(size_t bytes) {
    return (int64_t)((bytes + 3) / 4);
}

static void prepare_response(struct task *t, char id[WORDS_ID_SIZE], struct wire_response *r) {
    struct answerer *a = t->a;
    words_id(t->body_hash ^ a->seed, a->serial++, id);
    *r = (struct wire_response){
        .id = id,
        .model = t->request.model,
        .tool_name = t->request.tool_name,
        .finish_reason = "stop",
        .created = clock_wall() / USEC_PER_SEC,
        .input_tokens = tokens_in(t->request.prompt_bytes),
        .text = t->request.prompt,
    };
    if (a->words) {
        struct words_wish wish = {a->words, t->request.max_tokens, t->body_hash ^ a->seed};
        buf_clear(&a->text);
        if (!words_add_token(&a->text, &wish))
            r->finish_reason = "length";
        r->text = buf_slice(&a->text);
    }
    if (!r->text.n)
        r->text = SLICE("\"\"");
    if (r->tool_name.n)
        r->finish_reason = "tool_calls";
    r->output_tokens = tokens_in(r->text.n - 2);
}

// Tokens of what stands before the last user message, where this key was asked with the same system
// prompt before: what a provider's prompt cache spares.
static int64_t tokens_in_cache(struct task *t, int64_t input_tokens) {
    const uint64_t key[2] = {(uint64_t)t->answer->key, 0};
    struct request request = {.body = t->ask->body};
    struct wire_defaults defaults = {.model = t->request.model};
    uint64_t prefix = t->a->prompt_cache ? prefix_of(&request, &defaults) : 0;
    struct slice bytes = slice_of((const char *)&prefix, sizeof prefix);
    if (!prefix || !seen_add(&t->a->prompts, hash_bytes(bytes, key).low))
        return 0;
    int64_t last = t->request.prompt.n ? tokens_in(t->request.prompt.n - 2) : 0;
    return last < input_tokens ? input_tokens - last : 0;
}

static void say_answer(struct task *t, const struct wire_response *r) {
    if (!t->request.stream || t->request.stream_usage) { // what the client is told
        t->answer->settlement.input_tokens = r->input_tokens;
        t->answer->settlement.output_tokens = r->output_tokens;
    }
    t->answer->settlement.how = SETTLED_OK;
    if (t->request.stream) {
        t->answer->manner = SEND_STREAM;
        t->answer->content_type = "text/event-stream; charset=utf-8";
        t->answer->events = events_form(t->route.wire);
        t->route.wire->build_stream(r, t->request.stream_usage, t->out);
    } else {
        t->route.wire->build_reply(r, t->out);
    }
}

// The rate-limit headers of a request that was just admitted or refused.
static void announce_limits(struct task *t, int64_t tokens) {
    struct answerer *a = t->a;
    struct allowance allowances[LIMIT_COUNT] = {{0}};
    struct announcement announcement = {allowances, tokens, 0};
    bool limited = a->limits.rpm || a->limits.tpm || a->limits.rpd;
    if (!limited || a->silent || !t->route.dialect->headers)
        return;
    announcement.now_wall = clock_wall();
    ledger_allowances(a->ledger, t->answer->key, t->now, allowances);
    dialect_add_limits(t->route.dialect, &announcement, &t->answer->headers);
}

// Draws what befalls an admitted request: its latency, then its fault.
static enum fault draw_fate(struct task *t) {
    struct answerer *a = t->a;
    bool random_latency = a->latency.kind != LATENCY_FIXED;
    struct random random = {t->body_hash ^ a->seed};
    if (random_latency || a->faults.any)
        random.state += seen_add(&a->seen, t->body_hash) * UINT64_C(0xd1342543de82ef95);
    t->answer->delay = latency_draw(&a->latency, &random);
    bool spared = a->fault_keys.count && !key_ranges_hold(&a->fault_keys, t->answer->key);
    enum fault fault = a->faults.any ? fault_draw(&a->faults, &random) : FAULT_NONE;
    return spared ? FAULT_NONE : fault;
}

// -- from request to answer --

static struct slice header(const struct task *t, const char *name) {
    return t->ask->header ? t->ask->header(t->ask->context, name) : SLICE_NONE;
}

static struct slice argument(const struct task *t, const char *name) {
    return t->ask->argument ? t->ask->argument(t->ask->context, name) : SLICE_NONE;
}

// What the path says belongs to the request as well.
static void add_route(struct task *t) {
    struct buf *model = &t->a->model, name = BUF_INIT(32 * 1024);
    t->request.stream |= t->route.stream;
    if (!t->route.model.n)
        return;
    utf8_add_repaired(&name, t->route.model);
    buf_clear(model);
    json_add_string(model, buf_slice(&name));
    t->request.model = buf_slice(model);
    buf_free(&name);
}

// What a request lacks before its body matters; NULL when nothing.
static const char *what_is_missing(const struct task *t) {
    if (t->route.wire == &wire_anthropic && t->ask->header && !header(t, "anthropic-version").n)
        return "anthropic-version: header is required";
    if (t->route.stream && !slice_is(argument(t, "alt"), "sse"))
        return "This simulator streams server-sent events only: add ?alt=sse.";
    return NULL;
}

// False when it has been refused.
static bool read_chat(struct task *t) {
    const char *what = what_is_missing(t);
    if (!what && !json_check(t->ask->body, NULL)) {
        answer_problem(t, PROBLEM_JSON, NULL);
        return false;
    }
    if (what || t->route.wire->read_request(t->ask->body, &t->request, &what) != WIRE_OK) {
        answer_problem(t, PROBLEM_REQUEST, what);
        return false;
    }
    add_route(t);
    return true;
}

static void log_request(struct task *t) {
    if (t->a->log)
        fprintf(t->a->log, "simulate-%lld\t%.*s\n", (long long)t->answer->key,
                SLICE_ARG(t->request.prompt));
}

// Whether the answer is made before its fault befalls it, and so has to be paid.
static bool is_made(enum fault fault) {
    return !fault || fault_needs_answer(fault) || fault == FAULT_RESET || fault == FAULT_HANG;
}

// What befalls an answer that is made again: nothing. Its tokens were counted with the first.
static enum fault draw_again(struct task *t) {
    if (!t->idempotency || !seen_times(&t->a->answered, t->idempotency))
        return draw_fate(t);
    ledger_answer(t->a->ledger, true);
    t->is_replay = true;
    return FAULT_NONE;
}

static void note_answer(struct task *t, enum fault fault) {
    if (t->is_replay) {
        t->answer->settlement.input_tokens = t->answer->settlement.output_tokens = 0;
    } else if (is_made(fault)) {
        ledger_answer(t->a->ledger, false);
        if (t->idempotency)
            seen_add(&t->a->answered, t->idempotency);
    }
}

static uint64_t hash_of(struct slice bytes) {
    static const uint64_t hash_key[2] = {UINT64_C(0x73696d756c617465),
                                         UINT64_C(0x626174636872756e)};
    return hash_bytes(bytes, hash_key).low;
}

static void answer_chat(struct task *t) {
    struct wire_response response;
    struct refusal refusal;
    char id[WORDS_ID_SIZE];
    if (!read_chat(t))
        return;
    log_request(t);
    t->body_hash = hash_of(t->ask->body);
    if (t->a->idempotency && header(t, "Idempotency-Key").n)
        t->idempotency = hash_of(header(t, "Idempotency-Key"));
    prepare_response(t, id, &response);
    int64_t tokens = response.input_tokens + response.output_tokens;
    bool admitted = ledger_admit(t->a->ledger, t->answer->key, tokens, t->now, &refusal);
    announce_limits(t, tokens);
    if (!admitted) {
        answer_refusal(t, &refusal);
        return;
    }
    response.cached_tokens = tokens_in_cache(t, response.input_tokens);
    enum fault fault = draw_again(t);
    if (t->request.stream && t->answer->delay) { // the first event comes after a quarter of it
        t->answer->spread = t->answer->delay - t->answer->delay / 4;
        t->answer->delay /= 4;
    }
    say_answer(t, &response);
    if (t->out->failed)
        fault = FAULT_500; // larger than is held
    note_answer(t, fault);
    if (fault)
        answer_fault(t, fault);
}

// As far as an outage has to know what was asked.
static void read_model(struct task *t) {
    struct slice model = SLICE_NONE;
    if (json_check(t->ask->body, NULL))
        model = json_get(t->ask->body, "model");
    if (json_type(model) == JSON_STRING)
        t->request.model = model;
    add_route(t);
}

// Nobody is served while the provider is down, whoever it is. False when it is up.
static bool answer_outage(struct task *t) {
    struct answerer *a = t->a;
    if (a->first_request < 0)
        a->first_request = t->now;
    enum fault fault = outages_at(&a->outages, t->now - a->first_request);
    if (!fault)
        return false;
    read_model(t);
    answer_fault(t, fault);
    return true;
}

static void answer_post(struct task *t) {
    if (key_ranges_hold(&t->a->dead_keys, t->answer->key))
        answer_fault(t, FAULT_401);
    else if (t->route.kind != ROUTE_CHAT)
        answer_problem(t, PROBLEM_URL, NULL);
    else if (t->ask->too_large)
        answer_problem(t, PROBLEM_TOO_LARGE, NULL);
    else
        answer_chat(t);
}

static void answer_get(struct task *t) {
    if (t->route.kind == ROUTE_MODELS)
        buf_add_str(t->out, "{\"object\":\"list\",\"data\":[{\"id\":\"simulate-1\",\"object\":"
                            "\"model\",\"created\":1735689600,\"owned_by\":\"batch-run\"}]}");
    else
        answer_problem(t, t->route.kind == ROUTE_CHAT ? PROBLEM_METHOD : PROBLEM_URL, NULL);
}

// What is about the simulator itself needs no key. False when this is something else.
static bool answer_about_itself(struct task *t, bool post) {
    if (t->route.kind != (post ? ROUTE_RESET : ROUTE_STATS))
        return false;
    if (post) {
        ledger_reset(t->a->ledger);
        seen_free(&t->a->seen);
        seen_free(&t->a->answered);
    }
    ledger_stats(t->a->ledger, t->out);
    if (t->a->log)
        fflush(t->a->log); // who asks for the counts may want to see what was counted
    return true;
}

static struct slice bearer(struct slice authorization) {
    struct slice prefix = SLICE("Bearer ");
    if (authorization.n <= prefix.n || strncasecmp(authorization.p, prefix.p, prefix.n) != 0)
        return SLICE_NONE;
    return slice_of(authorization.p + prefix.n, authorization.n - prefix.n);
}

// The client's key, wherever it is that its provider wants it.
static struct slice find_secret(const struct task *t) {
    struct slice secret = bearer(t->ask->authorization);
    if (!secret.n)
        secret = header(t, "x-api-key");
    if (!secret.n)
        secret = header(t, "x-goog-api-key");
    return secret.n ? secret : argument(t, "key");
}

static void arrive(struct task *t, int64_t key) {
    t->answer->key = key;
    if (key)
        ledger_arrive(t->a->ledger, key, t->ask->last_key != key, t->now);
    else
        ledger_arrive_nowhere(t->a->ledger);
}

void answer_make(struct answerer *a, const struct ask *ask, int64_t now, struct answer *answer,
                 struct buf *out) {
    struct task task = {.a = a, .ask = ask, .now = now, .answer = answer, .out = out};
    bool post = strcmp(ask->method, "POST") == 0;
    task.route = route_find(ask->path, a->dialect);
    *answer = (struct answer){
        .status = 200, .content_type = ANSWER_JSON, .settlement = {SETTLED_FAILED, 0, 0, -1}};
    buf_clear(out);
    if (answer_about_itself(&task, post))
        return;
    task.secret = find_secret(&task);
    int64_t key = ledger_find(a->ledger, task.secret);
    if (post)
        arrive(&task, key);
    if (answer_outage(&task))
        return;
    if (!key)
        answer_bad_key(&task);
    else if (post)
        answer_post(&task);
    else
        answer_get(&task);
}
