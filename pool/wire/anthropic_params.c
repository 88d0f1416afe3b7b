// anthropic_params.c: parameters in Anthropic's words: tools, formats, reasoning, bounds. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/anthropic.h"

#include "pool/wire/conversation.h"
#include "pool/wire/wire_params.h"

// Anthropic wants max_tokens; this is what a row without one gets.
#define MAX_TOKENS_DEFAULT SLICE("4096")

static void add_tool(struct buf *b, const struct tool *tool) {
    buf_add_char(b, '{');
    wire_add_member(b, "name", tool->name);
    wire_add_member(b, "description", tool->description);
    wire_add_member(b, "input_schema",
                    tool->parameters.n ? tool->parameters
                                       : SLICE("{\"type\":\"object\",\"properties\":{}}"));
    wire_add_member(b, "strict", tool->strict);
    buf_add_char(b, '}');
}

static bool add_tools(struct buf *b, struct slice tools, const char **what) {
    struct json_walk walk = json_walk(tools);
    struct tool tool;
    *what = NULL;
    if (!tools.n || wire_is_empty(tools))
        return true;
    json_add_name(b, "tools");
    for (char mark = '['; conversation_next_tool(&walk, &tool, what); mark = ',') {
        buf_add_char(b, mark);
        add_tool(b, &tool);
    }
    buf_add_char(b, ']');
    return !*what;
}

// parallel_tool_calls stands inside of tool_choice here.
static bool add_tool_choice(struct buf *b, const struct wire_params *params, const char **what) {
    static const char *const words[] = {
        [CHOICE_AUTO] = "{\"type\":\"auto\"",
        [CHOICE_NONE] = "{\"type\":\"none\"",
        [CHOICE_REQUIRED] = "{\"type\":\"any\"",
        [CHOICE_TOOL] = "{\"type\":\"tool\",\"name\":",
    };
    struct slice name, tools = params->of[PARAM_TOOLS];
    enum choice choice = conversation_choice(params->of[PARAM_TOOL_CHOICE], &name);
    bool one_call = slice_is(params->of[PARAM_PARALLEL_TOOL_CALLS], "false") && tools.n &&
                    !wire_is_empty(tools) && choice != CHOICE_NONE;
    if (choice == CHOICE_NOT_GIVEN && one_call)
        choice = CHOICE_AUTO;
    if (choice == CHOICE_NOT_GIVEN)
        return true;
    if (choice == CHOICE_OTHER) {
        *what = "its tool_choice has no counterpart in this format";
        return false;
    }
    wire_add_member(b, "tool_choice", slice_str(words[choice]));
    if (choice == CHOICE_TOOL)
        buf_add_slice(b, name);
    if (one_call)
        wire_add_member(b, "disable_parallel_tool_use", SLICE("true"));
    buf_add_char(b, '}');
    return true;
}

static bool add_format(struct buf *b, struct slice response_format, const char **what) {
    struct slice schema = SLICE_NONE;
    switch (conversation_format(response_format, &schema)) {
    case FORMAT_TEXT: return true;
    case FORMAT_JSON:
        *what = "its response_format json_object has no counterpart in this format; json_schema "
                "has";
        return false;
    case FORMAT_OTHER:
        *what = "its response_format is neither text nor json_schema with a schema";
        return false;
    case FORMAT_SCHEMA: break;
    }
    json_add_name(b, "format");
    buf_add_str(b, "{\"type\":\"json_schema\",\"schema\":");
    buf_add_slice(b, schema);
    buf_add_char(b, '}');
    return true;
}

// -- reasoning --

// OpenAI's words for the effort, Anthropic's, and the budget in tokens of models that know no effort
// (the sizes that Google's compatible endpoint gives the same words).
static const struct effort {
    const char *word, *effort;
    int64_t budget;
} efforts[] = {
    {"none", NULL, 0},           {"minimal", "\"low\"", 1024},
    {"low", "\"low\"", 1024},    {"medium", "\"medium\"", 8192},
    {"high", "\"high\"", 24576}, {"xhigh", "\"xhigh\"", 32768},
    {"max", "\"max\"", 32768},
};

#define BUDGET_LEAST 1024 // Anthropic's own bound

static const struct effort *find_effort(struct slice token) {
    for (size_t i = 0; i < COUNT(efforts); i++)
        if (json_string_is(token, efforts[i].word))
            return efforts + i;
    return NULL;
}

// Models that think by a budget of tokens and refuse output_config.effort.
// Source: Anthropic's pages "Effort" (Opus 4.5 and later) and "Extended thinking".
static bool has_budget(struct slice model) {
    static const char *const starts[] = {
        "\"claude-3-7",      "\"claude-sonnet-4-0",  "\"claude-sonnet-4-2025", "\"claude-opus-4-0",
        "\"claude-opus-4-1", "\"claude-opus-4-2025", "\"claude-sonnet-4-5",    "\"claude-haiku-4-5",
    };
    for (size_t i = 0; i < COUNT(starts); i++)
        if (slice_starts(model, starts[i]))
            return true;
    return false;
}

