// copies.c: near the end of a run, sends a second request for those that take long. Loop thread.
// SPDX-License-Identifier: MIT
#include "runner/loop.h"

#include "jobs/base/clock.h"
#include "runner/need.h"

static bool is_near_end(const struct loop *l) {
    for (size_t i = 0; i < l->lanes.count; i++)
        if (lane_first(l->lanes.list[i]))
            return false;
    return !heap_first(&l->parked) && // so all that are alive are under way
           hedge_is_near_end(&l->hedge, stats_get(&l->p->stats.accepted), (int64_t)l->alive);
}

static bool send_copy(struct loop *l, struct flight *first) {
    const struct plan *plan = l->p->plan;
    struct need need = need_of(&first->job->request, &first->errand.route->defaults);
    need.row = (uint64_t)first->job->index + 1;
    struct grant grant = {.route = first->errand.route,
                          .tokens = run_budget_estimate(&l->p->budget, &need)};
    if (l->in_flight >= plan->slots || !run_budget_has_room(&l->p->budget, grant.tokens) ||
        !pool_acquire_other(&first->lease, &need, l->now, &grant.lease))
        return false;
    attempt_copy(l, first, &grant);
    return true;
}

// Flights are in the order they were started: who comes after one that is not due is not due either.
int64_t copies_send(struct loop *l) {
    struct list *next, *node = l->flights.next;
    for (; is_near_end(l) && node != &l->flights; node = next) {
        struct flight *f = LIST_ENTRY(node, struct flight, node);
        next = node->next;
        if (f->job->copied)
            continue;
        bool begun = atomic_load_explicit(&f->errand.begun, memory_order_acquire);
        int64_t due =
            hedge_due(&l->hedge, &l->p->stats.latency, begun ? f->errand.started : l->now);
        if (due > l->now || !begun)
            return due;
        if (!send_copy(l, f))
            return l->now + HEDGE_AGAIN;
    }
    return TIME_NEVER;
}
