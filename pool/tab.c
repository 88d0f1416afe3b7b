// tab.c: moves seats and tabs between their states, and wakes those whose time has come. Loop thread.
// SPDX-License-Identifier: MIT
#include "pool/pool_parts.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "pool/limits/cooldown.h"

// -- seats --

static size_t place_of(const struct seat *seat) {
    return seat->key->place;
}

static void leave(struct seat *seat) {
    struct channel *channel = seat->tab->channel;
    switch (seat->place) {
    case SEAT_OPEN: order_close(channel->order, place_of(seat)); break;
    case SEAT_FULL: channel->full--; break;
    case SEAT_PARKED: list_remove(&seat->node); break;
    case SEAT_RESTING: heap_remove(&channel->resting_seats, &seat->timer); break;
    case SEAT_OUT: break;
    }
}

void seat_move(struct seat *seat, enum seat_place place) {
    struct channel *channel = seat->tab->channel;
    bool was_open = seat->place == SEAT_OPEN;
    if (seat->place == place)
        return;
    leave(seat);
    seat->place = place;
    if (place == SEAT_OPEN)
        order_open(channel->order, place_of(seat));
    else if (place == SEAT_FULL)
        channel->full++;
    else if (place == SEAT_PARKED)
        list_push(&seat->tab->line, &seat->node);
    // it may have been the one whom the others wait for
    if (was_open && place != SEAT_PARKED && seat->tab->account->key_count > 1)
        tab_pass(seat->tab);
}

void seat_settle(struct seat *seat) {
    const struct key *key = seat->key;
    if (key->standing == STANDING_SUSPENDED || key->standing == STANDING_REMOVED)
        seat_move(seat, SEAT_OUT);
    else if (key->in_flight >= key_width(key))
        seat_move(seat, SEAT_FULL);
    else
        seat_move(seat, SEAT_OPEN);
}

void seat_park(struct seat *seat, int64_t when) {
    struct tab *tab = seat->tab;
    if (when != TIME_NEVER && (!heap_holds(&tab->timer) || when < tab->timer.due))
        heap_set(&tab->channel->resting_tabs, &tab->timer, when);
    seat_move(seat, SEAT_PARKED);
}

void seat_rest(struct seat *seat, int64_t when) {
    seat_move(seat, SEAT_RESTING);
    heap_set(&seat->tab->channel->resting_seats, &seat->timer, when);
}

// -- tabs --

// Bit b of allowed[a]: a tab may move from state a to state b.
#define TO(state) (1u << (state))
static const unsigned allowed[] = {
    [TAB_OPEN] = TO(TAB_COOLING),
    [TAB_COOLING] = TO(TAB_TRIAL) | TO(TAB_COOLING) | TO(TAB_OPEN),
    [TAB_TRIAL] = TO(TAB_PROBING) | TO(TAB_COOLING) | TO(TAB_OPEN),
    [TAB_PROBING] = TO(TAB_OPEN) | TO(TAB_TRIAL) | TO(TAB_COOLING),
};

void tab_set_state(struct tab *tab, enum tab_state state) {
    BUG_IF(!(allowed[tab->state] & TO(state)));
    tab->state = state;
    for (size_t i = 0; i < tab->account->key_count; i++)
        key_show(tab->account->keys[i], tab->channel);
}

void tab_pass(struct tab *tab) {
    if (tab->state == TAB_COOLING || tab->state == TAB_PROBING)
        return;
    while (!list_is_empty(&tab->line)) {
        struct seat *seat = LIST_ENTRY(tab->line.next, struct seat, node);
        seat_settle(seat);
        if (seat->place == SEAT_OPEN)
            return;
    }
}

static void rest_until(struct tab *tab, int64_t until) {
    heap_set(&tab->channel->resting_tabs, &tab->timer, until);
    for (size_t i = 0; i < tab->account->key_count; i++)
        if (tab->account->keys[i]->standing == STANDING_GOOD)
            tab->account->keys[i]->rests_until = until;
}

void tab_cool(struct tab *tab, int64_t until, int64_t until_wall) {
    if (tab->state == TAB_COOLING && tab->timer.due > until)
        return;
    rest_until(tab, until);
    tab->until_wall = until_wall;
    tab_set_state(tab, TAB_COOLING);
}

void tab_set_crowded(struct tab *tab, bool is_crowded) {
    tab->channel->full += is_crowded;
    tab->channel->full -= tab->is_crowded;
    tab->is_crowded = is_crowded;
}

void tab_open(struct tab *tab) {
    heap_remove(&tab->channel->resting_tabs, &tab->timer);
    tab->until_wall = 0;
    tab->refusals = 0;
    tab->is_given_up = false;
    tab->channel->no_model -= tab->no_model;
    tab->no_model = false;
    if (tab->state != TAB_OPEN)
        tab_set_state(tab, TAB_OPEN);
    tab_pass(tab);
}

static void wake_tab(struct tab *tab) {
    tab->until_wall = 0;
    if (tab->state == TAB_COOLING)
        tab_set_state(tab, TAB_TRIAL);
    tab_pass(tab);
}

// Whoever waits for a limit of this tab, and not for a cool-down.
static void tab_ask_again(struct tab *tab) {
    if (tab->state == TAB_COOLING || tab->state == TAB_PROBING || list_is_empty(&tab->line))
        return;
    heap_remove(&tab->channel->resting_tabs, &tab->timer);
    tab_pass(tab);
}

void account_ask_again(const struct account *account) {
    for (size_t i = 0; i < account->home->channel_count; i++) {
        struct tab *tab = &account->home->channels[i]->tabs[account->number];
        tab_set_crowded(tab, false);
        tab_ask_again(tab);
    }
}

static void wake_seats(struct channel *channel, int64_t now) {
    struct heap_node *node;
    while ((node = heap_pop_due(&channel->resting_seats, now)))
        seat_settle(HEAP_ENTRY(node, struct seat, timer));
}

void channel_ask_again(struct channel *channel) {
    channel->parked_for = (struct spend){0, 0, 0};
    for (size_t i = 0; i < channel->home->account_count; i++)
        tab_ask_again(&channel->tabs[i]);
    wake_seats(channel, TIME_NEVER);
}

void channel_wake(struct channel *channel, int64_t now) {
    struct heap_node *node;
    while ((node = heap_pop_due(&channel->resting_tabs, now)))
        wake_tab(HEAP_ENTRY(node, struct tab, timer));
    wake_seats(channel, now);
}

// A bench to the end of a day moves with it, but a day is never longer than a day.
static void move_bench(struct tab *tab, int64_t now) {
    int64_t offset = tab->channel->home->pool->wall_offset;
    int64_t latest = now + offset + COOLDOWN_HINT_MOST;
    if (tab->until_wall > latest)
        tab->until_wall = latest;
    rest_until(tab, tab->until_wall - offset);
}

// Who waits for a limit that is stated may wait for the day's: all of them are asked again.
void channel_follow_wall(struct channel *channel, int64_t now) {
    for (size_t i = 0; i < channel->home->account_count; i++) {
        struct tab *tab = &channel->tabs[i];
        if (tab->until_wall) {
            move_bench(tab, now);
        } else if (tab->state != TAB_COOLING) {
            heap_remove(&channel->resting_tabs, &tab->timer);
            tab_pass(tab);
        }
    }
    wake_seats(channel, TIME_NEVER);
}
