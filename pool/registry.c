// registry.c: holds the providers of a run, declared and changed ones included. Main thread, at start.
// SPDX-License-Identifier: MIT
#include "pool/registry.h"

#include "jobs/base/die.h"
#include "pool/secret.h"
#include "pool/wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define HEADERS_MAX     32
#define HEADER_BYTES    8192
#define ADDRESS_BYTES   4096
#define VARIABLE_LENGTH 80

_Static_assert(CATALOGUE_COUNT < PROVIDERS_MAX, "there is room for declared providers");
_Static_assert(PROVIDERS_MAX <= 64, "a provider_set has a bit for each provider");

size_t registry_count(const struct registry *r) {
    return CATALOGUE_COUNT + r->declared;
}

const struct provider *registry_at(const struct registry *r, size_t place) {
    BUG_IF(place >= registry_count(r));
    return r->own[place] ? r->own[place] : &catalogue[place];
}

size_t provider_place(const struct provider *provider) {
    bool built_in = provider >= catalogue && provider < catalogue + CATALOGUE_COUNT;
    return built_in ? (size_t)(provider - catalogue) : provider->place;
}

const struct provider *registry_find(const struct registry *r, struct slice name) {
    for (size_t i = 0; i < registry_count(r); i++)
        if (slice_is(name, registry_at(r, i)->name))
            return registry_at(r, i);
    return NULL;
}

void registry_add_names(const struct registry *r, struct buf *out) {
    for (size_t i = 0; i < registry_count(r); i++)
        buf_addf(out, "%s%s", i ? ", " : "", registry_at(r, i)->name);
}

static void *keep(struct registry *r, void *owned) {
    r->owned = mem_resize(r->owned, (r->owned_count + 1) * sizeof *r->owned);
    return r->owned[r->owned_count++] = owned;
}

const char *registry_text(struct registry *r, struct slice text) {
    return keep(r, mem_text(text.p, text.n));
}

void registry_free(struct registry *r) {
    for (size_t i = 0; i < PROVIDERS_MAX; i++)
        free(r->own[i]);
    for (size_t i = 0; i < r->owned_count; i++)
        free(r->owned[i]);
    for (size_t i = 0; i < r->secret_count; i++)
        secret_free(r->secrets[i]);
    free(r->owned);
    free(r->secrets);
    *r = (struct registry){0};
}

// -- names --

static bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static const char *name_fault(struct slice name) {
    if (!name.n || name.n > PROVIDER_NAME_MAX || !is_letter_or_digit(name.p[0]))
        return "a provider's name has 1 to 32 letters, digits, '-', '_' or '.', and begins with a "
               "letter or digit";
    for (size_t i = 0; i < name.n; i++)
        if (!is_letter_or_digit(name.p[i]) && !strchr("-_.", name.p[i]))
            return "a provider's name holds letters, digits, '-', '_' and '.' only";
    return NULL;
}

// "my-gateway" → "MY_GATEWAY_API_KEY"
static const char *variable_of(struct registry *r, struct slice name) {
    char text[PROVIDER_NAME_MAX + sizeof "_API_KEY"];
    size_t n = 0;
    for (; n < name.n; n++) {
        char c = name.p[n];
        text[n] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : is_letter_or_digit(c) ? c : '_';
    }
    memcpy(text + n, "_API_KEY", sizeof "_API_KEY");
    return registry_text(r, slice_str(text));
}

static struct provider *take_place(struct registry *r, size_t place) {
    struct provider *row = r->own[place] = mem_zero(1, sizeof *row);
    row->place = (unsigned)place;
    return row;
}

static struct provider *copy_built_in(struct registry *r, size_t place) {
    struct provider *row = take_place(r, place);
    *row = catalogue[place];
    row->place = (unsigned)place;
    return row;
}

