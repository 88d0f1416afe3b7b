// undici, a pool of as many connections as there are requests open.
// usage: undici_client.mjs URL KEYS-FILE OPEN ROWS RESULTS        SPDX-License-Identifier: MIT
import { createRequire } from "node:module";
import { readKeys, runRows } from "./rows.mjs";

const { Pool } = createRequire(process.env.BENCH_NPM + "/")("undici");
const [url, keysFile, open, rows, results] = process.argv.slice(2);
const keys = readKeys(keysFile);
const { origin, pathname } = new URL(url);
const pool = new Pool(origin, { connections: Number(open), pipelining: 1 });
const headers = keys.map((key) => (
  { authorization: `Bearer ${key.secret}`, "content-type": "application/json" }));

await runRows(rows, results, Number(open), keys, async (number, messages) => {
  const answer = await pool.request({
    method: "POST", path: pathname, headers: headers[number % headers.length],
    body: JSON.stringify({ model: "simulate-1", messages }),
  });
  const reply = await answer.body.json();
  if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
  return reply;
});
await pool.close();
