// body_unpack.c: gzip and deflate, by zlib. On the engine's thread; owned by its transfer.
// SPDX-License-Identifier: MIT
#include "pool/transfer/body_unpack.h"

#include "jobs/base/die.h"

#include <stdlib.h>
#include <zlib.h>

#define PIECE_BYTES ((size_t)16 << 10)

struct body_unpack {
    z_stream z;
    bool damaged, whole;
    char piece[PIECE_BYTES];
};

struct body_unpack *body_unpack_new(enum packing packing) {
    struct body_unpack *u = mem_zero(1, sizeof *u);
    // 32: gzip or zlib, told by the header; negative: no header
    int bits = packing == PACKING_RAW ? -MAX_WBITS : MAX_WBITS + 32;
    if (inflateInit2(&u->z, bits) != Z_OK)
        die("out of memory for a compressed answer");
    return u;
}

void body_unpack_free(struct body_unpack *u) {
    if (u)
        inflateEnd(&u->z);
    free(u);
}

bool body_unpack_is_damaged(const struct body_unpack *u) {
    return u->damaged;
}

bool body_unpack_is_whole(const struct body_unpack *u) {
    return u->whole;
}

// One step: *n bytes came out of it. False when no more can come.
static bool step(struct body_unpack *u, size_t *n) {
    u->z.next_out = (unsigned char *)u->piece;
    u->z.avail_out = PIECE_BYTES;
    int answer = inflate(&u->z, Z_NO_FLUSH);
    *n = PIECE_BYTES - u->z.avail_out;
    u->whole = answer == Z_STREAM_END;
    u->damaged = answer != Z_OK && answer != Z_STREAM_END && answer != Z_BUF_ERROR;
    if (u->whole && u->z.avail_in) // gzip may come in several members
        u->whole = inflateReset(&u->z) != Z_OK;
    return !u->damaged && !u->whole && (u->z.avail_in || !u->z.avail_out);
}

bool body_unpack_feed(struct body_unpack *u, struct slice bytes,
                      bool (*take)(void *context, struct slice), void *context) {
    bool more = !u->whole && bytes.n;
    u->z.next_in = (unsigned char *)(char *)bytes.p; // it is only read
    u->z.avail_in = (unsigned)bytes.n;
    while (more) {
        size_t n;
        more = step(u, &n);
        if (n && !take(context, slice_of(u->piece, n)))
            return false;
    }
    return !u->damaged;
}
