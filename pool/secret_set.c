// secret_set.c: masks all secrets of a run in one pass over a text. Any thread; owns the copies.
// SPDX-License-Identifier: MIT
#include "pool/secret_set.h"

#include "jobs/base/die.h"
#include "pool/secret_parts.h"

#include <stdlib.h>

// Forms are told apart by this much of their beginning; those that share it are tried one by one.
#define HEAD_MAX 16

// So many characters are looked up by their hash before anything is searched for.
#define START      4
#define INNER      (SECRET_TAIL_MIN - 1) // pairs that are there whatever the end of the text cuts off
#define START_BITS ((size_t)1 << 17)

// One way of writing a secret.
struct form {
    struct secret *text;
    size_t head_size;
    char head[HEAD_MAX];
    char mask[SECRET_MASK_SIZE];
    bool digits;
};

struct secret_set {
    struct form *forms; // by head_size, then by head
    size_t count, room;
    size_t from[HEAD_MAX + 2]; // forms of this head_size begin there
    size_t longest;
    struct secret **odd; // hold backslashes or percent signs: each is looked for by itself
    size_t odd_count;
    unsigned char
        inner[65536 / 8]; // two bytes that stand side by side in the first INNER + 1 of a form
    unsigned char
        pairs[65536 / 8]; // two bytes that a form may begin with, as they stand or escaped
    unsigned char
        starts[START_BITS / 8]; // by a hash of the four characters that a form begins with
};

// -- the ways of writing --

static void add_form(struct secret_set *set, struct slice text, bool any_case,
                     const struct secret *of) {
    if (set->count == set->room) {
        set->room = set->room ? 2 * set->room : 64;
        set->forms = mem_resize(set->forms, set->room * sizeof *set->forms);
    }
    struct form *form = &set->forms[set->count++];
    *form = (struct form){.text = secret_new(text)};
    form->text->any_case = any_case;
    form->head_size = text.n < HEAD_MAX ? text.n : HEAD_MAX;
    memcpy(form->head, text.p, form->head_size);
    form->digits = secret_is_digits(form->text);
    secret_mask_in_json(of, form->mask);
    if (text.n > set->longest)
        set->longest = text.n;
}

static void add_hex(struct secret_set *set, const struct secret *s, struct buf *b) {
    buf_wipe(b);
    for (size_t i = 0; i < s->n; i++)
        buf_addf(b, "%02x", (unsigned char)s->text[i]);
    add_form(set, buf_slice(b), true, s);
}

// The six bits of place i when `before` other bytes stand in front of the secret.
static unsigned sextet(const struct secret *s, size_t before, size_t i) {
    unsigned value = 0;
    for (size_t bit = 6 * i; bit < 6 * i + 6; bit++) {
        unsigned byte = (unsigned char)s->text[bit / 8 - before];
        value = value << 1 | (byte >> (7 - bit % 8) & 1);
    }
    return value;
}

// Of the base64 text, what depends on the secret alone.
static bool add_base64(struct secret_set *set, const struct secret *s, size_t before,
                       const char *last_two, struct buf *b) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    bool differs = false;
    buf_wipe(b);
    for (size_t i = (8 * before + 5) / 6; 6 * i + 6 <= 8 * (before + s->n); i++) {
        unsigned value = sextet(s, before, i);
        buf_add_char(b, value < 62 ? letters[value] : last_two[value - 62]);
        differs |= value >= 62;
    }
    add_form(set, buf_slice(b), false, s);
    return differs;
}

static void add_encoded(struct secret_set *set, const struct secret *s) {
    struct buf b = BUF_INIT(SIZE_MAX / 2);
    add_hex(set, s, &b);
    for (size_t before = 0; before < 3; before++)
        if (add_base64(set, s, before, "+/", &b))
            add_base64(set, s, before, "-_", &b);
    buf_wipe(&b);
    buf_free(&b);
}

void secret_set_add(struct secret_set *set, const struct secret *s) {
    if (s->n < SECRET_SCRUBBED_MIN)
        return;
    if (memchr(s->text, '\\', s->n) || memchr(s->text, '%', s->n)) {
        set->odd = mem_resize(set->odd, (set->odd_count + 1) * sizeof *set->odd);
        set->odd[set->odd_count++] = secret_new(slice_of(s->text, s->n));
    } else {
        add_form(set, slice_of(s->text, s->n), false, s);
    }
    add_encoded(set, s);
}

void secret_set_add_text(struct secret_set *set, struct slice text) {
    struct secret *secret = secret_new(text);
    secret_set_add(set, secret);
    secret_free(secret);
}

