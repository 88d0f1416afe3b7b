// What is reported of a refusal to people: its code and message.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_WORDING_H
#define POOL_SIGNALS_WORDING_H

#include "pool/signals/refusal.h"

// Fills verdict->code and verdict->message, both printable UTF-8 on one line; the message is never
// empty.
void wording_choose(const struct refusal *r, struct verdict *verdict);

// Of a proxy that refuses to pass a request on, or to open a tunnel for it.
#define PROXY_WANTS_PASSWORD                                                                       \
    "HTTP 407: the proxy wants a user and password; put them into http_proxy or HTTPS_PROXY, as "  \
    "http://USER:PASSWORD@HOST:PORT"

#endif
