// readers.c: a ring of blocks, read in by the caller, looked at by whoever is free. Owns its threads, and
// a block while it is looked at.
// SPDX-License-Identifier: MIT
#include "jobs/out/readers.h"

#include "jobs/base/die.h"
#include "jobs/base/json.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// Blocks that are read ahead for each who looks at them.
#define AHEAD 2

enum share_state {
    SHARE_IDLE,
    SHARE_READ,  // nobody has looked at it
    SHARE_TAKEN, // somebody is at it
    SHARE_DONE,
};

struct share {
    enum share_state state;
    enum blocks_status status;
    struct findings findings;
    struct sent *sent;
    struct buf space; // for an id with escapes
};

struct readers {
    struct readers_options options;
    struct blocks blocks;
    int64_t bytes;
    struct share shares[AHEAD * READERS_MOST];
    size_t share_count;
    size_t next, filled; // blocks handed out, and read in
    bool ended;          // all are read in
    size_t helpers, started;
    pthread_t threads[READERS_MOST - 1];
    // Guards what follows, and next, filled and the states above; held by no one who looks at a block.
    pthread_mutex_t mutex;
    pthread_cond_t read, done;
    bool stopping;
};

// -- a block looked at --

// The text of an id token; `space` is used if it has escapes.
static struct slice id_text(struct slice token, struct buf *space) {
    struct slice inside = slice_of(token.p + 1, token.n - 2);
    if (!memchr(inside.p, '\\', inside.n))
        return inside;
    buf_clear(space);
    json_string_decode(token, space);
    return buf_slice(space);
}

static uint64_t sent_of(struct sent *sent, const struct line_facts *facts) {
    if (!sent)
        return 0;
    return facts->input.n ? sent_hash(sent, facts->input) : facts->sent;
}

static struct finding *add_finding(struct findings *f) {
    if (f->count == f->room) {
        f->room = f->room ? 2 * f->room : 512;
        f->lines = mem_resize(f->lines, f->room * sizeof *f->lines);
    }
    struct finding *found = &f->lines[f->count++];
    *found = (struct finding){0};
    return found;
}

static void look_at(const struct readers *r, struct share *share) {
    struct findings *f = &share->findings;
    struct slice left = buf_slice(&f->bytes), line;
    while (blocks_line(&left, &line)) {
        struct line_facts facts;
        if (!line_read(line, r->options.format, &facts)) {
            f->refused = line;
            return;
        }
        struct finding *found = add_finding(f);
        found->ok = facts.ok;
        found->bad_input = facts.bad_input;
        if (facts.bad_input)
            continue;
        found->key = ids_key(r->options.ids, id_text(facts.id_token, &share->space));
        found->sent = sent_of(share->sent, &facts);
        if (!facts.has_settings || !r->options.settings)
            continue;
        found->settings = facts.settings;
        found->others = settings_differ(r->options.settings, &facts.settings);
        if (found->others && facts.tells_settings)
            found->told = json_get(line, "run_settings");
    }
}

// The oldest block that nobody has looked at, or NULL. With the lock, which is given up meanwhile.
static bool look_at_oldest(struct readers *r) {
    for (size_t i = r->next; i < r->filled; i++) {
        struct share *share = &r->shares[i % r->share_count];
        if (share->state != SHARE_READ)
            continue;
        share->state = SHARE_TAKEN;
        pthread_mutex_unlock(&r->mutex);
        look_at(r, share);
        pthread_mutex_lock(&r->mutex);
        share->state = SHARE_DONE;
        pthread_cond_signal(&r->done);
        return true;
    }
    return false;
}

static void *help(void *readers) {
    struct readers *r = readers;
    pthread_mutex_lock(&r->mutex);
    while (!r->stopping)
        if (!look_at_oldest(r))
            pthread_cond_wait(&r->read, &r->mutex);
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

// -- the caller's side --

static size_t count_helpers(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long helpers = processors < READERS_MOST ? processors - 1 : READERS_MOST - 1;
    return helpers > 0 ? (size_t)helpers : 0;
}

struct readers *readers_start(const struct readers_options *options) {
    struct readers *r = mem_zero(1, sizeof *r);
    r->options = *options;
    r->helpers = count_helpers();
    r->share_count = AHEAD * (r->helpers + 1);
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->read, NULL);
    pthread_cond_init(&r->done, NULL);
    for (size_t i = 0; i < r->share_count; i++) {
        r->shares[i].findings.bytes = BLOCKS_BUF;
        r->shares[i].space = BUF_INIT(RESULT_LINE_MAX);
        r->shares[i].sent = options->sent ? sent_copy(options->sent) : NULL;
    }
    struct stat st;
    r->bytes = fstat(options->fd, &st) == 0 ? st.st_size : 0;
    if (blocks_open(&r->blocks, options->fd, options->from))
        return r;
    readers_stop(r);
    return NULL;
}

// Signals stay with the threads that were there before.
static void start_helpers(struct readers *r) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (r->started < r->helpers && pthread_create(&r->threads[r->started], NULL, help, r) == 0)
        r->started++;
    r->helpers = r->started; // no second try
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void fill(struct readers *r, struct share *share) {
    struct findings *f = &share->findings;
    f->count = 0;
    f->refused = SLICE_NONE;
    share->status = blocks_next(&r->blocks, &f->bytes);
    bool lines = share->status == BLOCKS_LINES;
    r->ended = !lines;
    pthread_mutex_lock(&r->mutex);
    share->state = lines ? SHARE_READ : SHARE_DONE;
    r->filled++;
    pthread_cond_signal(&r->read);
    pthread_mutex_unlock(&r->mutex);
}

static void fill_all(struct readers *r) {
    while (!r->ended && r->filled < r->next + r->share_count)
        fill(r, &r->shares[r->filled % r->share_count]);
    if (!r->ended && r->started < r->helpers)
        start_helpers(r);
}

enum blocks_status readers_next(struct readers *r, const struct findings **findings) {
    fill_all(r);
    struct share *share = &r->shares[r->next % r->share_count];
    pthread_mutex_lock(&r->mutex);
    while (share->state != SHARE_DONE)
        if (!look_at_oldest(r))
            pthread_cond_wait(&r->done, &r->mutex);
    share->state = SHARE_IDLE;
    r->next++;
    pthread_mutex_unlock(&r->mutex);
    *findings = &share->findings;
    return share->status;
}

int64_t readers_bytes(const struct readers *r) {
    return r->bytes;
}

void readers_stop(struct readers *r) {
    if (!r)
        return;
    int code = errno;
    pthread_mutex_lock(&r->mutex);
    r->stopping = true;
    pthread_cond_broadcast(&r->read);
    pthread_mutex_unlock(&r->mutex);
    for (size_t i = 0; i < r->started; i++)
        pthread_join(r->threads[i], NULL);
    for (size_t i = 0; i < r->share_count; i++) {
        buf_free(&r->shares[i].findings.bytes);
        free(r->shares[i].findings.lines);
        buf_free(&r->shares[i].space);
        sent_free(r->shares[i].sent);
    }
    pthread_cond_destroy(&r->read);
    pthread_cond_destroy(&r->done);
    pthread_mutex_destroy(&r->mutex);
    blocks_free(&r->blocks);
    free(r);
    errno = code;
}
