// signals.c: reads a refusal: what it means, how long to wait, and in which words. Pure.
// SPDX-License-Identifier: MIT
#include "pool/signals/signals.h"

#include "jobs/base/buf.h"
#include "jobs/base/json.h"
#include "pool/limits/retry_after.h"
#include "pool/signals/error_body.h"
#include "pool/signals/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct slice header(const struct http_answer *answer, const char *name) {
    return answer->header ? answer->header(answer->context, name) : SLICE_NONE;
}

static bool header_wait(const struct http_answer *answer, const char *name, int64_t now_wall,
                        int64_t *usec) {
    struct slice value = header(answer, name);
    return value.n && retry_after_parse(value, now_wall, usec);
}

// retry-after-ms: a bare number is milliseconds.
static bool milliseconds_wait(const struct http_answer *answer, int64_t now_wall, int64_t *usec) {
    struct slice value = slice_trim(header(answer, "retry-after-ms"));
    if (!value.n || value.n > 12 || !retry_after_parse(value, now_wall, usec))
        return false;
    char last = value.p[value.n - 1];
    if (last >= '0' && last <= '9')
        *usec /= 1000;
    return true;
}

// A budget's reset counts only where nothing of the budget remains: it is the time until the budget
// is full again, not a wait.
static bool reset_wait(const struct http_answer *answer, int64_t now_wall, int64_t *usec) {
    static const char *const budgets[][2] = {
        {"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
        {"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},
    };
    bool found = false;
    for (size_t i = 0; i < 2; i++) {
        int64_t wait;
        if (slice_is(slice_trim(header(answer, budgets[i][0])), "0") &&
            header_wait(answer, budgets[i][1], now_wall, &wait) && (!found || wait > *usec)) {
            *usec = wait;
            found = true;
        }
    }
    return found;
}

// The provider's wish, the most direct one first; -1 when it has none.
static int64_t find_hint(const struct http_answer *answer, const struct error_body *error,
                         enum outcome outcome, int64_t now_wall) {
    int64_t usec;
    if (milliseconds_wait(answer, now_wall, &usec) ||
        header_wait(answer, "retry-after", now_wall, &usec))
        return usec;
    if (outcome == OUTCOME_RATE_LIMITED && reset_wait(answer, now_wall, &usec))
        return usec;
    if (error->is_json && retry_after_in_text(slice_str(error->message), &usec))
        return usec;
    return -1;
}

// The status that counts: the answer's own, or for an error inside a 2xx the one it names.
static int real_status(const struct http_answer *answer, const struct error_body *error) {
    if (answer->status < 200 || answer->status > 299)
        return answer->status;
    long named = strtol(error->code, NULL, 10);
    return strlen(error->code) == 3 && named >= 400 && named <= 599 ? (int)named : 0;
}

// The provider's own code; its type where the code says no more than the HTTP status.
static void choose_code(int status, const struct error_body *error, struct verdict *verdict) {
    char number[16];
    snprintf(number, sizeof number, "%d", status);
    const char *const candidates[] = {error->code, error->status, error->type};
    const char *chosen = error->code;
    for (size_t i = 0; i < 3; i++)
        if (candidates[i][0] && strcmp(candidates[i], number) != 0) {
            chosen = candidates[i];
            break;
        }
    snprintf(verdict->code, sizeof verdict->code, "%s", chosen);
}

__attribute__((format(printf, 2, 3))) static void say(struct verdict *verdict, const char *format,
                                                      ...) {
    char text[VERDICT_MESSAGE_MAX * 2];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    message_clean(slice_str(text), verdict->message, sizeof verdict->message);
}

// The host of an absolute URL, without user, password and port; absent for a relative one.
static struct slice url_host(struct slice url) {
    const char *found = url.n ? memmem(url.p, url.n, "//", 2) : NULL;
    if (!found)
        return SLICE_NONE;
    const char *end = url.p + url.n, *host = found + 2, *stop = host;
    for (; stop < end && !memchr("/?#\\", *stop, 4); stop++)
        if (*stop == '@')
            host = stop + 1;
    const char *bracket =
        host < stop && *host == '[' ? memchr(host, ']', (size_t)(stop - host)) : NULL;
    const char *colon = bracket ? bracket + 1 : memchr(host, ':', (size_t)(stop - host));
    return slice_of(host, (size_t)((colon ? colon : stop) - host));
}

static void say_redirect(const struct http_answer *answer, struct verdict *verdict) {
    struct slice host = url_host(header(answer, "location"));
    if (host.n > 200)
        host.n = 200;
    if (host.n)
        say(verdict,
            "HTTP %d: redirected to %.*s, where the key was not sent; if that is the right place, "
            "name it with --base-url",
            answer->status, SLICE_ARG(host));
    else
        say(verdict, "HTTP %d: redirected; is --base-url right?", answer->status);
}

static void choose_message(const struct http_answer *answer, const struct error_body *error,
                           struct verdict *verdict) {
    int status = answer->status;
    if (status >= 300 && status <= 399)
        say_redirect(answer, verdict);
    else if (status == 407)
        say(verdict, "HTTP 407: the proxy wants a user and password; see HTTPS_PROXY");
    else if (error->is_json && error->message[0])
        say(verdict, "%s", error->message);
    else if (error->is_json)
        say(verdict, "HTTP %d, code %s", status, error->code[0] ? error->code : error->type);
    else if (status == 404 || status == 405)
        say(verdict, "HTTP %d%s%s (is --base-url right?)", status, error->message[0] ? ": " : "",
            error->message);
    else if (error->message[0])
        say(verdict, "HTTP %d: %s", status, error->message);
    else
        say(verdict, "HTTP %d without a message", status);
}

void signals_read(const struct provider *provider, const struct http_answer *answer,
                  int64_t now_wall, struct verdict *verdict) {
    (void)provider;
    static const struct meaning failed = {OUTCOME_SERVER, KEY_KEEP, false};
    struct error_body error;
    error_body_read(answer->body, &error);
    int status = real_status(answer, &error);
    const struct meaning *meaning = rules_by_words(status, &error);
    if (!meaning || (status >= 300 && status <= 399))
        meaning = status ? rules_by_status(status) : &failed;
    *verdict = (struct verdict){
        .outcome = meaning->outcome,
        .action = meaning->action,
        .final = meaning->final,
        .hint = find_hint(answer, &error, meaning->outcome, now_wall),
    };
    choose_code(status, &error, verdict);
    choose_message(answer, &error, verdict);
}

static bool has_elements(struct slice token) {
    struct slice element;
    struct json_walk walk = json_walk(token);
    return json_type(token) == JSON_ARRAY && json_next_element(&walk, &element);
}

bool signals_is_error_body(struct slice body) {
    struct slice error, success, choices, content, candidates, data;
    if (json_type(body) == JSON_ARRAY) {
        struct json_walk walk = json_walk(body);
        if (!json_next_element(&walk, &body))
            return false;
    }
    const struct json_field fields[] = {{"error", &error},           {"success", &success},
                                        {"choices", &choices},       {"content", &content},
                                        {"candidates", &candidates}, {"data", &data}};
    if (!json_fields(body, fields, sizeof fields / sizeof *fields))
        return false;
    if (has_elements(choices) || has_elements(content) || has_elements(candidates) ||
        has_elements(data))
        return false;
    enum json_type type = json_type(error);
    return type == JSON_OBJECT || type == JSON_STRING || slice_is(success, "false");
}
