// A conversation as OpenAI shapes it, read for wires of another shape: who speaks when, part by part.
//
// The wire says how a turn opens and closes and how each part is written; conversation_add() finds
// them, puts consecutive messages of one side into one turn (tool results speak for the user), and
// sets the commas. What has no counterpart anywhere is refused with a reason.
// SPDX-License-Identifier: MIT
#ifndef POOL_WIRE_CONVERSATION_H
#define POOL_WIRE_CONVERSATION_H

#include "pool/wire/parts.h"

enum part_kind {
    PART_TEXT,
    PART_URL,    // an image or file to fetch
    PART_DATA,   // its bytes, in base64
    PART_CALL,   // the assistant calls a tool
    PART_RESULT, // what the tool said
};

// Tokens as they stand in the row; absent where the part's kind has none.
struct part {
    enum part_kind kind;
    struct slice text;      // TEXT: string token
    struct slice url;       // URL: string token
    struct slice mime;      // DATA: inside of a string token
    struct slice data;      // DATA: inside of a string token
    struct slice id;        // CALL, RESULT: string token
    struct slice name;      // CALL, RESULT: string token
    struct slice arguments; // CALL: string token of an object's text, or absent
    struct slice signature; // CALL: string token: Gemini's thought signature, if the row has it
    struct slice content;   // RESULT: string or array token
    bool first_call;        // CALL: the first of its message
};

// How a wire writes it down.
struct tongue {
    const char *user, *assistant; // what opens a turn, up to its first part
    const char *close;
    // False with *what set when the wire has no words for the part.
    bool (*add_part)(struct buf *b, const struct part *part, const void *context,
                     const char **what);
};

// What is read and how; `what` is set when a function returns false.
struct conversation {
    const struct tongue *tongue;
    const void *context; // for add_part
    const char *what;
};

// Appends the turns of everyone but the system, with commas between them. False with c->what set.
bool conversation_add(struct conversation *c, struct slice messages, struct buf *b);

// Appends what system and developer messages say, as text parts with commas between them; nothing
// when there are none.
bool conversation_add_system(struct conversation *c, struct slice messages, struct buf *b);

// Appends the parts of a message's content (string or array), with commas between them.
bool conversation_add_content(struct conversation *c, struct slice content, struct buf *b);

// Appends the object that a call's arguments are the text of. False when they are none.
bool conversation_add_object(struct buf *b, struct slice text);

// A tool that is offered, and what it takes.
struct tool {
    struct slice name, description, parameters, strict; // tokens; all but name may be absent
};

// The next tool of an array; false at its end, and with *what set when it is no function.
bool conversation_next_tool(struct json_walk *tools, struct tool *tool, const char **what);

enum choice {
    CHOICE_NOT_GIVEN,
    CHOICE_AUTO,
    CHOICE_NONE,
    CHOICE_REQUIRED,
    CHOICE_TOOL,
    CHOICE_OTHER
};

// What tool_choice says; *name is the tool's for CHOICE_TOOL.
enum choice conversation_choice(struct slice tool_choice, struct slice *name);

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SCHEMA, FORMAT_OTHER };

// What response_format says; *schema is the object for FORMAT_SCHEMA.
enum format conversation_format(struct slice response_format, struct slice *schema);

// Appends stop, a string or an array, as an array.
void conversation_add_stop(struct buf *b, const char *name, struct slice stop);

#endif
