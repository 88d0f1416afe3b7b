// templates.c: any text as a template, rendered for any row and beside a plain reading of the rules.
// The first line is the row, the rest the template.
// SPDX-License-Identifier: MIT
#include "jobs/in/template.h"

#include "tests/fuzz/mutate.h"

// The row's field; the name is plain text, a member's has escapes.
static struct slice field_of(void *row, struct slice name) {
    char text[256];
    if (name.n >= sizeof text)
        return SLICE_NONE;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    return json_get(*(struct slice *)row, text);
}

static void add_field(struct buf *out, struct slice token) {
    if (json_type(token) == JSON_STRING)
        buf_add(out, token.p + 1, token.n - 2);
    else
        json_add_escaped(out, token);
}

static struct slice skip(struct slice text, size_t n) {
    return slice_of(text.p + n, text.n - n);
}

enum part { LITERAL, NAME, WRONG };

// Takes the next part from the left: {{{{ is {{, the first of three braces stands for itself, {{
// begins a name, which ends at }} and holds no {{.
static enum part take_part(struct slice *text, struct slice *value) {
    bool pair = slice_starts(*text, "{{{{");
    if (pair || !slice_starts(*text, "{{") || slice_starts(*text, "{{{")) {
        *value = pair ? SLICE("{{") : slice_of(text->p, 1);
        *text = skip(*text, pair ? 4 : 1);
        return LITERAL;
    }
    *text = skip(*text, 2);
    const char *close = memmem(text->p, text->n, "}}", 2);
    if (!close)
        return WRONG;
    struct slice inside = slice_of(text->p, (size_t)(close - text->p));
    *value = slice_trim(inside);
    *text = skip(*text, inside.n + 2);
    bool wrong = memmem(inside.p, inside.n, "{{", 2) || memchr(inside.p, '\0', inside.n);
    return wrong || !value->n ? WRONG : NAME;
}

static bool is_template(struct slice text) {
    struct slice value;
    if (!utf8_is_valid(text))
        return false;
    while (text.n)
        if (take_part(&text, &value) == WRONG)
            return false;
    return true;
}

// False when a field is missing.
static bool render_plainly(struct slice text, struct slice row, struct buf *out) {
    struct slice value;
    while (text.n) {
        if (take_part(&text, &value) == LITERAL) {
            json_add_escaped(out, value);
            continue;
        }
        struct slice field = field_of(&row, value);
        if (!field.p)
            return false;
        add_field(out, field);
    }
    return true;
}

static void check(const struct template *t, struct slice text, struct slice row) {
    struct buf out = BUF_INIT(FUZZ_MAX), plain = BUF_INIT(FUZZ_MAX);
    struct slice missing = SLICE_NONE;
    bool good = template_render(t, field_of, &row, &out, &missing);
    buf_add_char(&plain, '"');
    HOLDS(render_plainly(text, row, &plain) == good);
    buf_add_char(&plain, '"');
    HOLDS(good || (missing.n && !field_of(&row, missing).p));
    if (good) {
        HOLDS(slice_eq(buf_slice(&out), buf_slice(&plain)));
        HOLDS(fuzz_is_token(buf_slice(&out), JSON_STRING));
    }
    buf_free(&out);
    buf_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct slice text = fuzz_input(data, size), row = slice_trim(fuzz_line(&text));
    struct error err = {0};
    struct template *t = template_parse(text, &err);
    HOLDS(t ? !err.text[0] : err.class == ERROR_USAGE && utf8_is_valid(slice_str(err.text)));
    HOLDS(is_template(text) == (t != NULL));
    for (size_t i = 0; t && template_name(t, i).p; i++)
        HOLDS(template_name(t, i).n && i < size);
    if (t && json_check(row, NULL))
        check(t, text, row);
    template_free(t);
    return 0;
}
