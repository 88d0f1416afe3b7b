// The inside of the pool, shared by its files; nobody else includes this.
//
//   home      a provider and its keys
//   account   keys that share limits at the provider (a group; a key without one is its own)
//   channel   one model's requests to a provider
//   seat      a key in a channel
//   tab       an account in a channel: what is known of its limits for this model
//
// A tab:
//   OPEN ──refused──▶ COOLING until t ──▶ TRIAL ──one request──▶ PROBING ──answered──▶ OPEN
//                        ▲   longer                                 │  (no word on it: TRIAL)
//                        └──────────────refused─────────────────────┘
//
// A seat is in exactly one place, and moves by seat_move() alone:
//   SEAT_OPEN     in the channel's order: may be chosen. What its tab thinks of it is asked then
//   SEAT_FULL     its key has its hands full
//   SEAT_PARKED   in its tab's line, until the tab can serve
//   SEAT_RESTING  in the channel's heap: its key's own stated limits are used up for now
//   SEAT_OUT      its key is suspended or removed
//
// Nothing may be forgotten: a tab with seats in its line has a timer set, or a seat among the open
// ones, or a request in flight. tab_pass() keeps it so: it lets the first of the line go, who calls
// the next when it is served.
// SPDX-License-Identifier: MIT
#ifndef POOL_POOL_PARTS_H
#define POOL_POOL_PARTS_H

#include "jobs/base/heap.h"
#include "jobs/base/list.h"
#include "pool/keys/affinity.h"
#include "pool/keys/order.h"
#include "pool/limits/breaker.h"
#include "pool/limits/chance.h"
#include "pool/limits/felt.h"
#include "pool/limits/learned.h"
#include "pool/limits/meter.h"
#include "pool/outage.h"
#include "pool/pool.h"
#include "pool/restore.h"

#include <pthread.h>

enum tab_state { TAB_OPEN, TAB_COOLING, TAB_TRIAL, TAB_PROBING };

#define SERVED_SIZES 8 // by powers of four, from 64 tokens on
#define USED_SLOTS   5 // of 15 seconds, the latest still running

// Refusals that may be a row's own, or may not: of a seat, or of a tab where they are about rates.
// Made with the first one.
struct suspicion {
    uint64_t row;       // refused, and no other served since; 0: none
    int64_t sent_at;    // when it was sent
    int rows;           // different ones that were refused in a row
    int64_t charged_at; // when the key or account was last blamed: refusals until then are no row's
    int64_t served_at;  // when the latest that was served was sent, since this was made
    int64_t served_size[SERVED_SIZES]; // the same, of those of this size
    int contradicted; // refused rows that other accounts served, since this key served one …
    int64_t contradicted_since; // … when the first of them was sent
    int64_t made_at;
    int64_t used_before;      // tokens taken before it was made
    int64_t used[USED_SLOTS]; // tokens taken since …
    int64_t used_slot;        // … the latest slot's number
};

struct tab {
    struct account *account;
    struct channel *channel;
    enum tab_state state;
    struct list line;       // seats that are SEAT_PARKED, first come first served
    struct heap_node timer; // when it is to be looked at again: COOLING, or OPEN with a line
    int64_t until_wall;     // COOLING to the end of a day: that, by the wall clock; else 0
    bool no_model;          // COOLING because the account has not this model
    bool is_asked_to_wait;  // COOLING for as long as the provider said
    bool is_crowded;        // its group had its hands full when a seat was asked
    int refusals;           // one after the other …
    int64_t refused_since;  // … since then
    int64_t served_at;      // when the latest that was served was sent; 0: none
    int in_flight;
    bool is_given_up;            // its refusals never pass, though they say no more than "too many"
    struct suspicion *suspicion; // NULL until a row was refused for its rate
    int64_t surprises;           // refusals although limits are announced
    int64_t cooled_at;           // when the last cool-down began: what was sent before is no news
    struct spend taken;          // everything so far, in flight included; until `learned` counts
    struct learned *learned;     // NULL until limits were announced
    struct felt felt;
    struct chance chance;
};

