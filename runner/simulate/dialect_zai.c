// dialect_zai.c: refusals in the codes of Z.AI and BigModel: one house, two languages. Pure.
//
// Sources: docs.z.ai/api-reference/api-code and docs.bigmodel.cn/cn/api/api-code; sentences as issue
// threads quote them (ccs #402 for 1302, GLM-5 #148 and CowAgent #2910 for 1113). Neither headers nor
// bodies tell a wait.
// SPDX-License-Identifier: MIT
#include "runner/simulate/dialect.h"

#include "jobs/base/json.h"

static void add_body(struct buf *out, const struct dialect_words *words, struct slice message) {
    buf_add_str(out, "{\"error\":{\"code\":");
    json_add_string(out, slice_str(words->code));
    buf_add_str(out, ",\"message\":");
    json_add_string(out, message);
    buf_add_str(out, "}}");
}

static const char *const codes[LIMIT_COUNT] = {
    [LIMIT_NONE] = "1303",        [LIMIT_REQUESTS] = "1303", [LIMIT_TOKENS] = "1303",
    [LIMIT_CONCURRENCY] = "1302", [LIMIT_DAY] = "1304",
};

static int refuse(struct buf *out, const struct refusal *r, const char *const texts[LIMIT_COUNT]) {
    struct dialect_words words = {429, NULL, codes[r->kind], NULL};
    add_body(out, &words, slice_str(texts[r->kind]));
    return words.status;
}

// -- Z.AI --

#define OFTEN "High frequency usage of this API, please reduce frequency"
#define BUSY                                                                                       \
    "High concurrency usage of this API, please reduce concurrency or contact customer service "   \
    "to increase limits"

static int add_refusal(struct buf *out, const struct refusal *r, struct slice model) {
    static const char *const texts[LIMIT_COUNT] = {
        [LIMIT_NONE] = OFTEN,
        [LIMIT_REQUESTS] = OFTEN,
        [LIMIT_TOKENS] = OFTEN,
        [LIMIT_CONCURRENCY] = BUSY,
        [LIMIT_DAY] = "Daily call limit for this API reached",
    };
    (void)model;
    return refuse(out, r, texts);
}

const struct dialect dialect_zai = {
    .name = "zai",
    .words =
        {
            [PROBLEM_REQUEST] = {400, NULL, "1210", NULL},
            [PROBLEM_JSON] = {400, NULL, "1210", "Incorrect API call parameters"},
            [PROBLEM_URL] = {404, NULL, "404", "Not Found"},
            [PROBLEM_METHOD] = {405, NULL, "405", "Method Not Allowed"},
            [PROBLEM_TOO_LARGE] = {413, NULL, "1210", "The request is too large"},
            [PROBLEM_NO_KEY] = {401, NULL, "1001",
                                "Authentication parameter not received in Header, unable to "
                                "authenticate"},
            [PROBLEM_KEY] = {401, NULL, "1000", "Authentication Failed"},
            [PROBLEM_SERVER] = {500, NULL, "1234", "Network error"},
            [PROBLEM_UNAVAILABLE] = {503, NULL, "1230", "API call process error"},
            [PROBLEM_OVERLOADED] = {429, NULL, "1305",
                                    "The service may be temporarily overloaded, "
                                    "please try again later"},
            [PROBLEM_MONEY] = {429, NULL, "1113",
                               "Insufficient balance or no resource package. Please recharge."},
            [PROBLEM_MODEL] = {429, NULL, "1311",
                               "The current subscription plan does not yet include access to "
                               "{model}"},
            [PROBLEM_FORBIDDEN] = {403, NULL, "1220",
                                   "You do not have permission to access {model}"},
        },
    .add_body = add_body,
    .add_refusal = add_refusal,
};

// -- BigModel --

static int add_refusal_chinese(struct buf *out, const struct refusal *r, struct slice model) {
    static const char *const texts[LIMIT_COUNT] = {
        [LIMIT_NONE] = "您当前使用该API的频率过高，请降低频率",
        [LIMIT_REQUESTS] = "您当前使用该API的频率过高，请降低频率",
        [LIMIT_TOKENS] = "您当前使用该API的频率过高，请降低频率",
        [LIMIT_CONCURRENCY] = "您当前使用该API的并发数过高，请降低并发，或联系客服增加限额",
        [LIMIT_DAY] = "该API已达今日调用次数限额",
    };
    (void)model;
    return refuse(out, r, texts);
}

const struct dialect dialect_bigmodel = {
    .name = "bigmodel",
    .words =
        {
            [PROBLEM_REQUEST] = {400, NULL, "1210", NULL},
            [PROBLEM_JSON] = {400, NULL, "1210", "API 调用参数有误，请检查文档。"},
            [PROBLEM_URL] = {404, NULL, "404", "Not Found"},
            [PROBLEM_METHOD] = {405, NULL, "405", "Method Not Allowed"},
            [PROBLEM_TOO_LARGE] = {413, NULL, "1210", "请求体过大"},
            [PROBLEM_NO_KEY] = {401, NULL, "1001",
                                "Header中未收到Authorization参数，无法进行身份验证。"},
            [PROBLEM_KEY] = {401, NULL, "1000", "身份验证失败。"},
            [PROBLEM_SERVER] = {500, NULL, "1234", "网络错误，请联系客服。"},
            [PROBLEM_UNAVAILABLE] = {503, NULL, "1230", "API 调用流程出错。"},
            [PROBLEM_OVERLOADED] = {429, NULL, "1305", "该模型当前访问量过大，请您稍后再试"},
            [PROBLEM_MONEY] = {429, NULL, "1113", "余额不足或无可用资源包,请充值。"},
            [PROBLEM_MODEL] = {429, NULL, "1311", "当前订阅套餐暂未开放{model}权限"},
            [PROBLEM_FORBIDDEN] = {403, NULL, "1220", "您无权访问{model}。"},
        },
    .add_body = add_body,
    .add_refusal = add_refusal_chinese,
};
