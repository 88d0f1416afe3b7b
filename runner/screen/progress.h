// The screen while a run goes on: a live line, plain lines, JSON lines, or nothing. On stderr.
//
// The caller (one thread):
//   1. progress_init() with what the terminal is like (progress_settings() finds out);
//   2. progress_tick() whenever progress_due() has passed, with a view of the moment;
//   3. progress_end() once: the live line goes, or a last line is written.
// Everything but the last step of tick and end is pure: the functions take `now` and write into a
// buffer, so tests look at strings.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_PROGRESS_H
#define RUNNER_PROGRESS_H

#include "jobs/base/buf.h"
#include "runner/config.h"

// What a key is doing, one mark each.
enum progress_key {
    PROGRESS_KEY_IDLE,    // may serve, has nothing to do
    PROGRESS_KEY_BUSY,    // something is in flight on it
    PROGRESS_KEY_COOLING, // refused for rate reasons, waits
    PROGRESS_KEY_OUT,     // does not serve: suspended, removed
    PROGRESS_KEY_STATES
};

// Up to this many keys are shown one by one, more as counts.
#define PROGRESS_KEYS_SHOWN 40

// The moment, as plain values.
struct progress_view {
    int64_t ok;          // finished in this run
    int64_t failed;      // finished in this run, bad rows among them
    int64_t skipped;     // done by an earlier run
    int64_t rows;        // rows read so far, skipped and bad ones among them
    bool input_ended;    // `rows` is all there are
    int64_t total;       // all rows if that is known otherwise (--limit does not tell), else -1
    int64_t bytes_done;  // bytes of the rows read so far
    int64_t bytes_total; // -1: not known (a pipe)
    int64_t elapsed;     // microseconds since the run began
    int64_t in_flight;
    int64_t rate_limited; // refusals for rate reasons
    bool draining;        // a signal came: what is in flight is finished, nothing else
    const char *why;      // why nothing moves, in words; NULL: it moves

    const unsigned char *keys; // enum progress_key of each key, for the first PROGRESS_KEYS_SHOWN
    int64_t key_states[PROGRESS_KEY_STATES]; // how many keys are in each state
};

struct progress_settings {
    enum progress_mode mode; // PROGRESS_AUTO: bar where a line can be redrawn, else plain
    bool terminal; // it can: stderr is a terminal, TERM not "dumb", and no results go there
    bool color;
    bool utf8;
};

// The rate of the last seconds is the slope between two of these.
#define PROGRESS_SAMPLES 16

struct progress {
    enum progress_mode mode; // never PROGRESS_AUTO
    bool color;
    bool utf8;
    unsigned frame;   // of the spinner
    int64_t due;      // when the next line is drawn or written
    int64_t gap;      // between plain lines, growing
    int64_t sampled;  // when the last sample was taken
    unsigned samples; // how many there ever were
    struct {
        int64_t at;
        int64_t finished;
    } sample[PROGRESS_SAMPLES];
};

// Looks at stderr, TERM, NO_COLOR and the locale's character set; and at stdout, if results go there.
struct progress_settings progress_settings(enum progress_mode mode, bool on_stdout);

void progress_init(struct progress *progress, const struct progress_settings *settings,
                   int64_t now);

// When progress_tick() has something to do; TIME_NEVER when the mode is off.
int64_t progress_due(const struct progress *progress);

void progress_tick(struct progress *progress, const struct progress_view *view, int64_t now);
void progress_end(struct progress *progress, const struct progress_view *view, int64_t now);

// The parts. progress_sample() feeds the rate; progress_rate() is finished rows a second.
void progress_sample(struct progress *progress, const struct progress_view *view, int64_t now);
double progress_rate(const struct progress *progress, const struct progress_view *view);

// Rows that got a line in this run.
int64_t progress_finished(const struct progress_view *view);
// How many rows there are; -1 while nobody knows. *estimate: reckoned from bytes.
int64_t progress_total(const struct progress_view *view, bool *estimate);
// 0 to 100.
double progress_percent(const struct progress_view *view, int64_t total);
// Microseconds until the end at this rate; -1 when it cannot be told: while nothing moves, and before
// PROGRESS_ROWS_TOLD rows are done.
#define PROGRESS_ROWS_TOLD 5
int64_t progress_left(const struct progress *progress, const struct progress_view *view);

// "idle", "busy", "cooling", "out".
const char *progress_key_word(enum progress_key state);
// "3 busy, 1 cooling"
void progress_key_counts(const struct progress_view *view, struct buf *out);

// The live line, at most `width` columns wide, escape sequences not counted.
void progress_line(const struct progress *progress, const struct progress_view *view, int width,
                   struct buf *out);
// One line with its newline.
void progress_plain(const struct progress *progress, const struct progress_view *view,
                    struct buf *out);
void progress_json(const struct progress *progress, const struct progress_view *view, bool last,
                   struct buf *out);

#endif
