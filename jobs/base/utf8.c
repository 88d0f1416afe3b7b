// utf8.c: validity and repair of UTF-8.
// SPDX-License-Identifier: MIT
#include "jobs/base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

// The length of the sequence at p (1 to 4), or 0 when it is not valid.
static size_t sequence(const unsigned char *p, size_t n) {
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    size_t size = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (size > n)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] >= 0xa0;
    bool beyond = p[0] == 0xf4 && p[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : size;
}

// Nearly all bytes are ASCII: many at a time. Returns how many of the first are for certain.
static size_t ascii_prefix(const unsigned char *p, size_t n) {
    size_t i = 0;
#ifdef __SSE2__
    for (; n - i >= 64; i += 64) {
        const __m128i *block = (const __m128i *)(const void *)(p + i);
        __m128i first = _mm_or_si128(_mm_loadu_si128(block), _mm_loadu_si128(block + 1));
        __m128i second = _mm_or_si128(_mm_loadu_si128(block + 2), _mm_loadu_si128(block + 3));
        if (_mm_movemask_epi8(_mm_or_si128(first, second)))
            return i;
    }
#endif
    for (; n - i >= 32; i += 32) {
        uint64_t w[4];
        memcpy(w, p + i, 32);
        if ((w[0] | w[1] | w[2] | w[3]) & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

size_t utf8_valid_prefix(struct slice s) {
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = ascii_prefix(p, s.n);
    while (i < s.n) {
        uint64_t eight;
        if (s.n - i >= 8) {
            memcpy(&eight, p + i, 8);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                i += 8;
                continue;
            }
        }
        size_t size = sequence(p + i, s.n - i);
        if (!size)
            return i;
        i += size;
    }
    return i;
}

void utf8_add(struct buf *b, uint32_t c) {
    char out[4];
    size_t n;
    if (c < 0x80) {
        out[0] = (char)c;
        n = 1;
    } else if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        n = 3;
    } else {
        out[0] = (char)(0xf0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++)
        out[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
    buf_add(b, out, n);
}

void utf8_add_repaired(struct buf *b, struct slice s) {
    while (s.n) {
        size_t good = utf8_valid_prefix(s);
        buf_add(b, s.p, good);
        s.p += good;
        s.n -= good;
        if (s.n) {
            utf8_add(b, 0xfffd);
            s.p++;
            s.n--;
        }
    }
}

struct slice utf8_cut(struct slice s, size_t max) {
    if (s.n <= max)
        return s;
    while (max > 0 && ((unsigned char)s.p[max] & 0xc0) == 0x80)
        max--;
    return slice_of(s.p, max);
}
