// run_settings.c: hashes of what all rows have in common. Main thread; then the reader's.
// SPDX-License-Identifier: MIT
#include "runner/run_settings.h"

#include "jobs/base/die.h"
#include "jobs/base/json.h"
#include "jobs/base/utf8.h"

#include <stdlib.h>

// So much of a text is told to people.
#define SHOWN_BYTES 200

static void set_text(struct run_settings *s, enum setting setting, struct slice text) {
    struct slice shown = utf8_cut(text, SHOWN_BYTES);
    struct buf cut = BUF_INIT(SHOWN_BYTES + 8), *out = &s->texts[setting];
    utf8_add_repaired(&cut, shown);
    if (shown.n < text.n)
        buf_add_str(&cut, "…");
    *out = BUF_INIT(SIZE_MAX / 2);
    json_add_string(out, buf_slice(&cut));
    buf_free(&cut);
    s->all.of[setting] = setting_hash(text);
}

static void set_prompt(struct run_settings *s, const struct config *c) {
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    if (c->template)
        buf_add_str(&text, c->template);
    else
        buf_add_str(&text, c->prompt_field ? c->prompt_field : "prompt");
    if (c->fields)
        buf_addf(&text, " (--fields %s)", c->fields);
    set_text(s, SETTING_PROMPT, buf_slice(&text));
    buf_free(&text);
}

static void set_params(struct run_settings *s, const struct run_params *params) {
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    for (int i = 0; i < PARAM_COUNT; i++)
        if (params->of[i].n) {
            buf_addf(&text, "%s%s=", text.n ? ", " : "", param_rules[i].name);
            buf_add_slice(&text, params->of[i]);
        }
    set_text(s, SETTING_PARAMS, buf_slice(&text));
    buf_free(&text);
}

static void set_models(struct run_settings *s, const struct plan *plan) {
    uint32_t *models = mem_zero(plan->route_count, sizeof *models);
    struct slice first = plan->route_count ? plan->routes[0].defaults.model : SLICE("\"\"");
    for (size_t i = 0; i < plan->route_count; i++)
        models[i] = setting_hash(plan->routes[i].defaults.model);
    if (first.n < 2) // no model of its own: rows name theirs
        first = SLICE("\"\"");
    set_text(s, SETTING_MODEL, slice_of(first.p + 1, first.n - 2));
    s->models = models;
    s->model_count = plan->route_count;
}

void run_settings_make(struct run_settings *s, const struct plan *plan) {
    const struct config *c = plan->config;
    *s = (struct run_settings){0};
    set_prompt(s, c);
    set_text(s, SETTING_SYSTEM, slice_str(c->system ? c->system : ""));
    set_models(s, plan);
    set_params(s, &plan->params);
}

void run_settings_free(struct run_settings *s) {
    for (int i = 0; i < SETTINGS; i++)
        buf_free(&s->texts[i]);
    free((void *)s->models);
}

void run_settings_fill(const struct run_settings *s, const struct plan *plan, struct job *job) {
    const struct request *request = &job->request;
    unsigned routes = plan_routes(plan, request);
    job->settings = s->all;
    if (request->body.n)
        job->settings = (struct settings){0};
    if (request->shape == ROW_MESSAGES)
        job->settings.of[SETTING_PROMPT] = 0;
    if (request->system.n)
        job->settings.of[SETTING_SYSTEM] = 0;
    job->settings.of[SETTING_MODEL] = 0;
    if (!request->model.n && routes)
        job->settings.of[SETTING_MODEL] = s->models[__builtin_ctz(routes)];
}
