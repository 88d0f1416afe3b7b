// run_params.c: reads parameters given on the command line. Main thread, at start.
// SPDX-License-Identifier: MIT
#include "runner/run_params.h"

#include "jobs/base/json.h"
#include "jobs/base/utf8.h"
#include "runner/options/suggest.h"
#include "runner/options/words.h"

static bool refuse_unknown(struct slice name, struct error *err) {
    struct suggest near = {.word = name};
    struct buf copy = BUF_INIT(name.n + 1);
    for (int i = 0; i < PARAM_COUNT; i++)
        suggest_offer(&near, param_rules[i].name);
    buf_add_slice(&copy, name);
    error_set(err, ERROR_USAGE,
              "--param: '%s' is not a parameter that is known%s%s%s (extra_body={\"%s\": …} sends "
              "any)",
              word_show(buf_cstr(&copy)).text, near.best ? "; did you mean " : "",
              near.best ? near.best : "", near.best ? "?" : "", word_show(buf_cstr(&copy)).text);
    buf_free(&copy);
    return false;
}

// Text that is not JSON stands for itself where the parameter takes a string.
static void add_value(struct run_params *p, enum param param, struct slice text) {
    bool json = json_check(text, NULL);
    unsigned type = json ? PARAM_TYPE(json_type(text)) : 0;
    bool fits = type & param_rules[param].types;
    size_t start = p->text.n;
    int64_t whole;
    if (!fits && param_text(param) == PARAM_TEXT_OR_JSON)
        json_add_string(&p->text, text);
    else if (param_rules[param].integer && !json_int(text, &whole) &&
             param_whole_number(text, &whole))
        buf_add_int(&p->text, whole);
    else
        buf_add_slice(&p->text, text);
    p->of[param] = slice_of(p->text.p + start, p->text.n - start);
}

static bool set_param(struct run_params *p, const char *option, enum param param, struct slice text,
                      struct error *err) {
    const struct param_rule *rule = &param_rules[param];
    text = slice_trim(text);
    p->of[param] = SLICE_NONE; // given twice: the last one counts
    if (slice_is(text, "null"))
        return true;
    bool wants_json = param_text(param) == PARAM_TEXT_JSON;
    if ((wants_json && !json_check(text, NULL)) || !utf8_is_valid(text))
        return error_set(err, ERROR_USAGE, "%s: %s must be %s, and '%.*s' is not JSON", option,
                         rule->name, rule->must, SLICE_ARG(utf8_cut(text, 60)));
    add_value(p, param, text);
    if (param_obeys(param, p->of[param]))
        return true;
    return error_set(err, ERROR_USAGE, "%s: %s must be %s", option, rule->name, rule->must);
}

static bool read_param(struct run_params *p, struct slice line, struct error *err) {
    const char *equals = line.n ? memchr(line.p, '=', line.n) : NULL;
    if (!equals)
        return error_set(err, ERROR_USAGE, "--param takes NAME=JSON, such as top_p=0.9");
    struct slice name = slice_trim(slice_of(line.p, (size_t)(equals - line.p)));
    struct slice value = slice_of(equals + 1, line.n - (size_t)(equals - line.p) - 1);
    enum param param = param_find(name);
    return param == PARAM_COUNT ? refuse_unknown(name, err)
                                : set_param(p, "--param", param, value, err);
}

static size_t most_bytes(const struct config *c) {
    size_t n =
        6 * ((c->param ? strlen(c->param) : 0) + (c->temperature ? strlen(c->temperature) : 0));
    return n + 64 * PARAM_COUNT;
}

bool run_params_read(struct run_params *p, const struct config *c, struct error *err) {
    struct slice rest = slice_str(c->param), line;
    *p = (struct run_params){.text = BUF_INIT(SIZE_MAX / 2)};
    buf_reserve(&p->text, most_bytes(c)); // the tokens must not move while they are added
    while (slice_next(&rest, OPTION_TEXTS_MARK, &line))
        if (!read_param(p, line, err))
            return false;
    if (c->temperature &&
        !set_param(p, "--temperature", PARAM_TEMPERATURE, slice_str(c->temperature), err))
        return false;
    if (!c->max_tokens)
        return true;
    struct buf digits = BUF_INIT(40);
    buf_add_int(&digits, c->max_tokens);
    bool taken = p->of[PARAM_MAX_COMPLETION_TOKENS].n;
    bool good = !taken && set_param(p, "--max-tokens", PARAM_MAX_TOKENS, buf_slice(&digits), err);
    buf_free(&digits);
    return good || (taken ? error_set(err, ERROR_USAGE,
                                      "--max-tokens and --param "
                                      "max_completion_tokens are one: give one")
                          : false);
}

void run_params_free(struct run_params *p) {
    buf_free(&p->text);
}
