// follow.c: what follows from an answer, for the key, its account, the model, the provider. Loop
// thread.
// SPDX-License-Identifier: MIT
#include "pool/pool_parts.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "pool/limits/cooldown.h"

#include <stdlib.h>

// Keys that served before and are refused alike within moments may be good and the provider wrong (an
// outage of what checks keys looks like that): they get further looks before they are taken out.
#define LOOKS_MOST 2
#define LOOK_FIRST (USEC_PER_SEC / 2) // then 1 s
#define MOMENTS    (2 * USEC_PER_SEC)

// Refused in spite of announcements: so often, and one in so many requests.
#define SURPRISES_ENOUGH 3
#define SURPRISES_ONE_IN 20

// A 429 that never passes: so many refusals one after the other, over so long.
#define TRIALS_ENOUGH 5
#define TRIALS_SPAN   (300 * USEC_PER_SEC)

#define MODEL_PAUSE   (300 * USEC_PER_SEC)
#define HINTS_TRUSTED 3
#define SPREAD_MOST   (USEC_PER_SEC / 2)

// -- the account and this model --

// What was sent before the last refusal came says no more than that did.
static bool is_news(const struct lease *lease) {
    const struct tab *tab = lease->seat->tab;
    return (lease->is_trial || tab->state == TAB_OPEN) && lease->charge.at >= tab->cooled_at;
}

// A hint is kept to, with a little on top, so that keys refused together come back one by one; when
// it proved too short again and again, the pause grows beyond it.
static int64_t pause_of(const struct tab *tab, const struct verdict *verdict) {
    struct pool *pool = tab->channel->home->pool;
    int64_t fixed = verdict->cause == BECAUSE_DAY ? COOLDOWN_AUTO : pool->options.cooldown;
    int64_t pause = cooldown_after(fixed, verdict->hint, tab->refusals, &pool->random);
    if (fixed != COOLDOWN_AUTO || verdict->hint < 0)
        return pause;
    if (tab->channel->home->account_count > 1)
        pause +=
            random_below(&pool->random, (pause < SPREAD_MOST * 50 ? pause / 50 : SPREAD_MOST) + 1);
    if (tab->refusals <= HINTS_TRUSTED)
        return pause;
    int64_t grown = cooldown_after(fixed, -1, tab->refusals - HINTS_TRUSTED, &pool->random);
    return pause > grown ? pause : grown;
}

// Who is out has a reason of its own. NULL: all are.
static const char *set_reasons(const struct account *account, const struct verdict *verdict) {
    const char *why = NULL;
    for (size_t i = 0; i < account->key_count; i++) {
        struct key *key = account->keys[i];
        if (key->standing != STANDING_GOOD)
            continue;
        key_set_reason(key, verdict);
        why = key->reason;
    }
    return why;
}

// How long a key that is out is left alone: as the pool file's healthCheckInterval says, else for hours.
static int64_t recheck_after(const struct key *key) {
    int64_t stated = key->account->home->pool->options.keyring->recheck;
    return stated > 0 ? stated : COOLDOWN_MONEY_PROBE;
}

// Whether another account was asked for this model and served since then.
static bool is_another_served(const struct tab *tab, int64_t since) {
    const struct channel *channel = tab->channel;
    for (size_t i = 0; i < channel->home->account_count; i++)
        if (&channel->tabs[i] != tab && channel->tabs[i].served_at >= since)
            return true;
    return false;
}

// A 429 whose words are not known may be an account that is blocked: a limit passes now and then, and is
// met by all accounts alike.
static bool never_passes(const struct lease *lease, const struct verdict *verdict, int64_t now) {
    const struct tab *tab = lease->seat->tab;
    return verdict->cause == BECAUSE_RATE && verdict->by_status && tab->refusals >= TRIALS_ENOUGH &&
           now - tab->refused_since >= TRIALS_SPAN && lease->key->served_at < tab->refused_since &&
           is_another_served(tab, tab->refused_since);
}

