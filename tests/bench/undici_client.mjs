// undici: OPEN workers share COUNT requests over one pool. Replies are read and parsed as JSON.
// usage: undici_client.mjs URL KEYS-FILE OPEN COUNT        SPDX-License-Identifier: MIT
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Pool } = createRequire(process.env.BENCH_NPM + "/")("undici");
const [url, keysFile, open, count] = process.argv.slice(2);
const keys = [...readFileSync(keysFile, "utf8").matchAll(/^[A-Z0-9_]+=(.+)$/gm)].map((m) => m[1]);
const { origin, pathname } = new URL(url);
const pool = new Pool(origin, { connections: Number(open), pipelining: 1 });
let left = Number(count);

async function worker(key) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  while (left-- > 0) {
    const body = JSON.stringify({
      model: "simulate-1",
      messages: [{ role: "user", content: "a".repeat(238) }],
    });
    const answer = await pool.request({ method: "POST", path: pathname, headers, body });
    const reply = await answer.body.json();
    if (answer.statusCode !== 200 || !reply.choices) throw new Error(`HTTP ${answer.statusCode}`);
  }
}

await Promise.all(Array.from({ length: Number(open) }, (_, i) => worker(keys[i % keys.length])));
await pool.close();