// max_tokens counts the thinking too and must be more: a bound that is given holds, and the budget
// stays below it.
static bool add_bound(struct buf *b, const struct wire_params *params, int64_t budget,
                      const char **what) {
    struct slice bound = wire_params_bound(params);
    int64_t most = 0;
    if (!budget) {
        wire_add_member(b, "max_tokens", bound.n ? bound : MAX_TOKENS_DEFAULT);
        return true;
    }
    if (bound.n) {
        wire_add_member(b, "max_tokens", bound);
        if (json_int(bound, &most) && most <= budget)
            budget = most - 1;
    } else {
        json_add_name(b, "max_tokens");
        buf_add_int(b, budget + 4096);
    }
    if (budget < BUDGET_LEAST) {
        *what = "with reasoning_effort this model needs a bound of more than 1024 tokens";
        return false;
    }
    json_add_name(b, "thinking");
    buf_add_str(b, "{\"type\":\"enabled\",\"budget_tokens\":");
    buf_add_int(b, budget);
    buf_add_char(b, '}');
    return true;
}

bool anthropic_add_bound(struct buf *b, const struct wire_params *params, struct slice model,
                         const char **effort, const char **what) {
    const struct effort *asked = find_effort(params->of[PARAM_REASONING_EFFORT]);
    bool by_budget = asked && asked->budget && has_budget(model);
    *effort = asked && !by_budget ? asked->effort : NULL;
    return add_bound(b, params, by_budget ? asked->budget : 0, what);
}

// -- what the wire can say --

static bool is_user_id(struct slice metadata) {
    struct json_walk walk = json_walk(metadata);
    struct slice name, value;
    while (json_next_member(&walk, &name, &value))
        if (!json_string_is(name, "user_id") || json_type(value) != JSON_STRING)
            return false;
    return true;
}

static const char *tier_of(struct slice token) {
    if (json_string_is(token, "default") || json_string_is(token, "standard_only"))
        return "\"standard_only\"";
    return json_string_is(token, "auto") ? "\"auto\"" : NULL;
}

static bool refuse(const char **why, const char *text) {
    *why = text;
    return false;
}

static bool says_value(enum param param, struct slice token, const char **why) {
    struct slice part;
    switch (param) {
    case PARAM_RESPONSE_FORMAT:
        if (conversation_format(token, &part) == FORMAT_JSON)
            return refuse(why, "its json_object has no counterpart, json_schema has");
        return conversation_format(token, &part) != FORMAT_OTHER ||
               refuse(why, "it is neither text nor json_schema with a schema");
    case PARAM_TOOL_CHOICE:
        return conversation_choice(token, &part) != CHOICE_OTHER ||
               refuse(why, "its value has no counterpart");
    case PARAM_REASONING_EFFORT:
        return find_effort(token) ||
               refuse(why, "it is none of none, minimal, low, medium, high, xhigh, max");
    case PARAM_METADATA: return is_user_id(token) || refuse(why, "it takes user_id alone");
    case PARAM_SERVICE_TIER: return tier_of(token) || refuse(why, "it is neither auto nor default");
    default: return true;
    }
}

static const struct wire_words words = {
    .has = {[PARAM_TEMPERATURE] = true,
            [PARAM_TOP_P] = true,
            [PARAM_MAX_TOKENS] = true,
            [PARAM_MAX_COMPLETION_TOKENS] = true,
            [PARAM_STOP] = true,
            [PARAM_RESPONSE_FORMAT] = true,
            [PARAM_TOOLS] = true,
            [PARAM_TOOL_CHOICE] = true,
            [PARAM_REASONING_EFFORT] = true,
            [PARAM_PARALLEL_TOOL_CALLS] = true,
            [PARAM_SERVICE_TIER] = true,
            [PARAM_USER] = true,
            [PARAM_SAFETY_IDENTIFIER] = true,
            [PARAM_METADATA] = true},
    .values = says_value,
};

bool anthropic_says(const struct request *request, const struct provider *provider,
                    const struct wire_defaults *defaults, struct wire_refusal *refusal) {
    struct wire_params params;
    (void)provider;
    wire_params_merge(&params, request, defaults);
    return wire_words_say(&words, &params, refusal);
}

static void add_user(struct buf *b, const struct wire_params *params) {
    struct slice user = params->of[PARAM_SAFETY_IDENTIFIER];
    if (!user.n)
        user = params->of[PARAM_USER];
    if (!user.n)
        user = wire_only(json_get(params->of[PARAM_METADATA], "user_id"), JSON_STRING);
    if (!user.n)
        return;
    json_add_name(b, "metadata");
    buf_add_str(b, "{\"user_id\":");
    buf_add_slice(b, user);
    buf_add_char(b, '}');
}

static bool add_output(struct buf *b, const struct wire_params *params, const char *effort,
                       const char **what) {
    struct slice schema, format = params->of[PARAM_RESPONSE_FORMAT];
    if (!effort && conversation_format(format, &schema) == FORMAT_TEXT)
        return true;
    json_add_name(b, "output_config");
    buf_add_char(b, '{');
    if (effort)
        wire_add_member(b, "effort", slice_str(effort));
    if (!add_format(b, format, what))
        return false;
    buf_add_char(b, '}');
    return true;
}

bool anthropic_add_settings(struct buf *b, const struct wire_params *params, const char *effort,
                            const char **what) {
    wire_add_member(b, "temperature", params->of[PARAM_TEMPERATURE]);
    wire_add_member(b, "top_p", params->of[PARAM_TOP_P]);
    conversation_add_stop(b, "stop_sequences", params->of[PARAM_STOP]);
    add_user(b, params);
    const char *tier = tier_of(params->of[PARAM_SERVICE_TIER]);
    if (tier)
        wire_add_member(b, "service_tier", slice_str(tier));
    return add_tools(b, params->of[PARAM_TOOLS], what) && add_tool_choice(b, params, what) &&
           add_output(b, params, effort, what);
}
