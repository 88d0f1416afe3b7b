// unpack.c: gzip, zstd and iconv behind one interface. Reader thread; owns a decoder and a block.
// SPDX-License-Identifier: MIT
#include "jobs/in/unpack.h"

#include "jobs/base/die.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

// Stands for a byte that is not valid in the encoding: no UTF-8 text holds it, so the row is a bad one.
#define INVALID '\xff'

// The largest window of a zstd frame, as a power of two: 128 MiB of memory.
#define ZSTD_WINDOW_LOG_MAX 27

#define STEP_BYTES 16384 // from one stage to the next

struct unpack {
    enum unpack_kind kind;
    struct buf in;
    size_t used; // of in
    bool whole;  // between members of gzip, frames of zstd, characters
    z_stream gzip;
    ZSTD_DStream *zstd;
    iconv_t text;
    struct unpack *from; // the stage before, or NULL
};

static bool start_zstd(struct unpack *u) {
    u->zstd = ZSTD_createDStream();
    return u->zstd &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX));
}

static bool start(struct unpack *u, const char *encoding) {
    switch (u->kind) {
    case UNPACK_GZIP: return inflateInit2(&u->gzip, 15 + 16) == Z_OK;
    case UNPACK_ZSTD: return start_zstd(u);
    case UNPACK_TEXT: u->text = iconv_open("UTF-8", encoding); return u->text != (iconv_t)-1;
    }
    return false;
}

struct unpack *unpack_new(enum unpack_kind kind, const char *encoding) {
    struct unpack *u = mem_zero(1, sizeof *u);
    u->kind = kind;
    u->in = BUF_INIT(SIZE_MAX / 2);
    u->whole = kind == UNPACK_TEXT;
    if (start(u, encoding))
        return u;
    free(u);
    return NULL;
}

void unpack_free(struct unpack *u) {
    if (!u)
        return;
    if (u->kind == UNPACK_GZIP)
        inflateEnd(&u->gzip);
    ZSTD_freeDStream(u->zstd);
    if (u->kind == UNPACK_TEXT)
        iconv_close(u->text);
    buf_free(&u->in);
    unpack_free(u->from);
    free(u);
}

static void put_bytes(struct unpack *u, struct slice bytes) {
    memmove(u->in.p, u->in.p + u->used, u->used ? u->in.n - u->used : 0);
    u->in.n -= u->used;
    u->used = 0;
    buf_add_slice(&u->in, bytes);
}

void unpack_put(struct unpack *u, struct slice bytes) {
    put_bytes(u->from ? u->from : u, bytes);
}

void unpack_after(struct unpack *u, struct unpack *from) {
    u->from = from;
}

// Zeros behind the last member are padding.
static bool pass_padding(struct unpack *u) {
    while (u->used < u->in.n && u->in.p[u->used] == '\0')
        u->used++;
    return u->used < u->in.n;
}

static enum unpack_status take_gzip(struct unpack *u, char *to, size_t room, size_t *n) {
    z_stream *z = &u->gzip;
    if (u->whole && z->total_in && !pass_padding(u))
        return UNPACK_WANTS;
    if (u->whole && z->total_in && inflateReset(z) != Z_OK)
        return UNPACK_FAULT;
    z->next_in = (unsigned char *)u->in.p + u->used;
    z->avail_in = (unsigned)(u->in.n - u->used);
    z->next_out = (unsigned char *)to;
    z->avail_out = (unsigned)room;
    if (!z->avail_in)
        return UNPACK_WANTS;
    int code = inflate(z, Z_NO_FLUSH);
    u->used = u->in.n - z->avail_in;
    *n = room - z->avail_out;
    u->whole = code == Z_STREAM_END;
    if (code == Z_BUF_ERROR)
        return UNPACK_WANTS;
    return code == Z_OK || code == Z_STREAM_END ? UNPACK_GAVE : UNPACK_FAULT;
}

static enum unpack_status take_zstd(struct unpack *u, char *to, size_t room, size_t *n) {
    ZSTD_inBuffer in = {u->in.p, u->in.n, u->used};
    ZSTD_outBuffer out = {to, room, 0};
    size_t left = ZSTD_decompressStream(u->zstd, &out, &in);
    if (ZSTD_isError(left))
        return ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge
                   ? UNPACK_TOO_LARGE
                   : UNPACK_FAULT;
    bool moved = in.pos > u->used || out.pos;
    if (moved)
        u->whole = left == 0;
    u->used = in.pos;
    *n = out.pos;
    return moved ? UNPACK_GAVE : UNPACK_WANTS;
}

static enum unpack_status take_text(struct unpack *u, char *to, size_t room, size_t *n) {
    char *in = u->in.p ? u->in.p + u->used : NULL, *out = to;
    size_t left = u->in.n - u->used, space = room;
    if (!left)
        return UNPACK_WANTS;
    size_t code = iconv(u->text, &in, &left, &out, &space);
    int failure = code == (size_t)-1 ? errno : 0;
    if (failure == EILSEQ && space) {
        *out++ = INVALID;
        space--;
        in++;
        left--;
    }
    u->used = u->in.n - left;
    u->whole = left == 0;
    *n = room - space;
    return failure == EINVAL && !*n ? UNPACK_WANTS : UNPACK_GAVE;
}

static enum unpack_status take_step(struct unpack *u, char *to, size_t room, size_t *n) {
    *n = 0;
    switch (u->kind) {
    case UNPACK_GZIP: return take_gzip(u, to, room, n);
    case UNPACK_ZSTD: return take_zstd(u, to, room, n);
    case UNPACK_TEXT: return take_text(u, to, room, n);
    }
    return UNPACK_FAULT;
}

enum unpack_status unpack_take(struct unpack *u, char *to, size_t room, size_t *n) {
    char block[STEP_BYTES];
    for (;;) {
        enum unpack_status step = take_step(u, to, room, n);
        if (step != UNPACK_WANTS || !u->from)
            return step;
        size_t got;
        step = unpack_take(u->from, block, sizeof block, &got);
        if (step != UNPACK_GAVE)
            return step;
        put_bytes(u, slice_of(block, got));
    }
}

bool unpack_is_whole(const struct unpack *u) {
    return u->whole && (!u->from || u->from->whole);
}
