// What a refusal means, as data: rows matched on status, code and text, first match wins.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_RULES_H
#define POOL_SIGNALS_RULES_H

#include "pool/signals/error_body.h"

// What is to be concluded.
struct meaning {
    enum outcome outcome;
    enum key_action action;
    bool final;
};

// By the provider's own words; NULL when no row knows them. status 0: not known (an error inside
// a 2xx answer).
const struct meaning *rules_by_words(int status, const struct error_body *error);

// By the status alone; there is a row for every status.
const struct meaning *rules_by_status(int status);

#endif
