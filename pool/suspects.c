// suspects.c: tells rows that are refused by any key from keys that refuse any row. Loop thread.
//
// A refusal that does not name the key for certain is the row's at first. It becomes the key's when the key
// refuses another row before it serves one, and stays the row's when the key serves another row that was
// sent after it.
// SPDX-License-Identifier: MIT
#include "pool/pool_parts.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"

#include <math.h>
#include <stdlib.h>

// A refusal for a rate may be chance: so many in a row that chance alone gives them once in a million rows,
// where this share of all rows is refused at least.
#define CHANCE_OF_ROW   1e-6
#define SHARE_LEAST     0.03
#define SHARE_MOST      0.8
#define SHARE_OVER      64
#define PATIENCE_ALONE  2 // refusals with the limit whole
#define OTHER_SEATS     3 // refusals by one key while there would be others, but none that may serve
#define WAIT_FIRST      (USEC_PER_SEC / 4)
#define WAIT_MOST       (60 * USEC_PER_SEC)
#define USED_SPAN       (15 * USEC_PER_SEC)
#define NEXT_TO_NOTHING 4 // a quarter of what the row itself takes

static bool is_rate(enum cause cause) {
    return cause == BECAUSE_RATE;
}

// Statuses that say of themselves that it is the request.
static bool is_about_request(int status) {
    switch (status) {
    case 400:
    case 404:
    case 405:
    case 406:
    case 410:
    case 411:
    case 412:
    case 413:
    case 414:
    case 415:
    case 416:
    case 417:
    case 422:
    case 431: return true;
    default: return false;
    }
}

static bool is_uncertain(const struct verdict *v) {
    switch (v->cause) {
    case BECAUSE_RATE: return true;
    case BECAUSE_MONEY: return v->about_size;
    case BECAUSE_KEY:
    case BECAUSE_FORBIDDEN: return v->by_status;
    case BECAUSE_REQUEST:
        return v->by_status && v->status >= 400 && v->status <= 499 && !is_about_request(v->status);
    default: return false;
    }
}

static bool says(const struct verdict *v, const char *const *words) {
    for (; *words; words++)
        if (strcasestr(v->message, *words) || strcasestr(v->code, *words))
            return true;
    return false;
}

static enum outcome outcome_of_row(const struct verdict *v) {
    static const char *const models[] = {"model", NULL};
    static const char *const policies[] = {"content", "policy", "safety", "moderation", NULL};
    if (v->final)
        return v->outcome;
    if (v->about_size && (is_rate(v->cause) || v->cause == BECAUSE_MONEY))
        return OUTCOME_TOO_LARGE;
    if (is_rate(v->cause))
        return OUTCOME_RATE_LIMITED;
    if (says(v, models))
        return OUTCOME_MODEL;
    return says(v, policies) ? OUTCOME_CONTENT_FILTER : OUTCOME_INVALID_REQUEST;
}

// -- what was used lately --

static void move_slots(struct suspicion *s, int64_t now) {
    int64_t slot = now / USED_SPAN;
    for (; s->used_slot < slot; s->used_slot++) {
        if (slot - s->used_slot > USED_SLOTS)
            s->used_slot = slot - USED_SLOTS;
        s->used[(s->used_slot + 1) % USED_SLOTS] = 0;
    }
}

static int64_t tokens_of(const struct spend *spend) {
    return spend->input_tokens + spend->output_tokens;
}

// Whether the account had little else to do in the last minute, this request apart.
static bool was_alone(struct lease *lease, struct suspicion *s, int64_t now) {
    int64_t own = tokens_of(&lease->charge.spend), used = 0;
    move_slots(s, now);
    for (int i = 0; i < USED_SLOTS; i++)
        used += s->used[i];
    if (now - s->made_at < USED_SPAN * (USED_SLOTS - 1))
        used += s->used_before;
    return used <= own / NEXT_TO_NOTHING;
}

// -- suspicions --

static struct suspicion *suspicion_made(struct suspicion **at, int64_t now) {
    if (!*at) {
        *at = mem_zero(1, sizeof **at);
        (*at)->made_at = now;
        (*at)->used_slot = now / USED_SPAN;
        (*at)->charged_at = INT64_MIN;
        (*at)->served_at = INT64_MIN;
        for (int i = 0; i < SERVED_SIZES; i++)
            (*at)->served_size[i] = INT64_MIN;
    }
    return *at;
}

static struct suspicion *suspicion_of(struct seat *seat, int cause) {
    return is_rate((enum cause)cause) ? seat->tab->suspicion : seat->suspicion;
}

static int size_class(int64_t tokens) {
    int size = 0;
    for (; tokens > 64 && size < SERVED_SIZES - 1; tokens /= 4)
        size++;
    return size;
}

static void note_served(struct suspicion *s, const struct lease *lease, int64_t now) {
    int64_t sent_at = lease->charge.at, tokens = tokens_of(&lease->charge.spend);
    int size = size_class(tokens);
    move_slots(s, now);
    s->used[s->used_slot % USED_SLOTS] += tokens;
    if (lease->row == s->row || sent_at >= s->sent_at)
        s->row = 0;
    if (sent_at > s->served_at)
        s->served_at = sent_at;
    if (sent_at > s->served_size[size])
        s->served_size[size] = sent_at;
}

