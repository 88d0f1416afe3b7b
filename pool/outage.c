// outage.c: keeps what is wrong with a provider that fails, and says it. Loop thread; pool_outage() is
// called by others too, so the reports are kept under a lock.
// SPDX-License-Identifier: MIT
#include "pool/outage.h"

#include "jobs/base/clock.h"
#include "jobs/base/log.h"
#include "pool/pool_parts.h"

#include <stdio.h>
#include <string.h>

#define SAID_AFTER     (3 * USEC_PER_SEC) // what passes sooner is not worth a line
#define USUAL_LEAST    1e-2
#define BAD_LUCK_LEAST 1e-7

static void say(const char *provider, const char *what, const char *words, int64_t time) {
    struct buf text = BUF_INIT(64);
    duration_add(&text, time / USEC_PER_SEC * USEC_PER_SEC);
    log_warn("%s%s %s: %s", provider, what, buf_cstr(&text), words);
    buf_free(&text);
}

static void describe(const struct verdict *verdict, char *words, size_t size) {
    if (verdict->status && !strcasestr(verdict->message, "HTTP "))
        snprintf(words, size, "HTTP %d: %s", verdict->status, verdict->message);
    else
        snprintf(words, size, "%s", verdict->message);
}

void outage_note(struct channel *channel, const struct verdict *verdict, bool begins, int64_t now) {
    const struct breaker *b = &channel->breaker;
    struct pool *pool = channel->home->pool;
    struct channel_outage *o = &channel->outage;
    const char *name = channel->home->provider->name;
    if (!breaker_is_down(b))
        return;
    pthread_mutex_lock(&pool->outage_lock);
    o->is_on = true;
    o->report.since = b->began;
    o->report.next_try = b->until;
    o->report.never_answered = !b->has_passed;
    o->report.given_up = b->given_up;
    describe(verdict, o->report.words, sizeof o->report.words);
    pthread_mutex_unlock(&pool->outage_lock);
    if (begins)
        log_info("%s fails: all its keys pause for %lld ms, none is to blame: %s", name,
                 (long long)(b->pause / USEC_PER_MS), o->report.words);
    else if (!o->is_said && now - b->began >= SAID_AFTER && !b->given_up) {
        o->is_said = true;
        say(name, " cannot serve, its rows wait; since", o->report.words, now - b->began);
    }
}

void outage_end(struct channel *channel, int64_t now) {
    struct pool *pool = channel->home->pool;
    struct channel_outage *o = &channel->outage;
    const char *name = channel->home->provider->name;
    if (!o->is_on)
        return;
    if (o->is_said)
        say(name, " answers again after", "its rows go on", now - o->report.since);
    else
        log_info("%s answers again", name);
    pthread_mutex_lock(&pool->outage_lock);
    o->is_on = o->is_said = false;
    pthread_mutex_unlock(&pool->outage_lock);
}

static const struct home *home_named(const struct pool *pool, const struct provider *provider) {
    for (size_t i = 0; i < pool->home_count; i++)
        if (pool->homes[i].provider == provider)
            return &pool->homes[i];
    return NULL;
}

bool pool_outage(struct pool *pool, const struct provider *provider, struct outage_report *report) {
    const struct home *home = home_named(pool, provider);
    bool any = false;
    pthread_mutex_lock(&pool->outage_lock);
    for (size_t i = 0; home && i < home->channel_count; i++) {
        const struct channel_outage *o = &home->channels[i]->outage;
        if (!o->is_on || (any && o->report.since >= report->since))
            continue;
        *report = o->report;
        any = true;
    }
    pthread_mutex_unlock(&pool->outage_lock);
    return any;
}

bool pool_has_given_up(const struct pool *pool, const struct provider *provider) {
    const struct home *home = home_named(pool, provider);
    for (size_t i = 0; home && i < home->channel_count; i++)
        if (!home->channels[i]->breaker.given_up)
            return false;
    return home && home->channel_count > 0;
}

struct service pool_service(const struct lease *lease) {
    const struct breaker *b = &lease->channel->breaker;
    return (struct service){.has_answered = b->has_passed || lease->channel->home->has_answered,
                            .served_from = b->served_from,
                            .by_chance = breaker_by_chance(b, USUAL_LEAST),
                            .by_bad_luck = breaker_by_chance(b, BAD_LUCK_LEAST)};
}
