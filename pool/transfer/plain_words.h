// Failures of connections in plain words, where libcurl and its TLS library speak their own.
// SPDX-License-Identifier: MIT
#ifndef POOL_TRANSFER_PLAIN_WORDS_H
#define POOL_TRANSFER_PLAIN_WORDS_H

#include "pool/transfer/engine.h"

#include <curl/curl.h>

// Rewrites t->error of a transfer that ended with this code.
void transfer_say_plainly(struct transfer *t, CURLcode code);

#endif
