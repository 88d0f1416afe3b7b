// rules_common.c: words that many providers and gateways use. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// Most specific first. OpenAI's words are spoken by most; the rest is what their guides and threads show
// in more than one place.
const struct rule rules_common[] = {

    // Requests too large for a minute of an account come as rate limits, but no waiting helps (OpenAI 429:
    // aider #1880; Groq 413: continue #10218). What a model can take is the request's own fault.
    {.status = 413, .text = "Request too large", .also = "per min", .means = TOO_LARGE},
    {.status = 429, .text = "Request too large", .means = TOO_LARGE},
    {.status = 402, .text = "or fewer max_tokens", .means = TOO_LARGE},
    {.status = 402, .text = "can only afford", .means = TOO_LARGE},
    {.status = 413, .text = "Request too large", .means = BAD_REQUEST},
    {.word = "context_length_exceeded", .means = BAD_REQUEST},
    {.text = "maximum context length", .means = BAD_REQUEST},
    {.text = "prompt is too long", .means = BAD_REQUEST},

    // Policy
    {.word = "content_filter", .means = FILTERED},
    {.word = "content_policy_violation", .means = FILTERED},
    {.word = "content_moderation", .means = FILTERED},
    {.word = "moderation_blocked", .means = FILTERED},
    {.word = "sensitive_content", .means = FILTERED},
    {.text = "content management policy", .means = FILTERED},
    {.text = "flagged by moderation", .means = FILTERED},
    {.text = "violates our usage polic", .means = FILTERED},
    {.status = 400, .text = "敏感", .means = FILTERED},
    {.text = "不安全或敏感内容", .means = FILTERED},

    // Money. Anthropic's text is met through gateways of all kinds (LiteLLM #16092)
    {.word = "insufficient_quota", .means = NO_MONEY},
    {.word = "insufficient_balance", .means = NO_MONEY},
    {.word = "insufficient_credits", .means = NO_MONEY},
    {.word = "billing_not_active", .means = NO_MONEY},
    {.text = "credit balance is too low", .means = NO_MONEY},
    {.text = "insufficient balance", .means = NO_MONEY},
    {.text = "insufficient account balance", .means = NO_MONEY},
    {.text = "balance is insufficient", .means = NO_MONEY},
    {.text = "not enough balance", .means = NO_MONEY},
    {.text = "insufficient credit", .means = NO_MONEY},
    {.text = "insufficient funds", .means = NO_MONEY},
    {.text = "not enough credits", .means = NO_MONEY},
    {.text = "out of credits", .means = NO_MONEY},
    {.text = "no credits left", .means = NO_MONEY},
    {.text = "no credits remaining", .means = NO_MONEY},
    {.text = "no remaining credits", .means = NO_MONEY},
    {.text = "credits have been exhausted", .means = NO_MONEY},
    {.text = "credits are depleted", .means = NO_MONEY},
    {.text = "余额不足", .means = NO_MONEY},
    {.text = "欠费", .means = NO_MONEY},
    {.text = "account is in good standing", .means = NO_MONEY}, // DashScope's Arrearage

    // Keys
    {.word = "invalid_api_key", .means = BAD_KEY},
    {.word = "account_deactivated", .means = BAD_KEY},
    {.word = "token_expired", .means = BAD_KEY},
    {.status = 401, .text = "invalid api key", .means = BAD_KEY},
    {.status = 401, .text = "invalid token", .means = BAD_KEY},
    {.status = 401, .text = "incorrect api key", .means = BAD_KEY},
    {.status = 401, .text = "api key is invalid", .means = BAD_KEY},
    {.status = 401, .text = "api key not found", .means = BAD_KEY},
    {.status = 401, .text = "api key expired", .means = BAD_KEY},
    {.status = 401, .text = "api key has expired", .means = BAD_KEY},
    {.status = 401, .text = "key has been revoked", .means = BAD_KEY},
    {.status = 401, .text = "key is disabled", .means = BAD_KEY},
    {.status = 401, .text = "token is expired", .means = BAD_KEY},
    {.status = 401, .text = "token has expired", .means = BAD_KEY},
    {.status = 403, .text = "invalid api key", .means = BAD_KEY},
    {.status = 403, .text = "invalid token", .means = BAD_KEY},
    {.status = 403, .text = "incorrect api key", .means = BAD_KEY},
    {.status = 403, .text = "api key is invalid", .means = BAD_KEY},
    {.status = 403, .text = "api key not found", .means = BAD_KEY},
    {.status = 403, .text = "api key expired", .means = BAD_KEY},
    {.status = 403, .text = "api key has expired", .means = BAD_KEY},
    {.status = 403, .text = "key has been revoked", .means = BAD_KEY},
    {.status = 403, .text = "key is disabled", .means = BAD_KEY},
    {.status = 403, .text = "token is expired", .means = BAD_KEY},
    {.status = 403, .text = "token has expired", .means = BAD_KEY},
    {.status = IN_200, .text = "invalid api key", .means = BAD_KEY},
    {.text = "login fail", .means = BAD_KEY},
    {.status = 401, .text = "authentication fail", .means = BAD_KEY},
    {.status = 401, .text = "invalid authentication", .means = BAD_KEY},
    {.text = "身份验证失败", .means = BAD_KEY},
    {.text = "无效的api", .means = BAD_KEY},

    // Models
    {.word = "model_not_found", .means = NO_MODEL},
    {.word = "invalid_model", .means = NO_MODEL},
    {.text = "does not exist or you do not have access", .means = NO_MODEL},
    {.status = 404, .text = "model", .means = NO_MODEL},
    {.status = 404, .text = "no such model", .means = NO_MODEL},
    {.status = 404, .text = "not find model", .means = NO_MODEL},
    {.status = 404, .text = "not find the model", .means = NO_MODEL},
    {.status = 404, .text = "deployment", .means = NO_MODEL},
    {.status = 404, .text = "模型", .means = NO_MODEL},
    {.status = 400, .text = "model does not exist", .means = NO_MODEL},
    {.status = 400, .text = "unknown model", .means = NO_MODEL},
    {.status = 403, .text = "access to model", .means = NOT_MODEL},
    {.status = 403, .text = "access to the model", .means = NOT_MODEL},

    // "on tokens per day (TPD): Limit 100000, Used 97050, … Please try again in 9m38.016s." (Groq: continue
    // #10920) and OpenAI's likewise: such days roll, the stated wait is the one that counts.
    {.status = 429, .text = " per day (", .means = DAY_SPENT},
    {.status = 429, .text = "daily limit", .means = DAY_SPENT},
    {.status = 429, .text = "per day", .means = DAY_SPENT},
    {.status = 429, .text = "daily quota", .means = DAY_SPENT},
    {.status = 429, .text = "requests/day", .means = DAY_SPENT},
    {.status = 429, .text = "per-day", .means = DAY_SPENT},
    {.status = 429, .text = "daily request limit", .means = DAY_SPENT},
    {.status = 429, .text = "daily token limit", .means = DAY_SPENT},
    {.status = 429, .text = "每日", .means = DAY_SPENT},
    {.status = 429, .text = "per month", .means = DAY_SPENT},
    {.status = 429, .text = "monthly limit", .means = DAY_SPENT},
    {.status = 429, .text = "weekly limit", .means = DAY_SPENT},

    // "concurrent requests", "concurrency limit": whoever counts those
    {.status = 429, .text = "concurren", .means = TOO_MANY},
    {.status = 429, .text = "并发", .means = TOO_MANY},

    // The engine, not the key: "engine is currently overloaded"
    {.status = 429, .text = "overloaded", .means = CROWDED},
    {.status = 429, .text = "high demand", .means = CROWDED},
    {.status = 429, .text = "at capacity", .means = CROWDED},
    {.status = 429, .text = "no available capacity", .means = CROWDED},
    {.word = "overloaded_error", .means = DOWN},
    {.word = "server_is_overloaded", .means = DOWN},

    // Said under other statuses than 429 too, and inside 200
    {.word = "rate_limit_exceeded", .means = TOO_FAST},
    {.word = "rate_limited", .means = TOO_FAST},
    {.word = "rate_limit_error", .means = TOO_FAST},
    {.status = 429, .text = "rate limit", .means = TOO_FAST},
    {.status = IN_200, .text = "rate limit", .means = TOO_FAST},
    {.status = 403, .text = "rate limit exceeded", .means = TOO_FAST},
    {.text = "rate limit reached", .means = TOO_FAST},
    {.status = IN_200, .text = "too many requests", .means = TOO_FAST},
    {.text = "请求频率", .means = TOO_FAST},
    {.text = "频率过高", .means = TOO_FAST},
    {.text = "速率限制", .means = TOO_FAST},

    // An error inside a good status, of a kind that the request is to blame for
    {.status = IN_200, .word = "invalid_request_error", .means = BAD_REQUEST},
    {.status = IN_200, .word = "BadRequestError", .means = BAD_REQUEST},
    {0},
};