// Its keys are asked again as rarely as those that are out of money.
static void give_up(struct lease *lease, const struct verdict *verdict, int64_t now) {
    struct tab *tab = lease->seat->tab;
    const struct account *account = tab->account;
    bool is_said = tab->is_given_up;
    int64_t pause = recheck_after(lease->key);
    tab->is_given_up = true;
    for (size_t i = 0; i < account->key_count; i++) {
        struct key *key = account->keys[i];
        if (key->standing == STANDING_REMOVED)
            continue;
        key_set_reason(key, verdict);
        key_suspend(key, now + pause);
    }
    notice_say(&(struct notice){account_name(account),
                                "is refused each time, while others are served; left alone", pause,
                                lease->key->reason, !is_said});
}

static void cool(struct lease *lease, const struct verdict *verdict, int64_t now) {
    struct tab *tab = lease->seat->tab;
    struct account *account = tab->account;
    bool begins = tab->state != TAB_COOLING; // else it says what is known
    if (tab->refusals == 0)
        tab->refused_since = now;
    tab->refusals += is_news(lease);
    tab->cooled_at = now;
    tab->is_asked_to_wait = verdict->hint >= 0 || verdict->cause != BECAUSE_RATE;
    int64_t pause = pause_of(tab, verdict);
    int64_t wall = now + tab->channel->home->pool->wall_offset;
    tab_cool(tab, now + pause, verdict->cause == BECAUSE_DAY ? wall + pause : 0);
    if (never_passes(lease, verdict, now)) {
        give_up(lease, verdict, now);
        return;
    }
    if (!begins)
        return;
    const char *why = set_reasons(account, verdict);
    if (why)
        notice_say(&(struct notice){account_name(account), "cools", pause, why, false});
}

// A limit that is announced need not be felt, unless it is refused often in spite of it: then there is
// another that is not.
static bool is_to_feel(struct lease *lease, const struct pool_report *report) {
    struct tab *tab = lease->seat->tab;
    if (tab->channel->home->pool->options.feels_nothing)
        return false;
    if (!report->announced)
        return true;
    int64_t requests = (int64_t)tab->felt.takes;
    return ++tab->surprises >= SURPRISES_ENOUGH && tab->surprises * SURPRISES_ONE_IN > requests;
}

// A key that is refused by chance goes on at once, at its pace.
static bool may_be_chance(const struct lease *lease) {
    struct tab *tab = lease->seat->tab;
    bool pauses = tab->channel->home->pool->options.cooldown == COOLDOWN_AUTO;
    return pauses && chance_refused(&tab->chance, lease->in_flight) && tab->state == TAB_OPEN;
}

// Fewer at once may be all that the provider wants, when others of the key were under way. Where it also
// says how long to wait, both are done; a rate that is known explains such a refusal by itself.
static bool is_too_many(const struct lease *lease, const struct verdict *verdict) {
    const struct tab *tab = lease->seat->tab;
    const struct key *key = lease->key;
    if (lease->in_flight <= 1 || key->standing != STANDING_GOOD)
        return false;
    if (verdict->cause == BECAUSE_CONCURRENCY)
        return true;
    bool is_rate_known = tab->learned || tab->felt.rate > 0;
    return !key->width.is_fixed && (verdict->hint < 0 || !is_rate_known);
}

static void follow_rate(struct lease *lease, const struct pool_report *report, int64_t now) {
    const struct verdict *verdict = report->verdict;
    bool many = is_too_many(lease, verdict);
    if (many)
        width_refused(&lease->key->width, lease->in_flight, lease->charge.at, now);
    if (many && verdict->hint < 0)
        return;
    bool is_rate = verdict->cause == BECAUSE_RATE && is_news(lease);
    bool goes_on = is_rate && verdict->hint < 0 && may_be_chance(lease);
    if (is_rate && is_to_feel(lease, report))
        (goes_on ? felt_refused_perhaps : felt_refused)(&lease->seat->tab->felt, lease->serial,
                                                        lease->charge.at, now);
    if (goes_on)
        return;
    cool(lease, verdict, now);
}

