// What a refusal means, as data: each provider's own table, then the words that many use, then the
// status.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_RULES_H
#define POOL_SIGNALS_RULES_H

#include "pool/signals/refusal.h"

// When it will be over.
enum wait {
    WAIT_SAID,    // as headers, details or message say, if they do
    WAIT_MOMENT,  // the message names a moment, by a clock in `zone` if it does not say
    WAIT_DAY_END, // at the next midnight in `zone`, whatever else is said
};

struct meaning {
    enum outcome outcome;
    enum cause cause;
    enum scope scope;
    bool final;     // whoever asks
    bool by_status; // no words were known
    bool about_size;
    bool wrong_address;
    enum wait wait;
    enum day_zone zone;
};

// What to conclude from r->status and r->error; there is a meaning for every refusal.
struct meaning rules_find(const struct refusal *r);

// The row of a table that decides, NULL when the status alone does: for tests.
struct rule;
const struct rule *rules_row(const struct refusal *r);
// All tables that rows come from; NULL ends the list.
extern const struct rule *const rules_tables[];

#endif
