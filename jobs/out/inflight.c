// inflight.c: notes of rows in doubt, in a mapped file of fixed-size records. A record belongs to
// whoever owns its job; which records are free is the loop thread's affair.
// SPDX-License-Identifier: MIT
#include "jobs/out/inflight.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/hash.h"
#include "jobs/base/io.h"
#include "jobs/base/json.h"
#include "jobs/base/log.h"
#include "jobs/base/random.h"
#include "jobs/base/utf8.h"
#include "jobs/ids.h"
#include "jobs/out/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC       "batch-run in flight\n1"
#define RECORD_SIZE 256
#define ROOM_FIRST  ((size_t)63) // with the header, four pages

// In the place of the first record.
struct header {
    char magic[32];
    uint64_t nonce[2]; // keys the hashes in this file
    uint64_t check;
};

struct record {
    _Atomic uint64_t check; // 0: free; else check_of() what follows. Written last, cleared first
    uint64_t id_hash[2];    // of the whole id
    uint64_t sent;          // job->sent
    uint64_t salt;          // of its idempotency keys
    int64_t index, line;
    int64_t sent_at; // wall clock, of the last attempt
    uint32_t attempts;
    uint32_t in_doubt;
    uint32_t answers;
    uint16_t id_size;
    uint8_t id_is_cut;
    uint8_t is_keyed;
    char key[32]; // the name of the key, cut
    char id[INFLIGHT_ID_MAX];
};

_Static_assert(sizeof(struct record) == RECORD_SIZE, "records lie one behind the other");
_Static_assert(sizeof(struct header) <= RECORD_SIZE, "the header has the place of one");

struct inflight {
    char *path;
    const char *results;
    int fd; // -1: there is no file
    void *map;
    size_t map_size;
    struct record *records; // number n is records[n - 1]
    size_t most;            // that the mapping has place for
    size_t room;            // that the file has
    size_t given;           // of those, the first ones have been given to jobs, or were once in use
    uint32_t *spare;        // of those, free again
    size_t spare_count;
    struct ids *earlier; // hash of the id -> number, of records that earlier runs left
    size_t found, keyed, torn;
    size_t old;  // records that were in the file
    bool *unmet; // of those: the row has not been read yet
    size_t unmet_count;
    uint64_t nonce[2];
    uint64_t salt; // of this run
    bool is_full;  // and that was said
};

// Quick: tells bytes from changed ones, not from those that somebody made to look the same.
static uint64_t sum_of(const struct inflight *f, const char *p, size_t n) {
    uint64_t sum = f->nonce[0] ^ n;
    while (n) {
        uint64_t word = 0;
        size_t part = n < sizeof word ? n : sizeof word;
        memcpy(&word, p, part);
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
        p += part;
        n -= part;
    }
    return sum;
}

static struct hash128 hash_of(const struct inflight *f, const void *p, size_t n) {
    return hash_bytes(slice_of(p, n), f->nonce);
}

// -- one record --

static uint64_t check_of(const struct inflight *f, const struct record *r) {
    const char *start = (const char *)r->id_hash;
    uint64_t check = sum_of(f, start, (size_t)(r->id + r->id_size - start));
    return check ? check : 1;
}

// A kill in the middle of a change leaves a check that does not hold; of a new record, none.
static void seal(const struct inflight *f, struct record *r) {
    atomic_store_explicit(&r->check, check_of(f, r), memory_order_release);
}

static void clear(struct record *r) {
    atomic_store_explicit(&r->check, 0, memory_order_release);
}

static bool is_free(const struct record *r) {
    return atomic_load_explicit(&r->check, memory_order_acquire) == 0;
}

static bool is_whole(const struct inflight *f, const struct record *r) {
    return r->id_size <= INFLIGHT_ID_MAX &&
           atomic_load_explicit(&r->check, memory_order_relaxed) == check_of(f, r);
}

static struct record *record_of(const struct inflight *f, uint32_t number) {
    return &f->records[number - 1];
}

static void write_text(char *to, size_t size, struct slice text) {
    struct slice cut = utf8_cut(text, size - 1);
    memset(to, 0, size);
    if (cut.n)
        memcpy(to, cut.p, cut.n);
}

