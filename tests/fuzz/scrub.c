// scrub.c: a secret put anywhere into any text, in every way it may be written, is gone afterwards.
// The first line is the secret; in the rest, bytes 1 to 6 stand for it in one way of writing each.
// SPDX-License-Identifier: MIT
#include "pool/secret_set.h"

#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

// Beyond this much of a secret at the end of a text that was cut there, nothing of it stays.
#define TAIL 5

// More in a row, twice escaped, are beyond what is looked for.
#define BACKSLASHES 3

static bool is_fit(char c, size_t backslashes) {
    if (c == '\\')
        return backslashes < BACKSLASHES;
    return c > ' ' && c <= '~' && c != ',' && c != '*';
}

// A secret as a key may be, and worse; a `*` would be told from no mask.
static size_t read_secret(struct slice line, char *secret, size_t max) {
    size_t n = 0, backslashes = 0;
    for (size_t i = 0; i < line.n && n < max; i++) {
        if (!is_fit(line.p[i], backslashes))
            continue;
        secret[n++] = line.p[i];
        backslashes = line.p[i] == '\\' ? backslashes + 1 : 0;
    }
    return n;
}

// Ends with what it begins with: such a one could grow together anew out of its mask's end and what
// follows.
static bool overlaps_itself(struct slice secret) {
    for (size_t n = 1; n < secret.n; n++)
        if (memcmp(secret.p, secret.p + secret.n - n, n) == 0)
            return true;
    return false;
}

static void add_as_json(struct buf *out, struct slice text, int times) {
    struct buf escaped = BUF_INIT(FUZZ_MAX);
    json_add_escaped(&escaped, text);
    if (times > 1)
        add_as_json(out, buf_slice(&escaped), times - 1);
    else
        buf_add_slice(out, buf_slice(&escaped));
    buf_free(&escaped);
}

static void add_formatted(struct buf *out, struct slice text, const char *format) {
    for (size_t i = 0; i < text.n; i++)
        buf_addf(out, format, (unsigned)(unsigned char)text.p[i]);
}

static void add_with_slashes(struct buf *out, struct slice text) {
    for (size_t i = 0; i < text.n; i++) {
        if (strchr("/\"\\", text.p[i]))
            buf_add_char(out, '\\');
        buf_add_char(out, text.p[i]);
    }
}

enum { PLAIN = 1, JSON, JSON_TWICE, UNICODE, PERCENT, SLASHES, WAYS };

static void add_secret(struct buf *out, struct slice secret, int way) {
    switch (way) {
    case PLAIN: buf_add_slice(out, secret); break;
    case JSON: add_as_json(out, secret, 1); break;
    case JSON_TWICE: add_as_json(out, secret, 2); break;
    case UNICODE: add_formatted(out, secret, "\\u%04x"); break;
    case PERCENT: add_formatted(out, secret, "%%%02X"); break;
    case SLASHES: add_with_slashes(out, secret); break;
    }
}

// No key has these: a backslash that is escaped once more, or a percent sign as %25, is one disguise too many.
static bool is_beyond(struct slice secret, int way) {
    return (way != PLAIN && memchr(secret.p, '\\', secret.n)) ||
           (way == PERCENT && memchr(secret.p, '%', secret.n));
}

static void put_together(struct slice text, struct slice secret, struct buf *out) {
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= PLAIN && text.p[i] < WAYS && !is_beyond(secret, text.p[i]))
            add_secret(out, secret, text.p[i]);
        else
            buf_add_char(out, text.p[i]);
}

static bool holds(struct slice text, struct slice part) {
    return memmem(text.p, text.n, part.p, part.n) != NULL;
}

static void check_gone(struct slice text, struct slice secret) {
    struct buf written = BUF_INIT(FUZZ_MAX);
    for (int way = PLAIN; way < WAYS; way++) {
        buf_clear(&written);
        add_secret(&written, secret, way);
        HOLDS(is_beyond(secret, way) || !holds(text, buf_slice(&written)));
    }
    for (size_t n = TAIL; n < secret.n && n <= text.n; n++)
        HOLDS(memcmp(text.p + text.n - n, secret.p, n) != 0);
    buf_free(&written);
}

// The members and elements of a JSON text mean nothing that holds the secret.
static void check_json(struct slice token, struct slice secret) {
    struct buf text = BUF_INIT(FUZZ_MAX);
    struct json_walk walk = json_walk(token);
    struct slice part;
    if (json_type(token) == JSON_STRING) {
        json_string_decode(token, &text);
        HOLDS(!text.n || !holds(buf_slice(&text), secret));
    }
    while (json_next_element(&walk, &part)) // a member's name and value as two
        check_json(part, secret);
    buf_free(&text);
}

static bool is_digits(struct slice secret) {
    for (size_t i = 0; i < secret.n; i++)
        if (secret.p[i] < '0' || secret.p[i] > '9')
            return false;
    return true;
}

// Whether it can only stand inside the strings of a JSON text, or, all digits, in its numbers.
static bool is_apart_from_json(struct slice secret) {
    bool apart = false;
    for (size_t i = 0; i < secret.n && i < TAIL; i++) // as much as the end of a text may hold of it
        apart |= !strchr("{}[]:+-.0123456789eEtrufalsn", secret.p[i]);
    return is_digits(secret) || (apart && !memchr(secret.p, '"', secret.n));
}

static void check_scrubbed(struct slice left, bool was_json, struct slice secret) {
    if (was_json && is_apart_from_json(secret)) {
        HOLDS(json_check(left, NULL));
        if (!overlaps_itself(secret))
            check_json(slice_trim(left), secret);
    }
    if (!overlaps_itself(secret) && !is_digits(secret)) // a 1 among digits may make them anew
        check_gone(left, secret);
}

// As answers are; a number alone may be the beginning of a key that is cut off.
static bool is_container(struct slice json) {
    return json_type(json) == JSON_OBJECT || json_type(json) == JSON_ARRAY;
}

// As a run does it, with all its secrets.
static size_t scrub_all(const struct secret *secret, char *text, size_t n) {
    struct secret_set *set = secret_set_new();
    secret_set_add(set, secret);
    secret_set_ready(set);
    n = secret_set_scrub(set, text, n);
    secret_set_free(set);
    return n;
}

static void check(struct slice secret_text, struct slice text) {
    struct secret *secret = secret_new(secret_text);
    struct buf b = BUF_INIT(FUZZ_MAX);
    put_together(text, secret_text, &b);
    bool was_json = json_check(buf_slice(&b), NULL) && is_container(buf_slice(&b));
    char *exact = mem_text(b.p, b.n); // no room behind it
    size_t n = scrub_all(secret, exact, b.n);
    HOLDS(n <= b.n);
    if (secret_text.n < SECRET_SCRUBBED_MIN)
        HOLDS(slice_eq(slice_of(exact, n), buf_slice(&b)));
    else
        check_scrubbed(slice_of(exact, n), was_json, secret_text);
    secret_free(secret);
    buf_free(&b);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[64];
    struct slice input = fuzz_input(data, size);
    struct slice secret = slice_of(text, read_secret(fuzz_line(&input), text, sizeof text));
    if (secret.n)
        check(secret, input);
    return 0;
}
