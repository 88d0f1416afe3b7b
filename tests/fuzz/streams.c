// streams.c: any bytes as an answer in server-sent events: how they are cut changes nothing, and what
// comes out is whole. First character: the wire (0 to 2), more of it a ceiling.
// SPDX-License-Identifier: MIT
#include "pool/wire/stream.h"

#include "tests/fuzz/mutate.h"
#include "tests/fuzz/wires.h"

#include <stdlib.h>

#define SMALL ((size_t)64)

struct outcome_of {
    enum stream_end end;
    struct buf scratch;
    const char *what;
    bool began;
};

// The bytes of a piece are gone after it.
static bool feed_piece(struct wire_stream *s, struct slice piece) {
    char *own = malloc(piece.n ? piece.n : 1);
    memcpy(own, piece.p, piece.n);
    bool more = wire_stream_feed(s, slice_of(own, piece.n));
    free(own);
    return more;
}

static void check_end(const struct wire_stream *s, const struct outcome_of *o) {
    struct slice scratch = buf_slice(&o->scratch);
    struct reply reply;
    HOLDS(o->end == STREAM_TOO_LARGE || o->end == STREAM_WHOLE || o->end == STREAM_ERROR ||
          (o->what && o->what[0]));
    HOLDS(s->first.text.n + s->first.reasoning.n + s->first.refusal.n <= s->max);
    if (o->end == STREAM_OBJECT)
        HOLDS(json_check(scratch, NULL));
    if (o->end == STREAM_ERROR)
        HOLDS(json_check(scratch, NULL));
    if (o->end != STREAM_WHOLE && o->end != STREAM_BLOCKED)
        return;
    HOLDS(json_check(scratch, NULL));
    wire_stream_reply(s, scratch, &reply);
    fuzz_check_reply(&reply, SLICE_NONE, scratch);
}

// Pieces of up to `most` bytes.
static struct outcome_of read_in(struct wire_stream *s, struct slice bytes, size_t most) {
    struct outcome_of o = {.scratch = BUF_INIT(FUZZ_MAX)};
    struct random random = fuzz_random(bytes);
    bool more = true;
    wire_stream_clear(s);
    for (size_t n; more && bytes.n; bytes = slice_of(bytes.p + n, bytes.n - n)) {
        n = most == 1 ? 1 : 1 + (size_t)random_below(&random, (int64_t)most);
        n = n < bytes.n ? n : bytes.n;
        more = feed_piece(s, slice_of(bytes.p, n));
    }
    o.end = wire_stream_finish(s, &o.scratch, &o.what);
    o.began = s->began;
    check_end(s, &o);
    return o;
}

static void check_same(const struct outcome_of *a, const struct outcome_of *b) {
    HOLDS(a->end == b->end && a->began == b->began && a->what == b->what);
    HOLDS(a->end == STREAM_TOO_LARGE || slice_eq(buf_slice(&a->scratch), buf_slice(&b->scratch)));
}

// The same stream with every line end written as LF.
static void with_line_feeds(struct slice bytes, struct buf *out) {
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] != '\r')
            buf_add_char(out, bytes.p[i]);
        else if (i + 1 == bytes.n || bytes.p[i + 1] != '\n')
            buf_add_char(out, '\n');
}

static void check_line_ends(struct wire_stream *s, struct slice bytes,
                            const struct outcome_of *first) {
    struct buf plain = BUF_INIT(FUZZ_MAX);
    with_line_feeds(bytes, &plain);
    struct outcome_of o = read_in(s, buf_slice(&plain), sizeof "data:");
    check_same(first, &o);
    buf_free(&o.scratch);
    buf_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t sizes[] = {1 << 20, 1, 7, 40};
    struct slice bytes = fuzz_input(data, size);
    unsigned choice = fuzz_choice(&bytes);
    struct wire_stream s;
    struct outcome_of first = {0};
    wire_stream_init(&s, fuzz_wire(choice), choice / 3 % 2 ? SMALL : FUZZ_MAX);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct outcome_of o = read_in(&s, bytes, sizes[i]);
        if (i == 0) {
            first = o;
            continue;
        }
        check_same(&first, &o);
        buf_free(&o.scratch);
    }
    check_line_ends(&s, bytes, &first);
    buf_free(&first.scratch);
    wire_stream_free(&s);
    return 0;
}
