// standstill.c: finds out why nothing moves, for the screen. Loop thread.
// SPDX-License-Identifier: MIT
#include "runner/standstill.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/utf8.h"
#include "runner/loop.h"

#include <stdlib.h>

#define LOOK_EVERY (200 * USEC_PER_MS)

void standstill_init(struct standstill *s, const struct plan *plan) {
    *s = (struct standstill){.plan = plan};
    s->troubles = mem_zero(plan->route_count, sizeof *s->troubles);
}

void standstill_free(struct standstill *s) {
    free(s->troubles);
}

static void keep_words(char words[WHY_WORDS_MAX], const char *text) {
    struct slice all = slice_str(text);
    struct slice cut = utf8_cut(all, all.n < WHY_WORDS_MAX ? all.n : WHY_WORDS_MAX - 1);
    memcpy(words, cut.p, cut.n);
    words[cut.n] = '\0';
}

void standstill_heard(struct standstill *s, const struct route *route,
                      const struct verdict *verdict, int http_status, int64_t now) {
    struct trouble *trouble = &s->troubles[route - s->plan->routes];
    if (verdict->cause != BECAUSE_UPSTREAM) {
        trouble->since = 0;
        return;
    }
    if (!trouble->since)
        trouble->since = now;
    trouble->http_status = http_status;
    keep_words(trouble->words, verdict->message);
}

// When something is tried next.
static int64_t next_try(const struct loop *l) {
    struct heap_node *parked = heap_first(&l->parked);
    return parked && parked->due < l->not_before ? parked->due : l->not_before;
}

static bool has_waiting(const struct loop *l) {
    for (size_t i = 0; i < l->lanes.count; i++)
        if (lane_first(l->lanes.list[i]))
            return true;
    return heap_first(&l->parked) != NULL;
}

// The provider that has failed for longest, of those that rows wait for.
static bool find_trouble(const struct standstill *s, const struct loop *l, struct why_note *note) {
    for (size_t i = 0; i < s->plan->route_count; i++) {
        const struct trouble *trouble = &s->troubles[i];
        if (!trouble->since || (note->cause && note->since <= trouble->since))
            continue;
        *note = (struct why_note){.cause = WHY_PROVIDER,
                                  .since = trouble->since,
                                  .until = next_try(l),
                                  .http_status = trouble->http_status,
                                  .who = s->plan->routes[i].provider->name};
        keep_words(note->words, trouble->words);
    }
    return note->cause != WHY_NOTHING;
}

static void describe_keys(const struct loop *l, struct why_note *note) {
    *note = (struct why_note){.cause = WHY_LIMITS, .until = l->not_before};
    for (size_t i = 0; i < pool_key_count(l->p->pool); i++) {
        const struct key *key = pool_key(l->p->pool, i);
        enum key_state state = key_state(key);
        if (state != KEY_COOLING && state != KEY_TRIAL)
            continue;
        note->cause = WHY_LIMITED;
        if (key->reason && !note->words[0])
            keep_words(note->words, key->reason);
    }
}

// All rows that wait are told to come again later, and nothing is under way.
static bool is_limited(const struct loop *l) {
    bool waiting = false;
    for (size_t i = 0; i < l->lanes.count; i++) {
        const struct job_lane *lane = l->lanes.list[i];
        if (lane_first(lane) && lane->answer != POOL_LATER)
            return false;
        waiting = waiting || lane_first(lane);
    }
    return waiting && l->in_flight == 0;
}

static void find(const struct standstill *s, const struct loop *l, struct why_note *note) {
    if (l->held)
        *note = (struct why_note){.cause = WHY_DISK};
    else if (find_trouble(s, l, note))
        return;
    else if (is_limited(l))
        describe_keys(l, note);
    else if (!l->alive && !has_waiting(l) && !atomic_load(&l->p->input_ended))
        *note = (struct why_note){.cause = WHY_INPUT};
}

void standstill_look(struct standstill *s, struct loop *l) {
    bool idle = l->in_flight == 0;
    if ((!idle && l->now < s->due) || pipeline_stopping(l->p) != STOP_NO)
        return;
    s->due = l->now + LOOK_EVERY;
    struct why_note note = {.cause = WHY_NOTHING, .until = TIME_NEVER};
    find(s, l, &note);
    if (note.cause == WHY_NOTHING && s->note.cause == WHY_NOTHING)
        return;
    if (!note.since)
        note.since = note.cause == s->note.cause ? s->note.since : l->now;
    s->note = note;
    why_set(&l->p->why, &note);
}
