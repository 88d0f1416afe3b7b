// The syntax of .env files: NAME=VALUE lines as shells and the common tools write them.
//
// An `export` before the name and spaces around the `=` are passed over; a value ends at the end of
// its line or at a ` #` comment, without the spaces around it. In single quotes it stands as it is
// (\' and \\ are read); in double quotes \n \r \t \" \\ \$ are read and others stay; quoted text
// may go over lines. References to other variables are not replaced here (pool/keys/key_value.h).
// SPDX-License-Identifier: MIT
#ifndef POOL_KEYS_ENV_TEXT_H
#define POOL_KEYS_ENV_TEXT_H

#include "jobs/base/slice.h"

struct env_variable {
    struct slice name;  // absent when the line is no assignment
    struct slice value; // quotes and escapes already read
    size_t line;        // 1-based
    const char *fault;  // static text, or NULL: "a quote is not closed"
    bool literal;       // in single quotes: a ${ in it is no reference
    bool referenced;    // by "env:NAME" in a pool file
};

struct env_reader {
    char *p;
    char *end;
    size_t line;
};

// Starts on text (behind a BOM). Values are unescaped in place, so the text is changed.
struct env_reader env_reader(char *text, size_t n);

// The next line that is neither blank nor a comment. False at the end.
bool env_next(struct env_reader *reader, struct env_variable *variable);

// The name of a line like "NAME: value", as YAML has it.
bool env_split_colon(struct slice line, struct slice *name);

// The name and what follows the = if the line (without its newline) is an assignment.
bool env_split(struct slice line, struct slice *name, struct slice *rest);

#endif
