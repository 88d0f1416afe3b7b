// rules_bedrock.c: what AWS means: Bedrock's exceptions. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html and API_runtime_Converse.html. The
// names come in __type or in the header x-amzn-errortype.
const struct rule rules_bedrock[] = {
    {.word = "UnrecognizedClientException", .means = BAD_KEY},
    {.word = "InvalidSignatureException", .means = BAD_KEY},
    {.word = "ExpiredTokenException", .means = BAD_KEY},
    {.word = "IncompleteSignature", .means = BAD_KEY},
    {.word = "InvalidClientTokenId", .means = BAD_KEY},
    {.word = "MissingAuthenticationTokenException", .means = BAD_KEY},
    {.text = "INVALID_PAYMENT_INSTRUMENT", .means = NO_MONEY},
    {.status = 403,
     .text = "don't have access to the model with",
     .means = NOT_MODEL}, // "You don't have access to the model …"
    {.status = 403, .text = "is not authorized to perform", .means = FORBIDDEN},
    {.word = "ThrottlingException", .text = "tokens per day", .means = DAY_SPENT},
    {.word = "ThrottlingException", .means = TOO_FAST},
    {.word = "ServiceQuotaExceededException", .means = TOO_FAST},
    {.word = "ModelNotReadyException", .means = CROWDED},
    {.word = "ModelTimeoutException", .means = SLOW},
    {.word = "ModelErrorException", .means = DOWN},
    {.word = "ModelStreamErrorException", .means = DOWN},
    {.word = "ServiceUnavailableException", .means = DOWN},
    {.word = "InternalServerException", .means = DOWN},
    {.status = 400, .text = "model identifier is invalid", .means = NO_MODEL},
    {.status = 400,
     .text = "on-demand throughput",
     .means = NO_MODEL}, // a model that wants an inference profile
    {.status = 404, .word = "ResourceNotFoundException", .means = NO_MODEL},
    {.word = "ValidationException", .means = BAD_REQUEST},
    {0},
};
