// lanes.c: which job waits where, and which provider serves it. Loop thread.
// SPDX-License-Identifier: MIT
#include "runner/lanes.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "pool/wire/prefix.h"
#include "runner/need.h"

#include <stdlib.h>

void lanes_init(struct lanes *lanes, const struct plan *plan, struct pool *pool) {
    *lanes = (struct lanes){.plan = plan, .pool = pool};
}

void lanes_free(struct lanes *lanes) {
    for (size_t i = 0; i < lanes->count; i++) {
        BUG_IF(!list_is_empty(&lanes->list[i]->waiting));
        free((void *)lanes->list[i]->model.p);
        free(lanes->list[i]);
    }
    free(lanes->list);
}

static struct channel *channel_of(struct lanes *lanes, size_t i, struct slice model) {
    const struct route *route = &lanes->plan->routes[i];
    return pool_channel(lanes->pool, route->provider, model.n ? model : route->defaults.model);
}

static struct job_lane *new_lane(struct lanes *lanes, route_set routes, struct slice model) {
    struct job_lane *lane = mem_zero(1, sizeof *lane);
    lane->routes = routes;
    lane->need_of = -1;
    lane->mixed = model.n && lanes->models >= LANES_MAX;
    list_init(&lane->waiting);
    if (model.n && !lane->mixed) {
        lane->model = slice_of(mem_text(model.p, model.n), model.n);
        lanes->models++;
    }
    for (size_t i = 0; i < lanes->plan->route_count && !lane->mixed; i++)
        if (routes & ROUTE_BIT(i))
            lane->channels[i] = channel_of(lanes, i, lane->model);
    lanes->list = mem_resize(lanes->list, (lanes->count + 1) * sizeof(struct job_lane *));
    lanes->list[lanes->count++] = lane;
    return lane;
}

struct job_lane *lanes_for(struct lanes *lanes, const struct job *job) {
    route_set routes = plan_routes(lanes->plan, &job->request);
    struct slice model = job->request.model;
    if (!routes)
        return NULL;
    for (size_t i = 0; i < lanes->count; i++) {
        struct job_lane *lane = lanes->list[i];
        // a mixed lane is made after all that have a model of their own
        if (lane->routes == routes && (lane->mixed ? model.n > 0 : slice_eq(lane->model, model)))
            return lane;
    }
    return new_lane(lanes, routes, model);
}

static const struct wire_defaults *first_defaults(const struct lanes *lanes,
                                                  const struct job_lane *lane) {
    return &lanes->plan->routes[route_first(lane->routes)].defaults;
}

bool lanes_add(struct lanes *lanes, struct job *job) {
    struct job_lane *lane = lanes_for(lanes, job);
    if (!lane)
        return false;
    if (lanes->plan->config->affinity == AFFINITY_BY_PREFIX)
        job->affinity = prefix_of(&job->request, first_defaults(lanes, lane));
    list_push(&lane->waiting, &job->node);
    job->lane = lane;
    lane->rows++;
    return true;
}

void lane_done(const struct job *job) {
    if (job->lane)
        job->lane->rows--;
}

void lanes_begin(struct lanes *lanes) {
    for (size_t i = 0; i < lanes->count; i++)
        lanes->list[i]->answer = POOL_LEASED;
}

struct job *lane_first(const struct job_lane *lane) {
    struct list *node = lane->waiting.next;
    return node == &lane->waiting ? NULL : LIST_ENTRY(node, struct job, node);
}

struct job_lane *lanes_next(const struct lanes *lanes) {
    struct job_lane *next = NULL;
    for (size_t i = 0; i < lanes->count; i++) {
        struct job_lane *lane = lanes->list[i];
        const struct job *job = lane_first(lane);
        if (job && lane->answer == POOL_LEASED && (!next || job->index < lane_first(next)->index))
            next = lane;
    }
    return next;
}

// What is tried again stands near the front.
void lane_return(struct job_lane *lane, struct job *job) {
    struct list *place = lane->waiting.next;
    while (place != &lane->waiting && LIST_ENTRY(place, struct job, node)->index < job->index)
        place = place->next;
    list_push(place, &job->node);
}

// Rows alike go to the key that knows them. So the next is one whose key is free; or one that no key
// knows, which takes any; or else the first, whose key has its hands full. The first is not passed
// over for ever.
static struct job *choose(struct job_lane *lane, struct channel *channel) {
    struct job *first = lane_first(lane), *unknown = NULL;
    int looked = 0;
    if (!first->affinity || lane->passed_over >= LANE_LOOK_AHEAD)
        return first;
    for (struct list *node = lane->waiting.next; node != &lane->waiting && looked < LANE_LOOK_AHEAD;
         node = node->next, looked++) {
        struct job *job = LIST_ENTRY(node, struct job, node);
        enum pool_favourite favourite = pool_favourite(channel, job->affinity);
        if (favourite == FAVOURITE_OPEN)
            return job;
        if (favourite == FAVOURITE_NONE && !unknown)
            unknown = job;
    }
    return unknown ? unknown : first;
}

