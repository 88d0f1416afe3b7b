// What the reason to end says about an answer: one table for the words of all wires.
//
// A good HTTP status is not yet a good answer: "network_error" or "abort" as the reason to end means
// that the text beside it is not the whole answer.
// SPDX-License-Identifier: MIT
#ifndef POOL_SIGNALS_FINISH_REASON_H
#define POOL_SIGNALS_FINISH_REASON_H

#include "jobs/base/slice.h"

enum finish {
    FINISH_GOOD,     // a whole answer; also a reason that is absent or not in the table
    FINISH_LENGTH,   // a good answer that was cut short by a limit
    FINISH_FILTERED, // the provider's policy held the answer back, or cut it short
    FINISH_FAILED,   // the provider failed: retried like a 5xx (OUTCOME_SERVER, BECAUSE_UPSTREAM)
    FINISH_UNUSABLE, // the model produced a broken answer: retried, the provider is not to blame
                     // (OUTCOME_BAD_RESPONSE)
};

// token: the value of finish_reason, finishReason, stop_reason, done_reason or incomplete_details.reason
// as it stands in checked JSON: a string, or an object with `type` (SGLang), in any case of letters.
enum finish signals_finish_reason(struct slice token);

// The same for a prompt that was refused (Gemini's promptFeedback.blockReason): every reason that is
// said means FINISH_FILTERED, "OTHER" included.
enum finish signals_block_reason(struct slice token);

#endif
