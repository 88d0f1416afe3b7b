// suggest.c: the nearest of some names to a misspelt one. Any thread; owns nothing.
// SPDX-License-Identifier: MIT
#include "runner/options/suggest.h"

#define WORD_MAX 48
#define FAR      1000

static int least(int a, int b) {
    return a < b ? a : b;
}

int suggest_distance(struct slice a, struct slice b) {
    if (a.n >= WORD_MAX || b.n >= WORD_MAX)
        return FAR;
    int d[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= a.n; i++)
        d[i][0] = (int)i;
    for (size_t j = 0; j <= b.n; j++)
        d[0][j] = (int)j;
    for (size_t i = 1; i <= a.n; i++) {
        for (size_t j = 1; j <= b.n; j++) {
            int change = d[i - 1][j - 1] + (a.p[i - 1] != b.p[j - 1]);
            d[i][j] = least(change, least(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[a.n][b.n];
}

// A third of the letters may be wrong; the beginning of a longer name counts as one mistake.
void suggest_offer(struct suggest *s, const char *candidate) {
    struct slice name = slice_str(candidate);
    int distance = suggest_distance(s->word, name);
    if (s->word.n >= 3 && name.n > s->word.n && memcmp(name.p, s->word.p, s->word.n) == 0)
        distance = 1;
    if (distance > (int)(s->word.n + 1) / 3 || distance >= (int)name.n)
        return;
    if (s->best && distance >= s->distance)
        return;
    s->best = candidate;
    s->distance = distance;
}
