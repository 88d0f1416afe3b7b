// libcurl's memory: it takes some fifty blocks for a request and gives them back after it.
//
// A thread that says so keeps what it is given back, by size, for its next requests: no search, no
// joining of neighbours, and growing mostly stays in place. All others use malloc as it is. A block may
// be taken on one thread and given back on another.
// SPDX-License-Identifier: MIT
#ifndef POOL_TRANSFER_BLOCKS_H
#define POOL_TRANSFER_BLOCKS_H

#include <stdbool.h>

// curl_global_init() with this memory. Once in the program, before any thread starts.
bool blocks_global_init(void);

// From now on this thread keeps blocks; or no longer, and what it kept is freed: before it ends.
void blocks_keep(bool keep);

#endif
