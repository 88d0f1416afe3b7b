// What came of a transfer, for the job and for the key: the one place where HTTP becomes meaning.
// SPDX-License-Identifier: MIT
#ifndef POOL_ANSWER_H
#define POOL_ANSWER_H

#include "pool/signals/signals.h"
#include "pool/transfer/engine.h"

struct answer_context {
    const struct provider *provider;
    const struct secret *secret; // scrubbed from what came before anybody sees it
    struct buf *scratch;         // for text that came in parts; lives as long as the reply
    int64_t now_wall;            // unix microseconds
};

// Reads a finished transfer. An answer fills result->reply with slices into *t->reply; anything else
// fills the verdict with whose fault it is. result->http_status is set either way.
void answer_read(struct transfer *t, const struct answer_context *context, struct result *result,
                 struct verdict *verdict);

#endif
