// rules_gateways.c: what gateways mean by words of their own: LiteLLM, one-api, new-api. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// docs.litellm.ai/docs/exception_mapping and its proxy's ProxyErrorTypes; one-api and new-api: their
// middleware and relay, in Chinese or English.
const struct rule rules_gateways[] = {

    // LiteLLM
    {.word = "key_model_access_denied", .means = NOT_MODEL},
    {.word = "team_model_access_denied", .means = NOT_MODEL},
    {.word = "user_model_access_denied", .means = NOT_MODEL},
    {.word = "org_model_access_denied", .means = NOT_MODEL},
    {.word = "project_model_access_denied", .means = NOT_MODEL},
    {.text = "key not allowed to access model", .means = NOT_MODEL},
    {.word = "budget_exceeded", .means = KEY_SPENT},
    {.text = "Budget has been exceeded", .means = KEY_SPENT},
    {.text = "ExceededBudget", .means = KEY_SPENT},
    {.word = "expired_key", .means = BAD_KEY},
    {.word = "token_not_found_in_db", .means = BAD_KEY},
    {.text = "Invalid proxy server token", .means = BAD_KEY},
    {.status = 401, .text = "Key is blocked", .means = BAD_KEY},
    {.text = "No deployments available", .means = CROWDED},
    {.text = "Invalid model name passed in", .means = NO_MODEL},
    {.text = "Max parallel request limit reached", .means = TOO_MANY},
    {.word = "throttling_error", .means = TOO_FAST},

    // one-api, new-api: no channel is a matter of the gateway, though new-api calls it model_not_found
    {.text = "无可用渠道", .means = DOWN},
    {.text = "no available channel", .means = DOWN},
    {.word = "channel:no_available_key", .means = DOWN},
    {.word = "get_channel_failed", .means = DOWN},
    {.word = "do_request_failed", .means = DOWN},
    {.text = "上游负载已饱和", .means = CROWDED},
    {.text = "当前模型负载", .means = CROWDED},

    // The price of this request against what is left of the token or of the user
    {.text = "token quota is not enough", .also = "remain quota: ＄0.00", .means = KEY_SPENT},
    {.text = "token quota is not enough", .means = TOO_LARGE},
    {.text = "预扣费额度失败", .also = "剩余额度: ＄0.00", .means = NO_MONEY},
    {.text = "预扣费额度失败", .means = TOO_LARGE},
    {.word = "insufficient_user_quota", .means = NO_MONEY},
    {.text = "用户额度不足", .means = NO_MONEY},
    {.word = "pre_consume_token_quota_failed", .means = KEY_SPENT},
    {.text = "令牌额度", .means = KEY_SPENT}, // 不足, 已用尽
    {.text = "令牌已过期", .means = BAD_KEY},
    {.text = "令牌状态不可用", .means = BAD_KEY},
    {.text = "无效的令牌", .means = BAD_KEY},
    {.text = "令牌验证失败", .means = BAD_KEY},
    {.text = "未提供令牌", .means = BAD_KEY},
    {.text = "用户已被封禁", .means = BAD_KEY},
    {.text = "令牌无权", .means = NOT_MODEL},
    {.text = "has no access to model", .means = NOT_MODEL},
    {.word = "model_price_error", .means = NO_MODEL},
    {.word = "sensitive_words_detected", .means = FILTERED},
    {.text = "请求数限制", .means = TOO_FAST},
    {.text = "请求过于频繁", .means = TOO_FAST},
    {0},
};
