// Words in their context: whether a message says something, or denies or only quotes it.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_PHRASE_H
#define POOL_SIGNALS_PHRASE_H

#include <stdbool.h>

// Whether texts (messages, a newline between) say phrase, in any case of letters. Not said is
//   what the same clause denies or makes a condition: "this is not a rate limit", "if the key is invalid"
//   what is a part of a longer word at its start: "rate limit" in "accurate limit"
//   with `quotes_input`, what stands in quotes and is not the value of a member in a text of JSON:
//     a message that names the request's own words ("Invalid value: 'insufficient balance'")
bool phrase_is_said(const char *texts, const char *phrase, bool quotes_input);

#endif
