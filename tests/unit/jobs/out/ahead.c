// ahead.c (test): whatever order lines come in, they go out in that of their numbers, in bounded
// memory and in files that do not grow without end.
// SPDX-License-Identifier: MIT
#include "jobs/out/ahead.h"

#include "jobs/base/random.h"
#include "tests/unit/jobs/out/files.h"

#define LINE_MOST 10000
#define FLIGHTS   64

// Plays the writer, and checks what it is given.
struct play {
    struct ahead *ahead;
    struct buf out;
    int64_t taken;      // the number that was taken last
    int64_t count;      // lines taken
    int64_t most_bytes; // that the files ever had
    int events;
};

// Odd lengths, some long, so that blocks end anywhere.
static size_t line_of(int64_t sequence, char *line) {
    size_t n = (size_t)snprintf(line, LINE_MOST, "line %lld ", (long long)sequence);
    size_t pad = sequence % 1000 == 7 ? 9000 : (size_t)(sequence % 13);
    memset(line + n, 'x', pad);
    line[n + pad] = '\n';
    return n + pad + 1;
}

static void play_begin(struct play *play) {
    *play = (struct play){
        .ahead = ahead_new(NULL, LINE_MOST * FLIGHTS), .out = BUF_INIT(LINE_MOST), .taken = -1};
}

static void take(struct play *play) {
    static char wanted[LINE_MOST];
    struct ahead_line line;
    int64_t turn = ahead_next(play->ahead);
    buf_clear(&play->out);
    assert_true(ahead_take(play->ahead, &play->out, &line));
    assert_true(turn > play->taken);
    assert_false(line.is_saved);
    assert_int_equal(line.index, 3 * turn);
    assert_int_equal(play->out.n, line_of(turn, wanted));
    assert_memory_equal(play->out.p, wanted, play->out.n);
    play->taken = turn;
    play->count++;
}

static void flush(struct play *play) {
    int64_t count, bytes;
    while (ahead_turn(play->ahead))
        take(play);
    assert_true(ahead_flush(play->ahead, &count));
    ahead_recycle(play->ahead);
    bytes = ahead_file_bytes(play->ahead);
    if (bytes > play->most_bytes)
        play->most_bytes = bytes;
}

static void arrive(struct play *play, int64_t sequence) {
    static char line[LINE_MOST];
    size_t n = line_of(sequence, line);
    if (sequence == ahead_next(play->ahead)) {
        play->taken = sequence;
        play->count++;
        ahead_advance(play->ahead);
    } else {
        struct buf *to = ahead_buf(play->ahead);
        size_t from = to->n;
        buf_add(to, line, n);
        ahead_add(play->ahead, sequence, from, 3 * sequence);
    }
    if (++play->events % 30 == 0)
        flush(play);
}

static void play_end(struct play *play) {
    while (ahead_turn_at_end(play->ahead))
        take(play);
    assert_null(ahead_failure(play->ahead));
    buf_free(&play->out);
    ahead_free(play->ahead, false);
}

// So many rows, FLIGHTS at a time, any of which may be the next to finish; in a hundred some end
// without a line, of which some are told of and some not.
static int64_t run_rows(struct play *play, int64_t rows, uint64_t seed, int passed, int silent) {
    struct random random = {.state = seed};
    int64_t flights[FLIGHTS], next = 0, lines = 0;
    size_t count = 0;
    while (next < rows || count) {
        while (count < FLIGHTS && next < rows)
            flights[count++] = next++;
        size_t which = (size_t)random_below(&random, (int64_t)count);
        int fate = (int)random_below(&random, 100);
        int64_t sequence = flights[which];
        flights[which] = flights[--count];
        if (fate < passed) {
            ahead_pass(play->ahead, sequence);
        } else if (fate >= passed + silent) {
            arrive(play, sequence);
            lines++;
        }
    }
    return lines;
}

