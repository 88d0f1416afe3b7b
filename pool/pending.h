// An answer that is to be fetched later: NVIDIA's functions say 202 with an id when a request takes long.
// Source: docs.api.nvidia.com, "status polling": GET /v1/status/{requestId}, by the same key.
// SPDX-License-Identifier: MIT
#ifndef POOL_PENDING_H
#define POOL_PENDING_H

#include "pool/transfer/engine.h"

// Whether a finished transfer is such an answer; then url (cleared first) gets where it is to be fetched:
// {base_url}/status/{id}, so that the key goes to no other host.
bool pending_read(const struct transfer *t, const char *base_url, struct buf *url);

// Whether a request for it says that it is to be asked again: 202, a server's or the network's failure.
bool pending_still(const struct transfer *t);

// Microseconds to wait before it is asked for the n-th time (from 0).
int64_t pending_delay(int n);

#endif
