// A whole request: what a wire makes of a row, below the address of its provider.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_REQUEST_URL_H
#define POOL_WIRE_REQUEST_URL_H

#include "pool/wire/wire.h"

// As the wire's build_request(), but out->path, which must be empty, gets the whole address: the base
// URL, in which the model takes the place of "{model}", the wire's path, the provider's query. Pure.
enum wire_answer request_build(const struct request *request, const struct provider *provider,
                               const char *base_url, const struct wire_defaults *defaults,
                               struct wire_out *out);

// Appends an address as it may be shown: without a user and password, without the values of query
// parameters whose names speak of keys.
void url_add_shown(struct buf *out, struct slice url);

#endif
