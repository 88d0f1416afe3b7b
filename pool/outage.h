// Outages of providers, as far as the pool's users need to know them: what is wrong and since when, for
// the screen, and whether a row's failure is its own, for the retry rule.
// SPDX-License-Identifier: MIT
#ifndef POOL_OUTAGE_H
#define POOL_OUTAGE_H

#include "pool/pool.h"

struct outage_report {
    char words[VERDICT_MESSAGE_MAX + 20]; // of the last failure, secrets masked
    int64_t since;                        // monotonic, the first failure in a row
    int64_t next_try;    // monotonic, when the next request may go; in the past: it is out
    bool never_answered; // the provider has not answered once in this run
    bool given_up;       // it is not asked any more
};

// The outage of this provider that began first, over all models. False: it has none. Any thread.
bool pool_outage(struct pool *pool, const struct provider *provider, struct outage_report *report);

// Whether the provider is in an outage with every model that was asked for, and none is waited for.
bool pool_has_given_up(const struct pool *pool, const struct provider *provider);

// What the provider did besides answering this lease's request; also after the release.
struct service {
    bool has_answered;   // at least once in this run
    int64_t served_from; // the latest time at which a request was sent that was then answered
    int by_chance;       // failures one after the other that are nothing unusual
    int by_bad_luck;     // that many can hardly be met by chance by any row of a run
};
struct service pool_service(const struct lease *lease);

// For the pool's own use.
struct channel;
void outage_note(struct channel *channel, const struct verdict *verdict, bool begins, int64_t now);
void outage_end(struct channel *channel, int64_t now);

#endif
