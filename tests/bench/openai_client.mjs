// The openai SDK as its pages show it: OPEN workers share COUNT requests, a client per key.
// usage: openai_client.mjs URL KEYS-FILE OPEN COUNT        SPDX-License-Identifier: MIT
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { OpenAI } = createRequire(process.env.BENCH_NPM + "/")("openai");
const [url, keysFile, open, count] = process.argv.slice(2);
const keys = [...readFileSync(keysFile, "utf8").matchAll(/^[A-Z0-9_]+=(.+)$/gm)].map((m) => m[1]);
const baseURL = url.replace("/chat/completions", "");
const clients = keys.map((apiKey) => new OpenAI({ apiKey, baseURL, maxRetries: 0 }));
let left = Number(count);

async function worker(client) {
  while (left-- > 0) {
    const reply = await client.chat.completions.create({
      model: "simulate-1",
      messages: [{ role: "user", content: "a".repeat(238) }],
    });
    if (!reply.choices) throw new Error("no answer");
  }
}

await Promise.all(Array.from({ length: Number(open) }, (_, i) => worker(clients[i % clients.length])));