struct provider *registry_declare(struct registry *r, struct slice name, const char **what) {
    const struct provider *known = registry_find(r, name);
    if (known) {
        size_t place = provider_place(known);
        return r->own[place] ? r->own[place] : copy_built_in(r, place);
    }
    *what = name_fault(name);
    if (!*what && registry_count(r) == PROVIDERS_MAX)
        *what = "there are too many providers: 64 at most, built-in ones included";
    if (*what)
        return NULL;
    struct provider *row = take_place(r, CATALOGUE_COUNT + r->declared++);
    row->name = registry_text(r, name);
    row->variables[0] = variable_of(r, name);
    row->documentation = "declared by the user";
    registry_set_wire(row, SLICE("openai"), what);
    return row;
}

// -- what a row says --

bool registry_set_wire(struct provider *p, struct slice name, const char **what) {
    static const struct {
        const struct wire *wire;
        const char *batch_prefix, *family;
    } wires[] = {{&wire_openai, "/v1", NULL},
                 {&wire_anthropic, "/v1", "anthropic"},
                 {&wire_gemini, "/v1beta", "google"}};
    for (size_t i = 0; i < sizeof wires / sizeof *wires; i++) {
        if (!slice_is(name, wires[i].wire->name))
            continue;
        p->wire = wires[i].wire;
        p->wire_name = wires[i].wire->name;
        p->batch_prefix = wires[i].batch_prefix;
        p->family = wires[i].family;
        return true;
    }
    *what = "must be \"openai\", \"anthropic\" or \"gemini\"";
    return false;
}

static bool is_printable(struct slice text) {
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~')
            return false;
    return true;
}

// The address of a resource of Azure names its API only with this behind it.
static bool is_bare_azure(struct slice url) {
    static const char host[] = ".openai.azure.com";
    const size_t n = sizeof host - 1;
    return url.n > n && memcmp(url.p + url.n - n, host, n) == 0;
}

bool registry_set_address(struct registry *r, struct provider *p, struct slice url,
                          const char **what) {
    *what = "must start with https:// or http://, in printable characters";
    bool is_web = url.n > 8 &&
                  (strncasecmp(url.p, "http://", 7) == 0 || strncasecmp(url.p, "https://", 8) == 0);
    if (!is_web || url.n > ADDRESS_BYTES || !is_printable(url))
        return false;
    const char *mark = memchr(url.p, '?', url.n);
    if (mark) {
        struct slice query = slice_of(mark + 1, (size_t)(url.p + url.n - mark - 1));
        url.n = (size_t)(mark - url.p);
        p->query = query.n ? registry_text(r, query) : NULL;
    }
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    struct buf text = BUF_INIT(ADDRESS_BYTES + 16);
    buf_add_slice(&text, url);
    if (is_bare_azure(url))
        buf_add_str(&text, "/openai/v1");
    p->base_url = registry_text(r, buf_slice(&text));
    buf_free(&text);
    return true;
}

bool provider_has_own_address(const struct provider *p) {
    size_t place = provider_place(p);
    return place >= CATALOGUE_COUNT || p->base_url != catalogue[place].base_url;
}

// RFC 9110, section 5.6.2.
static bool is_token(struct slice text) {
    for (size_t i = 0; i < text.n; i++)
        if (!is_letter_or_digit(text.p[i]) && !strchr("!#$%&'*+-.^_`|~", text.p[i]))
            return false;
    return text.n > 0 && text.n <= 100;
}

static bool set_prefix(struct registry *r, struct provider *p, struct slice name,
                       const char *between) {
    struct buf text = BUF_INIT(256);
    buf_addf(&text, "%.*s: %s", SLICE_ARG(name), between);
    p->auth_prefix = registry_text(r, buf_slice(&text));
    buf_free(&text);
    return true;
}

bool registry_set_auth(struct registry *r, struct provider *p, struct slice auth,
                       const char **what) {
    *what = "must be \"bearer\", \"none\" or \"header: NAME\"";
    if (slice_is(auth, "none")) {
        p->auth_prefix = "";
        p->key_is_optional = true;
        return true;
    }
    if (slice_is(auth, "bearer"))
        return set_prefix(r, p, SLICE("Authorization"), "Bearer ");
    if (!slice_starts(auth, "header:"))
        return false;
    struct slice name = slice_trim(slice_of(auth.p + 7, auth.n - 7));
    return is_token(name) && set_prefix(r, p, name, "");
}

