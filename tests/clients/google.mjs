// Google's own client against the simulator: plain, streamed, with tools, refused.
// SPDX-License-Identifier: MIT
import { ApiError, GoogleGenAI } from '@google/genai';
import { assert, check, checkCall, collect, done, key, rejectsMidway, text, url } from './check.mjs';

const connect = (apiKey, baseUrl) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl } });
const client = connect(key, url);
const ask = { model: 'gemini-m', contents: text };
const config = {
    tools: [{
        functionDeclarations: [{
            name: 'look_up',
            parametersJsonSchema: { type: 'object', properties: { text: { type: 'string' } } },
        }],
    }],
};

await check('google: plain', async () => {
    const reply = await client.models.generateContent({ ...ask, config: { systemInstruction: 'be brief' } });
    assert.equal(reply.text, text);
    assert.equal(reply.candidates[0].finishReason, 'STOP');
    assert.equal(reply.modelVersion, 'gemini-m');
    assert.ok(reply.usageMetadata.totalTokenCount > 0);
});

await check('google: streamed', async () => {
    let last;
    const whole = await collect(await client.models.generateContentStream(ask), (chunk) => {
        last = chunk;
        return chunk.text;
    });
    assert.equal(whole, text);
    assert.equal(last.candidates[0].finishReason, 'STOP');
    assert.ok(last.usageMetadata.totalTokenCount > 0);
});

await check('google: a tool is called and answered', async () => {
    const reply = await client.models.generateContent({ ...ask, config });
    const call = reply.functionCalls[0];
    checkCall({ name: call.name, arguments: call.args }, 'look_up');
    const next = await client.models.generateContent({
        ...ask, config,
        contents: [{ role: 'user', parts: [{ text }] }, reply.candidates[0].content,
            { role: 'user', parts: [{ functionResponse: { id: call.id, name: call.name, response: { output: 'found' } } },
                { text: 'and?' }] }],
    });
    assert.equal(next.text, 'and?');
});

await check('google: a tool is called in a stream', async () => {
    const calls = [];
    for await (const chunk of await client.models.generateContentStream({ ...ask, config }))
        calls.push(...(chunk.functionCalls ?? []));
    checkCall({ name: calls[0].name, arguments: calls[0].args }, 'look_up');
});

const refused = (status, word) => (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, status);
    assert.match(error.message, word);
    return true;
};

await check('google: a key that is not known', async () => {
    await assert.rejects(connect('nobody', url).models.generateContent(ask), refused(400, /API_KEY_INVALID/));
});

await check('google: a request that makes no sense', async () => {
    await assert.rejects(client.models.generateContent({ model: 'm', contents: [{ role: 'robot', parts: [{ text }] }] }),
        refused(400, /INVALID_ARGUMENT/));
});

await check('google: a limit', async () => {
    const limited = connect(process.env.SIM_LIMITED_KEY, process.env.SIM_LIMITED_URL);
    await limited.models.generateContent(ask);
    await assert.rejects(limited.models.generateContent(ask), refused(429, /RetryInfo/));
});

await check('google: an error in a stream', async () => {
    const broken = connect(key, process.env.SIM_BROKEN_URL);
    await rejectsMidway(await broken.models.generateContentStream(ask), (chunk) => chunk.text,
        refused(503, /UNAVAILABLE/));
});

done();
