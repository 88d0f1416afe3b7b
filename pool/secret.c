// secret.c: the one place that holds the text of keys, in pages of its own. Any thread.
// SPDX-License-Identifier: MIT
#include "pool/secret.h"

#include "jobs/base/die.h"
#include "pool/secret_parts.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

// Secrets lie one after the other in blocks of pages that the kernel leaves out of core files. A
// block starts at a multiple of its size, so a secret's address tells its block; when its last
// secret is freed the block goes back. A secret too long for a block gets a larger one for itself.
#define BLOCK_SIZE ((size_t)64 * 1024)
#define ALIGNMENT  _Alignof(struct secret)

struct block {
    size_t size;
    size_t used;
    size_t secrets;
};

// An allocator's state, like malloc's own: which pages it has, and nothing of any run.
static struct {
    pthread_mutex_t lock;
    struct block *current;
} arena = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

// Maps one block more than needed and gives back what stands before and behind the aligned part.
static struct block *block_new(size_t wanted) {
    size_t size = round_up(sizeof(struct block) + wanted, BLOCK_SIZE);
    char *p =
        mmap(NULL, size + BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die("out of memory for keys; load fewer of them");
    size_t before = round_up((uintptr_t)p, BLOCK_SIZE) - (uintptr_t)p;
    if (before)
        munmap(p, before);
    if (before < BLOCK_SIZE)
        munmap(p + before + size, BLOCK_SIZE - before);
    struct block *block = (struct block *)(p + before);
    madvise(block, size, MADV_DONTDUMP); // where the kernel cannot, core files are the user's own
    block->size = size;
    block->used = round_up(sizeof *block, ALIGNMENT);
    return block;
}

static struct block *block_of(const struct secret *s) {
    return (struct block *)((uintptr_t)s / BLOCK_SIZE * BLOCK_SIZE);
}

// Room in the current block, or in a new one.
static struct secret *arena_take(size_t size) {
    struct block *block = arena.current;
    if (!block || block->size - block->used < size) {
        block = block_new(size);
        if (block->size == BLOCK_SIZE)
            arena.current = block;
    }
    struct secret *s = (struct secret *)((char *)block + block->used);
    block->used += size;
    block->secrets++;
    return s;
}

struct secret *secret_new(struct slice text) {
    pthread_mutex_lock(&arena.lock);
    struct secret *s = arena_take(round_up(sizeof *s + text.n, ALIGNMENT));
    pthread_mutex_unlock(&arena.lock);
    s->n = text.n;
    s->any_case = false;
    if (text.n)
        memcpy(s->text, text.p, text.n);
    return s;
}

void secret_free(struct secret *s) {
    if (!s)
        return;
    explicit_bzero(s->text, s->n);
    pthread_mutex_lock(&arena.lock);
    struct block *block = block_of(s);
    if (--block->secrets == 0) {
        if (arena.current == block)
            arena.current = NULL;
        munmap(block, block->size);
    }
    pthread_mutex_unlock(&arena.lock);
}

void secret_mask(const struct secret *s, char mask[SECRET_MASK_SIZE]) {
    size_t n = 0;
    if (s->n >= SECRET_SHOWN_MIN) {
        memcpy(mask, s->text, 4);
        n = 4;
    }
    memcpy(mask + n, "****", 4);
    n += 4;
    if (s->n >= SECRET_SHOWN_MIN) {
        memcpy(mask + n, s->text + s->n - 4, 4);
        n += 4;
    }
    mask[n] = '\0';
}

void secret_mask_in_json(const struct secret *s, char mask[SECRET_MASK_SIZE]) {
    secret_mask(s, mask);
    if (strpbrk(mask, "\"\\")) // what these show could end a JSON string
        memcpy(mask, "****", 5);
}

bool secret_is_empty(const struct secret *s) {
    return s->n == 0;
}

bool secret_eq(const struct secret *a, const struct secret *b) {
    return a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

struct hash128 secret_hash(const struct secret *s, const uint64_t key[2]) {
    return hash_bytes(slice_of(s->text, s->n), key);
}

void secret_add_header(const struct secret *s, const char *prefix, struct buf *out) {
    buf_add_str(out, prefix);
    buf_add(out, s->text, s->n);
}

void buf_wipe(struct buf *b) {
    if (b->cap)
        explicit_bzero(b->p, b->cap);
    buf_clear(b);
}

_Static_assert(SECRET_TAIL_MIN <= SECRET_SCRUBBED_MIN,
               "every secret that is looked for has that many");

static int hex_value(char c) {
    const char *found = c ? strchr("0123456789abcdef", c | 0x20) : NULL;
    return found && c > ' ' ? (int)(found - "0123456789abcdef") : -1;
}

// The value of n hexadecimal digits at p, or -1.
int secret_hex_number(const char *p, const char *end, int n) {
    int value = 0;
    if (end - p < n)
        return -1;
    for (int i = 0; i < n; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static bool is_char(int found, char c, bool any_case) {
    if (any_case && found >= 'A' && found <= 'Z')
        found |= 0x20;
    return found == (unsigned char)c;
}

// How many bytes at p stand for the character c: itself, escaped, as \u00xx or %xx; 0 when none do.
static size_t match_char(const char *p, const char *end, char c, bool any_case) {
    const char *q = p;
    while (q < end && *q == '\\' && q - p < SECRET_BACKSLASHES_MAX)
        q++;
    size_t run = (size_t)(q - p);
    bool unicode = run && q < end && *q == 'u' && secret_hex_number(q + 1, end, 4) >= 0;
    if (unicode && is_char(secret_hex_number(q + 1, end, 4), c, any_case))
        return run + 5;
    bool quote = q < end && *q == '"';
    if (c == '\\' && run) // the last of an odd run belongs to the \uxxxx or the quote behind it
        return (unicode || quote) && run > 1 ? run - run % 2 : run;
    if (q < end && is_char((unsigned char)*q, c, any_case))
        return (size_t)(q + 1 - p);
    if (!run && q < end && *q == '%' && is_char(secret_hex_number(q + 1, end, 2), c, any_case))
        return 3;
    return 0;
}

// Whether q to end is the beginning of an escape that the end of the text cuts off.
static bool is_cut_escape(const char *q, const char *end) {
    const char *p = q;
    while (p < end && *p == '\\')
        p++;
    if (p == end)
        return true;
    if (p > q ? *p != 'u' : *p != '%')
        return false;
    size_t digits = p > q ? 4 : 2;
    size_t rest = (size_t)(end - p - 1);
    return rest < digits && secret_hex_number(p + 1, end, (int)rest) >= 0;
}

// How many bytes at p are the secret, or all of it that fits before the end; 0 when they are not.
static size_t match_at(const struct secret *s, const char *p, const char *end) {
    const char *q = p;
    for (size_t i = 0; i < s->n; i++) {
        size_t step = match_char(q, end, s->text[i], s->any_case);
        if (step == 0)
            return i >= SECRET_TAIL_MIN && is_cut_escape(q, end) ? (size_t)(end - p) : 0;
        bool run = *q == '\\';
        q += step;
        while (run && s->text[i] == '\\' && i + 1 < s->n && s->text[i + 1] == '\\')
            i++; // a run of them was matched as one
    }
    return (size_t)(q - p);
}

// Where the secret may begin: at its first character, or at an escape. Nearly all text has none, so
// each of the three is looked for with memchr and remembered.
struct candidates {
    const char *end;
    char wanted[3];
    const char *next[3]; // the next of each at or after the place asked for, or end
};

static const char *next_candidate(struct candidates *c, const char *p) {
    const char *nearest = c->end;
    for (int i = 0; i < 3; i++) {
        if (c->next[i] < p) {
            const char *found = memchr(p, c->wanted[i], (size_t)(c->end - p));
            c->next[i] = found ? found : c->end;
        }
        if (c->next[i] < nearest)
            nearest = c->next[i];
    }
    return nearest;
}

// A backslash behind another belongs to that one; a first character without its second is nothing.
static bool may_begin(const struct secret *s, const char *text, const char *p, const char *end) {
    if (*p == '\\')
        return p == text || p[-1] != '\\';
    if (s->any_case || *p != s->text[0] || p + 1 == end)
        return true;
    return p[1] == s->text[1] || p[1] == '\\' || p[1] == '%';
}

// Where in a run of backslashes at p those begin that may be escaping: an even number, which mean
// themselves, stay in front of them.
const char *secret_into_reach(const char *p, const char *end) {
    const char *q = p;
    while (q < end && *q == '\\')
        q++;
    size_t run = (size_t)(q - p);
    return run > SECRET_BACKSLASHES_MAX ? p + (run - SECRET_BACKSLASHES_MAX + 1) / 2 * 2 : p;
}

// How many bytes at *p are the secret; *p moves past backslashes that are none of it.
size_t secret_find_at(const struct secret *s, const char *text, const char **p, const char *end) {
    if (!may_begin(s, text, *p, end))
        return 0;
    const char *from = secret_into_reach(*p, end);
    size_t found = match_at(s, from, end);
    if (found)
        *p = from;
    return found;
}

// Where the \uxxxx begins among whose digits p is, if that is at or after `text`; else p. What a key
// begins with may be the end of a character that somebody escaped: then that goes too.
const char *secret_escape_begin(const char *text, const char *p) {
    if (p == text)
        return p;
    const char *u = p - 1;
    while (u > text && p - u < 4 && hex_value(*u) >= 0)
        u--;
    if (u <= text || *u != 'u')
        return p;
    const char *back = u;
    while (back > text && back[-1] == '\\')
        back--;
    return (u - back) % 2 ? u - 1 : p;
}

// Writes what stands in for `found` bytes of secret; returns how many bytes that takes.
size_t secret_put_mask(char *out, const char *mask, size_t found) {
    size_t n = strlen(mask);
    if (found < n) // a cut-off rest, shorter than the mask
        memset(out, '*', n = found);
    else
        memcpy(out, mask, n);
    return n;
}

// Of the characters any stretch of the secret begins with, one that is rare in prose if there is one.
static size_t rare_place(const struct secret *s) {
    for (size_t i = 0; i < SECRET_TAIL_MIN; i++)
        if (s->text[i] < 'a' || s->text[i] > 'z')
            return i;
    return 0;
}

// False for nearly all text, at once: it has no escapes, and nowhere the characters that the secret,
// or what is left of it at the end, begins with.
static bool may_hold(const struct secret *s, const char *text, size_t n) {
    if (memchr(text, '\\', n) || memchr(text, '%', n))
        return true;
    size_t place = rare_place(s);
    const char *end = text + n, *p = text;
    while (p < end && (p = memchr(p, s->text[place], (size_t)(end - p)))) {
        bool fits = (size_t)(p - text) >= place && (size_t)(end - p) >= SECRET_TAIL_MIN - place;
        if (fits && memcmp(p - place, s->text, SECRET_TAIL_MIN) == 0)
            return true;
        p++;
    }
    return false;
}

bool secret_is_digits(const struct secret *s) {
    bool digits = true;
    for (size_t i = 0; i < s->n; i++)
        digits = digits && s->text[i] >= '0' && s->text[i] <= '9';
    return digits;
}

struct secret_quotes secret_quotes(const char *text, size_t n) {
    struct slice start = slice_trim(slice_of(text, n));
    bool json = start.n && (*start.p == '{' || *start.p == '[');
    return (struct secret_quotes){text, json, false};
}

// Whether p, at or after the place asked for before, is in a number.
bool secret_in_number(struct secret_quotes *q, const char *p) {
    if (!q->followed)
        return false;
    for (; q->seen < p; q->seen++) {
        if (*q->seen == '"')
            q->inside = !q->inside;
        else if (*q->seen == '\\' && q->inside)
            q->seen++; // to what is escaped
    }
    return !q->inside;
}

size_t secret_scrub(const struct secret *s, char *text, size_t n) {
    char mask[SECRET_MASK_SIZE];
    const char *end = text + n, *kept = text; // up to `kept` everything is in its place
    char *out = text;
    if (s->n < SECRET_SCRUBBED_MIN || n == 0 || !may_hold(s, text, n))
        return n;
    struct candidates c = {.end = end, .wanted = {s->text[0], '\\', '%'}};
    secret_mask_in_json(s, mask);
    c.next[0] = c.next[1] = c.next[2] = NULL;
    struct secret_quotes quotes = secret_quotes(text, n);
    quotes.followed &= secret_is_digits(s);
    for (const char *p = next_candidate(&c, text); p < end;) {
        size_t found = secret_find_at(s, text, &p, end);
        if (found) {
            const char *begin = secret_escape_begin(kept, p);
            found += (size_t)(p - begin);
            p = begin;
            const char *instead = secret_in_number(&quotes, p) ? "1" : mask;
            memmove(out, kept, (size_t)(p - kept));
            out += p - kept;
            out += secret_put_mask(out, instead, found);
            quotes.seen = kept = p + found;
        }
        p = next_candidate(&c, found ? kept : p + 1);
    }
    if (out == text) // nothing was found: nothing moves
        return n;
    memmove(out, kept, (size_t)(end - kept));
    return (size_t)(out - text) + (size_t)(end - kept);
}
