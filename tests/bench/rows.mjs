// What the clients on node share: keys, the rows of a file, a result line for each.
// SPDX-License-Identifier: MIT
import { createWriteStream, readFileSync } from "node:fs";

export function readKeys(file) {
  const lines = readFileSync(file, "utf8").matchAll(/^([A-Z0-9_]+)=(.+)$/gm);
  return [...lines].map((m) => ({ name: m[1], secret: m[2] }));
}

// `open` workers take rows in turn and have each sent by send(worker's number, messages), which gives the
// reply.
export async function runRows(rowsFile, resultsFile, open, keys, send) {
  const rows = readFileSync(rowsFile, "utf8").trimEnd().split("\n");
  const results = createWriteStream(resultsFile);
  let next = 0;

  async function work(number) {
    while (next < rows.length) {
      const index = next++;
      const row = JSON.parse(rows[index]);
      const begun = performance.now();
      const reply = await send(number, [{ role: "user", content: row.prompt }]);
      const result = {
        id: row.id ?? String(index + 1), status: "ok", key: keys[number % keys.length].name,
        text: reply.choices[0].message.content, usage: reply.usage,
        latency_ms: performance.now() - begun, input: row,
      };
      results.write(JSON.stringify(result) + "\n");
    }
  }

  await Promise.all(Array.from({ length: open }, (_, i) => work(i)));
  await new Promise((done) => results.end(done));
}
