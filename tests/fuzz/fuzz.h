// What the fuzz targets share: invariants, an input taken apart, files that are memory, reads cut
// short.
//
// A target is one file: it is given any bytes, does with them what the program does with bytes from
// outside, and states with HOLDS() what must be true of whatever comes out. tests/fuzz/run.sh runs
// them; corpus/<target>/ holds what each starts from.
// SPDX-License-Identifier: MIT
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "jobs/base/die.h"
#include "jobs/base/io.h"
#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "jobs/base/utf8.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUZZ_MAX ((size_t)1 << 22)

// Called by libFuzzer with each input.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Says what does not, and aborts.
#define HOLDS(condition) BUG_IF(!(condition))

static inline struct slice fuzz_input(const uint8_t *data, size_t size) {
    return size ? slice_of((const char *)data, size) : SLICE("");
}

// The first byte says what is done with the others; as a character, so that a corpus can be read: '0'
// is 0, 'A' 17.
static inline unsigned fuzz_choice(struct slice *input) {
    if (!input->n)
        return 0;
    unsigned choice = (unsigned char)(*input->p - '0');
    *input = slice_of(input->p + 1, input->n - 1);
    return choice;
}

// Takes a line from the front, without its newline.
static inline struct slice fuzz_line(struct slice *input) {
    const char *newline = memchr(input->p, '\n', input->n);
    size_t n = newline ? (size_t)(newline - input->p) : input->n;
    struct slice line = slice_of(input->p, n);
    size_t step = newline ? n + 1 : n;
    *input = slice_of(input->p + step, input->n - step);
    return line;
}

// The same numbers for the same input.
static inline struct random fuzz_random(struct slice input) {
    struct random random = {input.n};
    for (size_t i = 0; i < input.n; i++)
        random.state = random.state * 31 + (unsigned char)input.p[i];
    return random;
}

static inline bool fuzz_is_within(struct slice part, struct slice whole) {
    return whole.p && part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

// A token of this type that is whole; it may be absent.
static inline bool fuzz_is_token(struct slice token, enum json_type type) {
    return !token.p || (json_type(token) == type && json_check(token, NULL));
}

// A file in memory that can be opened by its path. Made once, never closed.
struct fuzz_file {
    int fd;
    char path[40];
};

static inline void fuzz_file_set(struct fuzz_file *file, struct slice bytes) {
    if (!file->path[0]) {
        file->fd = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->fd);
    }
    HOLDS(ftruncate(file->fd, 0) == 0);
    HOLDS(bytes.n == 0 || pwrite(file->fd, bytes.p, bytes.n, 0) == (ssize_t)bytes.n);
}

// From now on a read gives a few bytes at a time; a seed of 0 ends that. How a file is cut into reads
// changes nothing.
static struct random fuzz_reads;

static inline ssize_t fuzz_read_few(int fd, void *p, size_t n) {
    size_t few = 1 + (size_t)random_below(&fuzz_reads, 60);
    return read(fd, p, n < few ? n : few);
}

static inline void fuzz_cut_reads(uint64_t seed) {
    fuzz_reads.state = seed;
    io_read = seed ? fuzz_read_few : read;
}

#endif
