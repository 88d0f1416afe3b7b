// order.c: who is next among the open keys, by strategy: a round, a bag or a heap. Loop thread; owned
// by its channel.
// SPDX-License-Identifier: MIT
#include "pool/keys/order.h"

#include "jobs/base/bits.h"
#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/heap.h"
#include "jobs/base/random.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

// What the strategies that rank their keys know of each. The first union is what took() changes.
struct member {
    struct heap_node node; // in the heap while it is open
    union {
        int64_t used; // least-used: requests; lru, priority: the turn of the last one
        double score; // least-loaded: load on the landmark's scale; weighted: virtual time
    };
    union {
        int64_t priority; // priority: as stated, then its rank among all
        double weight;    // weighted: as stated
    };
    int health; // weighted: 1 to 100
};

struct order {
    const struct rule *rule;
    size_t count;
    size_t open_count;
    struct bits open;
    bool begun; // a place was opened or taken: nothing is described any more

    size_t cursor; // round-robin: where the round goes on

    struct random random;
    uint32_t *bag;  // random: the open places, in no order
    uint32_t *slot; // random: where in the bag a place is
    size_t drawn;   // random: the place whose turn it is, or ORDER_NONE

    struct member *members; // those that rank, or NULL
    struct heap heap;
    int64_t turn;     // lru, priority: counts requests
    int64_t landmark; // least-loaded: the moment when a request weighs 1 on the scale
    double virtual;   // weighted: how far the open ones are
    size_t charged;   // weighted: requests since virtual was last taken back to 0
};

// A strategy: either it ranks, the lowest first, or it has its own way to say who is next.
struct rule {
    int64_t (*rank)(const struct order *order, const struct member *member);
    size_t (*next)(struct order *order);
    void (*begin)(struct order *order);
    void (*opened)(struct order *order, size_t place);
    void (*closed)(struct order *order, size_t place);
    void (*took)(struct order *order, size_t place, double cost, int64_t now);
};

// -- the heap: strategies that rank --

static void rank_again(struct order *o, struct member *m) {
    if (heap_holds(&m->node))
        heap_set(&o->heap, &m->node, o->rule->rank(o, m));
}

// After a change that turns no two ranks around: the heap stands as it is.
static void rank_all(struct order *o) {
    for (size_t i = 0; i < o->count; i++)
        if (heap_holds(&o->members[i].node))
            o->members[i].node.due = o->rule->rank(o, &o->members[i]);
}

static struct member *first_member(const struct order *o) {
    struct heap_node *first = heap_first(&o->heap);
    return first ? HEAP_ENTRY(first, struct member, node) : NULL;
}

static size_t next_in_heap(struct order *o) {
    struct member *first = first_member(o);
    return first ? (size_t)(first - o->members) : ORDER_NONE;
}

static void enter_heap(struct order *o, size_t place) {
    struct member *m = &o->members[place];
    heap_set(&o->heap, &m->node, o->rule->rank(o, m));
}

static void leave_heap(struct order *o, size_t place) {
    heap_remove(&o->heap, &o->members[place].node);
}

// The bits of doubles that are not negative are in the order of their values.
static int64_t rank_by_score(const struct order *o, const struct member *m) {
    (void)o;
    int64_t rank;
    memcpy(&rank, &m->score, sizeof rank);
    return rank;
}

// -- round-robin --

static size_t next_in_round(struct order *o) {
    return bits_next_round(&o->open, o->cursor);
}

static void took_in_round(struct order *o, size_t place, double cost, int64_t now) {
    (void)cost, (void)now;
    if (next_in_round(o) == place)
        o->cursor = place + 1;
}

// -- least-used --

static int64_t rank_by_use(const struct order *o, const struct member *m) {
    return m->used * (int64_t)o->count + (m - o->members);
}

static void count_use(struct order *o, size_t place, double cost, int64_t now) {
    (void)cost, (void)now;
    o->members[place].used++;
    rank_again(o, &o->members[place]);
}

// -- lru and priority --

// Beyond so many requests in one run, turns are no longer told apart. Ranks of priorities share a
// number with them: there are at most 2^24, as bits.h holds no more.
#define TURN_BITS 39
#define TURN_LAST ((INT64_C(1) << TURN_BITS) - 1)

static int64_t rank_by_turn(const struct order *o, const struct member *m) {
    (void)o;
    return m->used;
}

static int64_t rank_by_priority(const struct order *o, const struct member *m) {
    (void)o;
    return m->priority << TURN_BITS | m->used;
}

// Those never asked come first, by place.
static void begin_turns(struct order *o) {
    for (size_t i = 0; i < o->count; i++)
        o->members[i].used = (int64_t)i;
    o->turn = (int64_t)o->count;
}

static int compare_priority(const void *a, const void *b) {
    const struct member *x = *(struct member *const *)a, *y = *(struct member *const *)b;
    return (x->priority > y->priority) - (x->priority < y->priority);
}

