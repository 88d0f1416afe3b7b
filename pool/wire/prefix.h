// The prefix of a request: what a provider's prompt cache goes by.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_PREFIX_H
#define POOL_WIRE_PREFIX_H

#include "pool/wire/wire.h"

// A hash of the model and the system prompt as this request would be sent: requests alike in it hit
// the same cached prefix. 0 when there is no system prompt. Of a row's messages and of a batch
// line's body the system prompt is `system`, `systemInstruction`, `instructions`, or the first
// message if its role is system or developer.
// Of a long prompt the first 8 KiB and the length count: caches go by the beginning.
// Pure; any thread. The same on every machine.
uint64_t prefix_of(const struct request *request, const struct wire_defaults *defaults);

#endif
