// error_json.c: finds code, type and message in the JSON errors of all kinds of servers, level by
// level. Pure.
// SPDX-License-Identifier: MIT
#include "jobs/base/json.h"
#include "pool/signals/error_body.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

// Entries of a validation error's list that are shown.
#define DETAILS_SHOWN 3
// Levels that are looked into, text that holds JSON included.
#define LEVELS_MAX 10

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool is_whole(const cJSON *item) {
    return cJSON_IsNumber(item) && fabs(item->valuedouble) < 1e15 &&
           floor(item->valuedouble) == item->valuedouble;
}

// A string or a whole number as text.
static void copy_word(const cJSON *item, char *out, size_t size) {
    if (cJSON_IsString(item)) {
        message_clean(slice_str(item->valuestring), out, size);
    } else if (is_whole(item)) {
        struct buf b = BUF_INIT(32);
        buf_add_int(&b, (int64_t)item->valuedouble);
        message_clean(buf_slice(&b), out, size);
        buf_free(&b);
    }
}

static void add_item(const cJSON *item, struct buf *out) {
    if (cJSON_IsString(item))
        buf_add_str(out, item->valuestring);
    else if (is_whole(item))
        buf_add_int(out, (int64_t)item->valuedouble);
}

// -- messages --

// FastAPI's list: [{"loc": ["body", "messages"], "msg": "Field required"}] as
// "body.messages: Field required".
static void add_detail_list(const cJSON *list, struct buf *out) {
    int shown = 0;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, list) {
        if (shown++ == DETAILS_SHOWN)
            break;
        if (out->n)
            buf_add_str(out, "; ");
        const cJSON *part;
        size_t start = out->n;
        cJSON_ArrayForEach(part, member(entry, "loc")) {
            if (out->n > start)
                buf_add_char(out, '.');
            add_item(part, out);
        }
        if (out->n > start)
            buf_add_str(out, ": ");
        const cJSON *msg = member(entry, "msg");
        add_item(cJSON_IsString(entry) ? entry : msg ? msg : member(entry, "message"), out);
    }
}

static void add_message(const cJSON *item, struct buf *out) {
    if (cJSON_IsArray(item))
        add_detail_list(item, out);
    else if (cJSON_IsString(item))
        buf_add_str(out, item->valuestring);
}

// The text of a level, under the first of these names that has one.
static void find_message(const cJSON *object, struct buf *out) {
    static const char *const names[] = {"message",      "Message",     "msg",
                                        "status_msg",   "error_msg",   "errmsg",
                                        "errorMessage", "detail",      "error_description",
                                        "faultstring",  "description", "error",
                                        "errors",       "title"};
    for (size_t i = 0; i < COUNT(names) && !out->n; i++)
        add_message(member(object, names[i]), out);
}

// -- codes --

static void add_quota(const cJSON *id, struct error_body *error) {
    size_t used = strlen(error->quotas);
    if (cJSON_IsString(id))
        snprintf(error->quotas + used, sizeof error->quotas - used, "%s ", id->valuestring);
}

// One of google.rpc's details; the first to give a reason or a delay counts. Anthropic's `details`
// is such an object itself.
static void read_detail(const cJSON *detail, struct error_body *error) {
    const cJSON *violation, *reason = member(detail, "reason");
    char word[64] = "";
    copy_word(reason ? reason : member(detail, "error_code"), word, sizeof word);
    error_body_add_word(error, word);
    if (!error->reason[0])
        snprintf(error->reason, sizeof error->reason, "%s", word);
    if (!error->retry_delay[0])
        copy_word(member(detail, "retryDelay"), error->retry_delay, sizeof error->retry_delay);
    cJSON_ArrayForEach(violation, member(detail, "violations")) {
        add_quota(member(violation, "quotaId"), error);
    }
    add_quota(member(member(detail, "metadata"), "quota_limit"), error);
}

static void read_details(const cJSON *details, struct error_body *error) {
    const cJSON *detail;
    if (cJSON_IsObject(details)) {
        read_detail(details, error);
        return;
    }
    cJSON_ArrayForEach(detail, details) {
        read_detail(detail, error);
    }
}

