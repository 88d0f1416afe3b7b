// What the files of the JSON reader share. Private to jobs/base/json*.c.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_JSON_PARTS_H
#define JOBS_BASE_JSON_PARTS_H

#include "jobs/base/json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct scan {
    const char *p;
    const char *end;
    const char *fault;
    unsigned room; // brackets that may still be opened
};

// Of no slice at all (a null pointer) not even the end may be computed.
static inline struct scan scan_of(struct slice text) {
    const char *p = text.p ? text.p : "";
    return (struct scan){p, p + text.n, NULL, JSON_MAX_DEPTH};
}

static inline bool is_space(char c) {
    return c <= ' ' && (c == ' ' || c == '\t' || c == '\n' || c == '\r');
}

static inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static inline void skip_space(struct scan *s) {
    while (s->p < s->end && is_space(*s->p))
        s->p++;
}
static inline int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The four hexadecimal digits at p as a number, or -1.
static inline int hex4(const char *p, const char *end) {
    int value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

// Whether a member's name means this text. Names are short: a call would cost more than it compares.
static inline bool name_is(struct slice name, bool escaped, const char *text) {
    size_t n = name.n - 2, i = 0;
    if (escaped)
        return json_string_is(name, text);
    while (i < n && text[i] && text[i] == name.p[i + 1])
        i++;
    return i == n && text[n] == '\0';
}

// Fields to look for. Most members of a text are told apart from all of them by the first letter, and
// those that are wanted mostly come in their order.
struct json_wanted {
    const struct json_field *fields;
    size_t count;
    size_t next;      // after the one that was found last
    uint64_t letters; // which names begin with
};

static inline uint64_t json_letter(char c) {
    return UINT64_C(1) << ((unsigned char)c % 64);
}

static inline struct json_wanted json_want(const struct json_field *fields, size_t count) {
    struct json_wanted wanted = {.fields = fields, .count = count};
    for (size_t i = 0; i < count; i++)
        wanted.letters |= json_letter(fields[i].name[0] ? fields[i].name[0] : '"');
    return wanted;
}

// The one of them that a name token means, or NULL.
const struct json_field *json_find_wanted(struct json_wanted *wanted, struct slice name,
                                          bool escaped);

static inline const struct json_field *json_find_field(struct json_wanted *wanted,
                                                       struct slice name, bool escaped) {
    bool other = !escaped && !(wanted->letters & json_letter(name.p[1]));
    return other ? NULL : json_find_wanted(wanted, name, escaped);
}

// Each byte of a word, and the top bit of each byte.
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define TOPS       EACH(0x80)

// Some top bit is set when a byte of word is below bound (at most 0x80).
static inline uint64_t bytes_below(uint64_t word, unsigned char bound) {
    return (word - EACH(bound)) & ~word & TOPS;
}

#ifdef __SSE2__
// One bit for each of 16 bytes: set for a quote, a backslash and a control character.
static inline unsigned special_bytes(const char *p) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(special, control));
}
#endif

// Past bytes that mean nothing but themselves in a string, many at a time: p moves on as long as it
// can do so quickly, but never past a quote, a backslash or a control character.
static inline const char *skip_plain(const char *p, const char *end) {
#ifdef __SSE2__
    for (; end - p >= 32; p += 32) {
        unsigned found = special_bytes(p) | special_bytes(p + 16) << 16;
        if (found)
            return p + __builtin_ctz(found);
    }
#endif
    for (; end - p >= 8; p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        if (bytes_below(word, 0x20) | bytes_below(word ^ EACH('"'), 1) |
            bytes_below(word ^ EACH('\\'), 1))
            break;
    }
    return p;
}

#define NEAR 32

// Most strings are short: from the opening quote to behind the closing one, when that is near and only
// plain bytes stand before it; else NULL.
static inline const char *short_string_end(const char *p, const char *end) {
    if (end - p <= NEAR)
        return NULL;
#ifdef __SSE2__
    _Static_assert(NEAR == 32, "two times 16");
    unsigned found = special_bytes(p + 1);
    if (!found)
        found = special_bytes(p + 17) << 16;
    if (!found)
        return NULL;
    const char *stop = p + 1 + __builtin_ctz(found);
#else
    const char *far = p + 1 + NEAR, *stop = skip_plain(p + 1, far);
    if (stop == far)
        return NULL;
#endif
    return *stop == '"' ? stop + 1 : NULL;
}

#endif