static void begin_priorities(struct order *o) {
    begin_turns(o);
    struct member **sorted = mem_zero(o->count, sizeof *sorted);
    for (size_t i = 0; i < o->count; i++)
        sorted[i] = &o->members[i];
    qsort(sorted, o->count, sizeof *sorted, compare_priority);
    int64_t rank = 0, last = sorted[0]->priority;
    for (size_t i = 0; i < o->count; i++) {
        rank += sorted[i]->priority != last;
        last = sorted[i]->priority;
        sorted[i]->priority = rank;
    }
    free(sorted);
}

static void note_turn(struct order *o, size_t place, double cost, int64_t now) {
    (void)cost, (void)now;
    o->members[place].used = o->turn;
    o->turn += o->turn < TURN_LAST;
    rank_again(o, &o->members[place]);
}

// -- least-loaded --

// Loads fade alike, so their order stays when, instead of all fading, what is new weighs more: e
// times more for every LOAD_FADES after the landmark (forward decay, Cormode et al. 2009).
#define LOAD_FADES     (30 * USEC_PER_SEC)
#define LOAD_RESCALE   500 // fades; e^500 leaves a double room for 10^90 tokens
#define TOKENS_PER_ONE 1000.0

static double load_growth(const struct order *o, int64_t at) {
    return exp((double)(at - o->landmark) / (double)LOAD_FADES);
}

// Fresh places come in order: each has a load that is next to nothing.
static void begin_loads(struct order *o) {
    for (size_t i = 0; i < o->count; i++)
        o->members[i].score = (double)i * DBL_TRUE_MIN;
    o->landmark = INT64_MIN;
}

static void move_landmark(struct order *o, int64_t now) {
    if (o->landmark != INT64_MIN) {
        double shrink = 1 / load_growth(o, now);
        for (size_t i = 0; i < o->count; i++)
            o->members[i].score *= shrink;
        rank_all(o);
    }
    o->landmark = now;
}

static void add_load(struct order *o, size_t place, double cost, int64_t at) {
    struct member *m = &o->members[place];
    m->score = fmax(0, m->score + cost * load_growth(o, at));
    rank_again(o, m);
}

static void took_load(struct order *o, size_t place, double cost, int64_t now) {
    if (o->landmark == INT64_MIN || (now - o->landmark) / LOAD_FADES >= LOAD_RESCALE)
        move_landmark(o, now);
    add_load(o, place, cost, now);
}

// -- random --

static size_t draw(struct order *o) {
    if (o->drawn == ORDER_NONE && o->open_count)
        o->drawn = o->bag[random_below(&o->random, (int64_t)o->open_count)];
    return o->drawn;
}

static void enter_bag(struct order *o, size_t place) {
    size_t end = o->open_count - 1;
    o->bag[end] = (uint32_t)place;
    o->slot[place] = (uint32_t)end;
    o->drawn = ORDER_NONE;
}

static void leave_bag(struct order *o, size_t place) {
    uint32_t last = o->bag[o->open_count];
    o->bag[o->slot[place]] = last;
    o->slot[last] = o->slot[place];
    o->drawn = ORDER_NONE;
}

static void took_from_bag(struct order *o, size_t place, double cost, int64_t now) {
    (void)place, (void)cost, (void)now;
    o->drawn = ORDER_NONE;
}

// -- weighted --

// Each request moves its place on by a stride, the longer the smaller the weight; who is least far is
// next (stride scheduling, Waldspurger and Weihl 1995). A place that was closed goes on where the
// others are.
#define WEIGHT_MIN       1e-6
#define CHARGED_AT_LEAST ((size_t)1 << 20)

static double stride(const struct member *m) {
    return 100 / (fmax(m->weight, WEIGHT_MIN) * m->health);
}

static void begin_strides(struct order *o) {
    for (size_t i = 0; i < o->count; i++)
        o->members[i].score = stride(&o->members[i]);
}

static void join_at_virtual(struct order *o, size_t place) {
    struct member *m = &o->members[place];
    m->score = fmax(m->score, o->virtual);
    enter_heap(o, place);
}

// Doubles count finely only near 0.
static void restart_virtual(struct order *o) {
    for (size_t i = 0; i < o->count; i++)
        o->members[i].score = fmax(0, o->members[i].score - o->virtual);
    o->virtual = 0;
    o->charged = 0;
    rank_all(o);
}

static void charge(struct order *o, size_t place, double cost, int64_t now) {
    (void)cost, (void)now;
    struct member *m = &o->members[place], *first = first_member(o);
    double reached = first ? fmin(first->score, m->score) : m->score;
    o->virtual = fmax(o->virtual, reached);
    m->score += stride(m);
    rank_again(o, m);
    if (++o->charged >= CHARGED_AT_LEAST && o->charged >= o->count)
        restart_virtual(o);
}

