// rules_china.c: what clouds of China mean that are not in the catalogue. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// volcengine.com/docs/82379/1299023 (Ark), cloud.baidu.com (Qianfan), xfyun.cn (Spark), iFlow, Tencent.
const struct rule rules_china[] = {

    // Ark
    {.word = "AccountOverdueError", .means = NO_MONEY},
    {.word = "ServerOverloaded", .means = CROWDED},
    {.word = "ModelNotOpen", .means = NOT_MODEL},
    {.word = "InvalidEndpointOrModel.NotFound", .means = NO_MODEL},
    {.word = "SensitiveContentDetected", .means = FILTERED},
    {.word = "InputTextSensitiveContentDetected", .means = FILTERED},
    {.word = "OutputTextSensitiveContentDetected", .means = FILTERED},
    {.word = "RateLimitExceeded.EndpointRPMExceeded", .means = TOO_FAST},
    {.word = "RateLimitExceeded.EndpointTPMExceeded", .means = TOO_FAST},
    {.word = "ModelAccountRpmRateLimitExceeded", .means = TOO_FAST},
    {.word = "ModelAccountTpmRateLimitExceeded", .means = TOO_FAST},
    {.word = "AccountRateLimitExceeded", .means = TOO_FAST},

    // Qianfan
    {.word = "account_overdue", .means = NO_MONEY},
    {.word = "invalid_iam_token", .means = BAD_KEY},
    {.word = "rpm_rate_limit_exceeded", .means = TOO_FAST},
    {.word = "tpm_rate_limit_exceeded", .means = TOO_FAST},

    // Spark: 10013 and 10014 are its review of prompt and answer, 11200 no licence, 11201 the day's calls
    {.word = "10013", .means = FILTERED},
    {.word = "10014", .means = FILTERED},
    {.word = "11200", .means = NOT_MODEL},
    {.word = "11201", .means = DAY_SPENT},
    {.word = "11202", .means = TOO_FAST},
    {.word = "11203", .means = TOO_MANY},

    // iFlow: statuses of its own, beside a good one of HTTP
    {.status = 439, .word = "439", .means = BAD_KEY},
    {.status = 449, .word = "449", .means = TOO_FAST},
    {.status = 435, .word = "435", .means = NO_MODEL},

    // Tencent
    {.word = "FailedOperation.ResourcePackExhausted", .means = NO_MONEY},
    {.word = "FailedOperation.ServiceStopUnpaid", .means = NO_MONEY},
    {.word = "RequestLimitExceeded", .means = TOO_FAST},
    {.word = "AuthFailure.SecretIdNotFound", .means = BAD_KEY},
    {.word = "AuthFailure.SignatureFailure", .means = BAD_KEY},
    {0},
};
