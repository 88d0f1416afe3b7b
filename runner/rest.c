// rest.c: says that all keys rest for long, and wakes up in between. Loop thread.
// SPDX-License-Identifier: MIT
#include "runner/rest.h"

#include "jobs/base/clock.h"
#include "jobs/base/log.h"

static void say(int64_t wall) {
    struct buf time = BUF_INIT(64);
    clock_add_rfc3339(&time, wall);
    log_warn("all keys are rate limited until %s at least; the run waits (press Ctrl-C to stop it: "
             "the same command goes on later)",
             buf_cstr(&time));
    buf_free(&time);
}

int64_t rest_wake_at(struct rest *r, bool idle, int64_t now, int64_t until) {
    bool is_long = until != TIME_NEVER && until - now > REST_LONG;
    if (!idle)
        r->is_said = false;
    if (is_long && idle && !r->is_said) {
        say(clock_wall() + (until - now));
        r->is_said = true;
    }
    return is_long ? now + REST_LONG : until;
}
