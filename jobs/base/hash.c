// hash.c: SipHash-2-4-128.
// SPDX-License-Identifier: MIT
#include "jobs/base/hash.h"

#include <endian.h>

struct sip {
    uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip *s) {
    s->a += s->b, s->b = rotate(s->b, 13) ^ s->a, s->a = rotate(s->a, 32);
    s->c += s->d, s->d = rotate(s->d, 16) ^ s->c;
    s->a += s->d, s->d = rotate(s->d, 21) ^ s->a;
    s->c += s->b, s->b = rotate(s->b, 17) ^ s->c, s->c = rotate(s->c, 32);
}

static void sip_word(struct sip *s, uint64_t word) {
    s->d ^= word;
    sip_round(s);
    sip_round(s);
    s->a ^= word;
}

static uint64_t sip_out(struct sip *s) {
    for (int i = 0; i < 4; i++)
        sip_round(s);
    return s->a ^ s->b ^ s->c ^ s->d;
}

// Up to eight bytes.
static inline uint64_t little_endian(const char *p, size_t n) {
    uint64_t word = 0;
    memcpy(&word, p, n);
    return le64toh(word);
}

struct hash128 hash_bytes(struct slice bytes, const uint64_t key[2]) {
    struct sip s = {UINT64_C(0x736f6d6570736575) ^ key[0],
                    UINT64_C(0x646f72616e646f6d) ^ key[1] ^ 0xee,
                    UINT64_C(0x6c7967656e657261) ^ key[0], UINT64_C(0x7465646279746573) ^ key[1]};
    size_t whole = bytes.n / 8 * 8;
    for (size_t i = 0; i < whole; i += 8)
        sip_word(&s, little_endian(bytes.p + i, 8));
    uint64_t rest = bytes.n > whole ? little_endian(bytes.p + whole, bytes.n - whole) : 0;
    sip_word(&s, rest | (uint64_t)bytes.n << 56);
    struct hash128 out;
    s.c ^= 0xee;
    out.low = sip_out(&s);
    s.b ^= 0xdd;
    out.high = sip_out(&s);
    return out;
}
