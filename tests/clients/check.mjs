// What the three clients' checks share: names, assertions, how an answer is told.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';

export const url = process.env.SIM_URL;
export const key = process.env.SIM_KEY;
export const text = 'one two three “four” \u{1F600}\n five six\tseven';

let failed = 0;

export async function check(name, body) {
    try {
        await body();
        console.log(`ok ${name}`);
    } catch (error) {
        failed = 1;
        console.log(`not ok ${name}`);
        console.log(String(error.stack).replace(/^/gm, '# '));
    }
}

// The simulator answers a tool's call with the prompt as its argument.
export function checkCall(call, name) {
    assert.equal(call.name, name);
    assert.deepEqual(call.arguments, { text });
}

export async function collect(stream, piece) {
    let whole = '', pieces = 0;
    for await (const event of stream) {
        const part = piece(event);
        if (part) {
            whole += part;
            pieces++;
        }
    }
    assert.ok(pieces > 1, 'it came in several pieces');
    return whole;
}

// Some of the answer comes, then the library throws what look() likes.
export async function rejectsMidway(stream, piece, look) {
    let whole = '';
    try {
        for await (const event of stream)
            whole += piece(event) ?? '';
    } catch (error) {
        assert.ok(whole && text.startsWith(whole), `the beginning: ${whole}`);
        look(error);
        return;
    }
    assert.fail('the stream ended as if all were well');
}

export function done() {
    process.exit(failed);
}

export { assert };