static void write_record(const struct inflight *f, struct record *r, const struct job *job,
                         bool keyed) {
    struct slice id = utf8_cut(job->id, INFLIGHT_ID_MAX);
    struct hash128 hash = hash_of(f, job->id.p, job->id.n);
    const struct result *result = &job->result;
    r->id_hash[0] = hash.low;
    r->id_hash[1] = hash.high;
    r->sent = job->sent;
    r->salt = job->notes.salt ? job->notes.salt : f->salt;
    r->index = job->index;
    r->line = job->line_no;
    r->sent_at = result->started_at;
    r->attempts = (uint32_t)result->attempts;
    r->in_doubt = job->notes.in_doubt;
    r->answers = job->notes.answers;
    r->id_size = (uint16_t)id.n;
    r->id_is_cut = id.n < job->id.n;
    r->is_keyed = keyed;
    write_text(r->key, sizeof r->key, slice_str(result->key));
    if (id.n)
        memcpy(r->id, id.p, id.n);
    seal(f, r);
}

// -- the file --

static bool cannot_keep(struct inflight *f, const char *what, int code) {
    log_warn("%s: %s: %s; rows in flight are not remembered: after a crash nothing will say which "
             "may have been paid twice",
             f->path, what, strerror(code));
    f->is_full = true;
    return false;
}

static bool refuse(const struct inflight *f, const char *what, struct error *err) {
    return error_set(err, ERROR_USAGE,
                     "%s: %s, but it has the name of the file that remembers which rows are in "
                     "flight: move it away, or choose another file for the results with -o",
                     f->path, what);
}

static size_t file_size(size_t records) {
    return (records + 1) * RECORD_SIZE;
}

// Makes the file longer, so that writing to its pages cannot fail for want of room.
static bool make_room(struct inflight *f, size_t records) {
    size_t from = f->room ? file_size(f->room) : 0;
    int code = io_allocate(f->fd, (off_t)from, (off_t)(file_size(records) - from));
    if (code) {
        if (ftruncate(f->fd, (off_t)from) != 0)
            code = errno;
        return cannot_keep(f, "no room", code);
    }
    f->room = records;
    return true;
}

