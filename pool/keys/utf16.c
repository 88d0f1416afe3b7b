// utf16.c: tells UTF-16 and turns it into UTF-8. Pure.
// SPDX-License-Identifier: MIT
#include "pool/keys/utf16.h"

#include "jobs/base/utf8.h"

#define LOOKED_AT 4 // characters, where there is no mark

enum order { NOT_UTF16, LITTLE, BIG };

// ASCII has its zeros all in the same place.
static enum order order_of(struct slice t) {
    if (t.n >= 2 && memcmp(t.p, "\xff\xfe", 2) == 0)
        return LITTLE;
    if (t.n >= 2 && memcmp(t.p, "\xfe\xff", 2) == 0)
        return BIG;
    size_t zeros[2] = {0, 0};
    for (size_t i = 0; i < 2 * LOOKED_AT && i < t.n; i++)
        zeros[i % 2] += t.p[i] == 0;
    if (t.n < 2 * LOOKED_AT || (zeros[0] && zeros[1]))
        return NOT_UTF16;
    return zeros[1] == LOOKED_AT ? LITTLE : zeros[0] == LOOKED_AT ? BIG : NOT_UTF16;
}

bool utf16_is(struct slice text) {
    return order_of(text) != NOT_UTF16;
}

static uint32_t unit(struct slice t, size_t i, enum order order) {
    unsigned char first = (unsigned char)t.p[i], second = (unsigned char)t.p[i + 1];
    return order == BIG ? (uint32_t)first << 8 | second : (uint32_t)second << 8 | first;
}

void utf16_add(struct slice t, struct buf *out) {
    enum order order = order_of(t);
    for (size_t i = 0; i + 1 < t.n; i += 2) {
        uint32_t c = unit(t, i, order);
        if (c >= 0xd800 && c < 0xdc00 && i + 3 < t.n) {
            uint32_t low = unit(t, i + 2, order);
            bool is_pair = low >= 0xdc00 && low < 0xe000;
            c = is_pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
            i += is_pair ? 2 : 0;
        } else if (c >= 0xd800 && c < 0xe000) {
            c = 0xfffd;
        }
        if (i > 0 || c != 0xfeff)
            utf8_add(out, c);
    }
}