enum seat_place { SEAT_OPEN, SEAT_FULL, SEAT_PARKED, SEAT_RESTING, SEAT_OUT };

struct seat {
    struct key *key;
    struct tab *tab;
    enum seat_place place;
    struct suspicion *suspicion; // NULL until a row was refused without a word on the key
    struct list node;            // SEAT_PARKED
    struct heap_node timer;      // SEAT_RESTING
};

struct account {
    struct home *home;
    size_t number;    // its index in home->accounts
    const char *name; // the group's; NULL for a single key
    struct key **keys;
    size_t key_count;
    struct meter *meter; // what is stated for the group, or NULL
    int64_t most;        // requests the group may have in flight, 0: no such limit
    int64_t in_flight;
};

// What outage_note() keeps of a channel's outage.
struct channel_outage {
    bool is_on, is_said;
    struct outage_report report;
};

struct channel {
    struct home *home;
    struct slice model; // owned
    struct seat *seats; // as home->keys
    struct tab *tabs;   // as home->accounts
    struct order *order;
    struct affinity affinity;
    struct heap resting_tabs, resting_seats;
    struct breaker breaker;
    struct channel_outage outage; // under the pool's lock
    size_t full;          // who waits for an answer only: seats that are SEAT_FULL, crowded tabs
    size_t no_model;      // tabs that are COOLING for want of the model
    double output_tokens; // of an answer, on average
    int64_t
        output_estimate; // the same as it is reserved: follows when it is off by more than a little
    double refused_share;    // of rows that were refused for a rate at first, lately
    struct spend parked_for; // the most that seats were asked for which wait for a limit since
};

struct home {
    struct pool *pool;
    const struct provider *provider;
    struct key **keys; // in the order they were given
    size_t count;
    struct account *accounts;
    size_t account_count;
    struct key **by_account; // the same keys, those of an account together
    struct channel *channels[CHANNELS_MAX];
    size_t channel_count;
    struct heap suspended; // keys by when they may be tried again
    size_t in_flight;
    size_t out;           // keys that are given up: removed, or suspended and not in doubt
    bool has_answered;    // whatever it said: it is there
    int64_t answered_at;  // when a key was last accepted
    struct key *last_out; // the key that was refused last
    int64_t last_out_at;
    int64_t day_end; // wall clock, when the provider's day ends
};

// A cool-down that an earlier run left for a model.
struct kept_rest {
    size_t key;
    struct slice model; // owned
    int64_t until;      // unix microseconds
    bool is_day;
    char *reason;
    struct kept_rest *next;
};

struct pool {
    struct pool_options options;
    struct kept_rest *kept; // until a row asks for the model
    struct home *homes;
    size_t home_count;
    struct key *keys; // all of them, one block
    size_t key_count;
    struct random random;
    pthread_mutex_t outage_lock; // of all channels' outages
    int64_t wall_offset;         // wall clock minus monotonic clock
    int64_t now;                 // as it was told last
    pool_used used;              // or NULL
    void *used_context;
};

// -- tab.c --

void seat_move(struct seat *seat, enum seat_place place);
// Where it belongs by its key alone: among the open ones, full, or out.
void seat_settle(struct seat *seat);
// Into its tab's line; when: the tab is to be looked at then (TIME_NEVER: its timer stands, or an
// answer is on its way).
void seat_park(struct seat *seat, int64_t when);
// Into the channel's heap: its key may not be used before then.
void seat_rest(struct seat *seat, int64_t when);

void tab_set_state(struct tab *tab, enum tab_state state);
// Lets the first of the line go who can be chosen.
void tab_pass(struct tab *tab);
// Not before `until`; a later time that is set already stays.
void tab_cool(struct tab *tab, int64_t until, int64_t until_wall);
// Its group has its hands full, or not any more.
void tab_set_crowded(struct tab *tab, bool is_crowded);
// Back to work, after an answer.
void tab_open(struct tab *tab);
// Limits of the account may have got room, in every channel: the first of each line is asked again.
void account_ask_again(const struct account *account);
// The same for all who wait for a limit in this channel.
void channel_ask_again(struct channel *channel);
// Everything whose time has come.
void channel_wake(struct channel *channel, int64_t now);
// The wall clock jumped, or a day ended.
void channel_follow_wall(struct channel *channel, int64_t now);

