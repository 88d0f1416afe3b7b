// error_body.c: finds code, type and message in the error bodies of all kinds of servers. Pure.
// SPDX-License-Identifier: MIT
#include "pool/signals/error_body.h"

#include "jobs/base/json.h"
#include "jobs/base/utf8.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

// What is shown of a body that is no JSON.
#define TEXT_SHOWN 200
// Entries of a validation error's list that are shown.
#define DETAILS_SHOWN 3
// Objects around the one that says what is wrong.
#define UNWRAP_MAX 4

void message_clean(struct slice text, char *out, size_t size) {
    struct buf b = BUF_INIT(size * 12 + 16);
    bool space = false;
    utf8_add_repaired(&b, utf8_cut(text, size * 4)); // one bad byte becomes three
    size_t n = 0;
    for (size_t i = 0; i < b.n; i++) {
        unsigned char c = (unsigned char)b.p[i];
        if (c <= ' ' || c == 0x7f) {
            space = n > 0;
            continue;
        }
        if (space)
            b.p[n++] = ' ';
        space = false;
        b.p[n++] = (char)c;
    }
    struct slice cut = utf8_cut(slice_of(b.p, n), size - 1);
    if (cut.n)
        memcpy(out, cut.p, cut.n);
    out[cut.n] = '\0';
    buf_free(&b);
}

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
        add_item(cJSON_IsString(entry) ? entry : member(entry, "msg"), out);
    }
}

// The text of a message member: a string, a list of details, or an object that holds either.
static void add_message(const cJSON *item, struct buf *out) {
    if (cJSON_IsObject(item)) { // Mistral's 422: "message": {"detail": […]}
        const cJSON *inner = member(item, "detail");
        item = inner ? inner : member(item, "message");
    }
    if (cJSON_IsArray(item))
        add_detail_list(item, out);
    else
        add_item(cJSON_IsString(item) ? item : NULL, out);
}

static void find_message(const cJSON *object, struct buf *out) {
    static const char *const names[] = {"message",           "msg",  "detail", "error",
                                        "error_description", "title"};
    for (size_t i = 0; i < sizeof names / sizeof *names && !out->n; i++)
        add_message(member(object, names[i]), out);
}

// The object that says what is wrong: Gemini's OpenAI endpoint sends [{"error": {…}}], Open WebUI
// {"detail": {"error": {…}}} of what stands behind it.
static const cJSON *unwrap(const cJSON *root, bool *nested) {
    const cJSON *object = root;
    for (int depth = 0; depth < UNWRAP_MAX; depth++) {
        const cJSON *error = member(object, "error"), *detail = member(object, "detail");
        *nested |= cJSON_IsObject(error);
        if (!cJSON_IsObject(error) && !cJSON_IsObject(detail))
            break;
        object = cJSON_IsObject(error) ? error : detail;
    }
    return object;
}

static void add_quota(const cJSON *id, struct error_body *error) {
    size_t used = strlen(error->quotas);
    if (cJSON_IsString(id))
        snprintf(error->quotas + used, sizeof error->quotas - used, "%s ", id->valuestring);
}

// One of google.rpc's details; the first to give a reason or a delay counts. Anthropic's `details`
// is such an object itself.
static void read_detail(const cJSON *detail, struct error_body *error) {
    const cJSON *violation, *reason = member(detail, "reason");
    if (!error->reason[0])
        copy_word(reason ? reason : member(detail, "error_code"), error->reason,
                  sizeof error->reason);
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

static void read_object(const cJSON *root, struct error_body *error) {
    if (cJSON_IsArray(root))
        root = root->child;
    const cJSON *object = unwrap(root, &error->nested), *status = member(object, "status");
    struct buf text = BUF_INIT(ERROR_BODY_MAX);
    copy_word(member(object, "code"), error->code, sizeof error->code);
    copy_word(member(object, "type"), error->type, sizeof error->type);
    copy_word(cJSON_IsString(status) ? status : NULL, error->status, sizeof error->status);
    read_details(member(object, "details"), error);
    find_message(object, &text);
    if (!text.n)
        find_message(root, &text);
    message_clean(buf_slice(&text), error->message, sizeof error->message);
    buf_free(&text);
}

// The length of what stands between < and > at p, with what a script or style element holds.
static size_t tag_length(const char *p, const char *end) {
    static const char *const silent[] = {"script", "style"};
    const char *close = memchr(p, '>', (size_t)(end - p));
    if (!close)
        return (size_t)(end - p);
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(silent[i]);
        if ((size_t)(end - p) <= n + 1 || strncasecmp(p + 1, silent[i], n) != 0)
            continue;
        for (const char *q = close; (size_t)(end - q) > n + 2; q++)
            if (q[0] == '<' && q[1] == '/' && strncasecmp(q + 2, silent[i], n) == 0)
                return (size_t)(q - p);
        return (size_t)(end - p);
    }
    return (size_t)(close + 1 - p);
}

static void read_text(struct slice body, struct error_body *error) {
    struct buf text = BUF_INIT(ERROR_BODY_MAX);
    const char *p = body.p, *end = body.p + body.n;
    bool html = body.n && *slice_trim(body).p == '<';
    while (p < end && text.n < (size_t)TEXT_SHOWN * 8) {
        if (html && *p == '<') {
            p += tag_length(p, end);
            buf_add_char(&text, ' ');
        } else {
            buf_add_char(&text, *p++);
        }
    }
    message_clean(buf_slice(&text), error->message, TEXT_SHOWN + 1);
    buf_free(&text);
}

void error_body_read(struct slice body, struct error_body *error) {
    *error = (struct error_body){0};
    if (slice_starts(body, "\xef\xbb\xbf"))
        body = slice_of(body.p + 3, body.n - 3);
    body = slice_trim(utf8_cut(body, ERROR_BODY_MAX));
    if (!body.n)
        return;
    struct buf clean = BUF_INIT(ERROR_BODY_MAX * 3);
    utf8_add_repaired(&clean, body); // error texts arrive in GBK and Latin-1 too
    // cJSON recurses: only what json_check() found shallow enough is given to it
    bool is_json = (*body.p == '{' || *body.p == '[') && json_check(buf_slice(&clean), NULL);
    cJSON *root = is_json ? cJSON_ParseWithLength(clean.p, clean.n) : NULL;
    if (root)
        read_object(root, error);
    error->is_json = root && (error->message[0] || error->code[0] || error->type[0]);
    if (!error->is_json)
        read_text(body, error);
    cJSON_Delete(root);
    buf_free(&clean);
}