static void follow_day(struct lease *lease, const struct pool_report *report, int64_t now) {
    const struct home *home = lease->channel->home;
    struct verdict verdict = *report->verdict;
    if (verdict.hint < 0)
        verdict.hint = home->day_end - (now + home->pool->wall_offset);
    cool(lease, &verdict, now);
}

// -- the key --

static void lose_model(struct lease *lease, const struct verdict *verdict, int64_t now) {
    struct tab *tab = lease->seat->tab;
    bool news = !tab->no_model;
    tab->channel->no_model += news;
    tab->no_model = true;
    tab->is_asked_to_wait = true;
    key_set_reason(lease->key, verdict);
    tab_cool(tab, now + MODEL_PAUSE, 0);
    if (news)
        notice_say(&(struct notice){account_name(tab->account), "is not asked for this model",
                                    MODEL_PAUSE, lease->key->reason, false});
}

// Different rows were refused, while rows for other models were served: it is the model.
static bool is_models(const struct lease *lease) {
    const struct suspicion *s = lease->seat->suspicion;
    if (!lease->row || !s)
        return false;
    int64_t served_at = lease->key->served_at;
    return (s->rows > 1 && served_at >= s->sent_at) ||
           (s->contradicted > 1 && served_at >= s->contradicted_since);
}

static void look_again(struct key *key, int64_t now) {
    key_doubt(key, now + (LOOK_FIRST << key->looks));
    log_info("%s was good and is refused; it is tried once more: %s", key->entry->name,
             key->reason);
}

static void follow_money(struct lease *lease, const struct pool_report *report, int64_t now) {
    const struct verdict *verdict = report->verdict;
    struct account *account = lease->key->account;
    bool whole = verdict->scope == SCOPE_GROUP;
    bool was_out = lease->key->standing == STANDING_SUSPENDED;
    for (size_t i = 0; i < account->key_count; i++) {
        struct key *key = account->keys[i];
        if ((!whole && key != lease->key) || key->standing == STANDING_REMOVED)
            continue;
        key_set_reason(key, verdict);
        key_suspend(key, now + recheck_after(key));
    }
    if (!was_out)
        notice_say(&(struct notice){whole ? account_name(account) : lease->key->entry->name,
                                    "is out of money and left alone", recheck_after(lease->key),
                                    lease->key->reason, true});
}

static void follow_forbidden(struct lease *lease, const struct pool_report *report, int64_t now) {
    struct key *key = lease->key;
    if (key->standing == STANDING_REMOVED || key->standing == STANDING_SUSPENDED)
        return;
    if (is_models(lease)) {
        lose_model(lease, report->verdict, now);
        return;
    }
    key_set_reason(key, report->verdict);
    if (lease->row && report->verdict->by_status && key->counts.ok && key->looks < LOOKS_MOST) {
        look_again(key, now);
        return;
    }
    key_suspend(key, now + recheck_after(key));
    notice_say(&(struct notice){key->entry->name, "is refused and left alone", recheck_after(key),
                                key->reason, true});
}

static void take_out(struct key *key, int64_t now) {
    if (key->account->home->pool->options.keyring->recheck)
        key_suspend(key, now + recheck_after(key));
    else
        key_remove(key);
    notice_say(
        &(struct notice){key->entry->name, "is not accepted and taken out", 0, key->reason, true});
}

// The key that was taken out just before, if both served before and none was accepted in between.
static struct key *fellow_sufferer(const struct key *key, int64_t now) {
    struct home *home = key->account->home;
    struct key *last = home->last_out;
    bool alike = last && last != key && now - home->last_out_at <= MOMENTS &&
                 home->answered_at <= home->last_out_at;
    return alike && last->counts.ok && key->counts.ok ? last : NULL;
}

