// estimate.c: counts rows, tokens and time of a run that is not made. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/estimate.h"

#include "jobs/base/die.h"
#include "runner/need.h"

#include <stdlib.h>

static struct estimate_model *model_of(struct estimate *e, const struct route *route,
                                       struct slice model) {
    for (size_t i = 0; i < e->model_count; i++)
        if (e->models[i].route == route && slice_eq(e->models[i].model, model))
            return &e->models[i];
    if (e->model_count == ESTIMATE_MODELS)
        return NULL;
    struct estimate_model *entry = &e->models[e->model_count++];
    *entry = (struct estimate_model){.route = route};
    entry->model = slice_of(mem_text(model.p, model.n), model.n);
    return entry;
}

void estimate_add(struct estimate *e, const struct plan *plan, const struct job *job) {
    route_set routes = plan_routes(plan, &job->request);
    if (!routes)
        return;
    const struct route *route = &plan->routes[route_first(routes)];
    struct need need = need_of(&job->request, &route->defaults);
    int64_t output = need.output_tokens >= 0 ? need.output_tokens : ESTIMATE_OUTPUT;
    struct slice model = job->request.model.n ? job->request.model : route->defaults.model;
    struct estimate_model *entry = model_of(e, route, model);
    e->left++;
    e->input_tokens += need.input_tokens;
    e->output_tokens += output;
    if (!entry)
        return;
    entry->rows++;
    entry->input_tokens += need.input_tokens;
    entry->output_tokens += output;
}

static int64_t stated(int64_t own, int64_t common) {
    return own > 0 ? own : common;
}

// What all keys of the provider may do together; 0 when one of them has no such limit.
struct pace {
    double rpm, tpm, rpd, tpd;
    bool no_rpm, no_tpm, no_rpd, no_tpd;
};

static void add_limit(double *sum, bool *none, int64_t own, int64_t common) {
    int64_t limit = stated(own, common);
    *sum += (double)limit;
    *none = *none || !limit;
}

static struct pace pace_of(const struct plan *plan, const struct provider *provider) {
    struct pace pace = {0};
    const struct key_limits *common = &plan->pool.limits;
    for (size_t i = 0; i < plan->keyring.count; i++) {
        const struct key_entry *key = &plan->keyring.entries[i];
        if (!key->enabled || key->provider != provider)
            continue;
        add_limit(&pace.rpm, &pace.no_rpm, key->limits.rpm, common->rpm);
        add_limit(&pace.tpm, &pace.no_tpm, key->limits.tpm, common->tpm);
        add_limit(&pace.rpd, &pace.no_rpd, key->limits.rpd, common->rpd);
        add_limit(&pace.tpd, &pace.no_tpd, key->limits.tpd, common->tpd);
    }
    return pace;
}

static void slower(double *seconds, double amount, double limit, bool none, double span) {
    if (none || limit <= 0)
        return;
    double needed = amount / limit * span;
    if (needed > *seconds)
        *seconds = needed;
}

// Of a day's quota only whole days count: the first part of it is there at once.
static double whole_days(double amount, double limit, bool none) {
    if (none || limit <= 0)
        return -1;
    return (double)(int64_t)(amount > 0 ? (amount - 1) / limit : 0) * 86400;
}

static double seconds_of(const struct plan *plan, const struct provider *provider, double rows,
                         double tokens) {
    struct pace pace = pace_of(plan, provider);
    double seconds = -1, days[] = {whole_days(rows, pace.rpd, pace.no_rpd),
                                   whole_days(tokens, pace.tpd, pace.no_tpd)};
    slower(&seconds, rows, pace.rpm, pace.no_rpm, 60);
    slower(&seconds, tokens, pace.tpm, pace.no_tpm, 60);
    for (int i = 0; i < 2; i++)
        if (days[i] > seconds)
            seconds = days[i];
    return seconds;
}

double estimate_seconds(const struct estimate *e, const struct plan *plan) {
    double longest = -1;
    for (size_t i = 0; i < plan->route_count; i++) {
        double rows = 0, tokens = 0;
        for (size_t m = 0; m < e->model_count; m++)
            if (e->models[m].route == &plan->routes[i]) {
                rows += (double)e->models[m].rows;
                tokens += (double)(e->models[m].input_tokens + e->models[m].output_tokens);
            }
        double seconds = rows > 0 ? seconds_of(plan, plan->routes[i].provider, rows, tokens) : -1;
        longest = seconds > longest ? seconds : longest;
    }
    return longest;
}

void estimate_free(struct estimate *e) {
    for (size_t i = 0; i < e->model_count; i++)
        free((void *)e->models[i].model.p);
    e->model_count = 0;
}
