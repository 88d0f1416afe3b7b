// words.c: seeded words and names for the simulator's answers. Pure.
// SPDX-License-Identifier: MIT
#include "runner/simulate/words.h"

#include "jobs/base/random.h"

// 64 of them: six bits choose one.
static const char *const vocabulary[64] = {
    "the",   "of",    "and",   "river",   "light", "small", "answer",  "under", "stone", "bridge",
    "old",   "first", "water", "turns",   "slow",  "over",  "field",   "green", "road",  "with",
    "house", "near",  "wind",  "each",    "north", "bell",  "morning", "keeps", "salt",  "open",
    "paper", "line",  "count", "seven",   "cloud", "from",  "quiet",   "glass", "hand",  "below",
    "tree",  "long",  "early", "fire",    "after", "door",  "number",  "sand",  "wide",  "between",
    "iron",  "leaf",  "rain",  "table",   "west",  "voice", "plain",   "star",  "round", "letter",
    "snow",  "grain", "ship",  "evening",
};

bool words_add_token(struct buf *out, const struct words_wish *wish) {
    struct random random = {wish->seed};
    size_t start = out->n + 1;
    uint64_t bits = 0;
    bool whole = true;
    buf_add_char(out, '"');
    for (int64_t i = 0; whole && i < wish->words; i++) {
        bits = i % 10 ? bits >> 6 : random_next(&random);
        const char *word = vocabulary[bits & 63];
        size_t n = strlen(word) + (i > 0);
        int64_t tokens = (int64_t)((out->n - start + n + 3) / 4);
        whole = wish->max_tokens < 0 || tokens <= wish->max_tokens;
        if (!whole)
            break;
        if (i)
            buf_add_char(out, ' ');
        buf_add_str(out, word);
    }
    buf_add_char(out, '"');
    return whole;
}

void words_id(uint64_t seed, uint64_t serial, char id[WORDS_ID_SIZE]) {
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
    struct random random = {seed ^ serial << 32 ^ serial};
    char *p = id + strlen(memcpy(id, "chatcmpl-", sizeof "chatcmpl-"));
    uint64_t bits = 0;
    for (int i = 0; i < 29; i++) {
        bits = i % 10 ? bits >> 6 : random_next(&random);
        *p++ = digits[(bits & 63) % 62];
    }
    *p = '\0';
}
