// rules_paths.c: what servers say of a path that they do not know: --base-url is wrong. Constant; any thread.
// SPDX-License-Identifier: MIT
#include "pool/signals/rules_parts.h"

// The whole message where it is so short that it says nothing of a model. Of the frameworks that serve
// most of what speaks like OpenAI, and of the gateways before them.
const struct rule rules_paths[] = {

    // FastAPI, Flask, Spring, Go, nginx, llama.cpp, Azure; Anthropic says it in its own shape
    {.status = 404, .whole = "Not Found", .means = NO_PATH},
    {.status = 404, .whole = "404 Not Found", .means = NO_PATH},
    {.status = 404, .whole = "404 page not found", .means = NO_PATH},
    {.status = 404, .whole = "page not found", .means = NO_PATH},
    {.status = 404, .whole = "File Not Found", .means = NO_PATH},
    {.status = 404, .whole = "Resource not found", .means = NO_PATH},
    {.status = 404, .whole = "Route not found", .means = NO_PATH},
    {.status = 404, .whole = "Endpoint not found", .means = NO_PATH},
    {.status = 404, .whole = "Path not found", .means = NO_PATH},
    {.status = 404, .whole = "404: Not Found", .means = NO_PATH},
    {.status = 405, .whole = "Method Not Allowed", .means = NO_PATH},

    // OpenAI; one-api and new-api; Groq; Kong before Mistral; Express; Spring before DashScope
    {.status = 404, .text = "Invalid URL (", .means = NO_PATH},
    {.status = 404, .word = "unknown_url", .means = NO_PATH},
    {.status = 404, .text = "Unknown request URL", .means = NO_PATH},
    {.status = 404, .text = "no Route matched with those values", .means = NO_PATH},
    {.status = 404, .text = "Cannot POST /", .means = NO_PATH},
    {.status = 404, .text = "No static resource", .means = NO_PATH},
    {.status = 404, .text = "No handler found", .means = NO_PATH},
    {.status = 404, .text = "endpoint not found", .means = NO_PATH},
    {.status = 404, .text = "API version not supported", .means = NO_PATH}, // Azure: ?api-version=
    {.status = 400, .text = "API version not supported", .means = NO_PATH},
    {.status = 403,
     .text = "Missing Authentication Token",
     .means = NO_PATH}, // AWS API Gateway's word for a path it does not know

    // LM Studio answers 200
    {.text = "Unexpected endpoint or method", .means = NO_PATH},

    // https is spoken there, and http was: Go, nginx, Apache
    {.status = 400, .text = "HTTP request to an HTTPS server", .means = NO_PATH},
    {.status = 400, .text = "plain HTTP request was sent to HTTPS port", .means = NO_PATH},
    {.status = 400, .text = "speaking plain HTTP to an SSL", .means = NO_PATH},
    {0},
};