// What it still has to wait grows or shrinks with its stride.
static void change_stride(struct order *o, struct member *m, int health) {
    double before = stride(m), ahead = m->score - o->virtual;
    m->health = health;
    if (ahead > 0)
        m->score = o->virtual + ahead * (stride(m) / before);
    rank_again(o, m);
}

// -- all --

static const struct rule rules[STRATEGY_COUNT] = {
    [STRATEGY_ROUND_ROBIN] = {.next = next_in_round, .took = took_in_round},
    [STRATEGY_LEAST_USED] = {rank_by_use, next_in_heap, NULL, enter_heap, leave_heap, count_use},
    [STRATEGY_LEAST_LOADED] = {rank_by_score, next_in_heap, begin_loads, enter_heap, leave_heap,
                               took_load},
    [STRATEGY_LRU] = {rank_by_turn, next_in_heap, begin_turns, enter_heap, leave_heap, note_turn},
    [STRATEGY_RANDOM] = {NULL, draw, NULL, enter_bag, leave_bag, took_from_bag},
    [STRATEGY_WEIGHTED] = {rank_by_score, next_in_heap, begin_strides, join_at_virtual, leave_heap,
                           charge},
    [STRATEGY_PRIORITY] = {rank_by_priority, next_in_heap, begin_priorities, enter_heap, leave_heap,
                           note_turn},
};

static bool follows(const struct order *o, enum strategy strategy) {
    return o->rule == &rules[strategy];
}

static void state_nothing(struct order *o, struct member *m) {
    m->health = 100;
    if (follows(o, STRATEGY_WEIGHTED))
        m->weight = 1;
}

struct order *order_new(const struct order_options *options) {
    struct order *o = mem_zero(1, sizeof *o);
    o->rule = &rules[options->strategy];
    o->count = options->count;
    o->random.state = options->seed;
    o->drawn = ORDER_NONE;
    bits_init(&o->open, o->count);
    if (o->rule->rank)
        o->members = mem_zero(o->count, sizeof *o->members);
    for (size_t i = 0; o->members && i < o->count; i++)
        state_nothing(o, &o->members[i]);
    if (follows(o, STRATEGY_RANDOM)) {
        o->bag = mem_zero(o->count, sizeof *o->bag);
        o->slot = mem_zero(o->count, sizeof *o->slot);
    }
    return o;
}

void order_free(struct order *o) {
    if (!o)
        return;
    bits_free(&o->open);
    heap_free(&o->heap);
    free(o->members);
    free(o->bag);
    free(o->slot);
    free(o);
}

void order_describe(struct order *o, size_t place, const struct order_standing *standing) {
    BUG_IF(o->begun || place >= o->count);
    if (follows(o, STRATEGY_PRIORITY))
        o->members[place].priority = standing->has_priority ? standing->priority : 0;
    if (follows(o, STRATEGY_WEIGHTED))
        o->members[place].weight = standing->has_weight     ? standing->weight
                                   : standing->has_priority ? (double)standing->priority
                                                            : 1;
}

static void begin(struct order *o) {
    if (!o->begun && o->rule->begin)
        o->rule->begin(o);
    o->begun = true;
}

void order_open(struct order *o, size_t place) {
    BUG_IF(place >= o->count);
    begin(o);
    if (bits_has(&o->open, place))
        return;
    bits_set(&o->open, place);
    o->open_count++;
    if (o->rule->opened)
        o->rule->opened(o, place);
}

void order_close(struct order *o, size_t place) {
    BUG_IF(place >= o->count);
    if (!bits_has(&o->open, place))
        return;
    bits_clear(&o->open, place);
    o->open_count--;
    if (o->rule->closed)
        o->rule->closed(o, place);
}

bool order_is_open(const struct order *o, size_t place) {
    return place < o->count && bits_has(&o->open, place);
}

size_t order_open_count(const struct order *o) {
    return o->open_count;
}

size_t order_next(struct order *o) {
    return o->rule->next(o);
}

void order_took(struct order *o, size_t place, int64_t tokens, int64_t now) {
    BUG_IF(place >= o->count);
    begin(o);
    o->rule->took(o, place, 1 + (double)tokens / TOKENS_PER_ONE, now);
}

void order_settle(struct order *o, size_t place, int64_t tokens_difference, int64_t taken_at) {
    BUG_IF(place >= o->count);
    if (follows(o, STRATEGY_LEAST_LOADED) && o->begun && o->landmark != INT64_MIN)
        add_load(o, place, (double)tokens_difference / TOKENS_PER_ONE, taken_at);
}

void order_set_health(struct order *o, size_t place, int health) {
    BUG_IF(place >= o->count);
    if (!follows(o, STRATEGY_WEIGHTED))
        return;
    struct member *m = &o->members[place];
    health = health < 1 ? 1 : health > 100 ? 100 : health;
    if (m->health != health)
        change_stride(o, m, health);
}
