// The openai SDK as its pages show it, a client per key.
// usage: openai_client.mjs URL KEYS-FILE OPEN ROWS RESULTS        SPDX-License-Identifier: MIT
import { createRequire } from "node:module";
import { readKeys, runRows } from "./rows.mjs";

const { OpenAI } = createRequire(process.env.BENCH_NPM + "/")("openai");
const [url, keysFile, open, rows, results] = process.argv.slice(2);
const keys = readKeys(keysFile);
const baseURL = url.replace("/chat/completions", "");
const clients = keys.map((key) => new OpenAI({ apiKey: key.secret, baseURL, maxRetries: 0 }));

await runRows(rows, results, Number(open), keys, (number, messages) =>
  clients[number % clients.length].chat.completions.create({ model: "simulate-1", messages }));
