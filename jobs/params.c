// params.c: names, types and neutral values of the parameters of a request. Constant; pure.
// SPDX-License-Identifier: MIT
#include "jobs/params.h"

#include "jobs/base/json.h"

#define NUMBER  PARAM_TYPE(JSON_NUMBER)
#define STRING  PARAM_TYPE(JSON_STRING)
#define BOOLEAN PARAM_TYPE(JSON_BOOL)
#define ARRAY   PARAM_TYPE(JSON_ARRAY)
#define OBJECT  PARAM_TYPE(JSON_OBJECT)

static bool holds_strings(struct slice token) {
    struct json_walk walk = json_walk(token);
    struct slice element;
    while (json_type(token) == JSON_ARRAY && json_next_element(&walk, &element))
        if (json_type(element) != JSON_STRING)
            return false;
    return true;
}

const struct param_rule param_rules[PARAM_COUNT] = {
    [PARAM_TEMPERATURE] = {"temperature", NUMBER, false, NULL, "a number"},
    [PARAM_TOP_P] = {"top_p", NUMBER, false, NULL, "a number"},
    [PARAM_MAX_TOKENS] = {"max_tokens", NUMBER, true, NULL, "an integer"},
    [PARAM_MAX_COMPLETION_TOKENS] = {"max_completion_tokens", NUMBER, true, NULL, "an integer"},
    [PARAM_STOP] = {"stop", STRING | ARRAY, false, holds_strings,
                    "a string or an array of strings"},
    [PARAM_RESPONSE_FORMAT] = {"response_format", OBJECT, false, NULL, "an object"},
    [PARAM_TOOLS] = {"tools", ARRAY, false, NULL, "an array"},
    [PARAM_TOOL_CHOICE] = {"tool_choice", STRING | OBJECT, false, NULL, "a string or an object"},
    [PARAM_SEED] = {"seed", NUMBER, true, NULL, "an integer"},
    [PARAM_REASONING_EFFORT] = {"reasoning_effort", STRING, false, NULL, "a string"},
    [PARAM_VERBOSITY] = {"verbosity", STRING, false, NULL, "a string"},
    [PARAM_N] = {"n", NUMBER, true, NULL, "an integer"},
    [PARAM_LOGPROBS] = {"logprobs", BOOLEAN, false, NULL, "true or false"},
    [PARAM_TOP_LOGPROBS] = {"top_logprobs", NUMBER, true, NULL, "an integer"},
    [PARAM_LOGIT_BIAS] = {"logit_bias", OBJECT, false, NULL, "an object"},
    [PARAM_FREQUENCY_PENALTY] = {"frequency_penalty", NUMBER, false, NULL, "a number"},
    [PARAM_PRESENCE_PENALTY] = {"presence_penalty", NUMBER, false, NULL, "a number"},
    [PARAM_PARALLEL_TOOL_CALLS] = {"parallel_tool_calls", BOOLEAN, false, NULL, "true or false"},
    [PARAM_FUNCTIONS] = {"functions", ARRAY, false, NULL, "an array"},
    [PARAM_FUNCTION_CALL] = {"function_call", STRING | OBJECT, false, NULL,
                             "a string or an object"},
    [PARAM_SERVICE_TIER] = {"service_tier", STRING, false, NULL, "a string"},
    [PARAM_USER] = {"user", STRING, false, NULL, "a string"},
    [PARAM_SAFETY_IDENTIFIER] = {"safety_identifier", STRING, false, NULL, "a string"},
    [PARAM_PROMPT_CACHE_KEY] = {"prompt_cache_key", STRING, false, NULL, "a string"},
    [PARAM_PROMPT_CACHE_RETENTION] = {"prompt_cache_retention", STRING, false, NULL, "a string"},
    [PARAM_METADATA] = {"metadata", OBJECT, false, NULL, "an object"},
    [PARAM_STORE] = {"store", BOOLEAN, false, NULL, "true or false"},
    [PARAM_MODALITIES] = {"modalities", ARRAY, false, holds_strings, "an array of strings"},
    [PARAM_AUDIO] = {"audio", OBJECT, false, NULL, "an object"},
    [PARAM_PREDICTION] = {"prediction", OBJECT, false, NULL, "an object"},
    [PARAM_WEB_SEARCH_OPTIONS] = {"web_search_options", OBJECT, false, NULL, "an object"},
    [PARAM_MODERATION] = {"moderation", OBJECT, false, NULL, "an object"},
    [PARAM_EXTRA_BODY] = {"extra_body", OBJECT, false, NULL, "an object"},
};

