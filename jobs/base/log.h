// What is said to people, on stderr. One owner for the terminal: log lines and the live line.
//
// Any thread may log. A live line set with log_status() is wiped before a log line is printed and
// drawn again after it, so the two never mix. Nothing here ever writes to stdout. Keys are never
// passed to it: the secret type has no printable form but its mask (pool/secret.h). Control and
// bidirectional characters, wherever they come from, are shown as escapes (jobs/base/visible.h); the
// live line may have colors.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_LOG_H
#define JOBS_BASE_LOG_H

#include "jobs/base/slice.h"

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

// The most that is printed from now on; LOG_WARN until set. Set before threads start.
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);

// "error|warn|info|debug" to a level; false for anything else.
bool log_level_parse(struct slice text, enum log_level *level);

// From now on stderr gets JSON lines only: what is logged as {"event":"log","level":…,"message":…}, texts
// for people as {"event":"text","text":…}; there is no live line. Set before threads start.
void log_set_json(bool on);
bool log_is_json(void);

// One line, without its newline, prefixed with "error: ", "warning: " or the level's name. The same
// warning repeated is folded: shown once, counted, and summed up when another comes or at the end.
__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warn(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_debug(const char *format, ...);

// Text for people as it stands (a table, a plan, help on stderr), whole lines.
void log_text(struct slice text);

// A whole line of JSON with its newline, as it stands.
void log_json(struct slice line);

// Shows text as the live line at the bottom of a terminal; NULL removes it.
void log_status(const char *text);

// Says how often the last warning was repeated, if it was. Call once before exit.
void log_finish(void);

#endif
