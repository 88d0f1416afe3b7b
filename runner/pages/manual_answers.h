// The manual's section on what counts as a good answer: text for runner/pages/manual.c.
// SPDX-License-Identifier: MIT
#ifndef RUNNER_PAGES_MANUAL_ANSWERS_H
#define RUNNER_PAGES_MANUAL_ANSWERS_H

// What a result has besides text.
#define MANUAL_REPLY_MEMBERS                                                                       \
    "- `tool_calls`, `reasoning`, `refusal`, `audio`: when the reply has them. Tool calls have "   \
    "OpenAI's shape whatever the provider; an older `function_call` is one of them.\n"             \
    "- `choices`: when more than one answer came (`n`, or Google's `candidateCount`): all of "     \
    "them, "                                                                                       \
    "each with `index`, `text`, `finish_reason` and what else it has. `text` is the first "        \
    "one's.\n"

#define MANUAL_ANSWERS                                                                             \
    "A good HTTP status is not enough. An answer is tried again when its finish reason is a "      \
    "failure "                                                                                     \
    "(error, network_error, abort, insufficient_system_resource, MALFORMED_FUNCTION_CALL and "     \
    "their "                                                                                       \
    "like), whatever text came with it. An error beside or inside the choices counts like the "    \
    "same "                                                                                        \
    "words under the status they belong to.\n\n"                                                   \
    "An answer without text, call, reasoning or refusal is good when tokens were counted for it, " \
    "when the provider counts none at all, or when it ended at a limit (length): then the model "  \
    "used its tokens for thinking. When it ended with stop and no token was counted it is a "      \
    "bad_response, and is tried again. An answer that policy kept back (content_filter, "          \
    "sensitive, "                                                                                  \
    "refusal, SAFETY, a blockReason) is content_filter and final, unless some text came before: "  \
    "that text is kept, and `finish_reason` says why it ends.\n\n"                                 \
    "Whether an answer is a stream is told by its first bytes, not by its Content-Type, and with " \
    "or without `--stream`; a whole reply, an array of chunks or one chunk a line are read too. "  \
    "A "                                                                                           \
    "byte order mark is passed over, answers packed with gzip or deflate are unpacked (up to "     \
    "`--max-reply-bytes`), and NaN and Infinity become null.\n\n"                                  \
    "NVIDIA answers 202 with an NVCF-REQID when a request takes long. The answer is then fetched " \
    "from `/status/ID` below the same base URL, with the same key, until `--timeout` is over; it " \
    "counts as one attempt.\n\n"                                                                   \
    "A batch line is sent to the path that its `url` names: /v1/chat/completions, /v1/responses, " \
    "/v1/completions, /v1/embeddings, /v1/moderations, /v1/images/generations or another one. "    \
    "For "                                                                                         \
    "a path other than the first any JSON object that is no error is a good answer; `text`, "      \
    "`tool_calls`, `reasoning` and `usage` are filled from responses and completions, `text` is "  \
    "null "                                                                                        \
    "for the others; `--include-response` or a batch `--format` hands on the whole reply. "        \
    "Without "                                                                                     \
    "a "                                                                                           \
    "`url` (Mistral) the body says what it is: `messages`, `prompt` or `input`. Google's lines "   \
    "with "                                                                                        \
    "`content` instead of `contents` ask for embeddings. Lines about files, batches, training or " \
    "sound, and lines in a format that no provider of the run understands, are bad_input: "        \
    "nothing "                                                                                     \
    "is sent for them."

#endif