enum param param_find(struct slice name) {
    int param = 0;
    while (param < PARAM_COUNT && !slice_is(name, param_rules[param].name))
        param++;
    return (enum param)param;
}

enum param_text param_text(enum param param) {
    return param_rules[param].types & STRING ? PARAM_TEXT_OR_JSON : PARAM_TEXT_JSON;
}

// The digits and the exponent of a number token, as far as they matter.
struct decimal {
    bool negative;
    int64_t digits;
    int64_t exponent;
    bool too_big;
};

static void add_digit(struct decimal *d, char digit) {
    d->too_big |= __builtin_mul_overflow(d->digits, 10, &d->digits) ||
                  __builtin_add_overflow(d->digits, digit - '0', &d->digits);
}

static int64_t read_exponent(struct slice text) {
    bool negative = text.n && text.p[0] == '-';
    int64_t value = 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= '0' && text.p[i] <= '9' && value < 10000)
            value = value * 10 + (text.p[i] - '0');
    return negative ? -value : value;
}

// Zeros at the end of a fraction are not counted, so that "100.000…" of any length is whole.
static struct decimal read_decimal(struct slice token) {
    struct decimal d = {.negative = token.n && token.p[0] == '-'};
    size_t i = d.negative ? 1 : 0, zeros = 0;
    bool fraction = false;
    for (; i < token.n && (token.p[i] | 0x20) != 'e'; i++) {
        char c = token.p[i];
        if (c == '.') {
            fraction = true;
        } else if (fraction && c == '0') {
            zeros++;
        } else {
            for (; zeros; zeros--, d.exponent--)
                add_digit(&d, '0');
            add_digit(&d, c);
            d.exponent -= fraction;
        }
    }
    if (i < token.n)
        d.exponent += read_exponent(slice_of(token.p + i + 1, token.n - i - 1));
    return d;
}

bool param_whole_number(struct slice token, int64_t *value) {
    if (json_type(token) != JSON_NUMBER)
        return false;
    struct decimal d = read_decimal(token);
    if (d.too_big)
        return false;
    for (; d.exponent < 0 && d.digits; d.exponent++) {
        if (d.digits % 10)
            return false;
        d.digits /= 10;
    }
    for (; d.exponent > 0 && d.digits; d.exponent--)
        if (__builtin_mul_overflow(d.digits, 10, &d.digits))
            return false;
    *value = d.negative ? -d.digits : d.digits;
    return true;
}

// Of any length.
static bool is_digits(struct slice token) {
    for (size_t i = token.n && token.p[0] == '-'; i < token.n; i++)
        if (token.p[i] < '0' || token.p[i] > '9')
            return false;
    return true;
}

bool param_obeys(enum param param, struct slice token) {
    const struct param_rule *rule = &param_rules[param];
    int64_t value;
    return PARAM_TYPE(json_type(token)) & rule->types && (!rule->also || rule->also(token)) &&
           (!rule->integer || is_digits(token) || param_whole_number(token, &value));
}

static bool is_number(struct slice token, int64_t number) {
    int64_t value;
    return param_whole_number(token, &value) && value == number;
}

static bool is_empty(struct slice container) {
    struct slice inside = slice_trim(slice_of(container.p + 1, container.n - 1));
    return inside.n && (inside.p[0] == ']' || inside.p[0] == '}');
}

static bool is_text_alone(struct slice array) {
    struct json_walk walk = json_walk(array);
    struct slice element;
    while (json_next_element(&walk, &element))
        if (!json_string_is(element, "text"))
            return false;
    return true;
}

bool param_is_default(enum param param, struct slice token) {
    switch (param) {
    case PARAM_N: return is_number(token, 1);
    case PARAM_TOP_LOGPROBS:
    case PARAM_FREQUENCY_PENALTY:
    case PARAM_PRESENCE_PENALTY: return is_number(token, 0);
    case PARAM_LOGPROBS:
    case PARAM_STORE: return slice_is(token, "false");
    case PARAM_PARALLEL_TOOL_CALLS: return slice_is(token, "true");
    case PARAM_SERVICE_TIER: return json_string_is(token, "auto");
    case PARAM_VERBOSITY: return json_string_is(token, "medium");
    case PARAM_MODALITIES: return is_text_alone(token);
    case PARAM_TOOLS:
    case PARAM_FUNCTIONS:
    case PARAM_LOGIT_BIAS:
    case PARAM_METADATA:
    case PARAM_EXTRA_BODY: return is_empty(token);
    default: return false;
    }
}