void secret_set_add_address(struct secret_set *set, struct slice address) {
    const char *start = memmem(address.p, address.n, "://", 3);
    if (!start)
        return;
    struct slice rest = slice_of(start + 3, address.n - (size_t)(start + 3 - address.p));
    size_t host = 0;
    for (size_t i = 0; i < rest.n && !strchr("/?#", rest.p[i]); i++)
        if (rest.p[i] == '@')
            host = i;
    const char *colon = host ? memchr(rest.p, ':', host) : NULL;
    if (!colon)
        return;
    secret_set_add_text(set, slice_of(colon + 1, host - (size_t)(colon + 1 - rest.p)));
    secret_set_add_text(set, slice_of(rest.p, host));
}

struct secret_set *secret_set_new(void) {
    return mem_zero(1, sizeof(struct secret_set));
}

void secret_set_free(struct secret_set *set) {
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        secret_free(set->forms[i].text);
    for (size_t i = 0; i < set->odd_count; i++)
        secret_free(set->odd[i]);
    if (set->forms)
        explicit_bzero(set->forms, set->count * sizeof *set->forms);
    free(set->forms);
    free(set->odd);
    free(set);
}

// -- the order --

static int compare(const void *a, const void *b) {
    const struct form *x = a, *y = b;
    if (x->head_size != y->head_size)
        return x->head_size < y->head_size ? -1 : 1;
    return memcmp(x->head, y->head, x->head_size);
}

static void set_pair(unsigned char *bits, unsigned first, unsigned second) {
    unsigned pair = first << 8 | second;
    bits[pair / 8] |= (unsigned char)(1u << pair % 8);
}

