// prefix.c: hashes the beginning of a request that a provider's prompt cache goes by. Pure.
// SPDX-License-Identifier: MIT
#include "pool/wire/prefix.h"

#include "jobs/base/hash.h"
#include "pool/wire/parts.h"

#define PREFIX_BYTES 8192

static struct slice first_system(struct slice messages) {
    struct json_walk walk = json_walk(wire_only(messages, JSON_ARRAY));
    struct slice message, role, content;
    const struct json_field fields[] = {{"role", &role}, {"content", &content}};
    if (!json_next_element(&walk, &message))
        return SLICE_NONE;
    json_fields(message, fields, COUNT(fields));
    bool system = json_string_is(role, "system") || json_string_is(role, "developer");
    return system ? content : SLICE_NONE;
}

// The first of a body's members that a provider takes for the system prompt.
static struct slice system_of_body(struct slice body) {
    struct slice system, gemini, gemini_snake, instructions, messages;
    const struct json_field fields[] = {
        {"system", &system},
        {"systemInstruction", &gemini},
        {"system_instruction", &gemini_snake},
        {"instructions", &instructions},
        {"messages", &messages},
    };
    json_fields(body, fields, COUNT(fields));
    const struct slice in_turn[] = {system, gemini, gemini_snake, instructions};
    for (size_t i = 0; i < COUNT(in_turn); i++)
        if (json_type(in_turn[i]) > JSON_NULL)
            return in_turn[i];
    return first_system(messages);
}

static struct slice system_of(const struct request *request, const struct wire_defaults *defaults) {
    if (request->body.n)
        return system_of_body(request->body);
    struct slice own = first_system(request->messages);
    return own.n ? own : wire_system(request, defaults);
}

uint64_t prefix_of(const struct request *request, const struct wire_defaults *defaults) {
    struct slice system = system_of(request, defaults);
    struct slice model = request->model.n ? request->model : defaults->model;
    if (system.n <= 2) // "" and [] say nothing
        return 0;
    uint64_t key[2] = {hash_bytes(model, (const uint64_t[2]){0, 0}).low, system.n};
    system.n = system.n < PREFIX_BYTES ? system.n : PREFIX_BYTES;
    uint64_t hash = hash_bytes(system, key).low;
    return hash ? hash : 1;
}