struct job *lane_choose(struct job_lane *lane) {
    struct channel *channel = lane->channels[route_first(lane->routes)];
    return channel ? choose(lane, channel) : lane_first(lane);
}

void lane_take(struct job_lane *lane, struct job *job) {
    lane->passed_over = job == lane_first(lane) ? 0 : lane->passed_over + 1;
    list_remove(&job->node);
}

bool lanes_wait(const struct lanes *lanes) {
    for (size_t i = 0; i < lanes->count; i++)
        if (lane_first(lanes->list[i]))
            return true;
    return false;
}

bool lanes_wait_beside(const struct lanes *lanes, const struct job_lane *lane) {
    if (lane->waiting.next->next != &lane->waiting) // the second
        return true;
    for (size_t i = 0; i < lanes->count; i++)
        if (lanes->list[i] != lane && lane_first(lanes->list[i]))
            return true;
    return false;
}

// Worked out once for each job that is next: a batch body is read through for it.
const struct need *lane_need(struct lanes *lanes, struct job_lane *lane, const struct job *job) {
    if (lane->need_of != job->index)
        lane->need = need_of(&job->request, first_defaults(lanes, lane));
    lane->need_of = job->index;
    lane->need.affinity = job->affinity;
    lane->need.row = (uint64_t)job->index + 1;
    lane->need.refused = job->refused.count ? &job->refused : NULL;
    lane->need.others_wait = lanes_wait_beside(lanes, lane);
    return &lane->need;
}

void lanes_heard(struct lanes *lanes, const struct job *job, const struct route *route,
                 enum outcome outcome, int64_t now) {
    int64_t *since = &job->lane->refused_since[route - lanes->plan->routes];
    bool refuses = outcome == OUTCOME_RATE_LIMITED || outcome == OUTCOME_QUOTA;
    bool fails = outcome == OUTCOME_SERVER || outcome == OUTCOME_NETWORK ||
                 outcome == OUTCOME_TIMEOUT || outcome == OUTCOME_BAD_RESPONSE;
    if (outcome == OUTCOME_OK)
        *since = 0;
    else if ((refuses || fails) && !*since)
        *since = now;
}

// Whether this provider's next key is further away than rows are to wait for it.
static bool is_too_far(const struct lanes *lanes, const struct job_lane *lane, size_t i,
                       int64_t now, int64_t not_before) {
    int64_t since = lane->refused_since[i], most = lanes->plan->config->fallback_after;
    return not_before - now > most || (since && now - since > most);
}

static enum pool_answer ask(struct lanes *lanes, struct job_lane *lane, const struct job *job,
                            size_t i, int64_t now, struct grant *grant) {
    struct channel *channel =
        lane->mixed ? channel_of(lanes, i, job->request.model) : lane->channels[i];
    int64_t not_before = TIME_NEVER;
    if (!channel)
        return POOL_NONE;
    enum pool_answer answer =
        pool_acquire(channel, lane_need(lanes, lane, job), now, &grant->lease, &not_before);
    if (answer != POOL_LEASED && answer != POOL_NONE && answer != POOL_NO_MODEL &&
        not_before < grant->not_before)
        grant->not_before = not_before;
    // of a pause that was long from the beginning the last seconds are not waited out either
    bool rests = answer == POOL_LATER &&
                 (lane->resting & ROUTE_BIT(i) || is_too_far(lanes, lane, i, now, not_before));
    lane->resting = rests ? lane->resting | ROUTE_BIT(i) : lane->resting & ~ROUTE_BIT(i);
    return answer;
}

// Whether a row that this provider's keys refused may go to the next one. A rate is waited for as usual.
static bool may_leave(const struct lanes *lanes, const struct job_lane *lane, const struct job *job,
                      size_t i, int64_t now) {
    return refusals_last(&job->refused)->cause != BECAUSE_RATE ||
           is_too_far(lanes, lane, i, now, now);
}

enum pool_answer lane_acquire(struct lanes *lanes, struct job_lane *lane, const struct job *job,
                              int64_t now, struct grant *grant) {
    enum pool_answer all = POOL_NONE;
    grant->not_before = TIME_NEVER;
    for (size_t i = 0; i < lanes->plan->route_count; i++) {
        if (!(lane->routes & ROUTE_BIT(i)))
            continue;
        enum pool_answer answer = ask(lanes, lane, job, i, now, grant);
        grant->route = &lanes->plan->routes[i];
        if (answer == POOL_ROW_LATER && !may_leave(lanes, lane, job, i, now))
            return answer;
        if (answer == POOL_ROW_LATER || (answer == POOL_LATER && lane->resting & ROUTE_BIT(i)))
            all = all == POOL_ROW_LATER ? all : answer;
        else if (answer == POOL_NO_MODEL)
            all = all == POOL_NONE ? POOL_NO_MODEL : all;
        else if (answer == POOL_LEASED)
            return answer;
        else if (answer != POOL_NONE)
            return all == POOL_ROW_LATER ? all : answer;
    }
    return all;
}
