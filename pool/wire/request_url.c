// request_url.c: puts the address of a request together, and shows one without what is secret. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/request_url.h"

#include "jobs/base/json.h"
#include "pool/catalogue.h"

#include <strings.h>

#define MODEL "{model}"

static bool stands_for_itself(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

// The text of a string token as one part of a path.
static void add_path_part(struct buf *out, struct slice token) {
    struct buf text = BUF_INIT(token.n + 16);
    json_string_decode(token, &text);
    for (size_t i = 0; i < text.n; i++) {
        if (stands_for_itself(text.p[i]))
            buf_add_char(out, text.p[i]);
        else
            buf_addf(out, "%%%02X", (unsigned char)text.p[i]);
    }
    buf_free(&text);
}

// The wire appends its path behind an address whose model it alone finds out: so the address is put
// in front afterwards.
static void put_base_in_front(struct buf *path, const char *base_url, struct slice model) {
    struct buf whole = BUF_INIT(path->max);
    const char *place;
    while ((place = strstr(base_url, MODEL))) {
        buf_add(&whole, base_url, (size_t)(place - base_url));
        add_path_part(&whole, model);
        base_url = place + sizeof MODEL - 1;
    }
    buf_add_str(&whole, base_url);
    buf_add_slice(&whole, buf_slice(path));
    buf_clear(path);
    buf_add_slice(path, buf_slice(&whole));
    buf_free(&whole);
}

static void add_query(struct buf *url, const char *query) {
    bool has_one = url->n && memchr(url->p, '?', url->n);
    buf_add_char(url, has_one ? '&' : '?');
    buf_add_str(url, query);
}

enum wire_answer request_build(const struct request *request, const struct provider *provider,
                               const char *base_url, const struct wire_defaults *defaults,
                               struct wire_out *out) {
    bool names_model = strchr(base_url, '{') && strstr(base_url, MODEL);
    if (!names_model)
        buf_add_str(out->path, base_url);
    enum wire_answer answer = provider->wire->build_request(request, provider, defaults, out);
    if (answer == WIRE_OK && names_model)
        put_base_in_front(out->path, base_url, out->model);
    if (answer == WIRE_OK && provider->query)
        add_query(out->path, provider->query);
    return answer;
}

// -- showing --

static bool speaks_of_keys(struct slice name) {
    static const char *const words[] = {"key", "token", "secret", "sig", "pass", "code", "auth"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t at = 0, n = strlen(words[i]); at + n <= name.n; at++)
            if (strncasecmp(name.p + at, words[i], n) == 0)
                return true;
    return false;
}

static void add_shown_query(struct buf *out, struct slice query) {
    struct slice part;
    for (bool first = true; slice_next(&query, '&', &part); first = false) {
        const char *equals = part.n ? memchr(part.p, '=', part.n) : NULL;
        struct slice name = slice_of(part.p, equals ? (size_t)(equals - part.p) : part.n);
        buf_add_char(out, first ? '?' : '&');
        if (equals && speaks_of_keys(name))
            buf_addf(out, "%.*s=****", SLICE_ARG(name));
        else
            buf_add_slice(out, part);
    }
}

// A user and password end at the last '@' before the path.
static struct slice skip_user(struct slice rest, struct buf *out) {
    size_t host = 0;
    for (size_t i = 0; i < rest.n && !strchr("/?#", rest.p[i]); i++)
        if (rest.p[i] == '@')
            host = i + 1;
    if (host)
        buf_add_str(out, "****@");
    return slice_of(rest.p + host, rest.n - host);
}

void url_add_shown(struct buf *out, struct slice url) {
    const char *colon = url.n ? memmem(url.p, url.n, "://", 3) : NULL;
    size_t scheme = colon ? (size_t)(colon - url.p) + 3 : 0;
    buf_add(out, url.p, scheme);
    struct slice rest = skip_user(slice_of(url.p + scheme, url.n - scheme), out);
    const char *mark = rest.n ? memchr(rest.p, '?', rest.n) : NULL;
    size_t n = mark ? (size_t)(mark - rest.p) : rest.n;
    buf_add(out, rest.p, n);
    if (mark)
        add_shown_query(out, slice_of(mark + 1, rest.n - n - 1));
}
