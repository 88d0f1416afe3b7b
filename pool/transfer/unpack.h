// Unpacks a compressed answer as its bytes come in. One per answer that needs it; memory is bounded.
// SPDX-License-Identifier: MIT
#ifndef POOL_TRANSFER_UNPACK_H
#define POOL_TRANSFER_UNPACK_H

#include "pool/transfer/body_kind.h"

struct unpack;

// packing is not PACKING_NONE.
struct unpack *unpack_new(enum packing packing);
void unpack_free(struct unpack *u); // NULL is fine

// Hands what the bytes hold to take, piece by piece. False when take said so, or when the bytes are damaged.
bool unpack_feed(struct unpack *u, struct slice bytes, bool (*take)(void *context, struct slice),
                 void *context);

bool unpack_is_damaged(const struct unpack *u);
// Whether all that was packed has come.
bool unpack_is_whole(const struct unpack *u);

#endif
