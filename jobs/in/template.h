// A prompt template: text in which {{name}} is a row's field of that name, and {{{{ a literal {{.
//
// Parsed once, rendered per row as a JSON string token put together from slices: a field that is a
// string goes in with its own escapes, anything else as its JSON text.
// SPDX-License-Identifier: MIT
#ifndef JOBS_IN_TEMPLATE_H
#define JOBS_IN_TEMPLATE_H

#include "jobs/base/buf.h"
#include "jobs/base/error.h"

struct template;

// NULL with err filled when a {{ is not closed or a name is empty.
struct template *template_parse(struct slice text, struct error *err);
void template_free(struct template *t);

// A row's field by name as a JSON token; SLICE_NONE when the row has none.
typedef struct slice (*template_field)(void *row, struct slice name);

// Appends the string token. False: missing is set to the first name the row does not have.
bool template_render(const struct template *t, template_field field, void *row, struct buf *out,
                     struct slice *missing);

#endif
