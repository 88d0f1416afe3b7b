// opinion.c: refusals that are final at one account but need not be at another: what it cannot pay for or
// fit in, a model that it has not, a 400 that nobody understands. Loop thread.
//
// The row is asked once more, of another account. Refused there likewise it fails by itself. A key whose
// 400s others contradict, row after row, is refused whatever it is asked.
// SPDX-License-Identifier: MIT
#include "pool/pool_parts.h"

#include "jobs/base/clock.h"

// A second account decides if one of the two has served at all; else no more are asked than these.
#define OPINIONS_MOST 3

#define CONTRADICTIONS_ENOUGH 2

// An account that cools for longer than this is not waited for.
#define WAIT_FOR_ANOTHER (300 * USEC_PER_SEC)

static bool is_unknown_400(const struct verdict *v) {
    return v->cause == BECAUSE_REQUEST && v->status == 400 && v->by_status && !v->names_request;
}

static bool is_local(const struct verdict *v) {
    if (v->cause == BECAUSE_MODEL)
        return v->final;
    return (v->cause == BECAUSE_REQUEST && v->about_size) || is_unknown_400(v);
}

static bool is_alive(const struct account *account) {
    for (size_t i = 0; i < account->key_count; i++)
        if (account->keys[i]->standing == STANDING_GOOD ||
            account->keys[i]->standing == STANDING_TRIAL)
            return true;
    return false;
}

// A model is waited for as long as it takes: nobody else may have it.
static bool may_be_asked(const struct tab *tab, enum cause cause) {
    if (!is_alive(tab->account) || tab->no_model)
        return false;
    int64_t now = tab->channel->home->pool->now;
    return cause == BECAUSE_MODEL || tab->state != TAB_COOLING ||
           tab->timer.due - now <= WAIT_FOR_ANOTHER;
}

static bool has_another(const struct channel *channel, const struct row_refusals *refused,
                        const struct account *asked, enum cause cause) {
    for (size_t i = 0; i < channel->home->account_count; i++) {
        const struct tab *tab = &channel->tabs[i];
        if (tab->account != asked && !suspects_refused_by(refused, tab->account) &&
            may_be_asked(tab, cause))
            return true;
    }
    return false;
}

static const struct seat *seat_of(const struct row_refusals *refused, int i) {
    return refused->list[i].seat;
}

static bool was_asked_before(const struct row_refusals *refused) {
    for (int i = 0; i < refusals_kept(refused); i++)
        if (refused->list[i].is_local)
            return true;
    return false;
}

bool opinion_is_wanted(const struct lease *lease, const struct pool_report *report) {
    const struct verdict *v = report->verdict;
    const struct channel *channel = lease->channel;
    if (!is_local(v) || channel->home->account_count == 1)
        return false;
    return v->cause == BECAUSE_MODEL || was_asked_before(report->refused) ||
           has_another(channel, report->refused, lease->key->account, v->cause);
}

bool opinion_is_of_key(const struct lease *lease, const struct pool_report *report) {
    const struct suspicion *s = lease->seat->suspicion;
    return is_unknown_400(report->verdict) && s && s->contradicted >= CONTRADICTIONS_ENOUGH;
}

void opinion_served(struct lease *lease, const struct row_refusals *refused) {
    if (lease->seat->suspicion)
        lease->seat->suspicion->contradicted = 0;
    for (int i = 0; refused && i < refusals_kept(refused); i++) {
        struct suspicion *s = seat_of(refused, i)->suspicion;
        const struct row_refusal *r = &refused->list[i];
        bool is_other = seat_of(refused, i)->tab->account != lease->key->account;
        if (!is_other || !r->is_local || r->cause != BECAUSE_REQUEST || r->about_size || !s)
            continue;
        if (s->contradicted++ == 0)
            s->contradicted_since = r->sent_at;
    }
}

// No account has the model: the pool says so itself, and another provider may have it.
static bool is_model_gone(const struct channel *channel) {
    for (size_t i = 0; i < channel->home->account_count; i++) {
        const struct tab *tab = &channel->tabs[i];
        if (is_alive(tab->account) && !(tab->no_model && tab->state == TAB_COOLING))
            return false;
    }
    return true;
}

bool opinion_is_settled(const struct row_refusals *refused) {
    const struct row_refusal *last = refusals_last(refused);
    const struct tab *tab = ((const struct seat *)last->seat)->tab;
    const struct account *first = NULL;
    bool several = false, has_served = false;
    for (int i = 0; i < refusals_kept(refused); i++) {
        const struct seat *seat = seat_of(refused, i);
        if (!refused->list[i].is_local)
            continue;
        several = several || (first && first != seat->tab->account);
        has_served = has_served || seat->key->counts.ok > 0;
        first = seat->tab->account;
    }
    if (!has_another(tab->channel, refused, tab->account, (enum cause)last->cause))
        return last->cause != BECAUSE_MODEL || !is_model_gone(tab->channel);
    if (last->cause == BECAUSE_MODEL)
        return refused->count >= REFUSALS_KEPT;
    return several && (has_served || refused->count >= OPINIONS_MOST);
}
