// What is reported of a refusal to people: its code and message.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_WORDING_H
#define POOL_SIGNALS_WORDING_H

#include "pool/signals/refusal.h"

// Fills verdict->code and verdict->message, both printable UTF-8 on one line; the message is never
// empty.
void wording_choose(const struct refusal *r, struct verdict *verdict);

#endif
