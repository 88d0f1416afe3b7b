// run.c: the main job, `batch-run INPUT`: plans, checks, runs, reports. Main thread.
// SPDX-License-Identifier: MIT
#include "runner/command.h"

#include "jobs/base/clock.h"
#include "jobs/base/die.h"
#include "jobs/base/log.h"
#include "runner/commands/commands.h"
#include "runner/config.h"
#include "runner/dry_run.h"
#include "runner/paths.h"
#include "runner/pipeline.h"
#include "runner/process.h"
#include "runner/report.h"
#include "runner/screen/summary.h"
#include "runner/simulate/simulate.h"

#include <stdlib.h>
#include <sys/stat.h>

static bool is_regular(const char *path) {
    struct stat file;
    return strcmp(path, "-") != 0 && stat(path, &file) == 0 && S_ISREG(file.st_mode);
}

// --strict: the whole input is read once before anything is sent, if it can be read twice.
static bool check_strictly(const struct plan *plan, struct error *err) {
    if (!is_regular(plan->input))
        return true;
    struct source_options options = pipeline_source_options(plan, -1);
    options.silent = true;
    struct source *source = source_open(&options, err);
    if (!source)
        return false;
    struct job *job = job_new(SOURCE_LINE_ROOM((size_t)plan->config->max_line_bytes), 1);
    enum source_status status = SOURCE_END;
    while ((status = source_next(source, job, err)) == SOURCE_JOB) {
        plan_judge(plan, job);
        if (job->result.outcome == OUTCOME_BAD_INPUT) {
            error_set(err, ERROR_USAGE, "%s:%lld: %s (--strict: nothing was sent)", plan->input,
                      (long long)job->line_no, job->result.message);
            break;
        }
        job_clear(job);
    }
    job_free(job);
    source_close(source);
    return err->class == ERROR_NONE;
}

static bool start_simulator(struct plan *plan, struct simulator **simulator, struct error *err) {
    if (!plan->embedded)
        return true;
    *simulator = simulate_start(&plan->simulated, err);
    if (!*simulator)
        return false;
    struct buf url = BUF_INIT(64);
    buf_addf(&url, "http://127.0.0.1:%d/v1", simulate_port(*simulator));
    plan_set_simulator(plan, buf_cstr(&url));
    buf_free(&url);
    return true;
}

static int run_plan(struct plan *plan, struct error *err) {
    struct simulator *simulator = NULL;
    struct pipeline pipeline;
    int code = 2;
    if (start_simulator(plan, &simulator, err)) {
        if (pipeline_open(&pipeline, plan, err)) {
            code = pipeline_run(&pipeline);
            if (!report_run(&pipeline, code, err))
                code = error_exit_code(err);
        } else {
            code = error_exit_code(err);
        }
        pipeline_close(&pipeline);
    }
    simulate_stop(simulator);
    return code;
}

// A summary that took the place of the results, or of the keys, would be a costly slip.
static bool check_summary(const struct plan *plan, struct error *err) {
    const struct config *c = plan->config;
    const char *others[] = {plan->input, plan->output, c->keys, c->env_file, c->cacert};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (paths_are_same(c->summary, others[i]))
            return error_set(err, ERROR_USAGE,
                             "--summary %s: that file is used otherwise by this run", c->summary);
    return true;
}

static int run_config(const struct config *config, const char *input, struct error *err) {
    struct plan plan;
    int code = 2;
    if (config->summary && !summary_check_path(config->summary, err))
        return code;
    if (plan_make(&plan, config, input, err) && check_summary(&plan, err)) {
        if (config->dry_run)
            code = dry_run(&plan, err);
        else if (!config->strict || check_strictly(&plan, err))
            code = run_plan(&plan, err);
    }
    plan_free(&plan);
    return code;
}

static int run_run(const void *options, int count, char **operands) {
    struct config config = *(const struct config *)options;
    struct error err = {0};
    (void)count;
    process_end_on_signals();
    log_set_level((enum log_level)config.log_level);
    if (config.quiet)
        config.progress = PROGRESS_OFF;
    log_set_json(config.progress == PROGRESS_JSON);
    int code = engine_global_init(&err) ? run_config(&config, operands[0], &err) : 2;
    if (err.class != ERROR_NONE)
        log_error("%s", err.text);
    log_finish();
    return code;
}

const struct command run_command = {
    .name = "run",
    .operands = "INPUT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "Send a file of prompts over a pool of keys and write the results",
    .description =
        "Reads prompts from INPUT (JSONL, CSV, TSV or text; - is standard input), sends them to a "
        "provider over all the keys it finds, one request in flight per key unless told otherwise, "
        "and writes one JSON line per row to the results file, in the order they finish unless "
        "--ordered is given.\n\n"
        "The same command again resumes: rows that have an answer are not sent again. A key that "
        "is refused for rate reasons rests as long as the provider asks, and its row goes to "
        "another key. The word run may be left out.",
    .options = run_options,
    .config_size = sizeof(struct config),
    .run = run_run,
};
