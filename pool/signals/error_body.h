// The error inside an answer's body, whatever its shape: {"error": {…}}, {"error": "…"}, an array
// of these, {"detail": {…}}, or message, detail, title at the top; with Google's `details` inside.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_ERROR_BODY_H
#define POOL_SIGNALS_ERROR_BODY_H

#include "pool/signals/signals.h"

// A message is kept longer than it is reported: the wait often stands in its last sentence.
#define ERROR_TEXT_MAX 2000

// Bodies are looked at no further than this.
#define ERROR_BODY_MAX ((size_t)64 * 1024)

struct error_body {
    char code[64]; // the members of these names, numbers as text; "" when absent
    char type[64];
    char status[64];      // "RESOURCE_EXHAUSTED"; a number is no status here
    char reason[64];      // from `details`: "API_KEY_INVALID" (google.rpc.ErrorInfo)
    char quotas[1024];    // ids of violated quotas, a space between (google.rpc.QuotaFailure)
    char retry_delay[32]; // "26s", "26.37s" (google.rpc.RetryInfo)
    char message[ERROR_TEXT_MAX]; // printable UTF-8 on one line; "" when there is none
    bool nested;                  // stood in an `error` object
    bool is_json;                 // message is the provider's word, not just what stood in the body
};

// Fills error from any bytes. A body that is no JSON gives its first printable characters as the
// message, HTML tags left out.
void error_body_read(struct slice body, struct error_body *error);

// Copies text to out (size bytes with the terminator): invalid UTF-8 repaired, control characters
// and runs of white space as one space, cut at a code point.
void message_clean(struct slice text, char *out, size_t size);

#endif
