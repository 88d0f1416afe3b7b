// failures.c: tells a row's own failures from a provider's. Loop thread.
// SPDX-License-Identifier: MIT
#include "runner/failures.h"

#include "jobs/base/clock.h"
#include "pool/outage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// So few rows left of a lane cannot show that an outage is one.
#define FEW_ROWS 3

// With fewer retries each failure counts as it is: so the user wants it.
#define RETRIES_STRICT 1

static bool speaks_of_tls(const struct verdict *verdict) {
    static const char *const words[] = {"HTTPS port", "HTTPS server", "HTTP to an SSL",
                                        "SSL-enabled", "TLS port"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(verdict->message, words[i]))
            return true;
    return false;
}

static bool is_wrong_address(const struct errand *e, const struct verdict *verdict) {
    int status = e->http_status;
    if (status >= 300 && status < 400)
        return true;
    if (status == 400 || status == 497)
        return speaks_of_tls(verdict);
    return (status == 404 || status == 405) && verdict->by_status;
}

void failures_judge(const struct flight *f, struct verdict *verdict) {
    if (!f->errand.http_status || !is_wrong_address(&f->errand, verdict) ||
        pool_service(&f->lease).has_answered)
        return;
    verdict->outcome = OUTCOME_SERVER;
    verdict->cause = BECAUSE_UPSTREAM;
    verdict->scope = SCOPE_PROVIDER;
    verdict->final = false;
    if (speaks_of_tls(verdict))
        snprintf(verdict->message, sizeof verdict->message,
                 "the server wants TLS there: use https:// instead of http://");
}

// Whether a row can make a provider that is well fail like this. A gateway's 502 to 504 is a row's only
// if the row has failed while others were served.
static bool may_be_the_rows(const struct flight *f) {
    const struct errand *e = &f->errand;
    if (!e->http_status)
        return e->was_sent;
    return f->job->retries > 0 || e->http_status < 502 || e->http_status > 504;
}

static void count_earlier(struct job *job, const struct service *service) {
    if (job->in_doubt_at && service->served_from >= job->in_doubt_at) {
        job->retries++;
        job->in_doubt_at = 0;
    }
}

static bool is_own(const struct flight *f, const struct service *service) {
    if (!service->has_answered)
        return false;
    if (service->served_from >= f->lease.charge.at)
        return true;
    return f->job->lane->rows <= FEW_ROWS && may_be_the_rows(f);
}

struct retry_decision failures_decide(struct loop *l, const struct flight *f,
                                      const struct verdict *verdict) {
    struct job *job = f->job;
    struct service service = pool_service(&f->lease);
    struct retry_policy policy = l->policy;
    struct retry_case c = {.outcome = verdict->outcome,
                           .by_chance = service.by_chance,
                           .by_bad_luck = service.by_bad_luck,
                           .hint = verdict->hint};
    if (verdict->cause == BECAUSE_UPSTREAM) {
        count_earlier(job, &service);
        c.is_free = !is_own(f, &service);
    }
    if (policy.max_retries > RETRIES_STRICT && service.by_bad_luck > policy.max_retries)
        policy.max_retries = service.by_bad_luck;
    c.retries = job->retries;
    struct retry_decision decision = retry_decide(&policy, &c, l->now, &l->random);
    if (decision.answer == RETRY_LATER && !c.is_free)
        job->retries++;
    if (c.is_free)
        job->in_doubt_at = f->lease.charge.at;
    return decision;
}

static void add_time(struct buf *out, int64_t time) {
    duration_add(out, time / USEC_PER_SEC * USEC_PER_SEC);
}

bool failures_describe(const struct loop *l, const struct job_lane *lane, struct buf *out) {
    const struct plan *plan = l->p->plan;
    struct outage_report report;
    bool any = false;
    for (size_t i = 0; i < plan->route_count; i++) {
        const struct route *route = &plan->routes[i];
        if (!(lane->routes & ROUTE_BIT(i)) || !pool_outage(l->p->pool, route->provider, &report) ||
            !report.given_up)
            continue;
        buf_addf(out, "%s%s at %s: %s, since ", any ? "; " : "", route->provider->name,
                 route->base_url, report.words);
        add_time(out, l->now - report.since);
        buf_add_str(out, report.never_answered ? "; it has not answered once" : "");
        if (report.never_answered && !strstr(report.words, "--base-url"))
            buf_add_str(out, ": is --base-url right?");
        any = true;
    }
    return any;
}
