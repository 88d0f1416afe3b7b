// The error inside an answer's body, whatever its shape, in its innermost words.
//
// Errors are passed on from server to server and wrapped on the way: {"error": {"message": "Provider
// returned error", "metadata": {"raw": "{\"error\": {\"message\": \"max_tokens too large\"}}"}}}. Each
// object around another is a level. The innermost level that has a message gives message, code, type
// and status; what it lacks is taken from the levels around it.
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
    char retry_delay[40]; // "26s", "26.37s" (google.rpc.RetryInfo), retry_after and its kin
    char reset[40];       // a limit's reset told inside the body: "1741305600000"
    char words[768];      // code, type, status and reason of all levels: "\n429\nrate_limited\n"
    int http_status;      // from 400 to 599, if code or status is one; 0: none is
    char message[ERROR_TEXT_MAX]; // printable UTF-8 on one line; "" when there is none
    char
        texts[2 * ERROR_TEXT_MAX]; // the messages of all levels, innermost first, a newline between
    bool nested;                   // stood in an `error` object
    bool is_json; // message is the provider's word, not just what stood in the body
    bool is_page; // HTML: of whatever answered in the provider's place
};

// Fills error from any bytes. A body that is no JSON gives its first printable characters as the
// message, HTML tags left out.
void error_body_read(struct slice body, struct error_body *error);

// Whether a code, type, status or reason of any level is this word.
bool error_body_has(const struct error_body *error, const char *word);

// Adds a word from elsewhere (a header) to the body's own.
void error_body_add_word(struct error_body *error, const char *word);

// Copies text to out (size bytes with the terminator): invalid UTF-8 repaired, control characters
// and runs of white space as one space, cut at a code point.
void message_clean(struct slice text, char *out, size_t size);

// For error_body.c: reads text, which begins with {, [ or ". False when it is not JSON (nested at most
// as deep as json_check() allows).
bool error_json_read(struct slice text, struct error_body *error);

#endif
