// error_body.c: the error in a body: JSON by levels, else the text of a page or of what came. Pure.
// SPDX-License-Identifier: MIT
#include "pool/signals/error_body.h"

#include "jobs/base/buf.h"
#include "jobs/base/utf8.h"

#include <stdio.h>
#include <strings.h>

// What is shown of a body that is no JSON.
#define TEXT_SHOWN 200

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

bool error_body_has(const struct error_body *error, const char *word) {
    size_t n = strlen(word);
    for (const char *at = error->words; n && (at = strstr(at, word)); at += n)
        if (at > error->words && at[-1] == '\n' && at[n] == '\n')
            return true;
    return false;
}

void error_body_add_word(struct error_body *error, const char *word) {
    size_t used = strlen(error->words), n = strlen(word);
    if (!n || error_body_has(error, word) || used + n + 3 > sizeof error->words)
        return;
    snprintf(error->words + used, sizeof error->words - used, "%s%s\n", used ? "" : "\n", word);
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
    while (p < end && text.n < (size_t)TEXT_SHOWN * 8) {
        if (error->is_page && *p == '<') {
            p += tag_length(p, end);
            buf_add_char(&text, ' ');
        } else {
            buf_add_char(&text, *p++);
        }
    }
    message_clean(buf_slice(&text), error->message, TEXT_SHOWN + 1);
    snprintf(error->texts, sizeof error->texts, "%s", error->message);
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
    bool is_json = error_json_read(buf_slice(&clean), error);
    error->is_json = is_json && (error->message[0] || error->code[0] || error->type[0]);
    error->is_page = !is_json && *body.p == '<';
    if (!error->is_json)
        read_text(body, error);
    buf_free(&clean);
}
