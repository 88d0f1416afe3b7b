// ids.c: the set of row ids: an array for row numbers, a hash table for what else there is. Any one
// thread.
// SPDX-License-Identifier: MIT
#include "jobs/ids.h"

#include "jobs/base/die.h"
#include "jobs/base/hash.h"
#include "jobs/base/json.h"
#include "jobs/base/random.h"
#include "jobs/ids_table.h"

#include <stdlib.h>
#include <sys/mman.h>

// A number this far beyond twice the count of those in the array is not put there: an array that is
// mostly empty would take more than the table does.
#define AHEAD 65536

struct ids {
    uint64_t key[2];
    int64_t *plain; // by id; 0: it is not there, though it may be in the table
    size_t room;    // of plain, in numbers; memory that was not touched is none
    int64_t plain_most;
    int64_t plain_count;
    struct ids_table table;
};

struct ids *ids_new(void) {
    struct ids *ids = mem_zero(1, sizeof *ids);
    ids->key[0] = random_seed();
    ids->key[1] = random_seed();
    return ids;
}

void ids_free(struct ids *ids) {
    if (!ids)
        return;
    if (ids->plain)
        munmap(ids->plain, ids->room * sizeof *ids->plain);
    ids_table_free(&ids->table);
    free(ids);
}

// -- keys --

// "17" is, "017", "+17", "0" and "1e3" are not: an id that is not what its number looks like is another
// id. Twelve digits are more than there are rows.
static int64_t plain_number(struct slice id) {
    int64_t number = 0;
    if (id.n == 0 || id.n > 12 || id.p[0] == '0')
        return 0;
    for (size_t i = 0; i < id.n; i++) {
        if (id.p[i] < '0' || id.p[i] > '9')
            return 0;
        number = number * 10 + (id.p[i] - '0');
    }
    return number;
}

static struct ids_key key_of(struct slice bytes, const uint64_t secret[2]) {
    struct hash128 h = hash_bytes(bytes, secret);
    return (struct ids_key){0, h.high >> (64 - IDS_HASH_BITS), h.low << IDS_NUMBER_BITS};
}

struct ids_key ids_key(const struct ids *ids, struct slice id) {
    int64_t plain = plain_number(id);
    return plain ? (struct ids_key){.plain = plain} : key_of(id, ids->key);
}

// What the table knows a number by. The other secret keeps it apart from an id of these eight bytes.
static struct ids_key table_key(const struct ids *ids, struct ids_key key) {
    const uint64_t secret[2] = {~ids->key[0], ids->key[1]};
    if (!key.plain)
        return key;
    return key_of(slice_of((const char *)&key.plain, sizeof key.plain), secret);
}

// -- numbers --

static bool belongs_in_array(const struct ids *ids, int64_t plain) {
    return plain && (plain <= ids->plain_most || plain <= 2 * ids->plain_count + AHEAD);
}

static void make_room(struct ids *ids, int64_t plain) {
    size_t room = ids->room ? ids->room : 2 * AHEAD, old = ids->room * sizeof *ids->plain;
    while (room <= (size_t)plain)
        room *= 2;
    if (room == ids->room)
        return;
    size_t new = room * sizeof *ids->plain;
    void *p = old ? mremap(ids->plain, old, new, MREMAP_MAYMOVE)
                  : mmap(NULL, new, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        die("out of memory (%zu bytes wanted to tell rows apart); what is written stays, run again "
            "to continue",
            new);
    ids->plain = p;
    ids->room = room;
}

static int64_t find_plain(const struct ids *ids, int64_t plain) {
    return plain && plain <= ids->plain_most ? ids->plain[plain] : 0;
}

static void add_plain(struct ids *ids, int64_t plain, int64_t number) {
    make_room(ids, plain);
    if (plain > ids->plain_most)
        ids->plain_most = plain;
    ids->plain[plain] = number;
    ids->plain_count++;
}

// -- both --

void ids_prefetch(const struct ids *ids, struct ids_key key) {
    if (!key.plain)
        ids_table_prefetch(&ids->table, key);
}

// A number that was too far ahead once is in the table for good.
int64_t ids_find_key(const struct ids *ids, struct ids_key key) {
    int64_t found = find_plain(ids, key.plain);
    if (found || !ids->table.count)
        return found;
    return ids_table_find(&ids->table, table_key(ids, key));
}

int64_t ids_find(const struct ids *ids, struct slice id) {
    return ids_find_key(ids, ids_key(ids, id));
}

int64_t ids_add_key(struct ids *ids, struct ids_key key, int64_t number) {
    BUG_IF(number < 1 || number >> IDS_NUMBER_BITS);
    if (!belongs_in_array(ids, key.plain))
        return ids_table_add(&ids->table, table_key(ids, key), number);
    int64_t before = ids_find_key(ids, key);
    if (!before)
        add_plain(ids, key.plain, number);
    return before;
}

int64_t ids_add(struct ids *ids, struct slice id, int64_t number) {
    return ids_add_key(ids, ids_key(ids, id), number);
}

void ids_change(struct ids *ids, struct ids_key key, int64_t number) {
    BUG_IF(number < 1 || number >> IDS_NUMBER_BITS);
    if (find_plain(ids, key.plain))
        ids->plain[key.plain] = number;
    else
        ids_table_change(&ids->table, table_key(ids, key), number);
}

void ids_expect(struct ids *ids, int64_t count) {
    ids->table.expected = count > ids->plain_count ? (size_t)(count - ids->plain_count) : 0;
}

int64_t ids_count(const struct ids *ids) {
    return ids->plain_count + (int64_t)ids->table.count;
}

size_t ids_bytes(const struct ids *ids) {
    size_t plain = ids->plain ? ((size_t)ids->plain_most + 1) * sizeof *ids->plain : 0;
    return sizeof *ids + plain + ids_table_bytes(&ids->table);
}