static void follow_bad_key(struct lease *lease, const struct pool_report *report, int64_t now) {
    struct key *key = lease->key;
    struct home *home = key->account->home;
    if (key->standing == STANDING_REMOVED || key->standing == STANDING_SUSPENDED)
        return;
    if (report->verdict->by_status && is_models(lease)) {
        lose_model(lease, report->verdict, now);
        return;
    }
    key_set_reason(key, report->verdict);
    struct key *fellow = key->looks ? NULL : fellow_sufferer(key, now);
    if (fellow && fellow->standing == STANDING_REMOVED && fellow->looks == 0)
        look_again(fellow, now);
    if (fellow || (key->looks > 0 && key->looks < LOOKS_MOST))
        look_again(key, now);
    else
        take_out(key, now);
    home->last_out = key;
    home->last_out_at = now;
}

// -- its health --

static void note_health(struct lease *lease, bool passed, int64_t now) {
    struct key *key = lease->key;
    (passed ? health_passed : health_failed)(&key->health, now);
    order_set_health(lease->channel->order, key->place, health_score(&key->health, now));
}

// -- the provider --

static void follow_upstream(struct lease *lease, const struct pool_report *report, int64_t now) {
    const struct verdict *verdict = report->verdict;
    struct channel *channel = lease->channel;
    bool sure = verdict->outcome == OUTCOME_RATE_LIMITED; // it says so itself
    if (channel->breaker.state == BREAKER_CLOSED && !sure)
        note_health(lease, false, now);
    channel->breaker.has_passed |= channel->home->has_answered;
    bool begins = breaker_failed(&channel->breaker, lease->charge.at, sure, verdict->hint, now);
    outage_note(channel, verdict, begins, now);
}

// -- accepted --

// The key is accepted, whatever else was said.
static void bring_back(struct lease *lease) {
    struct key *key = lease->key;
    if (key->standing != STANDING_TRIAL)
        return;
    key_clear_reason(key);
    key_restore(key);
    log_info("%s is back", key->entry->name);
}

void tab_forgive(struct tab *tab) {
    for (size_t i = 0; i < tab->account->key_count; i++)
        if (tab->account->keys[i]->standing == STANDING_GOOD)
            key_clear_reason(tab->account->keys[i]);
    tab_open(tab);
}

// Its answer ends the cool-down, or the suspicion; also that it has not the model.
static void settle_tab(struct lease *lease, bool is_answered) {
    struct tab *tab = lease->seat->tab;
    if (!is_news(lease) && !(tab->no_model && is_answered))
        return;
    tab->refusals = 0;
    if (tab->state == TAB_OPEN)
        return;
    tab_forgive(tab);
    log_info("%s is back", account_name(tab->account));
}

// Whatever it said, the provider is there.
static void clear_breaker(struct lease *lease, int64_t now) {
    struct breaker *b = &lease->channel->breaker;
    lease->channel->home->has_answered = true;
    breaker_passed(b, lease->charge.at, now);
    if (!breaker_is_down(b))
        outage_end(lease->channel, now);
}

static void follow_accepted(struct lease *lease, const struct pool_report *report, int64_t now) {
    lease->channel->home->answered_at = now;
    felt_passed(&lease->seat->tab->felt, lease->serial);
    chance_passed(&lease->seat->tab->chance);
    if (report->verdict->outcome == OUTCOME_OK)
        width_passed(&lease->key->width, report->latency, lease->in_flight, now);
    note_health(lease, true, now);
    settle_tab(lease, report->verdict->outcome == OUTCOME_OK);
}

static void follow_answer(struct lease *lease, const struct pool_report *report, int64_t now) {
    suspects_served(lease, report, now);
    follow_accepted(lease, report, now);
}