// Waits that stand in members: seconds, or milliseconds where the name says so. OpenRouter tells its
// reset in error.metadata.headers; Hugging Face how long a model still loads.
static void read_waits(const cJSON *object, struct error_body *error) {
    static const struct {
        const char *name, *unit;
    } waits[] = {{"retry_after", "s"},     {"retryAfter", "s"},   {"retry_after_seconds", "s"},
                 {"retry-after", "s"},     {"Retry-After", "s"},  {"estimated_time", "s"},
                 {"retry_after_ms", "ms"}, {"retryAfterMs", "ms"}};
    for (size_t i = 0; i < COUNT(waits) && !error->retry_delay[0]; i++) {
        const cJSON *wait = member(object, waits[i].name);
        if (cJSON_IsNumber(wait) && wait->valuedouble >= 0 && wait->valuedouble < 1e9)
            snprintf(error->retry_delay, sizeof error->retry_delay, "%.3f%s", wait->valuedouble,
                     waits[i].unit);
        else if (cJSON_IsString(wait))
            message_clean(slice_str(wait->valuestring), error->retry_delay,
                          sizeof error->retry_delay);
    }
    if (!error->reset[0])
        copy_word(member(object, "X-RateLimit-Reset"), error->reset, sizeof error->reset);
}

static void note_status(const char *word, struct error_body *error) {
    if (strlen(word) == 3 && (*word == '4' || *word == '5') && !error->http_status)
        error->http_status = (int)strtol(word, NULL, 10);
}

// A word under the first of these names.
static void find_word(const cJSON *object, const char *const *names, size_t count, char *out,
                      size_t size) {
    for (size_t i = 0; i < count && !*out; i++)
        copy_word(member(object, names[i]), out, size);
}

struct level {
    char code[64], type[64], status[64];
};

// AWS names types as "com.amazon.coral.service#ThrottlingException".
static void cut_namespace(char *type) {
    char *mark = strchr(type, '#');
    if (mark && mark[1])
        memmove(type, mark + 1, strlen(mark + 1) + 1);
}

// MiniMax's codes stand for something else in other shapes, so base_resp's are words of their own.
static void add_status_code(const cJSON *object, struct level *level, struct error_body *error) {
    char code[64] = "", word[96];
    copy_word(member(object, "status_code"), code, sizeof code);
    if (!*code || strcmp(code, "0") == 0)
        return;
    snprintf(level->code, sizeof level->code, "%s", code);
    snprintf(word, sizeof word, "base_resp:%s", code);
    error_body_add_word(error, word);
}

static void read_words(const cJSON *object, struct level *level, struct error_body *error) {
    static const char *const codes[] = {"code",      "Code",    "error_code", "errorCode",
                                        "errorcode", "errcode", "err_code",   "statusCode"};
    static const char *const types[] = {"type", "__type", "error_type", "errorType"};
    const cJSON *status = member(object, "status"), *reason = member(object, "reason");
    char number[64] = "", word[64] = "";
    find_word(object, codes, COUNT(codes), level->code, sizeof level->code);
    find_word(object, types, COUNT(types), level->type, sizeof level->type);
    copy_word(cJSON_IsString(status) ? status : NULL, level->status, sizeof level->status);
    copy_word(status, number, sizeof number);
    copy_word(cJSON_IsString(reason) ? reason : NULL, word, sizeof word);
    cut_namespace(level->type);
    if (cJSON_IsString(member(object, "status_msg")))
        add_status_code(object, level, error);
    note_status(level->code, error);
    note_status(number, error);
    error_body_add_word(error, level->code);
    error_body_add_word(error, level->type);
    error_body_add_word(error, level->status);
    error_body_add_word(error, word);
    // OpenRouter names why its moderation refused
    if (cJSON_GetArraySize(member(object, "reasons")) > 0)
        error_body_add_word(error, "metadata.reasons");
}

// -- levels --

static void read_level(const cJSON *item, struct error_body *error, int depth);

// Text that is JSON itself. cJSON recurses: only what json_check() found shallow enough is given to it.
static bool read_text_level(struct slice text, struct error_body *error, int depth) {
    text = slice_trim(text);
    if (!text.n || !memchr("{[\"", *text.p, 3) || !json_check(text, NULL))
        return false;
    cJSON *root = cJSON_ParseWithLength(text.p, text.n);
    if (root)
        read_level(root, error, depth);
    cJSON_Delete(root);
    return root != NULL;
}

// A gateway's sentence around what it was told: "litellm.BadRequestError: … - {"error": {…}}".
static struct slice json_tail(const char *text) {
    const char *start = strchr(text, '{');
    size_t n = start ? strlen(start) : 0;
    while (n && start[n - 1] != '}')
        n--;
    return slice_of(start, n);
}

// Puts the message of an inner level before those around it, which have been added already.
static void prepend_text(const char *message, struct error_body *error) {
    char around[sizeof error->texts];
    memcpy(around, error->texts, sizeof around);
    int n = snprintf(error->texts, sizeof error->texts, "%s", message);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (*around && used + 1 < sizeof error->texts)
        snprintf(error->texts + used, sizeof error->texts - used, "\n%s", around);
}

