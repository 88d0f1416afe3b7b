// standing.c: what is true of a key whatever the model: its hands are full, it is out, it is back.
// Loop thread.
// SPDX-License-Identifier: MIT
#include "pool/pool_parts.h"

int key_width(const struct key *key) {
    return key->standing == STANDING_TRIAL ? 1 : width_now(&key->width);
}

void key_settle(struct key *key) {
    struct home *home = key->account->home;
    for (size_t i = 0; i < home->channel_count; i++) {
        struct seat *seat = &home->channels[i]->seats[key->place];
        // one that waits for something else learns of it when that is over
        if (seat->place != SEAT_PARKED && seat->place != SEAT_RESTING)
            seat_settle(seat);
        else if (key->standing == STANDING_REMOVED)
            seat_move(seat, SEAT_OUT);
    }
}

void key_reopen(struct key *key) {
    struct home *home = key->account->home;
    for (size_t i = 0; i < home->channel_count; i++) {
        struct seat *seat = &home->channels[i]->seats[key->place];
        if (seat->place != SEAT_PARKED)
            seat_settle(seat);
    }
}

static enum key_state state_in(const struct key *key, const struct tab *tab) {
    switch (tab->state) {
    case TAB_COOLING: return tab->no_model ? KEY_NO_MODEL : KEY_COOLING;
    case TAB_TRIAL: return KEY_TRIAL;
    case TAB_PROBING: return KEY_PROBING;
    case TAB_OPEN: break;
    }
    return key->in_flight >= key_width(key) ? KEY_FULL : KEY_READY;
}

void key_show(struct key *key, const struct channel *channel) {
    enum key_state state = KEY_READY;
    switch (key->standing) {
    case STANDING_REMOVED: state = KEY_REMOVED; break;
    case STANDING_SUSPENDED: state = KEY_SUSPENDED; break;
    case STANDING_TRIAL: state = key->in_flight ? KEY_PROBING : KEY_TRIAL; break;
    case STANDING_GOOD: state = state_in(key, channel->seats[key->place].tab); break;
    }
    key_set_state(key, state);
}

static void show_everywhere(struct key *key) {
    struct home *home = key->account->home;
    for (size_t i = 0; i < home->channel_count; i++)
        key_show(key, home->channels[i]);
}

// Given up, as far as this run is concerned.
static bool is_out(const struct key *key) {
    return key->standing == STANDING_REMOVED ||
           (key->standing == STANDING_SUSPENDED && key->looks == 0);
}

static void set_standing(struct key *key, enum key_standing standing, int looks) {
    struct home *home = key->account->home;
    home->out -= is_out(key);
    key->standing = standing;
    key->looks = looks;
    home->out += is_out(key);
    if (standing != STANDING_SUSPENDED)
        heap_remove(&home->suspended, &key->timer);
    key_settle(key);
    show_everywhere(key);
}

static void suspend(struct key *key, int64_t until, int looks) {
    struct home *home = key->account->home;
    if (key->standing != STANDING_SUSPENDED || key->timer.due < until)
        heap_set(&home->suspended, &key->timer, until);
    key->rests_until = key->timer.due;
    set_standing(key, STANDING_SUSPENDED, looks);
}

void key_suspend(struct key *key, int64_t until) {
    suspend(key, until, 0);
}

void key_doubt(struct key *key, int64_t until) {
    suspend(key, until, key->looks + 1);
}

void key_remove(struct key *key) {
    set_standing(key, STANDING_REMOVED, key->looks);
}

void key_restore(struct key *key) {
    set_standing(key, STANDING_GOOD, 0);
}

void home_wake(struct home *home, int64_t now) {
    struct heap_node *node;
    while ((node = heap_pop_due(&home->suspended, now))) {
        struct key *key = HEAP_ENTRY(node, struct key, timer);
        set_standing(key, STANDING_TRIAL, key->looks);
    }
}