// -- standing.c: what a key's seats in all channels have in common --

int key_width(const struct key *key);
// After its requests in flight, its width or its standing changed.
void key_settle(struct key *key);
// After a request of its own ended: its stated limits may have got room too.
void key_reopen(struct key *key);
// What it looks like from outside, with the eyes of this channel's requests.
void key_show(struct key *key, const struct channel *channel);
void key_suspend(struct key *key, int64_t until);
// The same, but it may be good all the same: it is looked at once more, and not given up.
void key_doubt(struct key *key, int64_t until);
void key_remove(struct key *key);
void key_restore(struct key *key);
void home_wake(struct home *home, int64_t now);
// Whether all its keys are given up.
static inline bool home_is_spent(const struct home *home) {
    return home->out == home->count;
}

// -- suspects.c: whether a refusal is the row's or the key's --

enum suspect {
    SUSPECT_NONE, // the words name whose it is
    SUSPECT_ROW,  // it may be the row's own: the key is not blamed for it as yet
    SUSPECT_KEY,  // the key has refused others too
    SUSPECT_HERE, // the row's, as far as this account goes: another is asked (opinion.c)
};

// Notes a refusal.
enum suspect suspects_note(struct lease *lease, const struct pool_report *report, int64_t now);
// The key was accepted with a row, which need not have been answered.
void suspects_served(struct lease *lease, const struct pool_report *report, int64_t now);
// Whether the seat's account is among those that refused the row.
bool suspects_refused_by(const struct row_refusals *refused, const struct account *account);
// Until then the row goes to other accounts only.
int64_t suspects_wait_until(const struct row_refusals *refused);

// -- opinion.c: refusals that are final at one account, but need not be at another --

// Whether the row is to be asked of another account; not before there is one. report->refused is not NULL.
bool opinion_is_wanted(const struct lease *lease, const struct pool_report *report);
// Whether others served so many rows which this key refused that it is the key.
bool opinion_is_of_key(const struct lease *lease, const struct pool_report *report);
// A good answer; refused: those who refused the same row before, or NULL.
void opinion_served(struct lease *lease, const struct row_refusals *refused);
// Whether the row has been asked of enough accounts, the last refusal being one of these.
bool opinion_is_settled(const struct row_refusals *refused);

// -- notice.c: what is said about keys and accounts --

struct notice {
    const char *who;  // a key or a group
    const char *what; // "cools"
    int64_t pause;    // 0: not said
    const char *why;
    bool loud;
};

void notice_say(const struct notice *n);
// Why the key is not ready: the refusal's code and words.
void key_set_reason(struct key *key, const struct verdict *verdict);
void key_clear_reason(struct key *key);
const char *account_name(const struct account *account);

// -- follow.c: what follows from an answer --

// The account was not to blame: it is as it was before its pause.
void tab_forgive(struct tab *tab);

void follow(struct lease *lease, const struct pool_report *report, int64_t now);

// -- restore.c: what an earlier run left --

// A new channel's keys may cool since then.
void restore_channel(struct channel *channel);
void restore_free(struct pool *pool);

// Tells what a key has used: more, or less than was told before.
static inline void pool_tell_use(const struct lease *lease, int64_t requests, int64_t tokens) {
    const struct pool *pool = lease->channel->home->pool;
    if (pool->used && (requests || tokens))
        pool->used(pool->used_context, (size_t)(lease->key - pool->keys), requests, tokens);
}

static inline struct moment pool_moment(const struct home *home, int64_t now) {
    return (struct moment){now, now + home->pool->wall_offset, home->day_end};
}

#endif
