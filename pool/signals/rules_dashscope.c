// rules_dashscope.c: what Alibaba's Model Studio (DashScope) means. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// help.aliyun.com/zh/model-studio/error-code; its OpenAI-compatible form spells some codes otherwise.
const struct rule rules_dashscope[] = {
    {.word = "Arrearage", .means = NO_MONEY}, // comes as 400
    {.word = "CommodityNotPurchased", .means = NO_MONEY},
    {.word = "PrepaidBillOverdue", .means = NO_MONEY},
    {.word = "PostpaidBillOverdue", .means = NO_MONEY},
    {.word = "AllocationQuota.FreeTierOnly", .means = MODEL_SPENT}, // this model's free tokens
    {.text = "Free allocated quota exceeded", .means = MODEL_SPENT},
    {.word = "InvalidApiKey", .means = BAD_KEY},
    {.word = "DataInspectionFailed", .means = FILTERED},
    {.word = "data_inspection_failed", .means = FILTERED},
    {.word = "IPInfringementSuspect", .means = FILTERED},
    {.word = "FaqRuleBlocked", .means = FILTERED},
    {.word = "CustomRoleBlocked", .means = FILTERED},
    {.word = "AccessDenied.Unpurchased", .means = NOT_MODEL},
    {.word = "Model.AccessDenied", .means = NOT_MODEL},
    {.word = "Workspace.AccessDenied", .means = FORBIDDEN},
    {.word = "ModelNotFound", .means = NO_MODEL},
    {.status = 400, .text = "Model not exist", .means = NO_MODEL},
    {.word = "UnsupportedModel", .means = NO_MODEL},
    {.word = "InvalidURL", .means = NO_PATH},
    {.word = "Throttling", .means = TOO_FAST},
    {.word = "Throttling.RateQuota", .means = TOO_FAST},
    {.word = "Throttling.BurstRate", .means = TOO_FAST},
    {.word = "Throttling.AllocationQuota", .means = TOO_FAST},
    {.word = "limit_requests", .means = TOO_FAST},
    {.word = "limit_burst_rate", .means = TOO_FAST},
    {.status = 429,
     .word = "insufficient_quota",
     .means = TOO_FAST}, // Throttling.AllocationQuota in the compatible form: tokens per minute
    {.word = "RequestTimeOut", .means = SLOW},
    {.word = "InternalError.Timeout", .means = SLOW},
    {.word = "InternalError", .means = DOWN},
    {.word = "InternalError.Algo", .means = DOWN},
    {.word = "SystemError", .means = DOWN},
    {.word = "ModelServingError", .means = DOWN},
    {.word = "ModelUnavailable", .means = DOWN},
    {.word = "ServiceUnavailable", .means = DOWN},
    {.word = "InvalidParameter", .means = BAD_REQUEST},
    {0},
};
