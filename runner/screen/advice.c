// advice.c: a sentence for each class of error. Pure.
// SPDX-License-Identifier: MIT
#include "runner/screen/advice.h"

#include "jobs/base/slice.h"
#include "runner/screen/show.h"

#define AGAIN "run the same command again"

static const struct advice {
    const char *class;
    bool is_retry;
    const char *text;
} table[] = {
    {"bad_input", false,
     "nothing was sent: correct these rows in the input (error.message says what is wrong)"},
    {"invalid_request", false,
     "the provider refuses the request itself: change the row or its parameters, it fails again as "
     "it is"},
    {"content_filter", false,
     "the provider does not answer this content: change the row, or use another model or provider"},
    {"auth", false, "check that the key is complete, valid and of this provider"},
    {"quota", false,
     "top up the account, wait for its next period, or add a key of another account"},
    {"rate_limited", true,
     AGAIN " later; --rpm or --tpm keep the pace below the limit, more accounts raise it"},
    {"model", false,
     "name a model that the account has with --model ('batch-run providers' lists the defaults)"},
    {"server", true, "the provider failed: " AGAIN ", later if it still does"},
    {"timeout", true, AGAIN ", with a longer --timeout if the answers take that long"},
    {"network", true, "check the address and the network, then " AGAIN},
    {"bad_response", true,
     AGAIN "; if it happens again, check that the address is that of the provider's API"},
    {"bad_answer", true, AGAIN ", or change the prompt so that the answer passes --check"},
    {"no_key", false, "add a key of the provider that the row names, or correct the row"},
    {"deadline", true, AGAIN ", with a longer --deadline if one row needs it"},
};

static const struct advice *find(const char *class) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].class, class) == 0)
            return &table[i];
    return NULL;
}

bool advice_is_retry(const char *class) {
    const struct advice *advice = find(class);
    return advice && advice->is_retry;
}

// Too long is the reply, which our own bound cuts off, or the request, which the provider refuses.
static const char *too_large(const struct summary_error *error) {
    bool of_reply = error->message && strstr(error->message, "--max-reply-bytes");
    return of_reply ? "raise --max-reply-bytes, or lower the row's max_tokens"
                    : "shorten the row or its max_tokens, or use a model or account with higher "
                      "limits";
}

void advice_add(struct buf *out, const struct summary_error *error) {
    const struct advice *advice = find(error->class);
    if (strcmp(error->class, "too_large") == 0)
        buf_add_str(out, too_large(error));
    if (!advice)
        return;
    buf_add_str(out, advice->text);
    if (error->key && strcmp(error->class, "auth") == 0) {
        buf_add_str(out, ": ");
        show_plain(out, error->key, 40);
    }
}
