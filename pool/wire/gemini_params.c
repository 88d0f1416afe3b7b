// gemini_params.c: parameters in Gemini's words: generationConfig and the service tier. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/gemini.h"

#include "pool/wire/conversation.h"
#include "pool/wire/wire_params.h"

static bool add_format(struct buf *b, struct slice response_format, const char **what) {
    struct slice schema = SLICE_NONE;
    enum format format = conversation_format(response_format, &schema);
    if (format == FORMAT_OTHER) {
        *what = "its response_format is neither text nor json_object nor json_schema with a schema";
        return false;
    }
    if (format == FORMAT_TEXT)
        return true;
    wire_add_member(b, "responseMimeType", SLICE("\"application/json\""));
    if (format == FORMAT_SCHEMA)
        wire_add_member(b, "responseJsonSchema", schema);
    return true;
}

// -- reasoning --

// OpenAI's words for the effort; the levels of Gemini 3 and later, and the budgets of Gemini 2.5, in
// the sizes that Google's own OpenAI-compatible endpoint gives them.
static const struct effort {
    const char *word, *level, *budget;
} efforts[] = {
    {"none", NULL, "0"},           {"minimal", "\"minimal\"", "1024"},
    {"low", "\"low\"", "1024"},    {"medium", "\"medium\"", "8192"},
    {"high", "\"high\"", "24576"},
};

static const struct effort *find_effort(struct slice token) {
    for (size_t i = 0; i < COUNT(efforts); i++)
        if (json_string_is(token, efforts[i].word))
            return efforts + i;
    return NULL;
}

static bool thinks_by_budget(struct slice model) {
    struct slice name = wire_inside(model);
    if (slice_starts(name, "models/"))
        name = slice_of(name.p + 7, name.n - 7);
    return slice_starts(name, "gemini-2");
}

static bool add_thinking(struct buf *b, struct slice effort, struct slice model,
                         const char **what) {
    const struct effort *asked = find_effort(effort);
    if (!asked)
        return true;
    bool budget = thinks_by_budget(model);
    if (!budget && !asked->level) {
        *what =
            "its reasoning_effort is none, and from Gemini 3 on thinking cannot be switched off";
        return false;
    }
    json_add_name(b, "thinkingConfig");
    buf_add_char(b, '{');
    wire_add_member(b, budget ? "thinkingBudget" : "thinkingLevel",
                    slice_str(budget ? asked->budget : asked->level));
    buf_add_char(b, '}');
    return true;
}

// -- what the wire can say --

static const char *modality_of(struct slice token) {
    static const char *const words[][2] = {
        {"text", "\"TEXT\""}, {"audio", "\"AUDIO\""}, {"image", "\"IMAGE\""}};
    for (size_t i = 0; i < COUNT(words); i++)
        if (json_string_is(token, words[i][0]))
            return words[i][1];
    return NULL;
}

static bool says_modalities(struct slice modalities) {
    struct json_walk walk = json_walk(modalities);
    struct slice element;
    while (json_next_element(&walk, &element))
        if (!modality_of(element))
            return false;
    return true;
}

static void add_modalities(struct buf *b, struct slice modalities) {
    struct json_walk walk = json_walk(modalities);
    struct slice element;
    if (!modalities.n)
        return;
    json_add_name(b, "responseModalities");
    buf_add_char(b, '[');
    for (const char *mark = ""; json_next_element(&walk, &element); mark = ",") {
        buf_add_str(b, mark);
        buf_add_str(b, modality_of(element) ? modality_of(element) : "\"TEXT\"");
    }
    buf_add_char(b, ']');
}

// Source: Google's pages on flex and priority inference.
const char *gemini_tier(struct slice token) {
    static const char *const words[][2] = {{"default", "\"standard\""},
                                           {"standard", "\"standard\""},
                                           {"flex", "\"flex\""},
                                           {"priority", "\"priority\""}};
    for (size_t i = 0; i < COUNT(words); i++)
        if (json_string_is(token, words[i][0]))
            return words[i][1];
    return NULL;
}

static bool refuse(const char **why, const char *text) {
    *why = text;
    return false;
}

static bool says_value(enum param param, struct slice token, const char **why) {
    struct slice part;
    switch (param) {
    case PARAM_RESPONSE_FORMAT:
        return conversation_format(token, &part) != FORMAT_OTHER ||
               refuse(why, "it is neither text nor json_object nor json_schema with a schema");
    case PARAM_TOOL_CHOICE:
        return conversation_choice(token, &part) != CHOICE_OTHER ||
               refuse(why, "its value has no counterpart");
    case PARAM_REASONING_EFFORT:
        return find_effort(token) || refuse(why, "it is none of none, minimal, low, medium, high");
    case PARAM_MODALITIES:
        return says_modalities(token) || refuse(why, "it is none of text, audio, image");
    case PARAM_SERVICE_TIER:
        return gemini_tier(token) || refuse(why, "it is none of auto, default, flex, priority");
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
            [PARAM_SEED] = true,
            [PARAM_REASONING_EFFORT] = true,
            [PARAM_N] = true,
            [PARAM_LOGPROBS] = true,
            [PARAM_TOP_LOGPROBS] = true,
            [PARAM_FREQUENCY_PENALTY] = true,
            [PARAM_PRESENCE_PENALTY] = true,
            [PARAM_SERVICE_TIER] = true,
            [PARAM_MODALITIES] = true},
    .values = says_value,
};

bool gemini_says(const struct request *request, const struct provider *provider,
                 const struct wire_defaults *defaults, struct wire_refusal *refusal) {
    struct wire_params params;
    (void)provider;
    wire_params_merge(&params, request, defaults);
    return wire_words_say(&words, &params, refusal);
}

bool gemini_add_config(struct buf *b, const struct wire_params *params, struct slice model,
                       const char **what) {
    size_t before = b->n;
    buf_add_str(b, ",\"generationConfig\":{");
    size_t start = b->n;
    wire_add_member(b, "temperature", params->of[PARAM_TEMPERATURE]);
    wire_add_member(b, "topP", params->of[PARAM_TOP_P]);
    wire_add_member(b, "maxOutputTokens", wire_params_bound(params));
    conversation_add_stop(b, "stopSequences", params->of[PARAM_STOP]);
    wire_add_member(b, "seed", params->of[PARAM_SEED]);
    wire_add_member(b, "candidateCount", params->of[PARAM_N]);
    wire_add_member(b, "responseLogprobs", params->of[PARAM_LOGPROBS]);
    wire_add_member(b, "logprobs", params->of[PARAM_TOP_LOGPROBS]);
    wire_add_member(b, "frequencyPenalty", params->of[PARAM_FREQUENCY_PENALTY]);
    wire_add_member(b, "presencePenalty", params->of[PARAM_PRESENCE_PENALTY]);
    add_modalities(b, params->of[PARAM_MODALITIES]);
    if (!add_format(b, params->of[PARAM_RESPONSE_FORMAT], what) ||
        !add_thinking(b, params->of[PARAM_REASONING_EFFORT], model, what))
        return false;
    if (b->n > start)
        buf_add_char(b, '}');
    else if (!b->failed)
        b->n = before;
    return true;
}
