// nan.c: puts null for NaN and Infinity, outside of strings. Pure.
// SPDX-License-Identifier: MIT
#include "jobs/in/nan.h"

static size_t word_at(struct slice rest) {
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < 3; i++)
        if (slice_starts(rest, words[i]))
            return strlen(words[i]);
    return 0;
}

static size_t string_size(struct slice rest) {
    size_t i = 1;
    while (i < rest.n && rest.p[i] != '"')
        i += rest.p[i] == '\\' ? 2 : 1;
    return i < rest.n ? i + 1 : rest.n;
}

bool nan_replace(struct slice text, struct buf *out, struct nan_places *places) {
    places->count = 0;
    while (text.n) {
        size_t word = word_at(text), n = word ? word : *text.p == '"' ? string_size(text) : 1;
        if (word && places->count == NAN_PLACES)
            return false;
        if (word)
            places->at[places->count++] = out->n;
        buf_add_slice(out, word ? SLICE("null") : slice_of(text.p, n));
        text = slice_of(text.p + n, text.n - n);
    }
    return places->count && !out->failed;
}

bool nan_is_in(const struct nan_places *places, const struct buf *out, struct slice bytes) {
    size_t start = (size_t)(bytes.p - out->p);
    for (size_t i = 0; i < places->count; i++)
        if (places->at[i] >= start && places->at[i] < start + bytes.n)
            return true;
    return false;
}
