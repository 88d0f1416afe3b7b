// lanes.c: which job waits where, and which provider serves it. Loop thread.
// SPDX-License-Identifier: MIT
#include "runner/lanes.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
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

static struct job_lane *new_lane(struct lanes *lanes, unsigned routes, struct slice model) {
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
        if (routes & 1u << i)
            lane->channels[i] = channel_of(lanes, i, lane->model);
    lanes->list = mem_resize(lanes->list, (lanes->count + 1) * sizeof(struct job_lane *));
    lanes->list[lanes->count++] = lane;
    return lane;
}

struct job_lane *lanes_for(struct lanes *lanes, const struct job *job) {
    unsigned routes = plan_routes(lanes->plan, &job->request);
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

// Worked out once for each first job: a batch body is read through for it.
const struct need *lane_need(struct lanes *lanes, struct job_lane *lane) {
    const struct job *job = lane_first(lane);
    const struct plan *plan = lanes->plan;
    if (lane->need_of != job->index)
        lane->need = need_of(&job->request, &plan->routes[__builtin_ctz(lane->routes)].defaults,
                             (enum affinity_by)plan->config->affinity);
    lane->need_of = job->index;
    return &lane->need;
}

void lanes_heard(struct lanes *lanes, const struct job *job, const struct route *route,
                 enum outcome outcome, int64_t now) {
    int64_t *since = &lanes_for(lanes, job)->refused_since[route - lanes->plan->routes];
    if (outcome == OUTCOME_OK)
        *since = 0;
    else if ((outcome == OUTCOME_RATE_LIMITED || outcome == OUTCOME_QUOTA) && !*since)
        *since = now;
}

// Whether this provider's next key is further away than rows are to wait for it.
static bool is_too_far(const struct lanes *lanes, const struct job_lane *lane, size_t i,
                       int64_t now, int64_t not_before) {
    int64_t since = lane->refused_since[i], most = lanes->plan->config->fallback_after;
    return not_before - now > most || (since && now - since > most);
}

static enum pool_answer ask(struct lanes *lanes, struct job_lane *lane, size_t i, int64_t now,
                            struct grant *grant) {
    const struct job *job = lane_first(lane);
    struct channel *channel =
        lane->mixed ? channel_of(lanes, i, job->request.model) : lane->channels[i];
    int64_t not_before = TIME_NEVER;
    if (!channel)
        return POOL_NONE;
    enum pool_answer answer =
        pool_acquire(channel, lane_need(lanes, lane), now, &grant->lease, &not_before);
    if (answer != POOL_LEASED && answer != POOL_NONE && answer != POOL_NO_MODEL &&
        not_before < grant->not_before)
        grant->not_before = not_before;
    // of a pause that was long from the beginning the last seconds are not waited out either
    bool rests = answer == POOL_LATER &&
                 (lane->resting & 1u << i || is_too_far(lanes, lane, i, now, not_before));
    lane->resting = rests ? lane->resting | 1u << i : lane->resting & ~(1u << i);
    return answer;
}

enum pool_answer lane_acquire(struct lanes *lanes, struct job_lane *lane, int64_t now,
                              struct grant *grant) {
    enum pool_answer all = POOL_NONE;
    grant->not_before = TIME_NEVER;
    for (size_t i = 0; i < lanes->plan->route_count; i++) {
        if (!(lane->routes & 1u << i))
            continue;
        enum pool_answer answer = ask(lanes, lane, i, now, grant);
        grant->route = &lanes->plan->routes[i];
        if (answer == POOL_LATER && lane->resting & 1u << i)
            all = POOL_LATER;
        else if (answer == POOL_NO_MODEL)
            all = all == POOL_NONE ? POOL_NO_MODEL : all;
        else if (answer != POOL_NONE)
            return answer;
    }
    return all;
}