void suspects_served(struct lease *lease, const struct pool_report *report, int64_t now) {
    struct seat *seat = lease->seat;
    struct channel *channel = lease->channel;
    if (lease->charge.at > lease->key->served_at)
        lease->key->served_at = lease->charge.at;
    if (lease->charge.at > seat->tab->served_at && report->verdict->cause != BECAUSE_MODEL)
        seat->tab->served_at = lease->charge.at;
    channel->refused_share -= channel->refused_share / SHARE_OVER;
    if (seat->suspicion)
        note_served(seat->suspicion, lease, now);
    if (seat->tab->suspicion)
        note_served(seat->tab->suspicion, lease, now);
    if (report->verdict->outcome == OUTCOME_OK)
        opinion_served(lease, report->refused);
}

// Whether it may be the row: no other was refused since one was served. Else the key is to blame.
static bool accuse(struct suspicion *s, const struct lease *lease, int64_t now) {
    if (s->row && s->row != lease->row) {
        s->rows++;
        s->charged_at = now;
        s->row = lease->row;
        return false;
    }
    if (!s->row) {
        s->rows = 1;
        s->sent_at = lease->charge.at;
    }
    s->row = lease->row;
    return true;
}

static void add_refusal(struct row_refusals *refused, const struct lease *lease,
                        const struct verdict *v, bool alone, bool is_local, int64_t now) {
    refused->list[refused->count++ % REFUSALS_KEPT] =
        (struct row_refusal){.seat = lease->seat,
                             .sent_at = lease->charge.at,
                             .at = now,
                             .status = v->status,
                             .cause = (int)v->cause,
                             .about_size = v->about_size,
                             .is_local = is_local,
                             .was_alone = alone};
    refused->size_class = size_class(tokens_of(&lease->charge.spend));
    refused->fails_as = outcome_of_row(v);
}

// Where a limit is known, or no other row can tell, the first refusal is the account's: limits are met so.
static bool note_rate(struct lease *lease, const struct pool_report *report, int64_t now) {
    struct tab *tab = lease->seat->tab;
    struct channel *channel = lease->channel;
    bool is_new = !tab->suspicion;
    struct suspicion *s = suspicion_made(&tab->suspicion, now);
    const struct spend *taken = tab->learned ? &tab->learned->taken : &tab->taken;
    if (is_new)
        s->used_before = tokens_of(taken) - tokens_of(&lease->charge.spend);
    bool is_first = report->refused->count == 0, mine = accuse(s, lease, now);
    if (is_first)
        channel->refused_share += (1 - channel->refused_share) / SHARE_OVER;
    add_refusal(report->refused, lease, report->verdict, was_alone(lease, s, now), false, now);
    return mine && (!is_first || (report->others_wait && tab->felt.rate <= 0));
}

// Whether a key that refused this row served another one since.
static bool was_served_since(const struct row_refusals *refused) {
    for (int i = 0; i < refusals_kept(refused); i++) {
        const struct row_refusal *r = &refused->list[i];
        if (suspicion_of(r->seat, r->cause)->served_at >= r->sent_at)
            return true;
    }
    return false;
}

// A 401 speaks of the key, but of one that served before another row has to say so too.
static bool note_other(struct lease *lease, const struct pool_report *report, int64_t now) {
    struct suspicion *s = suspicion_made(&lease->seat->suspicion, now);
    bool mine = accuse(s, lease, now);
    bool is_served = lease->key->counts.ok && report->others_wait;
    if (report->verdict->cause == BECAUSE_KEY && !was_served_since(report->refused) && !is_served)
        mine = false;
    add_refusal(report->refused, lease, report->verdict, false, false, now);
    return mine;
}

static enum suspect note_here(struct lease *lease, const struct pool_report *report, int64_t now) {
    suspicion_made(&lease->seat->suspicion, now);
    add_refusal(report->refused, lease, report->verdict, false, true, now);
    return opinion_is_of_key(lease, report) ? SUSPECT_KEY : SUSPECT_HERE;
}

enum suspect suspects_note(struct lease *lease, const struct pool_report *report, int64_t now) {
    if (!lease->row || !report->refused)
        return SUSPECT_NONE;
    if (opinion_is_wanted(lease, report))
        return note_here(lease, report, now);
    if (!is_uncertain(report->verdict))
        return SUSPECT_NONE;
    bool mine = is_rate(report->verdict->cause) ? note_rate(lease, report, now)
                                                : note_other(lease, report, now);
    return mine ? SUSPECT_ROW : SUSPECT_KEY;
}

// -- where it goes next --

static const struct account *account_of(const struct row_refusal *r) {
    return ((const struct seat *)r->seat)->tab->account;
}

bool suspects_refused_by(const struct row_refusals *refused, const struct account *account) {
    for (int i = 0; i < refusals_kept(refused); i++)
        if (account_of(&refused->list[i]) == account)
            return true;
    return false;
}