// Nobody has the model: the row's own mistake. Else this account has it not.
static void follow_model(struct lease *lease, const struct pool_report *report, int64_t now) {
    if (report->verdict->final)
        follow_answer(lease, report, now);
    else
        lose_model(lease, report->verdict, now);
}

// -- one place for all --

static const struct {
    void (*follow)(struct lease *lease, const struct pool_report *report, int64_t now);
    bool accepted; // the key as such is good
} follows[] = {
    [BECAUSE_NOTHING] = {follow_answer, true}, [BECAUSE_REQUEST] = {follow_answer, true},
    [BECAUSE_KEY] = {follow_bad_key, false},   [BECAUSE_FORBIDDEN] = {follow_forbidden, false},
    [BECAUSE_MONEY] = {follow_money, false},   [BECAUSE_DAY] = {follow_day, true},
    [BECAUSE_RATE] = {follow_rate, true},      [BECAUSE_CONCURRENCY] = {follow_rate, true},
    [BECAUSE_MODEL] = {follow_model, true},    [BECAUSE_UPSTREAM] = {follow_upstream, false},
};

// It may be the row's own. A wait that is asked for is kept to all the same.
static void follow_row(struct lease *lease, const struct pool_report *report, int64_t now) {
    const struct verdict *verdict = report->verdict;
    struct tab *tab = lease->seat->tab;
    if (verdict->cause != BECAUSE_RATE)
        return;
    bring_back(lease);
    felt_return(&tab->felt, lease->serial);
    bool fixed = tab->channel->home->pool->options.cooldown != COOLDOWN_AUTO;
    if (verdict->hint < 0 && !fixed)
        return;
    int refusals = tab->refusals;
    tab->refusals = 1;
    int64_t pause = pause_of(tab, verdict);
    tab->refusals = refusals;
    tab->cooled_at = now;
    tab->is_asked_to_wait = true;
    tab_cool(tab, now + pause, 0);
    set_reasons(tab->account, verdict);
}

// Final at this account: another is asked. A model that it never served is not asked for there again.
static void follow_here(struct lease *lease, const struct pool_report *report, int64_t now) {
    const struct verdict *verdict = report->verdict;
    if (!verdict->by_status) // else the key may be refused with whatever it asks
        bring_back(lease);
    if (verdict->cause == BECAUSE_MODEL && !lease->seat->tab->served_at)
        lose_model(lease, verdict, now);
    else
        follow_accepted(lease, report, now);
}

static void follow_cause(struct lease *lease, const struct pool_report *report, int64_t now) {
    enum cause cause = report->verdict->cause;
    if (cause != BECAUSE_UPSTREAM)
        clear_breaker(lease, now);
    enum suspect suspect = suspects_note(lease, report, now);
    if (suspect == SUSPECT_ROW) {
        follow_row(lease, report, now);
        return;
    }
    if (suspect == SUSPECT_HERE) {
        follow_here(lease, report, now);
        return;
    }
    if (suspect == SUSPECT_KEY && cause == BECAUSE_REQUEST)
        cause = BECAUSE_FORBIDDEN;
    bool is_out = lease->seat->tab->is_given_up && cause == BECAUSE_RATE;
    if (follows[cause].accepted && !is_out)
        bring_back(lease);
    follows[cause].follow(lease, report, now);
}

void follow(struct lease *lease, const struct pool_report *report, int64_t now) {
    struct tab *tab = lease->seat->tab;
    if (report->is_first && !report->is_cut_short && !report->is_unprocessed)
        breaker_note_first(&lease->channel->breaker, report->verdict->cause == BECAUSE_UPSTREAM);
    if (report->is_cut_short || report->is_unprocessed)
        breaker_left(&lease->channel->breaker, lease->charge.at);
    else
        follow_cause(lease, report, now);
    if (lease->is_trial && tab->state == TAB_PROBING) // no word on the account: another trial
        tab_set_state(tab, TAB_TRIAL);
}