static void any_order_becomes_that_of_the_numbers(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct play play;
        play_begin(&play);
        int64_t lines = run_rows(&play, 5000, seed, seed % 3 ? 0 : 10, 0);
        flush(&play);
        assert_int_equal(play.count, lines); // without waiting for the end
        play_end(&play);
    }
}

static void what_never_comes_leaves_a_gap_at_the_end(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct play play;
        play_begin(&play);
        int64_t lines = run_rows(&play, 5000, seed, 3, 3);
        flush(&play);
        assert_true(play.count < lines);
        while (ahead_turn_at_end(play.ahead))
            take(&play);
        assert_int_equal(play.count, lines);
        play_end(&play);
    }
}

// There is always something ahead, and yet there is an end to the files' growth.
static void files_are_used_again(void **state) {
    (void)state;
    struct play play;
    play_begin(&play);
    run_rows(&play, 600000, 5, 1, 0);
    play_end(&play);
    assert_true(play.most_bytes > 0);
    if (play.most_bytes > 3 * AHEAD_SIDE_BYTES)
        fail_msg("the files grew to %lld bytes", (long long)play.most_bytes);
}

// Memory that is this process's own, in bytes.
static long resident(void) {
    long pages = 0, shared = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(f, "%*d %ld %ld", &pages, &shared), 2);
    fclose(f);
    return (pages - shared) * sysconf(_SC_PAGESIZE);
}

static void a_million_rows_wait_for_one_in_bounded_memory(void **state) {
    (void)state;
    enum { ROWS = 1000000 };
    struct play play;
    play_begin(&play);
    long before = resident(), most = 0;
    for (int64_t i = 1; i < ROWS; i += 2) { // neighbours come the wrong way round
        arrive(&play, i + 1);
        arrive(&play, i);
        if (i % 10001 == 0 && resident() > most)
            most = resident();
    }
    assert_int_equal(play.count, 0);
    arrive(&play, 0);
    flush(&play);
    assert_int_equal(play.count, ROWS + 1);
    if (resident() > most)
        most = resident();
    play_end(&play);
#ifndef SANITIZED
    if (most - before > 8 << 20)
        fail_msg("%ld bytes of memory", most - before);
#else
    (void)before;
#endif
}

// Each call fails in turn: what was lost is told, and nothing wrong is handed out.
static void each_call_may_fail(void **state) {
    (void)state;
    bool failed = true;
    for (int at = 1; failed; at++) {
        struct play play;
        play_begin(&play);
        set_fault(FAULT_ERRNO, at, ENOSPC, 0);
        failed = false;
        int64_t added = 0;
        for (int64_t i = 30000; i > 0 && !failed; i--, added++) {
            static char line[LINE_MOST];
            size_t from = ahead_buf(play.ahead)->n;
            buf_add(ahead_buf(play.ahead), line, line_of(i, line));
            ahead_add(play.ahead, i, from, 3 * i);
            int64_t count;
            failed = i % 500 == 0 && !ahead_flush(play.ahead, &count);
        }
        ahead_pass(play.ahead, 0);
        for (struct ahead_line line; !failed && ahead_turn(play.ahead); added--) {
            buf_clear(&play.out);
            failed = !ahead_take(play.ahead, &play.out, &line);
        }
        set_fault(FAULT_NONE, 0, 0, 0);
        if (failed) {
            assert_non_null(ahead_failure(play.ahead));
            assert_int_equal(errno, ENOSPC);
            assert_true(ahead_lose(play.ahead) > 0);
            assert_int_equal(ahead_lose(play.ahead), 0);
        }
        buf_free(&play.out);
        ahead_free(play.ahead, false);
        if (at > 200) // then the calls that read one line each
            at += 997;
        if (at > 100000)
            fail_msg("a run makes no more than 100,000 calls");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_becomes_that_of_the_numbers),
        cmocka_unit_test(what_never_comes_leaves_a_gap_at_the_end),
        cmocka_unit_test(files_are_used_again),
        cmocka_unit_test(a_million_rows_wait_for_one_in_bounded_memory),
        cmocka_unit_test(each_call_may_fail),
    };
    QUIET_RUN(tests);
}
