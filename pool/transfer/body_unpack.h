// Unpacks a compressed answer as its bytes come in. One per answer that needs it; memory is bounded.
// SPDX-License-Identifier: MIT
#ifndef POOL_TRANSFER_BODY_UNPACK_H
#define POOL_TRANSFER_BODY_UNPACK_H

#include "pool/transfer/body_kind.h"

struct body_unpack;

// packing is not PACKING_NONE.
struct body_unpack *body_unpack_new(enum packing packing);
void body_unpack_free(struct body_unpack *u); // NULL is fine

// Hands what the bytes hold to take, piece by piece. False when take said so, or when the bytes are damaged.
bool body_unpack_feed(struct body_unpack *u, struct slice bytes,
                      bool (*take)(void *context, struct slice), void *context);

bool body_unpack_is_damaged(const struct body_unpack *u);
// Whether all that was packed has come.
bool body_unpack_is_whole(const struct body_unpack *u);

#endif