bool registry_add_variable(struct registry *r, struct provider *p, struct slice name,
                           const char **what) {
    size_t count = 0;
    bool good = name.n && name.n <= VARIABLE_LENGTH && !(name.p[0] >= '0' && name.p[0] <= '9');
    for (size_t i = 0; i < name.n; i++)
        good = good && (is_letter_or_digit(name.p[i]) || name.p[i] == '_');
    while (count < PROVIDER_VARIABLES && p->variables[count])
        if (slice_is(name, p->variables[count++]))
            return true;
    *what = good ? "names too many variables: 7 at most" : "must be the name of a variable";
    if (!good || count >= PROVIDER_VARIABLES - 1)
        return false;
    memmove(p->variables + 1, p->variables, count * sizeof *p->variables);
    p->variables[0] = registry_text(r, name);
    return true;
}

// What libcurl itself has to say.
static bool is_of_the_transfer(struct slice name) {
    static const char *const names[] = {"content-length", "transfer-encoding", "connection",
                                        "expect", "host"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name.n == strlen(names[i]) && strncasecmp(name.p, names[i], name.n) == 0)
            return true;
    return false;
}

static const char *header_fault(struct slice name, struct slice value) {
    if (!is_token(name))
        return "is not a header's name";
    if (is_of_the_transfer(name))
        return "is a header that cannot be replaced";
    if (!value.n || value.n > HEADER_BYTES)
        return "must have 1 to 8192 characters";
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
            return "holds a control character";
    return NULL;
}

static struct secret *keep_secret(struct registry *r, struct slice value) {
    r->secrets = mem_resize(r->secrets, (r->secret_count + 1) * sizeof *r->secrets);
    return r->secrets[r->secret_count++] = secret_new(value);
}

bool registry_add_header(struct registry *r, struct provider *p, struct slice name,
                         struct slice value, const char **what) {
    if ((*what = header_fault(name, value)))
        return false;
    struct provider_header *headers = mem_zero(HEADERS_MAX + 1, sizeof *headers);
    size_t count = 0;
    for (const struct provider_header *h = p->headers; h && h->name; h++)
        if (strlen(h->name) != name.n || strncasecmp(h->name, name.p, name.n) != 0)
            headers[count++] = *h;
    keep(r, headers);
    *what = "makes too many headers: 32 at most";
    if (count == HEADERS_MAX)
        return false;
    headers[count] = (struct provider_header){registry_text(r, name), keep_secret(r, value)};
    p->headers = headers;
    return true;
}

void registry_add_secret(struct registry *r, struct provider *p, struct slice text) {
    size_t count = 0;
    while (p->secrets && p->secrets[count])
        count++;
    const struct secret **secrets = mem_zero(count + 2, sizeof *secrets);
    for (size_t i = 0; i < count; i++)
        secrets[i] = p->secrets[i];
    secrets[count] = keep_secret(r, text);
    p->secrets = keep(r, secrets);
}

static void add_encoded(struct buf *out, struct slice text) {
    for (size_t i = 0; i < text.n; i++) {
        if (is_letter_or_digit(text.p[i]) || (text.p[i] && strchr("-._~", text.p[i])))
            buf_add_char(out, text.p[i]);
        else
            buf_addf(out, "%%%02X", (unsigned char)text.p[i]);
    }
}

bool registry_add_query(struct registry *r, struct provider *p, struct slice name,
                        struct slice value, const char **what) {
    struct buf text = BUF_INIT(ADDRESS_BYTES);
    if (p->query)
        buf_addf(&text, "%s&", p->query);
    add_encoded(&text, name);
    buf_add_char(&text, '=');
    add_encoded(&text, value);
    bool good = name.n && !text.failed;
    *what = "must be short texts with names";
    if (good)
        p->query = registry_text(r, buf_slice(&text));
    buf_free(&text);
    return good;
}