static bool map(struct inflight *f) {
    f->map_size = file_size(f->most);
    f->map = mmap(NULL, f->map_size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (f->map == MAP_FAILED) {
        f->map = NULL;
        return cannot_keep(f, "cannot be mapped", errno);
    }
    f->records = (struct record *)((char *)f->map + RECORD_SIZE);
    return true;
}

static uint64_t check_of_header(const struct header *h) {
    return hash_bytes(slice_of(h->magic, sizeof h->magic), h->nonce).low;
}

static bool is_header(const struct header *h) {
    return memcmp(h->magic, MAGIC, sizeof MAGIC) == 0 && h->check == check_of_header(h);
}

// A new file, or what is left of one that was being made: its room is there, its header not.
static bool is_unborn(const struct inflight *f) {
    char bytes[(1 + ROOM_FIRST) * RECORD_SIZE + 1];
    ssize_t n = pread(f->fd, bytes, sizeof bytes, 0);
    if (n < 0 || n == sizeof bytes)
        return false;
    while (n > 0 && bytes[n - 1] == 0)
        n--;
    return n == 0;
}

static bool begin(struct inflight *f, const struct inflight_options *options) {
    size_t first = f->most < ROOM_FIRST ? f->most : ROOM_FIRST;
    if (ftruncate(f->fd, 0) != 0)
        return cannot_keep(f, "cannot be emptied", errno);
    if (!make_room(f, first) || !map(f)) {
        unlink(f->path);
        return false;
    }
    struct header *h = f->map;
    memcpy(h->nonce, f->nonce, sizeof h->nonce);
    memcpy(h->magic, MAGIC, sizeof MAGIC);
    h->check = check_of_header(h);
    if (options->sync_name)
        io_sync_directory(f->path);
    return true;
}

static bool take_up(struct inflight *f, const struct header *h, off_t size) {
    memcpy(f->nonce, h->nonce, sizeof f->nonce);
    f->room = f->given = f->old = (size_t)size / RECORD_SIZE - 1;
    f->most += f->room;
    return map(f);
}

// False with err filled, or with f->is_full where the run goes on without a file.
static bool open_file(struct inflight *f, const struct inflight_options *options,
                      struct error *err) {
    struct stat st;
    struct header h = {0};
    f->fd = open(f->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
    if (f->fd < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO))
        return refuse(f, "this is no file of batch-run", err);
    if (f->fd < 0 || fstat(f->fd, &st) != 0)
        return cannot_keep(f, "cannot be opened", errno);
    if (!S_ISREG(st.st_mode))
        return refuse(f, "this is no file of batch-run", err);
    if (!claim_lock_beside(f->fd))
        return error_set(err, ERROR_USAGE, CLAIM_OTHER_RUN, f->path);
    if (pread(f->fd, &h, sizeof h, 0) < 0)
        return cannot_keep(f, "cannot be read", errno);
    bool ours = st.st_size >= RECORD_SIZE && is_header(&h);
    if (!ours && !is_unborn(f))
        return refuse(f, "this is no file of batch-run, or one of another version or machine", err);
    return ours && !options->overwrite ? take_up(f, &h, st.st_size) : begin(f, options);
}

// -- what earlier runs left --

static void tell(const struct record *r) {
    struct buf line = BUF_INIT(4096);
    buf_addf(&line, "row ");
    json_add_string(&line, slice_of(r->id, r->id_size));
    buf_addf(&line, "%s (line %lld): sent ", r->id_is_cut ? "…" : "", (long long)r->line);
    clock_add_rfc3339(&line, r->sent_at);
    buf_addf(&line, " with the key %.*s%s, %u attempt%s unanswered", (int)sizeof r->key, r->key,
             r->is_keyed ? " and an idempotency key" : "", r->in_doubt,
             r->in_doubt == 1 ? "" : "s");
    log_info("%s", buf_cstr(&line));
    buf_free(&line);
}

static void tell_all(const struct inflight *f) {
    size_t count = inflight_found(f);
    char keyed[120] = "";
    if (count == 0)
        return;
    if (f->keyed)
        snprintf(keyed, sizeof keyed,
                 "; %zu had an idempotency key, and cost once where such keys are honoured",
                 f->keyed);
    log_warn(
        "%s: %zu row%s may be paid twice: an earlier run sent %s and ended before the answer was "
        "written; %s not done, and will be sent again (--log-level info lists %s)%s",
        f->results, count, count == 1 ? "" : "s", count == 1 ? "it" : "them",
        count == 1 ? "it is" : "they are", count == 1 ? "it" : "them", keyed);
    for (size_t i = 0; i < f->old && log_wants(LOG_INFO); i++)
        if (f->unmet[i])
            tell(&f->records[i]);
    if (f->torn)
        log_info("which rows %zu of them are is not known: the notes were cut short", f->torn);
}

// Whether the record stays: its row is still in doubt.
static bool keep(struct inflight *f, const struct inflight_options *options, size_t i) {
    const struct record *r = &f->records[i];
    if (!is_whole(f, r)) {
        f->torn++;
        return false;
    }
    bool done = !r->id_is_cut && options->is_done &&
                options->is_done(options->context, slice_of(r->id, r->id_size), r->sent);
    return !done && ids_add(f->earlier, slice_of((const char *)r->id_hash, sizeof r->id_hash),
                            (int64_t)i + 1) == 0;
}

static void look_back(struct inflight *f, const struct inflight_options *options) {
    f->earlier = ids_new();
    f->spare = mem_zero(f->most, sizeof *f->spare);
    f->unmet = mem_zero(f->old + 1, sizeof *f->unmet);
    for (size_t i = f->old; i-- > 0;) { // so that the first ones are given first
        if (!is_free(&f->records[i]) && keep(f, options, i)) {
            f->unmet[i] = true;
            f->keyed += f->records[i].is_keyed;
            f->found++;
            continue;
        }
        clear(&f->records[i]);
        f->spare[f->spare_count++] = (uint32_t)i + 1;
    }
    f->unmet_count = f->found;
    tell_all(f);
}

static void give_up_file(struct inflight *f) {
    if (f->map)
        munmap(f->map, f->map_size);
    if (f->fd >= 0)
        close(f->fd);
    f->map = NULL;
    f->fd = -1;
}

struct inflight *inflight_open(const struct inflight_options *options, struct error *err) {
    struct inflight *f = mem_zero(1, sizeof *f);
    f->fd = -1;
    f->nonce[0] = random_seed();
    f->nonce[1] = random_seed();
    f->salt = random_seed() | 1;
    f->results = options->results;
    f->most = options->jobs_most;
    if (!options->path)
        return f;
    f->path = mem_text(options->path, strlen(options->path));
    if (open_file(f, options, err)) {
        look_back(f, options);
        return f;
    }
    give_up_file(f);
    if (f->is_full)
        return f;
    inflight_close(f);
    return NULL;
}

size_t inflight_found(const struct inflight *f) {
    return f->found + f->torn;
}

void inflight_find(struct inflight *f, struct job *job) {
    if (!f->unmet_count)
        return;
    struct hash128 hash = hash_of(f, job->id.p, job->id.n);
    uint64_t words[2] = {hash.low, hash.high};
    uint32_t number = (uint32_t)ids_find(f->earlier, slice_of((const char *)words, sizeof words));
    if (!number || !f->unmet[number - 1])
        return;
    const struct record *r = record_of(f, number);
    job->notes.earlier = number;
    job->notes.in_doubt = r->in_doubt;
    job->notes.answers = r->answers;
    job->notes.salt = r->salt;
    f->unmet[number - 1] = false;
    f->unmet_count--;
}

void inflight_forget_rest(struct inflight *f) {
    for (size_t i = 0; f->unmet_count && i < f->old; i++)
        if (f->unmet[i]) {
            clear(&f->records[i]);
            f->unmet_count--;
        }
}

// -- the run --

// 0 when no more are to be had.
static uint32_t take_number(struct inflight *f) {
    if (f->spare_count)
        return f->spare[--f->spare_count];
    size_t twice = f->room * 2 < f->most ? f->room * 2 : f->most;
    if (f->given == f->room && (f->is_full || twice == f->room || !make_room(f, twice)))
        return 0;
    return (uint32_t)++f->given;
}

// The job goes on with the record that an earlier run left, and gives up its own for it.
static void take_over(struct inflight *f, struct job_notes *notes) {
    if (notes->number)
        f->spare[f->spare_count++] = notes->number;
    notes->number = notes->earlier;
    notes->earlier = 0;
}

void inflight_sent(struct inflight *f, struct job *job, bool keyed) {
    struct job_notes *notes = &job->notes;
    notes->in_doubt++;
    if (f->fd < 0)
        return;
    if (notes->earlier)
        take_over(f, notes);
    if (notes->number || (notes->number = take_number(f)))
        write_record(f, record_of(f, notes->number), job, keyed);
}

void inflight_answered(struct inflight *f, struct job *job, bool paid) {
    struct job_notes *notes = &job->notes;
    notes->answers++;
    notes->in_doubt -= !paid;
    if (!notes->number)
        return;
    struct record *r = record_of(f, notes->number);
    r->in_doubt = notes->in_doubt;
    r->answers = notes->answers;
    if (notes->in_doubt)
        seal(f, r);
    else
        clear(r);
}

void inflight_written(struct inflight *f, struct job *job) {
    struct job_notes *notes = &job->notes;
    if (notes->in_doubt && notes->number)
        clear(record_of(f, notes->number));
    if (notes->earlier)
        clear(record_of(f, notes->earlier));
    notes->in_doubt = 0;
    notes->earlier = 0;
}

void inflight_sync(const struct inflight *f) {
    if (f->fd >= 0)
        io_fdatasync(f->fd);
}

static void print_uuid(char uuid[INFLIGHT_KEY_SIZE], struct hash128 h) {
    for (int i = 0; i < 32; i++) {
        uint64_t half = i < 16 ? h.high : h.low;
        *uuid++ = "0123456789abcdef"[half >> (60 - i % 16 * 4) & 15];
        if (i == 7 || i == 11 || i == 15 || i == 19)
            *uuid++ = '-';
    }
    *uuid = '\0';
}

void inflight_key(const struct inflight *f, const struct job *job, struct slice body,
                  char key[INFLIGHT_KEY_SIZE]) {
    struct hash128 id = hash_bytes(job->id, f->nonce);
    uint64_t parts[] = {job->notes.salt ? job->notes.salt : f->salt, job->notes.answers, id.low,
                        id.high, sum_of(f, body.p, body.n)};
    struct hash128 h = hash_of(f, parts, sizeof parts);
    h.high = (h.high & ~UINT64_C(0xf000)) | UINT64_C(0x8000);              // version 8: made by us
    h.low = (h.low & ~(UINT64_C(3) << 62)) | UINT64_C(0x8000000000000000); // RFC 9562's variant
    print_uuid(key, h);
}

static bool any_left(const struct inflight *f) {
    for (size_t i = 0; i < f->given; i++)
        if (!is_free(&f->records[i]))
            return true;
    return false;
}

void inflight_close(struct inflight *f) {
    if (!f)
        return;
    if (f->fd >= 0 && !any_left(f))
        unlink(f->path);
    else
        inflight_sync(f);
    give_up_file(f);
    ids_free(f->earlier);
    free(f->spare);
    free(f->unmet);
    free(f->path);
    free(f);
}
