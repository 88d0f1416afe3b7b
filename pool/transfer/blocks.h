// libcurl's memory: it takes some fifty blocks for a request and gives them back after it.
//
// A thread that says so takes its blocks from slabs and keeps those it is given back, by size, for its
// next requests: no search, no joining of neighbours, and growing mostly stays in place. What is not used
// of a buffer takes no memory. All others, and blocks over 80 KB, use malloc. A block may be taken on one
// thread and given back on another. What was kept stays until the program ends, for whichever thread
// needs that size next: there is as much of each size as was in use at once, and what was left of a slab
// when its thread ended.
// SPDX-License-Identifier: MIT
#ifndef POOL_TRANSFER_BLOCKS_H
#define POOL_TRANSFER_BLOCKS_H

#include <stdbool.h>

// curl_global_init() with this memory. Once in the program, before any thread starts.
bool blocks_global_init(void);

// From now on this thread keeps blocks; or no longer, and others may have what it kept: before it ends.
// In a program that is built to be watched (SANITIZED, PLAIN_MALLOC) nothing is kept.
void blocks_keep(bool keep);

#endif