int64_t suspects_wait_until(const struct row_refusals *refused) {
    if (refusals_last(refused)->is_local)
        return TIME_NEVER;
    int64_t wait = WAIT_FIRST;
    for (int i = 1; i < refused->count && wait < WAIT_MOST; i++)
        wait *= 2;
    return refusals_last(refused)->at + (wait < WAIT_MOST ? wait : WAIT_MOST);
}

// -- the judgement --

struct evidence {
    int alike;     // refusals like the last one, but those that turned out to be the key's
    int confirmed; // of these: another row was served by that key afterwards
    int fitting;   // of these: one of its size at least
    int alone;     // refused although the account had nothing else to do
    bool accounts; // more than one refused it
    bool cleared;  // the key of each had served others at some time
};

static bool served_as_large(const struct suspicion *s, const struct row_refusal *r, int size) {
    for (; size < SERVED_SIZES; size++)
        if (s->served_size[size] >= r->sent_at)
            return true;
    return false;
}

static struct evidence weigh(const struct row_refusals *refused, int size) {
    const struct row_refusal *last = refusals_last(refused);
    struct evidence e = {.cleared = true};
    const struct account *first = NULL;
    for (int i = 0; i < refusals_kept(refused); i++) {
        const struct row_refusal *r = &refused->list[i];
        const struct seat *seat = r->seat;
        const struct suspicion *s = suspicion_of(r->seat, r->cause);
        if (r->cause != last->cause || r->status != last->status || s->charged_at >= r->at)
            continue;
        e.alike++;
        e.confirmed += s->served_at >= r->sent_at;
        e.fitting += served_as_large(s, r, size);
        e.alone += r->was_alone;
        e.accounts = e.accounts || (first && first != account_of(r));
        e.cleared = e.cleared && seat->key->counts.ok > 0;
        first = account_of(r);
    }
    return e;
}

static bool is_alive(const struct account *account) {
    for (size_t i = 0; i < account->key_count; i++)
        if (account->keys[i]->standing == STANDING_GOOD ||
            account->keys[i]->standing == STANDING_TRIAL)
            return true;
    return false;
}

static bool has_other_account(const struct home *home, const struct row_refusals *refused) {
    for (size_t i = 0; i < home->account_count; i++)
        if (!suspects_refused_by(refused, &home->accounts[i]) && is_alive(&home->accounts[i]))
            return true;
    return false;
}

// More than chance would give, and not for want of room.
static bool is_rate_blamed(const struct row_refusals *refused, const struct evidence *e,
                           const struct channel *channel) {
    double share = fmin(fmax(channel->refused_share, SHARE_LEAST), SHARE_MOST);
    int enough = (int)ceil(log(CHANCE_OF_ROW) / log(share));
    int alike = e->alike + refused->count - refusals_kept(refused);
    if (refusals_last(refused)->about_size && e->alone >= PATIENCE_ALONE)
        return true;
    if (alike < enough)
        return false;
    if (e->alone >= PATIENCE_ALONE && e->cleared)
        return true;
    return refusals_last(refused)->about_size ? e->fitting > 0 : e->confirmed > 0;
}

static bool is_blamed(const struct row_refusals *refused, bool others_wait) {
    const struct row_refusal *last = refusals_last(refused);
    const struct tab *tab = ((const struct seat *)last->seat)->tab;
    const struct home *home = tab->account->home;
    if (last->is_local)
        return opinion_is_settled(refused);
    struct evidence e = weigh(refused, refused->size_class);
    if (is_rate((enum cause)last->cause))
        return is_rate_blamed(refused, &e, tab->channel);
    bool no_more = !others_wait && home->in_flight == 0; // nothing will tell more
    bool enough =
        e.accounts || e.alike >= OTHER_SEATS || (e.alike >= 2 && !has_other_account(home, refused));
    return enough && (e.confirmed >= 2 || no_more);
}

// A pause that nobody asked for, and that no other row's refusal stands behind.
static void lift_pause(const struct row_refusal *r, bool has_model) {
    struct tab *tab = ((struct seat *)r->seat)->tab;
    if (tab->no_model && r->cause == BECAUSE_MODEL && has_model)
        tab_forgive(tab);
    const struct suspicion *s = tab->suspicion;
    bool pauses = tab->state == TAB_COOLING || tab->state == TAB_TRIAL;
    if (is_rate((enum cause)r->cause) && pauses && s->row && s->rows == 1 && !tab->is_asked_to_wait)
        tab_forgive(tab);
}

bool pool_blames_row(const struct row_refusals *refused, bool others_wait) {
    if (refused->count == 0 || !is_blamed(refused, others_wait))
        return false;
    bool has_model = false; // one of those that refused it serves others with the same model
    for (int i = 0; i < refusals_kept(refused); i++)
        has_model = has_model || ((const struct seat *)refused->list[i].seat)->tab->served_at;
    for (int i = 0; i < refusals_kept(refused); i++)
        lift_pause(&refused->list[i], has_model);
    return true;
}