static void copy_if(char *into, size_t size, const char *word, bool over) {
    if (*word && (over || !*into))
        snprintf(into, size, "%s", word);
}

// The words of a level with a message replace those of the levels around it; others fill what is
// missing.
static void keep_level(const struct level *level, struct buf *text, struct error_body *error) {
    char message[ERROR_TEXT_MAX] = "";
    message_clean(buf_slice(text), message, sizeof message);
    copy_if(error->code, sizeof error->code, level->code, *message);
    copy_if(error->type, sizeof error->type, level->type, *message);
    copy_if(error->status, sizeof error->status, level->status, *message);
    if (!*message)
        return;
    memcpy(error->message, message, sizeof message);
    prepend_text(message, error);
}

static void read_string(const cJSON *item, struct error_body *error, int depth) {
    struct level none = {0};
    struct buf text = BUF_INIT(ERROR_BODY_MAX);
    if (read_text_level(slice_str(item->valuestring), error, depth))
        return;
    buf_add_str(&text, item->valuestring);
    keep_level(&none, &text, error);
    buf_free(&text);
}

// {"choices": [{"error": {…}}]}: nothing else of an answer is an error.
static void read_choices(const cJSON *choices, struct error_body *error, int depth) {
    const cJSON *choice;
    cJSON_ArrayForEach(choice, choices) {
        const cJSON *inner = member(choice, "error");
        if (inner && !cJSON_IsNull(inner)) {
            error->nested |= cJSON_IsObject(inner);
            read_level(inner, error, depth);
            return;
        }
    }
}

static bool is_object_with(const cJSON *item, const char *name) {
    return cJSON_IsObject(item) && member(item, name);
}

// Azure's `details` are errors; Google's are what read_detail() reads.
static bool holds_errors(const cJSON *details) {
    const cJSON *first = cJSON_IsArray(details) ? details->child : details;
    return cJSON_IsString(details) ||
           (cJSON_IsString(member(first, "message")) && !member(first, "@type"));
}

// What stands in a level and may hold a level of its own. Strings do where they are JSON; `raw` where
// it says anything.
static void read_inner(const cJSON *object, struct error_body *error, int depth) {
    static const char *const names[] = {"error",      "detail", "errors",         "fault",
                                        "base_resp",  "header", "Response",       "Error",
                                        "response",   "body",   "innererror",     "inner_error",
                                        "innerError", "cause",  "upstream_error", "provider_error",
                                        "message",    "msg",    "metadata",       "raw",
                                        "data"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const cJSON *inner = member(object, names[i]);
        if (strcmp(names[i], "error") == 0)
            error->nested |= cJSON_IsObject(inner);
        if (cJSON_IsObject(inner))
            read_level(inner, error, depth);
        else if (cJSON_IsArray(inner) && cJSON_IsObject(inner->child) &&
                 !member(inner->child, "loc"))
            read_level(inner, error, depth);
        else if (cJSON_IsString(inner) && strcmp(names[i], "raw") == 0)
            read_string(inner, error, depth);
        else if (cJSON_IsString(inner) &&
                 !read_text_level(slice_str(inner->valuestring), error, depth))
            read_text_level(json_tail(inner->valuestring), error, depth);
    }
    if (holds_errors(member(object, "details")))
        read_level(member(object, "details"), error, depth);
    read_choices(member(object, "choices"), error, depth);
}

static void read_object(const cJSON *object, struct error_body *error, int depth) {
    struct level level = {0};
    struct buf text = BUF_INIT(ERROR_BODY_MAX);
    bool answer = is_object_with(object, "choices"); // whose `message` would be the assistant's
    read_words(object, &level, error);
    read_details(member(object, "details"), error);
    read_waits(object, error);
    read_waits(member(object, "headers"), error);
    find_message(object, &text);
    if (!answer || member(object, "error"))
        keep_level(&level, &text, error);
    buf_free(&text);
    read_inner(object, error, depth + 1);
}

static void read_level(const cJSON *item, struct error_body *error, int depth) {
    if (cJSON_IsArray(item))
        item = item->child;
    if (depth >= LEVELS_MAX || !item)
        return;
    if (cJSON_IsObject(item))
        read_object(item, error, depth);
    else if (cJSON_IsString(item))
        read_string(item, error, depth + 1);
}

bool error_json_read(struct slice text, struct error_body *error) {
    return read_text_level(text, error, 0);
}