static bool has_pair(const unsigned char *bits, const char *p) {
    unsigned pair = (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
    return bits[pair / 8] >> pair % 8 & 1;
}

static unsigned large(unsigned c) {
    return c >= 'a' && c <= 'z' ? c - 0x20 : c;
}

static void add_pairs(struct secret_set *set, unsigned first, unsigned second) {
    set_pair(set->pairs, first, second);
    set_pair(set->pairs, first, '\\');
    set_pair(set->pairs, first, '%');
}

static size_t start_bit(const char *start) {
    uint32_t word;
    memcpy(&word, start, START);
    return word * UINT32_C(2654435761) >> 15;
}

static bool has_start(const struct secret_set *set, const char *start) {
    size_t bit = start_bit(start);
    return set->starts[bit / 8] >> bit % 8 & 1;
}

static void add_inner(struct secret_set *set, const struct form *form) {
    for (size_t i = 0; i < INNER; i++) {
        unsigned first = (unsigned char)form->head[i], second = (unsigned char)form->head[i + 1];
        set_pair(set->inner, first, second);
        if (!form->text->any_case)
            continue;
        set_pair(set->inner, large(first), second);
        set_pair(set->inner, first, large(second));
        set_pair(set->inner, large(first), large(second));
    }
}

static void add_start(struct secret_set *set, const struct form *form) {
    add_inner(set, form);
    unsigned first = (unsigned char)form->head[0], second = (unsigned char)form->head[1];
    size_t bit = start_bit(form->head);
    set->starts[bit / 8] |= (unsigned char)(1u << bit % 8);
    add_pairs(set, first, second);
    if (!form->text->any_case)
        return;
    add_pairs(set, large(first), second);
    add_pairs(set, first, large(second));
    add_pairs(set, large(first), large(second));
}

void secret_set_ready(struct secret_set *set) {
    if (set->count)
        qsort(set->forms, set->count, sizeof *set->forms, compare);
    size_t i = 0;
    for (size_t size = 0; size <= HEAD_MAX + 1; size++) {
        while (i < set->count && set->forms[i].head_size < size)
            i++;
        set->from[size] = i;
    }
    for (i = 0; i < set->count; i++)
        add_start(set, &set->forms[i]);
    for (unsigned c = 0; set->count && c < 256; c++) {
        set_pair(set->pairs, '\\', c);
        set_pair(set->pairs, '%', c);
    }
}

// -- a text --

// The characters that begin at p, without their escapes.
static size_t read_head(const char *p, const char *end, char head[HEAD_MAX], size_t wanted) {
    size_t n = 0;
    while (n < wanted && p < end) {
        const char *q = p;
        while (q < end && *q == '\\' && q - p < SECRET_BACKSLASHES_MAX)
            q++;
        if (q == end)
            break;
        int code = -1, size = 1;
        if (q > p && *q == 'u' && (code = secret_hex_number(q + 1, end, 4)) >= 0)
            size = 5;
        else if (q == p && *q == '%' && (code = secret_hex_number(q + 1, end, 2)) >= 0)
            size = 3;
        head[n++] = code >= 0 ? (char)code : *q;
        p = q + size;
    }
    return n;
}

static void make_small(char *head, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (head[i] >= 'A' && head[i] <= 'Z')
            head[i] |= 0x20;
}

// The first form with heads of this size that does not come before these n characters.
static size_t first_with(const struct secret_set *set, size_t size, const char *head, size_t n) {
    size_t low = set->from[size], high = set->from[size + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(set->forms[middle].head, head, n) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// A place in a text, and what was found there.
struct place {
    const char *text, *end, *p;
    size_t found;
};

static bool is_at(const struct form *form, struct place *place) {
    const char *p = place->p;
    size_t found = secret_find_at(form->text, place->text, &p, place->end);
    if (!found)
        return false;
    place->p = p;
    place->found = found;
    return true;
}

// Among the forms with heads of this size, of which the first n characters are these.
static const struct form *find_among(const struct secret_set *set, size_t size, const char *head,
                                     size_t n, struct place *place) {
    size_t i = first_with(set, size, head, n), end = set->from[size + 1];
    for (; i < end && memcmp(set->forms[i].head, head, n) == 0; i++)
        if (is_at(&set->forms[i], place))
            return &set->forms[i];
    return NULL;
}

// One that is whole, or what the end of the text leaves of it.
static const struct form *find_head(const struct secret_set *set, const char *head, size_t n,
                                    struct place *place) {
    const struct form *form = NULL;
    // each character takes six bytes at most, and the backslashes in front of it
    size_t left = (size_t)(place->end - place->p);
    bool may_be_cut = left <= set->longest * (6 + SECRET_BACKSLASHES_MAX);
    for (size_t size = n; !form && size >= SECRET_SCRUBBED_MIN; size--)
        form = find_among(set, size, head, size, place);
    for (size_t size = HEAD_MAX; !form && may_be_cut && size >= SECRET_SCRUBBED_MIN; size--)
        form = find_among(set, size, head, SECRET_TAIL_MIN, place);
    return form;
}

static const struct form *find_form(const struct secret_set *set, struct place *place) {
    char head[HEAD_MAX], small[HEAD_MAX];
    const struct form *form = NULL;
    if (place->p > place->text && place->p[0] == '\\' && place->p[-1] == '\\')
        return NULL; // it belongs to that one
    const char *from = secret_into_reach(place->p, place->end);
    size_t n = read_head(from, place->end, head, START);
    if (n < START)
        return NULL;
    memcpy(small, head, n);
    make_small(small, n);
    bool as_it_is = has_start(set, head), as_small = has_start(set, small);
    if (!as_it_is && !as_small)
        return NULL;
    n = read_head(from, place->end, head, HEAD_MAX);
    if (n < SECRET_TAIL_MIN)
        return NULL;
    if (as_it_is)
        form = find_head(set, head, n, place);
    if (!form && as_small) {
        make_small(head, n);
        form = find_head(set, head, n, place);
    }
    return form;
}

// The first character at or behind p that may begin an escape.
static const char *next_escape(const char *p, const char *end) {
    const char *backslash = memchr(p, '\\', (size_t)(end - p));
    const char *percent = memchr(p, '%', (size_t)((backslash ? backslash : end) - p));
    return percent ? percent : backslash ? backslash : end;
}

// Where the next form may begin: in plain text several places at a time are ruled out by one pair.
static const char *skip(const struct secret_set *set, const char *p, const char *end,
                        const char **escape) {
    for (;;) {
        if (p > *escape)
            *escape = next_escape(p, end);
        while (*escape - p > INNER && !has_pair(set->inner, p + INNER - 1))
            p += INNER;
        if (end - p < SECRET_TAIL_MIN || has_pair(set->pairs, p))
            return p;
        p++;
    }
}

static size_t scrub_forms(const struct secret_set *set, char *text, size_t n) {
    const char *kept = text; // up to `kept` everything is in its place
    char *out = text;
    struct place place = {.text = text, .end = text + n, .p = text};
    struct secret_quotes quotes = secret_quotes(text, n);
    const char *escape = next_escape(text, place.end);
    while ((place.p = skip(set, place.p, place.end, &escape)),
           place.end - place.p >= SECRET_TAIL_MIN) {
        const struct form *form = find_form(set, &place);
        if (!form) {
            place.p++;
            continue;
        }
        const char *begin = secret_escape_begin(kept, place.p);
        size_t found = place.found + (size_t)(place.p - begin);
        bool number = secret_in_number(&quotes, begin) && form->digits;
        memmove(out, kept, (size_t)(begin - kept));
        out += begin - kept;
        out += secret_put_mask(out, number ? "1" : form->mask, found);
        quotes.seen = place.p = kept = begin + found;
    }
    if (out == text) // nothing was found: nothing moves
        return n;
    memmove(out, kept, (size_t)(place.end - kept));
    return (size_t)(out - text) + (size_t)(place.end - kept);
}

size_t secret_set_scrub(const struct secret_set *set, char *text, size_t n) {
    if (!set)
        return n;
    if (set->count && n >= SECRET_TAIL_MIN)
        n = scrub_forms(set, text, n);
    for (size_t i = 0; i < set->odd_count; i++)
        n = secret_scrub(set->odd[i], text, n);
    return n;
}
